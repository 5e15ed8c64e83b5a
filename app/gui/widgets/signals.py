"""Connections that end with the object they are for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PyQt6.QtCore import QObject, pyqtBoundSignal


def follow(signal: pyqtBoundSignal, owner: QObject, slot: Callable[..., Any]) -> None:
    """Call `slot` for a signal until `owner` is deleted.

    For functions that are no methods of a QObject: Qt ends the connections of those itself.
    """
    connection = signal.connect(slot)
    owner.destroyed.connect(lambda: signal.disconnect(connection))
