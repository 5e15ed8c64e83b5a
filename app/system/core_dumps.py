"""Keeps camera frames out of core dumps."""

from __future__ import annotations

import sys


def disable_core_dumps() -> None:
    """Forbid the system to write the memory of this process, which holds frames of the camera, to disk if it crashes.

    On Linux and macOS, for this process and those that it starts; systemd's collector of core dumps obeys as well.
    """
    if sys.platform == "win32":  # Windows keeps no full dumps unless an administrator asks for them
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
