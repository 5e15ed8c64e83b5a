"""Preferences, shortcuts, and about."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PyQt6.QtCore import QTimer
from PyQt6.QtGui import QAction, QShortcut
from PyQt6.QtWidgets import QApplication, QCheckBox, QLabel, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from app import __version__
from app.core.settings import WindowSettings
from app.gui.dialogs.plain_dialogs import ShortcutsDialog
from app.gui.shell.application import Session, WindowOptions, run_window
from app.gui.widgets.controls import label
from app.system import autostart
from tests.fakes.world import FakeWorld
from tests.gui.conftest import QUIET
from tests.gui.widgets import find


def test_the_next_start_uses_the_chosen_language(
    qtbot: QtBot, world: FakeWorld, machine: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = QUIET.replace(window=WindowSettings(first_run_done=True, language="es"))
    seen: list[str] = []
    QTimer.singleShot(
        0, lambda: seen.extend(b.text() for w in QApplication.topLevelWidgets() for b in w.findChildren(QPushButton))
    )
    assert run_window(settings, WindowOptions(seconds=0.1, parts=world.parts())) == 0
    assert "Congelar" in seen or "Resultado" in seen


def test_the_shortcuts_of_all_menus_are_listed_without_wrapping(session: Session, qtbot: QtBot) -> None:
    session.window.windows.open_shortcuts()
    dialog = find(session.window, ShortcutsDialog)
    texts = [found.text() for found in dialog.findChildren(QLabel)]
    for text, keys in (("Pause", "P"), ("Quit", "Ctrl+Q"), ("Result", "Alt+1")):
        assert texts[texts.index(text) + 1] == keys
    headings = [texts.index(menu) for menu in ("Program", "View", "Background", "Scenes", "Help", "More")]
    assert headings == sorted(headings)
    assert texts.index("Background") < texts.index("Add…") < texts.index("Scenes"), "the menu tells what is added"

    def single_lines() -> bool:
        text = next(found for found in dialog.findChildren(QLabel) if found.text() == "Show frame rate and delay")
        return text.width() >= 250 and text.height() < 2 * text.fontMetrics().lineSpacing() + 8

    qtbot.waitUntil(single_lines)
    dialog.close()


def test_about_names_the_version_and_where_frames_stay(session: Session) -> None:
    session.window.windows.open_about()
    about = find(session.window, QMessageBox, "aboutBox")
    assert __version__ in about.text()
    assert re.search(r"^PyQt6 [\d.]+: GPL", about.detailedText(), re.MULTILINE)
    assert "All processing stays on this computer" in about.informativeText()
    about.close()


def test_the_preferences_switch_the_autostart_and_say_what_fails(
    controls: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    dialog = controls.window.windows.open_preferences()

    def said() -> list[str]:
        return [label.text() for label in dialog.findChildren(QLabel) if label.isVisible()]

    box = find(dialog, QCheckBox, "autostartCheck")
    assert not box.isChecked()
    box.click()
    assert autostart.enabled() and box.isChecked()
    box.click()
    assert not autostart.enabled() and not box.isChecked()
    (tmp_path / "autostart").rmdir()
    (tmp_path / "autostart").write_text("a file in place of the folder")
    box.click()
    assert not box.isChecked()
    assert any("cannot be changed" in text for text in said())
    dialog.close()


def test_a_key_that_is_held_acts_once(session: Session) -> None:
    """Who held P a little too long paused and resumed many times a second."""
    actions, shortcuts = session.window.findChildren(QAction), session.window.findChildren(QShortcut)
    keys = {each.shortcut().toString() for each in actions if each.autoRepeat()}
    keys |= {each.key().toString() for each in shortcuts if each.autoRepeat()}
    assert len(shortcuts) > 10 and keys - {""} == set()


def test_a_name_that_looks_like_html_is_shown_as_it_is(session: Session, qtbot: QtBot) -> None:
    """The question showed a bold name without its marks."""
    session.window.scenes.ask_before_removal("<b>WWWWWWW</b>")
    box, hint = find(session.window, QMessageBox, "deletionQuestion"), label("<i>WWWWWWW</i>")
    qtbot.addWidget(hint)
    for shown in (find(box, QLabel, "qt_msgbox_label"), hint):
        assert shown.sizeHint().width() >= shown.fontMetrics().horizontalAdvance(shown.text())
    box.close()
