<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
<context>
    <name>ActionBar</name>
    <message>
        <location filename="../action_bar.py" line="90" />
        <location filename="../action_bar.py" line="32" />
        <location filename="../action_bar.py" line="31" />
        <source>Freeze</source>
        <translation>Einfrieren</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="32" />
        <source>Hold the picture (F)</source>
        <translation>Das Bild anhalten (F)</translation>
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
        <translation>Dieses Bild als Datei behalten (S)</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="90" />
        <location filename="../action_bar.py" line="36" />
        <location filename="../action_bar.py" line="35" />
        <source>Record</source>
        <translation>Aufnehmen</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="36" />
        <source>Record what goes out as a video (R)</source>
        <translation>Was gesendet wird, als Video aufnehmen (R)</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="89" />
        <location filename="../action_bar.py" line="38" />
        <location filename="../action_bar.py" line="37" />
        <source>Pause</source>
        <translation>Pause</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="38" />
        <source>Show the stand-by card instead of you (P)</source>
        <translation>Statt Ihnen die Pausentafel zeigen (P)</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="89" />
        <source>Go on</source>
        <translation>Weiter</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="117" />
        <source>Result</source>
        <translation>Ergebnis</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="117" />
        <source>What the others see</source>
        <translation>Was die anderen sehen</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="118" />
        <source>Original</source>
        <translation>Original</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="118" />
        <source>What the camera sees; only you see this</source>
        <translation>Was die Kamera sieht; nur Sie sehen das</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="119" />
        <source>Matte</source>
        <translation>Maske</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="119" />
        <source>White is you, black is the background</source>
        <translation>Weiß sind Sie, schwarz ist der Hintergrund</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="120" />
        <source>Person</source>
        <translation>Person</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="120" />
        <source>You alone, cut out</source>
        <translation>Nur Sie, freigestellt</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="121" />
        <source>Compare</source>
        <translation>Vergleich</translation>
    </message>
    <message>
        <location filename="../action_bar.py" line="121" />
        <source>Original and result side by side</source>
        <translation>Original und Ergebnis nebeneinander</translation>
    </message>
</context><context>
    <name>AllFindingsView</name>
    <message>
        <location filename="../findings_view.py" line="120" />
        <source>All is well.</source>
        <translation>Alles in Ordnung.</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="121" />
        <source>Problems: {0}   ·   Warnings: {1}</source>
        <translation>Probleme: {0}   ·   Warnungen: {1}</translation>
    </message>
</context><context>
    <name>Assistant</name>
    <message>
        <location filename="../assistant.py" line="60" />
        <source>Set Mattecam up</source>
        <translation>Mattecam einrichten</translation>
    </message>
    <message>
        <location filename="../assistant.py" line="72" />
        <source>Virtual camera</source>
        <translation>Virtuelle Kamera</translation>
    </message>
    <message>
        <location filename="../assistant.py" line="73" />
        <source>Meetings see you through a virtual camera. This is what your computer has:</source>
        <translation>Besprechungen sehen Sie durch eine virtuelle Kamera. Das hat Ihr Rechner:</translation>
    </message>
    <message>
        <location filename="../assistant.py" line="79" />
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <location filename="../assistant.py" line="80" />
        <source>The bundled network works at once. Robust Video Matting cuts hair out finer; it is downloaded only if you ask for it, and stays on this computer.</source>
        <translation>Das mitgelieferte Netz arbeitet sofort. Robust Video Matting schneidet Haare feiner aus; es wird nur auf Ihren Wunsch geladen und bleibt auf diesem Rechner.</translation>
    </message>
    <message>
        <location filename="../assistant.py" line="124" />
        <location filename="../assistant.py" line="114" />
        <source>Camera</source>
        <translation>Kamera</translation>
    </message>
    <message>
        <location filename="../assistant.py" line="114" />
        <source>Where the picture comes from</source>
        <translation>Woher das Bild kommt</translation>
    </message>
    <message>
        <location filename="../assistant.py" line="124" />
        <source>Choose your camera. Only you see this preview.</source>
        <translation>Wählen Sie Ihre Kamera. Diese Vorschau sehen nur Sie.</translation>
    </message>
    <message>
        <location filename="../assistant.py" line="132" />
        <location filename="../assistant.py" line="131" />
        <source>Skip the set-up</source>
        <translation>Einrichtung überspringen</translation>
    </message>
    <message>
        <location filename="../assistant.py" line="132" />
        <source>It can be opened again from the menu</source>
        <translation>Sie lässt sich über das Menü wieder öffnen</translation>
    </message>
    <message>
        <location filename="../assistant.py" line="135" />
        <location filename="../assistant.py" line="134" />
        <source>Back</source>
        <translation>Zurück</translation>
    </message>
    <message>
        <location filename="../assistant.py" line="135" />
        <source>To the step before</source>
        <translation>Zum vorigen Schritt</translation>
    </message>
    <message>
        <location filename="../assistant.py" line="164" />
        <location filename="../assistant.py" line="137" />
        <source>Next</source>
        <translation>Weiter</translation>
    </message>
    <message>
        <location filename="../assistant.py" line="164" />
        <source>Done</source>
        <translation>Fertig</translation>
    </message>
    <message>
        <location filename="../assistant.py" line="166" />
        <source>To the next step</source>
        <translation>Zum nächsten Schritt</translation>
    </message>
    <message>
        <location filename="../assistant.py" line="167" />
        <source>Step {0} of {1}</source>
        <translation>Schritt {0} von {1}</translation>
    </message>
</context><context>
    <name>BackgroundLibrary</name>
    <message>
        <location filename="../backgrounds/library.py" line="56" />
        <source>There is no picture in what was pasted; copy an image first.</source>
        <translation>Das Eingefügte enthält kein Bild; kopieren Sie zuerst ein Bild.</translation>
    </message>
    <message>
        <location filename="../backgrounds/library.py" line="58" />
        <source>Picture</source>
        <translation>Bild</translation>
    </message>
    <message>
        <location filename="../backgrounds/library.py" line="90" />
        <source>None</source>
        <translation>Keiner</translation>
    </message>
    <message>
        <location filename="../backgrounds/library.py" line="91" />
        <source>Blur</source>
        <translation>Unschärfe</translation>
    </message>
    <message>
        <location filename="../backgrounds/library.py" line="92" />
        <source>Green</source>
        <translation>Grün</translation>
    </message>
    <message>
        <location filename="../backgrounds/library.py" line="93" />
        <source>Colour</source>
        <translation>Farbe</translation>
    </message>
    <message>
        <location filename="../backgrounds/library.py" line="123" />
        <source>No picture came from {0}; save it to a file and add that.</source>
        <translation>Von {0} kam kein Bild; speichern Sie es als Datei und fügen Sie diese hinzu.</translation>
    </message>
