"""Interface of the services that register global shortcuts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.core.errors import MattecamError

MODIFIERS = ("Ctrl", "Alt", "Shift")
"""Held with every key. Ctrl and Alt alone are AltGr on Windows, which writes letters."""


class ShortcutError(MattecamError):
    """The shortcuts cannot be registered."""


@dataclass(frozen=True, slots=True)
class Shortcut:
    """One key with `MODIFIERS`."""

    name: str
    """Given to the function that is called."""
    description: str
    """What it does, for the desktop's own settings."""
    key: str
    """A letter or a digit."""


class ShortcutService(Protocol):
    """Registers shortcuts with the system."""

    def start(
        self, shortcuts: Sequence[Shortcut], pressed: Callable[[str], None], failed: Callable[[Exception], None]
    ) -> None:
        """Register the shortcuts.

        pressed: called on any thread with the name of a shortcut; returns at once. failed: called on any thread with a
        ShortcutError where they cannot be registered, or no longer work.
        """

    def stop(self) -> bool:
        """Remove the shortcuts; return False if a thread did not end in time. Idempotent."""
