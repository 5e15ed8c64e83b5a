"""Reading any picture file as an image, in bounded memory.

Pillow rather than OpenCV: it knows the size before it decodes, reads JPEG at a fraction of its size, turns by EXIF with
alpha kept, and reports a broken file instead of giving half a picture.
"""

from __future__ import annotations

import logging
import struct
import warnings
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from app.core.errors import BackgroundError
from app.core.messages.media import ImageText
from app.core.types import BgrImage

log = logging.getLogger(__name__)
logging.getLogger("PIL").setLevel(logging.CRITICAL)  # what is wrong with a file is told by the errors of this module

MAX_SIDE = 3840
"""Longer pictures are reduced to this: no output needs more."""
MAX_DECODED_BYTES = 1 << 30
"""Files that would need more memory while they are decoded are refused."""

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "DIB", "TIFF", "JPEG2000", "PPM", "QOI", "ICO")
"""Formats that are only pictures: others let Pillow start foreign programs, or are told by no mark in the file."""

# Pillow's guard against decompression bombs is a fixed number of pixels, also for JPEG, which is read reduced; our own
# bound counts bytes after the reduction.
Image.MAX_IMAGE_PIXELS = None

_BROKEN = (OSError, ValueError, SyntaxError, EOFError, struct.error, IndexError, KeyError, TypeError, ZeroDivisionError)
"""What Pillow's readers raise on broken files."""

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What undoes each orientation of EXIF."""


def read_image(path: Path, over: tuple[int, int, int] = (0, 0, 0), max_side: int = MAX_SIDE) -> BgrImage:
    """The picture in `path`, upright, opaque, its long side at most `max_side` pixels.

    Grey, palette, CMYK, 16-bit and half-transparent pictures become (H, W, 3) uint8 BGR; transparent parts show the
    colour `over` (blue, green, red); of an animation the first picture is taken. Raises BackgroundError where the file
    is missing, not a picture, broken or too large.
    """
    try:
        with warnings.catch_warnings():
            # Pillow warns of odd metadata; the pixels are what counts
            warnings.simplefilter("ignore")
            with Image.open(path, formats=FORMATS) as image:
                return _read(image, path, over, max_side)
    except FileNotFoundError:
        raise BackgroundError(ImageText.ABSENT(file=path)) from None
    except UnidentifiedImageError:
        raise BackgroundError(ImageText.UNKNOWN_FORMAT(file=path)) from None
    except PermissionError:
        raise BackgroundError(ImageText.NOT_PERMITTED(file=path)) from None
    except IsADirectoryError:
        raise BackgroundError(ImageText.FOLDER(file=path)) from None
    except MemoryError:
        raise _too_large(path) from None
    except _BROKEN as error:
        log.info("%s cannot be decoded: %s", path, error)
        raise BackgroundError(ImageText.DAMAGED(file=path)) from None


def is_picture(path: Path) -> bool:
    """Whether `path` is one picture, not a video and not a moving picture that the video reader can play."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=FORMATS) as image:
                return getattr(image, "n_frames", 1) == 1 or image.format not in ("GIF", "PNG")
    except (*_BROKEN, MemoryError):
        return False


def _read(image: Image.Image, path: Path, over: tuple[int, int, int], max_side: int) -> BgrImage:
    image.draft("RGB", (max_side, max_side))  # JPEG only: decodes at 1/2, 1/4 or 1/8
    if image.width * image.height * _bytes_per_pixel(image.mode) > MAX_DECODED_BYTES:
        raise _too_large(path)
    turn = _UPRIGHT.get(_orientation(image))
    # entries of a palette cannot be averaged
    palette = image.mode in ("P", "PA")
    image.thumbnail((max_side, max_side), Image.Resampling.NEAREST if palette else Image.Resampling.HAMMING)
    small = _to_8_bit(image)
    if turn is not None:
        small = small.transpose(turn)
    if small.has_transparency_data:
        canvas = Image.new("RGBA", small.size, (*over[::-1], 255))
        small = Image.alpha_composite(canvas, small.convert("RGBA"))
    rgb = np.asarray(small.convert("RGB"))
    return np.ascontiguousarray(rgb[:, :, ::-1])


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except _BROKEN:
        return 1  # broken metadata does not make a picture useless


def _to_8_bit(image: Image.Image) -> Image.Image:
    if image.mode in ("I", "I;16", "I;16L", "I;16B", "I;16N"):
        return Image.fromarray((np.asarray(image).astype(np.int64).clip(0, 65535) >> 8).astype(np.uint8))
    if image.mode == "F":
        values = np.nan_to_num(np.asarray(image), nan=0.0, posinf=255.0, neginf=0.0)
        top = 1.0 if values.max() <= 1.0 else 255.0
        return Image.fromarray((values.clip(0, top) * (255.0 / top)).astype(np.uint8))
    return image


def _bytes_per_pixel(mode: str) -> int:
    return {"1": 1, "L": 1, "P": 1, "LA": 4, "PA": 4}.get(mode, 2 if mode.startswith("I;16") else 4)


def _too_large(path: Path) -> BackgroundError:
    return BackgroundError(ImageText.TOO_LARGE(file=path))


def kind_of_file(path: Path) -> Literal["image", "video"]:
    """Which kind of background a file is, by its content: still pictures are images, all else is tried as a video."""
    return "image" if is_picture(path) else "video"