</context><context>
    <name>BackgroundOptions</name>
    <message>
        <location filename="../backgrounds/options.py" line="25" />
        <source>Blur strength</source>
        <translation>Stärke der Unschärfe</translation>
    </message>
    <message>
        <location filename="../backgrounds/options.py" line="26" />
        <source>How strongly the room is blurred</source>
        <translation>Wie unscharf der Raum wird</translation>
    </message>
    <message>
        <location filename="../backgrounds/options.py" line="40" />
        <location filename="../backgrounds/options.py" line="32" />
        <source>Fit</source>
        <translation>Einpassen</translation>
    </message>
    <message>
        <location filename="../backgrounds/options.py" line="32" />
        <source>How the image fills the picture</source>
        <translation>Wie das Bild die Fläche füllt</translation>
    </message>
    <message>
        <location filename="../backgrounds/options.py" line="35" />
        <source>Choose the colour…</source>
        <translation>Farbe wählen …</translation>
    </message>
    <message>
        <location filename="../backgrounds/options.py" line="36" />
        <source>Choose the colour</source>
        <translation>Farbe wählen</translation>
    </message>
    <message>
        <location filename="../backgrounds/options.py" line="36" />
        <source>The colour behind you</source>
        <translation>Die Farbe hinter Ihnen</translation>
    </message>
    <message>
        <location filename="../backgrounds/options.py" line="38" />
        <source>Your room can be seen.</source>
        <translation>Ihr Raum ist zu sehen.</translation>
    </message>
    <message>
        <location filename="../backgrounds/options.py" line="40" />
        <source>Strength</source>
        <translation>Stärke</translation>
    </message>
    <message>
        <location filename="../backgrounds/options.py" line="51" />
        <source>Fill the picture</source>
        <translation>Fläche füllen</translation>
    </message>
    <message>
        <location filename="../backgrounds/options.py" line="51" />
        <source>Show all of it</source>
        <translation>Ganz zeigen</translation>
    </message>
</context><context>
    <name>BackgroundStrip</name>
    <message>
        <location filename="../backgrounds/strip.py" line="183" />
        <location filename="../backgrounds/strip.py" line="47" />
        <source>Add…</source>
        <translation>Hinzufügen …</translation>
    </message>
    <message>
        <location filename="../backgrounds/strip.py" line="50" />
        <source>Add a background</source>
        <translation>Hintergrund hinzufügen</translation>
    </message>
    <message>
        <location filename="../backgrounds/strip.py" line="51" />
        <source>Add images or videos; they can be dropped or pasted as well</source>
        <translation>Bilder oder Videos hinzufügen; auch durch Ziehen oder Einfügen</translation>
    </message>
    <message>
        <location filename="../backgrounds/strip.py" line="88" />
        <source>Images and videos ({0})</source>
        <translation>Bilder und Videos ({0})</translation>
    </message>
    <message>
        <location filename="../backgrounds/strip.py" line="89" />
        <source>Add backgrounds</source>
        <translation>Hintergründe hinzufügen</translation>
    </message>
    <message>
        <location filename="../backgrounds/strip.py" line="117" />
        <source>Backgrounds</source>
        <translation>Hintergründe</translation>
    </message>
    <message>
        <location filename="../backgrounds/strip.py" line="117" />
        <source>Choose what is behind you</source>
        <translation>Wählen Sie, was hinter Ihnen ist</translation>
    </message>
    <message>
        <location filename="../backgrounds/strip.py" line="146" />
        <source>Background</source>
        <translation>Hintergrund</translation>
    </message>
    <message>
        <location filename="../backgrounds/strip.py" line="176" />
        <source>Use</source>
        <translation>Verwenden</translation>
    </message>
    <message>
        <location filename="../backgrounds/strip.py" line="178" />
        <source>Choose the colour…</source>
        <translation>Farbe wählen …</translation>
    </message>
    <message>
        <location filename="../backgrounds/strip.py" line="180" />
        <source>Rename…</source>
        <translation>Umbenennen …</translation>
    </message>
    <message>
        <location filename="../backgrounds/strip.py" line="181" />
        <source>Remove</source>
        <translation>Entfernen</translation>
    </message>
    <message>
        <location filename="../backgrounds/strip.py" line="203" />
        <source>Rename the background</source>
        <translation>Hintergrund umbenennen</translation>
    </message>
</context><context>
    <name>Backgrounds</name>
    <message>
        <location filename="../backgrounds/names.py" line="18" />
        <source>Soft studio</source>
        <translation>Sanftes Studio</translation>
    </message>
    <message>
        <location filename="../backgrounds/names.py" line="19" />
        <source>Window light</source>
        <translation>Fensterlicht</translation>
    </message>
    <message>
        <location filename="../backgrounds/names.py" line="20" />
        <source>White bricks</source>
        <translation>Weiße Ziegel</translation>
    </message>
    <message>
        <location filename="../backgrounds/names.py" line="21" />
        <source>Oak slats</source>
        <translation>Eichenlamellen</translation>
    </message>
    <message>
        <location filename="../backgrounds/names.py" line="22" />
        <source>Bookshelf</source>
        <translation>Bücherregal</translation>
    </message>
    <message>
        <location filename="../backgrounds/names.py" line="23" />
        <source>Paper waves</source>
        <translation>Papierwellen</translation>
    </message>
    <message>
        <location filename="../backgrounds/names.py" line="24" />
        <source>Dusk hills</source>
        <translation>Hügel im Abendlicht</translation>
    </message>
    <message>
        <location filename="../backgrounds/names.py" line="25" />
        <source>Evening lights</source>
        <translation>Abendlichter</translation>
    </message>
</context><context>
    <name>CameraPage</name>
    <message>
        <location filename="../panels/camera.py" line="45" />
        <location filename="../panels/camera.py" line="36" />
        <source>Camera</source>
        <translation>Kamera</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="36" />
        <source>Where the picture comes from</source>
        <translation>Woher das Bild kommt</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="46" />
        <location filename="../panels/camera.py" line="37" />
        <source>Size</source>
        <translation>Größe</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="37" />
        <source>Width and height of the picture</source>
        <translation>Breite und Höhe des Bildes</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="47" />
        <location filename="../panels/camera.py" line="38" />
        <source>Pictures a second</source>
        <translation>Bilder je Sekunde</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="38" />
        <source>How many pictures the camera gives</source>
        <translation>Wie viele Bilder die Kamera liefert</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="48" />
        <location filename="../panels/camera.py" line="39" />
        <source>Format</source>
        <translation>Format</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="39" />
        <source>How the camera sends its pictures</source>
        <translation>Wie die Kamera ihre Bilder schickt</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="42" />
        <source>Mirror the preview</source>
        <translation>Vorschau spiegeln</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="42" />
        <source>See yourself as in a mirror; the others do not</source>
        <translation>Sehen Sie sich wie im Spiegel; die anderen nicht</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="44" />
        <source>Source</source>
        <translation>Quelle</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="50" />
        <source>Framing</source>
        <translation>Bildausschnitt</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="52" />
        <source>Preview</source>
        <translation>Vorschau</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="76" />
        <source>{0} gives {1} × {2} at {3} per second {4}</source>
        <translation>{0} liefert {1} × {2}, {3} je Sekunde {4}</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="88" />
        <source>Choose a video</source>
        <translation>Video wählen</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="130" />
        <location filename="../panels/camera.py" line="102" />
        <source>Automatic</source>
        <translation>Automatisch</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="104" />
        <source>Demonstration</source>
        <translation>Vorführung</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="107" />
        <source>A camera that is not plugged in</source>
        <translation>Eine Kamera, die nicht angesteckt ist</translation>
    </message>
    <message>
        <location filename="../panels/camera.py" line="109" />
        <source>Video file…</source>
        <translation>Videodatei …</translation>
    </message>
