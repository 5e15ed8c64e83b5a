"""Threads that can be stopped and are joined, slots that pass values between them, and builders
beside the frame path.

Threads keep the error that ended them. A builder makes what takes longer than a frame: engines,
backgrounds, cards.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

from app.core.errors import MattecamError, Remedy, Stage, Text, close_unused
from app.core.files import no_answer, touch
from app.core.threads import lower_priority, name_thread, on_own_thread, return_free_memory

_log = logging.getLogger(__name__)
# A file that has not answered for this long is named in the status.
FILE_LIMIT_S = 2.0
# What needs a file that has not answered for this long has failed. Most disks that stood still turn
# by then, and a command still waits.
GIVE_UP_S = 6.0
# Niceness added to threads that prepare something, so that the frame path and the window run first.
NICENESS = 4

K = TypeVar("K")
T = TypeVar("T")


class SlotClosed(Exception):
    """The slot is closed and empty."""


class LatestSlot(Generic[T]):
    """Holds the newest value between two threads, so that latency is bounded and nothing is read
    twice.

    Putting replaces an unread value and counts it as dropped.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._value: T | None = None
        self._closed = False
        # The number of values that were replaced unread.
        self.dropped = 0

    def put(self, value: T) -> None:
        """Put `value` into the slot; a closed slot ignores it."""
        with self._condition:
            if not self._closed:
                self.dropped += self._value is not None
                self._value = value
                self._condition.notify_all()

    def get(self, timeout_s: float | None = None) -> T | None:
        """Take the value; wait for one for up to `timeout_s` seconds (None: without limit).

        Return None on timeout.

        Raises SlotClosed once the slot is closed and empty.
        """
        with self._condition:
            self._condition.wait_for(lambda: self._value is not None or self._closed, timeout_s)
            value = self._value
            self._value = None
            # What was put before the slot was closed is still read.
            if value is None and self._closed:
                raise SlotClosed
            return value

    def close(self) -> None:
        """Accept no further values and wake a waiting reader.

        An unread value can still be taken.
        """
        with self._condition:
            self._closed = True
            self._condition.notify_all()


_of_this_thread = threading.local()


def stop_requested() -> bool:
    """Return whether the thread that calls this is a worker's that is asked to end.

    For what waits on it for seconds, such as a camera that is being opened: another thread can
    neither interrupt nor close it.
    """
    stop: threading.Event | None = getattr(_of_this_thread, "stop", None)
    return stop is not None and stop.is_set()


