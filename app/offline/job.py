"""One clip of a batch: where it is, what to convert, and the function that every kind of worker
runs.

An address such as `s3://bucket/clip.mp4` names a file system that fsspec knows: a clip there is
fetched to a temporary place on this machine, and a film uploaded whole. Everything else is a path.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from app.core import paths
from app.core.errors import (
    MattecamError,
    SinkLostError,
    SinkOpenError,
    SourceOpenError,
    UsageError,
    text_of,
)
from app.core.files import SHORT_NAME_BYTES, cut, is_file, why_not_written, write_error
from app.core.unfinished import TRIES, move_finished

# A worker imports this module before it is pinned to its core, when no thread may start.
if TYPE_CHECKING:
    from app.offline.convert import KeptEngine
    from app.settings import Settings

CHUNK = 1 << 20
TELL_EVERY_S = 0.2
# Tells the frames done and the expected ones, None if unknown; returns whether the clip is to stop.
Exchange = Callable[[int, int | None], bool]


@dataclass(frozen=True, slots=True)
class Job:
    """A clip and its outputs."""

    source: str  # a path, or an address of a file system that fsspec knows
    # Final names by their use: `target`, and `alpha` and `foreground` if wanted.
    outputs: Mapping[str, str]
    settings: Settings
    # Identifies everything but the source that the bits of the outputs depend on.
    settings_hash: str
    # The others as of `convert`.
    transparent: bool | None = False
    overwrite: bool = False
    fps: Fraction | None = None

    @property
    def target(self) -> str:
        """Final name of the composite."""
        return self.outputs["target"]

    @property
    def is_folder(self) -> bool:
        """Whether source and outputs are folders of images."""
        return not is_remote(self.source) and Path(self.source).is_dir()


@dataclass(frozen=True, slots=True)
class Written:
    """A finished output."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class JobResult:
    """How a try ended."""

    # `died`: the worker ended without a result, so that the job may be tried again.
    state: Literal["done", "failed", "interrupted", "died"]
    frames: int = 0
    expected_frames: int | None = None
    # Of the composite; of a folder, of the names and contents of its images.
    sha256: str | None = None
    target_bytes: int | None = None
    # Sentences for the user: why it failed, or what was left out of a finished film.
    error: str | None = None
    # Those besides the composite: `alpha` and `foreground` if wanted.
    outputs: dict[str, Written] = field(default_factory=dict)
    unusable: bool = False  # as of `MattecamError`


class _Progress:
    """How far a try is, told at most every TELL_EVERY_S, and whether it is to stop."""

    def __init__(self, exchange: Exchange) -> None:
        self.frames = 0
        self.expected_frames: int | None = None
        self.should_stop = False
        self._exchange = exchange
        self._told_s = 0.0

    def tell(self, frames: int, expected: int | None) -> None:
        self.frames = frames
        self.expected_frames = expected
        if time.monotonic() - self._told_s >= TELL_EVERY_S:
            self._told_s = time.monotonic()
            if self._exchange(frames, expected):
                self.should_stop = True

    def failed(self, error: str, *, unusable: bool) -> JobResult:
        """Return the result of a try that ends here with an error."""
        return JobResult(
            "failed",
            self.frames,
            self.expected_frames,
            error=error,
            unusable=unusable,
        )


def run_job(job: Job, exchange: Exchange, kept_engine: KeptEngine | None = None) -> JobResult:
    """Convert the clip in a folder of its own, then move the outputs to their final names.

    kept_engine: as of `convert`. A failure is part of the result. A source that is cut off fails,
    but what could be read of it is kept.
    """
    progress = _Progress(exchange)
    try:
        with _try_folder(job.target) as name:
            folder = Path(name)
            fetched = folder / f"source{Path(job.source).suffix}"
            tries = {}
            for use, final in job.outputs.items():
                suffix = "" if job.is_folder else Path(final).suffix
                tries[use] = folder / f"{use}{suffix}"
            try:
                result = _convert(job, fetched, tries, progress, kept_engine)
            except MattecamError as failure:
                result = progress.failed(text_of(failure), unusable=failure.unusable)
            if not result.error:
                return result
            # The user knows no temporary names.
            error = result.error.replace(str(fetched), job.source)
            for use, path in tries.items():
                error = error.replace(str(path), job.outputs[use])
            return replace(result, error=error)
    except OSError as failure:
        text = f"{job.target} cannot be written: {why_not_written(failure)}."
        return progress.failed(text, unusable=write_error(failure).unusable)