</context><context>
    <name>Dialogs</name>
    <message>
        <location filename="../dialogs.py" line="44" />
        <source>Name:</source>
        <translation>Name:</translation>
    </message>
</context><context>
    <name>DoctorDialog</name>
    <message>
        <location filename="../doctor_dialog.py" line="61" />
        <source>Check this computer</source>
        <translation>Diesen Rechner prüfen</translation>
    </message>
    <message>
        <location filename="../doctor_dialog.py" line="69" />
        <location filename="../doctor_dialog.py" line="66" />
        <source>Send a test picture</source>
        <translation>Testbild senden</translation>
    </message>
    <message>
        <location filename="../doctor_dialog.py" line="70" />
        <source>Other programs see colour bars for a second, which are read back and compared</source>
        <translation>Andere Programme sehen eine Sekunde lang Farbbalken, die zurückgelesen und verglichen werden</translation>
    </message>
</context><context>
    <name>EdgeControls</name>
    <message>
        <location filename="../panels/edges.py" line="60" />
        <location filename="../panels/edges.py" line="59" />
        <source>Reset the edge</source>
        <translation>Kante zurücksetzen</translation>
    </message>
    <message>
        <location filename="../panels/edges.py" line="60" />
        <source>Leave the matte as the network gives it</source>
        <translation>Die Maske lassen, wie das Netz sie liefert</translation>
    </message>
    <message>
        <location filename="../panels/edges.py" line="68" />
        <source>Hardness</source>
        <translation>Härte</translation>
    </message>
    <message>
        <location filename="../panels/edges.py" line="68" />
        <source>From the soft matte to a hard cut-out</source>
        <translation>Von der weichen Maske bis zum harten Ausschnitt</translation>
    </message>
    <message>
        <location filename="../panels/edges.py" line="69" />
        <source>Threshold</source>
        <translation>Schwelle</translation>
    </message>
    <message>
        <location filename="../panels/edges.py" line="69" />
        <source>Which parts stay when the edge is hardened</source>
        <translation>Welche Teile bleiben, wenn die Kante härter wird</translation>
    </message>
    <message>
        <location filename="../panels/edges.py" line="70" />
        <source>Shrink or grow</source>
        <translation>Schrumpfen oder wachsen</translation>
    </message>
    <message>
        <location filename="../panels/edges.py" line="70" />
        <source>Moves the edge into the person or away</source>
        <translation>Verschiebt die Kante zur Person hin oder von ihr weg</translation>
    </message>
    <message>
        <location filename="../panels/edges.py" line="71" />
        <source>Feather outward</source>
        <translation>Nach außen weichzeichnen</translation>
    </message>
    <message>
        <location filename="../panels/edges.py" line="71" />
        <source>Softens the edge without eating into the person</source>
        <translation>Macht die Kante weich, ohne die Person anzuschneiden</translation>
    </message>
    <message>
        <location filename="../panels/edges.py" line="72" />
        <source>Steadiness</source>
        <translation>Ruhe</translation>
    </message>
    <message>
        <location filename="../panels/edges.py" line="72" />
        <source>Holds back flicker of the edge</source>
        <translation>Hält Flackern der Kante zurück</translation>
    </message>
    <message>
        <location filename="../panels/edges.py" line="73" />
        <source>Despill</source>
        <translation>Farbstich entfernen</translation>
    </message>
    <message>
        <location filename="../panels/edges.py" line="73" />
        <source>Takes a green cast out of hair and edges</source>
        <translation>Nimmt grünen Schein aus Haaren und Kanten</translation>
    </message>
</context><context>
    <name>ErrorBar</name>
    <message>
        <location filename="../error_bar.py" line="25" />
        <source>Problem</source>
        <translation>Problem</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="25" />
        <source>What went wrong</source>
        <translation>Was schiefging</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="38" />
        <source>Help</source>
        <translation>Hilfe</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="38" />
        <source>Helps with the problem</source>
        <translation>Hilft bei dem Problem</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="41" />
        <source>Dismiss</source>
        <translation>Ausblenden</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="41" />
        <source>Hide this message</source>
        <translation>Diese Meldung ausblenden</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="77" />
        <source>and {0} more</source>
        <translation>und {0} weitere</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="87" />
        <source>Camera</source>
        <translation>Kamera</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="88" />
        <source>Matting</source>
        <translation>Freistellen</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="89" />
        <source>Background</source>
        <translation>Hintergrund</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="90" />
        <source>Virtual camera</source>
        <translation>Virtuelle Kamera</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="91" />
        <source>Recording</source>
        <translation>Aufnahme</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="92" />
        <source>Output</source>
        <translation>Ausgabe</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="93" />
        <source>Settings</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="98" />
        <source>Choose another camera</source>
        <translation>Andere Kamera wählen</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="99" />
        <source>Choose another model</source>
        <translation>Anderes Modell wählen</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="100" />
        <source>Use the blur</source>
        <translation>Unschärfe verwenden</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="101" />
        <source>Set up…</source>
        <translation>Einrichten …</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="102" />
        <source>Choose another folder</source>
        <translation>Anderen Ordner wählen</translation>
    </message>
    <message>
        <location filename="../error_bar.py" line="103" />
        <source>Try again</source>
        <translation>Erneut versuchen</translation>
    </message>
</context><context>
    <name>Findings</name>
    <message>
        <location filename="../findings_view.py" line="173" />
        <source>Camera</source>
        <translation>Kamera</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="174" />
        <source>Camera: permission</source>
        <translation>Kamera: Berechtigung</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="175" />
        <source>Camera: in use</source>
        <translation>Kamera: in Benutzung</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="176" />
        <source>Virtual camera: module</source>
        <translation>Virtuelle Kamera: Modul</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="177" />
        <source>Virtual camera: device</source>
        <translation>Virtuelle Kamera: Gerät</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="178" />
        <source>Virtual camera: installed</source>
        <translation>Virtuelle Kamera: installiert</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="179" />
        <source>Virtual camera: seen by browsers</source>
        <translation>Virtuelle Kamera: für Browser sichtbar</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="180" />
        <source>Virtual camera: permission</source>
        <translation>Virtuelle Kamera: Berechtigung</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="181" />
        <source>Virtual camera: in use</source>
        <translation>Virtuelle Kamera: in Benutzung</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="182" />
        <source>Virtual camera: at the start of the computer</source>
        <translation>Virtuelle Kamera: beim Start des Rechners</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="183" />
        <source>Virtual camera: Secure Boot</source>
        <translation>Virtuelle Kamera: Secure Boot</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="184" />
        <source>Virtual camera: options</source>
        <translation>Virtuelle Kamera: Optionen</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="185" />
        <source>Virtual camera: test picture</source>
        <translation>Virtuelle Kamera: Testbild</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="186" />
        <source>Graphics card</source>
        <translation>Grafikkarte</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="187" />
        <source>Models</source>
        <translation>Modelle</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="188" />
        <source>Display</source>
        <translation>Bildschirm</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="189" />
        <source>Display: libraries</source>
        <translation>Bildschirm: Bibliotheken</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="190" />
        <source>Disk of the settings</source>
        <translation>Datenträger der Einstellungen</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="191" />
        <source>Disk of the models</source>
        <translation>Datenträger der Modelle</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="197" />
        <source>fine</source>
        <translation>in Ordnung</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="198" />
        <source>warning</source>
        <translation>Warnung</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="199" />
        <source>problem</source>
        <translation>Problem</translation>
    </message>
