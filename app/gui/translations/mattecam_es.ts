<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="es" sourcelanguage="en">
<context>
    <name>ActionBar</name>
    <message>
        <location filename="../action_bar.py" line="90" />
        <location filename="../action_bar.py" line="32" />
        <location filename="../action_bar.py" line="31" />
        <source>Freeze</source>
        <translation>Congelar</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="32" />
        <source>Hold the picture (F)</source>
        <translation>Detener la imagen (F)</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="90" />
        <location filename="../action_bar.py" line="34" />
        <location filename="../action_bar.py" line="33" />
        <source>Snapshot</source>
        <translation>Foto</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="34" />
        <source>Keep this picture as a file (S)</source>
        <translation>Guardar esta imagen en un archivo (S)</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="90" />
        <location filename="../action_bar.py" line="36" />
        <location filename="../action_bar.py" line="35" />
        <source>Record</source>
        <translation>Grabar</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="36" />
        <source>Record what goes out as a video (R)</source>
        <translation>Grabar en vídeo lo que se envía (R)</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="89" />
        <location filename="../action_bar.py" line="38" />
        <location filename="../action_bar.py" line="37" />
        <source>Pause</source>
        <translation>Pausa</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="38" />
        <source>Show the stand-by card instead of you (P)</source>
        <translation>Mostrar la tarjeta de espera en su lugar (P)</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="89" />
        <source>Go on</source>
        <translation>Continuar</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="117" />
        <source>Result</source>
        <translation>Resultado</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="117" />
        <source>What the others see</source>
        <translation>Lo que ven los demás</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="118" />
        <source>Original</source>
        <translation>Original</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="118" />
        <source>What the camera sees; only you see this</source>
        <translation>Lo que ve la cámara; solo lo ve usted</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="119" />
        <source>Matte</source>
        <translation>Máscara</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="119" />
        <source>White is you, black is the background</source>
        <translation>Blanco es usted, negro es el fondo</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="120" />
        <source>Person</source>
        <translation>Persona</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="120" />
        <source>You alone, cut out</source>
        <translation>Solo usted, recortado</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="121" />
        <source>Compare</source>
        <translation>Comparar</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="121" />
        <source>Original and result side by side</source>
        <translation>Original y resultado lado a lado</translation>
    </message>
</context><context>
    <name>AllFindingsView</name>
    <message>
        <location filename="../findings_view.py" line="120" />
        <source>All is well.</source>
        <translation>Todo está bien.</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="121" />
        <source>Problems: {0}   ·   Warnings: {1}</source>
        <translation>Problemas: {0}   ·   Avisos: {1}</translation>
    </message>
</context><context>
    <name>Assistant</name>
    <message>
        <location filename="../assistant.py" line="60" />
        <source>Set Mattecam up</source>
        <translation>Configurar Mattecam</translation>
    </message>
    <message>
        <location filename="../assistant.py" line="72" />
        <source>Virtual camera</source>
        <translation>Cámara virtual</translation>
    </message>
    <message>
        <location filename="../assistant.py" line="73" />
        <source>Meetings see you through a virtual camera. This is what your computer has:</source>
        <translation>Las reuniones le ven a través de una cámara virtual. Esto es lo que tiene su equipo:</translation>
    </message>
    <message>
        <location filename="../assistant.py" line="79" />
        <source>Model</source>
        <translation>Modelo</translation>
    </message>
    <message>
        <location filename="../assistant.py" line="80" />
        <source>The bundled network works at once. Robust Video Matting cuts hair out finer; it is downloaded only if you ask for it, and stays on this computer.</source>
        <translation>La red incluida funciona al instante. Robust Video Matting recorta mejor el pelo; solo se descarga si usted lo pide y se queda en este equipo.</translation>
    </message>
    <message>
        <location filename="../assistant.py" line="124" />
        <location filename="../assistant.py" line="114" />
        <source>Camera</source>
        <translation>Cámara</translation>
    </message>
    <message>
        <location filename="../assistant.py" line="114" />
        <source>Where the picture comes from</source>
        <translation>De dónde viene la imagen</translation>
    </message>
    <message>
        <location filename="../assistant.py" line="124" />
        <source>Choose your camera. Only you see this preview.</source>
        <translation>Elija su cámara. Solo usted ve esta vista previa.</translation>
    </message>
    <message>
        <location filename="../assistant.py" line="132" />
        <location filename="../assistant.py" line="131" />
        <source>Skip the set-up</source>
        <translation>Omitir la configuración</translation>
    </message>
    <message>
        <location filename="../assistant.py" line="132" />
        <source>It can be opened again from the menu</source>
        <translation>Se puede volver a abrir desde el menú</translation>
    </message>
    <message>
        <location filename="../assistant.py" line="135" />
        <location filename="../assistant.py" line="134" />
        <source>Back</source>
        <translation>Atrás</translation>
    </message>
    <message>
        <location filename="../assistant.py" line="135" />
        <source>To the step before</source>
        <translation>Al paso anterior</translation>
    </message>
    <message>
        <location filename="../assistant.py" line="164" />
        <location filename="../assistant.py" line="137" />
        <source>Next</source>
        <translation>Siguiente</translation>
    </message>
    <message>
        <location filename="../assistant.py" line="164" />
        <source>Done</source>
        <translation>Listo</translation>
    </message>
    <message>
        <location filename="../assistant.py" line="166" />
        <source>To the next step</source>
        <translation>Al paso siguiente</translation>
    </message>
    <message>
        <location filename="../assistant.py" line="167" />
        <source>Step {0} of {1}</source>
        <translation>Paso {0} de {1}</translation>
    </message>
</context><context>
    <name>BackgroundLibrary</name>
    <message>
        <location filename="../backgrounds/library.py" line="56" />
        <source>There is no picture in what was pasted; copy an image first.</source>
        <translation>Lo pegado no contiene ninguna imagen; copie primero una imagen.</translation>
    </message>
    <message>
        <location filename="../backgrounds/library.py" line="58" />
        <source>Picture</source>
        <translation>Imagen</translation>
    </message>
    <message>
        <location filename="../backgrounds/library.py" line="90" />
        <source>None</source>
        <translation>Ninguno</translation>
    </message>
    <message>
        <location filename="../backgrounds/library.py" line="91" />
        <source>Blur</source>
        <translation>Desenfoque</translation>
    </message>
    <message>
        <location filename="../backgrounds/library.py" line="92" />
        <source>Green</source>
        <translation>Verde</translation>
    </message>
    <message>
        <location filename="../backgrounds/library.py" line="93" />
        <source>Colour</source>
        <translation>Color</translation>
    </message>
    <message>
        <location filename="../backgrounds/library.py" line="123" />
        <source>No picture came from {0}; save it to a file and add that.</source>
        <translation>No llegó ninguna imagen de {0}; guárdela en un archivo y añádalo.</translation>
    </message>
