"""Clips and batches for the tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from multiprocessing.resource_tracker import ensure_running
from pathlib import Path

import pytest

from app.core.settings import BackgroundSettings, MattingSettings, Settings
from app.offline.batch.job import Job, run_job
from app.offline.batch.plan import plan_jobs
from app.offline.batch.pool import Pool
from app.offline.batch.run import BatchReport, Event, StopRequest, convert_batch
from tests.clips import write_clip


@pytest.fixture(scope="session", autouse=True)
def resource_tracker() -> None:
    """Start the process that multiprocessing keeps until the end of the program, so that no test seems to leave it."""
    ensure_running()


SETTINGS = Settings(
    matting=MattingSettings(model="mattecam"), background=BackgroundSettings(kind="colour", colour="#00b140")
)


def write_clips(folder: Path) -> Path:
    """Two good clips, one that is no video, and one that is cut off."""
    folder.mkdir()
    write_clip(folder / "a.mp4", 12, audio="aac")
    write_clip(folder / "b.mkv", 10)
    (folder / "poison.mp4").write_text("no video")
    whole = write_clip(folder / "cut.mkv", 40).read_bytes()
    (folder / "cut.mkv").write_bytes(whole[: len(whole) // 2])
    return folder


def jobs_of(
    sources: Sequence[Path], target: Path, settings: Settings = SETTINGS, *, overwrite: bool = True
) -> list[Job]:
    names = [str(source) for source in sources]
    return plan_jobs(names, str(target), settings, alpha=None, foreground=None, overwrite=overwrite)


def run_pool(
    jobs: Sequence[Job],
    target: Path,
    count: int,
    *,
    resume: bool = False,
    tell: Callable[[Event], None] = lambda event: None,
    stop: StopRequest | None = None,
) -> BatchReport:
    return convert_batch(jobs, str(target), lambda: Pool(count), resume=resume, tell=tell, stop=stop)


def sequential_hashes(jobs: Sequence[Job]) -> dict[str, str | None]:
    """SHA-256 by source, computed in this process one after the other."""
    return {job.source: run_job(job, lambda done, total: False).sha256 for job in jobs}