</context><context>
    <name>FindingsDialog</name>
    <message>
        <location filename="../doctor_dialog.py" line="33" />
        <source>Choosing the camera in other programs…</source>
        <translation>Die Kamera in anderen Programmen wählen …</translation>
    </message>
    <message>
        <location filename="../doctor_dialog.py" line="35" />
        <source>Opens a page of the manual</source>
        <translation>Öffnet eine Seite der Anleitung</translation>
    </message>
    <message>
        <location filename="../doctor_dialog.py" line="37" />
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <location filename="../doctor_dialog.py" line="39" />
        <source>Back to the window</source>
        <translation>Zurück zum Fenster</translation>
    </message>
</context><context>
    <name>FindingsView</name>
    <message>
        <location filename="../findings_view.py" line="72" />
        <location filename="../findings_view.py" line="32" />
        <source>Checking…</source>
        <translation>Wird geprüft …</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="47" />
        <location filename="../findings_view.py" line="44" />
        <source>Check again</source>
        <translation>Erneut prüfen</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="48" />
        <source>Look at this machine once more</source>
        <translation>Diesen Rechner noch einmal ansehen</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="91" />
        <source>The virtual camera is ready.</source>
        <translation>Die virtuelle Kamera ist bereit.</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="92" />
        <source>Other programs cannot see the picture yet.</source>
        <translation>Andere Programme können das Bild noch nicht sehen.</translation>
    </message>
    <message>
        <location filename="../findings_view.py" line="164" />
        <location filename="../findings_view.py" line="163" />
        <source>Copy</source>
        <translation>Kopieren</translation>
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
        <translation>Zeigt einen Teil des Kamerabildes größer</translation>
    </message>
    <message>
        <location filename="../panels/framing.py" line="29" />
        <source>Sideways</source>
        <translation>Seitlich</translation>
    </message>
    <message>
        <location filename="../panels/framing.py" line="29" />
        <source>Moves the part shown to the left or right</source>
        <translation>Verschiebt den gezeigten Teil nach links oder rechts</translation>
    </message>
    <message>
        <location filename="../panels/framing.py" line="33" />
        <source>Up and down</source>
        <translation>Auf und ab</translation>
    </message>
    <message>
        <location filename="../panels/framing.py" line="33" />
        <source>Moves the part shown up or down</source>
        <translation>Verschiebt den gezeigten Teil nach oben oder unten</translation>
    </message>
    <message>
        <location filename="../panels/framing.py" line="35" />
        <source>Turn the mouse wheel over the preview to zoom, drag to move.</source>
        <translation>Mausrad über der Vorschau drehen zum Zoomen, ziehen zum Verschieben.</translation>
    </message>
    <message>
        <location filename="../panels/framing.py" line="38" />
        <location filename="../panels/framing.py" line="36" />
        <source>Show the whole picture</source>
        <translation>Das ganze Bild zeigen</translation>
    </message>
    <message>
        <location filename="../panels/framing.py" line="38" />
        <source>Ends the zoom of the camera's picture</source>
        <translation>Beendet den Zoom des Kamerabildes</translation>
    </message>
</context><context>
    <name>LogWindow</name>
    <message>
        <location filename="../log_window.py" line="31" />
        <location filename="../log_window.py" line="23" />
        <source>Log</source>
        <translation>Protokoll</translation>
    </message>
    <message>
        <location filename="../log_window.py" line="31" />
        <source>What the program did, newest last</source>
        <translation>Was das Programm tat, Neuestes zuletzt</translation>
    </message>
    <message>
        <location filename="../log_window.py" line="36" />
        <location filename="../log_window.py" line="33" />
        <source>Copy diagnostics</source>
        <translation>Diagnose kopieren</translation>
    </message>
    <message>
        <location filename="../log_window.py" line="37" />
        <source>Copies versions, settings and the log, for a report</source>
        <translation>Kopiert Versionen, Einstellungen und Protokoll für eine Meldung</translation>
    </message>
    <message>
        <location filename="../log_window.py" line="42" />
        <location filename="../log_window.py" line="41" />
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <location filename="../log_window.py" line="42" />
        <source>Close the log window</source>
        <translation>Das Protokollfenster schließen</translation>
    </message>
    <message>
        <location filename="../log_window.py" line="77" />
        <source>Copied.</source>
        <translation>Kopiert.</translation>
    </message>
</context><context>
    <name>MainWindow</name>
    <message>
        <location filename="../main_window.py" line="96" />
        <source>Camera</source>
        <translation>Kamera</translation>
    </message>
    <message>
        <location filename="../main_window.py" line="97" />
        <source>Matting</source>
        <translation>Freistellen</translation>
    </message>
    <message>
        <location filename="../main_window.py" line="98" />
        <source>Output</source>
        <translation>Ausgabe</translation>
    </message>
    <message>
        <location filename="../main_window.py" line="134" />
        <source>Saved {0}</source>
        <translation>{0} gespeichert</translation>
    </message>
    <message>
        <location filename="../main_window.py" line="185" />
        <source>Virtual camera</source>
        <translation>Virtuelle Kamera</translation>
    </message>
    <message>
        <location filename="../main_window.py" line="202" />
        <source>About Mattecam</source>
        <translation>Über Mattecam</translation>
    </message>
    <message>
        <location filename="../main_window.py" line="204" />
        <source>Mattecam cuts you out of your room, live, on this computer alone.</source>
        <translation>Mattecam stellt Sie live vor Ihrem Raum frei, allein auf diesem Rechner.</translation>
    </message>
    <message>
        <location filename="../main_window.py" line="205" />
        <source>Free software under the GNU General Public License, version 3 or later.</source>
        <translation>Freie Software unter der GNU General Public License, Version 3 oder neuer.</translation>
    </message>
</context><context>
    <name>MattingPage</name>
    <message>
        <location filename="../panels/matting.py" line="37" />
        <source>Adapt to a busy machine</source>
        <translation>An Auslastung anpassen</translation>
    </message>
    <message>
        <location filename="../panels/matting.py" line="38" />
        <source>Lowers the detail, what is automatic and the rate while the machine cannot keep up</source>
        <translation>Senkt Detail, Automatisches und Rate, solange der Rechner nicht nachkommt</translation>
    </message>
    <message>
        <location filename="../panels/matting.py" line="52" />
        <location filename="../panels/matting.py" line="41" />
        <source>Device</source>
        <translation>Gerät</translation>
    </message>
    <message>
        <location filename="../panels/matting.py" line="41" />
        <source>What computes the matte</source>
        <translation>Was die Maske berechnet</translation>
    </message>
    <message>
        <location filename="../panels/matting.py" line="53" />
        <location filename="../panels/matting.py" line="42" />
        <source>Executor</source>
        <translation>Ausführung</translation>
    </message>
    <message>
        <location filename="../panels/matting.py" line="42" />
        <source>How the network is run</source>
        <translation>Wie das Netz ausgeführt wird</translation>
    </message>
    <message>
        <location filename="../panels/matting.py" line="54" />
        <location filename="../panels/matting.py" line="43" />
        <source>Precision</source>
        <translation>Genauigkeit</translation>
    </message>
    <message>
        <location filename="../panels/matting.py" line="43" />
        <source>How exactly is computed</source>
        <translation>Wie genau gerechnet wird</translation>
    </message>
    <message>
        <location filename="../panels/matting.py" line="55" />
        <location filename="../panels/matting.py" line="44" />
        <source>Refiner</source>
        <translation>Verfeinerung</translation>
    </message>
    <message>
        <location filename="../panels/matting.py" line="44" />
        <source>How the small matte becomes a large one</source>
        <translation>Wie aus der kleinen Maske eine große wird</translation>
    </message>
    <message>
        <location filename="../panels/matting.py" line="45" />
        <source>Network</source>
        <translation>Netz</translation>
    </message>
    <message>
        <location filename="../panels/matting.py" line="49" />
        <source>Edge</source>
        <translation>Kante</translation>
    </message>
    <message>
        <location filename="../panels/matting.py" line="51" />
        <source>Computation</source>
        <translation>Berechnung</translation>
    </message>
    <message>
        <location filename="../panels/matting.py" line="87" />
        <source>Automatic</source>
        <translation>Automatisch</translation>
    </message>
    <message>
        <location filename="../panels/matting.py" line="96" />
        <source>Deep guided filter</source>
        <translation>Gelernter Leitbildfilter</translation>
    </message>
    <message>
        <location filename="../panels/matting.py" line="97" />
        <source>Fast guided filter</source>
        <translation>Schneller Leitbildfilter</translation>
    </message>
