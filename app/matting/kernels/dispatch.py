"""Selects the full-size kernels: those in numba, or those in numpy where numba does not run."""

from __future__ import annotations

import logging
import threading
from types import ModuleType

from app.matting.kernels import garbage

log = logging.getLogger(__name__)


class Compiled:
    """Loads the kernels on a background thread; takes seconds where they are not compiled yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._module: ModuleType | None = None

    def start(self) -> None:
        """Start to load, beside other work. Idempotent."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._load, name="kernel-compiler", daemon=True)
                self._thread.start()

    def wait(self) -> ModuleType:
        """Return the kernel module, `composite` or `numpy_composite`, once it is loaded."""
        self.start()
        assert self._thread is not None
        self._thread.join()
        assert self._module is not None
        return self._module

    def _load(self) -> None:
        try:
            with garbage.loading():
                from app.matting.kernels import composite  # compiles

            self._module = composite
        except Exception as error:  # noqa: BLE001 - LLVM and little memory fail in any way; the frame step goes on
            from app.matting.kernels import numpy_composite

            log.info("numba does not run here (%r); the kernels in numpy are used.", error)
            self._module = numpy_composite


compiled = Compiled()
"""Shared instance of the process."""
