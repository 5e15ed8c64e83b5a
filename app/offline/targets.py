"""What the names on the command line stand for, checked before anything is loaded."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

from app.backgrounds.kinds import VIDEO_SUFFIXES
from app.core.errors import SinkOpenError, SourceOpenError, UsageError
from app.core.files import exists, is_file, is_folder, is_taken, why_not_read, why_not_written
from app.media.image_file import (
    IMAGE_SUFFIXES,
    JPEG_FILMS,
    READ_SUFFIXES,
    first_names,
    is_picture,
    picture_names,
    unknown_format,
)
from app.media.video_times import broadcast_rate, simple_rate
from app.media.video_writer import ALPHA_SUFFIXES, FILM_SUFFIXES, SUFFIXES

VIDEOS = VIDEO_SUFFIXES | {
    *(".3g2", ".3gp", ".asf", ".dv", ".f4v", ".flv", ".m2ts", ".m2v", ".mod", ".mpeg", ".mpg", ".mts", ".mxf", ".ogv"),
    *(".qt", ".tod", ".ts", ".vob", ".webm", ".wmv", ".y4m", ".apng", *JPEG_FILMS),
    *(".264", ".265", ".avc", ".h264", ".h265", ".hevc", ".ivf", ".obu"),
}
VIDEOS_AND_IMAGES = (*VIDEOS, *READ_SUFFIXES)
FRAME = re.compile(r"\d{6,}\.png")
"""Name of a frame in a folder of frames of a video."""
CLEAR_IMAGES = (".png", ".webp", ".tif", ".tiff")
"""Images that are written with alpha."""
LOWEST_FPS, HIGHEST_FPS = Fraction(1, 100), 1000
"""Of a film of images."""
BROADCAST_FPS = Fraction(1, 200)
"""Difference up to which a decimal number stands for a rate such as 24000/1001."""
NAMED = 3
"""Existing files that a sentence names."""
SEPARATORS = tuple(filter(None, (os.sep, os.altsep)))


def check_names(names: Iterable[str]) -> None:
    """Raise UsageError for an empty name, which Python would take for the current folder, a dash or a NUL."""
    for name in names:
        if not name.strip():
            raise UsageError("A name is empty; name the file or the folder.")
        if name == "-":
            raise UsageError("“-” does not stand for standard input or output; name a file or a folder.")
        try:
            possible = b"\0" not in os.fsencode(name)
        except UnicodeEncodeError:
            possible = False
        if not possible:
            raise UsageError("A name holds a character that no file can have in its name; name the file or the folder.")


def frame_rate(value: str | float | Fraction) -> Fraction:
    """Return a frame rate as a fraction: 29.97 means 30000/1001. Raises UsageError for one that is not possible."""
    try:
        rate = Fraction(str(value).strip())
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not LOWEST_FPS <= rate <= HIGHEST_FPS:
        raise UsageError(
            f"“{value}” is no frame rate; write a number from {float(LOWEST_FPS)} to {HIGHEST_FPS}, such as 25, 29.97 "
            "or 24000/1001."
        )
    broadcast = broadcast_rate(rate)
    is_decimal = rate.denominator not in (1, 1001)
    return broadcast if is_decimal and abs(rate - broadcast) < BROADCAST_FPS else simple_rate(rate)


def names_image(output: Path) -> bool:
    """Return whether an output has the name of an image."""
    return output.suffix.lower() in IMAGE_SUFFIXES


def film_name(clip: str, transparent: bool | None = None) -> str:
    """Return the name of the film, or of the PNG image, that is made of a clip, without its folder.

    transparent: as of `is_transparent`.
    """
    path = Path(clip)
    if is_picture(path):
        return f"{path.stem}.png"
    usual, other = (ALPHA_SUFFIXES, ".mov") if transparent else (SUFFIXES, ".mp4")
    return path.stem + (path.suffix.lower() if path.suffix.lower() in usual else other)


def is_transparent(target: Path, wanted: bool | None) -> bool:
    """Return whether a composite is written with alpha.

    wanted: None where nobody has said so: then pictures are (PNG, WebP, TIFF, folders of frames), JPEG and films not.
    Raises UsageError for a file that cannot be.
    """
    suffix = "" if is_folder(target) else target.suffix.lower()
    pictures = not suffix or suffix in CLEAR_IMAGES
    if wanted and not pictures and suffix not in ALPHA_SUFFIXES:
        raise UsageError(
            f"{target} cannot be transparent; name a file of another kind "
            f"({', '.join([*CLEAR_IMAGES, *ALPHA_SUFFIXES])}) or a folder for PNG images."
        )
    return pictures if wanted is None else wanted


def single_output(source: Path, name: str, transparent: bool | None = None) -> Path:
    """Return the path of an output of a single conversion.

    A video or an image goes under its own name into a folder that exists or whose name ends in a slash; but a folder
    that holds frames gets frames of a video. transparent: as of `is_transparent`.

    Raises UsageError if the name is not that of a video or folder, of an image or folder for an image; SinkOpenError if
    the folder cannot be created.
    """
    path, wants_folder = Path(name), name.endswith(SEPARATORS)
    if is_folder(source):
        wants_film = False
    elif wants_folder and not exists(path):
        if exists(source):
            _create(path)
        wants_film = True
    else:
        wants_film = is_folder(path) and (is_picture(source) or not exists(path / "000000.png"))
    if wants_film:
        return path / film_name(str(source), transparent)
    if not is_folder(source) and is_picture(source):
        if not names_image(path):
            raise UsageError(
                f"{source} is an image, and {name} is no name of one; name an image such as out.png, or a folder."
            )
    elif names_image(path) and is_file(source) and source.suffix.lower() not in VIDEOS:
        raise UsageError(unknown_format(source))
    elif path.suffix and path.suffix.lower() not in FILM_SUFFIXES and not is_folder(path):
        raise UsageError(
            f"{name} is not the name of a video; name a video ({', '.join(FILM_SUFFIXES)}) or, for PNG images, a "
            "folder."
        )
    return path


def existing(source: Path, output: Path) -> Path | None:
    """Return a file that a conversion to `output` would replace, None without one; an empty file does not count."""
    if not is_folder(output):
        return output if is_taken(output) else None
    if is_folder(source):
        made = {f"{name}.png" for name in picture_names(source).values()}
        return next((file for file in sorted(output.iterdir()) if file.name in made), None)
    return next((file for file in sorted(output.iterdir()) if FRAME.fullmatch(file.name)), None)


def check_folder(name: str) -> None:
    """Raise UsageError if the name of a folder for the films of several clips is one of a video, an image or a file."""
    path = Path(name)
    if is_folder(path) or name.endswith(SEPARATORS):
        return
    if exists(path) or names_image(path) or path.suffix.lower() in VIDEOS:
        raise UsageError(
            f"{name} is not a folder; several clips, a folder of videos, --jobs, --resume and --cluster need a folder "
            "for the results."
        )


def _create(folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise SinkOpenError(f"{folder} cannot be written: {why_not_written(error)}.") from error


def exists_already(files: Sequence[Path | str]) -> UsageError:
    """Return the error for files that would be replaced."""
    return UsageError(
        f"{', '.join(first_names([str(file) for file in files], NAMED))} exists already; add --overwrite to replace "
        "it, or choose another name."
    )


def rate_without_folder(source: Path | str) -> UsageError:
    """Return the error for a frame rate that is chosen for a video or an image."""
    return UsageError(f"{source} is no folder of images, whose frame rate could be chosen; leave --fps out.")


def not_read(source: Path | str, error: OSError) -> SourceOpenError:
    """Return the error for a source that the system does not let us read."""
    return SourceOpenError(
        f"{source} cannot be read: {why_not_read(error)}; check its name and permissions, or choose another one."
    )