</context><context>
    <name>Menus</name>
    <message>
        <location filename="../menus.py" line="30" />
        <source>&amp;Scenes</source>
        <translation>&amp;Szenen</translation>
    </message>
    <message>
        <location filename="../menus.py" line="49" />
        <source>&amp;Program</source>
        <translation>&amp;Programm</translation>
    </message>
    <message>
        <location filename="../menus.py" line="52" />
        <source>Pause</source>
        <translation>Pause</translation>
    </message>
    <message>
        <location filename="../menus.py" line="53" />
        <source>Freeze</source>
        <translation>Einfrieren</translation>
    </message>
    <message>
        <location filename="../menus.py" line="54" />
        <source>Record</source>
        <translation>Aufnehmen</translation>
    </message>
    <message>
        <location filename="../menus.py" line="55" />
        <source>Snapshot</source>
        <translation>Foto</translation>
    </message>
    <message>
        <location filename="../menus.py" line="58" />
        <source>Open the folder of recordings</source>
        <translation>Ordner der Aufnahmen öffnen</translation>
    </message>
    <message>
        <location filename="../menus.py" line="60" />
        <source>Set-up assistant…</source>
        <translation>Einrichtungsassistent …</translation>
    </message>
    <message>
        <location filename="../menus.py" line="62" />
        <source>Quit</source>
        <translation>Beenden</translation>
    </message>
    <message>
        <location filename="../menus.py" line="65" />
        <source>&amp;View</source>
        <translation>&amp;Ansicht</translation>
    </message>
    <message>
        <location filename="../menus.py" line="70" />
        <source>Mirror the preview</source>
        <translation>Vorschau spiegeln</translation>
    </message>
    <message>
        <location filename="../menus.py" line="71" />
        <source>Figures on the preview</source>
        <translation>Zahlen auf der Vorschau</translation>
    </message>
    <message>
        <location filename="../menus.py" line="72" />
        <source>Side panel</source>
        <translation>Seitenleiste</translation>
    </message>
    <message>
        <location filename="../menus.py" line="73" />
        <source>Performance plot</source>
        <translation>Leistungskurve</translation>
    </message>
    <message>
        <location filename="../menus.py" line="75" />
        <source>Colours</source>
        <translation>Farben</translation>
    </message>
    <message>
        <location filename="../menus.py" line="79" />
        <source>As the system</source>
        <translation>Wie das System</translation>
    </message>
    <message>
        <location filename="../menus.py" line="80" />
        <source>Light</source>
        <translation>Hell</translation>
    </message>
    <message>
        <location filename="../menus.py" line="81" />
        <source>Dark</source>
        <translation>Dunkel</translation>
    </message>
    <message>
        <location filename="../menus.py" line="101" />
        <source>&amp;Background</source>
        <translation>&amp;Hintergrund</translation>
    </message>
    <message>
        <location filename="../menus.py" line="102" />
        <source>Add…</source>
        <translation>Hinzufügen …</translation>
    </message>
    <message>
        <location filename="../menus.py" line="103" />
        <source>Paste</source>
        <translation>Einfügen</translation>
    </message>
    <message>
        <location filename="../menus.py" line="105" />
        <source>Rename…</source>
        <translation>Umbenennen …</translation>
    </message>
    <message>
        <location filename="../menus.py" line="106" />
        <source>Remove</source>
        <translation>Entfernen</translation>
    </message>
    <message>
        <location filename="../menus.py" line="109" />
        <source>&amp;Help</source>
        <translation>&amp;Hilfe</translation>
    </message>
    <message>
        <location filename="../menus.py" line="110" />
        <source>Check this computer…</source>
        <translation>Diesen Rechner prüfen …</translation>
    </message>
    <message>
        <location filename="../menus.py" line="111" />
        <source>Choosing the camera in other programs</source>
        <translation>Die Kamera in anderen Programmen wählen</translation>
    </message>
    <message>
        <location filename="../menus.py" line="112" />
        <source>Log</source>
        <translation>Protokoll</translation>
    </message>
    <message>
        <location filename="../menus.py" line="113" />
        <source>Copy diagnostics</source>
        <translation>Diagnose kopieren</translation>
    </message>
    <message>
        <location filename="../menus.py" line="114" />
        <source>About Mattecam</source>
        <translation>Über Mattecam</translation>
    </message>
    <message>
        <location filename="../menus.py" line="119" />
        <source>There is no picture to paste; copy an image or a file first.</source>
        <translation>Es gibt kein Bild zum Einfügen; kopieren Sie zuerst ein Bild oder eine Datei.</translation>
    </message>
</context><context>
    <name>Models</name>
    <message>
        <location filename="../model_names.py" line="13" />
        <source>Automatic</source>
        <translation>Automatisch</translation>
    </message>
    <message>
        <location filename="../model_names.py" line="14" />
        <source>Mattecam (bundled, fast)</source>
        <translation>Mattecam (mitgeliefert, schnell)</translation>
    </message>
    <message>
        <location filename="../model_names.py" line="15" />
        <source>Robust Video Matting, fast</source>
        <translation>Robust Video Matting, schnell</translation>
    </message>
    <message>
        <location filename="../model_names.py" line="16" />
        <source>Robust Video Matting, fine</source>
        <translation>Robust Video Matting, fein</translation>
    </message>
    <message>
        <location filename="../model_names.py" line="17" />
        <source>Background Matting, fast</source>
        <translation>Background Matting, schnell</translation>
    </message>
    <message>
        <location filename="../model_names.py" line="18" />
        <source>Background Matting, fine</source>
        <translation>Background Matting, fein</translation>
    </message>
    <message>
        <location filename="../model_names.py" line="19" />
        <source>Background Matting, finest</source>
        <translation>Background Matting, am feinsten</translation>
    </message>
    <message>
        <location filename="../model_names.py" line="20" />
        <source>U²-Net, any object</source>
        <translation>U²-Net, jeder Gegenstand</translation>
    </message>
    <message>
        <location filename="../model_names.py" line="21" />
        <source>U²-Net, any object, small</source>
        <translation>U²-Net, jeder Gegenstand, klein</translation>
    </message>
    <message>
        <location filename="../model_names.py" line="22" />
        <source>U²-Net, people</source>
        <translation>U²-Net, Menschen</translation>
    </message>