</context><context>
    <name>BackgroundOptions</name>
    <message>
        <location filename="../backgrounds/options.py" line="25" />
        <source>Blur strength</source>
        <translation>Intensidad del desenfoque</translation>
    </message>
    <message>
        <location filename="../backgrounds/options.py" line="26" />
        <source>How strongly the room is blurred</source>
        <translation>Cuánto se desenfoca la habitación</translation>
    </message>
    <message>
        <location filename="../backgrounds/options.py" line="40" />
        <location filename="../backgrounds/options.py" line="32" />
        <source>Fit</source>
        <translation>Ajuste</translation>
    </message>
    <message>
        <location filename="../backgrounds/options.py" line="32" />
        <source>How the image fills the picture</source>
        <translation>Cómo llena la imagen el cuadro</translation>
    </message>
    <message>
        <location filename="../backgrounds/options.py" line="35" />
        <source>Choose the colour…</source>
        <translation>Elegir el color…</translation>
    </message>
    <message>
        <location filename="../backgrounds/options.py" line="36" />
        <source>Choose the colour</source>
        <translation>Elegir el color</translation>
    </message>
    <message>
        <location filename="../backgrounds/options.py" line="36" />
        <source>The colour behind you</source>
        <translation>El color detrás de usted</translation>
    </message>
    <message>
        <location filename="../backgrounds/options.py" line="38" />
        <source>Your room can be seen.</source>
        <translation>Se ve su habitación.</translation>
    </message>
    <message>
        <location filename="../backgrounds/options.py" line="40" />
        <source>Strength</source>
        <translation>Intensidad</translation>
    </message>
    <message>
        <location filename="../backgrounds/options.py" line="51" />
        <source>Fill the picture</source>
        <translation>Llenar el cuadro</translation>
    </message>
    <message>
        <location filename="../backgrounds/options.py" line="51" />
        <source>Show all of it</source>
        <translation>Mostrar entera</translation>
    </message>
</context><context>
    <name>BackgroundStrip</name>
    <message>
        <location filename="../backgrounds/strip.py" line="183" />
        <location filename="../backgrounds/strip.py" line="47" />
        <source>Add…</source>
        <translation>Añadir…</translation>
    </message>
    <message>
        <location filename="../backgrounds/strip.py" line="50" />
        <source>Add a background</source>
        <translation>Añadir un fondo</translation>
    </message>
    <message>
        <location filename="../backgrounds/strip.py" line="51" />
        <source>Add images or videos; they can be dropped or pasted as well</source>
        <translation>Añadir imágenes o vídeos; también se pueden soltar o pegar</translation>
    </message>
    <message>
        <location filename="../backgrounds/strip.py" line="88" />
        <source>Images and videos ({0})</source>
        <translation>Imágenes y vídeos ({0})</translation>
    </message>
    <message>
        <location filename="../backgrounds/strip.py" line="89" />
        <source>Add backgrounds</source>
        <translation>Añadir fondos</translation>
    </message>
    <message>
        <location filename="../backgrounds/strip.py" line="117" />
        <source>Backgrounds</source>
        <translation>Fondos</translation>
    </message>
    <message>
        <location filename="../backgrounds/strip.py" line="117" />
        <source>Choose what is behind you</source>
        <translation>Elija lo que hay detrás de usted</translation>
    </message>
    <message>
        <location filename="../backgrounds/strip.py" line="146" />
        <source>Background</source>
        <translation>Fondo</translation>
    </message>
    <message>
        <location filename="../backgrounds/strip.py" line="176" />
        <source>Use</source>
        <translation>Usar</translation>
    </message>
    <message>
        <location filename="../backgrounds/strip.py" line="178" />
        <source>Choose the colour…</source>
        <translation>Elegir el color…</translation>
    </message>
    <message>
        <location filename="../backgrounds/strip.py" line="180" />
        <source>Rename…</source>
        <translation>Cambiar el nombre…</translation>
    </message>
    <message>
        <location filename="../backgrounds/strip.py" line="181" />
        <source>Remove</source>
        <translation>Quitar</translation>
    </message>
    <message>
        <location filename="../backgrounds/strip.py" line="203" />
        <source>Rename the background</source>
        <translation>Cambiar el nombre del fondo</translation>
    </message>
</context><context>
    <name>Backgrounds</name>
    <message>
        <location filename="../backgrounds/names.py" line="18" />
        <source>Soft studio</source>
        <translation>Estudio suave</translation>
    </message>
    <message>
        <location filename="../backgrounds/names.py" line="19" />
        <source>Window light</source>
        <translation>Luz de ventana</translation>
    </message>
    <message>
        <location filename="../backgrounds/names.py" line="20" />
        <source>White bricks</source>
        <translation>Ladrillo blanco</translation>
    </message>
    <message>
        <location filename="../backgrounds/names.py" line="21" />
        <source>Oak slats</source>
        <translation>Listones de roble</translation>
    </message>
    <message>
        <location filename="../backgrounds/names.py" line="22" />
        <source>Bookshelf</source>
        <translation>Estantería</translation>
    </message>
    <message>
        <location filename="../backgrounds/names.py" line="23" />
        <source>Paper waves</source>
        <translation>Ondas de papel</translation>
    </message>
    <message>
        <location filename="../backgrounds/names.py" line="24" />
        <source>Dusk hills</source>
        <translation>Colinas al anochecer</translation>
    </message>
    <message>
        <location filename="../backgrounds/names.py" line="25" />
        <source>Evening lights</source>
        <translation>Luces de noche</translation>
    </message>
</context><context>
    <name>CameraPage</name>
    <message>
        <location filename="../panels/camera.py" line="45" />
        <location filename="../panels/camera.py" line="36" />
        <source>Camera</source>
        <translation>Cámara</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="36" />
        <source>Where the picture comes from</source>
        <translation>De dónde viene la imagen</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="46" />
        <location filename="../panels/camera.py" line="37" />
        <source>Size</source>
        <translation>Tamaño</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="37" />
        <source>Width and height of the picture</source>
        <translation>Anchura y altura de la imagen</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="47" />
        <location filename="../panels/camera.py" line="38" />
        <source>Pictures a second</source>
        <translation>Imágenes por segundo</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="38" />
        <source>How many pictures the camera gives</source>
        <translation>Cuántas imágenes da la cámara</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="48" />
        <location filename="../panels/camera.py" line="39" />
        <source>Format</source>
        <translation>Formato</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="39" />
        <source>How the camera sends its pictures</source>
        <translation>Cómo envía la cámara sus imágenes</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="42" />
        <source>Mirror the preview</source>
        <translation>Reflejar la vista previa</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="42" />
        <source>See yourself as in a mirror; the others do not</source>
        <translation>Véase como en un espejo; los demás no</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="44" />
        <source>Source</source>
        <translation>Fuente</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="50" />
        <source>Framing</source>
        <translation>Encuadre</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="52" />
        <source>Preview</source>
        <translation>Vista previa</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="76" />
        <source>{0} gives {1} × {2} at {3} per second {4}</source>
        <translation>{0} da {1} × {2} a {3} por segundo {4}</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="88" />
        <source>Choose a video</source>
        <translation>Elegir un vídeo</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="130" />
        <location filename="../panels/camera.py" line="102" />
        <source>Automatic</source>
        <translation>Automático</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="104" />
        <source>Demonstration</source>
        <translation>Demostración</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="107" />
        <source>A camera that is not plugged in</source>
        <translation>Una cámara que no está conectada</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="109" />
        <source>Video file…</source>
        <translation>Archivo de vídeo…</translation>
    </message>
