"""How much memory this process has used, on every system."""

from __future__ import annotations

import sys

import psutil


def peak_bytes() -> int:
    """Return the most memory that this process has had so far."""
    if sys.platform == "win32":
        peak: int = psutil.Process().memory_info().peak_wset
    else:
        import resource

        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        peak = kilobytes * 1024
    return peak
