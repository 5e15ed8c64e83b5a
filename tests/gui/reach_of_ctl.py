"""What `ctl` can do of what the window can: controls, menus and keys with their commands, or why they have none."""

from __future__ import annotations

from PyQt6.QtWidgets import QCheckBox, QComboBox, QPushButton, QSlider, QWidget

from app.gui.panels.side_panel import SidePanel
from tests.gui.widgets import pick

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
    "Choosing the camera in other programs": "a page of the documentation",
    "Log": "a list",
    "Copy diagnostics": "the clipboard; `run.py doctor`",
    "About Mattecam": "a text",
}
"""Entries of the menus without a command, and why."""
COMMANDS = {
    "Pause": "pause",
    "Freeze": "freeze",
    "Record": "record",
    "Snapshot": "snapshot",
    "Quit": "quit",
    "Mirror the preview": "set window.mirror_preview",
    "Show frame rate and delay": "set window.show_readout",
    "Side panel": "set window.show_panel",
    "All settings": "set window.all_settings",
    "Performance plot": "set window.show_plot",
    "System": "set window.theme",
    "Light": "set window.theme",
    "Dark": "set window.theme",
    "Save as scene…": "save-scene",
    "Save as scene with camera…": "save-scene-with-camera",
}

CONTROLS = {
    "assistantBackgrounds": "background",
    "assistantCamera": "set capture.source",
    "assistantLanguage": "set window.language",
    "autostartCheck": "autostart",
    "backgroundList": "background",
    "backgroundReset": "reset background.zoom",
    "blurSlider": "background",
    "cameraCombo": "set capture.source",
    "closeToTrayCheck": "set window.close_to_tray",
    "colourButton": "background",
    "allSettings": "set window.all_settings",
    "downsampleSlider": "set matting.downsample_ratio",
    "edgeReset": "reset edges.contrast",
    "edge_crisp": "set edges.contrast",
    "edge_normal": "set edges.contrast",
    "edge_soft": "set edges.contrast",
    "fitCombo": "set background.fit",
    "framingReset": "reset framing.zoom",
    "freezeButton": "freeze",
    "globalShortcutsCheck": "set global_shortcuts",
    "languageCombo": "set window.language",
    "mirrorCheck": "set window.mirror_preview",
    "othersSeeButton": "set window.mirror_preview",
    "modelCombo": "set matting.model",
    "nextSlide": "slide",
    "pauseButton": "pause",
    "placementReset": "reset placement.scale",
    "plateButton": "plate",
    "plateStart": "plate",
    "plateTake": "plate",
    "preview": "only-me",
    "presentEnd": "background",
    "presentFolder": "background",
    "presentPdf": "background",
    "previousSlide": "slide",
    "recordButton": "record",
    "recordingsFolder": "set window.recordings_dir",
    "serverAddress": "set matting.server",
    "serverConnect": "set matting.location",
    "serverDisconnect": "set matting.location",
    "simpleSettings": "set window.all_settings",
    "snapshotButton": "snapshot",
    "standbyImage": "set output.standby_image",
    "showAnywayButton": "set edges.strict",
    "themeCombo": "set window.theme",
    "zoneUndo": "zones",
    "zonesClear": "zones",
}
"""Controls of the window and its dialogs by their names, and what does the same in `ctl`; rows name their setting."""
CONTROLS_ALONE = {
    "addBackgroundButton": "a dialog for files; `background FILE` uses any file",
    "backgroundGroup": "opens a group of the panel",
    "cameraGroup": "opens a group of the panel",
    "expertGroup": "opens a group of the panel",
    "moveGroup": "opens a group of the panel",
    "outputGroup": "opens a group of the panel",
    "overlayGroup": "opens a group of the panel",
    "pauseGroup": "opens a group of the panel",
    "presentGroup": "opens a group of the panel",
    "qualityGroup": "opens a group of the panel",
    "recordGroup": "opens a group of the panel",
    "zonesGroup": "opens a group of the panel",
    "appsLink": "a page of the documentation",
    "assistantBack": "a page of the assistant",
    "assistantNext": "a page of the assistant",
    "assistantSkip": "closes the assistant",
    "brushSlider": "the brush; `zones FILE` names the radius",
    "checkAgain": "`run.py doctor`",
    "closeLog": "closes a dialog",
    "copyDiagnostics": "the clipboard; `run.py doctor`",
    "doctorProve": "the sight of the test picture in another program",
    "downloadButton": "`run.py weights download`",
    "downloadCancel": "`run.py weights download`",
    "downloadFile": "`--weights`",
    "dropBrush": "painting; `zones FILE`",
    "noticeCounter": "lists messages",
    "statusLabel": "lists what `ctl status` says",
    "findingsClose": "closes a dialog",
    "helpClose": "closes a dialog",
    "helpPages": "a text",
    "helpSearch": "a text",
    "helpText": "a text",
    "keepBrush": "painting; `zones FILE`",
    "allBackgroundsButton": "shows the backgrounds; `background NAME` chooses one",
    "mousePersonCheck": "what the mouse moves",
    "plateClose": "closes a dialog",
    "preferencesClose": "closes a dialog",
    "serverGroup": "opens a group of the panel",
    "shortcutsClose": "closes a dialog",
    "viewCombo": "what the preview shows",
    "view_compare": "what the preview shows",
    "view_composite": "what the preview shows",
    "view_foreground": "what the preview shows",
    "view_matte": "what the preview shows",
    "view_original": "what the preview shows",
    "virtualCameraHelp": "`run.py doctor`",
    "virtualCameraSetUp": "`run.py doctor --fix`",
}
"""Controls without a command, and why."""
PARTS_OF_QT = {"", "ScrollLeftButton", "ScrollRightButton", "qt_menubar_ext_button"}
"""Names of controls inside Qt's own widgets; unnamed are only the lists of combo boxes."""
TRAY = {"Open Mattecam": "", "Pause": "pause", "Background": "background", "Quit": "quit"}
"""Entries of the tray's menu; a second start of the program opens the window."""
KEYS = {
    **{str(number): "background" for number in range(1, 10)},
    "Ctrl+0": "background",
    "PgUp": "slide",
    "PgDown": "slide",
    "Del": "",
    "F2": "",
    "Space": "background",
}
"""Shortcuts beside those of the menus; Del and F2 remove and rename files, as the menu does."""


LEFT_OUT = {"formatCombo", "sizeCombo", "rateCombo", "cameraCombo"}
"""Controls that reopen the source; other tests cover them."""


def use_everything_on(panel: SidePanel) -> None:
    """Show all settings; move every slider, choose every entry, switch every switch there and back."""
    for group in panel.groups:
        panel.reveal(group.findChildren(QWidget)[-1])
    page = panel.page
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
    for button in page.findChildren(QPushButton, "edgeReset"):
        button.click()
