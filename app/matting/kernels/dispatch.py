"""Selects the full-size kernels: numpy until numba has compiled its kernels, which happens once per machine."""

from __future__ import annotations

import logging
import threading
from types import ModuleType

from app.matting.kernels import numpy_composite

log = logging.getLogger(__name__)


class Compiled:
    """Loads and compiles the kernels on a background thread: takes seconds the first time, then they are cached."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._module: ModuleType = numpy_composite

    def best(self) -> ModuleType:
        """Return the compiled kernels if ready, else `numpy_composite`; also where numba is not available."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._compile, name="kernel-compiler", daemon=True)
                self._thread.start()
        return self._module

    def wait(self) -> ModuleType:
        """Wait for the compilation and return the kernels; for setup, tests and benchmarks."""
        self.best()
        assert self._thread is not None
        self._thread.join()
        return self._module

    def _compile(self) -> None:
        try:
            from app.matting.kernels import composite  # compiles
        except ImportError as error:
            log.info("numba does not run here (%s); the plain arithmetic is used", error)
            return
        self._module = composite


compiled = Compiled()
"""Shared instance of the process."""
