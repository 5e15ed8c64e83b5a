"""The wheel, and what controls hold."""

from __future__ import annotations

from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QWheelEvent
from PyQt6.QtWidgets import QAbstractSlider, QAbstractSpinBox, QApplication, QComboBox, QWidget

NOTCH = 120


def turn_wheel(
    widget: QWidget, notches: int, where: QPoint | None = None,
    keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:  # fmt: skip
    """Send a turn of the wheel to a widget. where: its centre if None."""
    where = widget.rect().center() if where is None else where
    event = QWheelEvent(
        QPointF(where), QPointF(widget.mapToGlobal(where)), QPoint(), QPoint(0, notches * NOTCH),
        Qt.MouseButton.NoButton, keys, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)


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