def _try_folder(target: str) -> tempfile.TemporaryDirectory[str]:
    """Create the folder of one try: beside the target, or in the temporary place of this machine.

    Raises OSError.
    """
    if is_remote(target):
        return tempfile.TemporaryDirectory(prefix="mattecam-", ignore_cleanup_errors=True)
    home = Path(target).parent / TRIES
    home.mkdir(parents=True, exist_ok=True)
    prefix = f"{cut(Path(target).name, SHORT_NAME_BYTES)}-"
    return tempfile.TemporaryDirectory(prefix=prefix, dir=home, ignore_cleanup_errors=True)


def _convert(
    job: Job,
    fetched: Path,
    tries: Mapping[str, Path],
    progress: _Progress,
    kept_engine: KeptEngine | None,
) -> JobResult:
    """Convert into the files or folders of a try.

    fetched: where a clip of another file system is copied to.
    """
    from app.offline.convert import convert_clip

    for final in job.outputs.values():
        if is_remote(final) or not Path(final).exists():
            continue
        if Path(final).is_dir() != job.is_folder:
            kind = "file" if job.is_folder else "folder"
            raise SinkOpenError(
                f"{final} cannot be written: a {kind} has this name; choose another name.",
            )
    report = convert_clip(
        fetch(job.source, fetched),
        tries["target"],
        settings=job.settings,
        alpha=tries.get("alpha"),
        foreground=tries.get("foreground"),
        progress=progress.tell,
        should_stop=lambda: progress.should_stop,
        keep_failed=False,
        reproducible=True,
        fps=job.fps if job.is_folder else None,
        transparent=job.transparent,
        kept_engine=kept_engine,
    )
    if not report.complete:
        return JobResult("interrupted", report.frames, report.expected_frames)
    written = {use: digest(path) for use, path in tries.items()}
    for use, final in job.outputs.items():
        if is_remote(final):
            _upload_new(tries[use], final, overwrite=job.overwrite)
            continue
        try:
            publish(tries[use], Path(final), overwrite=job.overwrite)
        except OSError as error:
            text = f"{final} cannot be written: {why_not_written(error)}."
            raise write_error(error)(text) from error
    film = written.pop("target")
    return JobResult(
        "failed" if report.source_cut else "done",
        report.frames,
        report.expected_frames,
        film.sha256,
        film.bytes,
        " ".join(report.problems) or None,
        written,
    )


def digest(path: Path, names: Collection[str] | None = None) -> Written:
    """Return the SHA-256 and the size of a file, or of the names and contents of a folder's files.

    names: the only files of the folder that count; None for all. Raises OSError.
    """
    total = hashlib.sha256()
    size = 0
    is_folder = path.is_dir()
    files = sorted(filter(is_file, path.iterdir())) if is_folder else [path]
    if names is not None:
        files = [file for file in files if file.name in names]
    for file in files:
        if is_folder:
            # A name may be no UTF-8.
            total.update(f"{file.name}\n".encode(errors="surrogateescape"))
        with file.open("rb") as opened:
            while chunk := opened.read(CHUNK):
                total.update(chunk)
                size += len(chunk)
    return Written(total.hexdigest(), size)


def publish(finished: Path, final: Path, *, overwrite: bool) -> None:
    """Move a finished film or folder of images to its final name, as `move_finished`.

    Also from another file system.
    """
    near_final = final.parent
    if finished.is_dir() and final.is_dir():
        # The images are moved into the folder.
        near_final = final
    final.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{cut(final.name, SHORT_NAME_BYTES)}."
    with tempfile.TemporaryDirectory(prefix=prefix, dir=near_final) as near:
        # Between file systems a move is a copy, which does not happen at once.
        if finished.stat().st_dev != Path(near).stat().st_dev:
            finished = Path(shutil.move(finished, near))
        move_finished(finished, final, overwrite=overwrite)


# Progress of a running job: its source, frames done and expected, None if unknown.
News = tuple[str, int, int | None]


class Executor(Protocol):
    """Runs jobs side by side."""

    count: int  # how many

    def submit(self, job: Job) -> Future[JobResult]:
        """Start a job, which fewer than `count` others run beside. The result is no error."""

    def news(self, *, stopping: bool) -> Sequence[News]:
        """Return the progress since the last call.

        stopping: every job ends as interrupted, also one not yet begun.
        """

    def close(self) -> None:
        """End everything at once, also the jobs that still run. Idempotent."""


def is_remote(name: str) -> bool:
    """Return whether a name is the address of another file system."""
    return "://" in name


