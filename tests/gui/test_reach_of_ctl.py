"""`ctl` can do what the window can: change each setting that a control changes, and run the commands of the menus."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from PyQt6.QtGui import QAction, QShortcut
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QComboBox,
    QDialog,
    QLineEdit,
    QListView,
    QMenu,
    QScrollBar,
    QSpinBox,
    QTextEdit,
)
from pytestqt.qtbot import QtBot

from app.control import Answer, Command, ask
from app.control.commands import SYNTAX
from app.control.settable import OWN_COMMANDS, SETTABLE, settings_of
from app.core.settings import Settings
from app.gui.shell.application import Session
from app.gui.state.preferences import WindowPreferences
from app.gui.state.remote import OWN_STATE
from app.plate import live
from app.system import autostart
from tests.gui.conftest import StartWindow
from tests.gui.test_all_controls import use_everything_on

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
    "Performance plot": "set window.show_plot",
    "System": "set window.theme",
    "Light": "set window.theme",
    "Dark": "set window.theme",
    "Save as scene…": "save-scene",
    "Save as scene with camera…": "save-scene-with-camera",
}

CONTROLS = {
    "assistantCamera": "set capture.source",
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
    "errorAction": "retry",
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
    "sizeCombo": "set capture.width",
    "snapshotButton": "snapshot",
    "standbyImage": "set output.standby_image",
    "standbyText": "set output.standby_text",
    "strictCheck": "set edges.strict",
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
    "advancedToggle": "opens a part of the page",
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
    "dropBrush": "painting; `zones FILE`",
    "errorDismiss": "hides a message",
    "findingsClose": "closes a dialog",
    "keepBrush": "painting; `zones FILE`",
    "mousePersonCheck": "what the mouse moves",
    "plateClose": "closes a dialog",
    "preferencesClose": "closes a dialog",
    "serverToggle": "opens a part of the page",
    "shortcutsClose": "closes a dialog",
    "viewCombo": "what the preview shows",
    "view_compare": "what the preview shows",
    "view_composite": "what the preview shows",
    "view_foreground": "what the preview shows",
    "view_matte": "what the preview shows",
    "view_original": "what the preview shows",
    "virtualCameraHelp": "`run.py doctor`",
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


def answered(qtbot: QtBot, *command: str) -> Answer:
    """Ask while the GUI thread runs its event loop."""
    with ThreadPoolExecutor(1) as client:
        answer = client.submit(ask, Command(*command))
        qtbot.waitUntil(answer.done)
        return answer.result()


def test_every_setting_that_a_control_changes_can_be_set_by_ctl(session: Session, qtbot: QtBot) -> None:
    changed: set[str] = set()
    last = session.store.current
    every = list(settings_of(Settings))

    def compare(settings: Settings) -> None:
        nonlocal last
        changed.update(setting.name for setting in every if setting.value_in(settings) != setting.value_in(last))
        last = settings

    session.store.changed.connect(compare)
    window = session.window
    for tile in window.strip.model.tiles:
        window.strip.choose(tile)
    for page in range(window.tabs.count()):
        window.tabs.setCurrentIndex(page)
        use_everything_on(window.tabs.widget(page))
    window.action_bar.pause.click()
    window.action_bar.freeze.click()
    assert len(changed) >= 30, "the controls were used"
    assert changed <= {*SETTABLE, *OWN_COMMANDS}


def test_every_entry_of_the_menus_has_a_command_or_a_reason(session: Session) -> None:
    bar = session.window.menuBar()
    assert bar is not None
    texts: set[str] = set()

    def collect(actions: list[QAction]) -> None:
        for action in actions:
            below: QMenu | None = action.menu()
            if below is not None:
                collect(below.actions())
            elif not action.isSeparator():
                texts.add(action.text().replace("&", ""))

    collect(bar.actions())
    assert {"Pause", "Dark", "About Mattecam"} <= texts
    assert not texts - {*COMMANDS, *WINDOW_ALONE}
    assert {command.split()[0] for command in COMMANDS.values()} <= set(SYNTAX)


def exists(command: str) -> bool:
    """Return whether `ctl` knows the command, and the setting that it names."""
    name, _, setting = command.partition(" ")
    preference = setting.removeprefix("window.")
    known = setting in SETTABLE or (preference != setting and preference in WindowPreferences.model_fields)
    return name in SYNTAX and (name not in ("set", "reset") or known)


def test_every_control_has_a_command_or_a_reason(session: Session) -> None:
    window = session.window
    windows = window.windows
    window.open_assistant()
    windows.open_plate_dialog(lambda: None)
    windows.open_virtual_camera_help()
    for opened in (windows.open_preferences, windows.open_doctor, windows.open_shortcuts, windows.open_log):
        opened()
    kinds = (QAbstractButton, QAbstractSlider, QComboBox, QLineEdit, QTextEdit, QSpinBox, QListView)
    found = {control for kind in kinds for control in window.findChildren(kind) if not isinstance(control, QScrollBar)}
    unnamed = [control for control in found if not control.objectName() and not isinstance(control, QListView)]
    names = {control.objectName() for control in found} | {window.preview.objectName()}
    try:
        assert unnamed == []
        assert names - PARTS_OF_QT == {*CONTROLS, *CONTROLS_ALONE}
        assert not set(CONTROLS) & set(CONTROLS_ALONE)
        assert [command for command in CONTROLS.values() if not exists(command)] == []
    finally:
        for dialog in window.findChildren(QDialog):
            dialog.close()


def test_every_key_and_entry_of_the_tray_has_a_command_or_a_reason(session: Session) -> None:
    keys = {shortcut.key().toString() for shortcut in session.window.findChildren(QShortcut)}
    assert keys == set(KEYS)
    assert {action.text() for action in session.tray.menu.actions() if not action.isSeparator()} == set(TRAY)
    assert all(command in ("", *SYNTAX) for command in (*KEYS.values(), *TRAY.values()))


VALUES = {"own_colour": "#102030", "recordings_dir": "/tmp/recordings", "language": "de", "theme": "dark"}


@pytest.mark.parametrize("name", [name for name in WindowPreferences.model_fields if name not in OWN_STATE])
def test_ctl_changes_the_preferences_of_the_window(start_window: StartWindow, qtbot: QtBot, name: str) -> None:
    session = start_window()
    before = getattr(session.preferences.current, name)
    for value in (VALUES.get(name, "off"), VALUES.get(name, "on")):
        answer = answered(qtbot, "set", f"window.{name} {value}")
        assert answer.done, answer.message
    assert answered(qtbot, "get", f"window.{name}").message.startswith(f"window.{name}: ")
    shown = getattr(session.preferences.current, name)
    assert str(shown) == VALUES[name] if name in VALUES else shown is True
    assert answered(qtbot, "reset", f"window.{name}").done
    default = getattr(WindowPreferences(), name)
    assert getattr(session.preferences.current, name) == default
    assert before == default


def test_a_theme_set_by_ctl_is_shown_in_the_menu(session: Session, qtbot: QtBot) -> None:
    assert answered(qtbot, "set", "window.theme dark").done
    dark = next(action for action in session.window.findChildren(QAction) if action.text() == "Dark")
    assert dark.isChecked()
    assert session.preferences.current.theme == "dark"
    refused = answered(qtbot, "set", "window.theme pink")
    assert not refused.done
    assert "system, light, dark" in refused.message


def test_a_scene_saved_by_ctl_appears_in_the_menu(session: Session, qtbot: QtBot) -> None:
    assert answered(qtbot, "save-scene", "Desk").done
    qtbot.waitUntil(lambda: session.window.scenes.names == ("Desk",))
    assert answered(qtbot, "remove-scene", "Desk").done
    qtbot.waitUntil(lambda: session.window.scenes.names == ())


def test_autostart_is_switched(session: Session, qtbot: QtBot) -> None:
    switched: Callable[[str], Answer] = partial(answered, qtbot, "autostart")
    assert switched("on").done
    assert autostart.enabled()
    assert switched("off").done
    assert not autostart.enabled()


def test_the_window_takes_plates_for_ctl_but_not_while_paused(
    session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "DEFAULT_S", 0.3)
    empty = answered(qtbot, "plate", "take 0")
    assert empty.done, empty.message
    plate = session.store.current.matting.plate
    assert plate is not None and plate.is_file()
    assert answered(qtbot, "plate", "drop").done
    session.store.set_paused(True)
    refused = answered(qtbot, "plate", "take 0")
    assert not refused.done
    assert "paused" in refused.message
    assert session.store.current.matting.plate is None


def test_ctl_tries_again_what_failed(session: Session, qtbot: QtBot) -> None:
    assert answered(qtbot, "retry").done
