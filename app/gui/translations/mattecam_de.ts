<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
    <context>
        <name>Mattecam</name>
        <message>
            <source>&amp;Background</source>
            <translation>&amp;Hintergrund</translation>
        </message>
        <message>
            <source>&amp;Help</source>
            <translation>&amp;Hilfe</translation>
        </message>
        <message>
            <source>&amp;Program</source>
            <translation>&amp;Programm</translation>
        </message>
        <message>
            <source>&amp;Scenes</source>
            <translation>&amp;Szenen</translation>
        </message>
        <message>
            <source>&amp;View</source>
            <translation>&amp;Ansicht</translation>
        </message>
        <message>
            <source>90° to the left</source>
            <translation>90° nach links</translation>
        </message>
        <message>
            <source>90° to the right</source>
            <translation>90° nach rechts</translation>
        </message>
        <message>
            <source>A background “{name}” already exists; choose another name.</source>
            <translation>Einen Hintergrund „{name}“ gibt es bereits; wählen Sie einen anderen Namen.</translation>
        </message>
        <message>
            <source>A camera delivers frames to one program at a time.</source>
            <translation>Eine Kamera liefert ihre Bilder immer nur an ein Programm.</translation>
        </message>
        <message>
            <source>A camera is in use by {programs}.</source>
            <translation>Eine Kamera wird von {programs} benutzt.</translation>
        </message>
        <message>
            <source>A camera that is not connected</source>
            <translation>Eine nicht angeschlossene Kamera</translation>
        </message>
        <message>
            <source>A file that the settings name does not answer; reconnect its disk.</source>
            <translation>Eine Datei aus den Einstellungen antwortet nicht; schließen Sie ihren Datenträger wieder an.</translation>
        </message>
        <message>
            <source>A frame of {width}×{height} at the detail {ratio} is too small for the model {model}; choose a larger one or more detail.</source>
            <translation>Ein Bild von {width} × {height} ist beim Detail {ratio} zu klein für das Modell {model}; wählen Sie ein größeres oder mehr Detail.</translation>
        </message>
        <message>
            <source>A narrow, hard edge</source>
            <translation>Eine schmale, harte Kante</translation>
        </message>
        <message>
            <source>A scene “{name}” already exists; choose another name or remove it first.</source>
            <translation>Eine Szene „{name}“ gibt es bereits; wählen Sie einen anderen Namen oder entfernen Sie sie zuerst.</translation>
        </message>
        <message>
            <source>A virtual camera accepts frames from one program at a time.</source>
            <translation>Eine virtuelle Kamera nimmt immer nur Bilder eines Programms an.</translation>
        </message>
        <message>
            <source>A wide, soft edge</source>
            <translation>Eine breite, weiche Kante</translation>
        </message>
        <message>
            <source>About Mattecam</source>
            <translation>Über Mattecam</translation>
        </message>
        <message>
            <source>Adapt your light and colours to the background.</source>
            <translation>Passt Ihr Licht und Ihre Farben an den Hintergrund an.</translation>
        </message>
        <message>
            <source>Add a background</source>
            <translation>Hintergrund hinzufügen</translation>
        </message>
        <message>
            <source>Add backgrounds</source>
            <translation>Hintergründe hinzufügen</translation>
        </message>
        <message>
            <source>Add images or videos. You can also drop or paste them.</source>
            <translation>Bilder oder Videos hinzufügen. Ziehen und Einfügen geht auch.</translation>
        </message>
        <message>
            <source>Add…</source>
            <translation>Hinzufügen…</translation>
        </message>
        <message>
            <source>Adjust the background</source>
            <translation>Hintergrund anpassen</translation>
        </message>
        <message>
            <source>Advanced</source>
            <translation>Erweitert</translation>
        </message>
        <message>
            <source>After a restart the virtual camera is missing.</source>
            <translation>Nach einem Neustart fehlt die virtuelle Kamera.</translation>
        </message>
        <message>
            <source>All backgrounds</source>
            <translation>Alle Hintergründe</translation>
        </message>
        <message>
            <source>All messages</source>
            <translation>Alle Meldungen</translation>
        </message>
        <message>
            <source>All processing stays on this computer.</source>
            <translation>Die gesamte Verarbeitung bleibt auf diesem Rechner.</translation>
        </message>
        <message>
            <source>All settings</source>
            <comment>the panel</comment>
            <translation>Alles</translation>
        </message>
        <message>
            <source>Allow camera access in the privacy settings of the system, and check the camera's own switch.</source>
            <translation>Erlauben Sie in den Datenschutzeinstellungen des Systems den Zugriff auf die Kamera, und prüfen Sie den Schalter der Kamera.</translation>
        </message>
        <message>
            <source>Always hide</source>
            <translation>Immer verbergen</translation>
        </message>
        <message>
            <source>An NVIDIA graphics card is present, but its driver is not loaded.</source>
            <translation>Eine NVIDIA-Grafikkarte ist vorhanden, aber ihr Treiber ist nicht geladen.</translation>
        </message>
        <message>
            <source>An internal error occurred; the log has the details.</source>
            <translation>Ein interner Fehler ist aufgetreten; Einzelheiten stehen im Protokoll.</translation>
        </message>
        <message>
            <source>Another file {file} appeared during the recording, which is saved as {copy}.</source>
            <translation>Während der Aufnahme erschien eine andere Datei {file}; die Aufnahme ist als {copy} gespeichert.</translation>
        </message>
        <message>
            <source>Another language is used from the next start on.</source>
            <translation>Eine andere Sprache gilt ab dem nächsten Start.</translation>
        </message>
        <message>
            <source>Another microphone has become the default one; the recording goes on with it.</source>
            <translation>Ein anderes Mikrofon ist jetzt das Standardmikrofon; die Aufnahme läuft damit weiter.</translation>
        </message>
        <message>
            <source>Another program connected the recording to {other} in place of the microphone {device}, and the recording goes on without sound; choose the microphone that is wanted.</source>
            <translation>Ein anderes Programm hat die Aufnahme mit {other} statt mit dem Mikrofon {device} verbunden, und die Aufnahme läuft ohne Ton weiter; wählen Sie das gewünschte Mikrofon.</translation>
        </message>
        <message>
            <source>Another program sends to the virtual camera {device}; close that program or choose another virtual camera.</source>
            <translation>Ein anderes Programm sendet an die virtuelle Kamera {device}; schließen Sie es oder wählen Sie eine andere virtuelle Kamera.</translation>
        </message>
        <message>
            <source>Another program sends to {device}; it is open in {programs}.</source>
            <translation>Ein anderes Programm sendet an {device}; geöffnet ist das Gerät in {programs}.</translation>
        </message>
        <message>
            <source>Any model, and the kind of edge</source>
            <translation>Jedes Modell und die Art der Kante</translation>
        </message>
        <message>
            <source>Asks for the administrator's password, and loads the camera now and at every start</source>
            <translation>Fragt nach dem Passwort des Administrators und lädt die Kamera jetzt und bei jedem Start</translation>
        </message>
        <message>
            <source>Attach the camera to WSL with usbipd, or run the program on Windows itself.</source>
            <translation>Binden Sie die Kamera mit usbipd in WSL ein oder starten Sie das Programm direkt unter Windows.</translation>
        </message>
        <message>
            <source>Auto-framing</source>
            <translation>Automatischer Bildausschnitt</translation>
        </message>
        <message>
            <source>Automatic</source>
            <translation>Automatisch</translation>
        </message>
        <message>
            <source>Automatic</source>
            <comment>the quality</comment>
            <translation>Auto</translation>
        </message>
        <message>
            <source>Automatic detail</source>
            <translation>Automatisches Detail</translation>
        </message>
        <message>
            <source>BT.601, full range</source>
            <translation>BT.601, voller Bereich</translation>
        </message>
        <message>
            <source>BT.709, full range</source>
            <translation>BT.709, voller Bereich</translation>
        </message>
        <message>
            <source>Back</source>
            <translation>Zurück</translation>
        </message>
        <message>
            <source>Back to the window</source>
            <translation>Zurück zum Fenster</translation>
        </message>
        <message>
            <source>Background</source>
            <translation>Hintergrund</translation>
        </message>
        <message>
            <source>Background Matting, fast</source>
            <translation>Background Matting, schnell</translation>
        </message>
        <message>
            <source>Background Matting, fine</source>
            <translation>Background Matting, fein</translation>
        </message>
        <message>
            <source>Background Matting, finest</source>
            <translation>Background Matting, am feinsten</translation>
        </message>
        <message>
            <source>Backgrounds</source>
            <translation>Hintergründe</translation>
        </message>
        <message>
            <source>Balanced</source>
            <translation>Ausgewogen</translation>
        </message>
        <message>
            <source>Balanced: hide things mistaken for people, and nothing of a person.</source>
            <translation>Ausgewogen: verbirgt, was für Personen gehalten wird, und nichts von einer Person.</translation>
        </message>
        <message>
            <source>Best, install the NVIDIA driver {driver} or newer and restart, if the card supports it.</source>
            <translation>Am besten installieren Sie den NVIDIA-Treiber {driver} oder neuer und starten den Rechner neu, falls dieser Treiber die Karte unterstützt.</translation>
        </message>
        <message>
            <source>Blur</source>
            <translation>Unschärfe</translation>
        </message>
        <message>
            <source>Blur like a wide lens: lights become discs; needs the executor OpenVINO.</source>
            <translation>Unschärfe wie bei einem lichtstarken Objektiv: Lichter werden zu Scheiben; braucht die Ausführung mit OpenVINO.</translation>
        </message>
        <message>
            <source>Blur strength</source>
            <translation>Stärke der Unschärfe</translation>
        </message>
        <message>
            <source>Blur the background</source>
            <translation>Hintergrund weichzeichnen</translation>
        </message>
        <message>
            <source>Bokeh</source>
            <translation>Bokeh</translation>
        </message>
        <message>
            <source>Bookshelf</source>
            <translation>Bücherregal</translation>
        </message>
        <message>
            <source>Brighten a dark face, darken an overexposed one.</source>
            <translation>Hellt ein dunkles Gesicht auf und dunkelt ein überbelichtetes ab.</translation>
        </message>
        <message>
            <source>Brightness</source>
            <translation>Helligkeit</translation>
        </message>
        <message>
            <source>Brush size</source>
            <translation>Pinselgröße</translation>
        </message>
        <message>
            <source>Calm</source>
            <translation>Ruhig</translation>
        </message>
        <message>
            <source>Camera</source>
            <translation>Kamera</translation>
        </message>
        <message>
            <source>Camera off: no program uses it</source>
            <translation>Kamera aus: Kein Programm verwendet sie</translation>
        </message>
        <message>
            <source>Cancel</source>
            <translation>Abbrechen</translation>
        </message>
        <message>
            <source>Cancel the download</source>
            <translation>Download abbrechen</translation>
        </message>
        <message>
            <source>Centre the background</source>
            <translation>Hintergrund zentrieren</translation>
        </message>
        <message>
            <source>Check again</source>
            <translation>Erneut prüfen</translation>
        </message>
        <message>
            <source>Check this computer</source>
            <translation>Diesen Rechner prüfen</translation>
        </message>
        <message>
            <source>Check this computer…</source>
            <translation>Diesen Rechner prüfen…</translation>
        </message>
        <message>
            <source>Checking that nobody is in the picture…</source>
            <translation>Es wird geprüft, ob niemand im Bild ist…</translation>
        </message>
        <message>
            <source>Checking…</source>
            <translation>Wird geprüft…</translation>
        </message>
        <message>
            <source>Choose a file with weights</source>
            <translation>Datei mit Gewichten wählen</translation>
        </message>
        <message>
            <source>Choose a video</source>
            <translation>Video wählen</translation>
        </message>
        <message>
            <source>Choose another camera</source>
            <translation>Andere Kamera wählen</translation>
        </message>
        <message>
            <source>Choose another folder</source>
            <translation>Anderen Ordner wählen</translation>
        </message>
        <message>
            <source>Choose another model</source>
            <translation>Anderes Modell wählen</translation>
        </message>
        <message>
            <source>Choose another source</source>
            <translation>Andere Quelle wählen</translation>
        </message>
        <message>
            <source>Choose colour</source>
            <translation>Farbe wählen</translation>
        </message>
        <message>
            <source>Choose colour…</source>
            <translation>Farbe wählen…</translation>
        </message>
        <message>
            <source>Choose file…</source>
            <translation>Datei wählen…</translation>
        </message>
        <message>
            <source>Choose image…</source>
            <translation>Bild wählen…</translation>
        </message>
        <message>
            <source>Choose the background</source>
            <translation>Hintergrund wählen</translation>
        </message>
        <message>
            <source>Choose the detail by the frame size</source>
            <translation>Detail nach der Bildgröße wählen</translation>
        </message>
        <message>
            <source>Choose the downloaded file ({0})</source>
            <translation>Heruntergeladene Datei wählen ({0})</translation>
        </message>
        <message>
            <source>Choose what others see behind you. You can change it later.</source>
            <translation>Wählen Sie, was andere hinter Ihnen sehen. Sie können es später ändern.</translation>
        </message>
        <message>
            <source>Choose your camera. Nobody else sees this preview.</source>
            <translation>Wählen Sie Ihre Kamera. Niemand sonst sieht diese Vorschau.</translation>
        </message>
        <message>
            <source>Choose “{0}” as the camera in your meeting.</source>
            <translation>Wählen Sie in Ihrer Besprechung „{0}“ als Kamera.</translation>
        </message>
        <message>
            <source>Choosing the camera in other programs</source>
            <translation>Die Kamera in anderen Programmen wählen</translation>
        </message>
        <message>
            <source>Chromium, Chrome, Teams, Discord and Zoom do not list a virtual camera that also accepts output.</source>
            <translation>Chromium, Chrome, Teams, Discord und Zoom listen keine virtuelle Kamera auf, die auch Ausgaben annimmt.</translation>
        </message>
        <message>
            <source>Cleaner gaps, edges and hair; needs more of this computer</source>
            <translation>Sauberere Lücken, Kanten und Haare; braucht mehr von diesem Computer</translation>
        </message>
        <message>
            <source>Close</source>
            <translation>Schließen</translation>
        </message>
        <message>
            <source>Close every program that uses the device and check again.</source>
            <translation>Schließen Sie alle Programme, die das Gerät benutzen, und prüfen Sie erneut.</translation>
        </message>
        <message>
            <source>Close every program that uses {device}, then:</source>
            <translation>Schließen Sie alle Programme, die {device} benutzen, dann:</translation>
        </message>
        <message>
            <source>Close other programs that use the device; if that does not help, reload the module:</source>
            <translation>Schließen Sie andere Programme, die das Gerät benutzen; hilft das nicht, laden Sie das Modul neu:</translation>
        </message>
        <message>
            <source>Close that program and check again.</source>
            <translation>Schließen Sie dieses Programm und prüfen Sie erneut.</translation>
        </message>
        <message>
            <source>Colour</source>
            <translation>Farbe</translation>
        </message>
        <message>
            <source>Colour bars sent to {device} were read back at {width}×{height}; the largest error is {error} of 255.</source>
            <translation>Farbbalken an {device} wurden mit {width} × {height} zurückgelesen; die größte Abweichung ist {error} von 255.</translation>
        </message>
        <message>
            <source>Colour of the background</source>
            <translation>Farbe des Hintergrunds</translation>
        </message>
        <message>
            <source>Colours of the camera</source>
            <translation>Farben der Kamera</translation>
        </message>
        <message>
            <source>Comes with Mattecam and needs little of this computer</source>
            <translation>Gehört zu Mattecam und braucht wenig von diesem Rechner</translation>
        </message>
        <message>
            <source>Compare with no picture; its file stays</source>
            <translation>Mit keinem Bild vergleichen; die Datei bleibt erhalten</translation>
        </message>
        <message>
            <source>Connect a camera, check its own switch, and close programs that use it.</source>
            <translation>Schließen Sie eine Kamera an, prüfen Sie ihren eigenen Schalter und schließen Sie Programme, die sie benutzen.</translation>
        </message>
        <message>
            <source>Connect a camera; on a laptop check its camera switch or key. Then look at the kernel log:</source>
            <translation>Schließen Sie eine Kamera an; prüfen Sie am Laptop den Kameraschalter oder die Kamerataste. Sehen Sie dann ins Kernel-Protokoll:</translation>
        </message>
        <message>
            <source>Copy</source>
            <translation>Kopieren</translation>
        </message>
        <message>
            <source>Copy address</source>
            <translation>Adresse kopieren</translation>
        </message>
        <message>
            <source>Copy diagnostics</source>
            <translation>Diagnose kopieren</translation>
        </message>
        <message>
            <source>Copy the address, to download the file elsewhere</source>
            <translation>Kopiert die Adresse, um die Datei anderswo herunterzuladen</translation>
        </message>
        <message>
            <source>Crisp</source>
            <translation>Scharf</translation>
        </message>
        <message>
            <source>Crop the image to head and shoulders, and follow them.</source>
            <translation>Beschneidet das Bild auf Kopf und Schultern und folgt ihnen.</translation>
        </message>
        <message>
            <source>Dark</source>
            <translation>Dunkel</translation>
        </message>
        <message>
            <source>Deep guided filter</source>
            <translation>Gelernter Leitbildfilter</translation>
        </message>
        <message>
            <source>Default</source>
            <translation>Standard</translation>
        </message>
        <message>
            <source>Deinterlace</source>
            <translation>Zeilensprung entfernen</translation>
        </message>
        <message>
            <source>Delete {folder} and run `{program}` again: the setup then installs the build for CUDA {cuda}.</source>
            <translation>Löschen Sie {folder} und starten Sie `{program}` neu: Die Einrichtung installiert dann den Build für CUDA {cuda}.</translation>
        </message>
        <message>
            <source>Demonstration</source>
            <translation>Demo</translation>
        </message>
        <message>
            <source>Detail</source>
            <translation>Detail</translation>
        </message>
        <message>
            <source>Device</source>
            <translation>Gerät</translation>
        </message>
        <message>
            <source>Device that programs read.</source>
            <translation>Gerät, das andere Programme lesen.</translation>
        </message>
        <message>
            <source>Diagnostics copied to the clipboard.</source>
            <translation>Diagnose in die Zwischenablage kopiert.</translation>
        </message>
        <message>
            <source>Dismiss</source>
            <translation>Ausblenden</translation>
        </message>
        <message>
            <source>Documents</source>
            <translation>Dokumente</translation>
        </message>
        <message>
            <source>Done</source>
            <translation>Fertig</translation>
        </message>
        <message>
            <source>Done. This picture is used as the empty background.</source>
            <translation>Fertig. Dieses Bild dient als leerer Hintergrund.</translation>
        </message>
        <message>
            <source>Download</source>
            <translation>Herunterladen</translation>
        </message>
        <message>
            <source>Download ({0})</source>
            <translation>Herunterladen ({0})</translation>
        </message>
        <message>
            <source>Download and use this model</source>
            <translation>Dieses Modell herunterladen und verwenden</translation>
        </message>
        <message>
            <source>Download the model</source>
            <translation>Modell herunterladen</translation>
        </message>
        <message>
            <source>Dusk hills</source>
            <translation>Hügel im Abendlicht</translation>
        </message>
        <message>
            <source>Earlier settings could not be read, and nobody has resumed since. What they hid is unknown, so Mattecam starts paused.</source>
            <translation>Frühere Einstellungen konnten nicht gelesen werden, und seither hat niemand fortgesetzt. Was sie verbargen, ist unbekannt; deshalb startet Mattecam pausiert.</translation>
        </message>
        <message>
            <source>Edge</source>
            <translation>Kante</translation>
        </message>
        <message>
            <source>Edge sliders, device, precision</source>
            <translation>Regler der Kante, Gerät, Genauigkeit</translation>
        </message>
        <message>
            <source>Enlarge a part of the camera image.</source>
            <translation>Vergrößert einen Teil des Kamerabilds.</translation>
        </message>
        <message>
            <source>Enlarge the image behind the person.</source>
            <translation>Vergrößert das Bild hinter der Person.</translation>
        </message>
        <message>
            <source>Enrol the signing key, restart, and confirm on the blue screen:</source>
            <translation>Tragen Sie den Signaturschlüssel ein, starten Sie neu und bestätigen Sie auf dem blauen Bildschirm:</translation>
        </message>
        <message>
            <source>Evening lights</source>
            <translation>Abendlichter</translation>
        </message>
        <message>
            <source>Executor</source>
            <translation>Ausführung</translation>
        </message>
        <message>
            <source>Fast guided filter</source>
            <translation>Schneller Leitbildfilter</translation>
        </message>
        <message>
            <source>Feather outward</source>
            <translation>Nach außen weichzeichnen</translation>
        </message>
        <message>
            <source>Files of this name exist and are kept: {files}. This run records to {new}.</source>
            <translation>Dateien dieses Namens gibt es schon, und sie bleiben erhalten: {files}. Aufgenommen wird in {new}.</translation>
        </message>
        <message>
            <source>Fill the frame</source>
            <translation>Bild ausfüllen</translation>
        </message>
        <message>
            <source>Fine</source>
            <translation>Fein</translation>
        </message>
        <message>
            <source>Fine (Robust Video Matting)</source>
            <translation>Fein (Robust Video Matting)</translation>
        </message>
        <message>
            <source>Fine is too slow for 30 frames per second on this computer.</source>
            <translation>Fein ist auf diesem Rechner zu langsam für 30 Bilder pro Sekunde.</translation>
        </message>
        <message>
            <source>Fine is used once it is downloaded.</source>
            <translation>Fein wird benutzt, sobald es heruntergeladen ist.</translation>
        </message>
        <message>
            <source>Fine uses about {0} % of this computer.</source>
            <translation>Fein nutzt etwa {0} % dieses Rechners.</translation>
        </message>
        <message>
            <source>Fine where this computer has the time for it, else standard</source>
            <translation>Fein, wo dieser Computer die Zeit dafür hat, sonst Standard</translation>
        </message>
        <message>
            <source>Finest (Robust Video Matting, ResNet-50)</source>
            <translation>Am feinsten (Robust Video Matting, ResNet-50)</translation>
        </message>
        <message>
            <source>Fit</source>
            <translation>Einpassen</translation>
        </message>
        <message>
            <source>Folder</source>
            <translation>Ordner</translation>
        </message>
        <message>
            <source>Folder and microphone of recordings</source>
            <translation>Ordner und Mikrofon der Aufnahmen</translation>
        </message>
        <message>
            <source>Folder for recordings</source>
            <translation>Ordner für Aufnahmen</translation>
        </message>
        <message>
            <source>For programs that put another picture behind the person.</source>
            <translation>Für Programme, die ein anderes Bild hinter die Person setzen.</translation>
        </message>
        <message>
            <source>Forget the answer, so that the desktop asks again:</source>
            <translation>Die Antwort vergessen, damit der Desktop erneut fragt:</translation>
        </message>
        <message>
            <source>Format</source>
            <translation>Format</translation>
        </message>
        <message>
            <source>Frame rate</source>
            <translation>Bildrate</translation>
        </message>
        <message>
            <source>Frames per second of the camera.</source>
            <translation>Bilder pro Sekunde der Kamera.</translation>
        </message>
        <message>
            <source>Framing</source>
            <translation>Bildausschnitt</translation>
        </message>
        <message>
            <source>Free software under the GNU General Public License, version 3 or later.</source>
            <translation>Freie Software unter der GNU General Public License, Version 3 oder neuer.</translation>
        </message>
        <message>
            <source>Free some space on this disk.</source>
            <translation>Schaffen Sie Platz auf diesem Datenträger.</translation>
        </message>
        <message>
            <source>Freeze</source>
            <translation>Einfrieren</translation>
        </message>
        <message>
            <source>From the soft matte to a hard mask at the threshold.</source>
            <translation>Von der weichen Maske bis zur harten an der Schwelle.</translation>
        </message>
        <message>
            <source>Frozen: others see the last frame</source>
            <translation>Eingefroren: Andere sehen das letzte Bild</translation>
        </message>
        <message>
            <source>General</source>
            <translation>Allgemein</translation>
        </message>
        <message>
            <source>Go to the next step</source>
            <translation>Zum nächsten Schritt</translation>
        </message>
        <message>
            <source>Go to the previous step</source>
            <translation>Zum vorigen Schritt</translation>
        </message>
        <message>
            <source>Green</source>
            <translation>Grün</translation>
        </message>
        <message>
            <source>Hardness</source>
            <translation>Härte</translation>
        </message>
        <message>
            <source>Help</source>
            <translation>Hilfe</translation>
        </message>
        <message>
            <source>Help…</source>
            <translation>Hilfe…</translation>
        </message>
        <message>
            <source>Hide everybody but one person; click the person in the preview.</source>
            <translation>Blendet alle bis auf eine Person aus; klicken Sie die Person in der Vorschau an.</translation>
        </message>
        <message>
            <source>Hide me now</source>
            <translation>Mich jetzt verbergen</translation>
        </message>
        <message>
            <source>Hide parts of the picture</source>
            <translation>Teile des Bildes verbergen</translation>
        </message>
        <message>
            <source>Hide things mistaken for people</source>
            <translation>Verbergen, was für Personen gehalten wird</translation>
        </message>
        <message>
            <source>Hide this message</source>
            <translation>Diese Meldung ausblenden</translation>
        </message>
        <message>
            <source>Hides no part of a person</source>
            <translation>Blendet nichts von einer Person aus</translation>
        </message>
        <message>
            <source>How much Fine uses of this computer is not measured yet.</source>
            <translation>Wie viel Fein von diesem Rechner nutzt, ist noch nicht gemessen.</translation>
        </message>
        <message>
            <source>How opaque a pixel must be to stay when the edge is hardened.</source>
            <translation>Wie deckend ein Pixel sein muss, um beim Härten der Kante zu bleiben.</translation>
        </message>
        <message>
            <source>How strongly the real background is blurred</source>
            <translation>Wie stark der echte Hintergrund unscharf wird</translation>
        </message>
        <message>
            <source>How the camera encodes colours.</source>
            <translation>Wie die Kamera Farben codiert.</translation>
        </message>
        <message>
            <source>How the image is fitted to the frame</source>
            <translation>Wie das Bild eingepasst wird</translation>
        </message>
        <message>
            <source>How the matte is upsampled.</source>
            <translation>Wie die Maske hochskaliert wird.</translation>
        </message>
        <message>
            <source>If that program is Mattecam, nothing needs to be done. Otherwise close it or use another device:</source>
            <translation>Ist dieses Programm Mattecam, ist nichts zu tun. Sonst schließen Sie es oder nehmen Sie ein anderes Gerät:</translation>
        </message>
        <message>
            <source>If that program is not Mattecam, close it or choose another camera.</source>
            <translation>Ist dieses Programm nicht Mattecam, schließen Sie es oder wählen Sie eine andere Kamera.</translation>
        </message>
        <message>
            <source>Image</source>
            <translation>Bild</translation>
        </message>
        <message>
            <source>Image of the card that others see while you are paused.</source>
            <translation>Bild der Tafel, die andere während der Pause sehen.</translation>
        </message>
        <message>
            <source>Images ({0})</source>
            <translation>Bilder ({0})</translation>
        </message>
        <message>
            <source>Images and videos ({0})</source>
            <translation>Bilder und Videos ({0})</translation>
        </message>
        <message>
            <source>In /etc/nixos/configuration.nix:</source>
            <translation>In /etc/nixos/configuration.nix:</translation>
        </message>
        <message>
            <source>In Meet, Teams or Zoom in a browser, choose the camera “{0}”. Programs outside the browser cannot see Mattecam yet.</source>
            <translation>Wählen Sie in Meet, Teams oder Zoom im Browser die Kamera „{0}“. Programme außerhalb des Browsers sehen Mattecam noch nicht.</translation>
        </message>
        <message>
            <source>In Zoom, Meet or Teams, choose the camera “{0}”: it is listed beside your own camera in the settings for video. Restart a program that does not list it.</source>
            <translation>Wählen Sie in Zoom, Meet oder Teams die Kamera „{0}“: Sie steht in den Videoeinstellungen neben Ihrer eigenen Kamera. Starten Sie ein Programm neu, das sie nicht anzeigt.</translation>
        </message>
        <message>
            <source>In a call</source>
            <translation>In einem Anruf</translation>
        </message>
        <message>
            <source>In a container, pass the device through (docker run --device {device} …); otherwise start udev:</source>
            <translation>Reichen Sie das Gerät in den Container durch (docker run --device {device} …); sonst starten Sie udev:</translation>
        </message>
        <message>
            <source>In a container, pass the device through:</source>
            <translation>Reichen Sie das Gerät in den Container durch:</translation>
        </message>
        <message>
            <source>In the PipeWire camera (BGRA)</source>
            <translation>In der PipeWire-Kamera (BGRA)</translation>
        </message>
        <message>
            <source>In use: {0}</source>
            <translation>In Gebrauch: {0}</translation>
        </message>
        <message>
            <source>In use: {0}. {1}</source>
            <translation>In Gebrauch: {0}. {1}</translation>
        </message>
        <message>
            <source>Input of the network: {0} × {1} px</source>
            <translation>Eingabe des Netzes: {0} × {1} px</translation>
        </message>
        <message>
            <source>Install OBS Studio 30 or later from https://obsproject.com.</source>
            <translation>Installieren Sie OBS Studio 30 oder neuer von https://obsproject.com.</translation>
        </message>
        <message>
            <source>Install PyTorch again. On Windows it also needs the Visual C++ Redistributable.</source>
            <translation>Installieren Sie PyTorch neu. Unter Windows braucht es außerdem Visual C++ Redistributable.</translation>
        </message>
        <message>
            <source>Install one of these packages: {packages}.</source>
            <translation>Installieren Sie eines dieser Pakete: {packages}.</translation>
        </message>
        <message>
            <source>Install the NVIDIA driver of this system, restart, and check with:</source>
            <translation>Installieren Sie den NVIDIA-Treiber dieses Systems, starten Sie neu und prüfen Sie mit:</translation>
        </message>
        <message>
            <source>Install the headers of the running kernel, then:</source>
            <translation>Installieren Sie die Header des laufenden Kernels, dann:</translation>
        </message>
        <message>
            <source>Install the libcamera plugin of PipeWire (pipewire-libcamera or libspa-0.2-libcamera) and log in again; PipeWire then offers it.</source>
            <translation>Installieren Sie die libcamera-Erweiterung von PipeWire (pipewire-libcamera oder libspa-0.2-libcamera) und melden Sie sich neu an; PipeWire bietet sie dann an.</translation>
        </message>
        <message>
            <source>Install the package v4l2loopback (often v4l2loopback-dkms) and the headers of the running kernel.</source>
            <translation>Installieren Sie das Paket v4l2loopback (oft v4l2loopback-dkms) und die Header des laufenden Kernels.</translation>
        </message>
        <message>
            <source>Install torch from {index}.</source>
            <translation>Installieren Sie torch aus {index}.</translation>
        </message>
        <message>
            <source>Installed models: {models}.</source>
            <translation>Installierte Modelle: {models}.</translation>
        </message>
        <message>
            <source>Installed: {programs}.</source>
            <translation>Installiert: {programs}.</translation>
        </message>
        <message>
            <source>Intel graphics</source>
            <translation>Grafik von Intel</translation>
        </message>
        <message>
            <source>Its file goes to the trash.</source>
            <translation>Die Datei kommt in den Papierkorb.</translation>
        </message>
        <message>
            <source>Its settings are lost.</source>
            <translation>Ihre Einstellungen gehen verloren.</translation>
        </message>
        <message>
            <source>Keep</source>
            <translation>Behalten</translation>
        </message>
        <message>
            <source>Keep it hidden</source>
            <translation>Verborgen lassen</translation>
        </message>
        <message>
            <source>Keep one file with all devices, for example:</source>
            <translation>Behalten Sie eine Datei mit allen Geräten, zum Beispiel:</translation>
        </message>
        <message>
            <source>Keep running in the tray when the window is closed</source>
            <translation>Beim Schließen des Fensters im Infobereich weiterlaufen</translation>
        </message>
        <message>
            <source>Keep sending the last frame (F)</source>
            <translation>Weiter das letzte Bild senden (F)</translation>
        </message>
        <message>
            <source>Keys</source>
            <translation>Tasten</translation>
        </message>
        <message>
            <source>Language</source>
            <translation>Sprache</translation>
        </message>
        <message>
            <source>Language of the window.</source>
            <translation>Sprache des Fensters.</translation>
        </message>
        <message>
            <source>Language, colours and start</source>
            <translation>Sprache, Farben und Start</translation>
        </message>
        <message>
            <source>Left–right</source>
            <translation>Links–rechts</translation>
        </message>
        <message>
            <source>Less exact, with a photo of your empty room</source>
            <translation>Weniger genau, mit einem Foto Ihres leeren Raums</translation>
        </message>
        <message>
            <source>Let others read what is behind you?</source>
            <translation>Andere lesen lassen, was hinter Ihnen ist?</translation>
        </message>
        <message>
            <source>Libraries and packages that they name may take the place of the program's own and make it fail.</source>
            <translation>Bibliotheken und Pakete, die sie nennen, können an die Stelle der eigenen des Programms treten und es scheitern lassen.</translation>
        </message>
        <message>
            <source>Library for the virtual camera.</source>
            <translation>Bibliothek für die virtuelle Kamera.</translation>
        </message>
        <message>
            <source>Light</source>
            <translation>Licht</translation>
        </message>
        <message>
            <source>Light</source>
            <comment>not dark</comment>
            <translation>Hell</translation>
        </message>
        <message>
            <source>Light match</source>
            <translation>Lichtangleichung</translation>
        </message>
        <message>
            <source>Light match needs an image or a video as background: a blurred room has your light already.</source>
            <translation>Die Lichtangleichung braucht ein Bild oder ein Video als Hintergrund: Ein unscharfer Raum hat schon Ihr Licht.</translation>
        </message>
        <message>
            <source>Light or dark colours of the window.</source>
            <translation>Helle oder dunkle Farben des Fensters.</translation>
        </message>
        <message>
            <source>Light your face like a soft lamp.</source>
            <translation>Beleuchtet Ihr Gesicht wie eine weiche Lampe.</translation>
        </message>
        <message>
            <source>Live</source>
            <translation>Live</translation>
        </message>
        <message>
            <source>Live in {0} programs</source>
            <translation>Live in {0} Programmen</translation>
        </message>
        <message>
            <source>Load the module on the host, outside the container:</source>
            <translation>Laden Sie das Modul auf dem Hostsystem, außerhalb des Containers:</translation>
        </message>
        <message>
            <source>Log</source>
            <translation>Protokoll</translation>
        </message>
        <message>
            <source>Lower automatic settings and the frame rate while this computer cannot keep up.</source>
            <translation>Senkt automatische Einstellungen und die Bildrate, solange dieser Rechner nicht mitkommt.</translation>
        </message>
        <message>
            <source>Lower quality when this computer is busy</source>
            <translation>Qualität senken, wenn der Rechner ausgelastet ist</translation>
        </message>
        <message>
            <source>Make it readable for you, and check again.</source>
            <translation>Machen Sie es für sich lesbar und prüfen Sie erneut.</translation>
        </message>
        <message>
            <source>Make {folder} a folder that you have permission to write to.</source>
            <translation>Geben Sie sich Schreibrecht für den Ordner {folder}.</translation>
        </message>
        <message>
            <source>Matte</source>
            <translation>Maske</translation>
        </message>
        <message>
            <source>Mattecam cannot pause while the screen is locked: neither logind nor the desktop tells it by D-Bus; pause by hand.</source>
            <translation>Mattecam kann bei gesperrtem Bildschirm keine Pause machen: Weder logind noch der Desktop melden ihn über D-Bus; pausieren Sie selbst.</translation>
        </message>
        <message>
            <source>Mattecam itself</source>
            <translation>Mattecam selbst</translation>
        </message>
        <message>
            <source>Mattecam puts another background behind the people in the picture of your camera, and sends the result to a virtual camera. All of that happens on this computer. Choose the background below the preview; the panel beside it has everything else. While you pause, others see a stand-by card.</source>
            <translation>Mattecam setzt einen anderen Hintergrund hinter die Personen im Bild Ihrer Kamera und gibt das Ergebnis an eine virtuelle Kamera weiter. All das geschieht auf diesem Rechner. Den Hintergrund wählen Sie unter der Vorschau; alles andere steht daneben in der Seitenleiste. In der Pause sehen andere die Pausentafel.</translation>
        </message>
        <message>
            <source>Mattecam stops; no picture of the empty room was taken.</source>
            <translation>Mattecam wird beendet; es wurde kein Bild des leeren Raums aufgenommen.</translation>
        </message>
        <message>
            <source>Matting failed; choose another model or executor. The log has the details.</source>
            <translation>Das Freistellen ist fehlgeschlagen; wählen Sie ein anderes Modell oder eine andere Ausführung. Einzelheiten stehen im Protokoll.</translation>
        </message>
        <message>
            <source>Microphone</source>
            <translation>Mikrofon</translation>
        </message>
        <message>
            <source>Microphone level</source>
            <translation>Mikrofonpegel</translation>
        </message>
        <message>
            <source>Microphone whose sound is recorded.</source>
            <translation>Mikrofon, dessen Ton aufgenommen wird.</translation>
        </message>
        <message>
            <source>Mirror</source>
            <translation>Spiegelbild</translation>
        </message>
        <message>
            <source>Mirror the output</source>
            <translation>Ausgabe spiegeln</translation>
        </message>
        <message>
            <source>Mirror the preview</source>
            <translation>Vorschau spiegeln</translation>
        </message>
        <message>
            <source>Mirror what leaves, with the background and texts in it.</source>
            <translation>Spiegelt alles, was andere sehen, mit Hintergrund und Text darin.</translation>
        </message>
        <message>
            <source>Model</source>
            <translation>Modell</translation>
        </message>
        <message>
            <source>Model and edge</source>
            <translation>Modell und Kante</translation>
        </message>
        <message>
            <source>Models and recordings need more space.</source>
            <translation>Modelle und Aufnahmen brauchen mehr Platz.</translation>
        </message>
        <message>
            <source>Move the edge outward or inward.</source>
            <translation>Verschiebt die Kante nach außen oder innen.</translation>
        </message>
        <message>
            <source>Moves while you speak</source>
            <translation>Bewegt sich, während Sie sprechen</translation>
        </message>
        <message>
            <source>Name:</source>
            <translation>Name:</translation>
        </message>
        <message>
            <source>Near</source>
            <translation>Nah</translation>
        </message>
        <message>
            <source>Next</source>
            <translation>Weiter</translation>
        </message>
        <message>
            <source>No GPU of Intel can run the model {model} in this precision here; choose the device cpu or auto, or see what `{program} doctor` says of Intel graphics.</source>
            <translation>Hier kann keine GPU von Intel das Modell {model} in dieser Genauigkeit ausführen; wählen Sie das Gerät cpu oder auto, oder lesen Sie, was `{program} doctor` über die Intel-Grafik sagt.</translation>
        </message>
        <message>
            <source>No build of PyTorch with CUDA suits this driver and graphics card.</source>
            <translation>Kein Build von PyTorch mit CUDA passt zu diesem Treiber und dieser Grafikkarte.</translation>
        </message>
        <message>
            <source>No camera</source>
            <translation>Keine Kamera</translation>
        </message>
        <message>
            <source>No camera found: only you see this demonstration. Connect a camera: it is used at once.</source>
            <translation>Keine Kamera gefunden: Diese Demo sehen nur Sie. Schließen Sie eine Kamera an: Sie wird sofort verwendet.</translation>
        </message>
        <message>
            <source>No camera was found.</source>
            <translation>Es wurde keine Kamera gefunden.</translation>
        </message>
        <message>
            <source>No camera was found. Connect a camera: it is used at once.</source>
            <translation>Es wurde keine Kamera gefunden. Schließen Sie eine Kamera an: Sie wird sofort verwendet.</translation>
        </message>
        <message>
            <source>No camera was found; connect one or choose another source.</source>
            <translation>Es wurde keine Kamera gefunden; schließen Sie eine an oder wählen Sie eine andere Quelle.</translation>
        </message>
        <message>
            <source>No camera: others see the stand-by card</source>
            <translation>Keine Kamera: Andere sehen die Pausentafel</translation>
        </message>
        <message>
            <source>No device of the kernel module v4l2loopback is named {name}: {devices} belong to other programs.</source>
            <translation>Kein Gerät des Kernelmoduls v4l2loopback heißt {name}: {devices} gehören anderen Programmen.</translation>
        </message>
        <message>
            <source>No font of this computer has the letters {letters} of the stand-by text; install one or leave them out.</source>
            <translation>Keine Schrift dieses Computers hat die Buchstaben {letters} des Pausentextes; installieren Sie eine, oder lassen Sie sie weg.</translation>
        </message>
        <message>
            <source>No image is chosen for the background; choose a file.</source>
            <translation>Für den Hintergrund ist kein Bild gewählt; wählen Sie eine Datei.</translation>
        </message>
        <message>
            <source>No microphone is connected, and the recording has no sound; connect one, or name {device} to record what the loudspeaker plays.</source>
            <translation>Es ist kein Mikrofon angeschlossen, und die Aufnahme hat keinen Ton; schließen Sie eines an oder nennen Sie {device}, um aufzunehmen, was der Lautsprecher wiedergibt.</translation>
        </message>
        <message>
            <source>No model is installed, not even the bundled one.</source>
            <translation>Es ist kein Modell installiert, auch nicht das mitgelieferte.</translation>
        </message>
        <message>
            <source>No other program can open the camera meanwhile.</source>
            <translation>Kein anderes Programm kann die Kamera so lange öffnen.</translation>
        </message>
        <message>
            <source>No problems found.</source>
            <translation>Keine Probleme gefunden.</translation>
        </message>
        <message>
            <source>No test picture was sent to {device} because another program sends to it.</source>
            <translation>An {device} wurde kein Testbild gesendet, weil ein anderes Programm dorthin sendet.</translation>
        </message>
        <message>
            <source>No video is chosen for the background; choose a file.</source>
            <translation>Für den Hintergrund ist kein Video gewählt; wählen Sie eine Datei.</translation>
        </message>
        <message>
            <source>No virtual camera is installed.</source>
            <translation>Es ist keine virtuelle Kamera installiert.</translation>
        </message>
        <message>
            <source>No virtual camera is named {name}, and others may belong to other programs; choose one of {devices}.</source>
            <translation>Keine virtuelle Kamera heißt {name}, und andere können anderen Programmen gehören; wählen Sie eine von {devices}.</translation>
        </message>
        <message>
            <source>No window can open on {display}.</source>
            <translation>Auf {display} lässt sich kein Fenster öffnen.</translation>
        </message>
        <message>
            <source>None</source>
            <translation>Keiner</translation>
        </message>
        <message>
            <source>Normal</source>
            <translation>Normal</translation>
        </message>
        <message>
            <source>Not installed: {0}, licence {1}</source>
            <translation>Nicht installiert: {0}, Lizenz {1}</translation>
        </message>
        <message>
            <source>Not turned</source>
            <translation>Nicht gedreht</translation>
        </message>
        <message>
            <source>Nothing was changed: the password was not entered.</source>
            <translation>Nichts wurde geändert: Das Passwort wurde nicht eingegeben.</translation>
        </message>
        <message>
            <source>Number format of the computation.</source>
            <translation>Zahlenformat der Berechnung.</translation>
        </message>
        <message>
            <source>OK</source>
            <translation>in Ordnung</translation>
        </message>
        <message>
            <source>Oak slats</source>
            <translation>Eichenlamellen</translation>
        </message>
        <message>
            <source>Objects</source>
            <translation>Gegenstände</translation>
        </message>
        <message>
            <source>Objects, small</source>
            <translation>Gegenstände, klein</translation>
        </message>
        <message>
            <source>Off</source>
            <translation>Aus</translation>
        </message>
        <message>
            <source>Offer a camera that browsers and Flatpak programs find by its portal.</source>
            <translation>Bietet eine Kamera an, die Browser und Flatpak-Programme über das Portal finden.</translation>
        </message>
        <message>
            <source>On</source>
            <translation>An</translation>
        </message>
        <message>
            <source>On a CPU the most accurate models reach a few frames per second; a graphics card runs them in real time.</source>
            <translation>Auf einer CPU erreichen die genauesten Modelle wenige Bilder pro Sekunde; auf einer Grafikkarte laufen sie in Echtzeit.</translation>
        </message>
        <message>
            <source>One moment, please</source>
            <translation>Einen Moment, bitte</translation>
        </message>
        <message>
            <source>Only installed models are measured on the GPU of Intel, not the weights {file}; choose the device cpu or auto, which take the CPU.</source>
            <translation>Auf der GPU von Intel werden nur installierte Modelle gemessen, nicht die Gewichte {file}; wählen Sie das Gerät cpu oder auto, die beide die CPU nehmen.</translation>
        </message>
        <message>
            <source>Only me</source>
            <translation>Nur ich</translation>
        </message>
        <message>
            <source>Only me: click yourself</source>
            <translation>Nur ich: Klicken Sie sich selbst an</translation>
        </message>
        <message>
            <source>Only the first of the {count} frames of {file} is used; save it as a video or GIF to use them all.</source>
            <translation>Nur das erste der {count} Bilder von {file} wird verwendet; speichern Sie es als Video oder GIF, um alle zu verwenden.</translation>
        </message>
        <message>
            <source>Only the small bundled model is installed.</source>
            <translation>Nur das kleine mitgelieferte Modell ist installiert.</translation>
        </message>
        <message>
            <source>Only you see this</source>
            <translation>Das sehen nur Sie</translation>
        </message>
        <message>
            <source>Open Mattecam</source>
            <translation>Mattecam öffnen</translation>
        </message>
        <message>
            <source>Open Settings › Privacy &amp; security › Camera, and switch on “Camera access” and “Let desktop apps access your camera”.</source>
            <translation>Öffnen Sie Einstellungen › Datenschutz und Sicherheit › Kamera und schalten Sie „Kamerazugriff“ und „Desktop-Apps den Zugriff auf Ihre Kamera erlauben“ ein.</translation>
        </message>
        <message>
            <source>Open folder</source>
            <translation>Ordner öffnen</translation>
        </message>
        <message>
            <source>Open the recordings folder</source>
            <translation>Aufnahmeordner öffnen</translation>
        </message>
        <message>
            <source>Options of v4l2loopback are also set in {files}.</source>
            <translation>Optionen von v4l2loopback werden auch in {files} gesetzt.</translation>
        </message>
        <message>
            <source>Or manually, until the next restart:</source>
            <translation>Oder von Hand, bis zum nächsten Neustart:</translation>
        </message>
        <message>
            <source>Original</source>
            <translation>Original</translation>
        </message>
        <message>
            <source>Other programs keep receiving your video when the window is closed.</source>
            <translation>Andere Programme erhalten weiterhin Ihr Video, wenn das Fenster geschlossen ist.</translation>
        </message>
        <message>
            <source>Other programs see the same.</source>
            <translation>Andere Programme sehen dasselbe.</translation>
        </message>
        <message>
            <source>Others can see you</source>
            <translation>Andere können Sie sehen</translation>
        </message>
        <message>
            <source>Others see</source>
            <translation>Was andere sehen</translation>
        </message>
        <message>
            <source>Others see a mirror, you do not</source>
            <translation>Andere sehen ein Spiegelbild, Sie nicht</translation>
        </message>
        <message>
            <source>Others see you: frozen</source>
            <translation>Andere sehen Sie: eingefroren</translation>
        </message>
        <message>
            <source>Others see you: no</source>
            <translation>Andere sehen Sie: nein</translation>
        </message>
        <message>
            <source>Others see you: no, paused</source>
            <translation>Andere sehen Sie: nein, Pause</translation>
        </message>
        <message>
            <source>Others see you: yes</source>
            <translation>Andere sehen Sie: ja</translation>
        </message>
        <message>
            <source>Paint on the picture; Esc ends.</source>
            <translation>Auf das Bild malen; Esc beendet.</translation>
        </message>
        <message>
            <source>Paper waves</source>
            <translation>Papierwellen</translation>
        </message>
        <message>
            <source>Part of the background that is shown.</source>
            <translation>Gezeigter Teil des Hintergrunds.</translation>
        </message>
        <message>
            <source>Part of the camera image that is shown.</source>
            <translation>Gezeigter Teil des Kamerabilds.</translation>
        </message>
        <message>
            <source>Paste</source>
            <translation>Einfügen</translation>
        </message>
        <message>
            <source>Pause</source>
            <translation>Pause</translation>
        </message>
        <message>
            <source>Pause while the screen is locked</source>
            <translation>Pause, solange der Bildschirm gesperrt ist</translation>
        </message>
        <message>
            <source>Paused: others see the stand-by card</source>
            <translation>Pausiert: Andere sehen die Pausentafel</translation>
        </message>
        <message>
            <source>Paused: saved settings could not be read, so that nothing is hidden by zones or by “Only me”.</source>
            <translation>Pausiert: Gespeicherte Einstellungen konnten nicht gelesen werden; weder Zonen noch „Nur ich“ verbergen etwas.</translation>
        </message>
        <message>
            <source>Paused: the saved background is “None”, which shows your real background to others.</source>
            <translation>Pausiert: Der gespeicherte Hintergrund ist „Keiner“; damit sähen andere Ihren echten Hintergrund.</translation>
        </message>
        <message>
            <source>Person</source>
            <translation>Person</translation>
        </message>
        <message>
            <source>Picture of the empty room</source>
            <translation>Bild des leeren Raums</translation>
        </message>
        <message>
            <source>PipeWire answers: the program offers a PipeWire camera.</source>
            <translation>PipeWire antwortet: Das Programm bietet eine PipeWire-Kamera an.</translation>
        </message>
        <message>
            <source>PipeWire camera</source>
            <translation>PipeWire-Kamera</translation>
        </message>
        <message>
            <source>PipeWire camera: Snap</source>
            <translation>PipeWire-Kamera: Snap</translation>
        </message>
        <message>
            <source>PipeWire camera: permission</source>
            <translation>PipeWire-Kamera: Berechtigung</translation>
        </message>
        <message>
            <source>PipeWire camera: portal</source>
            <translation>PipeWire-Kamera: Portal</translation>
        </message>
        <message>
            <source>PipeWire camera: service</source>
            <translation>PipeWire-Kamera: Dienst</translation>
        </message>
        <message>
            <source>PipeWire camera: test picture</source>
            <translation>PipeWire-Kamera: Testbild</translation>
        </message>
        <message>
            <source>PipeWire does not answer, so that there is no PipeWire camera; install and start pipewire and wireplumber, or switch the PipeWire camera off.</source>
            <translation>PipeWire antwortet nicht, daher gibt es keine PipeWire-Kamera; installieren und starten Sie pipewire und wireplumber, oder schalten Sie die PipeWire-Kamera aus.</translation>
        </message>
        <message>
            <source>PipeWire does not answer, so there is no PipeWire camera.</source>
            <translation>PipeWire antwortet nicht, daher gibt es keine PipeWire-Kamera.</translation>
        </message>
        <message>
            <source>PipeWire has stopped, and the PipeWire camera with it; start pipewire again.</source>
            <translation>PipeWire wurde beendet und mit ihm die PipeWire-Kamera; starten Sie pipewire erneut.</translation>
        </message>
        <message>
            <source>PipeWire is not installed, so there is no PipeWire camera.</source>
            <translation>PipeWire ist nicht installiert, daher gibt es keine PipeWire-Kamera.</translation>
        </message>
        <message>
            <source>PipeWire offers no camera {camera}; choose one of {cameras}.</source>
            <translation>PipeWire bietet keine Kamera {camera} an; wählen Sie eine von {cameras}.</translation>
        </message>
        <message>
            <source>PipeWire offers no camera; connect one or choose another source.</source>
            <translation>PipeWire bietet keine Kamera an; schließen Sie eine an, oder wählen Sie eine andere Quelle.</translation>
        </message>
        <message>
            <source>Pixel format of the camera.</source>
            <translation>Pixelformat der Kamera.</translation>
        </message>
        <message>
            <source>Portrait light</source>
            <translation>Porträtlicht</translation>
        </message>
        <message>
            <source>Precision</source>
            <translation>Genauigkeit</translation>
        </message>
        <message>
            <source>Preferences</source>
            <translation>Einstellungen</translation>
        </message>
        <message>
            <source>Preferences…</source>
            <translation>Einstellungen…</translation>
        </message>
        <message>
            <source>Preparing for this computer, once</source>
            <translation>Vorbereitung für diesen Rechner, einmalig</translation>
        </message>
        <message>
            <source>Preparing for this computer, once: step {step} of {count}</source>
            <translation>Vorbereitung für diesen Rechner, einmalig: Schritt {step} von {count}</translation>
        </message>
        <message>
            <source>Press “Start”, then step out of the picture. Do not move the camera or change the light.</source>
            <translation>Drücken Sie „Start“ und gehen Sie dann aus dem Bild. Bewegen Sie die Kamera nicht und ändern Sie das Licht nicht.</translation>
        </message>
        <message>
            <source>Preview</source>
            <translation>Vorschau</translation>
        </message>
        <message>
            <source>Problems: {0}   ·   Warnings: {1}</source>
            <translation>Probleme: {0}   ·   Warnungen: {1}</translation>
        </message>
        <message>
            <source>Processor that runs the network.</source>
            <translation>Prozessor, der das Netz ausführt.</translation>
        </message>
        <message>
            <source>Programs that look for cameras in PipeWire, such as browsers and Flatpak programs, do not show the camera.</source>
            <translation>Programme, die Kameras in PipeWire suchen, etwa Browser und Flatpak-Programme, zeigen die Kamera nicht.</translation>
        </message>
        <message>
            <source>Progress of the download</source>
            <translation>Fortschritt des Downloads</translation>
        </message>
        <message>
            <source>PyTorch is installed, but cannot be loaded; the networks run on the CPU.</source>
            <translation>PyTorch ist installiert, lässt sich aber nicht laden; die Netze laufen auf der CPU.</translation>
        </message>
        <message>
            <source>PyTorch is not installed; the networks run on the CPU.</source>
            <translation>PyTorch ist nicht installiert; die Netze laufen auf der CPU.</translation>
        </message>
        <message>
            <source>Qt cannot open a window without them.</source>
            <translation>Ohne sie kann Qt kein Fenster öffnen.</translation>
        </message>
        <message>
            <source>Quality</source>
            <translation>Qualität</translation>
        </message>
        <message>
            <source>Quit</source>
            <translation>Beenden</translation>
        </message>
        <message>
            <source>Recommended: Fine uses about {0} % of this computer.</source>
            <translation>Empfohlen: Fein nutzt etwa {0} % dieses Rechners.</translation>
        </message>
        <message>
            <source>Record</source>
            <translation>Aufnehmen</translation>
        </message>
        <message>
            <source>Record the output as a video (R)</source>
            <translation>Die Ausgabe als Video aufnehmen (R)</translation>
        </message>
        <message>
            <source>Recordings and snapshots are saved here</source>
            <translation>Aufnahmen und Fotos werden hier gespeichert</translation>
        </message>
        <message>
            <source>Reduce flicker of the edge.</source>
            <translation>Verringert Flimmern der Kante.</translation>
        </message>
        <message>
            <source>Refiner</source>
            <translation>Verfeinerung</translation>
        </message>
        <message>
            <source>Reinstall the program, or download a model:</source>
            <translation>Installieren Sie das Programm neu oder laden Sie ein Modell herunter:</translation>
        </message>
        <message>
            <source>Remove</source>
            <translation>Entfernen</translation>
        </message>
        <message>
            <source>Remove a green cast from hair and edges.</source>
            <translation>Entfernt einen Grünstich aus Haaren und Kanten.</translation>
        </message>
        <message>
            <source>Remove all zones</source>
            <translation>Alle Zonen löschen</translation>
        </message>
        <message>
            <source>Remove all zones of this camera</source>
            <translation>Alle Zonen dieser Kamera löschen</translation>
        </message>
        <message>
            <source>Remove colour fringe</source>
            <translation>Farbsaum entfernen</translation>
        </message>
        <message>
            <source>Remove image</source>
            <translation>Bild entfernen</translation>
        </message>
        <message>
            <source>Remove picture of the empty room</source>
            <translation>Bild des leeren Raums entfernen</translation>
        </message>
        <message>
            <source>Remove such options from the other files, but keep what else is in them.</source>
            <translation>Entfernen Sie solche Optionen aus den anderen Dateien, aber behalten Sie, was sonst darin steht.</translation>
        </message>
        <message>
            <source>Remove the background “{0}”?</source>
            <translation>Den Hintergrund „{0}“ entfernen?</translation>
        </message>
        <message>
            <source>Remove the combs of interlaced video.</source>
            <translation>Entfernt die Kammränder von Video mit Zeilensprung.</translation>
        </message>
        <message>
            <source>Remove the last zone</source>
            <translation>Letzte Zone löschen</translation>
        </message>
        <message>
            <source>Remove the scene “{0}”?</source>
            <translation>Szene „{0}“ entfernen?</translation>
        </message>
        <message>
            <source>Remove…</source>
            <translation>Entfernen…</translation>
        </message>
        <message>
            <source>Rename</source>
            <translation>Umbenennen</translation>
        </message>
        <message>
            <source>Rename background</source>
            <translation>Hintergrund umbenennen</translation>
        </message>
        <message>
            <source>Rename scene</source>
            <translation>Szene umbenennen</translation>
        </message>
        <message>
            <source>Rename…</source>
            <translation>Umbenennen…</translation>
        </message>
        <message>
            <source>Replace</source>
            <translation>Ersetzen</translation>
        </message>
        <message>
            <source>Replaces your background live.</source>
            <translation>Ersetzt Ihren Hintergrund in Echtzeit.</translation>
        </message>
        <message>
            <source>Reset edge</source>
            <translation>Kante zurücksetzen</translation>
        </message>
        <message>
            <source>Reset zoom</source>
            <translation>Zoom zurücksetzen</translation>
        </message>
        <message>
            <source>Resolution of the network's input: more is finer and slower.</source>
            <translation>Auflösung der Eingabe des Netzes: mehr ist feiner und langsamer.</translation>
        </message>
        <message>
            <source>Restart after a driver update. In a container, pass the card through (docker run --gpus all …). CUDA_VISIBLE_DEVICES must not be empty.</source>
            <translation>Starten Sie nach einem Treiberupdate neu. Reichen Sie die Karte in den Container durch (docker run --gpus all …). CUDA_VISIBLE_DEVICES darf nicht leer sein.</translation>
        </message>
        <message>
            <source>Restart the computer: its kernel was updated since it was started.</source>
            <translation>Starten Sie den Rechner neu: Sein Kernel wurde seit dem Start aktualisiert.</translation>
        </message>
        <message>
            <source>Result</source>
            <translation>Ergebnis</translation>
        </message>
        <message>
            <source>Results of the checks</source>
            <translation>Ergebnisse der Prüfungen</translation>
        </message>
        <message>
            <source>Resume</source>
            <translation>Fortsetzen</translation>
        </message>
        <message>
            <source>Run Mattecam from its sources to use the graphics card.</source>
            <translation>Starten Sie Mattecam aus seinem Quelltext, um die Grafikkarte zu benutzen.</translation>
        </message>
        <message>
            <source>Run the checks again</source>
            <translation>Die Prüfungen wiederholen</translation>
        </message>
        <message>
            <source>Save as scene</source>
            <translation>Als Szene speichern</translation>
        </message>
        <message>
            <source>Save as scene with camera</source>
            <translation>Als Szene mit Kamera speichern</translation>
        </message>
        <message>
            <source>Save as scene with camera…</source>
            <translation>Als Szene mit Kamera speichern…</translation>
        </message>
        <message>
            <source>Save as scene…</source>
            <translation>Als Szene speichern…</translation>
        </message>
        <message>
            <source>Save the current output frame (S)</source>
            <translation>Das aktuelle Ausgabebild speichern (S)</translation>
        </message>
        <message>
            <source>Saved {0} in {1}</source>
            <translation>{0} gespeichert in {1}</translation>
        </message>
        <message>
            <source>Scene {0}</source>
            <translation>Szene {0}</translation>
        </message>
        <message>
            <source>Secure Boot is on: the module must be signed with a key that is enrolled in the firmware.</source>
            <translation>Secure Boot ist an: Das Modul muss mit einem Schlüssel signiert sein, der in der Firmware eingetragen ist.</translation>
        </message>
        <message>
            <source>Send a test picture</source>
            <translation>Testbild senden</translation>
        </message>
        <message>
            <source>Send cut-out person to OBS</source>
            <translation>Freigestellte Person an OBS senden</translation>
        </message>
        <message>
            <source>Send to other programs</source>
            <translation>An andere Programme senden</translation>
        </message>
        <message>
            <source>Sends colour bars to the virtual camera for a second and compares them with what a program reads</source>
            <translation>Sendet eine Sekunde lang Farbbalken an die virtuelle Kamera und vergleicht sie mit dem, was ein Programm liest</translation>
        </message>
        <message>
            <source>Set up Mattecam</source>
            <translation>Mattecam einrichten</translation>
        </message>
        <message>
            <source>Set up a virtual camera</source>
            <translation>Virtuelle Kamera einrichten</translation>
        </message>
        <message>
            <source>Set up a virtual camera…</source>
            <translation>Virtuelle Kamera einrichten…</translation>
        </message>
        <message>
            <source>Set up now</source>
            <translation>Jetzt einrichten</translation>
        </message>
        <message>
            <source>Set up the virtual camera</source>
            <translation>Virtuelle Kamera einrichten</translation>
        </message>
        <message>
            <source>Set up…</source>
            <translation>Einrichten…</translation>
        </message>
        <message>
            <source>Setting up the virtual camera…</source>
            <translation>Die virtuelle Kamera wird eingerichtet…</translation>
        </message>
        <message>
            <source>Setup assistant…</source>
            <translation>Einrichtungsassistent…</translation>
        </message>
        <message>
            <source>Show all backgrounds in a grid</source>
            <translation>Alle Hintergründe in einem Raster zeigen</translation>
        </message>
        <message>
            <source>Show all messages</source>
            <translation>Alle Meldungen zeigen</translation>
        </message>
        <message>
            <source>Show every setting, in groups</source>
            <translation>Zeigt alle Einstellungen in Gruppen</translation>
        </message>
        <message>
            <source>Show everybody to others?</source>
            <translation>Anderen alle zeigen?</translation>
        </message>
        <message>
            <source>Show frame rate and delay</source>
            <translation>Bildrate und Latenz anzeigen</translation>
        </message>
        <message>
            <source>Show it</source>
            <translation>Zeigen</translation>
        </message>
        <message>
            <source>Show more around you to others?</source>
            <translation>Anderen mehr um Sie herum zeigen?</translation>
        </message>
        <message>
            <source>Show only what most people need</source>
            <translation>Zeigt nur, was die meisten brauchen</translation>
        </message>
        <message>
            <source>Show others the card while the screen of this computer is locked.</source>
            <translation>Andere sehen die Pausenkarte, solange der Bildschirm dieses Computers gesperrt ist.</translation>
        </message>
        <message>
            <source>Show the background without zoom</source>
            <translation>Den Hintergrund ohne Zoom zeigen</translation>
        </message>
        <message>
            <source>Show the camera while the screen is locked?</source>
            <translation>Die Kamera bei gesperrtem Bildschirm zeigen?</translation>
        </message>
        <message>
            <source>Show the first page again</source>
            <translation>Zeigt wieder die erste Seite</translation>
        </message>
        <message>
            <source>Show the preview as a mirror; the output stays as it is.</source>
            <translation>Zeigt die Vorschau wie einen Spiegel; die Ausgabe bleibt, wie sie ist.</translation>
        </message>
        <message>
            <source>Show the settings</source>
            <translation>Einstellungen zeigen</translation>
        </message>
        <message>
            <source>Show the stand-by card instead of you, or you again (P). H always hides you.</source>
            <translation>Zeigt die Pausentafel statt Ihnen, oder wieder Sie (P). H verbirgt Sie immer.</translation>
        </message>
        <message>
            <source>Show the whole camera image</source>
            <translation>Das ganze Kamerabild zeigen</translation>
        </message>
        <message>
            <source>Show the whole image</source>
            <translation>Ganzes Bild zeigen</translation>
        </message>
        <message>
            <source>Show things mistaken for people to others?</source>
            <translation>Anderen zeigen, was für Personen gehalten wird?</translation>
        </message>
        <message>
            <source>Show your real background to others?</source>
            <translation>Anderen Ihren echten Hintergrund zeigen?</translation>
        </message>
        <message>
            <source>Shows what this system needs</source>
            <translation>Zeigt, was dieses System braucht</translation>
        </message>
        <message>
            <source>Shows your real background (Ctrl+0)</source>
            <translation>Zeigt Ihren echten Hintergrund (Strg+0)</translation>
        </message>
        <message>
            <source>Shows your real background.</source>
            <translation>Zeigt Ihren echten Hintergrund.</translation>
        </message>
        <message>
            <source>Shrink or grow</source>
            <translation>Schrumpfen oder wachsen</translation>
        </message>
        <message>
            <source>Side panel</source>
            <translation>Seitenleiste</translation>
        </message>
        <message>
            <source>Simple</source>
            <translation>Einfach</translation>
        </message>
        <message>
            <source>Size</source>
            <translation>Größe</translation>
        </message>
        <message>
            <source>Size of the brush on the preview</source>
            <translation>Größe des Pinsels auf der Vorschau</translation>
        </message>
        <message>
            <source>Skip setup</source>
            <translation>Einrichtung überspringen</translation>
        </message>
        <message>
            <source>Snapshot</source>
            <translation>Foto</translation>
        </message>
        <message>
            <source>Soft</source>
            <translation>Weich</translation>
        </message>
        <message>
            <source>Soft studio</source>
            <translation>Sanftes Studio</translation>
        </message>
        <message>
            <source>Soften the edge outward; the inside stays opaque.</source>
            <translation>Macht die Kante nach außen weich; innen bleibt alles deckend.</translation>
        </message>
        <message>
            <source>Software that runs the network.</source>
            <translation>Software, die das Netz ausführt.</translation>
        </message>
        <message>
            <source>Someone is still in view; step out of the picture and take it again.</source>
            <translation>Es ist noch jemand im Bild; gehen Sie aus dem Bild und nehmen Sie es erneut auf.</translation>
        </message>
        <message>
            <source>Sound cannot be recorded because the library of the sound server is missing; install it (package libpulse0), or turn the microphone off.</source>
            <translation>Ton kann nicht aufgenommen werden, weil die Bibliothek des Audioservers fehlt; installieren Sie sie (Paket libpulse0) oder schalten Sie das Mikrofon aus.</translation>
        </message>
        <message>
            <source>Source of the video</source>
            <translation>Quelle des Videos</translation>
        </message>
        <message>
            <source>Stand-by image</source>
            <translation>Pausenbild</translation>
        </message>
        <message>
            <source>Stand-by text</source>
            <translation>Text der Pausentafel</translation>
        </message>
        <message>
            <source>Standard</source>
            <translation>Standard</translation>
        </message>
        <message>
            <source>Start</source>
            <translation>Start</translation>
        </message>
        <message>
            <source>Start Mattecam first. Then choose the camera “Mattecam” in the settings for video of Zoom, Meet, Teams or OBS; on Windows and macOS it is named “OBS Virtual Camera”. Turn the background effects of that program off. Quit a program that does not list the camera, and start it again. “Check this computer” in the menu says what is missing.</source>
            <translation>Starten Sie zuerst Mattecam. Wählen Sie dann in den Videoeinstellungen von Zoom, Meet, Teams oder OBS die Kamera „Mattecam“; unter Windows und macOS heißt sie „OBS Virtual Camera“. Schalten Sie die Hintergrundeffekte dieses Programms aus. Beenden Sie ein Programm, das die Kamera nicht anbietet, und starten Sie es neu. „Diesen Rechner prüfen“ im Menü sagt, was fehlt.</translation>
        </message>
        <message>
            <source>Start PipeWire:</source>
            <translation>PipeWire starten:</translation>
        </message>
        <message>
            <source>Start WirePlumber, which connects programs with cameras:</source>
            <translation>WirePlumber starten, das Programme mit Kameras verbindet:</translation>
        </message>
        <message>
            <source>Start its virtual camera once, allow it if the system asks, and close OBS.</source>
            <translation>Starten Sie einmal seine virtuelle Kamera, erlauben Sie sie, wenn das System fragt, und schließen Sie OBS.</translation>
        </message>
        <message>
            <source>Start the countdown</source>
            <translation>Countdown starten</translation>
        </message>
        <message>
            <source>Start when you log in</source>
            <translation>Beim Anmelden starten</translation>
        </message>
        <message>
            <source>Starting: others see the stand-by card</source>
            <translation>Startet: Andere sehen die Pausentafel</translation>
        </message>
        <message>
            <source>Starting…</source>
            <translation>Startet…</translation>
        </message>
        <message>
            <source>Starts Mattecam minimised with your desktop</source>
            <translation>Startet Mattecam minimiert mit Ihrem Desktop</translation>
        </message>
        <message>
            <source>Step out of the picture.</source>
            <translation>Bitte aus dem Bild gehen.</translation>
        </message>
        <message>
            <source>Step {0} of {1}</source>
            <translation>Schritt {0} von {1}</translation>
        </message>
        <message>
            <source>Stop the download</source>
            <translation>Den Download anhalten</translation>
        </message>
        <message>
            <source>Swap left and right of the camera</source>
            <translation>Links und rechts der Kamera tauschen</translation>
        </message>
        <message>
            <source>Swap left and right of the camera, not of the background.</source>
            <translation>Vertauscht links und rechts der Kamera, nicht des Hintergrunds.</translation>
        </message>
        <message>
            <source>Switch between a mirror and the output as it leaves</source>
            <translation>Zwischen Spiegelbild und dem gesendeten Bild wechseln</translation>
        </message>
        <message>
            <source>Switch the real camera off while nobody watches</source>
            <translation>Echte Kamera ausschalten, solange niemand zusieht</translation>
        </message>
        <message>
            <source>System</source>
            <translation>System</translation>
        </message>
        <message>
            <source>Take a picture of the empty room</source>
            <translation>Leeren Raum aufnehmen</translation>
        </message>
        <message>
            <source>Take a picture of the empty room…</source>
            <translation>Leeren Raum aufnehmen…</translation>
        </message>
        <message>
            <source>Taken {0}</source>
            <translation>Aufgenommen {0}</translation>
        </message>
        <message>
            <source>Taking the picture…</source>
            <translation>Bild wird aufgenommen…</translation>
        </message>
        <message>
            <source>Temporal smoothing</source>
            <translation>Zeitliche Glättung</translation>
        </message>
        <message>
            <source>Text behind you can be read</source>
            <translation>Text hinter Ihnen ist lesbar</translation>
        </message>
        <message>
            <source>Text of the card that others see while you are paused.</source>
            <translation>Text der Tafel, die andere während der Pause sehen.</translation>
        </message>
        <message>
            <source>That of Debian 12 is too old for processors since 2023; Debian 13 has a newer one.</source>
            <translation>Der von Debian 12 ist zu alt für Prozessoren ab 2023; Debian 13 hat einen neueren.</translation>
        </message>
        <message>
            <source>The GPU of Intel has no OpenCL driver; the networks run on the CPU.</source>
            <translation>Der GPU von Intel fehlt ein OpenCL-Treiber; die Netze laufen auf der CPU.</translation>
        </message>
        <message>
            <source>The GPU of Intel was not measured yet; Mattecam measures it beside the picture.</source>
            <translation>Die GPU von Intel wurde noch nicht gemessen; Mattecam misst sie neben dem Bild.</translation>
        </message>
        <message>
            <source>The GPU takes work from the processor.</source>
            <translation>Die GPU nimmt dem Prozessor Arbeit ab.</translation>
        </message>
        <message>
            <source>The GPU {device} has too little memory for the model {model}; matting continues on the CPU.</source>
            <translation>Die GPU {device} hat zu wenig Speicher für das Modell {model}; das Freistellen läuft auf der CPU weiter.</translation>
        </message>
        <message>
            <source>The GPU {device} stopped working; matting continues on the CPU until Mattecam is restarted.</source>
            <translation>Die GPU {device} ist ausgefallen; das Freistellen läuft auf der CPU weiter, bis Mattecam neu gestartet wird.</translation>
        </message>
        <message>
            <source>The NVIDIA driver {driver} supports torch {version} (CUDA {cuda}), but torch finds no card.</source>
            <translation>Der NVIDIA-Treiber {driver} unterstützt torch {version} (CUDA {cuda}), aber torch findet keine Karte.</translation>
        </message>
        <message>
            <source>The PipeWire camera is closed; open it again.</source>
            <translation>Die PipeWire-Kamera ist geschlossen; öffnen Sie sie erneut.</translation>
        </message>
        <message>
            <source>The autostart entry {file} cannot be changed: {reason}.</source>
            <translation>Der Autostart-Eintrag {file} kann nicht geändert werden: {reason}.</translation>
        </message>
        <message>
            <source>The background {background} does not open; reconnect its disk, or start the program again with another background.</source>
            <translation>Der Hintergrund {background} lässt sich nicht öffnen; schließen Sie sein Laufwerk neu an oder starten Sie das Programm mit einem anderen Hintergrund neu.</translation>
        </message>
        <message>
            <source>The blur is so weak that text in your room can be read.</source>
            <translation>Die Unschärfe ist so schwach, dass Text in Ihrem Raum lesbar ist.</translation>
        </message>
        <message>
            <source>The bundled model is missing from this installation; installed are {models}.</source>
            <translation>Das mitgelieferte Modell fehlt in dieser Installation; installiert sind {models}.</translation>
        </message>
        <message>
            <source>The camera at {device} is a raw sensor ({name}) that ordinary programs cannot read.</source>
            <translation>Die Kamera an {device} ist ein Rohdatensensor ({name}), den gewöhnliche Programme nicht lesen können.</translation>
        </message>
        <message>
            <source>The camera delivers no frames; no picture of the empty room was taken.</source>
            <translation>Die Kamera liefert keine Bilder; es wurde kein Bild des leeren Raums aufgenommen.</translation>
        </message>
        <message>
            <source>The camera image; visible only here</source>
            <translation>Das Kamerabild; nur hier sichtbar</translation>
        </message>
        <message>
            <source>The camera permission of {program} is “{answer}”: they get no camera from the portal.</source>
            <translation>Die Kameraberechtigung für {program} ist „{answer}“: Das Portal gibt ihnen keine Kamera.</translation>
        </message>
        <message>
            <source>The camera reaches {0} × {1} only at {2} fps. Choose a smaller size or another format.</source>
            <translation>Die Kamera erreicht {0} × {1} nur mit {2} Bildern pro Sekunde. Wählen Sie eine kleinere Größe oder ein anderes Format.</translation>
        </message>
        <message>
            <source>The camera takes it while you step aside</source>
            <translation>Die Kamera nimmt ihn auf, während Sie beiseitegehen</translation>
        </message>
        <message>
            <source>The camera {camera} cannot be opened: {reason}.</source>
            <translation>Die Kamera {camera} lässt sich nicht öffnen: {reason}.</translation>
        </message>
        <message>
            <source>The camera {camera} delivers no frames: {reason}.</source>
            <translation>Die Kamera {camera} liefert keine Bilder: {reason}.</translation>
        </message>
        <message>
            <source>The camera {camera} delivers only black or green frames; open its shutter, close other programs that use it, and let desktop apps use cameras in Settings › Privacy &amp; security › Camera.</source>
            <translation>Die Kamera {camera} liefert nur schwarze oder grüne Bilder; öffnen Sie ihre Blende, schließen Sie andere Programme, die sie benutzen, und lassen Sie Desktop-Apps die Kamera benutzen, unter Einstellungen › Datenschutz und Sicherheit › Kamera.</translation>
        </message>
        <message>
            <source>The camera {camera} delivers only black or green frames; open its shutter, or choose another size or format.</source>
            <translation>Die Kamera {camera} liefert nur schwarze oder grüne Bilder; öffnen Sie ihre Abdeckung oder wählen Sie eine andere Größe oder ein anderes Format.</translation>
        </message>
        <message>
            <source>The camera {camera} delivers only damaged frames; check its cable, or use another USB port.</source>
            <translation>Die Kamera {camera} liefert nur beschädigte Bilder; prüfen Sie das Kabel oder benutzen Sie einen anderen USB-Anschluss.</translation>
        </message>
        <message>
            <source>The camera {camera} has delivered no frame for {seconds} seconds: {reason}.</source>
            <translation>Die Kamera {camera} liefert seit {seconds} Sekunden kein Bild: {reason}.</translation>
        </message>
        <message>
            <source>The camera {camera} is disconnected; reconnect it or choose another camera.</source>
            <translation>Die Kamera {camera} ist getrennt; schließen Sie sie wieder an oder wählen Sie eine andere Kamera.</translation>
        </message>
        <message>
            <source>The camera {camera} of the portal delivers no frames; close the programs that use it.</source>
            <translation>Die Kamera {camera} des Portals liefert keine Bilder; schließen Sie die Programme, die sie verwenden.</translation>
        </message>
        <message>
            <source>The camera {camera} of the portal is gone; connect it again.</source>
            <translation>Die Kamera {camera} des Portals ist verschwunden; schließen Sie sie wieder an.</translation>
        </message>
        <message>
            <source>The camera {camera} sends video that cannot be decoded; choose another format or another camera.</source>
            <translation>Die Kamera {camera} sendet Video, das nicht dekodiert werden kann; wählen Sie ein anderes Format oder eine andere Kamera.</translation>
        </message>
        <message>
            <source>The camera {camera} shows nothing: its input has no signal; switch on what is connected to it, or choose another camera.</source>
            <translation>Die Kamera {camera} zeigt nichts: Ihr Eingang hat kein Signal; schalten Sie ein, was daran angeschlossen ist, oder wählen Sie eine andere Kamera.</translation>
        </message>
        <message>
            <source>The clipboard holds no image. Copy an image first.</source>
            <translation>Die Zwischenablage enthält kein Bild. Kopieren Sie zuerst ein Bild.</translation>
        </message>
        <message>
            <source>The colours read back from {device} differ by up to {error} of 255.</source>
            <translation>Die von {device} zurückgelesenen Farben weichen um bis zu {error} von 255 ab.</translation>
        </message>
        <message>
            <source>The command line</source>
            <translation>Die Kommandozeile</translation>
        </message>
        <message>
            <source>The demo image {file} is missing or damaged; reinstall the program.</source>
            <translation>Das Demobild {file} fehlt oder ist beschädigt; installieren Sie das Programm neu.</translation>
        </message>
        <message>
            <source>The desktop has a camera portal.</source>
            <translation>Der Desktop hat ein Kameraportal.</translation>
        </message>
        <message>
            <source>The desktop has no camera portal.</source>
            <translation>Der Desktop hat kein Kameraportal.</translation>
        </message>
        <message>
            <source>The desktop has no camera portal; install xdg-desktop-portal with the backend of the desktop, or choose another source.</source>
            <translation>Der Desktop hat kein Kameraportal; installieren Sie xdg-desktop-portal mit dem Backend des Desktops, oder wählen Sie eine andere Quelle.</translation>
        </message>
        <message>
            <source>The desktop refused access to its cameras; allow it in the privacy settings, or choose another source.</source>
            <translation>Der Desktop hat den Zugriff auf seine Kameras abgelehnt; erlauben Sie ihn in den Datenschutzeinstellungen, oder wählen Sie eine andere Quelle.</translation>
        </message>
        <message>
            <source>The disk is full while downloading {model} to {folder}; free some space and try again.</source>
            <translation>Der Datenträger ist beim Herunterladen von {model} nach {folder} voll; schaffen Sie Platz und versuchen Sie es erneut.</translation>
        </message>
        <message>
            <source>The display is Wayland ({name}).</source>
            <translation>Die Anzeige ist Wayland ({name}).</translation>
        </message>
        <message>
            <source>The display is X11 ({name}).</source>
            <translation>Die Anzeige ist X11 ({name}).</translation>
        </message>
        <message>
            <source>The driver of {device} does not respond.</source>
            <translation>Der Treiber von {device} antwortet nicht.</translation>
        </message>
        <message>
            <source>The driver {drivers} failed with the GPU of Intel ({problem}); the networks run on the CPU.</source>
            <translation>Der Treiber {drivers} hat mit der GPU von Intel versagt ({problem}); die Netze laufen auf der CPU.</translation>
        </message>
        <message>
            <source>The edge of this scene shows more of the room around you.</source>
            <translation>Der Rand dieser Szene zeigt mehr vom Raum um Sie herum.</translation>
        </message>
        <message>
            <source>The encoder {wanted} does not work on this computer; the recording uses {used}.</source>
            <translation>Der Encoder {wanted} funktioniert auf diesem Rechner nicht; die Aufnahme verwendet {used}.</translation>
        </message>
        <message>
            <source>The executor {executor} does not run on the device {device}; choose the executor {executors}, or one of the devices {devices}.</source>
            <translation>Die Ausführung {executor} läuft nicht auf dem Gerät {device}; wählen Sie die Ausführung {executors} oder eines der Geräte {devices}.</translation>
        </message>
        <message>
            <source>The file downloaded for {model} differs from the published file, or the one downloaded first (checksum {found}… in place of {expected}…), and was deleted; try again later, or save a trusted copy as {name} in the folder {folder}.</source>
            <translation>Die für {model} heruntergeladene Datei weicht von der veröffentlichten oder der zuerst heruntergeladenen ab (Prüfsumme {found}… statt {expected}…) und wurde gelöscht; versuchen Sie es später noch einmal, oder legen Sie eine vertrauenswürdige Kopie als {name} in den Ordner {folder}.</translation>
        </message>
        <message>
            <source>The file {file} cannot be replaced: a program has it open, or its folder is not writable; end that program and try again.</source>
            <translation>Die Datei {file} kann nicht ersetzt werden: Ein Programm hat sie geöffnet, oder ihr Ordner ist schreibgeschützt; beenden Sie dieses Programm und versuchen Sie es noch einmal.</translation>
        </message>
        <message>
            <source>The file {file} cannot be used ({reason}) and was renamed to {kept}; Mattecam goes on without it.</source>
            <translation>Die Datei {file} ist nicht verwendbar ({reason}) und wurde in {kept} umbenannt; Mattecam läuft ohne sie weiter.</translation>
        </message>
        <message>
            <source>The file {file} cannot be used ({reason}), and nothing is saved over it, because it cannot be kept under another name: {why}.</source>
            <translation>Die Datei {file} ist nicht verwendbar ({reason}) und wird nicht überschrieben, weil sie nicht unter einem anderen Namen aufbewahrt werden kann: {why}.</translation>
        </message>
        <message>
            <source>The file {file} cannot be written: {reason}.</source>
            <translation>Die Datei {file} lässt sich nicht schreiben: {reason}.</translation>
        </message>
        <message>
            <source>The file {file} cannot be written; make its folder writable and try again.</source>
            <translation>Die Datei {file} lässt sich nicht schreiben; geben Sie sich Schreibrecht für den Ordner und versuchen Sie es erneut.</translation>
        </message>
        <message>
            <source>The file {file} differs from the published file (checksum); download {published} of {model} again or choose another file.</source>
            <translation>Die Datei {file} weicht von der veröffentlichten ab (Prüfsumme); laden Sie {published} von {model} noch einmal herunter, oder wählen Sie eine andere Datei.</translation>
        </message>
        <message>
            <source>The file {file} does not contain weights of {model}; choose the model it belongs to or another file.</source>
            <translation>Die Datei {file} enthält keine Gewichte von {model}; wählen Sie das zugehörige Modell oder eine andere Datei.</translation>
        </message>
        <message>
            <source>The file {file} is not a readable image; take the picture of the empty room again.</source>
            <translation>Die Datei {file} ist kein lesbares Bild; nehmen Sie das Bild des leeren Raums erneut auf.</translation>
        </message>
        <message>
            <source>The finer model {model} takes {share} % of the time of all cores at 30 fps ({step} ms for a frame); auto takes it in a call up to {most} %. Films use it.</source>
            <translation>Das feinere Modell {model} braucht bei 30 Bildern pro Sekunde {share} % der Zeit aller Kerne ({step} ms für ein Bild); auto nimmt es in einem Anruf bis {most} %. Filme verwenden es.</translation>
        </message>
        <message>
            <source>The folder {folder} cannot be created: {reason}.</source>
            <translation>Der Ordner {folder} lässt sich nicht anlegen: {reason}.</translation>
        </message>
        <message>
            <source>The folder {folder} is not writable.</source>
            <translation>Der Ordner {folder} ist nicht beschreibbar.</translation>
        </message>
        <message>
            <source>The frames of {file} are too large ({width}×{height}); save the video in a smaller size.</source>
            <translation>Die Bilder von {file} sind zu groß ({width} × {height}); speichern Sie das Video in einer kleineren Größe.</translation>
        </message>
        <message>
            <source>The gap beside an arm in standard and in fine quality</source>
            <translation>Die Lücke neben einem Arm in der Standard- und der feinen Qualität</translation>
        </message>
        <message>
            <source>The image {file} does not exist; choose another one.</source>
            <translation>Das Bild {file} gibt es nicht; wählen Sie ein anderes.</translation>
        </message>
        <message>
            <source>The image {file} is damaged; save it again or choose another one.</source>
            <translation>Das Bild {file} ist beschädigt; speichern Sie es neu oder wählen Sie ein anderes.</translation>
        </message>
        <message>
            <source>The image {file} is too large; save it in a smaller size.</source>
            <translation>Das Bild {file} ist zu groß; speichern Sie es kleiner.</translation>
        </message>
        <message>
            <source>The kernel has a virtual camera, but the device file {device} is missing.</source>
            <translation>Der Kernel hat eine virtuelle Kamera, aber die Gerätedatei {device} fehlt.</translation>
        </message>
        <message>
            <source>The kernel knows the camera {name}, but the device file {device} is missing.</source>
            <translation>Der Kernel kennt die Kamera {name}, aber die Gerätedatei {device} fehlt.</translation>
        </message>
        <message>
            <source>The kernel module v4l2loopback is installed for the running kernel {kernel}, but not loaded.</source>
            <translation>Das Kernelmodul v4l2loopback ist für den laufenden Kernel {kernel} installiert, aber nicht geladen.</translation>
        </message>
        <message>
            <source>The kernel module v4l2loopback is loaded, but has no device.</source>
            <translation>Das Kernelmodul v4l2loopback ist geladen, hat aber kein Gerät.</translation>
        </message>
        <message>
            <source>The kernel module v4l2loopback is loaded.</source>
            <translation>Das Kernelmodul v4l2loopback ist geladen.</translation>
        </message>
        <message>
            <source>The kernel module v4l2loopback is not installed.</source>
            <translation>Das Kernelmodul v4l2loopback ist nicht installiert.</translation>
        </message>
        <message>
            <source>The last run did not end by itself. What it recorded was kept: {files}.</source>
            <translation>Der letzte Lauf wurde abgebrochen. Was er aufgenommen hat, ist erhalten: {files}.</translation>
        </message>
        <message>
            <source>The light or the camera has changed since the picture of the empty room was taken; take it again.</source>
            <translation>Licht oder Kamera haben sich seit der Aufnahme des leeren Raums verändert; nehmen Sie das Bild erneut auf.</translation>
        </message>
        <message>
            <source>The matte as the network computes it</source>
            <translation>Die Maske, wie das Netz sie berechnet</translation>
        </message>
        <message>
            <source>The menus name most of them. 1 to 9 choose a background, {0} the real one. Over the preview, + and − zoom, and the arrow keys move the zoomed image. For a key that works in every program, give it the command {1} in the settings of your desktop.</source>
            <translation>Die Menüs nennen die meisten. 1 bis 9 wählen einen Hintergrund, {0} den echten. Über der Vorschau zoomen + und −, und die Pfeiltasten verschieben das vergrößerte Bild. Für eine Taste, die in jedem Programm gilt, geben Sie ihr in den Einstellungen Ihres Desktops den Befehl {1}.</translation>
        </message>
        <message>
            <source>The microphone {device} cannot be opened, and the recording has no sound; connect it or choose another one.</source>
            <translation>Das Mikrofon {device} lässt sich nicht öffnen, und die Aufnahme hat keinen Ton; schließen Sie es an oder wählen Sie ein anderes.</translation>
        </message>
        <message>
            <source>The microphone {device} sends nothing, and the recording goes on without sound; connect it again or choose another one.</source>
            <translation>Das Mikrofon {device} sendet nichts, und die Aufnahme läuft ohne Ton weiter; schließen Sie es neu an oder wählen Sie ein anderes.</translation>
        </message>
        <message>
            <source>The microphone {device} was disconnected, and the recording goes on without sound; connect it again.</source>
            <translation>Das Mikrofon {device} wurde getrennt, und die Aufnahme läuft ohne Ton weiter; schließen Sie es wieder an.</translation>
        </message>
        <message>
            <source>The model does not respond on {device}; start the program again, or with another device.</source>
            <translation>Das Modell antwortet auf {device} nicht; starten Sie das Programm neu oder mit einem anderen Gerät.</translation>
        </message>
        <message>
            <source>The model in use does not compare with this picture. Background Matting does.</source>
            <translation>Das verwendete Modell vergleicht nicht mit diesem Bild. Background Matting tut es.</translation>
        </message>
        <message>
            <source>The model {model} failed on the GPU {device}; matting continues on the CPU. The log has the details.</source>
            <translation>Das Modell {model} ist auf der GPU {device} ausgefallen; das Freistellen läuft auf der CPU weiter. Einzelheiten stehen im Protokoll.</translation>
        </message>
        <message>
            <source>The model {model} failed on the device {device}; choose another executor or device. The log has the details.</source>
            <translation>Das Modell {model} ist auf dem Gerät {device} fehlgeschlagen; wählen Sie eine andere Ausführung oder ein anderes Gerät. Einzelheiten stehen im Protokoll.</translation>
        </message>
        <message>
            <source>The model {model} fails its self-test on the device {device}; choose another model or executor.</source>
            <translation>Das Modell {model} besteht seinen Selbsttest auf dem Gerät {device} nicht; wählen Sie ein anderes Modell oder eine andere Ausführung.</translation>
        </message>
        <message>
            <source>The model {model} needs PyTorch, which this copy of Mattecam lacks; run Mattecam from its sources for it.</source>
            <translation>Das Modell {model} braucht PyTorch, das in dieser Kopie von Mattecam fehlt; starten Sie Mattecam dafür aus seinem Quelltext.</translation>
        </message>
        <message>
            <source>The model {model} needs a picture of the empty room; take one.</source>
            <translation>Das Modell {model} braucht ein Bild des leeren Raums; nehmen Sie eines auf.</translation>
        </message>
        <message>
            <source>The model {model} ran out of memory on the device {device}; choose less detail or another device.</source>
            <translation>Dem Modell {model} ging auf dem Gerät {device} der Speicher aus; wählen Sie weniger Detail oder ein anderes Gerät.</translation>
        </message>
        <message>
            <source>The model {model} returned values that are not numbers; if this happens again, choose the precision float32 or another model.</source>
            <translation>Das Modell {model} lieferte Werte, die keine Zahlen sind; geschieht das erneut, wählen Sie die Genauigkeit float32 oder ein anderes Modell.</translation>
        </message>
        <message>
            <source>The model {model} returned wrong values on the GPU {device} in half precision; matting continues in float32.</source>
            <translation>Das Modell {model} lieferte auf der GPU {device} in halber Genauigkeit falsche Werte; das Freistellen läuft in float32 weiter.</translation>
        </message>
        <message>
            <source>The model {model} was closed and accepts no more frames; choose the model again.</source>
            <translation>Das Modell {model} wurde geschlossen und nimmt keine Bilder mehr an; wählen Sie es erneut.</translation>
        </message>
        <message>
            <source>The model “{0}” is not installed. The standard model is used instead.</source>
            <translation>Das Modell „{0}“ ist nicht installiert. Stattdessen wird das Standardmodell verwendet.</translation>
        </message>
        <message>
            <source>The module is loaded at every start of the computer.</source>
            <translation>Das Modul wird bei jedem Start des Rechners geladen.</translation>
        </message>
        <message>
            <source>The module is not loaded at the start of the computer.</source>
            <translation>Das Modul wird beim Start des Rechners nicht geladen.</translation>
        </message>
        <message>
            <source>The mouse paints. Esc ends.</source>
            <translation>Die Maus malt. Esc beendet.</translation>
        </message>
        <message>
            <source>The name of a background must contain letters or digits.</source>
            <translation>Der Name eines Hintergrunds muss Buchstaben oder Ziffern enthalten.</translation>
        </message>
        <message>
            <source>The network returned the camera's own frame; choose another model or executor.</source>
            <translation>Das Netz lieferte das Kamerabild selbst; wählen Sie ein anderes Modell oder eine andere Ausführung.</translation>
        </message>
        <message>
            <source>The network returned {width}×{height} pixels for a frame of {frame_width}×{frame_height}; choose another model or executor.</source>
            <translation>Das Netz lieferte {width} × {height} Pixel für ein Bild von {frame_width} × {frame_height}; wählen Sie ein anderes Modell oder eine andere Ausführung.</translation>
        </message>
        <message>
            <source>The network that separates you from the background</source>
            <translation>Das Netz, das Sie vom Hintergrund trennt</translation>
        </message>
        <message>
            <source>The network's frame shows the real background where there is no person; choose another model or executor.</source>
            <translation>Das Bild des Netzes zeigt den echten Hintergrund, wo keine Person ist; wählen Sie ein anderes Modell oder eine andere Ausführung.</translation>
        </message>
        <message>
            <source>The output {output} does not open; close the programs that use it, or start the program again with another output.</source>
            <translation>Die Ausgabe {output} lässt sich nicht öffnen; schließen Sie die Programme, die sie benutzen, oder starten Sie das Programm mit einer anderen Ausgabe neu.</translation>
        </message>
        <message>
            <source>The person without the background</source>
            <translation>Die Person ohne Hintergrund</translation>
        </message>
        <message>
            <source>The picture of the empty room is not stored yet; its disk may not answer.</source>
            <translation>Das Bild des leeren Raums ist noch nicht gespeichert; vielleicht antwortet der Datenträger nicht.</translation>
        </message>
        <message>
            <source>The picture of the empty room {file} cannot be read ({reason}); choose another one or take it again.</source>
            <translation>Das Bild des leeren Raums {file} lässt sich nicht lesen ({reason}); wählen Sie ein anderes oder nehmen Sie es erneut auf.</translation>
        </message>
        <message>
            <source>The picture of the empty room {file} cannot be written: {reason}.</source>
            <translation>Das Bild des leeren Raums {file} lässt sich nicht schreiben: {reason}.</translation>
        </message>
        <message>
            <source>The picture of the empty room {file} has {width}×{height} pixels, but the camera delivers {camera_width}×{camera_height}; take it again with this camera.</source>
            <translation>Das Bild des leeren Raums {file} hat {width} × {height} Pixel, die Kamera liefert aber {camera_width} × {camera_height}; nehmen Sie es mit dieser Kamera erneut auf.</translation>
        </message>
        <message>
            <source>The picture of the empty room {file} shows a person; take it again with nobody in view.</source>
            <translation>Das Bild des leeren Raums {file} zeigt eine Person; nehmen Sie es erneut auf, ohne dass jemand zu sehen ist.</translation>
        </message>
        <message>
            <source>The picture of the empty room {file} was taken with another camera ({camera}), or while it was turned otherwise; take it again.</source>
            <translation>Das Bild des leeren Raums {file} wurde mit einer anderen Kamera ({camera}) aufgenommen oder als sie anders gedreht war; nehmen Sie es noch einmal auf.</translation>
        </message>
        <message>
            <source>The preparation for this computer was cancelled; it continues at the next start.</source>
            <translation>Die Vorbereitung für diesen Rechner wurde abgebrochen; sie wird beim nächsten Start fortgesetzt.</translation>
        </message>
        <message>
            <source>The privacy settings of Windows do not let desktop apps use cameras.</source>
            <translation>Die Datenschutzeinstellungen von Windows lassen Desktop-Apps keine Kameras benutzen.</translation>
        </message>
        <message>
            <source>The program cannot store its files.</source>
            <translation>Das Programm kann seine Dateien nicht speichern.</translation>
        </message>
        <message>
            <source>The published models resolve finer edges, above all hair.</source>
            <translation>Die veröffentlichten Modelle lösen feinere Kanten auf, vor allem Haare.</translation>
        </message>
        <message>
            <source>The question of the desktop about the camera was not answered; answer it, or choose another source.</source>
            <translation>Die Frage des Desktops nach der Kamera wurde nicht beantwortet; beantworten Sie sie, oder wählen Sie eine andere Quelle.</translation>
        </message>
        <message>
            <source>The recording could not be completed: {reason} ({kept}).</source>
            <translation>Die Aufnahme konnte nicht abgeschlossen werden: {reason} ({kept}).</translation>
        </message>
        <message>
            <source>The recording stopped: {reason} ({kept}).</source>
            <translation>Die Aufnahme wurde beendet: {reason} ({kept}).</translation>
        </message>
        <message>
            <source>The recording {file} cannot be started: {reason}.</source>
            <translation>Die Aufnahme {file} lässt sich nicht starten: {reason}.</translation>
        </message>
        <message>
            <source>The recording {file} is finished; start another one.</source>
            <translation>Die Aufnahme {file} ist abgeschlossen; starten Sie eine neue.</translation>
        </message>
        <message>
            <source>The recording {file} was moved while it ran; it is {copy}.</source>
            <translation>Die Aufnahme {file} wurde verschoben, während sie lief; sie ist jetzt {copy}.</translation>
        </message>
        <message>
            <source>The recording {file} was moved while it runs; it goes on in {folder}.</source>
            <translation>Die laufende Aufnahme {file} wurde verschoben; sie geht in {folder} weiter.</translation>
        </message>
        <message>
            <source>The repair could not be started ({program} cannot be run); run the shown commands as root.</source>
            <translation>Die Reparatur konnte nicht gestartet werden ({program} lässt sich nicht ausführen); führen Sie die gezeigten Befehle als root aus.</translation>
        </message>
        <message>
            <source>The repair failed with exit code {code} (details are in the log); run the shown commands as root.</source>
            <translation>Die Reparatur ist mit dem Exit-Code {code} fehlgeschlagen (Einzelheiten stehen im Protokoll); führen Sie die gezeigten Befehle als root aus.</translation>
        </message>
        <message>
            <source>The repair failed: Secure Boot or a container forbids loading modules.</source>
            <translation>Die Reparatur ist fehlgeschlagen: Secure Boot oder ein Container verbietet es, Module zu laden.</translation>
        </message>
        <message>
            <source>The repair failed: Secure Boot rejects the module. Enrol its key as shown under “Virtual camera: Secure Boot”.</source>
            <translation>Die Reparatur ist fehlgeschlagen: Secure Boot weist das Modul ab. Tragen Sie seinen Schlüssel ein, wie unter „Virtuelle Kamera: Secure Boot“ gezeigt.</translation>
        </message>
        <message>
            <source>The repair failed: the virtual camera is in use. Close the programs that use it and try again.</source>
            <translation>Die Reparatur ist fehlgeschlagen: Die virtuelle Kamera wird benutzt. Schließen Sie die Programme, die sie benutzen, und versuchen Sie es erneut.</translation>
        </message>
        <message>
            <source>The rest of this check is left out.</source>
            <translation>Der Rest dieser Prüfung entfällt.</translation>
        </message>
        <message>
            <source>The running kernel {kernel} is no longer installed (installed: {installed}).</source>
            <translation>Der laufende Kernel {kernel} ist nicht mehr installiert (installiert: {installed}).</translation>
        </message>
        <message>
            <source>The saved model {model} is not installed; {bundled} is used instead.</source>
            <translation>Das gespeicherte Modell {model} ist nicht installiert; stattdessen wird {bundled} verwendet.</translation>
        </message>
        <message>
            <source>The scene “{name}” in {file} cannot be used ({reason}); save it again or remove it.</source>
            <translation>Die Szene „{name}“ in {file} ist nicht verwendbar ({reason}); speichern Sie sie neu oder entfernen Sie sie.</translation>
        </message>
        <message>
            <source>The scenes file {file} cannot be used ({reason}); correct it or move it away.</source>
            <translation>Die Szenendatei {file} ist nicht verwendbar ({reason}); berichtigen oder verschieben Sie sie.</translation>
        </message>
        <message>
            <source>The scenes file {file} does not answer; reconnect its disk.</source>
            <translation>Die Szenendatei {file} antwortet nicht; schließen Sie ihren Datenträger wieder an.</translation>
        </message>
        <message>
            <source>The settings file {file} cannot be used ({reason}). What it hides is unknown, so Mattecam starts paused, with the default settings.</source>
            <translation>Die Einstellungsdatei {file} ist nicht verwendbar ({reason}). Was sie verbirgt, ist unbekannt; deshalb startet Mattecam pausiert, mit den Standardeinstellungen.</translation>
        </message>
        <message>
            <source>The snap {program} may not use cameras.</source>
            <translation>Das Snap {program} darf keine Kameras verwenden.</translation>
        </message>
        <message>
            <source>The sound server does not answer, and the recording has no sound; start PipeWire with pipewire-pulse or PulseAudio, or turn the microphone off.</source>
            <translation>Der Audioserver antwortet nicht, und die Aufnahme hat keinen Ton; starten Sie PipeWire mit pipewire-pulse oder PulseAudio oder schalten Sie das Mikrofon aus.</translation>
        </message>
        <message>
            <source>The source {source} does not open; reconnect it, or start the program again with another source.</source>
            <translation>Die Quelle {source} lässt sich nicht öffnen; schließen Sie sie neu an oder starten Sie das Programm mit einer anderen Quelle neu.</translation>
        </message>
        <message>
            <source>The status file {file} cannot be written: {reason}.</source>
            <translation>Die Statusdatei {file} lässt sich nicht schreiben: {reason}.</translation>
        </message>
        <message>
            <source>The test picture could not be sent: {reason}</source>
            <translation>Das Testbild konnte nicht gesendet werden: {reason}</translation>
        </message>
        <message>
            <source>The user {user} has no permission to open {device} ({name}).</source>
            <translation>Der Benutzer {user} darf {device} ({name}) nicht öffnen.</translation>
        </message>
        <message>
            <source>The user {user} has no permission to open {device}.</source>
            <translation>Der Benutzer {user} darf {device} nicht öffnen.</translation>
        </message>
        <message>
            <source>The user {user} has permission to write to {device}.</source>
            <translation>Der Benutzer {user} darf auf {device} schreiben.</translation>
        </message>
        <message>
            <source>The video {file} can no longer be read; choose another file.</source>
            <translation>Das Video {file} lässt sich nicht weiter lesen; wählen Sie eine andere Datei.</translation>
        </message>
        <message>
            <source>The video {file} contains no readable frame; choose another file.</source>
            <translation>Das Video {file} enthält kein lesbares Bild; wählen Sie eine andere Datei.</translation>
        </message>
        <message>
            <source>The virtual camera {device} cannot be used; choose another one.</source>
            <translation>Die virtuelle Kamera {device} lässt sich nicht verwenden; wählen Sie eine andere.</translation>
        </message>
        <message>
            <source>The virtual camera {device} does not exist; choose another one or `auto`.</source>
            <translation>Die virtuelle Kamera {device} gibt es nicht; wählen Sie eine andere oder `auto`.</translation>
        </message>
        <message>
            <source>The virtual camera {device} does not start; stop it in OBS and close other programs that send to it.</source>
            <translation>Die virtuelle Kamera {device} startet nicht; stoppen Sie sie in OBS und schließen Sie andere Programme, die an sie senden.</translation>
        </message>
        <message>
            <source>The virtual camera {device} is closed; open it again.</source>
            <translation>Die virtuelle Kamera {device} ist geschlossen; öffnen Sie sie wieder.</translation>
        </message>
        <message>
            <source>The virtual camera {device} is held in a format that cannot be sent ({width}×{height} {format}); close the programs that use it and try again.</source>
            <translation>Die virtuelle Kamera {device} wird in einem Format gehalten, das sich nicht senden lässt ({width} × {height} {format}); schließen Sie die Programme, die sie benutzen, und versuchen Sie es erneut.</translation>
        </message>
        <message>
            <source>The virtual-camera backend v4l2 exists on Linux only; choose `auto` or `pyvirtualcam`.</source>
            <translation>Das Backend v4l2 der virtuellen Kamera gibt es nur unter Linux; wählen Sie `auto` oder `pyvirtualcam`.</translation>
        </message>
        <message>
            <source>The weights file {file} cannot be read; check the path and its permissions.</source>
            <translation>Die Gewichtsdatei {file} lässt sich nicht lesen; prüfen Sie den Pfad und die Berechtigungen.</translation>
        </message>
        <message>
            <source>The weights file {file} contains NaN or infinite values; replace it with an intact file.</source>
            <translation>Die Gewichtsdatei {file} enthält NaN oder unendliche Werte; ersetzen Sie sie durch eine intakte Datei.</translation>
        </message>
        <message>
            <source>The weights file {file} differs from the published file (checksum); download it again, or choose a file of your own.</source>
            <translation>Die Gewichtedatei {file} weicht von der veröffentlichten ab (Prüfsumme); laden Sie sie noch einmal herunter, oder wählen Sie eine eigene Datei.</translation>
        </message>
        <message>
            <source>The weights file {file} is damaged or holds no weights of PyTorch or safetensors; download it again or choose another file.</source>
            <translation>Die Gewichtsdatei {file} ist beschädigt oder enthält keine Gewichte von PyTorch oder safetensors; laden Sie sie erneut herunter oder wählen Sie eine andere Datei.</translation>
        </message>
        <message>
            <source>The weights file {file} is in the format of ONNX, which is not supported; choose a file of PyTorch or safetensors.</source>
            <translation>Die Gewichtsdatei {file} hat das Format von ONNX, das nicht unterstützt wird; wählen Sie eine Datei von PyTorch oder safetensors.</translation>
        </message>
        <message>
            <source>The weights file {file}, which is part of the program, is damaged; reinstall the program, or choose another file.</source>
            <translation>Die Gewichtsdatei {file}, die zum Programm gehört, ist beschädigt; installieren Sie das Programm neu oder wählen Sie eine andere Datei.</translation>
        </message>
        <message>
            <source>The weights in the file {file} are all zero; replace it with an intact file.</source>
            <translation>Die Gewichte in der Datei {file} sind alle null; ersetzen Sie sie durch eine intakte Datei.</translation>
        </message>
        <message>
            <source>The weights of {model} ({file}) are not installed; download them, or choose a file of your own.</source>
            <translation>Die Gewichte von {model} ({file}) sind nicht installiert; laden Sie sie herunter oder wählen Sie eine eigene Datei.</translation>
        </message>
        <message>
            <source>The weights of {model} ({file}), which are part of the program, are missing; reinstall the program, or choose a file of your own.</source>
            <translation>Die Gewichte von {model} ({file}), die zum Programm gehören, fehlen; installieren Sie das Programm neu oder wählen Sie eine eigene Datei.</translation>
        </message>
        <message>
            <source>The weights of {model} are part of the program and are not downloaded.</source>
            <translation>Die Gewichte von {model} gehören zum Programm und werden nicht heruntergeladen.</translation>
        </message>
        <message>
            <source>The weights of {model} could not be downloaded (HTTP status {status}). Try again later, or download {url} elsewhere and choose that file.</source>
            <translation>Die Gewichte von {model} konnten nicht heruntergeladen werden (HTTP-Status {status}). Versuchen Sie es später erneut oder laden Sie {url} anderswo herunter und wählen Sie diese Datei.</translation>
        </message>
        <message>
            <source>The weights of {model} could not be downloaded. No internet? Try again later (the download resumes), or download {url} elsewhere and choose that file.</source>
            <translation>Die Gewichte von {model} konnten nicht heruntergeladen werden. Kein Internet? Versuchen Sie es später erneut (der Download wird fortgesetzt) oder laden Sie {url} anderswo herunter und wählen Sie diese Datei.</translation>
        </message>
        <message>
            <source>The window cannot open; the program runs without a window.</source>
            <translation>Das Fenster lässt sich nicht öffnen; das Programm läuft ohne Fenster.</translation>
        </message>
        <message>
            <source>The window opens on the desktop of this system.</source>
            <translation>Das Fenster öffnet sich auf dem Desktop dieses Systems.</translation>
        </message>
        <message>
            <source>The zones file {file} cannot be used: {reason}.</source>
            <translation>Die Zonendatei {file} ist nicht verwendbar: {reason}.</translation>
        </message>
        <message>
            <source>The zones file {file} does not exist; check the path.</source>
            <translation>Die Zonendatei {file} gibt es nicht; prüfen Sie den Pfad.</translation>
        </message>
        <message>
            <source>The {thread} thread does not respond; start the program again.</source>
            <translation>Der Thread {thread} reagiert nicht; starten Sie das Programm neu.</translation>
        </message>
        <message>
            <source>The {thread} thread failed; start the program again. The log has the details.</source>
            <translation>Der Thread {thread} ist fehlgeschlagen; starten Sie das Programm neu. Einzelheiten stehen im Protokoll.</translation>
        </message>
        <message>
            <source>Theme</source>
            <translation>Design</translation>
        </message>
        <message>
            <source>Then log out and log in again.</source>
            <translation>Melden Sie sich danach ab und wieder an.</translation>
        </message>
        <message>
            <source>Then:</source>
            <translation>Danach:</translation>
        </message>
        <message>
            <source>There are no frames for the picture of the empty room; check that the camera delivers frames.</source>
            <translation>Für das Bild des leeren Raums gibt es keine Kamerabilder; prüfen Sie, ob die Kamera Bilder liefert.</translation>
        </message>
        <message>
            <source>There are several cameras {name}; choose one of {sources}.</source>
            <translation>Es gibt mehrere Kameras {name}; wählen Sie eine von {sources}.</translation>
        </message>
        <message>
            <source>There are {0} zones, as many as possible: remove some before you paint another.</source>
            <translation>Es gibt {0} Zonen, mehr sind nicht möglich: Entfernen Sie einige, bevor Sie eine weitere malen.</translation>
        </message>
        <message>
            <source>There is a scene “{0}” already. Replace it?</source>
            <translation>Es gibt schon eine Szene „{0}“. Ersetzen?</translation>
        </message>
        <message>
            <source>There is no GPU {device}, or the installed torch cannot use it; choose another device.</source>
            <translation>Die GPU {device} gibt es nicht oder das installierte torch kann sie nicht verwenden; wählen Sie ein anderes Gerät.</translation>
        </message>
        <message>
            <source>There is no camera {name}; connect it or choose another one.</source>
            <translation>Es gibt keine Kamera {name}; schließen Sie sie an oder wählen Sie eine andere.</translation>
        </message>
        <message>
            <source>There is no display: neither WAYLAND_DISPLAY nor DISPLAY is set.</source>
            <translation>Es gibt keine Anzeige: Weder WAYLAND_DISPLAY noch DISPLAY ist gesetzt.</translation>
        </message>
        <message>
            <source>There is no frame yet; try again when the preview shows one.</source>
            <translation>Es gibt noch kein Bild; versuchen Sie es erneut, sobald die Vorschau eines zeigt.</translation>
        </message>
        <message>
            <source>There is no image to paste. Copy an image or a file first.</source>
            <translation>Es gibt kein Bild zum Einfügen. Kopieren Sie zuerst ein Bild oder eine Datei.</translation>
        </message>
        <message>
            <source>There is no int8 version of the model {model} for this device and these weights; choose another precision.</source>
            <translation>Für das Modell {model} gibt es auf diesem Gerät und mit diesen Gewichten keine int8-Fassung; wählen Sie eine andere Genauigkeit.</translation>
        </message>
        <message>
            <source>There is no scene “{name}”; no scene is saved yet.</source>
            <translation>Es gibt keine Szene „{name}“; es ist noch keine gespeichert.</translation>
        </message>
        <message>
            <source>There is no scene “{name}”; the scenes are {names}.</source>
            <translation>Es gibt keine Szene „{name}“; die Szenen sind {names}.</translation>
        </message>
        <message>
            <source>There is no usable NVIDIA GPU on this computer; choose the device cpu or auto.</source>
            <translation>Auf diesem Rechner gibt es keine verwendbare NVIDIA-GPU; wählen Sie das Gerät cpu oder auto.</translation>
        </message>
        <message>
            <source>There is no video file {file}; check the name.</source>
            <translation>Es gibt keine Videodatei {file}; prüfen Sie den Namen.</translation>
        </message>
        <message>
            <source>There is no virtual camera {device}; choose one of {devices}.</source>
            <translation>Es gibt keine virtuelle Kamera {device}; wählen Sie eine von {devices}.</translation>
        </message>
        <message>
            <source>There is no virtual camera: install OBS Studio 30 or later from https://obsproject.com, start its virtual camera once and close it.</source>
            <translation>Es gibt keine virtuelle Kamera: Installieren Sie OBS Studio 30 oder neuer von https://obsproject.com, starten Sie einmal seine virtuelle Kamera und schließen Sie es.</translation>
        </message>
        <message>
            <source>There is no virtual camera: install v4l2loopback (package v4l2loopback-dkms), then run `{command}`.</source>
            <translation>Es gibt keine virtuelle Kamera: Installieren Sie v4l2loopback (Paket v4l2loopback-dkms) und führen Sie `{command}` aus.</translation>
        </message>
        <message>
            <source>There is no weights file {file}; choose another one.</source>
            <translation>Es gibt keine Gewichtsdatei {file}; wählen Sie eine andere.</translation>
        </message>
        <message>
            <source>These libraries are missing: {libraries}.</source>
            <translation>Diese Bibliotheken fehlen: {libraries}.</translation>
        </message>
        <message>
            <source>They are in English, and are in the folder {0} too.</source>
            <translation>Sie sind auf Englisch und liegen auch im Ordner {0}.</translation>
        </message>
        <message>
            <source>They choose the virtual camera as their camera</source>
            <translation>Sie wählen die virtuelle Kamera als ihre Kamera</translation>
        </message>
        <message>
            <source>This computer is busy: the quality is lower</source>
            <translation>Dieser Rechner ist ausgelastet: die Qualität ist geringer</translation>
        </message>
        <message>
            <source>This desktop cannot ask for the password; run the shown commands in a terminal.</source>
            <translation>Dieser Desktop kann nicht nach dem Passwort fragen; führen Sie die gezeigten Befehle in einem Terminal aus.</translation>
        </message>
        <message>
            <source>This looks like a container: the camera driver must be loaded on the host (kernel {kernel}).</source>
            <translation>Dies scheint ein Container zu sein: Der Kameratreiber muss auf dem Host geladen werden (Kernel {kernel}).</translation>
        </message>
        <message>
            <source>This model compares each frame with a picture of the room without people</source>
            <translation>Dieses Modell vergleicht jedes Bild mit einer Aufnahme des Raums ohne Personen</translation>
        </message>
        <message>
            <source>This picture was taken with another camera. Take a new one.</source>
            <translation>Dieses Bild stammt von einer anderen Kamera. Nehmen Sie ein neues auf.</translation>
        </message>
        <message>
            <source>This scene does not hide things mistaken for people.</source>
            <translation>Diese Szene verbirgt nicht, was für Personen gehalten wird.</translation>
        </message>
        <message>
            <source>This scene does not hide what you marked with “Always hide”.</source>
            <translation>Diese Szene verbirgt nicht, was Sie mit „Immer verbergen“ markiert haben.</translation>
        </message>
        <message>
            <source>This scene does not pause while the screen is locked.</source>
            <translation>Diese Szene pausiert nicht, solange der Bildschirm gesperrt ist.</translation>
        </message>
        <message>
            <source>This scene ends “Only me”: everyone in front of the camera is shown.</source>
            <translation>Diese Szene beendet „Nur ich“: Alle vor der Kamera werden gezeigt.</translation>
        </message>
        <message>
            <source>Threshold</source>
            <translation>Schwelle</translation>
        </message>
        <message>
            <source>Troubleshooting</source>
            <translation>Fehlerbehebung</translation>
        </message>
        <message>
            <source>Try again</source>
            <translation>Erneut versuchen</translation>
        </message>
        <message>
            <source>Turn the camera</source>
            <translation>Kamera drehen</translation>
        </message>
        <message>
            <source>Turn the camera clockwise, in degrees.</source>
            <translation>Dreht die Kamera im Uhrzeigersinn, in Grad.</translation>
        </message>
        <message>
            <source>Turn the camera off while no program reads it and the window is hidden.</source>
            <translation>Schaltet die Kamera aus, solange kein Programm sie liest und das Fenster verborgen ist.</translation>
        </message>
        <message>
            <source>Turn the mouse wheel over the preview to zoom; drag to move. Auto-framing pauses while you zoom.</source>
            <translation>Zum Zoomen das Mausrad über der Vorschau drehen, zum Verschieben ziehen. Der automatische Bildausschnitt pausiert, solange Sie zoomen.</translation>
        </message>
        <message>
            <source>Undo the last brush stroke</source>
            <translation>Den letzten Pinselstrich rückgängig machen</translation>
        </message>
        <message>
            <source>Unfreeze</source>
            <translation>Auftauen</translation>
        </message>
        <message>
            <source>Up–down</source>
            <translation>Auf–ab</translation>
        </message>
        <message>
            <source>Use</source>
            <translation>Verwenden</translation>
        </message>
        <message>
            <source>Use an existing picture</source>
            <translation>Vorhandenes Bild verwenden</translation>
        </message>
        <message>
            <source>Use an existing picture…</source>
            <translation>Vorhandenes Bild verwenden…</translation>
        </message>
        <message>
            <source>Use blur</source>
            <translation>Weichzeichnen</translation>
        </message>
        <message>
            <source>Use no file of your own; the file stays</source>
            <translation>Keine eigene Datei verwenden; die Datei bleibt</translation>
        </message>
        <message>
            <source>Use no image</source>
            <translation>Kein Bild verwenden</translation>
        </message>
        <message>
            <source>Use the installed weights</source>
            <translation>Die installierten Gewichte verwenden</translation>
        </message>
        <message>
            <source>Use the matte as the network computes it</source>
            <translation>Die Maske verwenden, wie das Netz sie berechnet</translation>
        </message>
        <message>
            <source>Use weights that you downloaded elsewhere or trained</source>
            <translation>Gewichte verwenden, die Sie anderswo heruntergeladen oder trainiert haben</translation>
        </message>
        <message>
            <source>U²-Net, people</source>
            <translation>U²-Net, Menschen</translation>
        </message>
        <message>
            <source>Variables of other programs reach this one: {variables}.</source>
            <translation>Variablen anderer Programme erreichen dieses: {variables}.</translation>
        </message>
        <message>
            <source>Video file…</source>
            <translation>Videodatei…</translation>
        </message>
        <message>
            <source>Virtual camera</source>
            <translation>Virtuelle Kamera</translation>
        </message>
        <message>
            <source>Virtual camera backend</source>
            <translation>Backend der virtuellen Kamera</translation>
        </message>
        <message>
            <source>Waiting: others see the stand-by card</source>
            <translation>Wartet: Andere sehen die Pausentafel</translation>
        </message>
        <message>
            <source>Weights: {0}</source>
            <translation>Gewichte: {0}</translation>
        </message>
        <message>
            <source>What Mattecam can do</source>
            <translation>Was Mattecam kann</translation>
        </message>
        <message>
            <source>What Mattecam does</source>
            <translation>Was Mattecam tut</translation>
        </message>
        <message>
            <source>What other programs see</source>
            <translation>Was andere Programme sehen</translation>
        </message>
        <message>
            <source>What others see while you are paused</source>
            <translation>Was andere während der Pause sehen</translation>
        </message>
        <message>
            <source>What was changed last is not in use yet; take the snapshot again in a moment.</source>
            <translation>Die letzte Änderung gilt noch nicht; nehmen Sie das Foto gleich noch einmal auf.</translation>
        </message>
        <message>
            <source>What you paint is never shown, not even people</source>
            <translation>Was Sie übermalen, ist nie zu sehen, auch keine Personen</translation>
        </message>
        <message>
            <source>While Mattecam is paused, no picture of the empty room is taken; resume and take it again.</source>
            <translation>Solange Mattecam pausiert, wird kein Bild des leeren Raums aufgenommen; setzen Sie fort und nehmen Sie es erneut auf.</translation>
        </message>
        <message>
            <source>White bricks</source>
            <translation>Weiße Ziegel</translation>
        </message>
        <message>
            <source>White: person, black: background</source>
            <translation>Weiß: Person, schwarz: Hintergrund</translation>
        </message>
        <message>
            <source>Width and height of the frames</source>
            <translation>Breite und Höhe der Bilder</translation>
        </message>
        <message>
            <source>Window light</source>
            <translation>Fensterlicht</translation>
        </message>
        <message>
            <source>Windows keeps the name “{name}” for a device; choose another name.</source>
            <translation>Windows behält den Namen „{name}“ einem Gerät vor; wählen Sie einen anderen Namen.</translation>
        </message>
        <message>
            <source>With RPM Fusion (free) enabled:</source>
            <translation>Mit aktiviertem RPM Fusion (free):</translation>
        </message>
        <message>
            <source>With Secure Boot the kernel rejects modules whose key is not enrolled (“Key was rejected by service”).</source>
            <translation>Mit Secure Boot lehnt der Kernel Module ab, deren Schlüssel nicht eingetragen ist („Key was rejected by service“).</translation>
        </message>
        <message>
            <source>With the driver {drivers}, auto takes the least processor time that holds 30 fps. Measured per frame: {times}.</source>
            <translation>Mit dem Treiber {drivers} nimmt auto die geringste Prozessorzeit, die 30 fps hält. Gemessen je Bild: {times}.</translation>
        </message>
        <message>
            <source>Without a camera, only the demo and video files are available.</source>
            <translation>Ohne Kamera stehen nur die Demo und Videodateien zur Verfügung.</translation>
        </message>
        <message>
            <source>Without a model the background cannot be replaced.</source>
            <translation>Ohne Modell lässt sich der Hintergrund nicht ersetzen.</translation>
        </message>
        <message>
            <source>Without a virtual camera other programs cannot see the picture; only recording works.</source>
            <translation>Ohne virtuelle Kamera können andere Programme das Bild nicht sehen; nur das Aufnehmen funktioniert.</translation>
        </message>
        <message>
            <source>Without permission the camera cannot be read.</source>
            <translation>Ohne Berechtigung kann die Kamera nicht gelesen werden.</translation>
        </message>
        <message>
            <source>Without permission the program cannot send frames to the virtual camera.</source>
            <translation>Ohne Berechtigung kann das Programm keine Bilder an die virtuelle Kamera senden.</translation>
        </message>
        <message>
            <source>You can open it again from the menu</source>
            <translation>Sie können sie über das Menü wieder öffnen</translation>
        </message>
        <message>
            <source>You have no permission to open the virtual camera {device}; run `sudo usermod -aG video $USER`, then log out and log in again.</source>
            <translation>Sie haben keine Berechtigung, die virtuelle Kamera {device} zu öffnen; führen Sie `sudo usermod -aG video $USER` aus und melden Sie sich neu an.</translation>
        </message>
        <message>
            <source>You have no permission to read the image {file}; check the permissions of the file.</source>
            <translation>Sie haben keine Berechtigung, das Bild {file} zu lesen; prüfen Sie die Berechtigungen der Datei.</translation>
        </message>
        <message>
            <source>You have no permission to read the video {file}; check the permissions of the file.</source>
            <translation>Sie haben keine Berechtigung, das Video {file} zu lesen; prüfen Sie die Berechtigungen der Datei.</translation>
        </message>
        <message>
            <source>You see a demonstration, not your camera.</source>
            <translation>Sie sehen eine Demo, nicht Ihre Kamera.</translation>
        </message>
        <message>
            <source>You see a mirror, others do not</source>
            <translation>Sie sehen ein Spiegelbild, andere nicht</translation>
        </message>
        <message>
            <source>You see what others see</source>
            <translation>Sie sehen, was andere sehen</translation>
        </message>
        <message>
            <source>Your backgrounds in {folder} cannot be read: {reason}.</source>
            <translation>Ihre Hintergründe in {folder} können nicht gelesen werden: {reason}.</translation>
        </message>
        <message>
            <source>Your real background is visible</source>
            <translation>Ihr echter Hintergrund ist sichtbar</translation>
        </message>
        <message>
            <source>Zoom</source>
            <translation>Zoom</translation>
        </message>
        <message>
            <source>Zoom and Meet cannot see Mattecam yet.</source>
            <translation>Zoom und Meet sehen Mattecam noch nicht.</translation>
        </message>
        <message>
            <source>Zoom, Meet and Teams cannot see Mattecam yet.</source>
            <translation>Zoom, Meet und Teams sehen Mattecam noch nicht.</translation>
        </message>
        <message>
            <source>Zoom, position, kind of blur</source>
            <translation>Zoom, Lage, Art der Unschärfe</translation>
        </message>
        <message>
            <source>a file is where the folder should be; choose another folder</source>
            <translation>An der Stelle des Ordners ist eine Datei; wählen Sie einen anderen Ordner</translation>
        </message>
        <message>
            <source>a folder has this name; choose another name</source>
            <translation>Ein Ordner hat diesen Namen; wählen Sie einen anderen Namen</translation>
        </message>
        <message>
            <source>a newer version of Mattecam wrote it (format version {version})</source>
            <translation>Eine neuere Version von Mattecam hat sie geschrieben (Formatversion {version})</translation>
        </message>
        <message>
            <source>a part of its path is not a folder</source>
            <translation>ein Teil des Pfads ist kein Ordner</translation>
        </message>
        <message>
            <source>a part of the path is not a folder; choose another path</source>
            <translation>Ein Teil des Pfads ist kein Ordner; wählen Sie einen anderen Pfad</translation>
        </message>
        <message>
            <source>a program has it open; close it there, or choose another name</source>
            <translation>Ein Programm hat die Datei geöffnet; schließen Sie sie dort oder wählen Sie einen anderen Namen</translation>
        </message>
        <message>
            <source>a program of another user</source>
            <translation>einem Programm eines anderen Benutzers</translation>
        </message>
        <message>
            <source>another file has got this name in the meantime; rename one of them</source>
            <translation>Inzwischen trägt eine andere Datei diesen Namen; benennen Sie eine der beiden um</translation>
        </message>
        <message>
            <source>another program</source>
            <translation>einem anderen Programm</translation>
        </message>
        <message>
            <source>another program has it open</source>
            <translation>ein anderes Programm hat die Datei geöffnet</translation>
        </message>
        <message>
            <source>camera</source>
            <translation>Kamera</translation>
        </message>
        <message>
            <source>camera: in use</source>
            <translation>Kamera: in Benutzung</translation>
        </message>
        <message>
            <source>camera: permission</source>
            <translation>Kamera: Berechtigung</translation>
        </message>
        <message>
            <source>check that it is connected, that no other program uses it, and that Windows lets desktop apps use cameras, in Settings › Privacy &amp; security › Camera</source>
            <translation>Prüfen Sie, ob sie angeschlossen ist, ob kein anderes Programm sie benutzt und ob Windows Desktop-Apps Kameras benutzen lässt, unter Einstellungen › Datenschutz und Sicherheit › Kamera</translation>
        </message>
        <message>
            <source>check that it is connected, that no other program uses it, and that this program may access cameras</source>
            <translation>Prüfen Sie, ob sie angeschlossen ist, ob ein anderes Programm sie benutzt und ob dieses Programm auf Kameras zugreifen darf</translation>
        </message>
        <message>
            <source>disk</source>
            <translation>Speicherplatz</translation>
        </message>
        <message>
            <source>display</source>
            <translation>Bildschirm</translation>
        </message>
        <message>
            <source>display: libraries</source>
            <translation>Bildschirm: Bibliotheken</translation>
        </message>
        <message>
            <source>finer model</source>
            <translation>feineres Modell</translation>
        </message>
        <message>
            <source>graphics card</source>
            <translation>Grafikkarte</translation>
        </message>
        <message>
            <source>it contains no JSON object</source>
            <translation>Sie enthält kein JSON-Objekt</translation>
        </message>
        <message>
            <source>it delivers no frames; reconnect it, or choose another size or format</source>
            <translation>Sie liefert keine Bilder; schließen Sie sie neu an oder wählen Sie eine andere Größe oder ein anderes Format</translation>
        </message>
        <message>
            <source>it does not describe a picture of the empty room</source>
            <translation>Sie beschreibt kein Bild des leeren Raums</translation>
        </message>
        <message>
            <source>it does not exist</source>
            <translation>Sie existiert nicht</translation>
        </message>
        <message>
            <source>it has fewer than {limit} parts</source>
            <translation>er hat weniger als {limit} Teile</translation>
        </message>
        <message>
            <source>it has more than {limit} characters</source>
            <translation>er hat mehr als {limit} Zeichen</translation>
        </message>
        <message>
            <source>it has more than {limit} parts</source>
            <translation>er hat mehr als {limit} Teile</translation>
        </message>
        <message>
            <source>it holds a keep zone, which shows the room; only zones of the kind “drop” can be used</source>
            <translation>sie enthält eine Zone der Art „keep“, die den Raum zeigt; nur Zonen der Art „drop“ sind möglich</translation>
        </message>
        <message>
            <source>it holds no measurements</source>
            <translation>Sie enthält keine Messungen</translation>
        </message>
        <message>
            <source>it is a device or a pipe; choose a file</source>
            <translation>Es ist ein Gerät oder eine Pipe; wählen Sie eine Datei</translation>
        </message>
        <message>
            <source>it is a folder</source>
            <translation>Es ist ein Ordner</translation>
        </message>
        <message>
            <source>it is a link to what does not exist</source>
            <translation>Sie ist ein Verweis auf etwas, das es nicht gibt</translation>
        </message>
        <message>
            <source>it is a symbolic link, which is not followed; remove it or choose another name</source>
            <translation>Es ist eine symbolische Verknüpfung, der nicht gefolgt wird; entfernen Sie sie oder wählen Sie einen anderen Namen</translation>
        </message>
        <message>
            <source>it is empty</source>
            <translation>er ist leer</translation>
        </message>
        <message>
            <source>it is in use by {programs}; close it there or choose another camera</source>
            <translation>Sie wird benutzt von {programs}; schließen Sie sie dort oder wählen Sie eine andere Kamera</translation>
        </message>
        <message>
            <source>it is missing</source>
            <translation>er fehlt</translation>
        </message>
        <message>
            <source>it is nested too deeply</source>
            <translation>Sie ist zu tief verschachtelt</translation>
        </message>
        <message>
            <source>it is not a camera; choose another one</source>
            <translation>Das Gerät ist keine Kamera; wählen Sie ein anderes</translation>
        </message>
        <message>
            <source>it is not a scenes file of format version {version}</source>
            <translation>Sie ist keine Szenendatei der Formatversion {version}</translation>
        </message>
        <message>
            <source>it is not a text file</source>
            <translation>Sie ist keine Textdatei</translation>
        </message>
        <message>
            <source>it is not connected; connect it or choose another camera</source>
            <translation>Sie ist nicht angeschlossen; schließen Sie sie an oder wählen Sie eine andere Kamera</translation>
        </message>
        <message>
            <source>it is not valid JSON, see line {line}</source>
            <translation>Sie ist kein gültiges JSON, siehe Zeile {line}</translation>
        </message>
        <message>
            <source>it must be a colour like #00b140</source>
            <translation>er muss eine Farbe wie #00b140 sein</translation>
        </message>
        <message>
            <source>it must be a list</source>
            <translation>er muss eine Liste sein</translation>
        </message>
        <message>
            <source>it must be a number</source>
            <translation>er muss eine Zahl sein</translation>
        </message>
        <message>
            <source>it must be a whole number</source>
            <translation>er muss eine ganze Zahl sein</translation>
        </message>
        <message>
            <source>it must be an object with names and values</source>
            <translation>er muss ein Objekt mit Namen und Werten sein</translation>
        </message>
        <message>
            <source>it must be at least {limit}</source>
            <translation>er muss mindestens {limit} sein</translation>
        </message>
        <message>
            <source>it must be at most {limit}</source>
            <translation>er darf höchstens {limit} sein</translation>
        </message>
        <message>
            <source>it must be one of {expected}</source>
            <translation>er muss einer von diesen sein: {expected}</translation>
        </message>
        <message>
            <source>it must be text</source>
            <translation>er muss Text sein</translation>
        </message>
        <message>
            <source>it must be true or false</source>
            <translation>er muss true oder false sein</translation>
        </message>
        <message>
            <source>its disk does not answer</source>
            <translation>ihr Datenträger antwortet nicht</translation>
        </message>
        <message>
            <source>its file was removed while it ran; start another one</source>
            <translation>ihre Datei wurde entfernt, während sie lief; starten Sie eine neue</translation>
        </message>
        <message>
            <source>its input has no signal; switch on what is connected to it, or choose another camera</source>
            <translation>Ihr Eingang hat kein Signal; schalten Sie ein, was daran angeschlossen ist, oder wählen Sie eine andere Kamera</translation>
        </message>
        <message>
            <source>its name has a character that Windows does not allow</source>
            <translation>der Name enthält ein Zeichen, das Windows nicht erlaubt</translation>
        </message>
        <message>
            <source>its name is too long</source>
            <translation>Der Name ist zu lang</translation>
        </message>
        <message>
            <source>models</source>
            <translation>Modelle</translation>
        </message>
        <message>
            <source>modprobe merges the options of all files, so devices may get another number, label or mode.</source>
            <translation>modprobe führt die Optionen aller Dateien zusammen, so dass Geräte eine andere Nummer, einen anderen Namen oder Modus bekommen können.</translation>
        </message>
        <message>
            <source>no program reads from it; start one that does</source>
            <translation>kein Programm liest daraus; starten Sie eines, das es tut</translation>
        </message>
        <message>
            <source>no virtual camera</source>
            <translation>keine virtuelle Kamera</translation>
        </message>
        <message>
            <source>nothing is sent to it; start the program that sends, or choose another camera</source>
            <translation>es wird nichts an sie gesendet; starten Sie das Programm, das sendet, oder wählen Sie eine andere Kamera</translation>
        </message>
        <message>
            <source>nothing was recorded</source>
            <translation>es wurde nichts aufgenommen</translation>
        </message>
        <message>
            <source>preparing the background…</source>
            <translation>der Hintergrund wird vorbereitet…</translation>
        </message>
        <message>
            <source>preparing the model…</source>
            <translation>das Modell wird vorbereitet…</translation>
        </message>
        <message>
            <source>problem</source>
            <translation>Problem</translation>
        </message>
        <message>
            <source>processor</source>
            <translation>Prozessor</translation>
        </message>
        <message>
            <source>programs outside a sandbox</source>
            <translation>Programme außerhalb einer Sandbox</translation>
        </message>
        <message>
            <source>size unknown</source>
            <translation>Größe unbekannt</translation>
        </message>
        <message>
            <source>the disk is full; free some space and try again</source>
            <translation>Der Datenträger ist voll; schaffen Sie Platz und versuchen Sie es erneut</translation>
        </message>
        <message>
            <source>the disk is read-only; choose another folder</source>
            <translation>Der Datenträger ist schreibgeschützt; wählen Sie einen anderen Ordner</translation>
        </message>
        <message>
            <source>the disk reports an error</source>
            <translation>Der Datenträger meldet einen Fehler</translation>
        </message>
        <message>
            <source>the disk reports an error; choose another path</source>
            <translation>Der Datenträger meldet einen Fehler; wählen Sie einen anderen Pfad</translation>
        </message>
        <message>
            <source>the file has become too large for this disk; choose another one</source>
            <translation>Die Datei ist für diesen Datenträger zu groß geworden; wählen Sie einen anderen</translation>
        </message>
        <message>
            <source>the file or its folder does not exist; create the folder or choose another one</source>
            <translation>die Datei oder ihr Ordner existiert nicht; legen Sie den Ordner an oder wählen Sie einen anderen</translation>
        </message>
        <message>
            <source>the graphics processor of this Mac</source>
            <translation>dem Grafikprozessor dieses Macs</translation>
        </message>
        <message>
            <source>the name has a character that Windows does not allow; choose another name</source>
            <translation>Der Name enthält ein Zeichen, das Windows nicht erlaubt; wählen Sie einen anderen Namen</translation>
        </message>
        <message>
            <source>the name is too long; choose a shorter one</source>
            <translation>Der Name ist zu lang; wählen Sie einen kürzeren</translation>
        </message>
        <message>
            <source>the name of a video must end in {suffixes}; choose another name</source>
            <translation>Der Name eines Videos muss auf {suffixes} enden; wählen Sie einen anderen Namen</translation>
        </message>
        <message>
            <source>the recording so far is in {file}</source>
            <translation>das bisher Aufgenommene ist in {file}</translation>
        </message>
        <message>
            <source>there is no such setting</source>
            <translation>diese Einstellung gibt es nicht</translation>
        </message>
        <message>
            <source>too many unfinished files are in this folder; remove them or choose another folder</source>
            <translation>In diesem Ordner liegen zu viele unfertige Dateien; entfernen Sie sie oder wählen Sie einen anderen Ordner</translation>
        </message>
        <message>
            <source>torch {version} cannot use the graphics card with the NVIDIA driver {driver}; the CPU is used.</source>
            <translation>torch {version} kann die Grafikkarte mit dem NVIDIA-Treiber {driver} nicht verwenden; der Prozessor wird verwendet.</translation>
        </message>
        <message>
            <source>torch {version} found no supported graphics card; the CPU is used.</source>
            <translation>torch {version} hat keine unterstützte Grafikkarte gefunden; es wird die CPU benutzt.</translation>
        </message>
        <message>
            <source>torch {version} runs on {cards}.</source>
            <translation>torch {version} läuft auf {cards}.</translation>
        </message>
        <message>
            <source>up to {width}×{height}</source>
            <translation>bis {width} × {height}</translation>
        </message>
        <message>
            <source>v4l2loopback is installed, but not built for the running kernel {kernel}.</source>
            <translation>v4l2loopback ist installiert, aber nicht für den laufenden Kernel {kernel} gebaut.</translation>
        </message>
        <message>
            <source>variables</source>
            <translation>Variablen anderer Programme</translation>
        </message>
        <message>
            <source>virtual camera</source>
            <translation>Virtuelle Kamera</translation>
        </message>
        <message>
            <source>virtual camera: Secure Boot</source>
            <translation>Virtuelle Kamera: Secure Boot</translation>
        </message>
        <message>
            <source>virtual camera: after a restart</source>
            <translation>Virtuelle Kamera: nach einem Neustart</translation>
        </message>
        <message>
            <source>virtual camera: device</source>
            <translation>Virtuelle Kamera: Gerät</translation>
        </message>
        <message>
            <source>virtual camera: in use</source>
            <translation>Virtuelle Kamera: in Benutzung</translation>
        </message>
        <message>
            <source>virtual camera: installed</source>
            <translation>Virtuelle Kamera: installiert</translation>
        </message>
        <message>
            <source>virtual camera: module</source>
            <translation>Virtuelle Kamera: Modul</translation>
        </message>
        <message>
            <source>virtual camera: options</source>
            <translation>Virtuelle Kamera: Optionen</translation>
        </message>
        <message>
            <source>virtual camera: permission</source>
            <translation>Virtuelle Kamera: Berechtigung</translation>
        </message>
        <message>
            <source>virtual camera: seen by browsers</source>
            <translation>Virtuelle Kamera: für Browser sichtbar</translation>
        </message>
        <message>
            <source>virtual camera: test picture</source>
            <translation>Virtuelle Kamera: Testbild</translation>
        </message>
        <message>
            <source>warning</source>
            <translation>Warnung</translation>
        </message>
        <message>
            <source>you have no permission to open it; add your user to the group video and log in again</source>
            <translation>Sie haben keine Berechtigung, sie zu öffnen; nehmen Sie Ihren Benutzer in die Gruppe video auf und melden Sie sich neu an</translation>
        </message>
        <message>
            <source>you have no permission to read it</source>
            <translation>Sie haben keine Leseberechtigung</translation>
        </message>
        <message>
            <source>you have no permission to write there; choose another folder</source>
            <translation>Sie haben dort kein Schreibrecht; wählen Sie einen anderen Ordner</translation>
        </message>
        <message>
            <source>{0} (key {1})</source>
            <translation>{0} (Taste {1})</translation>
        </message>
        <message>
            <source>{0} fps</source>
            <translation>{0} Bilder/s</translation>
        </message>
        <message>
            <source>{0} fps in, {1} out</source>
            <translation>{0} Bilder/s ein, {1} aus</translation>
        </message>
        <message>
            <source>{0} fps · {1} ms</source>
            <translation>{0} Bilder/s · {1} ms</translation>
        </message>
        <message>
            <source>{0} is not a part of this copy of Mattecam.</source>
            <translation>{0} gehört nicht zu dieser Kopie von Mattecam.</translation>
        </message>
        <message>
            <source>{0} more</source>
            <translation>{0} weitere</translation>
        </message>
        <message>
            <source>{0} ms</source>
            <translation>{0} ms</translation>
        </message>
        <message>
            <source>{0} – download {1}</source>
            <translation>{0} – {1} herunterladen</translation>
        </message>
        <message>
            <source>{0}, chosen</source>
            <translation>{0}, gewählt</translation>
        </message>
        <message>
            <source>{0}: {1} × {2}</source>
            <translation>{0}: {1} × {2}</translation>
        </message>
        <message>
            <source>{camera} is the virtual camera that this program sends to; choose another source or another virtual camera.</source>
            <translation>{camera} ist die virtuelle Kamera, an die dieses Programm sendet; wählen Sie eine andere Quelle oder eine andere virtuelle Kamera.</translation>
        </message>
        <message>
            <source>{choice} needs PyTorch, which this copy of Mattecam lacks; run Mattecam from its sources for it.</source>
            <translation>{choice} braucht PyTorch, das in dieser Kopie von Mattecam fehlt; starten Sie Mattecam dafür aus seinem Quelltext.</translation>
        </message>
        <message>
            <source>{device} ({name}) is in use by {programs}.</source>
            <translation>{device} ({name}) wird von {programs} benutzt.</translation>
        </message>
        <message>
            <source>{device} accepted no frame within {seconds} seconds.</source>
            <translation>{device} hat innerhalb von {seconds} Sekunden kein Bild angenommen.</translation>
        </message>
        <message>
            <source>{device} accepts frames, but cannot be opened as a camera.</source>
            <translation>{device} nimmt Bilder an, lässt sich aber nicht als Kamera öffnen.</translation>
        </message>
        <message>
            <source>{device} accepts no frames: it is a real camera or for that of a phone, or another program sends to it; choose another virtual camera, or close that program.</source>
            <translation>{device} nimmt keine Bilder an: Es ist eine echte Kamera oder für die eines Telefons bestimmt, oder ein anderes Programm sendet daran; wählen Sie eine andere virtuelle Kamera, oder schließen Sie dieses Programm.</translation>
        </message>
        <message>
            <source>{device} appears as “{label}” in other programs.</source>
            <translation>{device} erscheint in anderen Programmen als „{label}“.</translation>
        </message>
        <message>
            <source>{device} can be opened as a camera, but delivers no frames.</source>
            <translation>{device} lässt sich als Kamera öffnen, liefert aber keine Bilder.</translation>
        </message>
        <message>
            <source>{device} does not respond; close the programs that use it, or start the program again with another output.</source>
            <translation>{device} reagiert nicht; schließen Sie die Programme, die das Gerät benutzen, oder starten Sie das Programm mit einer anderen Ausgabe neu.</translation>
        </message>
        <message>
            <source>{device} does not respond; reconnect it, or start the program again with another source.</source>
            <translation>{device} reagiert nicht; schließen Sie das Gerät neu an oder starten Sie das Programm mit einer anderen Quelle neu.</translation>
        </message>
        <message>
            <source>{device} has exclusive_caps=1: browsers and meeting programs list it.</source>
            <translation>{device} hat exclusive_caps=1: Browser und Besprechungsprogramme listen sie auf.</translation>
        </message>
        <message>
            <source>{device} is free.</source>
            <translation>{device} ist frei.</translation>
        </message>
        <message>
            <source>{device} is free; waiting for its picture: {programs}.</source>
            <translation>{device} ist frei; auf ihr Bild warten: {programs}.</translation>
        </message>
        <message>
            <source>{device} is the camera that the picture comes from; choose another virtual camera or another source.</source>
            <translation>{device} ist die Kamera, von der das Bild kommt; wählen Sie eine andere virtuelle Kamera oder eine andere Quelle.</translation>
        </message>
        <message>
            <source>{device} takes one program at a time, and {programs} reads it.</source>
            <translation>{device} lässt ein Programm zugleich zu, und {programs} liest bereits.</translation>
        </message>
        <message>
            <source>{device} was loaded without exclusive_caps=1.</source>
            <translation>{device} wurde ohne exclusive_caps=1 geladen.</translation>
        </message>
        <message>
            <source>{field}: {problem}</source>
            <translation>{field}: {problem}</translation>
        </message>
        <message>
            <source>{file} cannot be read: {reason}.</source>
            <translation>{file} kann nicht gelesen werden: {reason}.</translation>
        </message>
        <message>
            <source>{file} contains no readable frame; remove it or add it again.</source>
            <translation>{file} enthält kein lesbares Bild; entfernen Sie die Datei oder fügen Sie sie erneut hinzu.</translation>
        </message>
        <message>
            <source>{file} contains no video; choose another file.</source>
            <translation>{file} enthält kein Video; wählen Sie eine andere Datei.</translation>
        </message>
        <message>
            <source>{file} could not be copied: {reason}.</source>
            <translation>{file} konnte nicht kopiert werden: {reason}.</translation>
        </message>
        <message>
            <source>{file} could not be moved to the trash; remove it from {folder} yourself.</source>
            <translation>{file} konnte nicht in den Papierkorb verschoben werden; entfernen Sie die Datei selbst aus {folder}.</translation>
        </message>
        <message>
            <source>{file} could not be renamed: {reason}.</source>
            <translation>{file} konnte nicht umbenannt werden: {reason}.</translation>
        </message>
        <message>
            <source>{file} could not be written: {reason}.</source>
            <translation>{file} konnte nicht geschrieben werden: {reason}.</translation>
        </message>
        <message>
            <source>{file} does not answer; reconnect its disk, or choose another file.</source>
            <translation>{file} antwortet nicht; schließen Sie den Datenträger wieder an oder wählen Sie eine andere Datei.</translation>
        </message>
        <message>
            <source>{file} does not answer; what was changed last is not saved.</source>
            <translation>{file} antwortet nicht; die letzten Änderungen sind nicht gespeichert.</translation>
        </message>
        <message>
            <source>{file} has colours of Dolby Vision that only its own displays show (profile 5); save it in HDR10, HLG or without HDR.</source>
            <translation>{file} hat Farben von Dolby Vision, die nur dessen eigene Bildschirme zeigen (Profil 5); speichern Sie das Video in HDR10, HLG oder ohne HDR.</translation>
        </message>
        <message>
            <source>{file} is a folder; choose a video or an image in it.</source>
            <translation>{file} ist ein Ordner; wählen Sie ein Video oder ein Bild darin.</translation>
        </message>
        <message>
            <source>{file} is a folder; choose an image in it.</source>
            <translation>{file} ist ein Ordner; wählen Sie ein Bild darin.</translation>
        </message>
        <message>
            <source>{file} is in a format that cannot be played; save it as MP4 (H.264).</source>
            <translation>{file} hat ein Format, das sich nicht abspielen lässt; speichern Sie es als MP4 (H.264).</translation>
        </message>
        <message>
            <source>{file} is neither an image nor a video; use a PNG, JPEG, WebP or MP4 file.</source>
            <translation>{file} ist weder ein Bild noch ein Video; verwenden Sie eine Datei im Format PNG, JPEG, WebP oder MP4.</translation>
        </message>
        <message>
            <source>{file} is not a readable image; use a JPEG, PNG, WebP, HEIC, AVIF, TIFF or BMP file.</source>
            <translation>{file} ist kein lesbares Bild; verwenden Sie eine Datei im Format JPEG, PNG, WebP, HEIC, AVIF, TIFF oder BMP.</translation>
        </message>
        <message>
            <source>{file} is not a readable video: it is damaged or in an unknown format; choose another file.</source>
            <translation>{file} ist kein lesbares Video: Die Datei ist beschädigt oder hat ein unbekanntes Format; wählen Sie eine andere.</translation>
        </message>
        <message>
            <source>{file} is raw data of a camera; develop it and export it as JPEG or TIFF.</source>
            <translation>{file} enthält Rohdaten einer Kamera; entwickeln Sie das Bild und exportieren Sie es als JPEG oder TIFF.</translation>
        </message>
        <message>
            <source>{file} lacks its end mark, but the whole image is there; save it again.</source>
            <translation>{file} fehlt die Endmarke, aber das ganze Bild ist da; speichern Sie es neu.</translation>
        </message>
        <message>
            <source>{file} plays as the background; choose another one, and then rename or remove it.</source>
            <translation>{file} wird gerade als Hintergrund abgespielt; wählen Sie einen anderen und benennen oder entfernen Sie die Datei dann.</translation>
        </message>
        <message>
            <source>{finding} The headers of this kernel are not installed.</source>
            <translation>{finding} Die Header dieses Kernels sind nicht installiert.</translation>
        </message>
        <message>
            <source>{first} {second}</source>
            <translation>{first} {second}</translation>
        </message>
        <message>
            <source>{gibibytes} GiB are free in {folder}.</source>
            <translation>In {folder} sind {gibibytes} GiB frei.</translation>
        </message>
        <message>
            <source>{name} (process {pid})</source>
            <translation>{name} (Prozess {pid})</translation>
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
            <translation>{precision} auf allen Kernen</translation>
        </message>
        <message>
            <source>{precision} on one thread</source>
            <translation>{precision} auf einem Thread</translation>
        </message>
        <message>
            <source>{precision} on {gpu}</source>
            <translation>{precision} auf {gpu}</translation>
        </message>
        <message>
            <source>{processor}: the model {model} is chosen, in {precision}, which holds 30 fps with the least processor time. Measured per frame: {times}.</source>
            <translation>{processor}: Gewählt ist das Modell {model} in {precision}: Das hält 30 Bilder/s mit der wenigsten Prozessorzeit. Gemessen je Bild: {times}.</translation>
        </message>
        <message>
            <source>{processor}: the model {model} is chosen, in {precision}, which is the fastest here. Measured per frame: {times}.</source>
            <translation>{processor}: Gewählt ist das Modell {model} in {precision}, was hier am schnellsten ist. Gemessen je Bild: {times}.</translation>
        </message>
        <message>
            <source>{processor}: the model {model} is chosen, in {precision}; nothing was measured yet.</source>
            <translation>{processor}: Gewählt ist das Modell {model} in {precision}; gemessen wurde noch nichts.</translation>
        </message>
        <message>
            <source>{run} {step} ms (CPU {cpu} ms)</source>
            <translation>{run} {step} ms (CPU {cpu} ms)</translation>
        </message>
        <message>
            <source>{source} has delivered no frame for {seconds} seconds; check its cable, or the program that sends to it, and that no other program uses it. It is being reopened.</source>
            <translation>{source} liefert seit {seconds} Sekunden kein Bild; prüfen Sie das Kabel oder das Programm, das an die Quelle sendet, und ob ein anderes Programm sie benutzt. Sie wird neu geöffnet.</translation>
        </message>
        <message>
            <source>“None” sends the camera image as it is, to every program that uses Mattecam.</source>
            <translation>„Keiner“ sendet das Kamerabild unverändert an jedes Programm, das Mattecam verwendet.</translation>
        </message>
        <message>
            <source>“{0}”</source>
            <translation>„{0}“</translation>
        </message>
        <message>
            <source>“{name}” cannot be the name of a scene; use 1 to {length} printable characters.</source>
            <translation>„{name}“ kann nicht der Name einer Szene sein; verwenden Sie 1 bis {length} druckbare Zeichen.</translation>
        </message>
        <message>
            <source>“{text}” is no source; use auto, demo, camera:INDEX, camera:/dev/videoN or a video file.</source>
            <translation>„{text}“ ist keine Quelle; verwenden Sie auto, demo, camera:INDEX, camera:/dev/videoN oder eine Videodatei.</translation>
        </message>
        <message>
            <source>“{version}” is not a version</source>
            <translation>„{version}“ ist keine Version</translation>
        </message>
    </context>
</TS>
