"""A mailbox for the newest value."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class SlotClosed(Exception):
    """No further value will come."""


class LatestSlot(Generic[T]):
    """Holds the newest value between two threads: latency is bounded, nothing is read twice.

    Putting over an unread value replaces it and counts a drop.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._value: T | None = None
        self._closed = False
        self._dropped = 0

    def put(self, value: T) -> None:
        """Leave `value` for the reader; on a closed slot it is ignored."""
        with self._condition:
            if self._closed:
                return
            if self._value is not None:
                self._dropped += 1
            self._value = value
            self._condition.notify_all()

    def get(self, timeout_s: float | None = None) -> T | None:
        """Take the value, waiting for one at most `timeout_s` seconds (None: for ever); None when none came.

        Raises SlotClosed once the slot is closed and empty.
        """
        with self._condition:
            self._condition.wait_for(lambda: self._value is not None or self._closed, timeout_s)
            value, self._value = self._value, None
            if value is None and self._closed:
                raise SlotClosed
            return value

    def close(self) -> None:
        """No further values; a waiting reader is woken. A value already there can still be taken."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def clear(self) -> None:
        """Throw the unread value away without counting it as dropped."""
        with self._condition:
            self._value = None

    @property
    def dropped(self) -> int:
        """How many values were replaced unread."""
        with self._condition:
            return self._dropped
