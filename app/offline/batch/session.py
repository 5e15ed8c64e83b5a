"""A batch in an output folder: lock, stale tries, manifest."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.config.file_lock import lock_file
from app.core.errors import SinkOpenError, UsageError
from app.core.messages.command_line import BatchText, ConvertText
from app.media.disk_errors import why_not_written
from app.offline.batch.base import Workers
from app.offline.batch.job import TRIES, Job
from app.offline.batch.manifest import MANIFEST, Manifest, last_records
from app.offline.batch.run import Batch, Event, StopRequest


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
    folder: Path,
    workers: Callable[[], Workers],
    *,
    resume: bool = False,
    tell: Callable[[Event], None] = lambda event: None,
    stop: StopRequest | None = None,
) -> BatchReport:
    """Convert every clip into `folder`, with the manifest `manifest.jsonl` there; one that fails stops no other.

    resume: skip the clips that the manifest shows as done and whose source, settings and film are unchanged. Raises
    UsageError if `folder` is a file or in use, SinkOpenError if it cannot be written to.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(BatchText.NOT_A_FOLDER(file=folder))
    try:
        with _locked(folder):
            known = last_records(folder / MANIFEST) if resume else None
            with closing(Manifest(folder / MANIFEST)) as manifest:
                batch = Batch(jobs, workers(), manifest, tell)
                batch.run(stop or StopRequest(), known)
    except OSError as error:
        raise SinkOpenError(ConvertText.NOT_WRITTEN(file=folder, reason=why_not_written(error))) from error
    count = Counter(batch.states.values())
    done, skipped, failed = count["done"], count["skipped"], count["failed"]
    return BatchReport(done, skipped, failed, len(jobs) - done - skipped - failed)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock of an output folder, without tries that killed workers left. Raises OSError or UsageError."""
    tries = folder / TRIES
    tries.mkdir(parents=True, exist_ok=True)
    lock = lock_file(tries / "lock", wait=False)
    if lock is None:
        raise UsageError(BatchText.IN_USE(folder=folder))
    with lock:
        for stale in tries.iterdir():
            if stale.is_dir():
                shutil.rmtree(stale, ignore_errors=True)
        try:
            yield
        finally:
            shutil.rmtree(tries, ignore_errors=True)
