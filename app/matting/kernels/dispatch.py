"""Which full-size arithmetic runs: plain numpy until numba has compiled the fast one, once per machine."""

from __future__ import annotations

import logging
import threading
from types import ModuleType

from app.matting.kernels import numpy_composite

log = logging.getLogger(__name__)


class Compiled:
    """Load and compile the kernels on a thread of its own: seconds the first time, then from the cache."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._module: ModuleType = numpy_composite

    def best(self) -> ModuleType:
        """The kernels as soon as they are ready, `numpy_composite` until then and where numba does not run."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._compile, name="kernel-compiler", daemon=True)
                self._thread.start()
        return self._module

    def wait(self) -> ModuleType:
        """As `best`, after the compilation; for set-up, tests and benchmarks."""
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
"""The one of the process."""