</context><context>
    <name>Dialogs</name>
    <message>
        <location filename="../dialogs.py" line="44" />
        <source>Name:</source>
        <translation>Nombre:</translation>
    </message>
</context><context>
    <name>DoctorDialog</name>
    <message>
        <location filename="../doctor_dialog.py" line="61" />
        <source>Check this computer</source>
        <translation>Comprobar este equipo</translation>
    </message>
    <message>
        <location filename="../doctor_dialog.py" line="69" />
        <location filename="../doctor_dialog.py" line="66" />
        <source>Send a test picture</source>
        <translation>Enviar una imagen de prueba</translation>
    </message>
    <message>
        <location filename="../doctor_dialog.py" line="70" />
        <source>Other programs see colour bars for a second, which are read back and compared</source>
        <translation>Otros programas ven durante un segundo barras de color, que se vuelven a leer y se comparan</translation>
    </message>
</context><context>
    <name>EdgeControls</name>
    <message>
        <location filename="../panels/edges.py" line="60" />
        <location filename="../panels/edges.py" line="59" />
        <source>Reset the edge</source>
        <translation>Restablecer el borde</translation>
    </message>
    <message>
        <location filename="../panels/edges.py" line="60" />
        <source>Leave the matte as the network gives it</source>
        <translation>Dejar la máscara como la da la red</translation>
    </message>
    <message>
        <location filename="../panels/edges.py" line="68" />
        <source>Hardness</source>
        <translation>Dureza</translation>
    </message>
    <message>
        <location filename="../panels/edges.py" line="68" />
        <source>From the soft matte to a hard cut-out</source>
        <translation>De la máscara suave al recorte duro</translation>
    </message>
    <message>
        <location filename="../panels/edges.py" line="69" />
        <source>Threshold</source>
        <translation>Umbral</translation>
    </message>
    <message>
        <location filename="../panels/edges.py" line="69" />
        <source>Which parts stay when the edge is hardened</source>
        <translation>Qué partes quedan al endurecer el borde</translation>
    </message>
    <message>
        <location filename="../panels/edges.py" line="70" />
        <source>Shrink or grow</source>
        <translation>Encoger o crecer</translation>
    </message>
    <message>
        <location filename="../panels/edges.py" line="70" />
        <source>Moves the edge into the person or away</source>
        <translation>Mueve el borde hacia la persona o la aleja</translation>
    </message>
    <message>
        <location filename="../panels/edges.py" line="71" />
        <source>Feather outward</source>
        <translation>Suavizar hacia fuera</translation>
    </message>
    <message>
        <location filename="../panels/edges.py" line="71" />
        <source>Softens the edge without eating into the person</source>
        <translation>Suaviza el borde sin comerse a la persona</translation>
    </message>
    <message>
        <location filename="../panels/edges.py" line="72" />
        <source>Steadiness</source>
        <translation>Estabilidad</translation>
    </message>
    <message>
        <location filename="../panels/edges.py" line="72" />
        <source>Holds back flicker of the edge</source>
        <translation>Frena el parpadeo del borde</translation>
    </message>
    <message>
        <location filename="../panels/edges.py" line="73" />
        <source>Despill</source>
        <translation>Quitar reflejos</translation>
    </message>
    <message>
        <location filename="../panels/edges.py" line="73" />
        <source>Takes a green cast out of hair and edges</source>
        <translation>Quita el tono verde del pelo y los bordes</translation>
    </message>
</context><context>
    <name>ErrorBar</name>
    <message>
        <location filename="../error_bar.py" line="25" />
        <source>Problem</source>
        <translation>Problema</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="25" />
        <source>What went wrong</source>
        <translation>Qué ha fallado</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="38" />
        <source>Help</source>
        <translation>Ayuda</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="38" />
        <source>Helps with the problem</source>
        <translation>Ayuda con el problema</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="41" />
        <source>Dismiss</source>
        <translation>Descartar</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="41" />
        <source>Hide this message</source>
        <translation>Ocultar este mensaje</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="77" />
        <source>and {0} more</source>
        <translation>y {0} más</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="87" />
        <source>Camera</source>
        <translation>Cámara</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="88" />
        <source>Matting</source>
        <translation>Recorte</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="89" />
        <source>Background</source>
        <translation>Fondo</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="90" />
        <source>Virtual camera</source>
        <translation>Cámara virtual</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="91" />
        <source>Recording</source>
        <translation>Grabación</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="92" />
        <source>Output</source>
        <translation>Salida</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="93" />
        <source>Settings</source>
        <translation>Ajustes</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="98" />
        <source>Choose another camera</source>
        <translation>Elegir otra cámara</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="99" />
        <source>Choose another model</source>
        <translation>Elegir otro modelo</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="100" />
        <source>Use the blur</source>
        <translation>Usar el desenfoque</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="101" />
        <source>Set up…</source>
        <translation>Configurar…</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="102" />
        <source>Choose another folder</source>
        <translation>Elegir otra carpeta</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="103" />
        <source>Try again</source>
        <translation>Reintentar</translation>
    </message>
</context><context>
    <name>Findings</name>
    <message>
        <location filename="../findings_view.py" line="173" />
        <source>Camera</source>
        <translation>Cámara</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="174" />
        <source>Camera: permission</source>
        <translation>Cámara: permiso</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="175" />
        <source>Camera: in use</source>
        <translation>Cámara: en uso</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="176" />
        <source>Virtual camera: module</source>
        <translation>Cámara virtual: módulo</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="177" />
        <source>Virtual camera: device</source>
        <translation>Cámara virtual: dispositivo</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="178" />
        <source>Virtual camera: installed</source>
        <translation>Cámara virtual: instalada</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="179" />
        <source>Virtual camera: seen by browsers</source>
        <translation>Cámara virtual: visible para los navegadores</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="180" />
        <source>Virtual camera: permission</source>
        <translation>Cámara virtual: permiso</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="181" />
        <source>Virtual camera: in use</source>
        <translation>Cámara virtual: en uso</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="182" />
        <source>Virtual camera: at the start of the computer</source>
        <translation>Cámara virtual: al encender el equipo</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="183" />
        <source>Virtual camera: Secure Boot</source>
        <translation>Cámara virtual: Secure Boot</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="184" />
        <source>Virtual camera: options</source>
        <translation>Cámara virtual: opciones</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="185" />
        <source>Virtual camera: test picture</source>
        <translation>Cámara virtual: imagen de prueba</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="186" />
        <source>Graphics card</source>
        <translation>Tarjeta gráfica</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="187" />
        <source>Models</source>
        <translation>Modelos</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="188" />
        <source>Display</source>
        <translation>Pantalla</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="189" />
        <source>Display: libraries</source>
        <translation>Pantalla: bibliotecas</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="190" />
        <source>Disk of the settings</source>
        <translation>Disco de los ajustes</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="191" />
        <source>Disk of the models</source>
        <translation>Disco de los modelos</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="197" />
        <source>fine</source>
        <translation>bien</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="198" />
        <source>warning</source>
        <translation>aviso</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="199" />
        <source>problem</source>
        <translation>problema</translation>
    </message>
