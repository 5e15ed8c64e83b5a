"""Finds controls of the window, and injects faults."""
# mypy: disallow-untyped-calls=False
# (pytest-qt gives the events no types)

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QPoint, Qt
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


def button(session: Session | Controls, name: str) -> QPushButton:
    found = session.window.findChild(QPushButton, name)
    assert found is not None, name
    return found


def box(session: Session | Controls, name: str) -> QComboBox:
    found = session.window.findChild(QComboBox, name)
    assert found is not None, name
    return found


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


def child(session: Session | Controls, kind: type[QWidget], name: str) -> QWidget:
    found = session.window.findChild(kind, name)
    assert found is not None, name
    return found


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
