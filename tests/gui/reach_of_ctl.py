"""What `ctl` can do of what the window can: controls, menus and keys with their commands, or why they have none."""

from __future__ import annotations

from PyQt6.QtWidgets import QCheckBox, QComboBox, QPushButton, QSlider, QWidget

from app.gui.panels.side_panel import SidePanel

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
    "autoFramingCombo": "framing",
    "autostartCheck": "autostart",
    "backgroundList": "background",
    "backgroundReset": "background-view",
    "backgroundXSlider": "background-view",
    "backgroundYSlider": "background-view",
    "backgroundZoomSlider": "background-view",
    "blurSlider": "background",
    "bokehCheck": "background",
    "cameraCombo": "set capture.source",
    "closeToTrayCheck": "set window.close_to_tray",
    "colourButton": "background",
    "contrastSlider": "set edges.contrast",
    "cornerCombo": "place",
    "allSettings": "set window.all_settings",
    "alphaOutputCombo": "set output.alpha_output",
    "despillSlider": "set edges.despill",
    "deviceCombo": "set matting.device",
    "distanceBlurCheck": "set background.distance_blur",
    "downsampleAuto": "ratio",
    "downsampleSlider": "ratio",
    "edgeReset": "reset edges.contrast",
    "edge_crisp": "set edges.contrast",
    "edge_normal": "set edges.contrast",
    "edge_soft": "set edges.contrast",
    "executorCombo": "set matting.executor",
    "featherSlider": "set edges.feather_px",
    "fitCombo": "background-view",
    "formatCombo": "set capture.pixel_format",
    "framingReset": "framing",
    "freezeButton": "freeze",
    "globalShortcutsCheck": "set global_shortcuts",
    "governorCheck": "set matting.governor",
    "growSlider": "set edges.grow_px",
    "languageCombo": "set window.language",
    "light_matchSlider": "light",
    "light_wrapSlider": "light",
    "microphoneCombo": "microphone",
    "mirrorCheck": "set window.mirror_preview",
    "othersSeeButton": "set window.mirror_preview",
    "mirrorOutputCheck": "set output.mirror",
    "modelCombo": "model",
    "nextSlide": "slide",
    "noOverlayFile": "overlay",
    "noStandbyImage": "reset output.standby_image",
    "onDemandCheck": "set output.on_demand",
    "onlyMeCheck": "only-me",
    "overlayFile": "overlay",
    "overlayPlace": "overlay",
    "overlaySize": "overlay",
    "overlayText": "overlay",
    "overlayTextPlace": "overlay",
    "panXSlider": "framing",
    "panYSlider": "framing",
    "parallaxSlider": "parallax",
    "pauseButton": "pause",
    "pipewireCombo": "set output.pipewire",
    "placeXSlider": "place",
    "placeYSlider": "place",
    "placementReset": "place",
    "plateButton": "plate",
    "plateDrop": "plate",
    "plateStart": "plate",
    "plateTake": "plate",
    "portrait_lightSlider": "light",
    "precisionCombo": "set matting.precision",
    "preview": "only-me",
    "presentEnd": "background",
    "presentFolder": "background",
    "presentPdf": "background",
    "previousSlide": "slide",
    "rateCombo": "set capture.fps",
    "recordButton": "record",
    "recordingsFolder": "set window.recordings_dir",
    "refinerCombo": "set matting.refiner",
    "regionCheck": "set edges.person_region",
    "scaleSlider": "place",
    "screenCombo": "background",
    "serverAddress": "server",
    "serverCertificate": "server",
    "serverCertificateRemove": "server",
    "serverConnect": "server",
    "serverDisconnect": "server",
    "serverToken": "server",
    "serverTokenRemove": "server",
    "simpleSettings": "set window.all_settings",
    "sizeCombo": "set capture.width",
    "snapshotButton": "snapshot",
    "standbyImage": "set output.standby_image",
    "standbyText": "set output.standby_text",
    "strictCombo": "set edges.strict",
    "showAnywayButton": "set edges.strict",
    "temporal_smoothingSlider": "set edges.temporal_smoothing",
    "themeCombo": "set window.theme",
    "thresholdSlider": "set edges.threshold",
    "virtualCameraBackendCombo": "set output.virtual_camera_backend",
    "virtualCameraCombo": "set output.virtual_camera",
    "virtualCameraToggle": "set output.virtual_camera",
    "zoneUndo": "zones",
    "zonesClear": "zones",
    "zoomSlider": "zoom",
}
"""Controls of the window and its dialogs by their names, and what does the same in `ctl`."""
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
                box.setCurrentIndex(row)
                box.activated.emit(row)
    for switch in page.findChildren(QCheckBox):
        switch.click()
        switch.click()
    for button in page.findChildren(QPushButton, "edgeReset"):
        button.click()
