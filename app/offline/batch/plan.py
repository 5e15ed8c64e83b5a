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
from app.offline.batch.files import is_remote, joined, list_folder, parent_and_name, size_and_time
from app.offline.batch.job import Job, digest
from app.offline.batch.manifest import Record

VIDEOS = VIDEO_SUFFIXES | {".webm", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".wmv", ".flv", ".ogv", ".3gp"}

OF_A_SERVER = ("location", "server", "server_token_file", "server_ca_file")
"""Settings of live matting: films are always converted on the workers."""


def clips_in(source: str) -> list[str]:
    """Return the videos in a folder, by name; what is no folder, or has no videos, stands for itself.

    Raises SourceOpenError if a remote folder cannot be listed.
    """
    if is_remote(source):
        names = list_folder(source)
    else:
        path = Path(source)
        names = [str(file) for file in path.iterdir()] if path.is_dir() else []
    videos = [name for name in names if Path(name).suffix.lower() in VIDEOS and ".part" not in Path(name).suffixes]
    return sorted(videos) or [source]


def plan_jobs(
    sources: Sequence[str], folder: str, settings: Settings, *, alpha: str | None, foreground: str | None
) -> list[Job]:
    """Return a job for every clip; its outputs have its name, in the folders given.

    Raises UsageError if two clips would have one name or an output would replace a clip.
    """
    identity = settings_hash(settings)
    jobs: dict[str, Job] = {}
    clips = [clip for source in sources for clip in clips_in(source)]
    taken = {_place(clip) for clip in clips}
    for clip in clips:
        name = _film_name(clip)
        if name in jobs:
            raise UsageError(BatchText.SAME_NAME(first=jobs[name].source, second=clip, name=name))
        outputs = [None if place is None else joined(place, name) for place in (folder, alpha, foreground)]
        places = [_place(output) for output in outputs if output is not None]
        if taken & set(places):
            raise UsageError(ConvertText.SAME_FILE(file=joined(folder, name), use=ConvertText.SOURCE()))
        if len(set(places)) < len(places):
            raise UsageError(ConvertText.SAME_FILE(file=joined(folder, name), use=ConvertText.OUTPUT()))
        jobs[name] = Job(clip, joined(folder, name), settings, identity, outputs[1], outputs[2])
    return list(jobs.values())


def _film_name(clip: str) -> str:
    name = parent_and_name(clip)[1]
    if not is_remote(clip) and Path(clip).is_dir():
        return name
    suffix = Path(name).suffix.lower()
    return Path(name).stem + (suffix if suffix in SUFFIXES else ".mp4")


def _place(name: str) -> str:
    return name if is_remote(name) else str(Path(name).resolve())


def settings_hash(settings: Settings) -> str:
    """Return a hash of everything but the clip that the bits of the outputs depend on.

    Raises WeightsMissingError or ModelError.
    """
    choice = choose(settings.matting)
    files = [choice.weights, settings.background.path, settings.matting.plate, settings.overlay.file]
    fields = {
        "version": __version__,
        "model": [choice.model, choice.device, choice.executor, choice.precision],
        "files": [digest(file)[0] for file in files if file is not None and file.exists()],
        "matting": settings.matting.model_dump(mode="json", exclude={"weights", "plate", *OF_A_SERVER}),
        "background": settings.background.model_dump(mode="json", exclude={"path"}),
        "overlay": settings.overlay.model_dump(mode="json", exclude={"file"}),
        **settings.model_dump(mode="json", include={"framing", "placement", "people", "selected"}),
    }
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def is_done(job: Job, record: Record | None) -> bool:
    """Return whether an earlier run finished the clip: the same source, settings and size of the film."""
    if record is None or record.state != "done" or record.settings_hash != job.settings_hash:
        return False
    if size_and_time(job.source) != (record.source_bytes, record.source_time_ns):
        return False
    if is_remote(job.target):
        return size_and_time(job.target)[0] == record.target_bytes
    try:
        return digest(Path(job.target)) == (record.sha256, record.target_bytes)
    except OSError:
        return False