def joined(folder: str, name: str) -> str:
    """Return the path or address of a file in a folder."""
    if is_remote(folder):
        return f"{folder.rstrip('/')}/{name}"
    return str(Path(folder) / name)


def fetch(source: str, local: Path) -> Path:
    """Return a local path of a clip; one of another file system is copied to `local`.

    Raises SourceOpenError.
    """
    if not is_remote(source):
        return Path(source)
    with _explained(SourceOpenError, "fetched", source):
        system, path = _opened(source)
        system.get_file(path, str(local))
    return local


def upload(local: Path, target: str) -> None:
    """Upload a finished file whole: under a temporary name, which is then renamed.

    Raises SinkLostError.
    """
    with _explained(SinkLostError, "uploaded", target):
        system, path = _opened(target)
        folder, slash, _ = path.rpartition("/")
        # Not the final name and more, which may be as long as names can be.
        temporary = f"{folder}{slash}{uuid.uuid4().hex}.part"
        system.makedirs(folder, exist_ok=True)
        try:
            system.put_file(str(local), temporary)
            system.mv(temporary, path)
        except BaseException:
            if system.exists(temporary):
                system.rm_file(temporary)
            raise


def _upload_new(local: Path, target: str, *, overwrite: bool) -> None:
    """Upload a finished file, without overwrite only where no other one is.

    Raises SinkOpenError or SinkLostError.
    """
    if not overwrite:
        present_bytes, _ = size_and_time(target)
        if present_bytes and present_bytes != local.stat().st_size:
            raise SinkOpenError(
                f"{target} cannot be written: another file has this name; rename one of them.",
            )
        if present_bytes:
            # An earlier try has uploaded it, and was killed before it could tell.
            return
    upload(local, target)


def list_folder(address: str) -> list[str]:
    """Return the addresses of the files in a remote folder; an empty list if it is a file.

    Raises SourceOpenError.
    """
    with _explained(SourceOpenError, "fetched", address):
        system, path = _opened(address)
        if not system.isdir(path):
            return []
        entries = system.ls(path, detail=False)
        names = [str(entry).rstrip("/").rpartition("/")[2] for entry in entries]
        return [joined(address, name) for name in names]


def size_and_time(name: str) -> tuple[int | None, int | None]:
    """Return size in bytes and time of the last change in nanoseconds (0 where unknown); None if
    there is no file.

    Of a folder: the sum of the sizes of its images, and the last change of one.
    """
    # Not with this module: it imports NumPy, which starts threads; see above.
    from app.media.image_folder import pictures_in

    try:
        if not is_remote(name):
            path = Path(name)
            files = pictures_in(path) if path.is_dir() else [path]
            stats = [file.stat() for file in files]
            size = sum(stat.st_size for stat in stats)
            changed_ns = max((stat.st_mtime_ns for stat in stats), default=0)
            return size, changed_ns
        system, address = _opened(name)
        info = system.info(address)
        # File systems name it in different ways, as a time or in seconds.
        changed = info.get("mtime") or info.get("LastModified") or 0
        changed_s = changed.timestamp() if hasattr(changed, "timestamp") else changed
        return int(info["size"]), round(float(changed_s) * 1e9)
    except Exception:  # noqa: BLE001 - the job itself names the error
        return None, None


def check_address(address: str) -> None:
    """Raise UsageError if the file system of an address is unknown, or its package is not
    installed.
    """
    try:
        import fsspec
    except ImportError as error:
        remedy = paths.how_to_install("fsspec")
        raise UsageError(f"{address} needs the package fsspec; {remedy}.") from error
    try:
        fsspec.get_filesystem_class(address.partition("://")[0])
    except (ImportError, ValueError) as error:
        raise UsageError(
            f"{address} cannot be reached: {error}; check the part before ://, or install the "
            "package of its kind.",
        ) from error


@contextmanager
def _explained(kind: type[MattecamError], done: str, address: str) -> Iterator[None]:
    """Raise what a file system raises as an error of this kind; our own errors pass.

    done: such as "fetched".
    """
    try:
        yield
    except MattecamError:
        raise
    except Exception as error:
        reason = f"{address} cannot be {done}: {error}; check the address and the access rights."
        raise kind(reason) from error


def _opened(address: str) -> tuple[Any, str]:
    """Return the file system of an address and the path in it.

    Raises UsageError, and whatever the file system does.
    """
    check_address(address)
    import fsspec

    system, path = fsspec.core.url_to_fs(address)
    return system, str(path)
