"""The check box that starts the program at login."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt6.QtWidgets import QCheckBox, QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.gui.dialogs.preferences_dialog import PreferencesDialog
from app.gui.state.preferences import PreferencesStore, WindowPreferences
from app.system import autostart
from tests.gui.controls import made_store
from tests.gui.widgets import find


def test_the_check_box_writes_and_removes_the_entry(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = PreferencesDialog(PreferencesStore(WindowPreferences()), made_store(), parent)
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
    assert any("cannot be changed" in label.text() for label in dialog.findChildren(QLabel))