</context><context>
    <name>FindingsDialog</name>
    <message>
        <location filename="../doctor_dialog.py" line="33" />
        <source>Choosing the camera in other programs…</source>
        <translation>Elegir la cámara en otros programas…</translation>
    </message>
    <message>
        <location filename="../doctor_dialog.py" line="35" />
        <source>Opens a page of the manual</source>
        <translation>Abre una página del manual</translation>
    </message>
    <message>
        <location filename="../doctor_dialog.py" line="37" />
        <source>Close</source>
        <translation>Cerrar</translation>
    </message>
    <message>
        <location filename="../doctor_dialog.py" line="39" />
        <source>Back to the window</source>
        <translation>Volver a la ventana</translation>
    </message>
</context><context>
    <name>FindingsView</name>
    <message>
        <location filename="../findings_view.py" line="72" />
        <location filename="../findings_view.py" line="32" />
        <source>Checking…</source>
        <translation>Comprobando…</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="47" />
        <location filename="../findings_view.py" line="44" />
        <source>Check again</source>
        <translation>Comprobar de nuevo</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="48" />
        <source>Look at this machine once more</source>
        <translation>Examinar este equipo otra vez</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="91" />
        <source>The virtual camera is ready.</source>
        <translation>La cámara virtual está lista.</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="92" />
        <source>Other programs cannot see the picture yet.</source>
        <translation>Otros programas aún no pueden ver la imagen.</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="164" />
        <location filename="../findings_view.py" line="163" />
        <source>Copy</source>
        <translation>Copiar</translation>
    </message>
</context><context>
    <name>FramingControls</name>
    <message>
        <location filename="../panels/framing.py" line="25" />
        <source>Zoom</source>
        <translation>Zoom</translation>
    </message>
    <message>
        <location filename="../panels/framing.py" line="26" />
        <source>Shows a part of the camera's picture larger</source>
        <translation>Muestra más grande una parte de la imagen de la cámara</translation>
    </message>
    <message>
        <location filename="../panels/framing.py" line="29" />
        <source>Sideways</source>
        <translation>Hacia los lados</translation>
    </message>
    <message>
        <location filename="../panels/framing.py" line="29" />
        <source>Moves the part shown to the left or right</source>
        <translation>Mueve la parte mostrada a la izquierda o a la derecha</translation>
    </message>
    <message>
        <location filename="../panels/framing.py" line="33" />
        <source>Up and down</source>
        <translation>Arriba y abajo</translation>
    </message>
    <message>
        <location filename="../panels/framing.py" line="33" />
        <source>Moves the part shown up or down</source>
        <translation>Mueve la parte mostrada hacia arriba o hacia abajo</translation>
    </message>
    <message>
        <location filename="../panels/framing.py" line="35" />
        <source>Turn the mouse wheel over the preview to zoom, drag to move.</source>
        <translation>Gire la rueda del ratón sobre la vista previa para ampliar; arrastre para mover.</translation>
    </message>
    <message>
        <location filename="../panels/framing.py" line="38" />
        <location filename="../panels/framing.py" line="36" />
        <source>Show the whole picture</source>
        <translation>Mostrar la imagen completa</translation>
    </message>
    <message>
        <location filename="../panels/framing.py" line="38" />
        <source>Ends the zoom of the camera's picture</source>
        <translation>Termina el zoom de la imagen de la cámara</translation>
    </message>
</context><context>
    <name>LogWindow</name>
    <message>
        <location filename="../log_window.py" line="31" />
        <location filename="../log_window.py" line="23" />
        <source>Log</source>
        <translation>Registro</translation>
    </message>
    <message>
        <location filename="../log_window.py" line="31" />
        <source>What the program did, newest last</source>
        <translation>Lo que hizo el programa, lo más nuevo al final</translation>
    </message>
    <message>
        <location filename="../log_window.py" line="36" />
        <location filename="../log_window.py" line="33" />
        <source>Copy diagnostics</source>
        <translation>Copiar el diagnóstico</translation>
    </message>
    <message>
        <location filename="../log_window.py" line="37" />
        <source>Copies versions, settings and the log, for a report</source>
        <translation>Copia versiones, ajustes y registro para un informe</translation>
    </message>
    <message>
        <location filename="../log_window.py" line="42" />
        <location filename="../log_window.py" line="41" />
        <source>Close</source>
        <translation>Cerrar</translation>
    </message>
    <message>
        <location filename="../log_window.py" line="42" />
        <source>Close the log window</source>
        <translation>Cerrar la ventana del registro</translation>
    </message>
    <message>
        <location filename="../log_window.py" line="77" />
        <source>Copied.</source>
        <translation>Copiado.</translation>
    </message>
</context><context>
    <name>MainWindow</name>
    <message>
        <location filename="../main_window.py" line="96" />
        <source>Camera</source>
        <translation>Cámara</translation>
    </message>
    <message>
        <location filename="../main_window.py" line="97" />
        <source>Matting</source>
        <translation>Recorte</translation>
    </message>
    <message>
        <location filename="../main_window.py" line="98" />
        <source>Output</source>
        <translation>Salida</translation>
    </message>
    <message>
        <location filename="../main_window.py" line="134" />
        <source>Saved {0}</source>
        <translation>Guardado: {0}</translation>
    </message>
    <message>
        <location filename="../main_window.py" line="185" />
        <source>Virtual camera</source>
        <translation>Cámara virtual</translation>
    </message>
    <message>
        <location filename="../main_window.py" line="202" />
        <source>About Mattecam</source>
        <translation>Acerca de Mattecam</translation>
    </message>
    <message>
        <location filename="../main_window.py" line="204" />
        <source>Mattecam cuts you out of your room, live, on this computer alone.</source>
        <translation>Mattecam le recorta de su habitación, en directo y solo en este equipo.</translation>
    </message>
    <message>
        <location filename="../main_window.py" line="205" />
        <source>Free software under the GNU General Public License, version 3 or later.</source>
        <translation>Software libre bajo la Licencia Pública General de GNU, versión 3 o posterior.</translation>
    </message>
