"""Readers of a virtual camera: the camera can be released while there are none."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from app.system.device_holders import LINUX, Holder, holders

_RESCAN_S = 5.0
"""Limit until a reader that uses another device file (in a container) is noticed."""


class ReaderWatch:
    """Reports the readers of a virtual camera at low cost.

    Processes are scanned only after the kernel reports that the device was opened or closed (inotify). Handles of this
    program and of `ignored` processes (its probes) do not count.
    """

    def __init__(
        self, device: str, ignored: frozenset[int] = frozenset(), clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._device = device
        self._ignored = ignored | {os.getpid()}
        self._clock = clock
        self._events = _open_events(device)
        self._known: tuple[Holder, ...] | None = None
        self._scanned_s = -_RESCAN_S

    def readers(self) -> tuple[Holder, ...] | None:
        """Return the current readers; None if the system cannot tell."""
        now_s = self._clock()
        if self._changed() or now_s - self._scanned_s >= _RESCAN_S:
            self._scanned_s = now_s
            found = holders(self._device)
            if found is not None:
                found = tuple(one for one in found if one.pid not in self._ignored and not one.only_writes)
            self._known = found
        return self._known

    def close(self) -> None:
        """Stop watching. Idempotent."""
        if self._events is not None:
            os.close(self._events)
            self._events = None

    def _changed(self) -> bool:
        if self._events is None:
            return True
        try:
            return bool(os.read(self._events, 1 << 16))
        except BlockingIOError:
            return False


def _open_events(device: str) -> int | None:
    """Return a non-blocking handle that is readable after the device was opened or closed; None if not supported."""
    if not LINUX:
        return None
    import ctypes

    opened, closed = 0x20, 0x08 | 0x10  # IN_OPEN, IN_CLOSE_WRITE | IN_CLOSE_NOWRITE
    library = ctypes.CDLL(None)
    handle: int = library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if handle < 0:
        return None
    if library.inotify_add_watch(handle, os.fsencode(device), opened | closed) < 0:
        os.close(handle)
        return None
    return handle
