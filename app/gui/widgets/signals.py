"""Connections that end with the object they are for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PyQt6.QtCore import QObject, pyqtBoundSignal


def follow(signal: pyqtBoundSignal, owner: QObject, slot: Callable[..., Any]) -> None:
    """Call `slot` for a signal until `owner` is deleted.

    For functions that are no methods of a QObject: Qt ends the connections of those itself. Never connect such a
    function to `destroyed`: the garbage collector may have emptied it when it deletes the object.
    """
    signal.connect(_Follower(owner, slot).run)


class _Follower(QObject):
    """A child of the owner, whose method Qt disconnects when both are deleted."""

    def __init__(self, owner: QObject, slot: Callable[..., Any]) -> None:
        super().__init__(owner)
        self._slot = slot

    def run(self, value: object) -> None:
        """Hand on the value of the signal."""
        self._slot(value)
