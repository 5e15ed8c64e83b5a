"""The wheel scrolls the side panel and never changes a control, in the window and its dialogs."""

from __future__ import annotations

from PyQt6.QtWidgets import (
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QDialog,
    QScrollBar,
)

from app.gui.shell.application import Session
from tests.gui.wheel import turn_wheel, values


def test_the_wheel_changes_no_control(session: Session) -> None:
    window = session.window
    windows = window.windows
    window.windows.open_assistant()
    windows.open_plate_dialog()
    windows.open_virtual_camera_help()
    for opened in (windows.open_preferences, windows.open_doctor, windows.open_shortcuts, windows.open_log):
        opened()
    kinds = (QAbstractSlider, QAbstractSpinBox, QComboBox)
    controls = [
        control for kind in kinds for control in window.findChildren(kind) if not isinstance(control, QScrollBar)
    ]
    assert {control.objectName() for control in controls} >= {"placeYSlider", "blurSlider", "modelCombo", "themeCombo"}
    for control in controls:
        if isinstance(control, QAbstractSlider) and control.isEnabled():
            control.setValue((control.minimum() + control.maximum()) // 2)
    before, settings = values(controls), session.store.current
    try:
        for control in controls:
            for notches in (-3, 3, 3):
                turn_wheel(control, notches)
                control.setFocus()
            assert values(controls) == before, control.objectName()
        assert session.store.current == settings
    finally:
        for dialog in window.findChildren(QDialog):
            dialog.close()