</context><context>
    <name>NetworkControls</name>
    <message>
        <location filename="../panels/network.py" line="46" />
        <location filename="../panels/network.py" line="29" />
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <location filename="../panels/network.py" line="29" />
        <source>The network that cuts you out</source>
        <translation>Das Netz, das Sie freistellt</translation>
    </message>
    <message>
        <location filename="../panels/network.py" line="34" />
        <location filename="../panels/network.py" line="33" />
        <source>Download</source>
        <translation>Herunterladen</translation>
    </message>
    <message>
        <location filename="../panels/network.py" line="33" />
        <source>How much of the model has come</source>
        <translation>Wie viel vom Modell da ist</translation>
    </message>
    <message>
        <location filename="../panels/network.py" line="35" />
        <source>Download the model</source>
        <translation>Modell herunterladen</translation>
    </message>
    <message>
        <location filename="../panels/network.py" line="35" />
        <source>Get the model's weights now</source>
        <translation>Die Gewichte des Modells jetzt holen</translation>
    </message>
    <message>
        <location filename="../panels/network.py" line="36" />
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <location filename="../panels/network.py" line="37" />
        <source>Cancel the download</source>
        <translation>Herunterladen abbrechen</translation>
    </message>
    <message>
        <location filename="../panels/network.py" line="37" />
        <source>Stop the download</source>
        <translation>Das Herunterladen anhalten</translation>
    </message>
    <message>
        <location filename="../panels/network.py" line="66" />
        <source>In use: {0}</source>
        <translation>In Gebrauch: {0}</translation>
    </message>
    <message>
        <location filename="../panels/network.py" line="93" />
        <source>{0} (to be downloaded)</source>
        <translation>{0} (zum Herunterladen)</translation>
    </message>
    <message>
        <location filename="../panels/network.py" line="101" />
        <source>size unknown</source>
        <translation>Größe unbekannt</translation>
    </message>
    <message>
        <location filename="../panels/network.py" line="102" />
        <source>Not on hand: {0}, licence {1}</source>
        <translation>Nicht vorhanden: {0}, Lizenz {1}</translation>
    </message>
</context><context>
    <name>OutputPage</name>
    <message>
        <location filename="../panels/output.py" line="30" />
        <source>Mirror what the others see</source>
        <translation>Spiegeln, was die anderen sehen</translation>
    </message>
    <message>
        <location filename="../panels/output.py" line="31" />
        <source>Turns words in the picture round as well</source>
        <translation>Dreht auch Schrift im Bild um</translation>
    </message>
    <message>
        <location filename="../panels/output.py" line="71" />
        <location filename="../panels/output.py" line="37" />
        <source>Folder for recordings</source>
        <translation>Ordner für Aufnahmen</translation>
    </message>
    <message>
        <location filename="../panels/output.py" line="38" />
        <source>Where recordings and snapshots go</source>
        <translation>Wohin Aufnahmen und Fotos kommen</translation>
    </message>
    <message>
        <location filename="../panels/output.py" line="42" />
        <source>Virtual camera</source>
        <translation>Virtuelle Kamera</translation>
    </message>
    <message>
        <location filename="../panels/output.py" line="45" />
        <source>Pause</source>
        <translation>Pause</translation>
    </message>
    <message>
        <location filename="../panels/output.py" line="47" />
        <source>Recordings and snapshots</source>
        <translation>Aufnahmen und Fotos</translation>
    </message>
    <message>
        <location filename="../panels/output.py" line="48" />
        <source>Folder</source>
        <translation>Ordner</translation>
    </message>
    <message>
        <location filename="../panels/output.py" line="66" />
        <source>Recording {0}</source>
        <translation>{0} wird aufgenommen</translation>
    </message>
</context><context>
    <name>PlateControls</name>
    <message>
        <location filename="../panels/plate.py" line="63" />
        <location filename="../panels/plate.py" line="46" />
        <location filename="../panels/plate.py" line="38" />
        <source>Picture of the empty room</source>
        <translation>Bild des leeren Raums</translation>
    </message>
    <message>
        <location filename="../panels/plate.py" line="40" />
        <source>It was taken with another camera: take it again.</source>
        <translation>Es wurde mit einer anderen Kamera aufgenommen: bitte neu aufnehmen.</translation>
    </message>
    <message>
        <location filename="../panels/plate.py" line="41" />
        <source>Show the empty room…</source>
        <translation>Leeren Raum zeigen …</translation>
    </message>
    <message>
        <location filename="../panels/plate.py" line="42" />
        <source>Show the empty room</source>
        <translation>Leeren Raum zeigen</translation>
    </message>
    <message>
        <location filename="../panels/plate.py" line="42" />
        <source>Take a picture of your room now</source>
        <translation>Jetzt ein Bild des Raums aufnehmen</translation>
    </message>
    <message>
        <location filename="../panels/plate.py" line="43" />
        <source>Picture of the empty room…</source>
        <translation>Bild des leeren Raums …</translation>
    </message>
    <message>
        <location filename="../panels/plate.py" line="47" />
        <source>This model compares you with a picture of your room without you</source>
        <translation>Dieses Modell vergleicht Sie mit einem Bild Ihres Raums ohne Sie</translation>
    </message>
    <message>
        <location filename="../panels/plate.py" line="102" />
        <source>Taken {0}</source>
        <translation>Aufgenommen {0}</translation>
    </message>
</context><context>
    <name>PlateDialog</name>
    <message>
        <location filename="../plate_dialog.py" line="46" />
        <source>Picture of the empty room</source>
        <translation>Bild des leeren Raums</translation>
    </message>
    <message>
        <location filename="../plate_dialog.py" line="68" />
        <source>Progress</source>
        <translation>Fortschritt</translation>
    </message>
    <message>
        <location filename="../plate_dialog.py" line="68" />
        <source>How much of the picture is taken</source>
        <translation>Wie viel vom Bild aufgenommen ist</translation>
    </message>
    <message>
        <location filename="../plate_dialog.py" line="70" />
        <location filename="../plate_dialog.py" line="69" />
        <source>Start</source>
        <translation>Start</translation>
    </message>
    <message>
        <location filename="../plate_dialog.py" line="70" />
        <source>Begin the countdown</source>
        <translation>Den Countdown beginnen</translation>
    </message>
    <message>
        <location filename="../plate_dialog.py" line="71" />
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <location filename="../plate_dialog.py" line="84" />
        <source>Step out of the picture after the start, and leave the room and the camera as they are.</source>
        <translation>Nach dem Start bitte aus dem Bild gehen; Raum und Kamera bleiben, wie sie sind.</translation>
    </message>
    <message>
        <location filename="../plate_dialog.py" line="93" />
        <source>Step out of the picture.</source>
        <translation>Bitte aus dem Bild gehen.</translation>
    </message>
    <message>
        <location filename="../plate_dialog.py" line="109" />
        <source>The picture is being taken.</source>
        <translation>Das Bild wird aufgenommen.</translation>
    </message>
    <message>
        <location filename="../plate_dialog.py" line="116" />
        <source>The camera gives no pictures.</source>
        <translation>Die Kamera liefert keine Bilder.</translation>
    </message>
    <message>
        <location filename="../plate_dialog.py" line="119" />
        <source>Checking that nobody is in it.</source>
        <translation>Es wird geprüft, ob niemand darauf ist.</translation>
    </message>
    <message>
        <location filename="../plate_dialog.py" line="132" />
        <source>Done: the room is known now.</source>
        <translation>Fertig: Der Raum ist jetzt bekannt.</translation>
    </message>
    <message>
        <location filename="../plate_dialog.py" line="139" />
        <source>Try again</source>
        <translation>Erneut versuchen</translation>
    </message>