class Worker:
    """Runs `target(stop)` once on its own thread; `target` returns soon after `stop` is set.

    All but `blocking_call` is for other threads.
    """

    def __init__(
        self,
        name: str,
        target: Callable[[threading.Event], None],
        stage: Stage = Stage.OUTPUT,
        *,
        frame_path: bool = False,
        niceness: int = 0,
        late_remedy: Remedy | None = None,
    ) -> None:
        """stage: where a failure is reported. frame_path: whether frames pass through it, so that
        nothing but the stand-by card may leave without it. niceness: added to that of the thread,
        and so of the threads that it starts (Linux). late_remedy: what helps where a call takes too
        long, as of `MattecamError`.
        """
        self.name = name
        self.stage = stage
        self.frame_path = frame_path
        self.late_remedy = late_remedy
        self._niceness = niceness
        self._stop = threading.Event()
        # A daemon only so that a driver that never returns cannot keep the
        # process alive; `join` is always checked. The thread alone keeps
        # the target: what ended frees the memory of its owner at once.
        self._thread = threading.Thread(target=self._run, args=(target,), name=name, daemon=True)
        self.error: BaseException | None = None
        self.died = False
        """The thread has ended without being asked to stop."""
        # When the call in progress is overdue, and what to tell the user then.
        self._call: tuple[float, Callable[[], Text]] | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def request_stop(self) -> None:
        """Ask the target to return; do not wait."""
        self._stop.set()

    @property
    def is_this_thread(self) -> bool:
        """Whether the caller runs on it, and so cannot wait for its end."""
        return self._thread is threading.current_thread()

    def join(self, timeout_s: float | None) -> bool:
        """Wait for the end, None: however long that takes.

        Return False if the thread still runs.
        """
        if self._thread.ident is not None:
            self._thread.join(None if timeout_s is None else max(0.0, timeout_s))
        return not self._thread.is_alive()

    def stop(self, timeout_s: float) -> bool:
        """End the thread; return False if it still runs after `timeout_s`."""
        self.request_stop()
        return self.join(timeout_s)

    @property
    def calls(self) -> str:
        """The calls that the thread is in, the innermost last, for the log; empty where it has
        ended.
        """
        frame = sys._current_frames().get(self._thread.ident or 0)  # noqa: SLF001 - documented
        return "" if frame is None else "".join(traceback.format_stack(frame))

    def limit_call(self, problem: Callable[[], Text], limit_s: float) -> None:
        """As `blocking_call`, from now on until the next one."""
        self._call = time.monotonic() + limit_s, problem

    @contextmanager
    def blocking_call(self, problem: Callable[[], Text], limit_s: float) -> Iterator[None]:
        """Mark a call of a driver, network or file system, which the watchdog reports as
        `problem` after limit_s.

        problem: builds the text, which is needed only then.
        """
        self.limit_call(problem, limit_s)
        try:
            yield
        finally:
            self._call = None

    def overdue_call(self) -> Text | None:
        """Return what to tell the user of a call that takes longer than its limit."""
        call = self._call  # read once: the thread ends it meanwhile
        if call is None or self.died:
            return None
        overdue_at_s, problem = call
        if time.monotonic() <= overdue_at_s:
            return None
        return problem()

    def _run(self, target: Callable[[threading.Event], None]) -> None:
        name_thread(self.name)
        _of_this_thread.stop = self._stop
        if self._niceness:
            lower_priority(self._niceness)
        try:
            target(self._stop)
        except BaseException as error:  # noqa: BLE001
            # The boundary of the thread; the watchdog reports it.
            self.error = error
            _log.warning("The %s thread ended with an error.", self.name, exc_info=error)
        finally:
            self.died = not self._stop.is_set()


class NoAnswerError(MattecamError):
    """A disk does not answer."""


class _SupersededError(BaseException):
    """What is being built is no longer wanted.

    No `except Exception` of a builder takes it for a failure.
    """


