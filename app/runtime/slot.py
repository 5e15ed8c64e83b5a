"""A slot that passes the newest value from one thread to another."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class SlotClosed(Exception):
    """The slot is closed and empty."""


class LatestSlot(Generic[T]):
    """Holds the newest value between two threads, so that latency is bounded and nothing is read twice.

    Putting replaces an unread value and counts it as dropped.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._value: T | None = None
        self._closed = False
        self._dropped = 0

    def put(self, value: T) -> None:
        """Put `value` into the slot; a closed slot ignores it."""
        with self._condition:
            if self._closed:
                return
            if self._value is not None:
                self._dropped += 1
            self._value = value
            self._condition.notify_all()

    def get(self, timeout_s: float | None = None) -> T | None:
        """Take the value; wait for one for up to `timeout_s` seconds (None: without limit). Return None on timeout.

        Raises SlotClosed once the slot is closed and empty.
        """
        with self._condition:
            self._condition.wait_for(lambda: self._value is not None or self._closed, timeout_s)
            value, self._value = self._value, None
            if value is None and self._closed:
                raise SlotClosed
            return value

    def close(self) -> None:
        """Accept no further values and wake a waiting reader. An unread value can still be taken."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    @property
    def dropped(self) -> int:
        """The number of values that were replaced unread."""
        with self._condition:
            return self._dropped