</context><context>
    <name>PlotPanel</name>
    <message>
        <location filename="../plot_panel.py" line="31" />
        <source>Performance</source>
        <translation>Leistung</translation>
    </message>
    <message>
        <location filename="../plot_panel.py" line="31" />
        <source>The last minute</source>
        <translation>Die letzte Minute</translation>
    </message>
    <message>
        <location filename="../plot_panel.py" line="102" />
        <location filename="../plot_panel.py" line="43" />
        <source>Pictures a second</source>
        <translation>Bilder je Sekunde</translation>
    </message>
    <message>
        <location filename="../plot_panel.py" line="102" />
        <location filename="../plot_panel.py" line="44" />
        <source>Latency in ms</source>
        <translation>Verzögerung in ms</translation>
    </message>
</context><context>
    <name>Preview</name>
    <message>
        <location filename="../preview.py" line="39" />
        <source>Preview</source>
        <translation>Vorschau</translation>
    </message>
    <message>
        <location filename="../preview.py" line="39" />
        <source>What the others see</source>
        <translation>Was die anderen sehen</translation>
    </message>
    <message>
        <location filename="../preview.py" line="46" />
        <source>Starting…</source>
        <translation>Startet …</translation>
    </message>
</context><context>
    <name>RatioControl</name>
    <message>
        <location filename="../panels/ratio.py" line="24" />
        <source>Detail</source>
        <translation>Detail</translation>
    </message>
    <message>
        <location filename="../panels/ratio.py" line="25" />
        <source>How large the network sees the picture: more is finer and slower</source>
        <translation>Wie groß das Netz das Bild sieht: mehr ist feiner und langsamer</translation>
    </message>
    <message>
        <location filename="../panels/ratio.py" line="28" />
        <source>Automatic</source>
        <translation>Automatisch</translation>
    </message>
    <message>
        <location filename="../panels/ratio.py" line="31" />
        <source>Detail automatically</source>
        <translation>Detail automatisch</translation>
    </message>
    <message>
        <location filename="../panels/ratio.py" line="32" />
        <source>Choose the detail by the size of the picture</source>
        <translation>Das Detail nach der Größe des Bildes wählen</translation>
    </message>
    <message>
        <location filename="../panels/ratio.py" line="56" />
        <source>The network sees {0} × {1} px</source>
        <translation>Das Netz sieht {0} × {1} px</translation>
    </message>
</context><context>
    <name>Readout</name>
    <message>
        <location filename="../readout.py" line="84" />
        <source>Your room can be seen</source>
        <translation>Ihr Raum ist zu sehen</translation>
    </message>
    <message>
        <location filename="../readout.py" line="90" />
        <source>{0} fps · {1} ms</source>
        <translation>{0} B/s · {1} ms</translation>
    </message>
    <message>
        <location filename="../readout.py" line="95" />
        <source>On air in {0} programs</source>
        <translation>Auf Sendung in {0} Programmen</translation>
    </message>
    <message>
        <location filename="../readout.py" line="96" />
        <source>On air</source>
        <translation>Auf Sendung</translation>
    </message>
    <message>
        <location filename="../readout.py" line="100" />
        <source>Paused: the others see the stand-by card</source>
        <translation>Pause: die anderen sehen die Pausentafel</translation>
    </message>
    <message>
        <location filename="../readout.py" line="101" />
        <source>Waiting: the others see the stand-by card</source>
        <translation>Wartet: die anderen sehen die Pausentafel</translation>
    </message>
    <message>
        <location filename="../readout.py" line="102" />
        <source>Resting: the camera is off</source>
        <translation>Ruht: die Kamera ist aus</translation>
    </message>
    <message>
        <location filename="../readout.py" line="103" />
        <source>Starting: the others see the stand-by card</source>
        <translation>Startet: die anderen sehen die Pausentafel</translation>
    </message>
</context><context>
    <name>Recording</name>
    <message>
        <location filename="../recording.py" line="52" />
        <source>There is no picture yet; try again when the preview shows one.</source>
        <translation>Es gibt noch kein Bild; versuchen Sie es wieder, wenn die Vorschau eines zeigt.</translation>
    </message>
</context><context>
    <name>ScenesMenu</name>
    <message>
        <location filename="../scenes_menu.py" line="56" />
        <source>Scene {0}</source>
        <translation>Szene {0}</translation>
    </message>
    <message>
        <location filename="../scenes_menu.py" line="57" />
        <source>Save as scene</source>
        <translation>Als Szene speichern</translation>
    </message>
    <message>
        <location filename="../scenes_menu.py" line="65" />
        <source>Rename the scene</source>
        <translation>Szene umbenennen</translation>
    </message>
    <message>
        <location filename="../scenes_menu.py" line="87" />
        <source>Rename</source>
        <translation>Umbenennen</translation>
    </message>
    <message>
        <location filename="../scenes_menu.py" line="87" />
        <source>Remove</source>
        <translation>Entfernen</translation>
    </message>
    <message>
        <location filename="../scenes_menu.py" line="93" />
        <source>Save as scene…</source>
        <translation>Als Szene speichern …</translation>
    </message>
</context><context>
    <name>SmallPreview</name>
    <message>
        <location filename="../assistant.py" line="27" />
        <source>Preview</source>
        <translation>Vorschau</translation>
    </message>
</context><context>
    <name>StandbyControls</name>
    <message>
        <location filename="../panels/standby.py" line="27" />
        <location filename="../panels/standby.py" line="23" />
        <source>Stand-by text</source>
        <translation>Text der Pausentafel</translation>
    </message>
    <message>
        <location filename="../panels/standby.py" line="26" />
        <source>Back in a moment</source>
        <translation>Gleich zurück</translation>
    </message>
    <message>
        <location filename="../panels/standby.py" line="27" />
        <source>What the card says while you pause</source>
        <translation>Was die Tafel sagt, während Sie pausieren</translation>
    </message>
    <message>
        <location filename="../panels/standby.py" line="29" />
        <source>Picture…</source>
        <translation>Bild …</translation>
    </message>
    <message>
        <location filename="../panels/standby.py" line="55" />
        <location filename="../panels/standby.py" line="30" />
        <source>Stand-by picture</source>
        <translation>Bild der Pausentafel</translation>
    </message>
    <message>
        <location filename="../panels/standby.py" line="30" />
        <source>A picture for the card while you pause</source>
        <translation>Ein Bild für die Tafel, während Sie pausieren</translation>
    </message>
    <message>
        <location filename="../panels/standby.py" line="33" />
        <location filename="../panels/standby.py" line="31" />
        <source>Without picture</source>
        <translation>Ohne Bild</translation>
    </message>
    <message>
        <location filename="../panels/standby.py" line="33" />
        <source>Use the plain stand-by card again</source>
        <translation>Wieder die einfache Pausentafel verwenden</translation>
    </message>
    <message>
        <location filename="../panels/standby.py" line="55" />
        <source>Images ({0})</source>
        <translation>Bilder ({0})</translation>
    </message>
