"""The owner of the settings in force, which changes them atomically, and the merge of two changes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from app.core.declaration import Model
from app.core.settings import MAX_ZONES, Settings


class SettingsOwner:
    """Thread-safe. `current` is read without a lock; every change is atomic."""

    def __init__(self, settings: Settings) -> None:
        self._lock = threading.Lock()
        self.current = settings
        """The settings in force."""
        self.revision = 0
        """Counts the changes, and the requests to read files again. It grows after `current` has changed: read it
        before `current` to know settings that are at least as new."""
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
            self.revision += 1
        self._notify()
        return new

    def renew(self) -> None:
        """Let the workers use the settings again, since what they name has changed."""
        with self._lock:
            self.revision += 1
        self._notify()

    def _notify(self) -> None:
        for callback in tuple(self._listeners):
            callback()


M = TypeVar("M", bound=Model)


def rebase(current: M, before: M, after: M, values: M | None = None) -> M:
    """Return `current` with what differs between `before` and `after`: fields at every depth, and single zones.

    An edit of a stale snapshot so changes what it was meant to change and nothing else. values: where what differs is
    taken from, in place of `after`.
    """
    changes: dict[str, object] = {}
    for name, old in before:
        new, own = getattr(after, name), getattr(current, name)
        if new == old:
            continue
        if isinstance(old, Model):
            new = rebase(own, old, new, None if values is None else getattr(values, name))
        elif values is not None:
            new = getattr(values, name)
        elif name == "zones":
            kept = [zone for zone in own if zone in new or zone not in old]
            new = (*kept, *(zone for zone in new if zone not in old and zone not in kept))[:MAX_ZONES]
        changes[name] = new
    return current.replace(**changes) if changes else current
