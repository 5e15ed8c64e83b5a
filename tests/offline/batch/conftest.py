"""Clips, batches and executors for the tests."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from app.core.settings import BackgroundSettings, MattingSettings
from app.core.types import Matte
from app.matting.interface import StepRequest
from app.offline.batch import convert_batch
from app.offline.job import Executor, Job, JobResult, News, run_job
from app.offline.plan import MANIFEST, Record, last_records, plan_jobs
from app.settings import Settings
from tests.clips import write_clip
from tests.offline.converting import HalfEngine, build_half
from tests.stand_ins import always

SETTINGS = Settings(
    matting=MattingSettings(model="mattecam"),
    background=BackgroundSettings(kind="colour", colour="#00b140"),
)


def jobs_of(
    sources: Sequence[Path | str],
    target: Path | str,
    settings: Settings = SETTINGS,
    *,
    alpha: Path | None = None,
    overwrite: bool = True,
) -> list[Job]:
    mattes = None if alpha is None else str(alpha)
    clips = [str(source) for source in sources]
    return plan_jobs(
        clips, str(target), settings, alpha=mattes, foreground=None, overwrite=overwrite
    )


def run_batch(
    jobs: Sequence[Job], target: Path | str, executor: Executor, **options: Any
) -> Counter[str]:
    """Convert with this executor. options: those of `convert_batch`."""
    return convert_batch(jobs, str(target), always(executor), **options)


def converted(
    sources: Sequence[Path | str],
    target: Path | str,
    deadly: dict[str, int] | None = None,
    *,
    resume: bool = True,
    **options: Any,
) -> tuple[list[str], Counter[str]]:
    """Convert in this process; return the names of the clips that ran, and how all ended.

    deadly: of the executor. options: of `jobs_of`.
    """
    executor = DirectExecutor(deadly)
    return executor.run, run_batch(
        jobs_of(sources, target, **options), target, executor, resume=resume
    )


def records_in(folder: Path) -> dict[str, Record]:
    """Return the last record of each clip by its name."""
    return {Path(record.file).name: record for record in last_records(folder / MANIFEST).values()}


def sequential_hashes(jobs: Sequence[Job]) -> dict[str, str | None]:
    """SHA-256 by name of the source, computed in this process one after the other."""
    return {Path(job.source).name: run_job(job, always(False)).sha256 for job in jobs}


class DirectExecutor:
    """Runs jobs in this process; the worker of a clip in `deadly` dies so many times."""

    count = 1

    def __init__(self, deadly: dict[str, int] | None = None) -> None:
        self.run: list[str] = []
        self._deadly = deadly or {}

    def submit(self, job: Job) -> Future[JobResult]:
        name = Path(job.source).name
        self.run.append(name)
        result: Future[JobResult] = Future()
        if self._deadly.get(name, 0) > 0:
            self._deadly[name] -= 1
            result.set_result(JobResult("died", error="signal 9"))
        else:
            result.set_result(run_job(job, always(False)))
        return result

    def news(self, *, stopping: bool) -> Sequence[News]:
        return ()

    def close(self) -> None: ...


class SlowEngine(HalfEngine):
    """Takes as long as a network, so that its clip can be interrupted."""

    def matte(self, step: StepRequest) -> Matte:
        time.sleep(0.02)
        return super().matte(step)


def use_slow_engine() -> None:
    """Convert without a network in this process, from now on."""
    patch("app.offline.convert.build_engine", lambda *_: SlowEngine()).start()


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    return [write_clip(tmp_path / f"{name}.mp4", 4) for name in "abc"]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture(autouse=True)
def _trivial_engine(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, resource_tracker: None
) -> None:
    """Conversions in this process need no network, but where they are compared with those of
    other processes.
    """
    if not request.node.get_closest_marker("slow"):
        monkeypatch.setattr("app.offline.convert.build_engine", build_half)