</context><context>
    <name>MattingPage</name>
    <message>
        <location filename="../panels/matting.py" line="37" />
        <source>Adapt to a busy machine</source>
        <translation>Adaptarse a la carga</translation>
    </message>
    <message>
        <location filename="../panels/matting.py" line="38" />
        <source>Lowers the detail, what is automatic and the rate while the machine cannot keep up</source>
        <translation>Baja el detalle, lo automático y el ritmo mientras el equipo no dé abasto</translation>
    </message>
    <message>
        <location filename="../panels/matting.py" line="52" />
        <location filename="../panels/matting.py" line="41" />
        <source>Device</source>
        <translation>Dispositivo</translation>
    </message>
    <message>
        <location filename="../panels/matting.py" line="41" />
        <source>What computes the matte</source>
        <translation>Qué calcula la máscara</translation>
    </message>
    <message>
        <location filename="../panels/matting.py" line="53" />
        <location filename="../panels/matting.py" line="42" />
        <source>Executor</source>
        <translation>Ejecución</translation>
    </message>
    <message>
        <location filename="../panels/matting.py" line="42" />
        <source>How the network is run</source>
        <translation>Cómo se ejecuta la red</translation>
    </message>
    <message>
        <location filename="../panels/matting.py" line="54" />
        <location filename="../panels/matting.py" line="43" />
        <source>Precision</source>
        <translation>Precisión</translation>
    </message>
    <message>
        <location filename="../panels/matting.py" line="43" />
        <source>How exactly is computed</source>
        <translation>Con qué exactitud se calcula</translation>
    </message>
    <message>
        <location filename="../panels/matting.py" line="55" />
        <location filename="../panels/matting.py" line="44" />
        <source>Refiner</source>
        <translation>Refinado</translation>
    </message>
    <message>
        <location filename="../panels/matting.py" line="44" />
        <source>How the small matte becomes a large one</source>
        <translation>Cómo la máscara pequeña se hace grande</translation>
    </message>
    <message>
        <location filename="../panels/matting.py" line="45" />
        <source>Network</source>
        <translation>Red</translation>
    </message>
    <message>
        <location filename="../panels/matting.py" line="49" />
        <source>Edge</source>
        <translation>Borde</translation>
    </message>
    <message>
        <location filename="../panels/matting.py" line="51" />
        <source>Computation</source>
        <translation>Cálculo</translation>
    </message>
    <message>
        <location filename="../panels/matting.py" line="87" />
        <source>Automatic</source>
        <translation>Automático</translation>
    </message>
    <message>
        <location filename="../panels/matting.py" line="96" />
        <source>Deep guided filter</source>
        <translation>Filtro guiado profundo</translation>
    </message>
    <message>
        <location filename="../panels/matting.py" line="97" />
        <source>Fast guided filter</source>
        <translation>Filtro guiado rápido</translation>
    </message>
</context><context>
    <name>Menus</name>
    <message>
        <location filename="../menus.py" line="30" />
        <source>&amp;Scenes</source>
        <translation>&amp;Escenas</translation>
    </message>
    <message>
        <location filename="../menus.py" line="49" />
        <source>&amp;Program</source>
        <translation>&amp;Programa</translation>
    </message>
    <message>
        <location filename="../menus.py" line="52" />
        <source>Pause</source>
        <translation>Pausa</translation>
    </message>
    <message>
        <location filename="../menus.py" line="53" />
        <source>Freeze</source>
        <translation>Congelar</translation>
    </message>
    <message>
        <location filename="../menus.py" line="54" />
        <source>Record</source>
        <translation>Grabar</translation>
    </message>
    <message>
        <location filename="../menus.py" line="55" />
        <source>Snapshot</source>
        <translation>Foto</translation>
    </message>
    <message>
        <location filename="../menus.py" line="58" />
        <source>Open the folder of recordings</source>
        <translation>Abrir la carpeta de grabaciones</translation>
    </message>
    <message>
        <location filename="../menus.py" line="60" />
        <source>Set-up assistant…</source>
        <translation>Asistente de configuración…</translation>
    </message>
    <message>
        <location filename="../menus.py" line="62" />
        <source>Quit</source>
        <translation>Salir</translation>
    </message>
    <message>
        <location filename="../menus.py" line="65" />
        <source>&amp;View</source>
        <translation>&amp;Ver</translation>
    </message>
    <message>
        <location filename="../menus.py" line="70" />
        <source>Mirror the preview</source>
        <translation>Reflejar la vista previa</translation>
    </message>
    <message>
        <location filename="../menus.py" line="71" />
        <source>Figures on the preview</source>
        <translation>Cifras sobre la vista previa</translation>
    </message>
    <message>
        <location filename="../menus.py" line="72" />
        <source>Side panel</source>
        <translation>Panel lateral</translation>
    </message>
    <message>
        <location filename="../menus.py" line="73" />
        <source>Performance plot</source>
        <translation>Gráfico de rendimiento</translation>
    </message>
    <message>
        <location filename="../menus.py" line="75" />
        <source>Colours</source>
        <translation>Colores</translation>
    </message>
    <message>
        <location filename="../menus.py" line="79" />
        <source>As the system</source>
        <translation>Como el sistema</translation>
    </message>
    <message>
        <location filename="../menus.py" line="80" />
        <source>Light</source>
        <translation>Claro</translation>
    </message>
    <message>
        <location filename="../menus.py" line="81" />
        <source>Dark</source>
        <translation>Oscuro</translation>
    </message>
    <message>
        <location filename="../menus.py" line="101" />
        <source>&amp;Background</source>
        <translation>&amp;Fondo</translation>
    </message>
    <message>
        <location filename="../menus.py" line="102" />
        <source>Add…</source>
        <translation>Añadir…</translation>
    </message>
    <message>
        <location filename="../menus.py" line="103" />
        <source>Paste</source>
        <translation>Pegar</translation>
    </message>
    <message>
        <location filename="../menus.py" line="105" />
        <source>Rename…</source>
        <translation>Cambiar el nombre…</translation>
    </message>
    <message>
        <location filename="../menus.py" line="106" />
        <source>Remove</source>
        <translation>Quitar</translation>
    </message>
    <message>
        <location filename="../menus.py" line="109" />
        <source>&amp;Help</source>
        <translation>A&amp;yuda</translation>
    </message>
    <message>
        <location filename="../menus.py" line="110" />
        <source>Check this computer…</source>
        <translation>Comprobar este equipo…</translation>
    </message>
    <message>
        <location filename="../menus.py" line="111" />
        <source>Choosing the camera in other programs</source>
        <translation>Elegir la cámara en otros programas</translation>
    </message>
    <message>
        <location filename="../menus.py" line="112" />
        <source>Log</source>
        <translation>Registro</translation>
    </message>
    <message>
        <location filename="../menus.py" line="113" />
        <source>Copy diagnostics</source>
        <translation>Copiar el diagnóstico</translation>
    </message>
    <message>
        <location filename="../menus.py" line="114" />
        <source>About Mattecam</source>
        <translation>Acerca de Mattecam</translation>
    </message>
    <message>
        <location filename="../menus.py" line="119" />
        <source>There is no picture to paste; copy an image or a file first.</source>
        <translation>No hay ninguna imagen que pegar; copie primero una imagen o un archivo.</translation>
    </message>
</context><context>
    <name>Models</name>
    <message>
        <location filename="../model_names.py" line="13" />
        <source>Automatic</source>
        <translation>Automático</translation>
    </message>
    <message>
        <location filename="../model_names.py" line="14" />
        <source>Mattecam (bundled, fast)</source>
        <translation>Mattecam (incluido, rápido)</translation>
    </message>
    <message>
        <location filename="../model_names.py" line="15" />
        <source>Robust Video Matting, fast</source>
        <translation>Robust Video Matting, rápido</translation>
    </message>
    <message>
        <location filename="../model_names.py" line="16" />
        <source>Robust Video Matting, fine</source>
        <translation>Robust Video Matting, fino</translation>
    </message>
    <message>
        <location filename="../model_names.py" line="17" />
        <source>Background Matting, fast</source>
        <translation>Background Matting, rápido</translation>
    </message>
    <message>
        <location filename="../model_names.py" line="18" />
        <source>Background Matting, fine</source>
        <translation>Background Matting, fino</translation>
    </message>
    <message>
        <location filename="../model_names.py" line="19" />
        <source>Background Matting, finest</source>
        <translation>Background Matting, el más fino</translation>
    </message>
    <message>
        <location filename="../model_names.py" line="20" />
        <source>U²-Net, any object</source>
        <translation>U²-Net, cualquier objeto</translation>
    </message>
    <message>
        <location filename="../model_names.py" line="21" />
        <source>U²-Net, any object, small</source>
        <translation>U²-Net, cualquier objeto, pequeño</translation>
    </message>
    <message>
        <location filename="../model_names.py" line="22" />
        <source>U²-Net, people</source>
        <translation>U²-Net, personas</translation>
    </message>
