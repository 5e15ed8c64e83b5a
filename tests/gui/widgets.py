"""Finds controls of the window, and injects faults."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from PyQt6.QtCore import QObject, QPoint, Qt
from PyQt6.QtWidgets import (
    QApplication,
    QComboBox,
    QPushButton,
    QSlider,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.core.settings import Settings
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
