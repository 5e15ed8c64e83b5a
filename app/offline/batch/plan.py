"""Plans a batch: which clips, under which names, and which of them are done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from app import __version__
from app.compositing.library import VIDEO_SUFFIXES
from app.core.errors import UsageError
from app.core.messages.command_line import BatchText, ConvertText
from app.core.settings import Settings
from app.matting.selection.choice import choose
from app.media.video_writer import SUFFIXES
from app.offline.batch.job import Job, digest
from app.offline.batch.manifest import Record

VIDEOS = VIDEO_SUFFIXES | {".webm", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".wmv", ".flv", ".ogv", ".3gp"}


def clips_in(path: Path) -> list[Path]:
    """Return the videos in a folder, by name; a path that is not a folder, or one without videos, stands for itself."""
    if not path.is_dir():
        return [path]
    videos = sorted(file for file in path.iterdir() if file.suffix.lower() in VIDEOS and ".part" not in file.suffixes)
    return videos or [path]


def plan_jobs(
    sources: Sequence[Path], folder: Path, settings: Settings, *, alpha: Path | None, foreground: Path | None
) -> list[Job]:
    """Return a job for every clip; its outputs have its name, in the folders given.

    Raises UsageError if two clips would have one name or an output would replace a clip.
    """
    identity = settings_hash(settings)
    jobs: dict[str, Job] = {}
    clips = [clip for source in sources for clip in clips_in(source)]
    taken = {clip.resolve() for clip in clips}
    for clip in clips:
        suffix = "" if clip.is_dir() else clip.suffix.lower() if clip.suffix.lower() in SUFFIXES else ".mp4"
        name = (clip.name if clip.is_dir() else clip.stem) + suffix
        if name in jobs:
            raise UsageError(BatchText.SAME_NAME(first=jobs[name].source, second=str(clip), name=name))
        places = [place / name for place in (folder, alpha, foreground) if place is not None]
        if taken & {place.resolve() for place in places}:
            raise UsageError(ConvertText.SAME_FILE(file=folder / name, use=ConvertText.SOURCE()))
        if len({place.resolve() for place in places}) < len(places):
            raise UsageError(ConvertText.SAME_FILE(file=folder / name, use=ConvertText.OUTPUT()))
        jobs[name] = Job(
            str(clip),
            str(folder / name),
            settings,
            identity,
            None if alpha is None else str(alpha / name),
            None if foreground is None else str(foreground / name),
        )
    return list(jobs.values())


def settings_hash(settings: Settings) -> str:
    """Return a hash of everything but the clip that the bits of the outputs depend on.

    Raises WeightsMissingError or ModelError.
    """
    choice = choose(settings.matting)
    files = [choice.weights, settings.background.path, settings.matting.plate]
    fields = {
        "version": __version__,
        "model": [choice.model, choice.device, choice.executor, choice.precision],
        "files": [digest(file)[0] for file in files if file is not None and file.exists()],
        "matting": settings.matting.model_dump(mode="json", exclude={"weights", "plate"}),
        "background": settings.background.model_dump(mode="json", exclude={"path"}),
    }
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def fingerprint(source: str) -> tuple[int | None, int | None]:
    """Return size in bytes and time of the last change in nanoseconds; None where there is no such file."""
    try:
        stat = Path(source).stat()
    except OSError:
        return None, None
    return stat.st_size, stat.st_mtime_ns


def is_done(job: Job, record: Record | None) -> bool:
    """Return whether an earlier run finished the clip: the same source, settings and size of the film."""
    if record is None or record.state != "done" or record.settings_hash != job.settings_hash:
        return False
    if fingerprint(job.source) != (record.source_bytes, record.source_time_ns):
        return False
    try:
        return digest(Path(job.target)) == (record.sha256, record.target_bytes)
    except OSError:
        return False
