"""What `ctl` can do of what the window can: controls, menus and keys with their commands, or why they have none."""

from __future__ import annotations

from PyQt6.QtWidgets import QCheckBox, QComboBox, QPushButton, QSlider, QWidget

from app.gui.shell.application import Session
from tests.gui.widgets import find, pick

WINDOW_ALONE = {
    "Open the recordings folder": "opens another program",
    "Setup assistant…": "a dialog over settings that `set` changes",
    "Preferences…": "a dialog over settings that `set` changes, and autostart",
    "Result": "what the preview shows",
    "Original": "what the preview shows",
    "Matte": "what the preview shows",
    "Person": "what the preview shows",
    "Compare": "what the preview shows",
    "Add…": "a dialog for files; `background FILE` uses any file",
    "Paste": "the clipboard",
    "Rename…": "a dialog for files",
    "Remove": "a dialog for files",
    "Help…": "a text",
    "Check this computer…": "`run.py doctor`",
    "Keyboard shortcuts…": "a list",
    "Log": "a list",
    "Copy diagnostics": "the clipboard; `run.py doctor`",
    "About Mattecam": "a text",
}
"""Entries of the menus without a command, and why."""
COMMANDS = {
    "Hide me now": "pause on",
    "Pause": "pause",
    "Freeze": "freeze",
    "Record": "record",
    "Snapshot": "snapshot",
    "Quit": "quit",
    "Mirror the preview": "set window.mirror_preview",
    "Show frame rate and delay": "set window.show_readout",
    "Side panel": "set window.show_panel",
    "All settings": "set window.all_settings",
    "System": "set window.theme",
    "Light": "set window.theme",
    "Dark": "set window.theme",
    "Save as scene…": "save-scene",
    "Save as scene with camera…": "save-scene-with-camera",
}

CONTROLS = {
    "background": "assistantBackgrounds backgroundList blurSlider colourButton",
    "set capture.source": "assistantCamera cameraCombo",
    "autostart": "autostartCheck",
    "reset background.zoom": "backgroundReset",
    "set window.all_settings": "allSettings simpleSettings",
    "reset edges.contrast": "edgeReset",
    "set edges.contrast": "edge_crisp edge_normal edge_soft",
    "set background.fit": "fitCombo",
    "set capture.width": "sizeCombo",
    "reset framing.zoom": "framingReset",
    "freeze": "freezeButton",
    "set window.mirror_preview": "othersSeeButton",
    "set matting.model": "modelCombo",
    "pause": "pauseButton",
    "plate": "plateButton plateStart plateTake",
    "only-me": "preview",
    "record": "recordButton",
    "set window.recordings_dir": "recordingsFolder",
    "snapshot": "snapshotButton",
    "zones": "zoneUndo zonesClear",
}
"""What does in `ctl` the same as controls of the window and its dialogs, by their names; rows name their setting."""
CONTROLS_ALONE = {
    "a dialog for files; `background FILE` uses any file": "addBackgroundButton",
    "opens a group of the panel": ("backgroundGroup pauseGroup qualityGroup recordGroup zonesGroup"),
    "a page of a dialog": "advancedPreferences assistantBack assistantNext generalPreferences",
    "closes the assistant": "assistantSkip",
    "the brush; `zones FILE` names the radius": "brushSlider",
    "`run.py doctor`": "checkAgain virtualCameraHelp",
    "closes a dialog": "closeLog findingsClose helpClose plateClose preferencesClose shortcutsClose",
    "the clipboard; `run.py doctor`": "copyCommand copyDiagnostics",
    "the clipboard; `run.py weights list`": "downloadAddress",
    "the sight of the test picture in another program": "doctorProve",
    "`run.py weights download`": "downloadButton downloadCancel",
    "`--weights`": "downloadFile",
    "painting; `zones FILE`": "dropBrush",
    "lists messages": "noticeCounter",
    "lists what `ctl status` says": "statusLabel",
    "a text": "helpText",
    "shows the backgrounds; `background NAME` chooses one": "allBackgroundsButton",
    "what the preview shows": "viewCombo view_compare view_composite view_foreground view_matte view_original",
    "`run.py doctor --fix`": "virtualCameraSetUp",
}
"""Why controls have no command."""
PARTS_OF_QT = {"", "ScrollLeftButton", "ScrollRightButton", "qt_menubar_ext_button"}
"""Names of controls inside Qt's own widgets; unnamed are only the lists of combo boxes."""
TRAY = {"Open Mattecam": "", "Pause": "pause", "Background": "background", "Quit": "quit"}
"""Entries of the tray's menu; a second start of the program opens the window."""
KEYS = {
    **{str(number): "background" for number in range(1, 10)},
    "Ctrl+0": "background",
    "Del": "",
    "F2": "",
}
"""Shortcuts beside those of the menus; Del and F2 remove and rename files, as the menu does."""


LEFT_OUT = {"capture.pixel_format", "sizeCombo", "capture.fps", "cameraCombo"}
"""Controls that reopen the source; other tests cover them."""


def use_everything_on(session: Session) -> None:
    """Show all settings; move every slider, choose every entry, switch every switch there and back."""
    panel, preferences = session.window.panel, session.window.windows.open_preferences()
    for group in panel.groups:
        panel.reveal(group.findChildren(QWidget)[-1])
    for page in (panel.page, preferences.advanced):
        for slider in page.findChildren(QSlider):
            for value in (slider.minimum(), slider.maximum(), slider.minimum() + 20):
                slider.setValue(value)
        for box in page.findChildren(QComboBox):
            if box.objectName() not in LEFT_OUT:
                for row in range(box.count()):
                    pick(box, row)
        for switch in page.findChildren(QCheckBox):
            switch.click()
            switch.click()
    find(preferences, QPushButton, "edgeReset").click()
    preferences.close()
