"""`ctl` can do what the window can: change each setting that a control changes, and run the commands of the menus."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from app.control import Answer, Command, ask
from app.control.commands import SYNTAX
from app.control.settable import OWN_COMMANDS, SETTABLE, settings_of
from app.core.settings import Settings
from app.gui.shell.application import Session
from app.gui.state.preferences import WindowPreferences
from app.gui.state.remote import OWN_STATE
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
