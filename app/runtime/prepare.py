"""Builds what takes longer than a frame (engines, backgrounds, cards) on a background thread."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from app.core.stage import Stage
from app.runtime.worker import Worker
from app.system.process import return_free_memory

_log = logging.getLogger(__name__)
K = TypeVar("K")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Prepared(Generic[K, T]):
    """The outcome of one request: a value or an error."""

    key: K
    value: T | None
    error: Exception | None


class Preparer(Worker, Generic[K, T]):
    """Builds for the newest request on its own thread. An outcome that a newer one replaces unread is discarded."""

    def __init__(
        self,
        name: str,
        build: Callable[[K], T],
        discard: Callable[[T], None],
        stage: Stage = Stage.OUTPUT,
        *,
        low_priority: bool = False,
        tidy: Callable[[], None] = return_free_memory,
    ) -> None:
        """stage, low_priority: as in `Worker`. No low priority for engines: OpenVINO's workers,
        which run them, are started here.

        tidy: called after values were discarded.
        """
        self._build = build
        self._discard = discard
        self._tidy = tidy
        self._condition = threading.Condition()
        self._request: tuple[int, K] | None = None
        self._retired: list[T] = []
        self._outcome: Prepared[K, T] | None = None
        self._requested = 0
        self._answered = 0
        super().__init__(name, self._serve, stage, low_priority=low_priority)

    def request(self, key: K) -> None:
        """Build for `key`; an older request that has not begun is dropped."""
        with self._condition:
            self._requested += 1
            self._request = self._requested, key
            self._condition.notify()

    def retire(self, value: T) -> None:
        """Discard a value that is no longer used, on the background thread and before the next build (any thread)."""
        with self._condition:
            self._retired.append(value)
            self._condition.notify()

    @property
    def busy(self) -> bool:
        """Whether a request has not been answered yet."""
        with self._condition:
            return self._answered != self._requested

    def take(self) -> Prepared[K, T] | None:
        """Return the newest outcome, once; None while there is none."""
        with self._condition:
            outcome, self._outcome = self._outcome, None
            return outcome

    def request_stop(self) -> None:
        """Ask the thread to end; do not wait."""
        super().request_stop()
        with self._condition:
            self._request = None
            self._condition.notify()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread and discard outcomes that were not taken; return False if the thread still runs."""
        ended = super().join(timeout_s)
        if ended:
            self._keep(None)
            self._discard_retired()
        return ended

    def _serve(self, stop: threading.Event) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: stop.is_set() or self._retired or self._request is not None)
                if stop.is_set():
                    return
                request = None if self._retired else self._request  # what is retired goes first
                if request is not None:
                    self._request = None
            if request is None:
                self._discard_retired()
                continue
            number, key = request
            try:
                outcome: Prepared[K, T] = Prepared(key, self._build(key), None)
            except Exception as error:  # noqa: BLE001 - carried to the requester
                outcome = Prepared(key, None, error)
            self._keep(outcome)
            with self._condition:
                self._answered = number

    def _discard_retired(self) -> None:
        with self._condition:
            retired, self._retired = self._retired, []
        if not retired:
            return
        while retired:
            close_unused(partial(self._discard, retired.pop(0)))
        self._tidy()

    def _keep(self, outcome: Prepared[K, T] | None) -> None:
        with self._condition:
            replaced, self._outcome = self._outcome, outcome
        if replaced is not None and replaced.value is not None:
            close_unused(partial(self._discard, replaced.value))


def close_unused(close: Callable[[], object]) -> None:
    """Call `close`; a failure is logged only: a device that is lost refuses even that, and the program goes on."""
    try:
        close()
    except Exception as error:  # noqa: BLE001 - what is closed is out of use
        _log.warning("Something that is no longer used could not be closed.", exc_info=error)
