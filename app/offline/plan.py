"""Plans a batch: which clips, under which names, and which of them its manifest shows as done.

The manifest has one JSON line per change of a clip, on disk before the batch goes on.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO

from pydantic import TypeAdapter

from app import __version__
from app.core import paths
from app.core.errors import SourceOpenError, UsageError
from app.core.files import is_file, is_folder, is_of_kind, resolved, same_file
from app.core.unfinished import is_unfinished
from app.matting.choice.choice import choose
from app.media.image_file import is_picture, others_in, others_left_out, picture_names
from app.offline.files import (
    VIDEOS,
    VIDEOS_AND_IMAGES,
    check_folder,
    existing,
    film_name,
    not_read,
    rate_without_folder,
)
from app.offline.job import (
    Job,
    JobResult,
    Written,
    check_address,
    digest,
    is_remote,
    joined,
    list_folder,
    size_and_time,
)
from app.settings import Settings

MANIFEST = "manifest.jsonl"


def state_folder(target: str) -> Path:
    """Return the local folder that holds manifest and lock of a batch into `target`."""
    if not is_remote(target):
        return Path(target)
    return paths.data_dir() / "batches" / hashlib.sha256(target.encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(JobResult):
    """The state of one clip, and the result of its last try."""

    state: str  # type: ignore[assignment]
    """`started`, `done`, `failed`, `interrupted`, or `retried` after the worker of a try died."""
    file: str
    settings_hash: str
    tries: int
    source_bytes: int | None = None
    source_time_ns: int | None = None
    """Time of the last change of the source."""
    target: str
    """Name of the film."""


_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)  # absent on Windows


class Manifest:
    """Appends records; each is on disk when `add` returns."""

    def __init__(self, path: Path) -> None:
        """Raises OSError, also for a symbolic link."""
        self._file: IO[bytes] = os.fdopen(os.open(path, _FLAGS, 0o666), "ab+")
        self._file.seek(0, os.SEEK_END)
        if self._file.tell():
            self._file.seek(-1, os.SEEK_END)
            if self._file.read(1) != b"\n":  # a crash cut the last line
                self._file.write(b"\n")

    def add(self, record: Record) -> None:
        """Append a line. Raises OSError."""
        line = json.dumps({"file": record.file, **asdict(record)}, ensure_ascii=False)  # a reader looks for the clip
        self._file.write(line.encode(errors="backslashreplace") + b"\n")  # a name that is no UTF-8 becomes \udcXX
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._file.close()


_CHECKED = TypeAdapter(Record)


def last_records(path: Path) -> dict[str, Record]:
    """Return the last record of each film by its name; a line that a crash cut is left out. Raises OSError."""
    records: dict[str, Record] = {}
    if not is_file(path):
        return records
    for line in path.read_bytes().splitlines():
        with suppress(ValueError, RecursionError):  # pydantic's ValidationError is a ValueError
            record = _CHECKED.validate_python(json.loads(line))
            records[record.target] = record
    return records


def clips_in(source: str) -> list[str]:
    """Return the videos and images in a folder, by name; what is no folder, or has no videos, stands for itself.

    Temporary files of conversions and recordings are left out.

    Raises SourceOpenError if the folder cannot be listed.
    """
    names = _names_in(source)
    if not (clips := _clips_among(names)):
        return [source]
    images = [name for name in names if not Path(name).name.startswith(".") and is_picture(Path(name))]
    return sorted([*clips, *images])


def left_out(source: str, outputs: Sequence[str]) -> Iterator[str]:
    """Yield what is not converted of a folder of clips: other files, and folders of videos. Raises SourceOpenError.

    A folder in object storage is not looked at: it would be listed once for each of its folders.
    """
    names = [] if is_remote(source) else _names_in(source)
    clips = _clips_among(names)
    if clips:
        found = [file for file in others_in(Path(source)) if not is_unfinished(file) and str(file) not in clips]
        if others := [file.name for file in found if file.name != MANIFEST]:
            yield others_left_out(source, others)
    if any(is_of_kind(Path(name), VIDEOS_AND_IMAGES) for name in names):
        folders = [name for name in names if not any(same_file(Path(name), Path(output)) for output in outputs)]
        if count := sum(map(_holds_clips, folders)):
            yield (
                f"Folders of videos in {source} are not searched: {count}. To convert their videos, name these "
                "folders too."
            )


def _holds_clips(folder: str) -> bool:
    try:
        return bool(_clips_among(_names_in(folder)))
    except SourceOpenError:
        return False


def _clips_among(names: Sequence[str]) -> list[str]:
    videos = [name for name in names if is_of_kind(Path(name), VIDEOS) and not is_unfinished(Path(name))]
    return [name for name in videos if not is_picture(Path(name))]


def _names_in(source: str) -> list[str]:
    if is_remote(source):
        return list_folder(source)
    path = Path(source)
    try:
        return [str(file) for file in path.iterdir()] if path.is_dir() else []
    except OSError as error:
        raise not_read(source, error) from error


def plan_jobs(
    sources: Sequence[str],
    folder: str,
    settings: Settings,
    *,
    alpha: str | None,
    foreground: str | None,
    overwrite: bool = False,
    transparent: bool | None = False,
    fps: Fraction | None = None,
) -> list[Job]:
    """Return a job for every clip; its outputs have its name, in the folders given. transparent, fps: as of `convert`.

    In a folder that is also an output, the films that its manifest names are no clips.

    Raises UsageError if an output is no folder or needs a missing package, if two clips would have one name, if an
    output would replace a clip, hold one or lie in one, or if `fps` is given and no clip is a folder of images.
    """
    named = {"target": folder, "alpha": alpha, "foreground": foreground}
    folders = {use: given for use, given in named.items() if given is not None}
    for given in folders.values():
        if is_remote(given):
            check_address(given)
        else:
            check_folder(given)
    jobs: dict[str, Job] = {}
    films = last_records(state_folder(folder) / MANIFEST)
    made = {_place(joined(place, film.target)) for place in folders.values() for film in films.values()}
    clips = [clip for source in sources for clip in clips_in(source) if clip == source or _place(clip) not in made]
    if fps is not None and not any(is_folder(Path(clip)) for clip in clips if not is_remote(clip)):
        raise rate_without_folder(sources[0])
    identity = settings_hash(settings, transparent, fps)
    sources_at = {Path(_place(clip)): clip for clip in clips}
    sources_in = {parent: clip for place, clip in sources_at.items() for parent in place.parents}
    images = {
        str(file): f"{name}.png"
        for source in sources
        if not is_remote(source) and is_folder(Path(source))
        for file, name in picture_names(Path(source)).items()
    }
    for clip in clips:
        name = Path(clip).name
        if is_remote(clip) or not Path(clip).is_dir():
            name = images.get(clip) or film_name(clip, transparent)
        if (first := jobs.get(name.casefold())) is not None:  # on some systems one would replace the other
            raise UsageError(
                f"{first.source} and {clip} would both become {name}, with small or capital letters; convert them into "
                "separate folders."
            )
        outputs = {use: joined(place, name) for use, place in folders.items()}
        places = [Path(_place(output)) for output in outputs.values()]
        for place in places:
            around = (sources_at[parent] for parent in (place, *place.parents) if parent in sources_at)
            if (source := next(around, sources_in.get(place))) is not None:
                raise UsageError(
                    f"{place} cannot be written: it is the source {source}, holds it or lies in it; choose another "
                    "folder as OUT."
                )
        if len(set(places)) < len(places):
            raise UsageError(f"{outputs['target']} cannot be written: it is also another output; choose another name.")
        jobs[name.casefold()] = Job(clip, outputs, settings, identity, transparent, overwrite, fps)
    return list(jobs.values())


def _place(name: str) -> str:
    return name if is_remote(name) else str(resolved(Path(name)))


def settings_hash(settings: Settings, transparent: bool | None = False, fps: Fraction | None = None) -> str:
    """Return a hash of everything but the clip that the bits of the outputs depend on.

    Raises WeightsMissingError or ModelError.
    """
    choice = choose(settings.matting)
    files = [choice.weights, settings.background.path, settings.matting.plate]
    fields = {
        "version": __version__,
        "transparent": transparent,
        "fps": str(fps),
        "model": [choice.model, choice.target.device, choice.target.executor, choice.target.precision],
        "files": [digest(file).sha256 for file in files if file is not None and (is_file(file) or is_folder(file))],
        "matting": settings.matting.model_dump(mode="json", exclude={"weights", "plate"}),
        "background": settings.background.model_dump(mode="json", exclude={"path"}),
        "turned": [settings.capture.rotate, settings.capture.flip],
        **settings.model_dump(mode="json", include={"framing", "people", "light"}),
    }
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def existing_output(job: Job) -> str | None:
    """Return a file that the job would replace though that was not asked for, None without one."""
    for path in () if job.overwrite else job.outputs.values():
        if is_remote(path):
            if size_and_time(path)[0]:
                return path
        elif (there := existing(Path(job.source), Path(path))) is not None:
            return str(there)
    return None


def record_of(job: Job, known: dict[str, Record]) -> Record | None:
    """Return the last record of a clip, None without one. known: the last records of an earlier run by film.

    The path may have been written in another way then: the same film was made of a clip of this size and time.
    """
    record = known.get(Path(job.target).name)
    if record is None or record.file == job.source:
        return record
    return record if size_and_time(job.source) == (record.source_bytes, record.source_time_ns) else None


def is_done(job: Job, record: Record) -> bool:
    """Return whether all outputs are what an earlier run made of the same source and settings."""
    if record.state != "done" or record.settings_hash != job.settings_hash:
        return False
    if size_and_time(job.source) != (record.source_bytes, record.source_time_ns):
        return False
    return is_as_recorded(job, record)


def is_as_recorded(job: Job, record: Record) -> bool:
    """Return whether all outputs are there, as an earlier run made them. Of those elsewhere only sizes are compared."""
    if record.sha256 is None:
        return False
    recorded = {**record.outputs, "target": Written(record.sha256, record.target_bytes or 0)}
    try:
        images = {f"{name}.png" for name in picture_names(Path(job.source)).values()} if job.is_folder else None
        return all(use in recorded and _is_written(path, recorded[use], images) for use, path in job.outputs.items())
    except OSError:
        return False


def _is_written(path: str, recorded: Written, images: Collection[str] | None) -> bool:
    """Return whether an output is as recorded. images: the files of a folder that count. Raises OSError."""
    if is_remote(path):
        return size_and_time(path)[0] == recorded.bytes
    return digest(Path(path), images) == recorded
