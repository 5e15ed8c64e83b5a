"""A clock that goes on while the machine is suspended."""

from __future__ import annotations

import time

# On Linux time.monotonic() stands still during a suspension; on macOS CLOCK_MONOTONIC goes on, unlike time.monotonic().
_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))


def elapsed_s() -> float:
    """Return the seconds since an arbitrary moment, those in suspension included, unaffected by the wall clock."""
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)
