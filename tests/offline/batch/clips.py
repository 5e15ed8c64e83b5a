"""Clips and batches for the tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from multiprocessing.resource_tracker import ensure_running
from pathlib import Path
from typing import Any

import pytest

from app.core.settings import BackgroundSettings, MattingSettings, Settings
from app.offline.batch.job import Job, Workers, run_job
from app.offline.batch.manifest import MANIFEST, Record, last_records
from app.offline.batch.plan import plan_jobs
from app.offline.batch.run import convert_batch
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
    sources: Sequence[Path | str],
    target: Path | str,
    settings: Settings = SETTINGS,
    *,
    overwrite: bool = True,
    alpha: Path | None = None,
    foreground: Path | None = None,
) -> list[Job]:
    names = [None if path is None else str(path) for path in (alpha, foreground)]
    clips = [str(source) for source in sources]
    return plan_jobs(clips, str(target), settings, alpha=names[0], foreground=names[1], overwrite=overwrite)


def run_batch(jobs: Sequence[Job], target: Path | str, workers: Workers, **options: Any) -> Counter[str]:
    """Convert with these workers. options: those of `convert_batch`."""
    return convert_batch(jobs, str(target), lambda: workers, **options)


def records_in(folder: Path) -> dict[str, Record]:
    """Return the last record of each clip by its name."""
    return {Path(file).name: record for file, record in last_records(folder / MANIFEST).items()}


def sequential_hashes(jobs: Sequence[Job]) -> dict[str, str | None]:
    """SHA-256 by name of the source, computed in this process one after the other."""
    return {Path(job.source).name: run_job(job, lambda done, total: False).sha256 for job in jobs}
