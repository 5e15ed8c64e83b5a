"""What a file of the user is: a still image or a video; and whether one frame alone is read."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from app.core.errors import BackgroundError
from app.core.messages.media import ImageText
from app.core.text import Text
from app.media.image_file import IMAGE_SUFFIXES, frames_of, named_file_errors

HEIF = (b"ftypheic", b"ftypheix", b"ftypmif1")
"""Signatures of photos of telephones, which no reader here can read."""
PLAYED = ("GIF", "PNG")
"""Formats of animations that the video reader plays."""


def kind_of_file(path: Path) -> Literal["image", "video"]:
    """Return the kind of background of a file: `image` for still images, otherwise `video`.

    The content decides. A file without a known signature, such as a damaged one, has the kind of its suffix.
    """
    found = frames_of(path)
    if found is not None:
        return "video" if found[0] > 1 and found[1] in PLAYED else "image"
    start = _start(path)
    is_container = start[4:8] == b"ftyp" or start[:4] == b"\x1aE\xdf\xa3" or start[8:] == b"AVI "  # MP4, Matroska
    still = start[4:] in HEIF or (path.suffix.lower() in IMAGE_SUFFIXES and not is_container)
    return "image" if still else "video"


def first_frame_alone(path: Path) -> Text | None:
    """Return the sentence that an image file has more frames, or pages, than the one that `read_image` reads."""
    count, image_format = frames_of(path) or (1, None)
    if count == 1 or image_format == "MPO":  # the further images of a photo are of the same scene
        return None
    return ImageText.FIRST_FRAME(file=path, count=count)


def _start(path: Path) -> bytes:
    """Return the first bytes of a file, which may be fewer than 12."""
    try:
        with named_file_errors(path), path.open("rb") as file:
            return file.read(12)
    except (OSError, ValueError, BackgroundError):
        return b""