</context><context>
    <name>StatusLine</name>
    <message>
        <location filename="../status_line.py" line="17" />
        <source>Starting</source>
        <translation>Startet</translation>
    </message>
    <message>
        <location filename="../status_line.py" line="18" />
        <source>Running</source>
        <translation>Läuft</translation>
    </message>
    <message>
        <location filename="../status_line.py" line="19" />
        <source>Paused</source>
        <translation>Pause</translation>
    </message>
    <message>
        <location filename="../status_line.py" line="20" />
        <source>Waiting</source>
        <translation>Wartet</translation>
    </message>
    <message>
        <location filename="../status_line.py" line="21" />
        <source>Resting: no program reads the virtual camera</source>
        <translation>Ruht: kein Programm liest die virtuelle Kamera</translation>
    </message>
    <message>
        <location filename="../status_line.py" line="22" />
        <source>Stopped</source>
        <translation>Beendet</translation>
    </message>
    <message>
        <location filename="../status_line.py" line="28" />
        <source>{0} fps in, {1} out</source>
        <translation>{0} B/s ein, {1} aus</translation>
    </message>
    <message>
        <location filename="../status_line.py" line="31" />
        <source>{0} ms</source>
        <translation>{0} ms</translation>
    </message>
    <message>
        <location filename="../status_line.py" line="36" />
        <source>no virtual camera</source>
        <translation>keine virtuelle Kamera</translation>
    </message>
    <message>
        <location filename="../status_line.py" line="47" />
        <source>detail {0} %</source>
        <translation>Detail {0} %</translation>
    </message>
    <message>
        <location filename="../status_line.py" line="49" />
        <source>lighter model</source>
        <translation>leichteres Modell</translation>
    </message>
    <message>
        <location filename="../status_line.py" line="51" />
        <source>every second picture</source>
        <translation>jedes zweite Bild</translation>
    </message>
    <message>
        <location filename="../status_line.py" line="52" />
        <source>quality lowered to hold {0} fps: {1}</source>
        <translation>Qualität gesenkt, um {0} B/s zu halten: {1}</translation>
    </message>
    <message>
        <location filename="../status_line.py" line="59" />
        <source>preparing the model…</source>
        <translation>das Modell wird vorbereitet …</translation>
    </message>
    <message>
        <location filename="../status_line.py" line="60" />
        <source>preparing the background…</source>
        <translation>der Hintergrund wird vorbereitet …</translation>
    </message>
</context><context>
    <name>TileModel</name>
    <message>
        <location filename="../backgrounds/model.py" line="46" />
        <source>{0}, chosen</source>
        <translation>{0}, gewählt</translation>
    </message>
    <message>
        <location filename="../backgrounds/model.py" line="101" />
        <source>The room is shown as it is (Ctrl+0)</source>
        <translation>Der Raum wird gezeigt, wie er ist (Strg+0)</translation>
    </message>
    <message>
        <location filename="../backgrounds/model.py" line="102" />
        <source>{0} (key {1})</source>
        <translation>{0} (Taste {1})</translation>
    </message>
</context><context>
    <name>Tray</name>
    <message>
        <location filename="../tray.py" line="45" />
        <source>Open Mattecam</source>
        <translation>Mattecam öffnen</translation>
    </message>
    <message>
        <location filename="../tray.py" line="47" />
        <source>Go on</source>
        <translation>Weiter</translation>
    </message>
    <message>
        <location filename="../tray.py" line="47" />
        <source>Pause</source>
        <translation>Pause</translation>
    </message>
    <message>
        <location filename="../tray.py" line="49" />
        <source>Background</source>
        <translation>Hintergrund</translation>
    </message>
    <message>
        <location filename="../tray.py" line="57" />
        <source>Quit</source>
        <translation>Beenden</translation>
    </message>
</context><context>
    <name>VirtualCameraControls</name>
    <message>
        <location filename="../panels/virtual_camera.py" line="27" />
        <source>Send to other programs</source>
        <translation>An andere Programme senden</translation>
    </message>
    <message>
        <location filename="../panels/virtual_camera.py" line="27" />
        <source>They choose it as their camera</source>
        <translation>Sie wählen es als ihre Kamera</translation>
    </message>
    <message>
        <location filename="../panels/virtual_camera.py" line="30" />
        <source>Which virtual camera</source>
        <translation>Welche virtuelle Kamera</translation>
    </message>
    <message>
        <location filename="../panels/virtual_camera.py" line="30" />
        <source>Where other programs see it</source>
        <translation>Wo andere Programme es sehen</translation>
    </message>
    <message>
        <location filename="../panels/virtual_camera.py" line="33" />
        <source>Set a virtual camera up…</source>
        <translation>Virtuelle Kamera einrichten …</translation>
    </message>
    <message>
        <location filename="../panels/virtual_camera.py" line="34" />
        <source>Set a virtual camera up</source>
        <translation>Virtuelle Kamera einrichten</translation>
    </message>
    <message>
        <location filename="../panels/virtual_camera.py" line="34" />
        <source>What this system needs</source>
        <translation>Was dieses System braucht</translation>
    </message>
    <message>
        <location filename="../panels/virtual_camera.py" line="36" />
        <source>Rest while nobody watches</source>
        <translation>Ruhen, wenn niemand zusieht</translation>
    </message>
    <message>
        <location filename="../panels/virtual_camera.py" line="37" />
        <source>Switches the camera off while no program reads the virtual one and this window is hidden</source>
        <translation>Schaltet die Kamera aus, solange kein Programm die virtuelle liest und dieses Fenster verborgen ist</translation>
    </message>
    <message>
        <location filename="../panels/virtual_camera.py" line="62" />
        <source>Choose “{0}” in your meeting.</source>
        <translation>Wählen Sie „{0}“ in Ihrer Besprechung.</translation>
    </message>
    <message>
        <location filename="../panels/virtual_camera.py" line="64" />
        <source>There is no virtual camera on this computer yet.</source>
        <translation>Auf diesem Rechner gibt es noch keine virtuelle Kamera.</translation>
    </message>
    <message>
        <location filename="../panels/virtual_camera.py" line="78" />
        <source>Automatic</source>
        <translation>Automatisch</translation>
    </message>
</context><context>
    <name>WindowLife</name>
    <message>
        <location filename="../life.py" line="65" />
        <source>Keep Mattecam running in the tray?</source>
        <translation>Mattecam im Infobereich weiterlaufen lassen?</translation>
    </message>
    <message>
        <location filename="../life.py" line="66" />
        <source>Meetings go on seeing you. This is asked only once.</source>
        <translation>Besprechungen sehen Sie weiterhin. Das wird nur einmal gefragt.</translation>
    </message>
    <message>
        <location filename="../life.py" line="67" />
        <source>Keep running</source>
        <translation>Weiterlaufen lassen</translation>
    </message>
    <message>
        <location filename="../life.py" line="68" />
        <source>Quit</source>
        <translation>Beenden</translation>
    </message>
</context></TS>
