"""What the names on the command line stand for, checked before anything is loaded."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from app.compositing.library import VIDEO_SUFFIXES
from app.core.errors import SinkOpenError, UsageError
from app.core.messages.command_line import BatchText, ConvertText
from app.media.disk_errors import why_not_written
from app.media.video_writer import SUFFIXES

VIDEOS = VIDEO_SUFFIXES | {".webm", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".wmv", ".flv", ".ogv", ".3gp"}
FIRST_FRAME = "000000.png"
"""The first file of a folder of frames."""
SEPARATORS = ("/", "\\") if Path("a\\b").name == "b" else ("/",)


def check_given(names: Iterable[str]) -> None:
    """Raise UsageError for an empty name, which Python would take for the current folder."""
    if not all(name.strip() for name in names):
        raise UsageError(ConvertText.EMPTY_NAME())


def film_name(clip: str) -> str:
    """Return the name of the film of a clip, without its folder."""
    path = Path(clip)
    return path.stem + (path.suffix.lower() if path.suffix.lower() in SUFFIXES else ".mp4")


def single_output(source: Path, name: str) -> Path:
    """Return the path of an output of a single conversion.

    A video goes under its own name into a folder that exists or whose name ends in a slash, but not into one that holds
    frames of an earlier conversion: those are replaced. Raises UsageError if the name is not that of a video or folder,
    SinkOpenError if the folder cannot be created.
    """
    path, wants_folder = Path(name), name.endswith(SEPARATORS)
    if source.is_dir():
        wants_film = False
    elif wants_folder and not path.exists():
        if source.exists():
            _create(path)
        wants_film = True
    else:
        wants_film = path.is_dir() and not (path / FIRST_FRAME).exists()
    if wants_film:
        return path / film_name(source.name)
    if path.suffix and path.suffix.lower() not in SUFFIXES and not path.is_dir():
        raise UsageError(ConvertText.SUFFIX(file=name, suffixes=SUFFIXES))
    return path


def check_folder(name: str) -> None:
    """Raise UsageError if the name of a folder for the films of several clips is that of a video or a file."""
    path = Path(name)
    if path.is_dir() or name.endswith(SEPARATORS):
        return
    if path.exists() or path.suffix.lower() in VIDEOS:
        raise UsageError(BatchText.NOT_A_FOLDER(file=name))


def _create(folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise SinkOpenError(ConvertText.NOT_WRITTEN(file=folder, reason=why_not_written(error))) from error