</context><context>
    <name>NetworkControls</name>
    <message>
        <location filename="../panels/network.py" line="46" />
        <location filename="../panels/network.py" line="29" />
        <source>Model</source>
        <translation>Modelo</translation>
    </message>
    <message>
        <location filename="../panels/network.py" line="29" />
        <source>The network that cuts you out</source>
        <translation>La red que le recorta</translation>
    </message>
    <message>
        <location filename="../panels/network.py" line="34" />
        <location filename="../panels/network.py" line="33" />
        <source>Download</source>
        <translation>Descargar</translation>
    </message>
    <message>
        <location filename="../panels/network.py" line="33" />
        <source>How much of the model has come</source>
        <translation>Cuánto del modelo ha llegado</translation>
    </message>
    <message>
        <location filename="../panels/network.py" line="35" />
        <source>Download the model</source>
        <translation>Descargar el modelo</translation>
    </message>
    <message>
        <location filename="../panels/network.py" line="35" />
        <source>Get the model's weights now</source>
        <translation>Obtener ahora los pesos del modelo</translation>
    </message>
    <message>
        <location filename="../panels/network.py" line="36" />
        <source>Cancel</source>
        <translation>Cancelar</translation>
    </message>
    <message>
        <location filename="../panels/network.py" line="37" />
        <source>Cancel the download</source>
        <translation>Cancelar la descarga</translation>
    </message>
    <message>
        <location filename="../panels/network.py" line="37" />
        <source>Stop the download</source>
        <translation>Detener la descarga</translation>
    </message>
    <message>
        <location filename="../panels/network.py" line="66" />
        <source>In use: {0}</source>
        <translation>En uso: {0}</translation>
    </message>
    <message>
        <location filename="../panels/network.py" line="93" />
        <source>{0} (to be downloaded)</source>
        <translation>{0} (por descargar)</translation>
    </message>
    <message>
        <location filename="../panels/network.py" line="101" />
        <source>size unknown</source>
        <translation>tamaño desconocido</translation>
    </message>
    <message>
        <location filename="../panels/network.py" line="102" />
        <source>Not on hand: {0}, licence {1}</source>
        <translation>No disponible: {0}, licencia {1}</translation>
    </message>
</context><context>
    <name>OutputPage</name>
    <message>
        <location filename="../panels/output.py" line="30" />
        <source>Mirror what the others see</source>
        <translation>Reflejar lo que ven los demás</translation>
    </message>
    <message>
        <location filename="../panels/output.py" line="31" />
        <source>Turns words in the picture round as well</source>
        <translation>También invierte los textos de la imagen</translation>
    </message>
    <message>
        <location filename="../panels/output.py" line="71" />
        <location filename="../panels/output.py" line="37" />
        <source>Folder for recordings</source>
        <translation>Carpeta de grabaciones</translation>
    </message>
    <message>
        <location filename="../panels/output.py" line="38" />
        <source>Where recordings and snapshots go</source>
        <translation>Adónde van las grabaciones y fotos</translation>
    </message>
    <message>
        <location filename="../panels/output.py" line="42" />
        <source>Virtual camera</source>
        <translation>Cámara virtual</translation>
    </message>
    <message>
        <location filename="../panels/output.py" line="45" />
        <source>Pause</source>
        <translation>Pausa</translation>
    </message>
    <message>
        <location filename="../panels/output.py" line="47" />
        <source>Recordings and snapshots</source>
        <translation>Grabaciones y fotos</translation>
    </message>
    <message>
        <location filename="../panels/output.py" line="48" />
        <source>Folder</source>
        <translation>Carpeta</translation>
    </message>
    <message>
        <location filename="../panels/output.py" line="66" />
        <source>Recording {0}</source>
        <translation>Grabando {0}</translation>
    </message>
</context><context>
    <name>PlateControls</name>
    <message>
        <location filename="../panels/plate.py" line="63" />
        <location filename="../panels/plate.py" line="46" />
        <location filename="../panels/plate.py" line="38" />
        <source>Picture of the empty room</source>
        <translation>Imagen de la habitación vacía</translation>
    </message>
    <message>
        <location filename="../panels/plate.py" line="40" />
        <source>It was taken with another camera: take it again.</source>
        <translation>Se tomó con otra cámara: vuelva a tomarla.</translation>
    </message>
    <message>
        <location filename="../panels/plate.py" line="41" />
        <source>Show the empty room…</source>
        <translation>Mostrar la habitación vacía…</translation>
    </message>
    <message>
        <location filename="../panels/plate.py" line="42" />
        <source>Show the empty room</source>
        <translation>Mostrar la habitación vacía</translation>
    </message>
    <message>
        <location filename="../panels/plate.py" line="42" />
        <source>Take a picture of your room now</source>
        <translation>Tomar ahora una imagen de la habitación</translation>
    </message>
    <message>
        <location filename="../panels/plate.py" line="43" />
        <source>Picture of the empty room…</source>
        <translation>Imagen de la habitación vacía…</translation>
    </message>
    <message>
        <location filename="../panels/plate.py" line="47" />
        <source>This model compares you with a picture of your room without you</source>
        <translation>Este modelo le compara con una imagen de su habitación sin usted</translation>
    </message>
    <message>
        <location filename="../panels/plate.py" line="102" />
        <source>Taken {0}</source>
        <translation>Tomada {0}</translation>
    </message>
</context><context>
    <name>PlateDialog</name>
    <message>
        <location filename="../plate_dialog.py" line="46" />
        <source>Picture of the empty room</source>
        <translation>Imagen de la habitación vacía</translation>
    </message>
    <message>
        <location filename="../plate_dialog.py" line="68" />
        <source>Progress</source>
        <translation>Progreso</translation>
    </message>
    <message>
        <location filename="../plate_dialog.py" line="68" />
        <source>How much of the picture is taken</source>
        <translation>Qué parte de la imagen está tomada</translation>
    </message>
    <message>
        <location filename="../plate_dialog.py" line="70" />
        <location filename="../plate_dialog.py" line="69" />
        <source>Start</source>
        <translation>Empezar</translation>
    </message>
    <message>
        <location filename="../plate_dialog.py" line="70" />
        <source>Begin the countdown</source>
        <translation>Empezar la cuenta atrás</translation>
    </message>
    <message>
        <location filename="../plate_dialog.py" line="71" />
        <source>Close</source>
        <translation>Cerrar</translation>
    </message>
    <message>
        <location filename="../plate_dialog.py" line="84" />
        <source>Step out of the picture after the start, and leave the room and the camera as they are.</source>
        <translation>Tras empezar, salga de la imagen y deje la habitación y la cámara como están.</translation>
    </message>
    <message>
        <location filename="../plate_dialog.py" line="93" />
        <source>Step out of the picture.</source>
        <translation>Salga de la imagen.</translation>
    </message>
    <message>
        <location filename="../plate_dialog.py" line="109" />
        <source>The picture is being taken.</source>
        <translation>Se está tomando la imagen.</translation>
    </message>
    <message>
        <location filename="../plate_dialog.py" line="116" />
        <source>The camera gives no pictures.</source>
        <translation>La cámara no da imágenes.</translation>
    </message>
    <message>
        <location filename="../plate_dialog.py" line="119" />
        <source>Checking that nobody is in it.</source>
        <translation>Se comprueba que no haya nadie en ella.</translation>
    </message>
    <message>
        <location filename="../plate_dialog.py" line="132" />
        <source>Done: the room is known now.</source>
        <translation>Listo: ya se conoce la habitación.</translation>
    </message>
    <message>
        <location filename="../plate_dialog.py" line="139" />
        <source>Try again</source>
        <translation>Reintentar</translation>
    </message>
