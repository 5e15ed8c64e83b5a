"""`ctl` can do what the window can: change each setting that a control changes, and run the commands of the menus."""

from __future__ import annotations

from PyQt6.QtGui import QAction, QShortcut
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QComboBox,
    QLineEdit,
    QListView,
    QMenu,
    QMenuBar,
    QScrollBar,
    QSpinBox,
    QTextEdit,
)
from pytestqt.qtbot import QtBot

from app.config.setting import SETTINGS
from app.control.commands import OWN_COMMANDS, SETTABLE, SYNTAX
from app.core.settings import Settings
from app.gui.shell.application import Session
from app.system import autostart
from tests.gui.reach_of_ctl import (
    COMMANDS,
    CONTROLS,
    CONTROLS_ALONE,
    KEYS,
    PARTS_OF_QT,
    TRAY,
    WINDOW_ALONE,
    use_everything_on,
)  # fmt: skip
from tests.gui.widgets import answered, existing


def test_every_setting_that_a_control_changes_can_be_set_by_ctl(controls: Session) -> None:
    changed: set[str] = set()
    last = controls.store.current
    every = list(SETTINGS.values())

    def compare(settings: Settings) -> None:
        nonlocal last
        changed.update(setting.name for setting in every if setting.value_in(settings) != setting.value_in(last))
        last = settings

    controls.store.changed.connect(compare)
    window = controls.window
    for tile in window.strip.model.tiles:
        window.strip.choose(tile)
    use_everything_on(controls)
    window.action_bar.pause.click()
    window.action_bar.freeze.click()
    assert len(changed) >= 30, "the controls were used"
    assert changed <= {*SETTABLE, *OWN_COMMANDS}


def entries(menu_bar: QMenuBar) -> set[str]:
    """The texts of all entries of the menus."""
    texts: set[str] = set()

    def collect(actions: list[QAction]) -> None:
        for action in actions:
            below: QMenu | None = action.menu()
            if below is not None:
                collect(below.actions())
            elif not action.isSeparator():
                texts.add(action.text().replace("&", ""))

    collect(menu_bar.actions())
    return texts


def exists(command: str) -> bool:
    """Return whether `ctl` knows the command, and the setting that it names."""
    name, _, setting = command.partition(" ")
    return name in SYNTAX and (name not in ("set", "reset") or setting in SETTABLE)


def test_every_control_entry_and_key_has_a_command_or_a_reason(with_dialogs: Session) -> None:
    window = with_dialogs.window
    texts = entries(existing(window.menuBar()))
    assert {"Pause", "Dark", "About Mattecam"} <= texts
    assert not texts - {*COMMANDS, *WINDOW_ALONE}
    assert {command.split()[0] for command in COMMANDS.values()} <= set(SYNTAX)
    keys = {shortcut.key().toString() for shortcut in window.findChildren(QShortcut)}
    assert keys == set(KEYS)
    tray = with_dialogs.lifecycle.tray.menu
    assert {action.text() for action in tray.actions() if not action.isSeparator()} == set(TRAY)
    assert all(command in ("", *SYNTAX) for command in (*KEYS.values(), *TRAY.values()))
    kinds = (QAbstractButton, QAbstractSlider, QComboBox, QLineEdit, QTextEdit, QSpinBox, QListView)
    found = {control for kind in kinds for control in window.findChildren(kind) if not isinstance(control, QScrollBar)}
    unnamed = [control for control in found if not control.objectName() and not isinstance(control, QListView)]
    rows = {control.objectName(): str(control.property("setting")) for control in found if control.property("setting")}
    names = {control.objectName() for control in found} | {window.preview.objectName()}
    assert unnamed == []
    assert [setting for setting in rows.values() if not has_command(setting)] == []
    known = " ".join((*CONTROLS.values(), *CONTROLS_ALONE.values())).split()
    assert sorted(names - PARTS_OF_QT - set(rows)) == sorted(known)
    assert [command for command in CONTROLS if not exists(command)] == []


def has_command(setting: str) -> bool:
    """Return whether `ctl` changes a setting, or the whole section that a row shows."""
    name = ".".join(setting.split(".")[-2:])
    return name in {*SETTABLE, *OWN_COMMANDS} or setting in Settings.model_fields or exists(f"set {setting}")


def test_a_theme_set_by_ctl_is_shown_in_the_menu(session: Session, qtbot: QtBot) -> None:
    assert answered(qtbot, "set", "window.theme dark").done
    dark = next(action for action in session.window.findChildren(QAction) if action.text() == "Dark")
    assert dark.isChecked()
    assert session.store.current.window.theme == "dark"
    refused = answered(qtbot, "set", "window.theme pink")
    assert not refused.done
    assert "'system', 'light' or 'dark'" in refused.message


def test_a_scene_saved_by_ctl_appears_in_the_menu(session: Session, qtbot: QtBot) -> None:
    assert answered(qtbot, "save-scene", "Desk").done
    qtbot.waitUntil(lambda: session.window.scenes.names == ("Desk",))
    assert answered(qtbot, "remove-scene", "Desk").done
    qtbot.waitUntil(lambda: session.window.scenes.names == ())


def test_autostart_is_switched_and_what_failed_is_tried_again(session: Session, qtbot: QtBot) -> None:
    for word, on in (("on", True), ("off", False)):
        assert answered(qtbot, "autostart", word).done
        assert autostart.enabled() is on
    assert answered(qtbot, "retry").done
