"""Runs a batch of conversions into one folder, under a lock, until it is done or asked to stop.

Starts the jobs, retries those whose worker died, and writes what becomes of each clip into the
manifest, with which a later run resumes.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Literal

from app.core.errors import SinkOpenError, UsageError
from app.core.files import lock_file, why_not_written, write_error
from app.core.unfinished import TRIES
from app.offline.files import check_folder, exists_already
from app.offline.job import Executor, Job, JobResult, is_remote, joined, size_and_time, upload
from app.offline.plan import (
    MANIFEST,
    Manifest,
    Record,
    existing_output,
    is_as_recorded,
    is_done,
    last_records,
    record_of,
    state_folder,
)

# Of a clip whose worker dies; one that fails by itself, such as a broken file, is tried once.
MOST_TRIES = 3
# Windows removes no file that a process has open.
OPEN_FILES_STAY = sys.platform == "win32"
WAIT_S = 0.2
# How long interrupted clips may take to end.
STOP_TIMEOUT_S = 20.0

State = Literal["started", "progress", "done", "failed", "skipped", "interrupted"]


@dataclass(frozen=True, slots=True)
class Event:
    """A change of one clip; the field names are part of the contract of `convert --json`."""

    file: str
    state: State
    frames: int = 0
    expected_frames: int | None = None
    error: str | None = None
    # Whether it failed because the clip or an output cannot be used, as of `MattecamError`; False
    # where the conversion itself failed.
    unusable: bool = False


class StopRequest:
    """Counts requests of signal handlers: the first stops gently, the second at once."""

    def __init__(self, most: int | None = None) -> None:
        """most: requests that are only counted; a further one raises KeyboardInterrupt."""
        self.requests = 0
        self._most = most

    def __call__(self, *signal: object) -> None:
        """Request a stop."""
        if self.requests == self._most:
            raise KeyboardInterrupt
        self.requests += 1


class Batch:
    """One run over many clips, which are told apart by the names of their sources.

    Used on one thread; the jobs run on those of the executor.
    """

    def __init__(
        self,
        executor: Executor,
        manifest: Manifest,
        tell: Callable[[Event], None],
    ) -> None:
        """executor: closed by `run`. tell: receives every event on the calling thread."""
        self._executor = executor
        self._manifest = manifest
        self._tell = tell
        self._waiting = deque[Job]()
        self._running: dict[Future[JobResult], Job] = {}
        # The last record of each clip that this run has begun, by its source.
        self._records: dict[str, Record] = {}
        self.ended = Counter[str]()  # number of clips by their final state

    def run(self, jobs: Sequence[Job], stop: StopRequest, known: dict[str, Record] | None) -> None:
        """Convert every clip except those that `known` shows as done.

        known: the last records of the earlier run that this one resumes; None where it resumes
        none.

        Raises UsageError, before anything is converted, if a clip would replace a file that must
        stay. A resumed run raises it only if every clip would; otherwise these clips fail and the
        others are converted. Raises OSError if the manifest cannot be written.
        """
        try:
            clashes = self._sort(jobs, known)
            if clashes and (known is None or len(clashes) == len(jobs)):
                raise exists_already([clash.file for clash in clashes])
            for clash in clashes:
                result = JobResult("failed", error=clash.text, unusable=True)
                self._report(clash.job, "failed", result)
            while (self._waiting or self._running) and not stop.requests:
                while self._waiting and len(self._running) < self._executor.count:
                    self._start(self._waiting.popleft())
                self._follow(stopping=False)
            if stop.requests:
                self._stop(stop)
        finally:
            self._executor.close()

    def _sort(self, jobs: Sequence[Job], known: dict[str, Record] | None) -> list[_Clash]:
        """Skip the clips that are done and queue those to convert.

        Return those that would replace a file that must stay.
        """
        clashes: list[_Clash] = []
        for job in jobs:
            record = None
            if known is not None:
                record = record_of(job, known)
            if record is not None and is_done(job, record):
                self._report(job, "skipped", JobResult("done", record.frames))
                continue
            file = _file_in_the_way(job, record)
            if file is not None:
                was_done = record is not None and record.state == "done"
                clashes.append(_Clash(job, file, was_done=was_done))
            elif record is None:
                self._waiting.append(job)
            else:
                self._waiting.append(replace(job, overwrite=_may_replace(job, record)))
        return clashes

    def _start(self, job: Job) -> None:
        last = self._records.get(job.source)
        # Before the clip is read. If it is still being written, they differ in the next run, which
        # then converts it again.
        size, time_ns = size_and_time(job.source)
        self._write(
            Record(
                state="started",
                file=job.source,
                settings_hash=job.settings_hash,
                tries=1 if last is None else last.tries + 1,
                source_bytes=size,
                source_time_ns=time_ns,
                target=Path(job.target).name,
            )
        )
        if last is None:
            self._tell(Event(job.source, "started"))
        self._running[self._executor.submit(job)] = job

    def _stop(self, stop: StopRequest) -> None:
        """Let the running clips end as interrupted, for a time and until a second request."""
        deadline_s = time.monotonic() + STOP_TIMEOUT_S
        while self._running and stop.requests < 2 and time.monotonic() < deadline_s:
            self._follow(stopping=True)
        for job in self._running.values():
            self._finish(job, "interrupted", JobResult("interrupted"))

    def _follow(self, *, stopping: bool) -> None:
        """Wait for at most `WAIT_S`; tell the progress, and how clips ended.

        A clip whose worker died is queued again. stopping: have the executor end all clips as
        interrupted.
        """
        ended, _ = wait(self._running, WAIT_S, FIRST_COMPLETED)
        for source, frames, expected in self._executor.news(stopping=stopping):
            self._tell(Event(source, "progress", frames, expected))
        for future in ended:
            job = self._running.pop(future)
            result = future.result()
            tries = self._records[job.source].tries
            if result.state != "died":
                self._finish(job, result.state, result)
            elif tries < MOST_TRIES and not stopping:
                self._waiting.appendleft(job)
                self._record_try(job, "retried", result)
            else:
                text = (
                    f"The process that converted {job.source} ended unexpectedly "
                    f"({result.error or ''}) in each of {tries} tries; free memory, or use fewer "
                    "--jobs."
                )
                self._finish(
                    job, "interrupted" if stopping else "failed", replace(result, error=text)
                )

    def _finish(self, job: Job, state: State, result: JobResult) -> None:
        """Record, count and tell the final state of a clip that has begun."""
        self._record_try(job, state, result)
        self._report(job, state, result)

    def _report(self, job: Job, state: State, result: JobResult) -> None:
        """Count and tell the final state of a clip, which may never have begun."""
        self.ended[state] += 1
        self._tell(
            Event(
                job.source,
                state,
                result.frames,
                result.expected_frames,
                result.error,
                result.unusable,
            )
        )

    def _record_try(self, job: Job, state: str, result: JobResult) -> None:
        """Record how a try ended."""
        values = {each.name: getattr(result, each.name) for each in fields(JobResult)}
        values["state"] = state
        self._write(replace(self._records[job.source], **values))

    def _write(self, record: Record) -> None:
        self._records[record.file] = record
        self._manifest.add(record)


@dataclass(frozen=True, slots=True)
class _Clash:
    """A clip that would replace a file that must stay."""

    job: Job
    file: str
    # Whether the manifest says that the file was made of this clip.
    was_done: bool

    @property
    def text(self) -> str:
        """Return the error of the clip."""
        if self.was_done:
            return (
                f"{self.file} was made of another version of {self.job.source} or with other "
                "settings, or has changed since; add --overwrite to replace it."
            )
        return str(exists_already([self.file]))


def _may_replace(job: Job, record: Record) -> bool:
    """Return whether a clip may replace its outputs: on request, or because the batch made them.

    A clip that is cut off fails, but the film of what could be read of it is kept and recorded.
    While that film is as recorded, it is the batch's own; any other file of this name may be the
    user's.
    """
    if job.overwrite:
        return True
    return record.state == "failed" and is_as_recorded(job, record)


def _file_in_the_way(job: Job, record: Record | None) -> str | None:
    """Return a file that has the name of an output and must stay; None if there is none."""
    if record is not None:
        if record.state in ("started", "retried"):
            # The program was killed, perhaps after it had moved the film to its name and before it
            # could record that. The clip is converted again, and `move_finished` decides: a file of
            # the same content is its film, any other one stays.
            return None
        if _may_replace(job, record):
            return None
    return existing_output(job)


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

    Return the number of clips by how they ended: `done`, `skipped` (done by an earlier run),
    `failed` or `interrupted` (not finished, or not begun, because a stop was requested).

    A clip that fails stops no other. The manifest of a remote folder is kept in the user's data
    folder and uploaded at the end. resume: skip the clips that the manifest shows as done and whose
    source, settings and film are unchanged; a clip that would replace another file fails. Raises
    UsageError if `target` is a file or in use, SinkOpenError or SinkLostError if it cannot be
    written to.
    """
    folder = state_folder(target)
    # As the user wrote it: it may end in a slash.
    check_folder(str(folder) if is_remote(target) else target)
    try:
        with _locked(folder):
            known = last_records(folder / MANIFEST) if resume else None
            with closing(Manifest(folder / MANIFEST)) as manifest:
                batch = Batch(executor(), manifest, tell)
                batch.run(jobs, stop or StopRequest(), known)
            if is_remote(target):
                upload(folder / MANIFEST, joined(target, MANIFEST))
    except BrokenPipeError:
        # Standard output, to which `tell` prints, is closed: nothing is wrong with the folder.
        raise
    except OSError as error:
        text = f"{folder} cannot be written: {why_not_written(error)}."
        raise write_error(error)(text) from error
    never_begun = len(jobs) - batch.ended.total()
    return batch.ended + Counter(interrupted=never_begun)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock of an output folder, and remove the tries that killed workers left in it.

    Raises OSError, SinkOpenError or UsageError.
    """
    tries = folder / TRIES
    for path in (tries, folder / MANIFEST):
        if path.is_symlink():
            # It may lead to any file or folder of the user.
            raise SinkOpenError(
                f"{path} cannot be written: it is a symbolic link, which is not followed; remove "
                "it.",
            )
    tries.mkdir(parents=True, exist_ok=True)
    lock_path = tries / "lock"
    lock = lock_file(lock_path, wait=False)
    if lock is None:
        raise UsageError(
            f"Another conversion writes to {folder}; wait for it or choose another folder.",
        )
    with lock:
        for stale in tries.iterdir():
            if stale.is_dir():
                shutil.rmtree(stale, ignore_errors=True)
        try:
            yield
        finally:
            # The lock file is removed while it is locked, so that it is still ours: a conversion
            # that starts from now on makes another one.
            shutil.rmtree(tries, ignore_errors=True)
    if OPEN_FILES_STAY:
        # Another conversion may have the file open, or files in the folder.
        with suppress(OSError):
            lock_path.unlink()
            tries.rmdir()
