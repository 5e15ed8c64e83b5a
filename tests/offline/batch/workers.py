"""Workers without processes, and processes without a network."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

from app.core.types import Matte
from app.offline.batch.job import Job, JobResult, Report, run_job
from app.testing.parts import StepInput
from tests.offline.converting import HalfEngine


class DirectWorkers:
    """Runs jobs in this process; the worker of a clip in `deadly` dies so many times."""

    free = 1

    def __init__(self, deadly: dict[str, int] | None = None) -> None:
        self.run: list[str] = []
        self._deadly = deadly or {}
        self._reports: list[Report] = []

    def start(self, index: int, job: Job) -> None:
        name = Path(job.source).name
        self.run.append(name)
        self.free = 0
        if self._deadly.get(name, 0) > 0:
            self._deadly[name] -= 1
            self._reports.append(Report(index, JobResult("died", error="signal 9")))
        else:
            self._reports.append(Report(index, run_job(job, lambda done, total: False)))

    def wait(self, timeout_s: float) -> Sequence[Report]:
        reports, self._reports, self.free = self._reports, [], 1
        return reports

    def stop(self) -> None: ...

    def close(self) -> None: ...


class SlowEngine(HalfEngine):
    """Takes as long as a network, so that its clip can be interrupted."""

    def matte(self, step: StepInput) -> Matte:
        time.sleep(0.02)
        return super().matte(step)


def use_slow_engine() -> None:
    """Convert without a network in this process, from now on."""
    patch("app.offline.convert.build_engine", lambda *_: SlowEngine()).start()
