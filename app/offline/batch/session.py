"""A batch in an output folder: lock, stale tries, manifest."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.core.errors import SinkOpenError, UsageError
from app.core.files.disk_errors import why_not_written
from app.core.files.lock import lock_file
from app.core.messages.command_line import BatchText, ConvertText
from app.core.messages.media import WriteReason
from app.offline.batch.files import is_remote, joined, parent_and_name, upload
from app.offline.batch.job import TRIES, Job, Workers
from app.offline.batch.manifest import MANIFEST, Manifest, last_records, state_folder
from app.offline.batch.run import Batch, Event, StopRequest
from app.offline.targets import check_folder


@dataclass(frozen=True, slots=True)
class BatchReport:
    """How a batch ended: numbers of clips."""

    done: int
    skipped: int
    """Done by an earlier run."""
    failed: int
    interrupted: int
    """Not finished, or not begun, because a stop was requested."""


def convert_batch(
    jobs: Sequence[Job],
    target: str,
    workers: Callable[[], Workers],
    *,
    resume: bool = False,
    tell: Callable[[Event], None] = lambda event: None,
    stop: StopRequest | None = None,
) -> BatchReport:
    """Convert every clip into the folder `target`, with the manifest `manifest.jsonl` there.

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
                batch = Batch(jobs, workers(), manifest, tell)
                batch.run(stop or StopRequest(), known)
            if is_remote(target):
                upload(folder / MANIFEST, joined(target, MANIFEST))
    except BrokenPipeError:  # of standard output, to which `tell` prints
        raise
    except OSError as error:
        raise SinkOpenError(ConvertText.NOT_WRITTEN(file=folder, reason=why_not_written(error))) from error
    count = Counter(batch.states.values())
    done, skipped, failed = count["done"], count["skipped"], count["failed"]
    return BatchReport(done, skipped, failed, len(jobs) - done - skipped - failed)


def _check_case(jobs: Sequence[Job]) -> None:
    """Raise UsageError if the names of two films differ only in case."""
    seen: dict[str, Job] = {}
    for job in jobs:
        name = parent_and_name(job.target)[1]
        first = seen.setdefault(name.lower(), job)
        if first is not job:
            raise UsageError(BatchText.SAME_NAME(first=first.source, second=job.source, name=name))


def _refuse_link(path: Path) -> None:
    """Raise SinkOpenError for a symbolic link: it may lead to any file of the user."""
    if path.is_symlink():
        raise SinkOpenError(ConvertText.NOT_WRITTEN(file=path, reason=WriteReason.IS_LINK()))


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
        raise UsageError(BatchText.IN_USE(folder=folder))
    with lock:
        for stale in tries.iterdir():
            if stale.is_dir():
                shutil.rmtree(stale, ignore_errors=True)
        try:
            yield (tries / "LOCK").exists()
        finally:
            shutil.rmtree(tries, ignore_errors=True)
