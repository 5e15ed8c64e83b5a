"""One clip of a batch: what to convert, and the function that every kind of worker runs."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from app.offline.batch.files import fetch, is_remote, parent_and_name, upload

if TYPE_CHECKING:  # a worker imports this module before it is pinned to its core, when no thread may start
    from app.core.settings import Settings

TRIES = ".tries"
"""Folder in the output folder in which each try has a folder of its own."""
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Job:
    """A clip and its outputs."""

    source: str
    """A path, or an address of a file system that fsspec knows."""
    target: str
    settings: Settings
    settings_hash: str
    """Identifies everything but the source that the bits of the outputs depend on."""
    alpha: str | None = None
    foreground: str | None = None

    @property
    def outputs(self) -> dict[str, str]:
        """Final names of the outputs by their use: `target`, and `alpha` and `foreground` if wanted."""
        named = {"target": self.target, "alpha": self.alpha, "foreground": self.foreground}
        return {use: path for use, path in named.items() if path is not None}


@dataclass(frozen=True, slots=True)
class JobResult:
    """How a try ended."""

    state: Literal["done", "failed", "interrupted"]
    frames: int = 0
    expected_frames: int | None = None
    sha256: str | None = None
    """Of the composite; of a folder, of the names and contents of its images."""
    target_bytes: int | None = None
    error: str | None = None
    """A sentence for the user."""


def run_job(job: Job, tell: Callable[[int, int | None], None], should_stop: Callable[[], bool]) -> JobResult:
    """Convert the clip in a folder of its own, then move the outputs to their final names.

    tell(frames, expected frames or None) is called after every frame. A failure is part of the result. A source that is
    cut off fails, but what could be read of it is kept.
    """
    from app.core.errors import MattecamError, text_of
    from app.core.messages.command_line import ConvertText
    from app.media.disk_errors import why_not_written

    seen: list[tuple[int, int | None]] = [(0, None)]

    def remember(frames: int, expected: int | None) -> None:
        seen[0] = frames, expected
        tell(frames, expected)

    folder: Path | None = None
    try:
        folder = _try_folder(job.target)
        return _convert(job, folder, remember, should_stop)
    except MattecamError as error:
        return JobResult("failed", *seen[0], error=_with_final_names(str(text_of(error)), folder, job))
    except OSError as error:
        text = ConvertText.NOT_WRITTEN(file=job.target, reason=why_not_written(error))
        return JobResult("failed", *seen[0], error=str(text))
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _try_folder(target: str) -> Path:
    """Create the folder of one try: beside the target, or in the temporary place of this machine. Raises OSError."""
    folder, name = parent_and_name(target)
    if is_remote(target):
        return Path(tempfile.mkdtemp(prefix="mattecam-"))
    home = Path(folder) / TRIES
    home.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f"{name[:80]}-", dir=home))


def _with_final_names(text: str, folder: Path | None, job: Job) -> str:
    """Replace the temporary paths in a sentence by the names that the user gave."""
    if folder is None:
        return text
    for name, final in {"source": job.source, **job.outputs}.items():
        text = text.replace(f"{folder / name}{Path(parent_and_name(final)[1]).suffix}", final)
    return text


def _convert(
    job: Job, folder: Path, tell: Callable[[int, int | None], None], should_stop: Callable[[], bool]
) -> JobResult:
    from app.offline.convert import convert

    source = fetch(job.source, folder)
    tries = {use: folder / f"{use}{Path(final).suffix}" for use, final in job.outputs.items()}
    report = convert(
        source,
        tries["target"],
        settings=job.settings,
        alpha=tries.get("alpha"),
        foreground=tries.get("foreground"),
        progress=tell,
        should_stop=should_stop,
        keep_partial=False,
        reproducible=True,
    )
    if not report.complete:
        return JobResult("interrupted", report.frames, report.expected_frames)
    sha256, size = digest(tries["target"])
    for use, final in job.outputs.items():
        if is_remote(final):
            upload(tries[use], final)
        else:
            publish(tries[use], Path(final))
    if report.source_cut:
        error = _with_final_names(" ".join(report.problems), folder, job)
        return JobResult("failed", report.frames, report.expected_frames, sha256, size, error)
    return JobResult("done", report.frames, report.expected_frames, sha256, size)


def digest(path: Path) -> tuple[str, int]:
    """Return the SHA-256 and the size in bytes of a file, or of the names and contents of a folder. Raises OSError."""
    total, size = hashlib.sha256(), 0
    for file in sorted(path.iterdir()) if path.is_dir() else [path]:
        if path.is_dir():
            total.update(f"{file.name}\n".encode())
        with file.open("rb") as opened:
            while chunk := opened.read(CHUNK):
                total.update(chunk)
                size += len(chunk)
    return total.hexdigest(), size


def publish(finished: Path, final: Path) -> None:
    """Move a finished file or folder to its final name at once, replacing what is there. Raises OSError."""
    final.parent.mkdir(parents=True, exist_ok=True)
    if finished.stat().st_dev != final.parent.stat().st_dev:
        near = final.with_name(f".{final.name}.{os.getpid()}.part")
        shutil.move(finished, near)
        finished = near
    if final.is_dir():
        shutil.rmtree(final)
    finished.replace(final)
