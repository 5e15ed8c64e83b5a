"""Interface between a batch and the workers that run its jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.offline.batch.job import Job, JobResult


@dataclass(frozen=True, slots=True)
class Report:
    """News of a running job; a result or a death ends it."""

    job: int
    """Its index in the batch."""
    frames: int = 0
    expected_frames: int | None = None
    result: JobResult | None = None
    died: str = ""
    """Why the worker ended without a result; the job may be tried again."""


class Workers(Protocol):
    """Run jobs side by side."""

    @property
    def free(self) -> int:
        """How many jobs can be started now."""
        ...

    def start(self, index: int, job: Job) -> None:
        """Start a job; `index` names it in reports."""
        ...

    def wait(self, timeout_s: float) -> Sequence[Report]:
        """Return news, at the latest after the timeout."""
        ...

    def stop(self) -> None:
        """Ask every running job to end as interrupted."""
        ...

    def close(self) -> None:
        """End all workers at once, also those that still run. Idempotent."""
        ...
