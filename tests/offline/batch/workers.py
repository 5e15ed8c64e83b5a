"""Workers without processes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from app.offline.batch.job import Job, Report, run_job


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
            self._reports.append(Report(index, died="signal 9"))
        else:
            result = run_job(job, lambda done, total: False)
            self._reports.append(Report(index, result.frames, result.expected_frames, result))

    def wait(self, timeout_s: float) -> Sequence[Report]:
        reports, self._reports, self.free = self._reports, [], 1
        return reports

    def stop(self) -> None: ...

    def close(self) -> None: ...
