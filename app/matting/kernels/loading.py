"""Loads the kernels, which takes seconds where they are not compiled yet."""

from __future__ import annotations

import contextlib
import functools
import gc
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Collect no garbage inside the context, and never look again at what exists at its end.

    A collection of all objects that the compiler of the kernels brings along stops every thread for 60 to 120 ms.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


def load() -> None:
    """Import the kernels; a thread that imports them meanwhile waits."""
    with without_garbage_collection():
        from app.matting.kernels import composite, network  # noqa: F401


@functools.cache
def start_loading() -> None:
    """Begin to load on a thread, beside other work. A failure is that of the thread that needs the kernels."""

    def work() -> None:
        with contextlib.suppress(Exception):
            load()

    threading.Thread(target=work, name="kernel-compiler", daemon=True).start()
