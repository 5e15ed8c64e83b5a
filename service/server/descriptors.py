"""The limit of open files and sockets of this process."""

from __future__ import annotations

import sys

DESCRIPTORS = 8192
"""Of a service: connections, and several sockets for each stream."""


def raise_descriptor_limit(wanted: int = DESCRIPTORS) -> None:
    """Let this process open `wanted` files and sockets, or as many as an administrator allows. Windows has no limit."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
