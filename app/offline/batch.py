"""Runs a batch in an output folder: starts jobs, retries those whose worker died, keeps lock and manifest, stops on
request.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from app.core.errors import SinkOpenError, UsageError
from app.core.files import lock_file, why_not_written
from app.offline.files import check_folder, exists_already
from app.offline.job import TRIES, Executor, Job, JobResult, is_remote, joined, parent_and_name, size_and_time, upload
from app.offline.plan import (
    MANIFEST,
    Manifest,
    Record,
    existing_output,
    last_records,
    record_of,
    same_name,
    state_folder,
    unchanged_outputs,
)

MOST_TRIES = 3
"""Tries of a clip whose worker dies. A clip that fails by itself, such as a broken file, is tried once."""
WAIT_S = 0.2
STOP_TIMEOUT_S = 20.0
"""How long interrupted clips may take to end."""

State = Literal["started", "progress", "done", "failed", "skipped", "interrupted"]


@dataclass(frozen=True, slots=True)
class Event:
    """A change of one clip; the field names are part of the contract of `convert --json`."""

    file: str
    state: State
    frames: int = 0
    expected_frames: int | None = None
    error: str | None = None


class StopRequest:
    """Set by signal handlers: the first request stops gently, the second at once."""

    def __init__(self, most: int | None = None) -> None:
        """most: requests that are only counted; a further one raises KeyboardInterrupt."""
        self.requests = 0
        self._most = most

    def __call__(self, *signal: object) -> None:
        """Request a stop."""
        if self.requests == self._most:
            raise KeyboardInterrupt
        self.requests += 1


def _may_have_written(record: Record) -> bool:
    """Return whether a run that did not finish a clip may have left outputs, which then are not another file's.

    A clip that failed by itself leaves none, unless it is cut off: its film is recorded.
    """
    if record.state == "failed":
        return record.sha256 is not None or record.tries >= MOST_TRIES
    return record.state != "done"


class Batch:
    """One run over many clips."""

    def __init__(
        self, jobs: Sequence[Job], executor: Executor, manifest: Manifest, tell: Callable[[Event], None]
    ) -> None:
        """executor: closed by `run`. tell: receives every event on the calling thread."""
        self._jobs = list(jobs)
        self._executor = executor
        self._manifest = manifest
        self._tell = tell
        self._tries = [0] * len(jobs)
        self._sources: dict[int, tuple[int | None, int | None]] = {}
        """Size and time of a source before it is read: it may still be written to."""
        self._running: dict[Future[JobResult], int] = {}
        self._waiting: deque[int] = deque()
        self.states: dict[int, str] = {}
        """Final state by index of the job."""

    def run(self, stop: StopRequest, known: dict[str, Record] | None = None) -> None:
        """Convert every clip, or those that `known`, the last records of an earlier run, does not show as done.

        Raises UsageError if a clip would replace a file that may not be replaced, OSError if the manifest cannot be
        written.
        """
        for index, job in enumerate(self._jobs):
            record = record_of(job, known or {})
            if record is not None:
                unchanged = unchanged_outputs(job, record)
                if unchanged == job.outputs.keys():
                    self._finish(index, "skipped", record.frames)
                    continue
                ours = frozenset(use for use in unchanged if not is_remote(job.outputs[use]))
                self._jobs[index] = replace(job, overwrite=job.overwrite or _may_have_written(record), replaceable=ours)
            self._waiting.append(index)
        try:
            self._check_existing()
            while (self._waiting or self._running) and not stop.requests:
                self._start()
                self._follow(retry=True)
            if stop.requests:
                self._stop(stop)
        finally:
            self._executor.close()

    def _check_existing(self) -> None:
        """Raise UsageError if a clip would replace a file."""
        jobs = [self._jobs[index] for index in self._waiting]
        files = [file for job in jobs if not job.overwrite and (file := existing_output(job)) is not None]
        if files:
            raise exists_already(files)

    def _start(self) -> None:
        while self._waiting and len(self._running) < self._executor.count:
            index = self._waiting.popleft()
            self._tries[index] += 1
            self._sources[index] = size_and_time(self._jobs[index].source)
            self._record(index, "started")
            if self._tries[index] == 1:
                self._tell(Event(self._jobs[index].source, "started"))
            self._running[self._executor.submit(index, self._jobs[index])] = index

    def _stop(self, stop: StopRequest) -> None:
        self._executor.stop()
        deadline_s = time.monotonic() + STOP_TIMEOUT_S
        while self._running and stop.requests < 2 and time.monotonic() < deadline_s:
            self._follow(retry=False)
        for index in sorted(self._running.values()):
            self._finish(index, "interrupted")

    def _follow(self, *, retry: bool) -> None:
        """Wait for a moment; tell the progress, and how clips ended. retry: start those again whose worker died."""
        ended, _ = wait(self._running, WAIT_S, FIRST_COMPLETED)
        for index, frames, expected in self._executor.news():
            self._tell(Event(self._jobs[index].source, "progress", frames, expected))
        for future in ended:
            self._handle(self._running.pop(future), future.result(), retry=retry)

    def _handle(self, index: int, result: JobResult, *, retry: bool) -> None:
        tries = self._tries[index]
        if result.state != "died":
            self._finish(index, result.state, result.frames, result)
        elif retry and tries < MOST_TRIES:
            self._waiting.appendleft(index)
            self._record(index, "retried", result)
        else:
            text = (
                f"The process that converted {self._jobs[index].source} ended unexpectedly ({result.error or ''}) "
                f"in each of {tries} tries; free memory, or use fewer --jobs."
            )
            self._finish(index, "failed" if retry else "interrupted", result=replace(result, error=text))

    def _finish(self, index: int, state: State, frames: int = 0, result: JobResult | None = None) -> None:
        self.states[index] = state
        if state != "skipped":
            self._record(index, state, result)
        expected, error = (result.expected_frames, result.error) if result else (None, None)
        self._tell(Event(self._jobs[index].source, state, frames, expected, error))

    def _record(self, index: int, state: str, result: JobResult | None = None) -> None:
        job = self._jobs[index]
        size, time_ns = self._sources[index]
        known = {name: getattr(result, name) for name in JobResult.__slots__} if result else {}
        record = Record(
            **{**known, "state": state},
            file=job.source,
            settings_hash=job.settings_hash,
            tries=self._tries[index],
            source_bytes=size,
            source_time_ns=time_ns,
            target=parent_and_name(job.target)[1],
        )
        self._manifest.add(record)


def convert_batch(
    jobs: Sequence[Job],
    target: str,
    executor: Callable[[], Executor],
    *,
    resume: bool = False,
    tell: Callable[[Event], None] = lambda event: None,
    stop: StopRequest | None = None,
) -> Counter[str]:
    """Convert every clip into the folder `target`, with the manifest `manifest.jsonl` there.

    Return the number of clips by how they ended: `done`, `skipped` (done by an earlier run), `failed` or `interrupted`
    (not finished, or not begun, because a stop was requested).

    A clip that fails stops no other. The manifest of a remote folder is kept in the user's data folder and uploaded at
    the end. resume: skip the clips that the manifest shows as done and whose source, settings and film are unchanged.
    Raises UsageError if `target` is a file or in use, SinkOpenError or SinkLostError if it cannot be written to.
    """
    folder = state_folder(target)
    check_folder(str(folder) if is_remote(target) else target)  # as it was written: it may end in a slash
    try:
        with _locked(folder) as ignores_case:
            if ignores_case and not is_remote(target):
                _check_case(jobs)
            _refuse_link(folder / MANIFEST)
            known = last_records(folder / MANIFEST) if resume else None
            with closing(Manifest(folder / MANIFEST)) as manifest:
                batch = Batch(jobs, executor(), manifest, tell)
                batch.run(stop or StopRequest(), known)
            if is_remote(target):
                upload(folder / MANIFEST, joined(target, MANIFEST))
    except BrokenPipeError:  # of standard output, to which `tell` prints
        raise
    except OSError as error:
        raise SinkOpenError(f"{folder} cannot be written: {why_not_written(error)}.") from error
    return Counter(batch.states.get(index, "interrupted") for index in range(len(jobs)))


def _check_case(jobs: Sequence[Job]) -> None:
    """Raise UsageError if the names of two films differ only in case."""
    seen: dict[str, Job] = {}
    for job in jobs:
        name = parent_and_name(job.target)[1]
        first = seen.setdefault(name.lower(), job)
        if first is not job:
            raise same_name(first.source, job.source, name)


def _refuse_link(path: Path) -> None:
    """Raise SinkOpenError for a symbolic link: it may lead to any file of the user."""
    if path.is_symlink():
        raise SinkOpenError(
            f"{path} cannot be written: it is a symbolic link, which is not followed; remove it or choose another name."
        )


@contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Hold the lock of an output folder, without tries that killed workers left; yield whether its names ignore case.

    Raises OSError, SinkOpenError or UsageError.
    """
    tries = folder / TRIES
    _refuse_link(tries)  # what lies in its target is not of this program
    tries.mkdir(parents=True, exist_ok=True)
    lock = lock_file(tries / "lock", wait=False)
    if lock is None:
        raise UsageError(f"Another conversion writes to {folder}; wait for it or choose another folder.")
    with lock:
        for stale in tries.iterdir():
            if stale.is_dir():
                shutil.rmtree(stale, ignore_errors=True)
        try:
            yield (tries / "LOCK").exists()
        finally:
            shutil.rmtree(tries, ignore_errors=True)
