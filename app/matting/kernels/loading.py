"""Loads the kernels, which takes seconds where they are not compiled yet."""

from __future__ import annotations

import functools

from app.core.compiling import loading
from app.core.threads import on_own_thread


def load() -> None:
    """Import the kernels; a thread that imports them meanwhile waits."""
    with loading():
        from app.matting.kernels import composite, network  # noqa: F401


@functools.cache
def start_loading() -> None:
    """Begin to load on a thread, beside other work. A failure is that of the thread that needs the kernels."""
    on_own_thread("kernel-compiler", load)
