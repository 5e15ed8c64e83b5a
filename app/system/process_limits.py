"""Limits that the system keeps for this process: core dumps, open files."""

from __future__ import annotations

import sys

DESCRIPTORS = 8192
"""Of a service: connections, and several sockets for each stream."""


def disable_core_dumps() -> None:
    """Forbid the system to write the memory of this process, which holds frames of the camera, to disk if it crashes.

    On Linux and macOS, for this process and those that it starts; systemd's collector of core dumps obeys as well.
    """
    if sys.platform == "win32":  # Windows keeps no full dumps unless an administrator asks for them
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))


def raise_descriptor_limit(wanted: int = DESCRIPTORS) -> None:
    """Let this process open `wanted` files and sockets, or as many as an administrator allows. Windows has no limit."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