</context><context>
    <name>PlotPanel</name>
    <message>
        <location filename="../plot_panel.py" line="31" />
        <source>Performance</source>
        <translation>Rendimiento</translation>
    </message>
    <message>
        <location filename="../plot_panel.py" line="31" />
        <source>The last minute</source>
        <translation>El último minuto</translation>
    </message>
    <message>
        <location filename="../plot_panel.py" line="102" />
        <location filename="../plot_panel.py" line="43" />
        <source>Pictures a second</source>
        <translation>Imágenes por segundo</translation>
    </message>
    <message>
        <location filename="../plot_panel.py" line="102" />
        <location filename="../plot_panel.py" line="44" />
        <source>Latency in ms</source>
        <translation>Latencia en ms</translation>
    </message>
</context><context>
    <name>Preview</name>
    <message>
        <location filename="../preview.py" line="39" />
        <source>Preview</source>
        <translation>Vista previa</translation>
    </message>
    <message>
        <location filename="../preview.py" line="39" />
        <source>What the others see</source>
        <translation>Lo que ven los demás</translation>
    </message>
    <message>
        <location filename="../preview.py" line="46" />
        <source>Starting…</source>
        <translation>Iniciando…</translation>
    </message>
</context><context>
    <name>RatioControl</name>
    <message>
        <location filename="../panels/ratio.py" line="24" />
        <source>Detail</source>
        <translation>Detalle</translation>
    </message>
    <message>
        <location filename="../panels/ratio.py" line="25" />
        <source>How large the network sees the picture: more is finer and slower</source>
        <translation>A qué tamaño ve la red la imagen: más es más fino y más lento</translation>
    </message>
    <message>
        <location filename="../panels/ratio.py" line="28" />
        <source>Automatic</source>
        <translation>Automático</translation>
    </message>
    <message>
        <location filename="../panels/ratio.py" line="31" />
        <source>Detail automatically</source>
        <translation>Detalle automático</translation>
    </message>
    <message>
        <location filename="../panels/ratio.py" line="32" />
        <source>Choose the detail by the size of the picture</source>
        <translation>Elegir el detalle según el tamaño de la imagen</translation>
    </message>
    <message>
        <location filename="../panels/ratio.py" line="56" />
        <source>The network sees {0} × {1} px</source>
        <translation>La red ve {0} × {1} px</translation>
    </message>
</context><context>
    <name>Readout</name>
    <message>
        <location filename="../readout.py" line="84" />
        <source>Your room can be seen</source>
        <translation>Se ve su habitación</translation>
    </message>
    <message>
        <location filename="../readout.py" line="90" />
        <source>{0} fps · {1} ms</source>
        <translation>{0} ips · {1} ms</translation>
    </message>
    <message>
        <location filename="../readout.py" line="95" />
        <source>On air in {0} programs</source>
        <translation>En el aire en {0} programas</translation>
    </message>
    <message>
        <location filename="../readout.py" line="96" />
        <source>On air</source>
        <translation>En el aire</translation>
    </message>
    <message>
        <location filename="../readout.py" line="100" />
        <source>Paused: the others see the stand-by card</source>
        <translation>En pausa: los demás ven la tarjeta de espera</translation>
    </message>
    <message>
        <location filename="../readout.py" line="101" />
        <source>Waiting: the others see the stand-by card</source>
        <translation>En espera: los demás ven la tarjeta de espera</translation>
    </message>
    <message>
        <location filename="../readout.py" line="102" />
        <source>Resting: the camera is off</source>
        <translation>En reposo: la cámara está apagada</translation>
    </message>
    <message>
        <location filename="../readout.py" line="103" />
        <source>Starting: the others see the stand-by card</source>
        <translation>Iniciando: los demás ven la tarjeta de espera</translation>
    </message>
</context><context>
    <name>Recording</name>
    <message>
        <location filename="../recording.py" line="52" />
        <source>There is no picture yet; try again when the preview shows one.</source>
        <translation>Aún no hay imagen; inténtelo cuando la vista previa muestre una.</translation>
    </message>
</context><context>
    <name>ScenesMenu</name>
    <message>
        <location filename="../scenes_menu.py" line="56" />
        <source>Scene {0}</source>
        <translation>Escena {0}</translation>
    </message>
    <message>
        <location filename="../scenes_menu.py" line="57" />
        <source>Save as scene</source>
        <translation>Guardar como escena</translation>
    </message>
    <message>
        <location filename="../scenes_menu.py" line="65" />
        <source>Rename the scene</source>
        <translation>Cambiar el nombre de la escena</translation>
    </message>
    <message>
        <location filename="../scenes_menu.py" line="87" />
        <source>Rename</source>
        <translation>Cambiar el nombre</translation>
    </message>
    <message>
        <location filename="../scenes_menu.py" line="87" />
        <source>Remove</source>
        <translation>Quitar</translation>
    </message>
    <message>
        <location filename="../scenes_menu.py" line="93" />
        <source>Save as scene…</source>
        <translation>Guardar como escena…</translation>
    </message>
</context><context>
    <name>SmallPreview</name>
    <message>
        <location filename="../assistant.py" line="27" />
        <source>Preview</source>
        <translation>Vista previa</translation>
    </message>
</context><context>
    <name>StandbyControls</name>
    <message>
        <location filename="../panels/standby.py" line="27" />
        <location filename="../panels/standby.py" line="23" />
        <source>Stand-by text</source>
        <translation>Texto de espera</translation>
    </message>
    <message>
        <location filename="../panels/standby.py" line="26" />
        <source>Back in a moment</source>
        <translation>Vuelvo enseguida</translation>
    </message>
    <message>
        <location filename="../panels/standby.py" line="27" />
        <source>What the card says while you pause</source>
        <translation>Lo que dice la tarjeta durante la pausa</translation>
    </message>
    <message>
        <location filename="../panels/standby.py" line="29" />
        <source>Picture…</source>
        <translation>Imagen…</translation>
    </message>
    <message>
        <location filename="../panels/standby.py" line="55" />
        <location filename="../panels/standby.py" line="30" />
        <source>Stand-by picture</source>
        <translation>Imagen de espera</translation>
    </message>
    <message>
        <location filename="../panels/standby.py" line="30" />
        <source>A picture for the card while you pause</source>
        <translation>Una imagen para la tarjeta durante la pausa</translation>
    </message>
    <message>
        <location filename="../panels/standby.py" line="33" />
        <location filename="../panels/standby.py" line="31" />
        <source>Without picture</source>
        <translation>Sin imagen</translation>
    </message>
    <message>
        <location filename="../panels/standby.py" line="33" />
        <source>Use the plain stand-by card again</source>
        <translation>Usar otra vez la tarjeta sencilla</translation>
    </message>
    <message>
        <location filename="../panels/standby.py" line="55" />
        <source>Images ({0})</source>
        <translation>Imágenes ({0})</translation>
    </message>
