<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="es" sourcelanguage="en">
    <context>
        <name>Mattecam</name>
        <message>
            <source>&amp;Background</source>
            <translation>&amp;Fondo</translation>
        </message>
        <message>
            <source>&amp;Help</source>
            <translation>A&amp;yuda</translation>
        </message>
        <message>
            <source>&amp;Program</source>
            <translation>&amp;Programa</translation>
        </message>
        <message>
            <source>&amp;Scenes</source>
            <translation>&amp;Escenas</translation>
        </message>
        <message>
            <source>&amp;View</source>
            <translation>&amp;Ver</translation>
        </message>
        <message>
            <source>90° to the left</source>
            <translation>90° a la izquierda</translation>
        </message>
        <message>
            <source>90° to the right</source>
            <translation>90° a la derecha</translation>
        </message>
        <message>
            <source>A background “{name}” already exists; choose another name.</source>
            <translation>Ya existe un fondo «{name}»; elija otro nombre.</translation>
        </message>
        <message>
            <source>A camera delivers frames to one program at a time.</source>
            <translation>Una cámara entrega sus imágenes a un solo programa a la vez.</translation>
        </message>
        <message>
            <source>A camera is in use by {programs}.</source>
            <translation>{programs} usa una cámara.</translation>
        </message>
        <message>
            <source>A camera that is not connected</source>
            <translation>Una cámara que no está conectada</translation>
        </message>
        <message>
            <source>A file that the settings name does not answer; reconnect its disk.</source>
            <translation>Un archivo de los ajustes no responde; vuelva a conectar su disco.</translation>
        </message>
        <message>
            <source>A frame of {width}×{height} at the detail {ratio} is too small for the model {model}; choose a larger one or more detail.</source>
            <translation>Una imagen de {width} × {height} con el detalle {ratio} es demasiado pequeña para el modelo {model}; elija una mayor o más detalle.</translation>
        </message>
        <message>
            <source>A narrow, hard edge</source>
            <translation>Un borde estrecho y duro</translation>
        </message>
        <message>
            <source>A scene “{name}” already exists; choose another name or remove it first.</source>
            <translation>Ya existe una escena «{name}»; elija otro nombre o quítela primero.</translation>
        </message>
        <message>
            <source>A virtual camera accepts frames from one program at a time.</source>
            <translation>Una cámara virtual acepta imágenes de un solo programa a la vez.</translation>
        </message>
        <message>
            <source>A wide, soft edge</source>
            <translation>Un borde ancho y suave</translation>
        </message>
        <message>
            <source>About Mattecam</source>
            <translation>Acerca de Mattecam</translation>
        </message>
        <message>
            <source>Adapt your light and colours to the background.</source>
            <translation>Adapta su luz y sus colores al fondo.</translation>
        </message>
        <message>
            <source>Add a background</source>
            <translation>Añadir un fondo</translation>
        </message>
        <message>
            <source>Add backgrounds</source>
            <translation>Añadir fondos</translation>
        </message>
        <message>
            <source>Add images or videos. You can also drop or paste them.</source>
            <translation>Añada imágenes o vídeos. También puede arrastrarlos o pegarlos.</translation>
        </message>
        <message>
            <source>Add…</source>
            <translation>Añadir…</translation>
        </message>
        <message>
            <source>Adjust the background</source>
            <translation>Ajustar el fondo</translation>
        </message>
        <message>
            <source>Advanced</source>
            <translation>Avanzado</translation>
        </message>
        <message>
            <source>After a restart the virtual camera is missing.</source>
            <translation>Tras un reinicio falta la cámara virtual.</translation>
        </message>
        <message>
            <source>All backgrounds</source>
            <translation>Todos los fondos</translation>
        </message>
        <message>
            <source>All messages</source>
            <translation>Todos los mensajes</translation>
        </message>
        <message>
            <source>All processing stays on this computer.</source>
            <translation>Todo el procesamiento se queda en este equipo.</translation>
        </message>
        <message>
            <source>All settings</source>
            <comment>the panel</comment>
            <translation>Todo</translation>
        </message>
        <message>
            <source>Allow camera access in the privacy settings of the system, and check the camera's own switch.</source>
            <translation>Permita el acceso a la cámara en los ajustes de privacidad del sistema y compruebe el interruptor de la cámara.</translation>
        </message>
        <message>
            <source>Always hide</source>
            <translation>Ocultar siempre</translation>
        </message>
        <message>
            <source>An NVIDIA graphics card is present, but its driver is not loaded.</source>
            <translation>Hay una tarjeta gráfica NVIDIA, pero su controlador no está cargado.</translation>
        </message>
        <message>
            <source>An internal error occurred; the log has the details.</source>
            <translation>Se produjo un error interno; los detalles están en el registro.</translation>
        </message>
        <message>
            <source>Another file {file} appeared during the recording, which is saved as {copy}.</source>
            <translation>Durante la grabación apareció otro archivo {file}; la grabación se guardó como {copy}.</translation>
        </message>
        <message>
            <source>Another language is used from the next start on.</source>
            <translation>Otro idioma se usa a partir del próximo inicio.</translation>
        </message>
        <message>
            <source>Another microphone has become the default one; the recording goes on with it.</source>
            <translation>Otro micrófono es ahora el predeterminado; la grabación continúa con él.</translation>
        </message>
        <message>
            <source>Another program connected the recording to {other} in place of the microphone {device}, and the recording goes on without sound; choose the microphone that is wanted.</source>
            <translation>Otro programa ha conectado la grabación a {other} en lugar del micrófono {device}, y la grabación continúa sin sonido; elija el micrófono deseado.</translation>
        </message>
        <message>
            <source>Another program sends to the virtual camera {device}; close that program or choose another virtual camera.</source>
            <translation>Otro programa envía a la cámara virtual {device}; cierre ese programa o elija otra cámara virtual.</translation>
        </message>
        <message>
            <source>Another program sends to {device}; it is open in {programs}.</source>
            <translation>Otro programa envía a {device}; el dispositivo está abierto en {programs}.</translation>
        </message>
        <message>
            <source>Any model, and the kind of edge</source>
            <translation>Cualquier modelo y el tipo de borde</translation>
        </message>
        <message>
            <source>Asks for the administrator's password, and loads the camera now and at every start</source>
            <translation>Pide la contraseña de administrador y carga la cámara ahora y en cada inicio</translation>
        </message>
        <message>
            <source>Attach the camera to WSL with usbipd, or run the program on Windows itself.</source>
            <translation>Conecte la cámara a WSL con usbipd o ejecute el programa directamente en Windows.</translation>
        </message>
        <message>
            <source>Auto-framing</source>
            <translation>Encuadre automático</translation>
        </message>
        <message>
            <source>Automatic</source>
            <translation>Automático</translation>
        </message>
        <message>
            <source>Automatic</source>
            <comment>the quality</comment>
            <translation>Auto</translation>
        </message>
        <message>
            <source>Automatic detail</source>
            <translation>Detalle automático</translation>
        </message>
        <message>
            <source>BT.601, full range</source>
            <translation>BT.601, rango completo</translation>
        </message>
        <message>
            <source>BT.709, full range</source>
            <translation>BT.709, rango completo</translation>
        </message>
        <message>
            <source>Back</source>
            <translation>Atrás</translation>
        </message>
        <message>
            <source>Back to the window</source>
            <translation>Volver a la ventana</translation>
        </message>
        <message>
            <source>Background</source>
            <translation>Fondo</translation>
        </message>
        <message>
            <source>Background Matting, fast</source>
            <translation>Background Matting, rápido</translation>
        </message>
        <message>
            <source>Background Matting, fine</source>
            <translation>Background Matting, fino</translation>
        </message>
        <message>
            <source>Background Matting, finest</source>
            <translation>Background Matting, el más fino</translation>
        </message>
        <message>
            <source>Backgrounds</source>
            <translation>Fondos</translation>
        </message>
        <message>
            <source>Balanced</source>
            <translation>Equilibrado</translation>
        </message>
        <message>
            <source>Balanced: hide things mistaken for people, and nothing of a person.</source>
            <translation>Equilibrado: oculta lo que se confunde con personas, y nada de una persona.</translation>
        </message>
        <message>
            <source>Best, install the NVIDIA driver {driver} or newer and restart, if the card supports it.</source>
            <translation>Lo mejor es instalar el controlador de NVIDIA {driver} o posterior y reiniciar, si ese controlador admite la tarjeta.</translation>
        </message>
        <message>
            <source>Blur</source>
            <translation>Desenfoque</translation>
        </message>
        <message>
            <source>Blur like a wide lens: lights become discs; needs the executor OpenVINO.</source>
            <translation>Desenfoca como un objetivo luminoso: las luces se vuelven discos; necesita el ejecutor OpenVINO.</translation>
        </message>
        <message>
            <source>Blur strength</source>
            <translation>Intensidad del desenfoque</translation>
        </message>
        <message>
            <source>Blur the background</source>
            <translation>Desenfocar el fondo</translation>
        </message>
        <message>
            <source>Bokeh</source>
            <translation>Bokeh</translation>
        </message>
        <message>
            <source>Bookshelf</source>
            <translation>Estantería</translation>
        </message>
        <message>
            <source>Brighten a dark face, darken an overexposed one.</source>
            <translation>Aclara una cara oscura y oscurece una sobreexpuesta.</translation>
        </message>
        <message>
            <source>Brightness</source>
            <translation>Brillo</translation>
        </message>
        <message>
            <source>Brush size</source>
            <translation>Tamaño del pincel</translation>
        </message>
        <message>
            <source>Calm</source>
            <translation>Tranquilo</translation>
        </message>
        <message>
            <source>Camera</source>
            <translation>Cámara</translation>
        </message>
        <message>
            <source>Camera off: no program uses it</source>
            <translation>Cámara apagada: ningún programa la usa</translation>
        </message>
        <message>
            <source>Cancel</source>
            <translation>Cancelar</translation>
        </message>
        <message>
            <source>Cancel the download</source>
            <translation>Cancelar la descarga</translation>
        </message>
        <message>
            <source>Centre the background</source>
            <translation>Centrar el fondo</translation>
        </message>
        <message>
            <source>Check again</source>
            <translation>Comprobar de nuevo</translation>
        </message>
        <message>
            <source>Check this computer</source>
            <translation>Comprobar este equipo</translation>
        </message>
        <message>
            <source>Check this computer…</source>
            <translation>Comprobar este equipo…</translation>
        </message>
        <message>
            <source>Checking that nobody is in the picture…</source>
            <translation>Comprobando que no haya nadie en la imagen…</translation>
        </message>
        <message>
            <source>Checking…</source>
            <translation>Comprobando…</translation>
        </message>
        <message>
            <source>Choose a file with weights</source>
            <translation>Elegir un archivo con pesos</translation>
        </message>
        <message>
            <source>Choose a video</source>
            <translation>Elegir un vídeo</translation>
        </message>
        <message>
            <source>Choose another camera</source>
            <translation>Elegir otra cámara</translation>
        </message>
        <message>
            <source>Choose another folder</source>
            <translation>Elegir otra carpeta</translation>
        </message>
        <message>
            <source>Choose another model</source>
            <translation>Elegir otro modelo</translation>
        </message>
        <message>
            <source>Choose another source</source>
            <translation>Elegir otra fuente</translation>
        </message>
        <message>
            <source>Choose colour</source>
            <translation>Elegir color</translation>
        </message>
        <message>
            <source>Choose colour…</source>
            <translation>Elegir color…</translation>
        </message>
        <message>
            <source>Choose file…</source>
            <translation>Elegir archivo…</translation>
        </message>
        <message>
            <source>Choose image…</source>
            <translation>Elegir imagen…</translation>
        </message>
        <message>
            <source>Choose the background</source>
            <translation>Elegir el fondo</translation>
        </message>
        <message>
            <source>Choose the detail by the frame size</source>
            <translation>Elegir el detalle según el tamaño del fotograma</translation>
        </message>
        <message>
            <source>Choose the downloaded file ({0})</source>
            <translation>Elegir el archivo descargado ({0})</translation>
        </message>
        <message>
            <source>Choose what others see behind you. You can change it later.</source>
            <translation>Elija lo que otros ven detrás de usted. Puede cambiarlo más tarde.</translation>
        </message>
        <message>
            <source>Choose your camera. Nobody else sees this preview.</source>
            <translation>Elija su cámara. Nadie más ve esta vista previa.</translation>
        </message>
        <message>
            <source>Choose “{0}” as the camera in your meeting.</source>
            <translation>Elija «{0}» como cámara en su reunión.</translation>
        </message>
        <message>
            <source>Choosing the camera in other programs</source>
            <translation>Elegir la cámara en otros programas</translation>
        </message>
        <message>
            <source>Chromium, Chrome, Teams, Discord and Zoom do not list a virtual camera that also accepts output.</source>
            <translation>Chromium, Chrome, Teams, Discord y Zoom no muestran una cámara virtual que también acepta salida.</translation>
        </message>
        <message>
            <source>Cleaner gaps, edges and hair; needs more of this computer</source>
            <translation>Huecos, bordes y pelo más limpios; necesita más de este ordenador</translation>
        </message>
        <message>
            <source>Close</source>
            <translation>Cerrar</translation>
        </message>
        <message>
            <source>Close every program that uses the device and check again.</source>
            <translation>Cierre todos los programas que usan el dispositivo y vuelva a comprobar.</translation>
        </message>
        <message>
            <source>Close every program that uses {device}, then:</source>
            <translation>Cierre todos los programas que usan {device} y después:</translation>
        </message>
        <message>
            <source>Close other programs that use the device; if that does not help, reload the module:</source>
            <translation>Cierre los otros programas que usan el dispositivo; si no ayuda, vuelva a cargar el módulo:</translation>
        </message>
        <message>
            <source>Close that program and check again.</source>
            <translation>Cierre ese programa y vuelva a comprobar.</translation>
        </message>
        <message>
            <source>Colour</source>
            <translation>Color</translation>
        </message>
        <message>
            <source>Colour bars sent to {device} were read back at {width}×{height}; the largest error is {error} of 255.</source>
            <translation>Las barras de color enviadas a {device} se leyeron a {width} × {height}; el error máximo es {error} de 255.</translation>
        </message>
        <message>
            <source>Colour of the background</source>
            <translation>Color del fondo</translation>
        </message>
        <message>
            <source>Colours of the camera</source>
            <translation>Colores de la cámara</translation>
        </message>
        <message>
            <source>Comes with Mattecam and needs little of this computer</source>
            <translation>Viene con Mattecam y necesita poco de este equipo</translation>
        </message>
        <message>
            <source>Compare with no picture; its file stays</source>
            <translation>No comparar con ninguna imagen; su archivo se conserva</translation>
        </message>
        <message>
            <source>Connect a camera, check its own switch, and close programs that use it.</source>
            <translation>Conecte una cámara, compruebe su propio interruptor y cierre los programas que la usan.</translation>
        </message>
        <message>
            <source>Connect a camera; on a laptop check its camera switch or key. Then look at the kernel log:</source>
            <translation>Conecte una cámara; en un portátil compruebe el interruptor o la tecla de la cámara. Después consulte el registro del núcleo:</translation>
        </message>
        <message>
            <source>Copy</source>
            <translation>Copiar</translation>
        </message>
        <message>
            <source>Copy address</source>
            <translation>Copiar la dirección</translation>
        </message>
        <message>
            <source>Copy diagnostics</source>
            <translation>Copiar el diagnóstico</translation>
        </message>
        <message>
            <source>Copy the address, to download the file elsewhere</source>
            <translation>Copia la dirección, para descargar el archivo en otro lugar</translation>
        </message>
        <message>
            <source>Crisp</source>
            <translation>Nítido</translation>
        </message>
        <message>
            <source>Crop the image to head and shoulders, and follow them.</source>
            <translation>Recorta la imagen a cabeza y hombros, y los sigue.</translation>
        </message>
        <message>
            <source>Dark</source>
            <translation>Oscuro</translation>
        </message>
        <message>
            <source>Deep guided filter</source>
            <translation>Filtro guiado profundo</translation>
        </message>
        <message>
            <source>Default</source>
            <translation>Predeterminado</translation>
        </message>
        <message>
            <source>Deinterlace</source>
            <translation>Desentrelazar</translation>
        </message>
        <message>
            <source>Delete {folder} and run `{program}` again: the setup then installs the build for CUDA {cuda}.</source>
            <translation>Elimine {folder} y vuelva a iniciar `{program}`: la preparación instalará la compilación para CUDA {cuda}.</translation>
        </message>
        <message>
            <source>Demonstration</source>
            <translation>Demostración</translation>
        </message>
        <message>
            <source>Detail</source>
            <translation>Detalle</translation>
        </message>
        <message>
            <source>Device</source>
            <translation>Dispositivo</translation>
        </message>
        <message>
            <source>Device that programs read.</source>
            <translation>Dispositivo que leen los programas.</translation>
        </message>
        <message>
            <source>Diagnostics copied to the clipboard.</source>
            <translation>Diagnóstico copiado al portapapeles.</translation>
        </message>
        <message>
            <source>Dismiss</source>
            <translation>Descartar</translation>
        </message>
        <message>
            <source>Documents</source>
            <translation>Documentos</translation>
        </message>
        <message>
            <source>Done</source>
            <translation>Listo</translation>
        </message>
        <message>
            <source>Done. This picture is used as the empty background.</source>
            <translation>Listo. Esta imagen se usa como fondo vacío.</translation>
        </message>
        <message>
            <source>Download</source>
            <translation>Descargar</translation>
        </message>
        <message>
            <source>Download ({0})</source>
            <translation>Descargar ({0})</translation>
        </message>
        <message>
            <source>Download and use this model</source>
            <translation>Descargar y usar este modelo</translation>
        </message>
        <message>
            <source>Download the model</source>
            <translation>Descargar el modelo</translation>
        </message>
        <message>
            <source>Dusk hills</source>
            <translation>Colinas al anochecer</translation>
        </message>
        <message>
            <source>Earlier settings could not be read, and nobody has resumed since. What they hid is unknown, so Mattecam starts paused.</source>
            <translation>No se pudieron leer ajustes anteriores y nadie ha reanudado desde entonces. Se desconoce qué ocultaban; por eso Mattecam empieza en pausa.</translation>
        </message>
        <message>
            <source>Edge</source>
            <translation>Borde</translation>
        </message>
        <message>
            <source>Edge sliders, device, precision</source>
            <translation>Controles del borde, dispositivo, precisión</translation>
        </message>
        <message>
            <source>Enlarge a part of the camera image.</source>
            <translation>Amplía una parte de la imagen de la cámara.</translation>
        </message>
        <message>
            <source>Enlarge the image behind the person.</source>
            <translation>Amplía la imagen detrás de la persona.</translation>
        </message>
        <message>
            <source>Enrol the signing key, restart, and confirm on the blue screen:</source>
            <translation>Registre la clave de firma, reinicie y confirme en la pantalla azul:</translation>
        </message>
        <message>
            <source>Evening lights</source>
            <translation>Luces de noche</translation>
        </message>
        <message>
            <source>Executor</source>
            <translation>Ejecutor</translation>
        </message>
        <message>
            <source>Fast guided filter</source>
            <translation>Filtro guiado rápido</translation>
        </message>
        <message>
            <source>Feather outward</source>
            <translation>Suavizar hacia fuera</translation>
        </message>
        <message>
            <source>Files of this name exist and are kept: {files}. This run records to {new}.</source>
            <translation>Ya existen archivos con este nombre y se conservan: {files}. La grabación se guarda en {new}.</translation>
        </message>
        <message>
            <source>Fill the frame</source>
            <translation>Llenar el fotograma</translation>
        </message>
        <message>
            <source>Fine</source>
            <translation>Fina</translation>
        </message>
        <message>
            <source>Fine (Robust Video Matting)</source>
            <translation>Fina (Robust Video Matting)</translation>
        </message>
        <message>
            <source>Fine is too slow for 30 frames per second on this computer.</source>
            <translation>Fina es demasiado lenta para 30 fotogramas por segundo en este equipo.</translation>
        </message>
        <message>
            <source>Fine is used once it is downloaded.</source>
            <translation>Fina se usa en cuanto se haya descargado.</translation>
        </message>
        <message>
            <source>Fine uses about {0} % of this computer.</source>
            <translation>Fina usa cerca del {0} % de este equipo.</translation>
        </message>
        <message>
            <source>Fine where this computer has the time for it, else standard</source>
            <translation>Fina si este ordenador tiene tiempo para ella; si no, estándar</translation>
        </message>
        <message>
            <source>Finest (Robust Video Matting, ResNet-50)</source>
            <translation>La más fina (Robust Video Matting, ResNet-50)</translation>
        </message>
        <message>
            <source>Fit</source>
            <translation>Ajuste</translation>
        </message>
        <message>
            <source>Folder</source>
            <translation>Carpeta</translation>
        </message>
        <message>
            <source>Folder and microphone of recordings</source>
            <translation>Carpeta y micrófono de las grabaciones</translation>
        </message>
        <message>
            <source>Folder for recordings</source>
            <translation>Carpeta de grabaciones</translation>
        </message>
        <message>
            <source>For programs that put another picture behind the person.</source>
            <translation>Para programas que ponen otra imagen detrás de la persona.</translation>
        </message>
        <message>
            <source>Forget the answer, so that the desktop asks again:</source>
            <translation>Olvide la respuesta para que el escritorio pregunte de nuevo:</translation>
        </message>
        <message>
            <source>Format</source>
            <translation>Formato</translation>
        </message>
        <message>
            <source>Frame rate</source>
            <translation>Velocidad de fotogramas</translation>
        </message>
        <message>
            <source>Frames per second of the camera.</source>
            <translation>Fotogramas por segundo de la cámara.</translation>
        </message>
        <message>
            <source>Framing</source>
            <translation>Encuadre</translation>
        </message>
        <message>
            <source>Free software under the GNU General Public License, version 3 or later.</source>
            <translation>Software libre bajo la Licencia Pública General de GNU, versión 3 o posterior.</translation>
        </message>
        <message>
            <source>Free some space on this disk.</source>
            <translation>Libere espacio en este disco.</translation>
        </message>
        <message>
            <source>Freeze</source>
            <translation>Congelar</translation>
        </message>
        <message>
            <source>From the soft matte to a hard mask at the threshold.</source>
            <translation>Desde la máscara suave hasta una dura en el umbral.</translation>
        </message>
        <message>
            <source>Frozen: others see the last frame</source>
            <translation>Congelado: los demás ven el último fotograma</translation>
        </message>
        <message>
            <source>General</source>
            <translation>General</translation>
        </message>
        <message>
            <source>Go to the next step</source>
            <translation>Ir al paso siguiente</translation>
        </message>
        <message>
            <source>Go to the previous step</source>
            <translation>Ir al paso anterior</translation>
        </message>
        <message>
            <source>Green</source>
            <translation>Verde</translation>
        </message>
        <message>
            <source>Hardness</source>
            <translation>Dureza</translation>
        </message>
        <message>
            <source>Help</source>
            <translation>Ayuda</translation>
        </message>
        <message>
            <source>Help…</source>
            <translation>Ayuda…</translation>
        </message>
        <message>
            <source>Hide everybody but one person; click the person in the preview.</source>
            <translation>Oculta a todos menos a una persona; haga clic en ella en la vista previa.</translation>
        </message>
        <message>
            <source>Hide me now</source>
            <translation>Ocultarme ahora</translation>
        </message>
        <message>
            <source>Hide parts of the picture</source>
            <translation>Ocultar partes de la imagen</translation>
        </message>
        <message>
            <source>Hide things mistaken for people</source>
            <translation>Ocultar lo que se confunde con personas</translation>
        </message>
        <message>
            <source>Hide this message</source>
            <translation>Ocultar este mensaje</translation>
        </message>
        <message>
            <source>Hides no part of a person</source>
            <translation>No oculta nada de una persona</translation>
        </message>
        <message>
            <source>How much Fine uses of this computer is not measured yet.</source>
            <translation>Aún no se ha medido cuánto usa Fina de este equipo.</translation>
        </message>
        <message>
            <source>How opaque a pixel must be to stay when the edge is hardened.</source>
            <translation>Opacidad que debe tener un píxel para conservarse al endurecer el borde.</translation>
        </message>
        <message>
            <source>How strongly the real background is blurred</source>
            <translation>Intensidad del desenfoque del fondo real</translation>
        </message>
        <message>
            <source>How the camera encodes colours.</source>
            <translation>Cómo codifica la cámara los colores.</translation>
        </message>
        <message>
            <source>How the image is fitted to the frame</source>
            <translation>Cómo se ajusta la imagen al fotograma</translation>
        </message>
        <message>
            <source>How the matte is upsampled.</source>
            <translation>Cómo se amplía la máscara.</translation>
        </message>
        <message>
            <source>If that program is Mattecam, nothing needs to be done. Otherwise close it or use another device:</source>
            <translation>Si ese programa es Mattecam, no hay que hacer nada. Si no, ciérrelo o use otro dispositivo:</translation>
        </message>
        <message>
            <source>If that program is not Mattecam, close it or choose another camera.</source>
            <translation>Si ese programa no es Mattecam, ciérrelo o elija otra cámara.</translation>
        </message>
        <message>
            <source>Image</source>
            <translation>Imagen</translation>
        </message>
        <message>
            <source>Image of the card that others see while you are paused.</source>
            <translation>Imagen de la pantalla que ven los demás durante la pausa.</translation>
        </message>
        <message>
            <source>Images ({0})</source>
            <translation>Imágenes ({0})</translation>
        </message>
        <message>
            <source>Images and videos ({0})</source>
            <translation>Imágenes y vídeos ({0})</translation>
        </message>
        <message>
            <source>In /etc/nixos/configuration.nix:</source>
            <translation>En /etc/nixos/configuration.nix:</translation>
        </message>
        <message>
            <source>In Meet, Teams or Zoom in a browser, choose the camera “{0}”. Programs outside the browser cannot see Mattecam yet.</source>
            <translation>En Meet, Teams o Zoom en un navegador, elija la cámara «{0}». Los programas fuera del navegador aún no ven Mattecam.</translation>
        </message>
        <message>
            <source>In Zoom, Meet or Teams, choose the camera “{0}”: it is listed beside your own camera in the settings for video. Restart a program that does not list it.</source>
            <translation>En Zoom, Meet o Teams, elija la cámara «{0}»: aparece junto a su propia cámara en los ajustes de vídeo. Reinicie un programa que no la muestre.</translation>
        </message>
        <message>
            <source>In a call</source>
            <translation>En una llamada</translation>
        </message>
        <message>
            <source>In a container, pass the device through (docker run --device {device} …); otherwise start udev:</source>
            <translation>En un contenedor, pase el dispositivo (docker run --device {device} …); si no, inicie udev:</translation>
        </message>
        <message>
            <source>In a container, pass the device through:</source>
            <translation>En un contenedor, pase el dispositivo:</translation>
        </message>
        <message>
            <source>In the PipeWire camera (BGRA)</source>
            <translation>En la cámara PipeWire (BGRA)</translation>
        </message>
        <message>
            <source>In use: {0}</source>
            <translation>En uso: {0}</translation>
        </message>
        <message>
            <source>In use: {0}. {1}</source>
            <translation>En uso: {0}. {1}</translation>
        </message>
        <message>
            <source>Input of the network: {0} × {1} px</source>
            <translation>Entrada de la red: {0} × {1} px</translation>
        </message>
        <message>
            <source>Install OBS Studio 30 or later from https://obsproject.com.</source>
            <translation>Instale OBS Studio 30 o posterior desde https://obsproject.com.</translation>
        </message>
        <message>
            <source>Install PyTorch again. On Windows it also needs the Visual C++ Redistributable.</source>
            <translation>Instale PyTorch de nuevo. En Windows necesita además Visual C++ Redistributable.</translation>
        </message>
        <message>
            <source>Install one of these packages: {packages}.</source>
            <translation>Instale uno de estos paquetes: {packages}.</translation>
        </message>
        <message>
            <source>Install the NVIDIA driver of this system, restart, and check with:</source>
            <translation>Instale el controlador NVIDIA de este sistema, reinicie y compruebe con:</translation>
        </message>
        <message>
            <source>Install the headers of the running kernel, then:</source>
            <translation>Instale las cabeceras del núcleo en ejecución y después:</translation>
        </message>
        <message>
            <source>Install the libcamera plugin of PipeWire (pipewire-libcamera or libspa-0.2-libcamera) and log in again; PipeWire then offers it.</source>
            <translation>Instale el complemento de libcamera para PipeWire (pipewire-libcamera o libspa-0.2-libcamera) y vuelva a iniciar sesión; PipeWire la ofrecerá entonces.</translation>
        </message>
        <message>
            <source>Install the package v4l2loopback (often v4l2loopback-dkms) and the headers of the running kernel.</source>
            <translation>Instale el paquete v4l2loopback (a menudo v4l2loopback-dkms) y las cabeceras del núcleo en ejecución.</translation>
        </message>
        <message>
            <source>Install torch from {index}.</source>
            <translation>Instale torch desde {index}.</translation>
        </message>
        <message>
            <source>Installed models: {models}.</source>
            <translation>Modelos instalados: {models}.</translation>
        </message>
        <message>
            <source>Installed: {programs}.</source>
            <translation>Instalado: {programs}.</translation>
        </message>
        <message>
            <source>Intel graphics</source>
            <translation>Gráficos de Intel</translation>
        </message>
        <message>
            <source>Its file goes to the trash.</source>
            <translation>El archivo va a la papelera.</translation>
        </message>
        <message>
            <source>Its settings are lost.</source>
            <translation>Sus ajustes se pierden.</translation>
        </message>
        <message>
            <source>Keep</source>
            <translation>Conservar</translation>
        </message>
        <message>
            <source>Keep it hidden</source>
            <translation>Mantenerlo oculto</translation>
        </message>
        <message>
            <source>Keep one file with all devices, for example:</source>
            <translation>Conserve un solo archivo con todos los dispositivos, por ejemplo:</translation>
        </message>
        <message>
            <source>Keep running in the tray when the window is closed</source>
            <translation>Seguir en la bandeja al cerrar la ventana</translation>
        </message>
        <message>
            <source>Keep sending the last frame (F)</source>
            <translation>Seguir enviando el último fotograma (F)</translation>
        </message>
        <message>
            <source>Keys</source>
            <translation>Teclas</translation>
        </message>
        <message>
            <source>Language</source>
            <translation>Idioma</translation>
        </message>
        <message>
            <source>Language of the window.</source>
            <translation>Idioma de la ventana.</translation>
        </message>
        <message>
            <source>Language, colours and start</source>
            <translation>Idioma, colores e inicio</translation>
        </message>
        <message>
            <source>Left–right</source>
            <translation>Izquierda–derecha</translation>
        </message>
        <message>
            <source>Less exact, with a photo of your empty room</source>
            <translation>Menos exacto, con una foto de la habitación vacía</translation>
        </message>
        <message>
            <source>Let others read what is behind you?</source>
            <translation>¿Permitir que otros lean lo que hay detrás de usted?</translation>
        </message>
        <message>
            <source>Libraries and packages that they name may take the place of the program's own and make it fail.</source>
            <translation>Las bibliotecas y los paquetes que nombran pueden ocupar el lugar de los propios del programa y hacer que falle.</translation>
        </message>
        <message>
            <source>Library for the virtual camera.</source>
            <translation>Biblioteca para la cámara virtual.</translation>
        </message>
        <message>
            <source>Light</source>
            <translation>Luz</translation>
        </message>
        <message>
            <source>Light</source>
            <comment>not dark</comment>
            <translation>Claro</translation>
        </message>
        <message>
            <source>Light match</source>
            <translation>Ajuste de luz</translation>
        </message>
        <message>
            <source>Light match needs an image or a video as background: a blurred room has your light already.</source>
            <translation>El ajuste de luz necesita una imagen o un vídeo como fondo: una habitación desenfocada ya tiene su luz.</translation>
        </message>
        <message>
            <source>Light or dark colours of the window.</source>
            <translation>Colores claros u oscuros de la ventana.</translation>
        </message>
        <message>
            <source>Light your face like a soft lamp.</source>
            <translation>Ilumina su rostro como una lámpara suave.</translation>
        </message>
        <message>
            <source>Live</source>
            <translation>En directo</translation>
        </message>
        <message>
            <source>Live in {0} programs</source>
            <translation>En directo en {0} programas</translation>
        </message>
        <message>
            <source>Load the module on the host, outside the container:</source>
            <translation>Cargue el módulo en el equipo anfitrión, fuera del contenedor:</translation>
        </message>
        <message>
            <source>Log</source>
            <translation>Registro</translation>
        </message>
        <message>
            <source>Lower automatic settings and the frame rate while this computer cannot keep up.</source>
            <translation>Baja los ajustes automáticos y la velocidad de fotogramas mientras este equipo no dé abasto.</translation>
        </message>
        <message>
            <source>Lower quality when this computer is busy</source>
            <translation>Reducir la calidad cuando el equipo esté ocupado</translation>
        </message>
        <message>
            <source>Make it readable for you, and check again.</source>
            <translation>Haga que pueda leerlo y compruebe de nuevo.</translation>
        </message>
        <message>
            <source>Make {folder} a folder that you have permission to write to.</source>
            <translation>Dese permiso de escritura en la carpeta {folder}.</translation>
        </message>
        <message>
            <source>Matte</source>
            <translation>Máscara</translation>
        </message>
        <message>
            <source>Mattecam cannot pause while the screen is locked: neither logind nor the desktop tells it by D-Bus; pause by hand.</source>
            <translation>Mattecam no puede pausar con la pantalla bloqueada: ni logind ni el escritorio lo comunican por D-Bus; pause usted mismo.</translation>
        </message>
        <message>
            <source>Mattecam itself</source>
            <translation>el propio Mattecam</translation>
        </message>
        <message>
            <source>Mattecam puts another background behind the people in the picture of your camera, and sends the result to a virtual camera. All of that happens on this computer. Choose the background below the preview; the panel beside it has everything else. While you pause, others see a stand-by card.</source>
            <translation>Mattecam pone otro fondo detrás de las personas en la imagen de su cámara y envía el resultado a una cámara virtual. Todo ello ocurre en este equipo. Elija el fondo debajo de la vista previa; todo lo demás está en el panel lateral. Durante la pausa, los demás ven la pantalla de pausa.</translation>
        </message>
        <message>
            <source>Mattecam stops; no picture of the empty room was taken.</source>
            <translation>Mattecam se detiene; no se tomó ninguna imagen de la habitación vacía.</translation>
        </message>
        <message>
            <source>Matting failed; choose another model or executor. The log has the details.</source>
            <translation>El recorte falló; elija otro modelo o ejecutor. Los detalles están en el registro.</translation>
        </message>
        <message>
            <source>Microphone</source>
            <translation>Micrófono</translation>
        </message>
        <message>
            <source>Microphone level</source>
            <translation>Nivel del micrófono</translation>
        </message>
        <message>
            <source>Microphone whose sound is recorded.</source>
            <translation>Micrófono cuyo sonido se graba.</translation>
        </message>
        <message>
            <source>Mirror</source>
            <translation>Espejo</translation>
        </message>
        <message>
            <source>Mirror the output</source>
            <translation>Reflejar la salida</translation>
        </message>
        <message>
            <source>Mirror the preview</source>
            <translation>Reflejar la vista previa</translation>
        </message>
        <message>
            <source>Mirror what leaves, with the background and texts in it.</source>
            <translation>Refleja todo lo que ven los demás, con el fondo y sus textos.</translation>
        </message>
        <message>
            <source>Model</source>
            <translation>Modelo</translation>
        </message>
        <message>
            <source>Model and edge</source>
            <translation>Modelo y borde</translation>
        </message>
        <message>
            <source>Models and recordings need more space.</source>
            <translation>Los modelos y las grabaciones necesitan más espacio.</translation>
        </message>
        <message>
            <source>Move the edge outward or inward.</source>
            <translation>Mueve el borde hacia fuera o hacia dentro.</translation>
        </message>
        <message>
            <source>Moves while you speak</source>
            <translation>Se mueve mientras habla</translation>
        </message>
        <message>
            <source>Name:</source>
            <translation>Nombre:</translation>
        </message>
        <message>
            <source>Near</source>
            <translation>Cerca</translation>
        </message>
        <message>
            <source>Next</source>
            <translation>Siguiente</translation>
        </message>
        <message>
            <source>No GPU of Intel can run the model {model} in this precision here; choose the device cpu or auto, or see what `{program} doctor` says of Intel graphics.</source>
            <translation>Aquí ninguna GPU de Intel puede ejecutar el modelo {model} con esta precisión; elija el dispositivo cpu o auto, o lea lo que dice `{program} doctor` sobre los gráficos Intel.</translation>
        </message>
        <message>
            <source>No build of PyTorch with CUDA suits this driver and graphics card.</source>
            <translation>Ninguna compilación de PyTorch con CUDA es adecuada para este controlador y esta tarjeta gráfica.</translation>
        </message>
        <message>
            <source>No camera</source>
            <translation>Sin cámara</translation>
        </message>
        <message>
            <source>No camera found: only you see this demonstration. Connect a camera: it is used at once.</source>
            <translation>No se encontró ninguna cámara: esta demostración solo la ve usted. Conecte una cámara: se usará enseguida.</translation>
        </message>
        <message>
            <source>No camera was found.</source>
            <translation>No se encontró ninguna cámara.</translation>
        </message>
        <message>
            <source>No camera was found. Connect a camera: it is used at once.</source>
            <translation>No se encontró ninguna cámara. Conecte una cámara: se usará enseguida.</translation>
        </message>
        <message>
            <source>No camera was found; connect one or choose another source.</source>
            <translation>No se encontró ninguna cámara; conecte una o elija otra fuente.</translation>
        </message>
        <message>
            <source>No camera: others see the stand-by card</source>
            <translation>Sin cámara: los demás ven la pantalla de pausa</translation>
        </message>
        <message>
            <source>No device of the kernel module v4l2loopback is named {name}: {devices} belong to other programs.</source>
            <translation>Ningún dispositivo del módulo del kernel v4l2loopback se llama {name}: {devices} pertenecen a otros programas.</translation>
        </message>
        <message>
            <source>No font of this computer has the letters {letters} of the stand-by text; install one or leave them out.</source>
            <translation>Ninguna fuente de este ordenador tiene las letras {letters} del texto de pausa; instale una o quítelas.</translation>
        </message>
        <message>
            <source>No image is chosen for the background; choose a file.</source>
            <translation>No se ha elegido ninguna imagen para el fondo; elija un archivo.</translation>
        </message>
        <message>
            <source>No microphone is connected, and the recording has no sound; connect one, or name {device} to record what the loudspeaker plays.</source>
            <translation>No hay ningún micrófono conectado y la grabación no tiene sonido; conecte uno o indique {device} para grabar lo que reproduce el altavoz.</translation>
        </message>
        <message>
            <source>No model is installed, not even the bundled one.</source>
            <translation>No hay ningún modelo instalado, ni siquiera el incluido.</translation>
        </message>
        <message>
            <source>No other program can open the camera meanwhile.</source>
            <translation>Mientras tanto, ningún otro programa puede abrir la cámara.</translation>
        </message>
        <message>
            <source>No problems found.</source>
            <translation>No se encontraron problemas.</translation>
        </message>
        <message>
            <source>No test picture was sent to {device} because another program sends to it.</source>
            <translation>No se envió ninguna imagen de prueba a {device} porque otro programa le está enviando.</translation>
        </message>
        <message>
            <source>No video is chosen for the background; choose a file.</source>
            <translation>No se ha elegido ningún vídeo para el fondo; elija un archivo.</translation>
        </message>
        <message>
            <source>No virtual camera is installed.</source>
            <translation>No hay ninguna cámara virtual instalada.</translation>
        </message>
        <message>
            <source>No virtual camera is named {name}, and others may belong to other programs; choose one of {devices}.</source>
            <translation>Ninguna cámara virtual se llama {name}, y las demás pueden pertenecer a otros programas; elija una de {devices}.</translation>
        </message>
        <message>
            <source>No window can open on {display}.</source>
            <translation>No se puede abrir ninguna ventana en {display}.</translation>
        </message>
        <message>
            <source>None</source>
            <translation>Ninguno</translation>
        </message>
        <message>
            <source>Normal</source>
            <translation>Normal</translation>
        </message>
        <message>
            <source>Not installed: {0}, licence {1}</source>
            <translation>No instalado: {0}, licencia {1}</translation>
        </message>
        <message>
            <source>Not turned</source>
            <translation>Sin girar</translation>
        </message>
        <message>
            <source>Nothing was changed: the password was not entered.</source>
            <translation>No se cambió nada: no se introdujo la contraseña.</translation>
        </message>
        <message>
            <source>Number format of the computation.</source>
            <translation>Formato numérico del cálculo.</translation>
        </message>
        <message>
            <source>OK</source>
            <translation>correcto</translation>
        </message>
        <message>
            <source>Oak slats</source>
            <translation>Listones de roble</translation>
        </message>
        <message>
            <source>Objects</source>
            <translation>Objetos</translation>
        </message>
        <message>
            <source>Objects, small</source>
            <translation>Objetos, pequeño</translation>
        </message>
        <message>
            <source>Off</source>
            <translation>Desactivado</translation>
        </message>
        <message>
            <source>Offer a camera that browsers and Flatpak programs find by its portal.</source>
            <translation>Ofrece una cámara que los navegadores y programas Flatpak encuentran por el portal.</translation>
        </message>
        <message>
            <source>On</source>
            <translation>Activado</translation>
        </message>
        <message>
            <source>On a CPU the most accurate models reach a few frames per second; a graphics card runs them in real time.</source>
            <translation>En una CPU los modelos más precisos alcanzan pocos fotogramas por segundo; una tarjeta gráfica los ejecuta en tiempo real.</translation>
        </message>
        <message>
            <source>One moment, please</source>
            <translation>Un momento, por favor</translation>
        </message>
        <message>
            <source>Only installed models are measured on the GPU of Intel, not the weights {file}; choose the device cpu or auto, which take the CPU.</source>
            <translation>En la GPU de Intel solo se miden los modelos instalados, no los pesos {file}; elija el dispositivo cpu o auto, que usan la CPU.</translation>
        </message>
        <message>
            <source>Only me</source>
            <translation>Solo yo</translation>
        </message>
        <message>
            <source>Only me: click yourself</source>
            <translation>Solo yo: haga clic en usted</translation>
        </message>
        <message>
            <source>Only the first of the {count} frames of {file} is used; save it as a video or GIF to use them all.</source>
            <translation>Solo se usa el primero de los {count} fotogramas de {file}; guárdelo como vídeo o GIF para usarlos todos.</translation>
        </message>
        <message>
            <source>Only the small bundled model is installed.</source>
            <translation>Solo está instalado el pequeño modelo incluido.</translation>
        </message>
        <message>
            <source>Only you see this</source>
            <translation>Esto solo lo ve usted</translation>
        </message>
        <message>
            <source>Open Mattecam</source>
            <translation>Abrir Mattecam</translation>
        </message>
        <message>
            <source>Open Settings › Privacy &amp; security › Camera, and switch on “Camera access” and “Let desktop apps access your camera”.</source>
            <translation>Abra Configuración › Privacidad y seguridad › Cámara y active «Acceso a la cámara» y «Permitir que las aplicaciones de escritorio accedan a la cámara».</translation>
        </message>
        <message>
            <source>Open folder</source>
            <translation>Abrir carpeta</translation>
        </message>
        <message>
            <source>Open the recordings folder</source>
            <translation>Abrir la carpeta de grabaciones</translation>
        </message>
        <message>
            <source>Options of v4l2loopback are also set in {files}.</source>
            <translation>También se definen opciones de v4l2loopback en {files}.</translation>
        </message>
        <message>
            <source>Or manually, until the next restart:</source>
            <translation>O manualmente, hasta el próximo reinicio:</translation>
        </message>
        <message>
            <source>Original</source>
            <translation>Original</translation>
        </message>
        <message>
            <source>Other programs keep receiving your video when the window is closed.</source>
            <translation>Otros programas siguen recibiendo su vídeo cuando se cierra la ventana.</translation>
        </message>
        <message>
            <source>Other programs see the same.</source>
            <translation>Los otros programas ven lo mismo.</translation>
        </message>
        <message>
            <source>Others can see you</source>
            <translation>Otros pueden verle</translation>
        </message>
        <message>
            <source>Others see</source>
            <translation>Lo que ven los demás</translation>
        </message>
        <message>
            <source>Others see a mirror, you do not</source>
            <translation>Los demás ven un espejo, usted no</translation>
        </message>
        <message>
            <source>Others see you: frozen</source>
            <translation>Otros le ven: congelado</translation>
        </message>
        <message>
            <source>Others see you: no</source>
            <translation>Otros le ven: no</translation>
        </message>
        <message>
            <source>Others see you: no, paused</source>
            <translation>Otros le ven: no, en pausa</translation>
        </message>
        <message>
            <source>Others see you: yes</source>
            <translation>Otros le ven: sí</translation>
        </message>
        <message>
            <source>Paint on the picture; Esc ends.</source>
            <translation>Pinte sobre la imagen; Esc termina.</translation>
        </message>
        <message>
            <source>Paper waves</source>
            <translation>Ondas de papel</translation>
        </message>
        <message>
            <source>Part of the background that is shown.</source>
            <translation>Parte del fondo que se muestra.</translation>
        </message>
        <message>
            <source>Part of the camera image that is shown.</source>
            <translation>Parte de la imagen de la cámara que se muestra.</translation>
        </message>
        <message>
            <source>Paste</source>
            <translation>Pegar</translation>
        </message>
        <message>
            <source>Pause</source>
            <translation>Pausa</translation>
        </message>
        <message>
            <source>Pause while the screen is locked</source>
            <translation>Pausar mientras la pantalla esté bloqueada</translation>
        </message>
        <message>
            <source>Paused: others see the stand-by card</source>
            <translation>En pausa: los demás ven la pantalla de pausa</translation>
        </message>
        <message>
            <source>Paused: saved settings could not be read, so that nothing is hidden by zones or by “Only me”.</source>
            <translation>En pausa: no se pudieron leer los ajustes guardados; ni las zonas ni «Solo yo» ocultan nada.</translation>
        </message>
        <message>
            <source>Paused: the saved background is “None”, which shows your real background to others.</source>
            <translation>En pausa: el fondo guardado es «Ninguno», que mostraría a los demás su fondo real.</translation>
        </message>
        <message>
            <source>Person</source>
            <translation>Persona</translation>
        </message>
        <message>
            <source>Picture of the empty room</source>
            <translation>Imagen de la habitación vacía</translation>
        </message>
        <message>
            <source>PipeWire answers: the program offers a PipeWire camera.</source>
            <translation>PipeWire responde: el programa ofrece una cámara de PipeWire.</translation>
        </message>
        <message>
            <source>PipeWire camera</source>
            <translation>Cámara de PipeWire</translation>
        </message>
        <message>
            <source>PipeWire camera: Snap</source>
            <translation>Cámara de PipeWire: Snap</translation>
        </message>
        <message>
            <source>PipeWire camera: permission</source>
            <translation>Cámara de PipeWire: permiso</translation>
        </message>
        <message>
            <source>PipeWire camera: portal</source>
            <translation>Cámara de PipeWire: portal</translation>
        </message>
        <message>
            <source>PipeWire camera: service</source>
            <translation>Cámara de PipeWire: servicio</translation>
        </message>
        <message>
            <source>PipeWire camera: test picture</source>
            <translation>Cámara de PipeWire: imagen de prueba</translation>
        </message>
        <message>
            <source>PipeWire does not answer, so that there is no PipeWire camera; install and start pipewire and wireplumber, or switch the PipeWire camera off.</source>
            <translation>PipeWire no responde, por lo que no hay cámara de PipeWire; instale e inicie pipewire y wireplumber, o desactive la cámara de PipeWire.</translation>
        </message>
        <message>
            <source>PipeWire does not answer, so there is no PipeWire camera.</source>
            <translation>PipeWire no responde, por lo que no hay cámara de PipeWire.</translation>
        </message>
        <message>
            <source>PipeWire has stopped, and the PipeWire camera with it; start pipewire again.</source>
            <translation>PipeWire se ha detenido y, con él, la cámara de PipeWire; vuelva a iniciar pipewire.</translation>
        </message>
        <message>
            <source>PipeWire is not installed, so there is no PipeWire camera.</source>
            <translation>PipeWire no está instalado, por lo que no hay cámara de PipeWire.</translation>
        </message>
        <message>
            <source>PipeWire offers no camera {camera}; choose one of {cameras}.</source>
            <translation>PipeWire no ofrece la cámara {camera}; elija una de {cameras}.</translation>
        </message>
        <message>
            <source>PipeWire offers no camera; connect one or choose another source.</source>
            <translation>PipeWire no ofrece ninguna cámara; conecte una o elija otra fuente.</translation>
        </message>
        <message>
            <source>Pixel format of the camera.</source>
            <translation>Formato de píxeles de la cámara.</translation>
        </message>
        <message>
            <source>Portrait light</source>
            <translation>Luz de retrato</translation>
        </message>
        <message>
            <source>Precision</source>
            <translation>Precisión</translation>
        </message>
        <message>
            <source>Preferences</source>
            <translation>Preferencias</translation>
        </message>
        <message>
            <source>Preferences…</source>
            <translation>Preferencias…</translation>
        </message>
        <message>
            <source>Preparing for this computer, once</source>
            <translation>Preparación para este equipo, una sola vez</translation>
        </message>
        <message>
            <source>Preparing for this computer, once: step {step} of {count}</source>
            <translation>Preparación para este equipo, una sola vez: paso {step} de {count}</translation>
        </message>
        <message>
            <source>Press “Start”, then step out of the picture. Do not move the camera or change the light.</source>
            <translation>Pulse «Empezar» y luego salga de la imagen. No mueva la cámara ni cambie la luz.</translation>
        </message>
        <message>
            <source>Preview</source>
            <translation>Vista previa</translation>
        </message>
        <message>
            <source>Problems: {0}   ·   Warnings: {1}</source>
            <translation>Problemas: {0}   ·   Avisos: {1}</translation>
        </message>
        <message>
            <source>Processor that runs the network.</source>
            <translation>Procesador que ejecuta la red.</translation>
        </message>
        <message>
            <source>Programs that look for cameras in PipeWire, such as browsers and Flatpak programs, do not show the camera.</source>
            <translation>Los programas que buscan cámaras en PipeWire, como navegadores y programas Flatpak, no muestran la cámara.</translation>
        </message>
        <message>
            <source>Progress of the download</source>
            <translation>Progreso de la descarga</translation>
        </message>
        <message>
            <source>PyTorch is installed, but cannot be loaded; the networks run on the CPU.</source>
            <translation>PyTorch está instalado, pero no se puede cargar; las redes se ejecutan en la CPU.</translation>
        </message>
        <message>
            <source>PyTorch is not installed; the networks run on the CPU.</source>
            <translation>PyTorch no está instalado; las redes se ejecutan en la CPU.</translation>
        </message>
        <message>
            <source>Qt cannot open a window without them.</source>
            <translation>Sin ellas Qt no puede abrir ninguna ventana.</translation>
        </message>
        <message>
            <source>Quality</source>
            <translation>Calidad</translation>
        </message>
        <message>
            <source>Quit</source>
            <translation>Salir</translation>
        </message>
        <message>
            <source>Recommended: Fine uses about {0} % of this computer.</source>
            <translation>Recomendado: Fina usa cerca del {0} % de este equipo.</translation>
        </message>
        <message>
            <source>Record</source>
            <translation>Grabar</translation>
        </message>
        <message>
            <source>Record the output as a video (R)</source>
            <translation>Grabar la salida como vídeo (R)</translation>
        </message>
        <message>
            <source>Recordings and snapshots are saved here</source>
            <translation>Las grabaciones y las fotos se guardan aquí</translation>
        </message>
        <message>
            <source>Reduce flicker of the edge.</source>
            <translation>Reduce el parpadeo del borde.</translation>
        </message>
        <message>
            <source>Refiner</source>
            <translation>Refinado</translation>
        </message>
        <message>
            <source>Reinstall the program, or download a model:</source>
            <translation>Vuelva a instalar el programa o descargue un modelo:</translation>
        </message>
        <message>
            <source>Remove</source>
            <translation>Quitar</translation>
        </message>
        <message>
            <source>Remove a green cast from hair and edges.</source>
            <translation>Elimina un tono verde del pelo y los bordes.</translation>
        </message>
        <message>
            <source>Remove all zones</source>
            <translation>Quitar todas las zonas</translation>
        </message>
        <message>
            <source>Remove all zones of this camera</source>
            <translation>Quitar todas las zonas de esta cámara</translation>
        </message>
        <message>
            <source>Remove colour fringe</source>
            <translation>Eliminar el halo de color</translation>
        </message>
        <message>
            <source>Remove image</source>
            <translation>Quitar la imagen</translation>
        </message>
        <message>
            <source>Remove picture of the empty room</source>
            <translation>Quitar la imagen de la habitación vacía</translation>
        </message>
        <message>
            <source>Remove such options from the other files, but keep what else is in them.</source>
            <translation>Quite esas opciones de los otros archivos, pero conserve lo demás que contengan.</translation>
        </message>
        <message>
            <source>Remove the background “{0}”?</source>
            <translation>¿Eliminar el fondo «{0}»?</translation>
        </message>
        <message>
            <source>Remove the combs of interlaced video.</source>
            <translation>Elimina los bordes dentados del vídeo entrelazado.</translation>
        </message>
        <message>
            <source>Remove the last zone</source>
            <translation>Quitar la última zona</translation>
        </message>
        <message>
            <source>Remove the scene “{0}”?</source>
            <translation>¿Quitar la escena «{0}»?</translation>
        </message>
        <message>
            <source>Remove…</source>
            <translation>Eliminar…</translation>
        </message>
        <message>
            <source>Rename</source>
            <translation>Cambiar el nombre</translation>
        </message>
        <message>
            <source>Rename background</source>
            <translation>Cambiar el nombre del fondo</translation>
        </message>
        <message>
            <source>Rename scene</source>
            <translation>Cambiar el nombre de la escena</translation>
        </message>
        <message>
            <source>Rename…</source>
            <translation>Cambiar el nombre…</translation>
        </message>
        <message>
            <source>Replace</source>
            <translation>Reemplazar</translation>
        </message>
        <message>
            <source>Replaces your background live.</source>
            <translation>Sustituye su fondo en directo.</translation>
        </message>
        <message>
            <source>Reset edge</source>
            <translation>Restablecer el borde</translation>
        </message>
        <message>
            <source>Reset zoom</source>
            <translation>Restablecer el zoom</translation>
        </message>
        <message>
            <source>Resolution of the network's input: more is finer and slower.</source>
            <translation>Resolución de la entrada de la red: más es más fino y más lento.</translation>
        </message>
        <message>
            <source>Restart after a driver update. In a container, pass the card through (docker run --gpus all …). CUDA_VISIBLE_DEVICES must not be empty.</source>
            <translation>Reinicie tras actualizar el controlador. En un contenedor, pase la tarjeta (docker run --gpus all …). CUDA_VISIBLE_DEVICES no debe estar vacía.</translation>
        </message>
        <message>
            <source>Restart the computer: its kernel was updated since it was started.</source>
            <translation>Reinicie el equipo: su núcleo se actualizó después del arranque.</translation>
        </message>
        <message>
            <source>Result</source>
            <translation>Resultado</translation>
        </message>
        <message>
            <source>Results of the checks</source>
            <translation>Resultados de las comprobaciones</translation>
        </message>
        <message>
            <source>Resume</source>
            <translation>Reanudar</translation>
        </message>
        <message>
            <source>Run Mattecam from its sources to use the graphics card.</source>
            <translation>Inicie Mattecam desde su código fuente para usar la tarjeta gráfica.</translation>
        </message>
        <message>
            <source>Run the checks again</source>
            <translation>Repetir las comprobaciones</translation>
        </message>
        <message>
            <source>Save as scene</source>
            <translation>Guardar como escena</translation>
        </message>
        <message>
            <source>Save as scene with camera</source>
            <translation>Guardar como escena con cámara</translation>
        </message>
        <message>
            <source>Save as scene with camera…</source>
            <translation>Guardar como escena con cámara…</translation>
        </message>
        <message>
            <source>Save as scene…</source>
            <translation>Guardar como escena…</translation>
        </message>
        <message>
            <source>Save the current output frame (S)</source>
            <translation>Guardar el fotograma de salida actual (S)</translation>
        </message>
        <message>
            <source>Saved {0} in {1}</source>
            <translation>{0} guardado en {1}</translation>
        </message>
        <message>
            <source>Scene {0}</source>
            <translation>Escena {0}</translation>
        </message>
        <message>
            <source>Secure Boot is on: the module must be signed with a key that is enrolled in the firmware.</source>
            <translation>Secure Boot está activado: el módulo debe estar firmado con una clave registrada en el firmware.</translation>
        </message>
        <message>
            <source>Send a test picture</source>
            <translation>Enviar una imagen de prueba</translation>
        </message>
        <message>
            <source>Send cut-out person to OBS</source>
            <translation>Enviar la persona recortada a OBS</translation>
        </message>
        <message>
            <source>Send to other programs</source>
            <translation>Enviar a otros programas</translation>
        </message>
        <message>
            <source>Sends colour bars to the virtual camera for a second and compares them with what a program reads</source>
            <translation>Envía barras de color a la cámara virtual durante un segundo y las compara con lo que lee un programa</translation>
        </message>
        <message>
            <source>Set up Mattecam</source>
            <translation>Configurar Mattecam</translation>
        </message>
        <message>
            <source>Set up a virtual camera</source>
            <translation>Configurar una cámara virtual</translation>
        </message>
        <message>
            <source>Set up a virtual camera…</source>
            <translation>Configurar una cámara virtual…</translation>
        </message>
        <message>
            <source>Set up now</source>
            <translation>Configurar ahora</translation>
        </message>
        <message>
            <source>Set up the virtual camera</source>
            <translation>Configurar la cámara virtual</translation>
        </message>
        <message>
            <source>Set up…</source>
            <translation>Configurar…</translation>
        </message>
        <message>
            <source>Setting up the virtual camera…</source>
            <translation>Configurando la cámara virtual…</translation>
        </message>
        <message>
            <source>Setup assistant…</source>
            <translation>Asistente de configuración…</translation>
        </message>
        <message>
            <source>Show all backgrounds in a grid</source>
            <translation>Mostrar todos los fondos en una cuadrícula</translation>
        </message>
        <message>
            <source>Show all messages</source>
            <translation>Mostrar todos los mensajes</translation>
        </message>
        <message>
            <source>Show every setting, in groups</source>
            <translation>Muestra todos los ajustes en grupos</translation>
        </message>
        <message>
            <source>Show everybody to others?</source>
            <translation>¿Mostrar a todas las personas?</translation>
        </message>
        <message>
            <source>Show frame rate and delay</source>
            <translation>Mostrar velocidad de fotogramas y latencia</translation>
        </message>
        <message>
            <source>Show it</source>
            <translation>Mostrar</translation>
        </message>
        <message>
            <source>Show more around you to others?</source>
            <translation>¿Mostrar a los demás más de lo que le rodea?</translation>
        </message>
        <message>
            <source>Show only what most people need</source>
            <translation>Muestra solo lo que necesita la mayoría</translation>
        </message>
        <message>
            <source>Show others the card while the screen of this computer is locked.</source>
            <translation>Los demás ven la tarjeta mientras la pantalla de este equipo esté bloqueada.</translation>
        </message>
        <message>
            <source>Show the background without zoom</source>
            <translation>Mostrar el fondo sin zoom</translation>
        </message>
        <message>
            <source>Show the camera while the screen is locked?</source>
            <translation>¿Mostrar la cámara con la pantalla bloqueada?</translation>
        </message>
        <message>
            <source>Show the first page again</source>
            <translation>Muestra de nuevo la primera página</translation>
        </message>
        <message>
            <source>Show the preview as a mirror; the output stays as it is.</source>
            <translation>Muestra la vista previa como un espejo; la salida no cambia.</translation>
        </message>
        <message>
            <source>Show the settings</source>
            <translation>Mostrar los ajustes</translation>
        </message>
        <message>
            <source>Show the stand-by card instead of you, or you again (P). H always hides you.</source>
            <translation>Muestra la pantalla de pausa en su lugar, o de nuevo a usted (P). H siempre le oculta.</translation>
        </message>
        <message>
            <source>Show the whole camera image</source>
            <translation>Mostrar toda la imagen de la cámara</translation>
        </message>
        <message>
            <source>Show the whole image</source>
            <translation>Mostrar la imagen completa</translation>
        </message>
        <message>
            <source>Show things mistaken for people to others?</source>
            <translation>¿Mostrar a los demás lo que se confunde con personas?</translation>
        </message>
        <message>
            <source>Show your real background to others?</source>
            <translation>¿Mostrar a los demás su fondo real?</translation>
        </message>
        <message>
            <source>Shows what this system needs</source>
            <translation>Muestra lo que necesita este sistema</translation>
        </message>
        <message>
            <source>Shows your real background (Ctrl+0)</source>
            <translation>Muestra su fondo real (Control+0)</translation>
        </message>
        <message>
            <source>Shows your real background.</source>
            <translation>Muestra su fondo real.</translation>
        </message>
        <message>
            <source>Shrink or grow</source>
            <translation>Encoger o crecer</translation>
        </message>
        <message>
            <source>Side panel</source>
            <translation>Panel lateral</translation>
        </message>
        <message>
            <source>Simple</source>
            <translation>Sencillo</translation>
        </message>
        <message>
            <source>Size</source>
            <translation>Tamaño</translation>
        </message>
        <message>
            <source>Size of the brush on the preview</source>
            <translation>Tamaño del pincel en la vista previa</translation>
        </message>
        <message>
            <source>Skip setup</source>
            <translation>Omitir la configuración</translation>
        </message>
        <message>
            <source>Snapshot</source>
            <translation>Foto</translation>
        </message>
        <message>
            <source>Soft</source>
            <translation>Suave</translation>
        </message>
        <message>
            <source>Soft studio</source>
            <translation>Estudio suave</translation>
        </message>
        <message>
            <source>Soften the edge outward; the inside stays opaque.</source>
            <translation>Suaviza el borde hacia fuera; el interior queda opaco.</translation>
        </message>
        <message>
            <source>Software that runs the network.</source>
            <translation>Software que ejecuta la red.</translation>
        </message>
        <message>
            <source>Someone is still in view; step out of the picture and take it again.</source>
            <translation>Todavía hay alguien a la vista; salga de la imagen y tómela de nuevo.</translation>
        </message>
        <message>
            <source>Sound cannot be recorded because the library of the sound server is missing; install it (package libpulse0), or turn the microphone off.</source>
            <translation>No se puede grabar sonido porque falta la biblioteca del servidor de sonido; instálela (paquete libpulse0) o apague el micrófono.</translation>
        </message>
        <message>
            <source>Source of the video</source>
            <translation>Origen del vídeo</translation>
        </message>
        <message>
            <source>Stand-by image</source>
            <translation>Imagen de pausa</translation>
        </message>
        <message>
            <source>Stand-by text</source>
            <translation>Texto de pausa</translation>
        </message>
        <message>
            <source>Standard</source>
            <translation>Estándar</translation>
        </message>
        <message>
            <source>Start</source>
            <translation>Empezar</translation>
        </message>
        <message>
            <source>Start Mattecam first. Then choose the camera “Mattecam” in the settings for video of Zoom, Meet, Teams or OBS; on Windows and macOS it is named “OBS Virtual Camera”. Turn the background effects of that program off. Quit a program that does not list the camera, and start it again. “Check this computer” in the menu says what is missing.</source>
            <translation>Inicie primero Mattecam. Elija después la cámara «Mattecam» en los ajustes de vídeo de Zoom, Meet, Teams u OBS; en Windows y macOS se llama «OBS Virtual Camera». Desactive los efectos de fondo de ese programa. Si un programa no muestra la cámara, ciérrelo y vuelva a iniciarlo. «Comprobar este equipo» en el menú dice qué falta.</translation>
        </message>
        <message>
            <source>Start PipeWire:</source>
            <translation>Inicie PipeWire:</translation>
        </message>
        <message>
            <source>Start WirePlumber, which connects programs with cameras:</source>
            <translation>Inicie WirePlumber, que conecta los programas con las cámaras:</translation>
        </message>
        <message>
            <source>Start its virtual camera once, allow it if the system asks, and close OBS.</source>
            <translation>Inicie una vez su cámara virtual, permítala si el sistema lo pregunta y cierre OBS.</translation>
        </message>
        <message>
            <source>Start the countdown</source>
            <translation>Iniciar la cuenta atrás</translation>
        </message>
        <message>
            <source>Start when you log in</source>
            <translation>Iniciar al entrar en la sesión</translation>
        </message>
        <message>
            <source>Starting: others see the stand-by card</source>
            <translation>Iniciando: los demás ven la pantalla de pausa</translation>
        </message>
        <message>
            <source>Starting…</source>
            <translation>Iniciando…</translation>
        </message>
        <message>
            <source>Starts Mattecam minimised with your desktop</source>
            <translation>Inicia Mattecam minimizado con su escritorio</translation>
        </message>
        <message>
            <source>Step out of the picture.</source>
            <translation>Salga de la imagen.</translation>
        </message>
        <message>
            <source>Step {0} of {1}</source>
            <translation>Paso {0} de {1}</translation>
        </message>
        <message>
            <source>Stop the download</source>
            <translation>Detener la descarga</translation>
        </message>
        <message>
            <source>Swap left and right of the camera</source>
            <translation>Intercambiar izquierda y derecha de la cámara</translation>
        </message>
        <message>
            <source>Swap left and right of the camera, not of the background.</source>
            <translation>Intercambia izquierda y derecha de la cámara, no del fondo.</translation>
        </message>
        <message>
            <source>Switch between a mirror and the output as it leaves</source>
            <translation>Cambiar entre el espejo y la imagen que se envía</translation>
        </message>
        <message>
            <source>Switch the real camera off while nobody watches</source>
            <translation>Apagar la cámara real mientras nadie mira</translation>
        </message>
        <message>
            <source>System</source>
            <translation>Sistema</translation>
        </message>
        <message>
            <source>Take a picture of the empty room</source>
            <translation>Tomar una imagen de la habitación vacía</translation>
        </message>
        <message>
            <source>Take a picture of the empty room…</source>
            <translation>Tomar una imagen de la habitación vacía…</translation>
        </message>
        <message>
            <source>Taken {0}</source>
            <translation>Tomada {0}</translation>
        </message>
        <message>
            <source>Taking the picture…</source>
            <translation>Tomando la imagen…</translation>
        </message>
        <message>
            <source>Temporal smoothing</source>
            <translation>Suavizado temporal</translation>
        </message>
        <message>
            <source>Text behind you can be read</source>
            <translation>El texto detrás de usted se puede leer</translation>
        </message>
        <message>
            <source>Text of the card that others see while you are paused.</source>
            <translation>Texto de la pantalla que ven los demás durante la pausa.</translation>
        </message>
        <message>
            <source>That of Debian 12 is too old for processors since 2023; Debian 13 has a newer one.</source>
            <translation>El de Debian 12 es demasiado antiguo para procesadores desde 2023; Debian 13 tiene uno más nuevo.</translation>
        </message>
        <message>
            <source>The GPU of Intel has no OpenCL driver; the networks run on the CPU.</source>
            <translation>A la GPU de Intel le falta un controlador OpenCL; las redes se ejecutan en la CPU.</translation>
        </message>
        <message>
            <source>The GPU of Intel was not measured yet; Mattecam measures it beside the picture.</source>
            <translation>La GPU de Intel aún no se ha medido; Mattecam la mide junto a la imagen.</translation>
        </message>
        <message>
            <source>The GPU takes work from the processor.</source>
            <translation>La GPU descarga al procesador.</translation>
        </message>
        <message>
            <source>The GPU {device} has too little memory for the model {model}; matting continues on the CPU.</source>
            <translation>La GPU {device} no tiene memoria suficiente para el modelo {model}; el recorte continúa en la CPU.</translation>
        </message>
        <message>
            <source>The GPU {device} stopped working; matting continues on the CPU until Mattecam is restarted.</source>
            <translation>La GPU {device} ha dejado de funcionar; el recorte continúa en la CPU hasta que se reinicie Mattecam.</translation>
        </message>
        <message>
            <source>The NVIDIA driver {driver} supports torch {version} (CUDA {cuda}), but torch finds no card.</source>
            <translation>El controlador NVIDIA {driver} es compatible con torch {version} (CUDA {cuda}), pero torch no encuentra ninguna tarjeta.</translation>
        </message>
        <message>
            <source>The PipeWire camera is closed; open it again.</source>
            <translation>La cámara de PipeWire está cerrada; vuelva a abrirla.</translation>
        </message>
        <message>
            <source>The autostart entry {file} cannot be changed: {reason}.</source>
            <translation>La entrada de inicio automático {file} no se puede cambiar: {reason}.</translation>
        </message>
        <message>
            <source>The background {background} does not open; reconnect its disk, or start the program again with another background.</source>
            <translation>El fondo {background} no se abre; vuelva a conectar su disco o reinicie el programa con otro fondo.</translation>
        </message>
        <message>
            <source>The blur is so weak that text in your room can be read.</source>
            <translation>El desenfoque es tan débil que se puede leer el texto de su habitación.</translation>
        </message>
        <message>
            <source>The bundled model is missing from this installation; installed are {models}.</source>
            <translation>A esta instalación le falta el modelo incluido; están instalados {models}.</translation>
        </message>
        <message>
            <source>The camera at {device} is a raw sensor ({name}) that ordinary programs cannot read.</source>
            <translation>La cámara en {device} es un sensor sin procesar ({name}) que los programas normales no pueden leer.</translation>
        </message>
        <message>
            <source>The camera delivers no frames; no picture of the empty room was taken.</source>
            <translation>La cámara no entrega imágenes; no se tomó ninguna imagen de la habitación vacía.</translation>
        </message>
        <message>
            <source>The camera image; visible only here</source>
            <translation>La imagen de la cámara; solo se ve aquí</translation>
        </message>
        <message>
            <source>The camera permission of {program} is “{answer}”: they get no camera from the portal.</source>
            <translation>El permiso de cámara de {program} es «{answer}»: el portal no les da ninguna cámara.</translation>
        </message>
        <message>
            <source>The camera reaches {0} × {1} only at {2} fps. Choose a smaller size or another format.</source>
            <translation>La cámara alcanza {0} × {1} solo a {2} fps. Elija un tamaño menor u otro formato.</translation>
        </message>
        <message>
            <source>The camera takes it while you step aside</source>
            <translation>La cámara la toma mientras usted se aparta</translation>
        </message>
        <message>
            <source>The camera {camera} cannot be opened: {reason}.</source>
            <translation>La cámara {camera} no se puede abrir: {reason}.</translation>
        </message>
        <message>
            <source>The camera {camera} delivers no frames: {reason}.</source>
            <translation>La cámara {camera} no entrega imágenes: {reason}.</translation>
        </message>
        <message>
            <source>The camera {camera} delivers only black or green frames; open its shutter, close other programs that use it, and let desktop apps use cameras in Settings › Privacy &amp; security › Camera.</source>
            <translation>La cámara {camera} solo entrega imágenes negras o verdes; abra su obturador, cierre otros programas que la usan y permita que las aplicaciones de escritorio usen cámaras en Configuración › Privacidad y seguridad › Cámara.</translation>
        </message>
        <message>
            <source>The camera {camera} delivers only black or green frames; open its shutter, or choose another size or format.</source>
            <translation>La cámara {camera} solo entrega imágenes negras o verdes; abra su tapa o elija otro tamaño o formato.</translation>
        </message>
        <message>
            <source>The camera {camera} delivers only damaged frames; check its cable, or use another USB port.</source>
            <translation>La cámara {camera} solo entrega imágenes dañadas; compruebe el cable o use otro puerto USB.</translation>
        </message>
        <message>
            <source>The camera {camera} has delivered no frame for {seconds} seconds: {reason}.</source>
            <translation>La cámara {camera} no entrega ninguna imagen desde hace {seconds} segundos: {reason}.</translation>
        </message>
        <message>
            <source>The camera {camera} is disconnected; reconnect it or choose another camera.</source>
            <translation>La cámara {camera} está desconectada; vuelva a conectarla o elija otra cámara.</translation>
        </message>
        <message>
            <source>The camera {camera} of the portal delivers no frames; close the programs that use it.</source>
            <translation>La cámara {camera} del portal no entrega imágenes; cierre los programas que la usan.</translation>
        </message>
        <message>
            <source>The camera {camera} of the portal is gone; connect it again.</source>
            <translation>La cámara {camera} del portal ha desaparecido; vuelva a conectarla.</translation>
        </message>
        <message>
            <source>The camera {camera} sends video that cannot be decoded; choose another format or another camera.</source>
            <translation>La cámara {camera} envía vídeo que no se puede descodificar; elija otro formato u otra cámara.</translation>
        </message>
        <message>
            <source>The camera {camera} shows nothing: its input has no signal; switch on what is connected to it, or choose another camera.</source>
            <translation>La cámara {camera} no muestra nada: su entrada no tiene señal; encienda lo que está conectado a ella o elija otra cámara.</translation>
        </message>
        <message>
            <source>The clipboard holds no image. Copy an image first.</source>
            <translation>El portapapeles no contiene ninguna imagen. Copie primero una imagen.</translation>
        </message>
        <message>
            <source>The colours read back from {device} differ by up to {error} of 255.</source>
            <translation>Los colores leídos de {device} difieren hasta en {error} de 255.</translation>
        </message>
        <message>
            <source>The command line</source>
            <translation>La línea de órdenes</translation>
        </message>
        <message>
            <source>The demo image {file} is missing or damaged; reinstall the program.</source>
            <translation>La imagen de demostración {file} falta o está dañada; vuelva a instalar el programa.</translation>
        </message>
        <message>
            <source>The desktop has a camera portal.</source>
            <translation>El escritorio tiene un portal de cámara.</translation>
        </message>
        <message>
            <source>The desktop has no camera portal.</source>
            <translation>El escritorio no tiene portal de cámara.</translation>
        </message>
        <message>
            <source>The desktop has no camera portal; install xdg-desktop-portal with the backend of the desktop, or choose another source.</source>
            <translation>El escritorio no tiene portal de cámara; instale xdg-desktop-portal con el backend del escritorio o elija otra fuente.</translation>
        </message>
        <message>
            <source>The desktop refused access to its cameras; allow it in the privacy settings, or choose another source.</source>
            <translation>El escritorio denegó el acceso a sus cámaras; permítalo en los ajustes de privacidad o elija otra fuente.</translation>
        </message>
        <message>
            <source>The disk is full while downloading {model} to {folder}; free some space and try again.</source>
            <translation>El disco se ha llenado al descargar {model} en {folder}; libere espacio e inténtelo de nuevo.</translation>
        </message>
        <message>
            <source>The display is Wayland ({name}).</source>
            <translation>La pantalla es Wayland ({name}).</translation>
        </message>
        <message>
            <source>The display is X11 ({name}).</source>
            <translation>La pantalla es X11 ({name}).</translation>
        </message>
        <message>
            <source>The driver of {device} does not respond.</source>
            <translation>El controlador de {device} no responde.</translation>
        </message>
        <message>
            <source>The driver {drivers} failed with the GPU of Intel ({problem}); the networks run on the CPU.</source>
            <translation>El controlador {drivers} falló con la GPU de Intel ({problem}); las redes se ejecutan en la CPU.</translation>
        </message>
        <message>
            <source>The edge of this scene shows more of the room around you.</source>
            <translation>El borde de esta escena muestra más de la habitación a su alrededor.</translation>
        </message>
        <message>
            <source>The encoder {wanted} does not work on this computer; the recording uses {used}.</source>
            <translation>El codificador {wanted} no funciona en este equipo; la grabación usa {used}.</translation>
        </message>
        <message>
            <source>The executor {executor} does not run on the device {device}; choose the executor {executors}, or one of the devices {devices}.</source>
            <translation>El ejecutor {executor} no funciona en el dispositivo {device}; elija el ejecutor {executors} o uno de los dispositivos {devices}.</translation>
        </message>
        <message>
            <source>The file downloaded for {model} differs from the published file, or the one downloaded first (checksum {found}… in place of {expected}…), and was deleted; try again later, or save a trusted copy as {name} in the folder {folder}.</source>
            <translation>El archivo descargado para {model} difiere del publicado o del descargado primero (suma de comprobación {found}… en lugar de {expected}…) y se ha borrado; inténtelo más tarde o guarde una copia de confianza como {name} en la carpeta {folder}.</translation>
        </message>
        <message>
            <source>The file {file} cannot be replaced: a program has it open, or its folder is not writable; end that program and try again.</source>
            <translation>No se puede reemplazar el archivo {file}: un programa lo tiene abierto o no se puede escribir en su carpeta; cierre ese programa e inténtelo de nuevo.</translation>
        </message>
        <message>
            <source>The file {file} cannot be used ({reason}) and was renamed to {kept}; Mattecam goes on without it.</source>
            <translation>El archivo {file} no se puede usar ({reason}) y se ha renombrado a {kept}; Mattecam sigue sin él.</translation>
        </message>
        <message>
            <source>The file {file} cannot be used ({reason}), and nothing is saved over it, because it cannot be kept under another name: {why}.</source>
            <translation>El archivo {file} no se puede usar ({reason}) y no se sobrescribe, porque no se puede conservar con otro nombre: {why}.</translation>
        </message>
        <message>
            <source>The file {file} cannot be written: {reason}.</source>
            <translation>No se puede escribir el archivo {file}: {reason}.</translation>
        </message>
        <message>
            <source>The file {file} cannot be written; make its folder writable and try again.</source>
            <translation>No se puede escribir el archivo {file}; dese permiso de escritura en la carpeta e inténtelo de nuevo.</translation>
        </message>
        <message>
            <source>The file {file} differs from the published file (checksum); download {published} of {model} again or choose another file.</source>
            <translation>El archivo {file} difiere del publicado (suma de comprobación); descargue de nuevo {published} de {model} o elija otro archivo.</translation>
        </message>
        <message>
            <source>The file {file} does not contain weights of {model}; choose the model it belongs to or another file.</source>
            <translation>El archivo {file} no contiene pesos de {model}; elija el modelo al que pertenece u otro archivo.</translation>
        </message>
        <message>
            <source>The file {file} is not a readable image; take the picture of the empty room again.</source>
            <translation>El archivo {file} no es una imagen legible; tome de nuevo la imagen de la habitación vacía.</translation>
        </message>
        <message>
            <source>The finer model {model} takes {share} % of the time of all cores at 30 fps ({step} ms for a frame); auto takes it in a call up to {most} %. Films use it.</source>
            <translation>El modelo más fino {model} ocupa el {share} % del tiempo de todos los núcleos a 30 fps ({step} ms por fotograma); auto lo usa en una llamada hasta el {most} %. Los vídeos lo usan.</translation>
        </message>
        <message>
            <source>The folder {folder} cannot be created: {reason}.</source>
            <translation>No se puede crear la carpeta {folder}: {reason}.</translation>
        </message>
        <message>
            <source>The folder {folder} is not writable.</source>
            <translation>No se puede escribir en la carpeta {folder}.</translation>
        </message>
        <message>
            <source>The frames of {file} are too large ({width}×{height}); save the video in a smaller size.</source>
            <translation>Las imágenes de {file} son demasiado grandes ({width} × {height}); guarde el vídeo en un tamaño menor.</translation>
        </message>
        <message>
            <source>The gap beside an arm in standard and in fine quality</source>
            <translation>El hueco junto a un brazo en calidad estándar y fina</translation>
        </message>
        <message>
            <source>The image {file} does not exist; choose another one.</source>
            <translation>La imagen {file} no existe; elija otra.</translation>
        </message>
        <message>
            <source>The image {file} is damaged; save it again or choose another one.</source>
            <translation>La imagen {file} está dañada; guárdela de nuevo o elija otra.</translation>
        </message>
        <message>
            <source>The image {file} is too large; save it in a smaller size.</source>
            <translation>La imagen {file} es demasiado grande; guárdela en un tamaño menor.</translation>
        </message>
        <message>
            <source>The kernel has a virtual camera, but the device file {device} is missing.</source>
            <translation>El núcleo tiene una cámara virtual, pero falta el archivo de dispositivo {device}.</translation>
        </message>
        <message>
            <source>The kernel knows the camera {name}, but the device file {device} is missing.</source>
            <translation>El núcleo conoce la cámara {name}, pero falta el archivo de dispositivo {device}.</translation>
        </message>
        <message>
            <source>The kernel module v4l2loopback is installed for the running kernel {kernel}, but not loaded.</source>
            <translation>El módulo v4l2loopback está instalado para el núcleo en ejecución {kernel}, pero no cargado.</translation>
        </message>
        <message>
            <source>The kernel module v4l2loopback is loaded, but has no device.</source>
            <translation>El módulo del núcleo v4l2loopback está cargado, pero no tiene ningún dispositivo.</translation>
        </message>
        <message>
            <source>The kernel module v4l2loopback is loaded.</source>
            <translation>El módulo del núcleo v4l2loopback está cargado.</translation>
        </message>
        <message>
            <source>The kernel module v4l2loopback is not installed.</source>
            <translation>El módulo del núcleo v4l2loopback no está instalado.</translation>
        </message>
        <message>
            <source>The last run did not end by itself. What it recorded was kept: {files}.</source>
            <translation>La última ejecución se interrumpió. Lo que grabó se ha conservado: {files}.</translation>
        </message>
        <message>
            <source>The light or the camera has changed since the picture of the empty room was taken; take it again.</source>
            <translation>La luz o la cámara han cambiado desde que se tomó la imagen de la habitación vacía; tómela de nuevo.</translation>
        </message>
        <message>
            <source>The matte as the network computes it</source>
            <translation>La máscara tal como la calcula la red</translation>
        </message>
        <message>
            <source>The menus name most of them. 1 to 9 choose a background, {0} the real one. Over the preview, + and − zoom, and the arrow keys move the zoomed image. For a key that works in every program, give it the command {1} in the settings of your desktop.</source>
            <translation>Los menús indican la mayoría. De 1 a 9 se elige un fondo, con {0} el real. Sobre la vista previa, + y − cambian el zoom, y las flechas mueven la imagen ampliada. Para una tecla que funcione en todos los programas, asígnele la orden {1} en los ajustes de su escritorio.</translation>
        </message>
        <message>
            <source>The microphone {device} cannot be opened, and the recording has no sound; connect it or choose another one.</source>
            <translation>No se puede abrir el micrófono {device} y la grabación no tiene sonido; conéctelo o elija otro.</translation>
        </message>
        <message>
            <source>The microphone {device} sends nothing, and the recording goes on without sound; connect it again or choose another one.</source>
            <translation>El micrófono {device} no envía nada y la grabación continúa sin sonido; vuelva a conectarlo o elija otro.</translation>
        </message>
        <message>
            <source>The microphone {device} was disconnected, and the recording goes on without sound; connect it again.</source>
            <translation>El micrófono {device} se ha desconectado y la grabación continúa sin sonido; vuelva a conectarlo.</translation>
        </message>
        <message>
            <source>The model does not respond on {device}; start the program again, or with another device.</source>
            <translation>El modelo no responde en {device}; reinicie el programa, también con otro dispositivo.</translation>
        </message>
        <message>
            <source>The model in use does not compare with this picture. Background Matting does.</source>
            <translation>El modelo en uso no compara con esta imagen. Background Matting sí.</translation>
        </message>
        <message>
            <source>The model {model} failed on the GPU {device}; matting continues on the CPU. The log has the details.</source>
            <translation>El modelo {model} ha fallado en la GPU {device}; el recorte continúa en la CPU. El registro contiene los detalles.</translation>
        </message>
        <message>
            <source>The model {model} failed on the device {device}; choose another executor or device. The log has the details.</source>
            <translation>El modelo {model} falló en el dispositivo {device}; elija otro ejecutor o dispositivo. Los detalles están en el registro.</translation>
        </message>
        <message>
            <source>The model {model} fails its self-test on the device {device}; choose another model or executor.</source>
            <translation>El modelo {model} no supera su autocomprobación en el dispositivo {device}; elija otro modelo o ejecutor.</translation>
        </message>
        <message>
            <source>The model {model} needs PyTorch, which this copy of Mattecam lacks; run Mattecam from its sources for it.</source>
            <translation>El modelo {model} necesita PyTorch, que falta en esta copia de Mattecam; para ello, inicie Mattecam desde su código fuente.</translation>
        </message>
        <message>
            <source>The model {model} needs a picture of the empty room; take one.</source>
            <translation>El modelo {model} necesita una imagen de la habitación vacía; tome una.</translation>
        </message>
        <message>
            <source>The model {model} ran out of memory on the device {device}; choose less detail or another device.</source>
            <translation>El modelo {model} agotó la memoria en el dispositivo {device}; elija menos detalle u otro dispositivo.</translation>
        </message>
        <message>
            <source>The model {model} returned values that are not numbers; if this happens again, choose the precision float32 or another model.</source>
            <translation>El modelo {model} devolvió valores que no son números; si vuelve a ocurrir, elija la precisión float32 u otro modelo.</translation>
        </message>
        <message>
            <source>The model {model} returned wrong values on the GPU {device} in half precision; matting continues in float32.</source>
            <translation>El modelo {model} ha devuelto valores incorrectos en la GPU {device} con media precisión; el recorte continúa en float32.</translation>
        </message>
        <message>
            <source>The model {model} was closed and accepts no more frames; choose the model again.</source>
            <translation>El modelo {model} se cerró y no acepta más imágenes; vuelva a elegir el modelo.</translation>
        </message>
        <message>
            <source>The model “{0}” is not installed. The standard model is used instead.</source>
            <translation>El modelo «{0}» no está instalado. Se usa el modelo estándar en su lugar.</translation>
        </message>
        <message>
            <source>The module is loaded at every start of the computer.</source>
            <translation>El módulo se carga en cada arranque del equipo.</translation>
        </message>
        <message>
            <source>The module is not loaded at the start of the computer.</source>
            <translation>El módulo no se carga al arrancar el equipo.</translation>
        </message>
        <message>
            <source>The mouse paints. Esc ends.</source>
            <translation>El ratón pinta. Esc termina.</translation>
        </message>
        <message>
            <source>The name of a background must contain letters or digits.</source>
            <translation>El nombre de un fondo debe contener letras o dígitos.</translation>
        </message>
        <message>
            <source>The network returned the camera's own frame; choose another model or executor.</source>
            <translation>La red devolvió la propia imagen de la cámara; elija otro modelo o ejecutor.</translation>
        </message>
        <message>
            <source>The network returned {width}×{height} pixels for a frame of {frame_width}×{frame_height}; choose another model or executor.</source>
            <translation>La red devolvió {width} × {height} píxeles para una imagen de {frame_width} × {frame_height}; elija otro modelo o ejecutor.</translation>
        </message>
        <message>
            <source>The network that separates you from the background</source>
            <translation>La red que le separa del fondo</translation>
        </message>
        <message>
            <source>The network's frame shows the real background where there is no person; choose another model or executor.</source>
            <translation>La imagen de la red muestra el fondo real donde no hay ninguna persona; elija otro modelo o ejecutor.</translation>
        </message>
        <message>
            <source>The output {output} does not open; close the programs that use it, or start the program again with another output.</source>
            <translation>La salida {output} no se abre; cierre los programas que la usan o reinicie el programa con otra salida.</translation>
        </message>
        <message>
            <source>The person without the background</source>
            <translation>La persona sin el fondo</translation>
        </message>
        <message>
            <source>The picture of the empty room is not stored yet; its disk may not answer.</source>
            <translation>La imagen de la habitación vacía aún no está guardada; quizá su disco no responde.</translation>
        </message>
        <message>
            <source>The picture of the empty room {file} cannot be read ({reason}); choose another one or take it again.</source>
            <translation>No se puede leer la imagen de la habitación vacía {file} ({reason}); elija otra o tómela de nuevo.</translation>
        </message>
        <message>
            <source>The picture of the empty room {file} cannot be written: {reason}.</source>
            <translation>No se puede escribir la imagen de la habitación vacía {file}: {reason}.</translation>
        </message>
        <message>
            <source>The picture of the empty room {file} has {width}×{height} pixels, but the camera delivers {camera_width}×{camera_height}; take it again with this camera.</source>
            <translation>La imagen de la habitación vacía {file} tiene {width} × {height} píxeles, pero la cámara entrega {camera_width} × {camera_height}; tómela de nuevo con esta cámara.</translation>
        </message>
        <message>
            <source>The picture of the empty room {file} shows a person; take it again with nobody in view.</source>
            <translation>La imagen de la habitación vacía {file} muestra a una persona; tómela de nuevo sin nadie a la vista.</translation>
        </message>
        <message>
            <source>The picture of the empty room {file} was taken with another camera ({camera}), or while it was turned otherwise; take it again.</source>
            <translation>La imagen de la habitación vacía {file} se tomó con otra cámara ({camera}) o cuando estaba girada de otra forma; vuelva a tomarla.</translation>
        </message>
        <message>
            <source>The preparation for this computer was cancelled; it continues at the next start.</source>
            <translation>Se canceló la preparación para este equipo; continúa en el próximo inicio.</translation>
        </message>
        <message>
            <source>The privacy settings of Windows do not let desktop apps use cameras.</source>
            <translation>La configuración de privacidad de Windows no permite que las aplicaciones de escritorio usen cámaras.</translation>
        </message>
        <message>
            <source>The program cannot store its files.</source>
            <translation>El programa no puede guardar sus archivos.</translation>
        </message>
        <message>
            <source>The published models resolve finer edges, above all hair.</source>
            <translation>Los modelos publicados resuelven bordes más finos, sobre todo el pelo.</translation>
        </message>
        <message>
            <source>The question of the desktop about the camera was not answered; answer it, or choose another source.</source>
            <translation>No se respondió a la pregunta del escritorio sobre la cámara; respóndala o elija otra fuente.</translation>
        </message>
        <message>
            <source>The recording could not be completed: {reason} ({kept}).</source>
            <translation>No se pudo completar la grabación: {reason} ({kept}).</translation>
        </message>
        <message>
            <source>The recording stopped: {reason} ({kept}).</source>
            <translation>La grabación se detuvo: {reason} ({kept}).</translation>
        </message>
        <message>
            <source>The recording {file} cannot be started: {reason}.</source>
            <translation>No se puede iniciar la grabación {file}: {reason}.</translation>
        </message>
        <message>
            <source>The recording {file} is finished; start another one.</source>
            <translation>La grabación {file} ha terminado; inicie otra.</translation>
        </message>
        <message>
            <source>The recording {file} was moved while it ran; it is {copy}.</source>
            <translation>La grabación {file} se movió mientras se hacía; ahora es {copy}.</translation>
        </message>
        <message>
            <source>The recording {file} was moved while it runs; it goes on in {folder}.</source>
            <translation>La grabación en curso {file} se movió; continúa en {folder}.</translation>
        </message>
        <message>
            <source>The repair could not be started ({program} cannot be run); run the shown commands as root.</source>
            <translation>No se pudo iniciar la reparación (no se puede ejecutar {program}); ejecute como root las órdenes mostradas.</translation>
        </message>
        <message>
            <source>The repair failed with exit code {code} (details are in the log); run the shown commands as root.</source>
            <translation>La reparación falló con el código de salida {code} (los detalles están en el registro); ejecute como root las órdenes mostradas.</translation>
        </message>
        <message>
            <source>The repair failed: Secure Boot or a container forbids loading modules.</source>
            <translation>La reparación falló: Secure Boot o un contenedor prohíbe cargar módulos.</translation>
        </message>
        <message>
            <source>The repair failed: Secure Boot rejects the module. Enrol its key as shown under “Virtual camera: Secure Boot”.</source>
            <translation>La reparación falló: Secure Boot rechaza el módulo. Registre su clave como se muestra en «Cámara virtual: Secure Boot».</translation>
        </message>
        <message>
            <source>The repair failed: the virtual camera is in use. Close the programs that use it and try again.</source>
            <translation>La reparación falló: la cámara virtual está en uso. Cierre los programas que la usan e inténtelo de nuevo.</translation>
        </message>
        <message>
            <source>The rest of this check is left out.</source>
            <translation>El resto de esta comprobación se omite.</translation>
        </message>
        <message>
            <source>The running kernel {kernel} is no longer installed (installed: {installed}).</source>
            <translation>El núcleo en ejecución {kernel} ya no está instalado (instalados: {installed}).</translation>
        </message>
        <message>
            <source>The saved model {model} is not installed; {bundled} is used instead.</source>
            <translation>El modelo guardado {model} no está instalado; en su lugar se usa {bundled}.</translation>
        </message>
        <message>
            <source>The scene “{name}” in {file} cannot be used ({reason}); save it again or remove it.</source>
            <translation>La escena «{name}» de {file} no se puede usar ({reason}); guárdela de nuevo o quítela.</translation>
        </message>
        <message>
            <source>The scenes file {file} cannot be used ({reason}); correct it or move it away.</source>
            <translation>El archivo de escenas {file} no se puede usar ({reason}); corríjalo o muévalo a otro lugar.</translation>
        </message>
        <message>
            <source>The scenes file {file} does not answer; reconnect its disk.</source>
            <translation>El archivo de escenas {file} no responde; vuelva a conectar su disco.</translation>
        </message>
        <message>
            <source>The settings file {file} cannot be used ({reason}). What it hides is unknown, so Mattecam starts paused, with the default settings.</source>
            <translation>El archivo de ajustes {file} no se puede usar ({reason}). Se desconoce qué oculta; por eso Mattecam empieza en pausa, con los ajustes predeterminados.</translation>
        </message>
        <message>
            <source>The snap {program} may not use cameras.</source>
            <translation>El snap {program} no puede usar cámaras.</translation>
        </message>
        <message>
            <source>The sound server does not answer, and the recording has no sound; start PipeWire with pipewire-pulse or PulseAudio, or turn the microphone off.</source>
            <translation>El servidor de sonido no responde y la grabación no tiene sonido; inicie PipeWire con pipewire-pulse o PulseAudio, o apague el micrófono.</translation>
        </message>
        <message>
            <source>The source {source} does not open; reconnect it, or start the program again with another source.</source>
            <translation>La fuente {source} no se abre; vuelva a conectarla o reinicie el programa con otra fuente.</translation>
        </message>
        <message>
            <source>The status file {file} cannot be written: {reason}.</source>
            <translation>No se puede escribir el archivo de estado {file}: {reason}.</translation>
        </message>
        <message>
            <source>The test picture could not be sent: {reason}</source>
            <translation>No se pudo enviar la imagen de prueba: {reason}</translation>
        </message>
        <message>
            <source>The user {user} has no permission to open {device} ({name}).</source>
            <translation>El usuario {user} no tiene permiso para abrir {device} ({name}).</translation>
        </message>
        <message>
            <source>The user {user} has no permission to open {device}.</source>
            <translation>El usuario {user} no tiene permiso para abrir {device}.</translation>
        </message>
        <message>
            <source>The user {user} has permission to write to {device}.</source>
            <translation>El usuario {user} tiene permiso para escribir en {device}.</translation>
        </message>
        <message>
            <source>The video {file} can no longer be read; choose another file.</source>
            <translation>El vídeo {file} ya no se puede leer; elija otro archivo.</translation>
        </message>
        <message>
            <source>The video {file} contains no readable frame; choose another file.</source>
            <translation>El vídeo {file} no contiene ninguna imagen legible; elija otro archivo.</translation>
        </message>
        <message>
            <source>The virtual camera {device} cannot be used; choose another one.</source>
            <translation>La cámara virtual {device} no se puede usar; elija otra.</translation>
        </message>
        <message>
            <source>The virtual camera {device} does not exist; choose another one or `auto`.</source>
            <translation>La cámara virtual {device} no existe; elija otra o `auto`.</translation>
        </message>
        <message>
            <source>The virtual camera {device} does not start; stop it in OBS and close other programs that send to it.</source>
            <translation>La cámara virtual {device} no se inicia; deténgala en OBS y cierre los otros programas que le envían.</translation>
        </message>
        <message>
            <source>The virtual camera {device} is closed; open it again.</source>
            <translation>La cámara virtual {device} está cerrada; ábrala de nuevo.</translation>
        </message>
        <message>
            <source>The virtual camera {device} is held in a format that cannot be sent ({width}×{height} {format}); close the programs that use it and try again.</source>
            <translation>La cámara virtual {device} se mantiene en un formato que no se puede enviar ({width} × {height} {format}); cierre los programas que la usan e inténtelo de nuevo.</translation>
        </message>
        <message>
            <source>The virtual-camera backend v4l2 exists on Linux only; choose `auto` or `pyvirtualcam`.</source>
            <translation>El backend v4l2 de la cámara virtual solo existe en Linux; elija `auto` o `pyvirtualcam`.</translation>
        </message>
        <message>
            <source>The weights file {file} cannot be read; check the path and its permissions.</source>
            <translation>No se puede leer el archivo de pesos {file}; compruebe la ruta y los permisos.</translation>
        </message>
        <message>
            <source>The weights file {file} contains NaN or infinite values; replace it with an intact file.</source>
            <translation>El archivo de pesos {file} contiene valores NaN o infinitos; sustitúyalo por un archivo intacto.</translation>
        </message>
        <message>
            <source>The weights file {file} differs from the published file (checksum); download it again, or choose a file of your own.</source>
            <translation>El archivo de pesos {file} difiere del publicado (suma de comprobación); descárguelo de nuevo o elija un archivo propio.</translation>
        </message>
        <message>
            <source>The weights file {file} is damaged or holds no weights of PyTorch or safetensors; download it again or choose another file.</source>
            <translation>El archivo de pesos {file} está dañado o no contiene pesos de PyTorch o safetensors; descárguelo de nuevo o elija otro archivo.</translation>
        </message>
        <message>
            <source>The weights file {file} is in the format of ONNX, which is not supported; choose a file of PyTorch or safetensors.</source>
            <translation>El archivo de pesos {file} tiene el formato de ONNX, que no se admite; elija un archivo de PyTorch o safetensors.</translation>
        </message>
        <message>
            <source>The weights file {file}, which is part of the program, is damaged; reinstall the program, or choose another file.</source>
            <translation>El archivo de pesos {file}, que forma parte del programa, está dañado; reinstale el programa o elija otro archivo.</translation>
        </message>
        <message>
            <source>The weights in the file {file} are all zero; replace it with an intact file.</source>
            <translation>Los pesos del archivo {file} son todos cero; sustitúyalo por un archivo intacto.</translation>
        </message>
        <message>
            <source>The weights of {model} ({file}) are not installed; download them, or choose a file of your own.</source>
            <translation>Los pesos de {model} ({file}) no están instalados; descárguelos o elija un archivo propio.</translation>
        </message>
        <message>
            <source>The weights of {model} ({file}), which are part of the program, are missing; reinstall the program, or choose a file of your own.</source>
            <translation>Faltan los pesos de {model} ({file}), que forman parte del programa; vuelva a instalar el programa o elija un archivo propio.</translation>
        </message>
        <message>
            <source>The weights of {model} are part of the program and are not downloaded.</source>
            <translation>Los pesos de {model} forman parte del programa y no se descargan.</translation>
        </message>
        <message>
            <source>The weights of {model} could not be downloaded (HTTP status {status}). Try again later, or download {url} elsewhere and choose that file.</source>
            <translation>No se pudieron descargar los pesos de {model} (estado HTTP {status}). Inténtelo más tarde o descargue {url} en otro lugar y elija ese archivo.</translation>
        </message>
        <message>
            <source>The weights of {model} could not be downloaded. No internet? Try again later (the download resumes), or download {url} elsewhere and choose that file.</source>
            <translation>No se pudieron descargar los pesos de {model}. ¿Sin internet? Inténtelo más tarde (la descarga se reanuda) o descargue {url} en otro lugar y elija ese archivo.</translation>
        </message>
        <message>
            <source>The window cannot open; the program runs without a window.</source>
            <translation>La ventana no se puede abrir; el programa funciona sin ventana.</translation>
        </message>
        <message>
            <source>The window opens on the desktop of this system.</source>
            <translation>La ventana se abre en el escritorio de este sistema.</translation>
        </message>
        <message>
            <source>The zones file {file} cannot be used: {reason}.</source>
            <translation>El archivo de zonas {file} no se puede usar: {reason}.</translation>
        </message>
        <message>
            <source>The zones file {file} does not exist; check the path.</source>
            <translation>El archivo de zonas {file} no existe; compruebe la ruta.</translation>
        </message>
        <message>
            <source>The {thread} thread does not respond; start the program again.</source>
            <translation>El hilo {thread} no responde; vuelva a iniciar el programa.</translation>
        </message>
        <message>
            <source>The {thread} thread failed; start the program again. The log has the details.</source>
            <translation>El hilo {thread} falló; vuelva a iniciar el programa. Los detalles están en el registro.</translation>
        </message>
        <message>
            <source>Theme</source>
            <translation>Tema</translation>
        </message>
        <message>
            <source>Then log out and log in again.</source>
            <translation>Después cierre la sesión y vuelva a iniciarla.</translation>
        </message>
        <message>
            <source>Then:</source>
            <translation>Después:</translation>
        </message>
        <message>
            <source>There are no frames for the picture of the empty room; check that the camera delivers frames.</source>
            <translation>No hay imágenes de cámara para la habitación vacía; compruebe que la cámara entregue imágenes.</translation>
        </message>
        <message>
            <source>There are several cameras {name}; choose one of {sources}.</source>
            <translation>Hay varias cámaras {name}; elija una de {sources}.</translation>
        </message>
        <message>
            <source>There are {0} zones, as many as possible: remove some before you paint another.</source>
            <translation>Hay {0} zonas, el máximo posible: elimine algunas antes de pintar otra.</translation>
        </message>
        <message>
            <source>There is a scene “{0}” already. Replace it?</source>
            <translation>Ya hay una escena «{0}». ¿Reemplazarla?</translation>
        </message>
        <message>
            <source>There is no GPU {device}, or the installed torch cannot use it; choose another device.</source>
            <translation>No existe la GPU {device} o el torch instalado no puede usarla; elija otro dispositivo.</translation>
        </message>
        <message>
            <source>There is no camera {name}; connect it or choose another one.</source>
            <translation>No hay ninguna cámara {name}; conéctela o elija otra.</translation>
        </message>
        <message>
            <source>There is no display: neither WAYLAND_DISPLAY nor DISPLAY is set.</source>
            <translation>No hay ninguna pantalla: ni WAYLAND_DISPLAY ni DISPLAY están definidas.</translation>
        </message>
        <message>
            <source>There is no frame yet; try again when the preview shows one.</source>
            <translation>Aún no hay ninguna imagen; inténtelo de nuevo cuando la vista previa muestre una.</translation>
        </message>
        <message>
            <source>There is no image to paste. Copy an image or a file first.</source>
            <translation>No hay ninguna imagen que pegar. Copie primero una imagen o un archivo.</translation>
        </message>
        <message>
            <source>There is no int8 version of the model {model} for this device and these weights; choose another precision.</source>
            <translation>No hay versión int8 del modelo {model} para este dispositivo y estos pesos; elija otra precisión.</translation>
        </message>
        <message>
            <source>There is no scene “{name}”; no scene is saved yet.</source>
            <translation>No hay ninguna escena «{name}»; aún no hay ninguna guardada.</translation>
        </message>
        <message>
            <source>There is no scene “{name}”; the scenes are {names}.</source>
            <translation>No hay ninguna escena «{name}»; las escenas son {names}.</translation>
        </message>
        <message>
            <source>There is no usable NVIDIA GPU on this computer; choose the device cpu or auto.</source>
            <translation>En este equipo no hay ninguna GPU NVIDIA utilizable; elija el dispositivo cpu o auto.</translation>
        </message>
        <message>
            <source>There is no video file {file}; check the name.</source>
            <translation>No hay ningún archivo de vídeo {file}; compruebe el nombre.</translation>
        </message>
        <message>
            <source>There is no virtual camera {device}; choose one of {devices}.</source>
            <translation>No hay ninguna cámara virtual {device}; elija una de {devices}.</translation>
        </message>
        <message>
            <source>There is no virtual camera: install OBS Studio 30 or later from https://obsproject.com, start its virtual camera once and close it.</source>
            <translation>No hay ninguna cámara virtual: instale OBS Studio 30 o posterior desde https://obsproject.com, inicie una vez su cámara virtual y ciérrelo.</translation>
        </message>
        <message>
            <source>There is no virtual camera: install v4l2loopback (package v4l2loopback-dkms), then run `{command}`.</source>
            <translation>No hay ninguna cámara virtual: instale v4l2loopback (paquete v4l2loopback-dkms) y ejecute `{command}`.</translation>
        </message>
        <message>
            <source>There is no weights file {file}; choose another one.</source>
            <translation>No hay ningún archivo de pesos {file}; elija otro.</translation>
        </message>
        <message>
            <source>These libraries are missing: {libraries}.</source>
            <translation>Faltan estas bibliotecas: {libraries}.</translation>
        </message>
        <message>
            <source>They are in English, and are in the folder {0} too.</source>
            <translation>Están en inglés, y también en la carpeta {0}.</translation>
        </message>
        <message>
            <source>They choose the virtual camera as their camera</source>
            <translation>Eligen la cámara virtual como su cámara</translation>
        </message>
        <message>
            <source>This computer is busy: the quality is lower</source>
            <translation>Este equipo está ocupado: la calidad es menor</translation>
        </message>
        <message>
            <source>This desktop cannot ask for the password; run the shown commands in a terminal.</source>
            <translation>Este escritorio no puede pedir la contraseña; ejecute las órdenes mostradas en un terminal.</translation>
        </message>
        <message>
            <source>This looks like a container: the camera driver must be loaded on the host (kernel {kernel}).</source>
            <translation>Esto parece un contenedor: el controlador de la cámara debe cargarse en el anfitrión (núcleo {kernel}).</translation>
        </message>
        <message>
            <source>This model compares each frame with a picture of the room without people</source>
            <translation>Este modelo compara cada fotograma con una imagen de la habitación sin personas</translation>
        </message>
        <message>
            <source>This picture was taken with another camera. Take a new one.</source>
            <translation>Esta imagen se tomó con otra cámara. Tome una nueva.</translation>
        </message>
        <message>
            <source>This scene does not hide things mistaken for people.</source>
            <translation>Esta escena no oculta lo que se confunde con personas.</translation>
        </message>
        <message>
            <source>This scene does not hide what you marked with “Always hide”.</source>
            <translation>Esta escena no oculta lo que usted marcó con «Ocultar siempre».</translation>
        </message>
        <message>
            <source>This scene does not pause while the screen is locked.</source>
            <translation>Esta escena no pausa mientras la pantalla está bloqueada.</translation>
        </message>
        <message>
            <source>This scene ends “Only me”: everyone in front of the camera is shown.</source>
            <translation>Esta escena termina «Solo yo»: se muestra a todos los que están ante la cámara.</translation>
        </message>
        <message>
            <source>Threshold</source>
            <translation>Umbral</translation>
        </message>
        <message>
            <source>Troubleshooting</source>
            <translation>Solución de problemas</translation>
        </message>
        <message>
            <source>Try again</source>
            <translation>Reintentar</translation>
        </message>
        <message>
            <source>Turn the camera</source>
            <translation>Girar la cámara</translation>
        </message>
        <message>
            <source>Turn the camera clockwise, in degrees.</source>
            <translation>Gira la cámara en sentido horario, en grados.</translation>
        </message>
        <message>
            <source>Turn the camera off while no program reads it and the window is hidden.</source>
            <translation>Apaga la cámara mientras ningún programa la lea y la ventana esté oculta.</translation>
        </message>
        <message>
            <source>Turn the mouse wheel over the preview to zoom; drag to move. Auto-framing pauses while you zoom.</source>
            <translation>Gire la rueda del ratón sobre la vista previa para ampliar y arrastre para mover. El encuadre automático se detiene mientras amplía.</translation>
        </message>
        <message>
            <source>Undo the last brush stroke</source>
            <translation>Deshacer la última pincelada</translation>
        </message>
        <message>
            <source>Unfreeze</source>
            <translation>Descongelar</translation>
        </message>
        <message>
            <source>Up–down</source>
            <translation>Arriba–abajo</translation>
        </message>
        <message>
            <source>Use</source>
            <translation>Usar</translation>
        </message>
        <message>
            <source>Use an existing picture</source>
            <translation>Usar una imagen existente</translation>
        </message>
        <message>
            <source>Use an existing picture…</source>
            <translation>Usar una imagen existente…</translation>
        </message>
        <message>
            <source>Use blur</source>
            <translation>Desenfocar</translation>
        </message>
        <message>
            <source>Use no file of your own; the file stays</source>
            <translation>No usar ningún archivo propio; el archivo se conserva</translation>
        </message>
        <message>
            <source>Use no image</source>
            <translation>No usar ninguna imagen</translation>
        </message>
        <message>
            <source>Use the installed weights</source>
            <translation>Usar los pesos instalados</translation>
        </message>
        <message>
            <source>Use the matte as the network computes it</source>
            <translation>Usar la máscara tal como la calcula la red</translation>
        </message>
        <message>
            <source>Use weights that you downloaded elsewhere or trained</source>
            <translation>Usar pesos que descargó en otro lugar o entrenó</translation>
        </message>
        <message>
            <source>U²-Net, people</source>
            <translation>U²-Net, personas</translation>
        </message>
        <message>
            <source>Variables of other programs reach this one: {variables}.</source>
            <translation>Variables de otros programas llegan a este: {variables}.</translation>
        </message>
        <message>
            <source>Video file…</source>
            <translation>Archivo de vídeo…</translation>
        </message>
        <message>
            <source>Virtual camera</source>
            <translation>Cámara virtual</translation>
        </message>
        <message>
            <source>Virtual camera backend</source>
            <translation>Backend de la cámara virtual</translation>
        </message>
        <message>
            <source>Waiting: others see the stand-by card</source>
            <translation>En espera: los demás ven la pantalla de pausa</translation>
        </message>
        <message>
            <source>Weights: {0}</source>
            <translation>Pesos: {0}</translation>
        </message>
        <message>
            <source>What Mattecam can do</source>
            <translation>Lo que Mattecam puede hacer</translation>
        </message>
        <message>
            <source>What Mattecam does</source>
            <translation>Qué hace Mattecam</translation>
        </message>
        <message>
            <source>What other programs see</source>
            <translation>Lo que ven otros programas</translation>
        </message>
        <message>
            <source>What others see while you are paused</source>
            <translation>Lo que ven los demás durante la pausa</translation>
        </message>
        <message>
            <source>What was changed last is not in use yet; take the snapshot again in a moment.</source>
            <translation>El último cambio aún no se aplica; vuelva a tomar la foto en un momento.</translation>
        </message>
        <message>
            <source>What you paint is never shown, not even people</source>
            <translation>Lo que pinte no se mostrará nunca, ni siquiera las personas</translation>
        </message>
        <message>
            <source>While Mattecam is paused, no picture of the empty room is taken; resume and take it again.</source>
            <translation>Mientras Mattecam está en pausa no se toma ninguna imagen de la habitación vacía; reanude y vuelva a tomarla.</translation>
        </message>
        <message>
            <source>White bricks</source>
            <translation>Ladrillo blanco</translation>
        </message>
        <message>
            <source>White: person, black: background</source>
            <translation>Blanco: persona, negro: fondo</translation>
        </message>
        <message>
            <source>Width and height of the frames</source>
            <translation>Ancho y alto de los fotogramas</translation>
        </message>
        <message>
            <source>Window light</source>
            <translation>Luz de ventana</translation>
        </message>
        <message>
            <source>Windows keeps the name “{name}” for a device; choose another name.</source>
            <translation>Windows reserva el nombre «{name}» para un dispositivo; elija otro nombre.</translation>
        </message>
        <message>
            <source>With RPM Fusion (free) enabled:</source>
            <translation>Con RPM Fusion (free) activado:</translation>
        </message>
        <message>
            <source>With Secure Boot the kernel rejects modules whose key is not enrolled (“Key was rejected by service”).</source>
            <translation>Con Secure Boot el núcleo rechaza los módulos cuya clave no está registrada («Key was rejected by service»).</translation>
        </message>
        <message>
            <source>With the driver {drivers}, auto takes the least processor time that holds 30 fps. Measured per frame: {times}.</source>
            <translation>Con el controlador {drivers}, auto toma el menor tiempo de procesador que mantiene 30 fps. Medido por imagen: {times}.</translation>
        </message>
        <message>
            <source>Without a camera, only the demo and video files are available.</source>
            <translation>Sin cámara solo están disponibles la demostración y los archivos de vídeo.</translation>
        </message>
        <message>
            <source>Without a model the background cannot be replaced.</source>
            <translation>Sin un modelo no se puede sustituir el fondo.</translation>
        </message>
        <message>
            <source>Without a virtual camera other programs cannot see the picture; only recording works.</source>
            <translation>Sin cámara virtual los otros programas no pueden ver la imagen; solo funciona la grabación.</translation>
        </message>
        <message>
            <source>Without permission the camera cannot be read.</source>
            <translation>Sin permiso no se puede leer la cámara.</translation>
        </message>
        <message>
            <source>Without permission the program cannot send frames to the virtual camera.</source>
            <translation>Sin permiso el programa no puede enviar imágenes a la cámara virtual.</translation>
        </message>
        <message>
            <source>You can open it again from the menu</source>
            <translation>Puede volver a abrirla desde el menú</translation>
        </message>
        <message>
            <source>You have no permission to open the virtual camera {device}; run `sudo usermod -aG video $USER`, then log out and log in again.</source>
            <translation>No tiene permiso para abrir la cámara virtual {device}; ejecute `sudo usermod -aG video $USER`, cierre la sesión y vuelva a iniciarla.</translation>
        </message>
        <message>
            <source>You have no permission to read the image {file}; check the permissions of the file.</source>
            <translation>No tiene permiso para leer la imagen {file}; compruebe los permisos del archivo.</translation>
        </message>
        <message>
            <source>You have no permission to read the video {file}; check the permissions of the file.</source>
            <translation>No tiene permiso para leer el vídeo {file}; compruebe los permisos del archivo.</translation>
        </message>
        <message>
            <source>You see a demonstration, not your camera.</source>
            <translation>Ve una demostración, no su cámara.</translation>
        </message>
        <message>
            <source>You see a mirror, others do not</source>
            <translation>Usted ve un espejo, los demás no</translation>
        </message>
        <message>
            <source>You see what others see</source>
            <translation>Ve lo mismo que los demás</translation>
        </message>
        <message>
            <source>Your backgrounds in {folder} cannot be read: {reason}.</source>
            <translation>Sus fondos de {folder} no se pueden leer: {reason}.</translation>
        </message>
        <message>
            <source>Your real background is visible</source>
            <translation>Su fondo real está visible</translation>
        </message>
        <message>
            <source>Zoom</source>
            <translation>Zoom</translation>
        </message>
        <message>
            <source>Zoom and Meet cannot see Mattecam yet.</source>
            <translation>Zoom y Meet aún no ven Mattecam.</translation>
        </message>
        <message>
            <source>Zoom, Meet and Teams cannot see Mattecam yet.</source>
            <translation>Zoom, Meet y Teams aún no ven Mattecam.</translation>
        </message>
        <message>
            <source>Zoom, position, kind of blur</source>
            <translation>Ampliación, posición y tipo de desenfoque</translation>
        </message>
        <message>
            <source>a file is where the folder should be; choose another folder</source>
            <translation>hay un archivo en el lugar de la carpeta; elija otra carpeta</translation>
        </message>
        <message>
            <source>a folder has this name; choose another name</source>
            <translation>una carpeta tiene ese nombre; elija otro nombre</translation>
        </message>
        <message>
            <source>a newer version of Mattecam wrote it (format version {version})</source>
            <translation>lo escribió una versión más reciente de Mattecam (versión de formato {version})</translation>
        </message>
        <message>
            <source>a part of its path is not a folder</source>
            <translation>una parte de su ruta no es una carpeta</translation>
        </message>
        <message>
            <source>a part of the path is not a folder; choose another path</source>
            <translation>una parte de la ruta no es una carpeta; elija otra ruta</translation>
        </message>
        <message>
            <source>a program has it open; close it there, or choose another name</source>
            <translation>un programa lo tiene abierto; ciérrelo allí o elija otro nombre</translation>
        </message>
        <message>
            <source>a program of another user</source>
            <translation>un programa de otro usuario</translation>
        </message>
        <message>
            <source>another file has got this name in the meantime; rename one of them</source>
            <translation>entretanto otro archivo ha recibido ese nombre; cambie el nombre de uno de ellos</translation>
        </message>
        <message>
            <source>another program</source>
            <translation>otro programa</translation>
        </message>
        <message>
            <source>another program has it open</source>
            <translation>otro programa lo tiene abierto</translation>
        </message>
        <message>
            <source>camera</source>
            <translation>Cámara</translation>
        </message>
        <message>
            <source>camera: in use</source>
            <translation>Cámara: en uso</translation>
        </message>
        <message>
            <source>camera: permission</source>
            <translation>Cámara: permiso</translation>
        </message>
        <message>
            <source>check that it is connected, that no other program uses it, and that Windows lets desktop apps use cameras, in Settings › Privacy &amp; security › Camera</source>
            <translation>compruebe que está conectada, que ningún otro programa la usa y que Windows permite que las aplicaciones de escritorio usen cámaras, en Configuración › Privacidad y seguridad › Cámara</translation>
        </message>
        <message>
            <source>check that it is connected, that no other program uses it, and that this program may access cameras</source>
            <translation>compruebe que esté conectada, que ningún otro programa la use y que este programa pueda acceder a las cámaras</translation>
        </message>
        <message>
            <source>disk</source>
            <translation>Espacio en disco</translation>
        </message>
        <message>
            <source>display</source>
            <translation>Pantalla</translation>
        </message>
        <message>
            <source>display: libraries</source>
            <translation>Pantalla: bibliotecas</translation>
        </message>
        <message>
            <source>finer model</source>
            <translation>modelo más fino</translation>
        </message>
        <message>
            <source>graphics card</source>
            <translation>Tarjeta gráfica</translation>
        </message>
        <message>
            <source>it contains no JSON object</source>
            <translation>no contiene un objeto JSON</translation>
        </message>
        <message>
            <source>it delivers no frames; reconnect it, or choose another size or format</source>
            <translation>no entrega imágenes; vuelva a conectarla o elija otro tamaño o formato</translation>
        </message>
        <message>
            <source>it does not describe a picture of the empty room</source>
            <translation>no describe una imagen de la habitación vacía</translation>
        </message>
        <message>
            <source>it does not exist</source>
            <translation>no existe</translation>
        </message>
        <message>
            <source>it has fewer than {limit} parts</source>
            <translation>tiene menos de {limit} partes</translation>
        </message>
        <message>
            <source>it has more than {limit} characters</source>
            <translation>tiene más de {limit} caracteres</translation>
        </message>
        <message>
            <source>it has more than {limit} parts</source>
            <translation>tiene más de {limit} partes</translation>
        </message>
        <message>
            <source>it holds a keep zone, which shows the room; only zones of the kind “drop” can be used</source>
            <translation>contiene una zona del tipo «keep», que muestra la habitación; solo se pueden usar zonas del tipo «drop»</translation>
        </message>
        <message>
            <source>it holds no measurements</source>
            <translation>no contiene mediciones</translation>
        </message>
        <message>
            <source>it is a device or a pipe; choose a file</source>
            <translation>es un dispositivo o una tubería; elija un archivo</translation>
        </message>
        <message>
            <source>it is a folder</source>
            <translation>es una carpeta</translation>
        </message>
        <message>
            <source>it is a link to what does not exist</source>
            <translation>es un enlace a algo que no existe</translation>
        </message>
        <message>
            <source>it is a symbolic link, which is not followed; remove it or choose another name</source>
            <translation>es un enlace simbólico, que no se sigue; quítelo o elija otro nombre</translation>
        </message>
        <message>
            <source>it is empty</source>
            <translation>está vacío</translation>
        </message>
        <message>
            <source>it is in use by {programs}; close it there or choose another camera</source>
            <translation>la está usando {programs}; ciérrela allí o elija otra cámara</translation>
        </message>
        <message>
            <source>it is missing</source>
            <translation>falta</translation>
        </message>
        <message>
            <source>it is nested too deeply</source>
            <translation>está anidado a demasiada profundidad</translation>
        </message>
        <message>
            <source>it is not a camera; choose another one</source>
            <translation>no es una cámara; elija otra</translation>
        </message>
        <message>
            <source>it is not a scenes file of format version {version}</source>
            <translation>no es un archivo de escenas con la versión de formato {version}</translation>
        </message>
        <message>
            <source>it is not a text file</source>
            <translation>no es un archivo de texto</translation>
        </message>
        <message>
            <source>it is not connected; connect it or choose another camera</source>
            <translation>no está conectada; conéctela o elija otra cámara</translation>
        </message>
        <message>
            <source>it is not valid JSON, see line {line}</source>
            <translation>no es JSON válido, vea la línea {line}</translation>
        </message>
        <message>
            <source>it must be a colour like #00b140</source>
            <translation>debe ser un color como #00b140</translation>
        </message>
        <message>
            <source>it must be a list</source>
            <translation>debe ser una lista</translation>
        </message>
        <message>
            <source>it must be a number</source>
            <translation>debe ser un número</translation>
        </message>
        <message>
            <source>it must be a whole number</source>
            <translation>debe ser un número entero</translation>
        </message>
        <message>
            <source>it must be an object with names and values</source>
            <translation>debe ser un objeto con nombres y valores</translation>
        </message>
        <message>
            <source>it must be at least {limit}</source>
            <translation>debe ser al menos {limit}</translation>
        </message>
        <message>
            <source>it must be at most {limit}</source>
            <translation>debe ser como máximo {limit}</translation>
        </message>
        <message>
            <source>it must be one of {expected}</source>
            <translation>debe ser uno de estos: {expected}</translation>
        </message>
        <message>
            <source>it must be text</source>
            <translation>debe ser texto</translation>
        </message>
        <message>
            <source>it must be true or false</source>
            <translation>debe ser true o false</translation>
        </message>
        <message>
            <source>its disk does not answer</source>
            <translation>su disco no responde</translation>
        </message>
        <message>
            <source>its file was removed while it ran; start another one</source>
            <translation>su archivo se eliminó mientras se hacía; inicie otra</translation>
        </message>
        <message>
            <source>its input has no signal; switch on what is connected to it, or choose another camera</source>
            <translation>su entrada no tiene señal; encienda lo que está conectado a ella o elija otra cámara</translation>
        </message>
        <message>
            <source>its name has a character that Windows does not allow</source>
            <translation>su nombre tiene un carácter que Windows no permite</translation>
        </message>
        <message>
            <source>its name is too long</source>
            <translation>su nombre es demasiado largo</translation>
        </message>
        <message>
            <source>models</source>
            <translation>Modelos</translation>
        </message>
        <message>
            <source>modprobe merges the options of all files, so devices may get another number, label or mode.</source>
            <translation>modprobe combina las opciones de todos los archivos, por lo que los dispositivos pueden recibir otro número, nombre o modo.</translation>
        </message>
        <message>
            <source>no program reads from it; start one that does</source>
            <translation>ningún programa lee de él; inicie uno que lo haga</translation>
        </message>
        <message>
            <source>no virtual camera</source>
            <translation>sin cámara virtual</translation>
        </message>
        <message>
            <source>nothing is sent to it; start the program that sends, or choose another camera</source>
            <translation>no se le envía nada; inicie el programa que envía o elija otra cámara</translation>
        </message>
        <message>
            <source>nothing was recorded</source>
            <translation>no se grabó nada</translation>
        </message>
        <message>
            <source>preparing the background…</source>
            <translation>preparando el fondo…</translation>
        </message>
        <message>
            <source>preparing the model…</source>
            <translation>preparando el modelo…</translation>
        </message>
        <message>
            <source>problem</source>
            <translation>problema</translation>
        </message>
        <message>
            <source>processor</source>
            <translation>Procesador</translation>
        </message>
        <message>
            <source>programs outside a sandbox</source>
            <translation>programas fuera de un entorno aislado</translation>
        </message>
        <message>
            <source>size unknown</source>
            <translation>tamaño desconocido</translation>
        </message>
        <message>
            <source>the disk is full; free some space and try again</source>
            <translation>el disco está lleno; libere espacio e inténtelo de nuevo</translation>
        </message>
        <message>
            <source>the disk is read-only; choose another folder</source>
            <translation>el disco es de solo lectura; elija otra carpeta</translation>
        </message>
        <message>
            <source>the disk reports an error</source>
            <translation>el disco informa de un error</translation>
        </message>
        <message>
            <source>the disk reports an error; choose another path</source>
            <translation>el disco comunica un error; elija otra ruta</translation>
        </message>
        <message>
            <source>the file has become too large for this disk; choose another one</source>
            <translation>el archivo es demasiado grande para este disco; elija otro</translation>
        </message>
        <message>
            <source>the file or its folder does not exist; create the folder or choose another one</source>
            <translation>el archivo o su carpeta no existe; cree la carpeta o elija otra</translation>
        </message>
        <message>
            <source>the graphics processor of this Mac</source>
            <translation>el procesador gráfico de este Mac</translation>
        </message>
        <message>
            <source>the name has a character that Windows does not allow; choose another name</source>
            <translation>el nombre tiene un carácter que Windows no permite; elija otro nombre</translation>
        </message>
        <message>
            <source>the name is too long; choose a shorter one</source>
            <translation>el nombre es demasiado largo; elija uno más corto</translation>
        </message>
        <message>
            <source>the name of a video must end in {suffixes}; choose another name</source>
            <translation>el nombre de un vídeo debe terminar en {suffixes}; elija otro nombre</translation>
        </message>
        <message>
            <source>the recording so far is in {file}</source>
            <translation>lo grabado hasta ahora está en {file}</translation>
        </message>
        <message>
            <source>there is no such setting</source>
            <translation>no existe ese ajuste</translation>
        </message>
        <message>
            <source>too many unfinished files are in this folder; remove them or choose another folder</source>
            <translation>hay demasiados archivos sin terminar en esta carpeta; quítelos o elija otra carpeta</translation>
        </message>
        <message>
            <source>torch {version} cannot use the graphics card with the NVIDIA driver {driver}; the CPU is used.</source>
            <translation>torch {version} no puede usar la tarjeta gráfica con el controlador de NVIDIA {driver}; se usa la CPU.</translation>
        </message>
        <message>
            <source>torch {version} found no supported graphics card; the CPU is used.</source>
            <translation>torch {version} no encontró ninguna tarjeta gráfica compatible; se usa la CPU.</translation>
        </message>
        <message>
            <source>torch {version} runs on {cards}.</source>
            <translation>torch {version} se ejecuta en {cards}.</translation>
        </message>
        <message>
            <source>up to {width}×{height}</source>
            <translation>hasta {width} × {height}</translation>
        </message>
        <message>
            <source>v4l2loopback is installed, but not built for the running kernel {kernel}.</source>
            <translation>v4l2loopback está instalado, pero no compilado para el núcleo en ejecución {kernel}.</translation>
        </message>
        <message>
            <source>variables</source>
            <translation>Variables de otros programas</translation>
        </message>
        <message>
            <source>virtual camera</source>
            <translation>Cámara virtual</translation>
        </message>
        <message>
            <source>virtual camera: Secure Boot</source>
            <translation>Cámara virtual: Secure Boot</translation>
        </message>
        <message>
            <source>virtual camera: after a restart</source>
            <translation>Cámara virtual: tras un reinicio</translation>
        </message>
        <message>
            <source>virtual camera: device</source>
            <translation>Cámara virtual: dispositivo</translation>
        </message>
        <message>
            <source>virtual camera: in use</source>
            <translation>Cámara virtual: en uso</translation>
        </message>
        <message>
            <source>virtual camera: installed</source>
            <translation>Cámara virtual: instalada</translation>
        </message>
        <message>
            <source>virtual camera: module</source>
            <translation>Cámara virtual: módulo</translation>
        </message>
        <message>
            <source>virtual camera: options</source>
            <translation>Cámara virtual: opciones</translation>
        </message>
        <message>
            <source>virtual camera: permission</source>
            <translation>Cámara virtual: permiso</translation>
        </message>
        <message>
            <source>virtual camera: seen by browsers</source>
            <translation>Cámara virtual: visible para los navegadores</translation>
        </message>
        <message>
            <source>virtual camera: test picture</source>
            <translation>Cámara virtual: imagen de prueba</translation>
        </message>
        <message>
            <source>warning</source>
            <translation>aviso</translation>
        </message>
        <message>
            <source>you have no permission to open it; add your user to the group video and log in again</source>
            <translation>no tiene permiso para abrirla; añada su usuario al grupo video y vuelva a iniciar la sesión</translation>
        </message>
        <message>
            <source>you have no permission to read it</source>
            <translation>no tiene permiso de lectura</translation>
        </message>
        <message>
            <source>you have no permission to write there; choose another folder</source>
            <translation>no tiene permiso de escritura ahí; elija otra carpeta</translation>
        </message>
        <message>
            <source>{0} (key {1})</source>
            <translation>{0} (tecla {1})</translation>
        </message>
        <message>
            <source>{0} fps</source>
            <translation>{0} fps</translation>
        </message>
        <message>
            <source>{0} fps in, {1} out</source>
            <translation>{0} fps de entrada, {1} de salida</translation>
        </message>
        <message>
            <source>{0} fps · {1} ms</source>
            <translation>{0} fps · {1} ms</translation>
        </message>
        <message>
            <source>{0} is not a part of this copy of Mattecam.</source>
            <translation>{0} no forma parte de esta copia de Mattecam.</translation>
        </message>
        <message>
            <source>{0} more</source>
            <translation>{0} más</translation>
        </message>
        <message>
            <source>{0} ms</source>
            <translation>{0} ms</translation>
        </message>
        <message>
            <source>{0} – download {1}</source>
            <translation>{0} – descargar {1}</translation>
        </message>
        <message>
            <source>{0}, chosen</source>
            <translation>{0}, elegido</translation>
        </message>
        <message>
            <source>{0}: {1} × {2}</source>
            <translation>{0}: {1} × {2}</translation>
        </message>
        <message>
            <source>{camera} is the virtual camera that this program sends to; choose another source or another virtual camera.</source>
            <translation>{camera} es la cámara virtual a la que envía este programa; elija otra fuente u otra cámara virtual.</translation>
        </message>
        <message>
            <source>{choice} needs PyTorch, which this copy of Mattecam lacks; run Mattecam from its sources for it.</source>
            <translation>{choice} necesita PyTorch, que falta en esta copia de Mattecam; para ello, inicie Mattecam desde su código fuente.</translation>
        </message>
        <message>
            <source>{device} ({name}) is in use by {programs}.</source>
            <translation>{device} ({name}) está en uso por {programs}.</translation>
        </message>
        <message>
            <source>{device} accepted no frame within {seconds} seconds.</source>
            <translation>{device} no aceptó ninguna imagen en {seconds} segundos.</translation>
        </message>
        <message>
            <source>{device} accepts frames, but cannot be opened as a camera.</source>
            <translation>{device} acepta imágenes, pero no se puede abrir como cámara.</translation>
        </message>
        <message>
            <source>{device} accepts no frames: it is a real camera or for that of a phone, or another program sends to it; choose another virtual camera, or close that program.</source>
            <translation>{device} no acepta imágenes: es una cámara real o está destinada a la de un teléfono, u otro programa le envía imágenes; elija otra cámara virtual o cierre ese programa.</translation>
        </message>
        <message>
            <source>{device} appears as “{label}” in other programs.</source>
            <translation>{device} aparece como «{label}» en otros programas.</translation>
        </message>
        <message>
            <source>{device} can be opened as a camera, but delivers no frames.</source>
            <translation>{device} se puede abrir como cámara, pero no entrega imágenes.</translation>
        </message>
        <message>
            <source>{device} does not respond; close the programs that use it, or start the program again with another output.</source>
            <translation>{device} no responde; cierre los programas que lo usan o reinicie el programa con otra salida.</translation>
        </message>
        <message>
            <source>{device} does not respond; reconnect it, or start the program again with another source.</source>
            <translation>{device} no responde; vuelva a conectarlo o reinicie el programa con otra fuente.</translation>
        </message>
        <message>
            <source>{device} has exclusive_caps=1: browsers and meeting programs list it.</source>
            <translation>{device} tiene exclusive_caps=1: los navegadores y los programas de reuniones la muestran.</translation>
        </message>
        <message>
            <source>{device} is free.</source>
            <translation>{device} está libre.</translation>
        </message>
        <message>
            <source>{device} is free; waiting for its picture: {programs}.</source>
            <translation>{device} está libre; esperan su imagen: {programs}.</translation>
        </message>
        <message>
            <source>{device} is the camera that the picture comes from; choose another virtual camera or another source.</source>
            <translation>{device} es la cámara de la que procede la imagen; elija otra cámara virtual u otra fuente.</translation>
        </message>
        <message>
            <source>{device} takes one program at a time, and {programs} reads it.</source>
            <translation>{device} admite un solo programa a la vez, y {programs} ya lee.</translation>
        </message>
        <message>
            <source>{device} was loaded without exclusive_caps=1.</source>
            <translation>{device} se cargó sin exclusive_caps=1.</translation>
        </message>
        <message>
            <source>{field}: {problem}</source>
            <translation>{field}: {problem}</translation>
        </message>
        <message>
            <source>{file} cannot be read: {reason}.</source>
            <translation>No se puede leer {file}: {reason}.</translation>
        </message>
        <message>
            <source>{file} contains no readable frame; remove it or add it again.</source>
            <translation>{file} no contiene ninguna imagen legible; quítelo o vuelva a añadirlo.</translation>
        </message>
        <message>
            <source>{file} contains no video; choose another file.</source>
            <translation>{file} no contiene vídeo; elija otro archivo.</translation>
        </message>
        <message>
            <source>{file} could not be copied: {reason}.</source>
            <translation>No se pudo copiar {file}: {reason}.</translation>
        </message>
        <message>
            <source>{file} could not be moved to the trash; remove it from {folder} yourself.</source>
            <translation>No se pudo mover {file} a la papelera; quítelo usted mismo de {folder}.</translation>
        </message>
        <message>
            <source>{file} could not be renamed: {reason}.</source>
            <translation>No se pudo cambiar el nombre de {file}: {reason}.</translation>
        </message>
        <message>
            <source>{file} could not be written: {reason}.</source>
            <translation>No se pudo escribir {file}: {reason}.</translation>
        </message>
        <message>
            <source>{file} does not answer; reconnect its disk, or choose another file.</source>
            <translation>{file} no responde; vuelva a conectar su disco o elija otro archivo.</translation>
        </message>
        <message>
            <source>{file} does not answer; what was changed last is not saved.</source>
            <translation>{file} no responde; los últimos cambios no se han guardado.</translation>
        </message>
        <message>
            <source>{file} has colours of Dolby Vision that only its own displays show (profile 5); save it in HDR10, HLG or without HDR.</source>
            <translation>{file} tiene colores de Dolby Vision que solo muestran sus propias pantallas (perfil 5); guárdelo en HDR10, HLG o sin HDR.</translation>
        </message>
        <message>
            <source>{file} is a folder; choose a video or an image in it.</source>
            <translation>{file} es una carpeta; elija un vídeo o una imagen de ella.</translation>
        </message>
        <message>
            <source>{file} is a folder; choose an image in it.</source>
            <translation>{file} es una carpeta; elija una imagen que contenga.</translation>
        </message>
        <message>
            <source>{file} is in a format that cannot be played; save it as MP4 (H.264).</source>
            <translation>{file} está en un formato que no se puede reproducir; guárdelo como MP4 (H.264).</translation>
        </message>
        <message>
            <source>{file} is neither an image nor a video; use a PNG, JPEG, WebP or MP4 file.</source>
            <translation>{file} no es ni una imagen ni un vídeo; use un archivo PNG, JPEG, WebP o MP4.</translation>
        </message>
        <message>
            <source>{file} is not a readable image; use a JPEG, PNG, WebP, HEIC, AVIF, TIFF or BMP file.</source>
            <translation>{file} no es una imagen legible; use un archivo JPEG, PNG, WebP, HEIC, AVIF, TIFF o BMP.</translation>
        </message>
        <message>
            <source>{file} is not a readable video: it is damaged or in an unknown format; choose another file.</source>
            <translation>{file} no es un vídeo legible: está dañado o en un formato desconocido; elija otro archivo.</translation>
        </message>
        <message>
            <source>{file} is raw data of a camera; develop it and export it as JPEG or TIFF.</source>
            <translation>{file} contiene datos sin procesar de una cámara; revélelo y expórtelo como JPEG o TIFF.</translation>
        </message>
        <message>
            <source>{file} lacks its end mark, but the whole image is there; save it again.</source>
            <translation>A {file} le falta la marca final, pero la imagen está completa; guárdela de nuevo.</translation>
        </message>
        <message>
            <source>{file} plays as the background; choose another one, and then rename or remove it.</source>
            <translation>{file} se reproduce como fondo; elija otro y después cámbiele el nombre o quítelo.</translation>
        </message>
        <message>
            <source>{finding} The headers of this kernel are not installed.</source>
            <translation>{finding} Las cabeceras de este núcleo no están instaladas.</translation>
        </message>
        <message>
            <source>{first} {second}</source>
            <translation>{first} {second}</translation>
        </message>
        <message>
            <source>{gibibytes} GiB are free in {folder}.</source>
            <translation>Hay {gibibytes} GiB libres en {folder}.</translation>
        </message>
        <message>
            <source>{name} (process {pid})</source>
            <translation>{name} (proceso {pid})</translation>
        </message>
        <message>
            <source>{name} ({details}).</source>
            <translation>{name} ({details}).</translation>
        </message>
        <message>
            <source>{name} ({device})</source>
            <translation>{name} ({device})</translation>
        </message>
        <message>
            <source>{precision} on all cores</source>
            <translation>{precision} en todos los núcleos</translation>
        </message>
        <message>
            <source>{precision} on one thread</source>
            <translation>{precision} en un hilo</translation>
        </message>
        <message>
            <source>{precision} on {gpu}</source>
            <translation>{precision} en {gpu}</translation>
        </message>
        <message>
            <source>{processor}: the model {model} is chosen, in {precision}, which holds 30 fps with the least processor time. Measured per frame: {times}.</source>
            <translation>{processor}: se elige el modelo {model} en {precision}, que mantiene 30 imágenes/s con el menor tiempo de procesador. Medido por imagen: {times}.</translation>
        </message>
        <message>
            <source>{processor}: the model {model} is chosen, in {precision}, which is the fastest here. Measured per frame: {times}.</source>
            <translation>{processor}: se elige el modelo {model} en {precision}, que es lo más rápido aquí. Medido por imagen: {times}.</translation>
        </message>
        <message>
            <source>{processor}: the model {model} is chosen, in {precision}; nothing was measured yet.</source>
            <translation>{processor}: se elige el modelo {model} en {precision}; aún no se ha medido nada.</translation>
        </message>
        <message>
            <source>{run} {step} ms (CPU {cpu} ms)</source>
            <translation>{run} {step} ms (CPU {cpu} ms)</translation>
        </message>
        <message>
            <source>{source} has delivered no frame for {seconds} seconds; check its cable, or the program that sends to it, and that no other program uses it. It is being reopened.</source>
            <translation>{source} no entrega ninguna imagen desde hace {seconds} segundos; compruebe el cable o el programa que le envía, y que ningún otro programa la use. Se está volviendo a abrir.</translation>
        </message>
        <message>
            <source>“None” sends the camera image as it is, to every program that uses Mattecam.</source>
            <translation>«Ninguno» envía la imagen de la cámara tal cual a todos los programas que usan Mattecam.</translation>
        </message>
        <message>
            <source>“{0}”</source>
            <translation>«{0}»</translation>
        </message>
        <message>
            <source>“{name}” cannot be the name of a scene; use 1 to {length} printable characters.</source>
            <translation>«{name}» no puede ser el nombre de una escena; use de 1 a {length} caracteres imprimibles.</translation>
        </message>
        <message>
            <source>“{text}” is no source; use auto, demo, camera:INDEX, camera:/dev/videoN or a video file.</source>
            <translation>«{text}» no es una fuente; use auto, demo, camera:INDEX, camera:/dev/videoN o un archivo de vídeo.</translation>
        </message>
        <message>
            <source>“{version}” is not a version</source>
            <translation>«{version}» no es una versión</translation>
        </message>
    </context>
</TS>
