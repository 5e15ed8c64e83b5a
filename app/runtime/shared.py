"""What the threads of a pipeline share, the settings in force among it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from app.core.settings import Model, Settings
from app.runtime.board import StatusBoard
from app.runtime.parts import Parts
from app.runtime.timing import Timing


class SettingsOwner:
    """Thread-safe. `current` is read without a lock; every change is atomic."""

    def __init__(self, settings: Settings) -> None:
        self._lock = threading.Lock()
        self.current = settings
        """The settings in force."""
        self._listeners: list[Callable[[], None]] = []

    def listen(self, callback: Callable[[], None]) -> None:
        """Call `callback` after every change, on the thread that made it and without a lock held."""
        self._listeners.append(callback)

    def change(self, update: Callable[[Settings], Settings]) -> Settings:
        """Replace the settings by `update` of those in force and return the new ones.

        `update` runs under the lock: it must be short and must not change settings itself. An error that it raises
        changes nothing and reaches the caller. Settings that stay equal notify nobody.
        """
        with self._lock:
            new = update(self.current)
            if new == self.current:
                return self.current
            self.current = new
        for callback in tuple(self._listeners):
            callback()
        return new


def rebase(current: Settings, before: Settings, after: Settings) -> Settings:
    """Return `current` with the fields that differ between `before` and `after`.

    An edit of a stale snapshot so changes what it was meant to change and nothing else.
    """
    changes: dict[str, object] = {}
    for name, old in dict(before).items():
        new = getattr(after, name)
        if isinstance(old, Model) and new != old:
            fields = {field: value for field, value in dict(new).items() if value != getattr(old, field)}
            changes[name] = getattr(current, name).replace(**fields)
        elif new != old:
            changes[name] = new
    return current.replace(**changes) if changes else current


@dataclass(frozen=True, slots=True)
class Shared:
    """The settings, the parts, the board and the intervals of one run. Any thread."""

    owner: SettingsOwner
    parts: Parts
    timing: Timing = field(default_factory=Timing)
    board: StatusBoard = field(default_factory=StatusBoard)
    between_steps: threading.Event = field(default_factory=threading.Event)
    """Set while no frame step runs, for work that can wait."""

    def __post_init__(self) -> None:
        """No step runs yet."""
        self.between_steps.set()