</context><context>
    <name>StatusLine</name>
    <message>
        <location filename="../status_line.py" line="17" />
        <source>Starting</source>
        <translation>Iniciando</translation>
    </message>
    <message>
        <location filename="../status_line.py" line="18" />
        <source>Running</source>
        <translation>En marcha</translation>
    </message>
    <message>
        <location filename="../status_line.py" line="19" />
        <source>Paused</source>
        <translation>En pausa</translation>
    </message>
    <message>
        <location filename="../status_line.py" line="20" />
        <source>Waiting</source>
        <translation>En espera</translation>
    </message>
    <message>
        <location filename="../status_line.py" line="21" />
        <source>Resting: no program reads the virtual camera</source>
        <translation>En reposo: ningún programa lee la cámara virtual</translation>
    </message>
    <message>
        <location filename="../status_line.py" line="22" />
        <source>Stopped</source>
        <translation>Detenido</translation>
    </message>
    <message>
        <location filename="../status_line.py" line="28" />
        <source>{0} fps in, {1} out</source>
        <translation>{0} ips de entrada, {1} de salida</translation>
    </message>
    <message>
        <location filename="../status_line.py" line="31" />
        <source>{0} ms</source>
        <translation>{0} ms</translation>
    </message>
    <message>
        <location filename="../status_line.py" line="36" />
        <source>no virtual camera</source>
        <translation>sin cámara virtual</translation>
    </message>
    <message>
        <location filename="../status_line.py" line="47" />
        <source>detail {0} %</source>
        <translation>detalle {0} %</translation>
    </message>
    <message>
        <location filename="../status_line.py" line="49" />
        <source>lighter model</source>
        <translation>modelo más ligero</translation>
    </message>
    <message>
        <location filename="../status_line.py" line="51" />
        <source>every second picture</source>
        <translation>una de cada dos imágenes</translation>
    </message>
    <message>
        <location filename="../status_line.py" line="52" />
        <source>quality lowered to hold {0} fps: {1}</source>
        <translation>calidad reducida para mantener {0} ips: {1}</translation>
    </message>
    <message>
        <location filename="../status_line.py" line="59" />
        <source>preparing the model…</source>
        <translation>preparando el modelo…</translation>
    </message>
    <message>
        <location filename="../status_line.py" line="60" />
        <source>preparing the background…</source>
        <translation>preparando el fondo…</translation>
    </message>
</context><context>
    <name>TileModel</name>
    <message>
        <location filename="../backgrounds/model.py" line="46" />
        <source>{0}, chosen</source>
        <translation>{0}, elegido</translation>
    </message>
    <message>
        <location filename="../backgrounds/model.py" line="101" />
        <source>The room is shown as it is (Ctrl+0)</source>
        <translation>La habitación se muestra tal cual (Ctrl+0)</translation>
    </message>
    <message>
        <location filename="../backgrounds/model.py" line="102" />
        <source>{0} (key {1})</source>
        <translation>{0} (tecla {1})</translation>
    </message>
</context><context>
    <name>Tray</name>
    <message>
        <location filename="../tray.py" line="45" />
        <source>Open Mattecam</source>
        <translation>Abrir Mattecam</translation>
    </message>
    <message>
        <location filename="../tray.py" line="47" />
        <source>Go on</source>
        <translation>Continuar</translation>
    </message>
    <message>
        <location filename="../tray.py" line="47" />
        <source>Pause</source>
        <translation>Pausa</translation>
    </message>
    <message>
        <location filename="../tray.py" line="49" />
        <source>Background</source>
        <translation>Fondo</translation>
    </message>
    <message>
        <location filename="../tray.py" line="57" />
        <source>Quit</source>
        <translation>Salir</translation>
    </message>
</context><context>
    <name>VirtualCameraControls</name>
    <message>
        <location filename="../panels/virtual_camera.py" line="27" />
        <source>Send to other programs</source>
        <translation>Enviar a otros programas</translation>
    </message>
    <message>
        <location filename="../panels/virtual_camera.py" line="27" />
        <source>They choose it as their camera</source>
        <translation>Lo eligen como su cámara</translation>
    </message>
    <message>
        <location filename="../panels/virtual_camera.py" line="30" />
        <source>Which virtual camera</source>
        <translation>Qué cámara virtual</translation>
    </message>
    <message>
        <location filename="../panels/virtual_camera.py" line="30" />
        <source>Where other programs see it</source>
        <translation>Dónde la ven otros programas</translation>
    </message>
    <message>
        <location filename="../panels/virtual_camera.py" line="33" />
        <source>Set a virtual camera up…</source>
        <translation>Configurar una cámara virtual…</translation>
    </message>
    <message>
        <location filename="../panels/virtual_camera.py" line="34" />
        <source>Set a virtual camera up</source>
        <translation>Configurar una cámara virtual</translation>
    </message>
    <message>
        <location filename="../panels/virtual_camera.py" line="34" />
        <source>What this system needs</source>
        <translation>Qué necesita este sistema</translation>
    </message>
    <message>
        <location filename="../panels/virtual_camera.py" line="36" />
        <source>Rest while nobody watches</source>
        <translation>Descansar si nadie mira</translation>
    </message>
    <message>
        <location filename="../panels/virtual_camera.py" line="37" />
        <source>Switches the camera off while no program reads the virtual one and this window is hidden</source>
        <translation>Apaga la cámara mientras ningún programa lee la virtual y esta ventana está oculta</translation>
    </message>
    <message>
        <location filename="../panels/virtual_camera.py" line="62" />
        <source>Choose “{0}” in your meeting.</source>
        <translation>Elija «{0}» en su reunión.</translation>
    </message>
    <message>
        <location filename="../panels/virtual_camera.py" line="64" />
        <source>There is no virtual camera on this computer yet.</source>
        <translation>Aún no hay ninguna cámara virtual en este equipo.</translation>
    </message>
    <message>
        <location filename="../panels/virtual_camera.py" line="78" />
        <source>Automatic</source>
        <translation>Automático</translation>
    </message>
</context><context>
    <name>WindowLife</name>
    <message>
        <location filename="../life.py" line="65" />
        <source>Keep Mattecam running in the tray?</source>
        <translation>¿Dejar Mattecam en la bandeja del sistema?</translation>
    </message>
    <message>
        <location filename="../life.py" line="66" />
        <source>Meetings go on seeing you. This is asked only once.</source>
        <translation>Las reuniones le siguen viendo. Solo se pregunta una vez.</translation>
    </message>
    <message>
        <location filename="../life.py" line="67" />
        <source>Keep running</source>
        <translation>Dejarlo en marcha</translation>
    </message>
    <message>
        <location filename="../life.py" line="68" />
        <source>Quit</source>
        <translation>Salir</translation>
    </message>
</context></TS>
