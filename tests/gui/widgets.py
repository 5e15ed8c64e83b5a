"""Finding the window's controls, and making parts of the program fail."""
# mypy: disallow-untyped-calls=False
# (pytest-qt gives the events no types)

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtWidgets import QComboBox, QPushButton

from app.gui.shell.application import Session


def button(session: Session, name: str) -> QPushButton:
    found = session.window.findChild(QPushButton, name)
    assert found is not None, name
    return found


def box(session: Session, name: str) -> QComboBox:
    found = session.window.findChild(QComboBox, name)
    assert found is not None, name
    return found


def fail(error: Exception) -> Callable[[], None]:
    def fault() -> None:
        raise error

    return fault
