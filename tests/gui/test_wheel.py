"""The wheel scrolls the side panel and never changes a control, in the window and its dialogs."""

from __future__ import annotations

from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QWheelEvent
from PyQt6.QtWidgets import (
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QScrollBar,
    QWidget,
)

from app.gui.shell.application import Session

NOTCH = 120


def turn_wheel(widget: QWidget, notches: int) -> bool:
    """Send a turn of the wheel to a widget; return whether it or a parent took it."""
    event = QWheelEvent(
        QPointF(widget.rect().center()), QPointF(widget.mapToGlobal(widget.rect().center())), QPoint(),
        QPoint(0, notches * NOTCH), Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)
    return event.isAccepted()


def values(controls: list[QWidget]) -> list[object]:
    """Return what each control holds."""
    held: list[object] = []
    for control in controls:
        if isinstance(control, QAbstractSlider):
            held.append(control.value())
        elif isinstance(control, QAbstractSpinBox):
            held.append(control.text())
        elif isinstance(control, QComboBox):
            held.append(control.currentIndex())
    return held


def test_the_wheel_changes_no_control(session: Session) -> None:
    window = session.window
    windows = window.windows
    window.open_assistant()
    windows.open_plate_dialog(lambda: None)
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
