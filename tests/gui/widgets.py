"""Finds controls of the window and acts on them, on preview and backgrounds, as a user does; injects faults."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PyQt6.QtCore import QObject, QPoint, QPointF, Qt
from PyQt6.QtGui import QWheelEvent
from PyQt6.QtWidgets import QAbstractSlider, QAbstractSpinBox, QApplication, QComboBox, QPushButton, QSlider, QWidget
from pytestqt.qtbot import QtBot

from app.core.settings import BackgroundSettings, Settings
from app.gui.backgrounds.tiles import Tile
from app.gui.shell.application import Session
from tests.gui.controls import Controls

Child = TypeVar("Child", bound=QObject)
Value = TypeVar("Value")


def find(parent: QObject, kind: type[Child], name: str | None = None) -> Child:
    """Return a child, which must exist."""
    found = parent.findChild(kind, name)
    assert found is not None, name or kind.__name__
    return found


def existing(value: Value | None) -> Value:
    """Return a value that Qt declares as optional."""
    assert value is not None
    return value


def button(session: Session | Controls, name: str) -> QPushButton:
    return find(session.window, QPushButton, name)


def box(session: Session | Controls, name: str) -> QComboBox:
    return find(session.window, QComboBox, name)


def slider(session: Session | Controls, name: str) -> QSlider:
    return find(session.window, QSlider, name)


def pick(box: QComboBox, row: int) -> None:
    """Choose an entry of a list, as a user does."""
    box.setCurrentIndex(row)
    box.activated.emit(row)


def bring_up(session: Session | Controls, control: QWidget) -> None:
    """Show the group of the side panel that holds the control."""
    session.window.panel.reveal(control)
    QApplication.processEvents()  # lays the group out


def error_action(session: Session | Controls) -> QPushButton:
    """The first button of the message above the preview."""
    return button(session, f"{session.window.notices.shown}Action0")


def fail(error: Exception) -> Callable[[], None]:
    def fault() -> None:
        raise error

    return fault


def current(session: Session | Controls) -> Settings:
    return session.store.current


def drag(qtbot: QtBot, slider: QSlider, fraction: float) -> None:
    """Drag the handle of a slider."""
    height = slider.height() // 2
    span = slider.width() - 16
    here = 8 + round(span * (slider.value() - slider.minimum()) / (slider.maximum() - slider.minimum()))
    there = 8 + round(span * fraction)
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(here, height))
    for step in range(1, 6):
        qtbot.mouseMove(slider, QPoint(here + (there - here) * step // 5, height))
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=QPoint(there, height))


def ready(session: Session | Controls, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: session.window.preview.image is not None)


def at(session: Session | Controls, x: float, y: float) -> QPoint:
    """Return a point of the preview from fractions of the image."""
    rect = session.window.preview.picture_rect()
    return QPointF(rect.left() + x * rect.width(), rect.top() + y * rect.height()).toPoint()


def pull(session: Session | Controls, qtbot: QtBot, start: QPoint, end: QPoint) -> None:
    preview = session.window.preview
    qtbot.mousePress(preview, Qt.MouseButton.LeftButton, pos=start)
    for step in range(1, 5):
        qtbot.mouseMove(preview, start + (end - start) * step / 4)
    qtbot.mouseRelease(preview, Qt.MouseButton.LeftButton, pos=end)


def chosen(session: Session | Controls) -> BackgroundSettings:
    return session.store.current.background


def tiles(session: Session | Controls) -> tuple[Tile, ...]:
    return session.window.strip.model.tiles


def own(session: Session | Controls) -> list[Tile]:
    return [tile for tile in tiles(session) if tile.own]


def add(session: Session | Controls, qtbot: QtBot, path: Path) -> Tile:
    session.window.strip.library.add_files([path])
    qtbot.waitUntil(lambda: bool(own(session)))
    return own(session)[-1]


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
