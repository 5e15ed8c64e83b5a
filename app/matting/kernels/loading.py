"""Loads the kernels, which takes seconds where they are not compiled yet."""

from __future__ import annotations

import contextlib
import functools
import gc
import threading


def load() -> None:
    """Import the kernels; a thread that imports them meanwhile waits.

    A collection of all objects that their compiler brings along stops every thread for 60 to 120 ms: there is none
    meanwhile, and later ones never look at what exists then.
    """
    gc.disable()
    try:
        from app.matting.kernels import composite, network  # noqa: F401
    finally:
        gc.freeze()
        gc.enable()


@functools.cache
def start_loading() -> None:
    """Begin to load on a thread, beside other work. A failure is that of the thread that needs the kernels."""

    def work() -> None:
        with contextlib.suppress(Exception):
            load()

    threading.Thread(target=work, name="kernel-compiler", daemon=True).start()