class Reaching:
    """Finds out whether the disks of files answer, on one thread for each file. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._unanswered: dict[Path, Future[None]] = {}

    def start(self, file: Path) -> Future[None]:
        """Return what is done once the disk of a file has answered, also that there is no such
        file.
        """
        with self._lock:
            for path, answer in list(self._unanswered.items()):
                if answer.done():
                    del self._unanswered[path]
            if file not in self._unanswered:
                self._unanswered[file] = on_own_thread("file-opener", partial(touch, file))
            return self._unanswered[file]


@dataclass(frozen=True, slots=True)
class Built(Generic[K, T]):
    """The outcome of one request: a value or an error."""

    key: K
    value: T | None
    error: Exception | None


class Builder(Worker, Generic[K, T]):
    """Builds for the newest request on its own thread.

    An outcome that a newer one replaces unread is discarded.

    A file of a request that does not answer holds up this request alone. Its methods are for other
    threads.
    """

    def __init__(
        self,
        name: str,
        build: Callable[[K], T],
        discard: Callable[[T], None],
        stage: Stage = Stage.OUTPUT,
        *,
        niceness: int = 0,
    ) -> None:
        """stage, niceness: as in `Worker`.
        None for engines: OpenVINO's workers, which run them, are started here.
        """
        super().__init__(name, self._serve, stage, niceness=niceness)
        self._reaching = Reaching()
        self._build = build
        self._discard = discard
        self._condition = threading.Condition()
        self._request: K | None = None
        # Whether a request has not been answered yet.
        self.busy = False
        self._is_withdrawn = False
        # Values that nobody uses any more: they are discarded before the next build.
        self._retired: list[T] = []
        # What waits to be taken.
        self.outcome: Built[K, T] | None = None

    def request(self, key: K) -> None:
        """Build for `key`; an older request that has not begun is dropped."""
        with self._condition:
            self._request = key
            self.busy = True
            self._condition.notify()

    def withdraw(self) -> None:
        """Build nothing; what waits for a file ends, and the outcome of what is being built may
        still come.
        """
        with self._condition:
            self._request = None
            self.busy = False
            self._is_withdrawn = True
            self._condition.notify()

    def retire(self, value: T) -> None:
        """Discard a value that is no longer used, on this thread and before the next build."""
        with self._condition:
            self._retired.append(value)
            self._condition.notify()

    @property
    def pending(self) -> bool:
        """Whether an outcome is still to be taken."""
        with self._condition:
            return self.busy or self.outcome is not None

    def take_outcome(self) -> Built[K, T] | None:
        """Return the newest outcome, once; None while there is none."""
        with self._condition:
            outcome = self.outcome
            self.outcome = None
            return outcome

    def request_stop(self) -> None:
        """Ask the thread to end; do not wait."""
        super().request_stop()
        with self._condition:
            self._request = None
            self.busy = False
            self._condition.notify()

    def join(self, timeout_s: float | None) -> bool:
        """Wait for the thread and discard outcomes that were not taken.

        Return False if the thread still runs.
        """
        ended = super().join(timeout_s)
        if ended:
            self._replace_outcome(None)
            self._discard_all(self._retired)
        return ended

    def _serve(self, stop: threading.Event) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(
                    lambda: stop.is_set() or self._retired or self._request is not None,
                )
                if stop.is_set():
                    return
                retired = self._retired
                self._retired = []
                key = None
                # What is retired goes first: it holds memory that the next one needs.
                if not retired:
                    key = self._request
                    self._request = None
                    self._is_withdrawn = False
            self._discard_all(retired)
            if key is not None:
                self._build_for(key)

    def reach(self, file: Path | None, then: Callable[[], object]) -> None:
        """Wait until the disk of a file answers: for `build`, before it reads the file.

        None: there is no file.

        The status names a file that does not answer soon. Raises NoAnswerError if it does not for
        `GIVE_UP_S`; `then` is called, on any thread, once it does after that.
        """
        if file is None:
            return
        answer = self._reaching.start(file)
        answer.add_done_callback(lambda _answer: self._wake())
        deadline_s = time.monotonic() + GIVE_UP_S
        problem = no_answer(file)
        with self.blocking_call(lambda: problem, FILE_LIMIT_S):
            while not answer.done():
                with self._condition:
                    self._condition.wait_for(
                        lambda: answer.done() or self._is_called_away, deadline_s - time.monotonic()
                    )
                    if self._is_superseded:
                        raise _SupersededError
                    retired = self._retired
                    self._retired = []
                self._discard_all(retired)  # it holds memory and devices
                if time.monotonic() >= deadline_s and not answer.done():
                    answer.add_done_callback(lambda _answer: then())
                    raise NoAnswerError(problem)

    @property
    def _is_called_away(self) -> bool:
        return self._is_superseded or bool(self._retired)

    @property
    def _is_superseded(self) -> bool:
        return self._stop.is_set() or self._is_withdrawn or self._request is not None

    def _wake(self) -> None:
        with self._condition:
            self._condition.notify()

    def _build_for(self, key: K) -> None:
        try:
            outcome: Built[K, T] = Built(key, self._build(key), None)
        except _SupersededError:
            return  # it was withdrawn, a newer request is there, or the end
        except Exception as error:  # noqa: BLE001 - carried to the requester
            if self._stop.is_set():
                # What it waited for was cancelled, such as the preparation: no error of the request.
                _log.debug("What was built at the end failed.", exc_info=error)
                return
            outcome = Built(key, None, error)
        with self._condition:
            self._replace_outcome(outcome)
            self.busy = self._request is not None

    def _replace_outcome(self, outcome: Built[K, T] | None) -> None:
        replaced = self.outcome
        self.outcome = outcome
        if replaced is not None and replaced.value is not None:
            self._retired.append(replaced.value)

    def _discard_all(self, retired: list[T]) -> None:
        if not retired:
            return
        while retired:
            close_unused(partial(self._discard, retired.pop(0)))
        return_free_memory()
