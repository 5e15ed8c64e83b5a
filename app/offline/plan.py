"""Plans a batch: which clips, under which names, and which of them its manifest shows as done.

The manifest has one JSON line per change of a clip, on disk before the batch goes on.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, Any, Final

from pydantic import TypeAdapter

from app import __version__
from app.core import paths
from app.core.errors import SourceOpenError, UsageError
from app.core.files import is_file, is_folder, is_of_kind, resolved, same_file
from app.core.unfinished import is_unfinished
from app.matting.choice.choice import choose
from app.media.image_file import is_picture
from app.media.image_folder import first_names, others_in, others_left_out, picture_names
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
# Settings that no film depends on, and files, whose content counts. All others do, so that a new
# setting is not forgotten here.
NOT_OF_FILMS: Final[Mapping[str, Any]] = {
    "capture": True,  # but for the turn
    "output": True,
    "window": True,
    "paused": True,
    "paused_by_lock": True,
    "frozen": True,
    "unconfirmed": True,
    "matting": {"weights", "plate"},
    "background": {"path"},
}


def state_folder(target: str) -> Path:
    """Return the local folder that holds manifest and lock of a batch into `target`."""
    if not is_remote(target):
        return Path(target)
    return paths.data_dir() / "batches" / hashlib.sha256(target.encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(JobResult):
    """The state of one clip, and the result of its last try."""

    # `started`, `done`, `failed`, `interrupted`, or `retried` after the worker of a try died.
    state: str  # type: ignore[assignment]
    file: str
    settings_hash: str
    tries: int
    source_bytes: int | None = None
    source_time_ns: int | None = None  # of the last change
    target: str  # name of the film, without its folder


# A symbolic link is refused where the system can do so; Windows has no such flag.
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)


class Manifest:
    """Appends records; each is on disk when `add` returns."""

    def __init__(self, path: Path) -> None:
        """Raises OSError, also for a symbolic link."""
        self._file: IO[bytes] = os.fdopen(os.open(path, _FLAGS, 0o666), "ab+")
        self._file.seek(0, os.SEEK_END)
        if self._file.tell():
            self._file.seek(-1, os.SEEK_END)
            if self._file.read(1) != b"\n":
                # A crash cut the last line.
                self._file.write(b"\n")

    def add(self, record: Record) -> None:
        """Append a line. Raises OSError."""
        # The clip first: a reader looks for it.
        line = json.dumps({"file": record.file, **asdict(record)}, ensure_ascii=False)
        # A name that is no UTF-8 becomes \udcXX.
        self._file.write(line.encode(errors="backslashreplace") + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._file.close()


_CHECKED = TypeAdapter(Record)


def last_records(path: Path) -> dict[str, Record]:
    """Return the last record of each film by its name; a line that a crash cut is left out.

    Raises OSError.
    """
    records: dict[str, Record] = {}
    if not is_file(path):
        return records
    for line in path.read_bytes().splitlines():
        with suppress(ValueError, RecursionError):  # pydantic's ValidationError is a ValueError
            record = _CHECKED.validate_python(json.loads(line))
            records[record.target] = record
    return records


def clips_in(source: str) -> list[str]:
    """Return the videos and images in a folder, by name; what is no folder, or has no videos,
    stands for itself.

    Unfinished films of conversions are left out.

    Raises SourceOpenError if the folder cannot be listed.
    """
    names = _names_in(source)
    clips = _clips_among(names)
    if not clips:
        return [source]
    visible = [name for name in names if not Path(name).name.startswith(".")]
    images = [name for name in visible if is_picture(Path(name))]
    return sorted([*clips, *images])


def left_out(source: str, outputs: Mapping[str, str]) -> Iterator[str]:
    """Yield what is not converted of a folder of clips: other files, films that an earlier
    conversion made or has not finished, and folders of videos.

    outputs: as of `outputs_by_use`. Raises SourceOpenError.
    A folder in object storage is not looked at: it would be listed once for each of its folders.
    """
    if is_remote(source):
        return
    names = _names_in(source)
    clips = _clips_among(names)
    others = []
    unfinished = []
    if clips:
        for file in others_in(Path(source)):
            if is_of_kind(file, VIDEOS) and is_unfinished(file):
                unfinished.append(file.name)
            elif file.name != MANIFEST and str(file) not in clips:
                others.append(file.name)
    if others:
        yield others_left_out(source, others)
    if unfinished:
        yield (
            f"Unfinished films of earlier conversions in {source} were left out: "
            f"{len(unfinished)} ({', '.join(first_names(unfinished))})."
        )
    made = _made_by_batches(outputs)
    results = [Path(clip).name for clip in clips if _place(clip) in made]
    if results:
        yield (
            f"Films in {source} that an earlier conversion made were left out: "
            f"{len(results)} ({', '.join(first_names(results))})."
        )
    if any(is_of_kind(Path(name), VIDEOS_AND_IMAGES) for name in names):
        count = 0
        for name in names:
            is_output = any(same_file(Path(name), Path(output)) for output in outputs.values())
            if not is_output and _holds_clips(name):
                count += 1
        if count:
            yield (
                f"Folders of videos in {source} are not searched: {count}. To convert their "
                "videos, name these folders too."
            )


def _holds_clips(folder: str) -> bool:
    try:
        return bool(_clips_among(_names_in(folder)))
    except SourceOpenError:
        return False


def _clips_among(names: Sequence[str]) -> list[str]:
    videos = [name for name in names if is_of_kind(Path(name), VIDEOS)]
    finished = [name for name in videos if not is_unfinished(Path(name))]
    # A GIF with a single frame is an image.
    return [name for name in finished if not is_picture(Path(name))]


def _names_in(source: str) -> list[str]:
    if is_remote(source):
        return list_folder(source)
    path = Path(source)
    try:
        if not path.is_dir():
            return []
        return [str(file) for file in path.iterdir()]
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
    """Return a job for every clip; its outputs have its name, in the folders given.

    transparent, fps: as of `convert`.
    In a folder that is also an output, the films that its manifest names are no clips.

    Raises UsageError if an output is no folder or needs a missing package, if two clips would have
    one name, if an output would replace a clip, hold one or lie in one, or if `fps` is given and no
    clip is a folder of images.
    """
    folders = outputs_by_use(folder, alpha=alpha, foreground=foreground)
    for given in folders.values():
        if is_remote(given):
            check_address(given)
        else:
            check_folder(given)
    clips = _clips_of(sources, folders)
    if not clips:
        raise UsageError(
            f"All films in {', '.join(sources)} were made by an earlier conversion; name the clips "
            "to convert.",
        )
    local_clips = [Path(clip) for clip in clips if not is_remote(clip)]
    if fps is not None and not any(map(is_folder, local_clips)):
        raise rate_without_folder(sources[0])
    identity = settings_hash(settings, transparent, fps)
    places_of_sources = _SourcePlaces(clips)
    image_names = _image_names(sources)
    jobs: dict[str, Job] = {}
    for clip in clips:
        if is_remote(clip) or not Path(clip).is_dir():
            name = image_names.get(clip) or film_name(clip, transparent)
        else:
            name = _name_of_folder(clip)
        # On some systems one would replace the other.
        first = jobs.get(name.casefold())
        if first is not None:
            raise UsageError(
                f"{first.source} and {clip} would both become {name}, with small or capital "
                "letters; convert them into separate folders."
            )
        outputs = {use: joined(place, name) for use, place in folders.items()}
        places = [Path(_place(output)) for output in outputs.values()]
        for place in places:
            places_of_sources.check(place)
        if len(set(places)) < len(places):
            raise UsageError(
                f"{outputs['target']} cannot be written: it is also another output; choose another "
                "name.",
            )
        jobs[name.casefold()] = Job(clip, outputs, settings, identity, transparent, overwrite, fps)
    return list(jobs.values())


def outputs_by_use(target: str, *, alpha: str | None, foreground: str | None) -> dict[str, str]:
    """Return the files or folders that a conversion writes, by what they are for."""
    given = {"target": target, "alpha": alpha, "foreground": foreground}
    return {use: name for use, name in given.items() if name is not None}


def _name_of_folder(clip: str) -> str:
    """Return the name that the result of a folder of images has. Raises UsageError."""
    name = Path(clip).name
    if name in ("", ".."):
        # Such as “.”: the result would lie beside OUT, or be OUT.
        name = resolved(Path(clip)).name
    if not name:
        raise UsageError(f"{clip} has no name that its result could have; name a folder in it.")
    return name


def _made_by_batches(folders: Mapping[str, str]) -> set[str]:
    """Return where the outputs of earlier batches lie, as the manifest tells.

    folders: as of `outputs_by_use`. A batch that wrote no mattes has made none of the films in the
    folder for mattes.
    """
    made = set()
    for film in last_records(state_folder(folders["target"]) / MANIFEST).values():
        for use, folder in folders.items():
            if use == "target" or use in film.outputs:
                made.add(_place(joined(folder, film.target)))
    return made


def _clips_of(sources: Sequence[str], folders: Mapping[str, str]) -> list[str]:
    """Return the clips of all sources, without the films that earlier batches made."""
    made = _made_by_batches(folders)
    clips: list[str] = []
    for source in sources:
        # What the user names is converted in any case.
        clips += [clip for clip in clips_in(source) if clip == source or _place(clip) not in made]
    return clips


def _image_names(sources: Sequence[str]) -> dict[str, str]:
    """Return the names of the outputs of the images in folders, which differ from each other."""
    names = {}
    for source in sources:
        if not is_remote(source) and is_folder(Path(source)):
            for file, name in picture_names(Path(source)).items():
                names[str(file)] = f"{name}.png"
    return names


class _SourcePlaces:
    """Where the clips of a batch are, which no output may replace."""

    def __init__(self, clips: Sequence[str]) -> None:
        self._clip_at = {Path(_place(clip)): clip for clip in clips}
        self._clip_in = {}
        for place, clip in self._clip_at.items():
            for parent in place.parents:
                self._clip_in[parent] = clip

    def check(self, output: Path) -> None:
        """Raise UsageError if an output is a clip, holds one or lies in one."""
        clip = self._clip_in.get(output)
        for place in (output, *output.parents):
            if place in self._clip_at:
                clip = self._clip_at[place]
                break
        if clip is not None:
            raise UsageError(
                f"{output} cannot be written: it is the source {clip}, holds it or lies in it; "
                "choose another folder as OUT."
            )


def _place(name: str) -> str:
    if is_remote(name):
        return name
    return str(resolved(Path(name)))


def settings_hash(
    settings: Settings,
    transparent: bool | None = False,
    fps: Fraction | None = None,
) -> str:
    """Return a hash of everything but the clip that the bits of the outputs depend on.

    Raises WeightsMissingError, ModelError, or SourceOpenError for a file that cannot be read.
    """
    choice = choose(settings.matting)
    files = [choice.weights, settings.background.path, settings.matting.plate]
    used_files = [file for file in files if file is not None and (is_file(file) or is_folder(file))]
    fields = {
        "version": __version__,
        "transparent": transparent,
        "fps": str(fps),
        "model": [
            choice.model,
            choice.target.device,
            choice.target.executor,
            choice.target.precision,
        ],
        "files": [_content_hash(file) for file in used_files],
        "turned": [settings.capture.rotate, settings.capture.flip],
        "settings": settings.model_dump(mode="json", exclude=NOT_OF_FILMS),
    }
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def _content_hash(file: Path) -> str:
    try:
        return digest(file).sha256
    except OSError as error:
        raise not_read(file, error) from error


def existing_output(job: Job) -> str | None:
    """Return a file that the job would replace though that was not asked for, None without one."""
    if job.overwrite:
        return None
    for path in job.outputs.values():
        if is_remote(path):
            size, _ = size_and_time(path)
            if size:
                return path
            continue
        replaced = existing(Path(job.source), Path(path))
        if replaced is not None:
            return str(replaced)
    return None


def record_of(job: Job, known: dict[str, Record]) -> Record | None:
    """Return the last record of a clip, None without one.

    known: the last records of an earlier run by film. The path may have been written in another way
    then: the same film was made of a clip of this size and time.
    """
    record = known.get(Path(job.target).name)
    if record is None or record.file == job.source:
        return record
    if size_and_time(job.source) != (record.source_bytes, record.source_time_ns):
        return None
    return record


def is_done(job: Job, record: Record) -> bool:
    """Return whether all outputs are what an earlier run made of the same source and settings."""
    if record.state != "done" or record.settings_hash != job.settings_hash:
        return False
    if size_and_time(job.source) != (record.source_bytes, record.source_time_ns):
        return False
    return is_as_recorded(job, record)


def is_as_recorded(job: Job, record: Record) -> bool:
    """Return whether all outputs are there, as an earlier run made them.

    Of those elsewhere only sizes are compared.
    """
    if record.sha256 is None:
        return False
    recorded = {**record.outputs, "target": Written(record.sha256, record.target_bytes or 0)}
    try:
        images = None
        if job.is_folder:
            images = {f"{name}.png" for name in picture_names(Path(job.source)).values()}
        for use, path in job.outputs.items():
            if use not in recorded or not _is_written(path, recorded[use], images):
                return False
    except OSError:
        return False
    return True


def _is_written(path: str, recorded: Written, images: Collection[str] | None) -> bool:
    """Return whether an output is as recorded.

    images: the files of a folder that count. Raises OSError.
    """
    if is_remote(path):
        size, _ = size_and_time(path)
        return size == recorded.bytes
    return digest(Path(path), images) == recorded
