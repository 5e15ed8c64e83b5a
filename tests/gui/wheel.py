"""The wheel, and what controls hold."""

from __future__ import annotations

from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QWheelEvent
from PyQt6.QtWidgets import (
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QWidget,
)

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
