"""Faults that a test puts at any stage of the pipeline."""

from __future__ import annotations

import threading
from collections.abc import Callable

Fault = Callable[[], None]


class Faults:
    """Called by every fake at every use under the name of the stage; does what a test has put there."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}
        self.release = threading.Event()
        """Ends every hang."""

    def put(self, stage: str, fault: Fault) -> None:
        """From now on `stage` suffers `fault`."""
        self._faults[stage] = fault

    def heal(self) -> None:
        """All well again."""
        self._faults.clear()
        self.release.set()

    def at(self, stage: str) -> None:
        """Suffer what was put at `stage`."""
        fault = self._faults.get(stage)
        if fault is not None:
            fault()

    def hang(self, seconds: float = 10.0) -> None:
        """Block like a driver that does not answer."""
        self.release.wait(seconds)
