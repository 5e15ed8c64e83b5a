"""Reading image files in bounded memory, writing them, and finding them in folders.

Pillow rather than OpenCV: it reports the size before it decodes, reads JPEG at reduced size, applies EXIF orientation
to images with alpha, and raises an error for a truncated file.
"""

from __future__ import annotations

import errno
import io
import logging
import re
import struct
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from app.core import paths
from app.core.errors import BackgroundError, Text, t
from app.core.files import MOST_NAME_BYTES, cut, is_file, is_folder, is_special, write_private, write_shared
from app.core.types import BgrImage
from app.media.image_colours import srgb_converter
from app.media.image_memory import (
    MAX_PICTURE_BYTES,
    UNBOUND,
    WORKING_BYTES,
    has_limit,
    is_file_too_large,
    limit_memory,
    picture_bytes,
    takes_too_much,
)

log = logging.getLogger(__name__)
logging.getLogger("PIL").setLevel(logging.CRITICAL)  # the errors of this module say what is wrong with a file

MAX_SIDE = 3840
"""Larger images are downscaled to this; no output needs more."""
BAND_ROWS = 256
"""Rows whose colours are converted at once, so that conversions need little memory."""

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "GIF", "BMP", "DIB", "TIFF", "JPEG2000", "PPM", "QOI")
"""Allowed formats. Others make Pillow start external programs, have no signature, or decode while they are opened."""
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
"""Of images that are also written."""
READ_SUFFIXES = (
    *IMAGE_SUFFIXES,
    *(".jfif", ".jpe", ".heic", ".heif", ".hif", ".avif", ".jp2", ".j2k", ".jpx", ".dib", ".ppm", ".pgm", ".qoi"),
)
"""Of images where only a name is known; otherwise the content decides."""
JPEG_FILMS = (".mjpeg", ".mjpg")
"""Of films that are JPEG images in a row; Pillow reads the first."""
RAW_SUFFIXES = frozenset(
    (".arw", ".cr2", ".cr3", ".dng", ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".srw")
)
"""Of raw data of cameras, of which Pillow reads a small preview, as a TIFF image."""

HEIF = (b"ftypheic", b"ftypheix", b"ftypmif1")
"""Signatures of photos of telephones."""
PLAYED = ("GIF", "PNG", "WEBP")
"""Formats of animations that a background plays."""

JPEG_START = b"\xff\xd8\xff"
JPEG_SCAN = b"\xff\xda"
JPEG_END = b"\xff\xd9"
SIXTEEN_BITS = ("I", "I;16", "I;16L", "I;16B", "I;16N")
"""Pillow's modes for grey images of 16 bits."""
DECODER_THREADS = 4
"""As pi-heif has by default."""
SHAPE = struct.Struct("<III")
"""Rows, columns and channels, which precede the pixels in the output of a child process."""
T = TypeVar("T")

# Pillow's limit against decompression bombs counts pixels; ours what the decoder takes (`image_memory`).
Image.MAX_IMAGE_PIXELS = None

BROKEN = (
    *(OSError, ValueError, SyntaxError, EOFError, struct.error, IndexError, KeyError, TypeError, ZeroDivisionError),
    RuntimeError,  # of libavif and libheif
)
"""Exceptions of Pillow's readers for broken files."""


def read_image(path: Path, over: tuple[int, int, int] = (0, 0, 0), max_side: int = MAX_SIDE) -> BgrImage:
    """Read an image as (H, W, 3) uint8 BGR, upright and opaque, its long side at most `max_side` pixels.

    Grey, palette, CMYK, 16-bit and transparent images are converted; `over` (blue, green, red) is the colour behind
    transparent parts; of an animation the first frame is read. Raises BackgroundError for a file that is missing, not
    an image, broken or too large.
    """
    image = read_cut_out(path, max_side)
    if image.shape[2] == 3:
        return image
    behind = Image.new("RGB", image.shape[1::-1], over)  # which takes blue for red, as the other
    return np.array(Image.composite(Image.fromarray(image[..., :3]), behind, Image.fromarray(image[..., 3])))


def read_cut_out(path: Path, max_side: int = MAX_SIDE) -> NDArray[np.uint8]:
    """Read an image as `read_image`; one with transparent parts as (H, W, 4) uint8 BGRA, with straight alpha."""

    def convert(image: Image.Image) -> NDArray[np.uint8]:
        if takes_too_much(image, max_side):
            raise BackgroundError(_too_large(path))
        if image.format in UNBOUND and has_limit():
            return _read_by_child(path, max_side)
        return _pixels(image, path, max_side)

    return _decoded(path, convert)


def _read_by_child(path: Path, max_side: int) -> NDArray[np.uint8]:
    """Let a child process read an image, whose memory is limited to what the header of the image needs."""
    command = [sys.executable, "-m", paths.module("app.media.image_file"), str(path.absolute()), str(max_side)]
    child = subprocess.run(
        command,
        cwd=paths.IMPORT_ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    size = SHAPE.size
    if child.returncode or len(child.stdout) < size:
        log.info("%s cannot be decoded: its process ended with %d", path, child.returncode)
        raise BackgroundError(_damaged(path))
    pixels = np.frombuffer(child.stdout, np.uint8, offset=size)
    return pixels.reshape(SHAPE.unpack(child.stdout[:size])).copy()


def _read_limited(path: Path, max_side: int) -> NDArray[np.uint8]:
    """Read an image in this process, whose memory is limited from now on."""
    from PIL import AvifImagePlugin

    # by default one for each core; the stack of each counts 8 MB of the limit
    AvifImagePlugin.DEFAULT_MAX_THREADS = DECODER_THREADS

    def convert(image: Image.Image) -> NDArray[np.uint8]:
        if takes_too_much(image, max_side):
            raise BackgroundError(_too_large(path))
        limit_memory(picture_bytes(image) + WORKING_BYTES)
        return _pixels(image, path, max_side)

    return _decoded(path, convert)


def read_matte(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
    """Read an image of a matte: its grey values (H, W) uint8, as the file holds them, and its alpha, None if opaque.

    Objects that a palette numbers are white: programs that segment give them colours, and 0 is the room. Raises
    BackgroundError as `read_image`.
    """

    def convert(image: Image.Image) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
        # A palette of one byte per pixel is read by its colours, of four.
        if takes_too_much(image, max(image.size)) or 4 * image.width * image.height > MAX_PICTURE_BYTES:
            raise BackgroundError(_too_large(path))
        if image.format in UNBOUND and has_limit():
            pixels = _read_by_child(path, max(image.size))
            grey = np.asarray(Image.fromarray(pixels[..., 2::-1]).convert("L"))
            return grey, pixels[..., 3] if pixels.shape[2] == 4 else None
        image.load()
        alpha = np.asarray(image.convert("RGBA"))[..., 3] if image.has_transparency_data else None
        is_opaque = alpha is None or alpha.min() == 255
        return _grey(image), None if is_opaque else alpha

    return _decoded(path, convert)


def _grey(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode == "P":
        colours = np.asarray(image.convert("RGB"))
        if np.ptp(colours, axis=2).any():
            return np.where(np.asarray(image) > 0, 255, 0).astype(np.uint8)
    return np.asarray(_to_8_bit(image).convert("L"))


def _pixels(image: Image.Image, path: Path, max_side: int) -> NDArray[np.uint8]:
    """Return the pixels of an opened image as of `read_cut_out`."""
    in_srgb: Callable[[Image.Image], Image.Image] = _unchanged
    with suppress(*BROKEN):  # broken metadata does not prevent reading the pixels
        in_srgb = srgb_converter(image, path)
    small = _small(image, max_side)
    mode = "RGBA" if small.has_transparency_data else "RGB"
    order = [2, 1, 0, 3][: len(mode)]
    pixels = np.empty((small.height, small.width, len(mode)), np.uint8)
    for top in range(0, small.height, BAND_ROWS):
        bottom = min(top + BAND_ROWS, small.height)
        band = small.crop((0, top, small.width, bottom))
        pixels[top:bottom] = np.asarray(in_srgb(band).convert(mode))[..., order]
    is_opaque = mode == "RGB" or pixels[..., 3].min() == 255
    return np.ascontiguousarray(pixels[..., :3]) if is_opaque else pixels


def _with_end_mark(path: Path) -> io.BytesIO | None:
    """Return a JPEG that lacks its end mark and nothing else with that mark; None for other files. Raises OSError."""
    data = _without_end_mark(path)
    if data is None:
        return None
    from app.media.jpeg import DamagedJpegError, decode_jpeg

    try:
        decode_jpeg(np.frombuffer(data, np.uint8), "GRAY")
    except DamagedJpegError:
        return None
    return io.BytesIO(data + JPEG_END)


def _without_end_mark(path: Path) -> bytes | None:
    """Return the content of a JPEG without an end mark behind its last scan; None for other files. Raises OSError."""
    with path.open("rb") as file:
        if file.read(len(JPEG_START)) != JPEG_START:
            return None
        data = JPEG_START + file.read()
    return data if data.rfind(JPEG_END) < data.rfind(JPEG_SCAN) else None


def _unchanged(image: Image.Image) -> Image.Image:
    return image


def _decoded(path: Path, convert: Callable[[Image.Image], T]) -> T:
    """Return what `convert` makes of the opened image: all images of the user are opened here."""
    _register_heif()
    try:
        if is_special(path):  # opening a pipe waits until another program writes to it
            raise BackgroundError(unknown_format(path))
        if is_folder(path):  # Windows calls that a lack of permission
            raise BackgroundError(t("{file} is a folder; choose an image in it.", file=path))
        if is_file_too_large(path):
            raise BackgroundError(_too_large(path))
        if path.suffix.lower() in RAW_SUFFIXES and is_file(path):
            raise BackgroundError(
                t("{file} is raw data of a camera; develop it and export it as JPEG or TIFF.", file=path)
            )
        with warnings.catch_warnings():
            # Pillow warns about invalid metadata, which is not used
            warnings.simplefilter("ignore")
            try:
                with Image.open(path, formats=FORMATS) as image:
                    return convert(image)
            except OSError:
                whole = _with_end_mark(path)
                if whole is None:
                    raise
            with Image.open(whole, formats=FORMATS) as image:
                return convert(image)
    except (FileNotFoundError, NotADirectoryError):
        raise BackgroundError(t("The image {file} does not exist; choose another one.", file=path)) from None
    except PermissionError:
        raise BackgroundError(
            t("You have no permission to read the image {file}; check the permissions of the file.", file=path)
        ) from None
    except UnidentifiedImageError:
        raise BackgroundError(unknown_format(path)) from None
    except MemoryError:
        raise BackgroundError(_too_large(path)) from None
    except BROKEN as error:
        log.info("%s cannot be decoded: %s", path, error)
        raise BackgroundError(_damaged(path)) from None


def unknown_format(path: Path) -> Text:
    """Return the sentence on a file that is no image."""
    return t("{file} is not a readable image; use a JPEG, PNG, WebP, HEIC, AVIF, TIFF or BMP file.", file=path)


def _damaged(path: Path) -> Text:
    return t("The image {file} is damaged; save it again or choose another one.", file=path)


def _too_large(path: Path) -> Text:
    return t("The image {file} is too large; save it in a smaller size.", file=path)


@cache
def _register_heif() -> None:
    """Let Pillow read HEIF; not at the start of the program, which needs no image."""
    from pi_heif import register_heif_opener

    register_heif_opener(thumbnails=False)


def kind_of_file(path: Path) -> Literal["image", "video"]:
    """Return the kind of background of a file: `image` for still images, otherwise `video`.

    The content decides, except of a row of JPEG images, whose first one alone would be seen. A file without a known
    signature, such as a damaged one, has the kind of its suffix.
    """
    if path.suffix.lower() in JPEG_FILMS:
        return "video"
    found = _frames_of(path)
    if found is not None:
        return "video" if found[0] > 1 and found[1] in PLAYED else "image"
    start = b""
    with suppress(OSError, ValueError):
        if is_file(path):
            with path.open("rb") as file:
                start = file.read(12)
    is_container = start[4:8] == b"ftyp" or start[:4] == b"\x1aE\xdf\xa3" or start[8:] == b"AVI "  # MP4, Matroska
    named = path.suffix.lower() in (*READ_SUFFIXES, *RAW_SUFFIXES) and not is_container
    return "image" if start[4:] in HEIF or named else "video"


def is_picture(path: Path) -> bool:
    """Return whether a file is converted as an image: its first one, if its name is that of an image.

    The content of other files decides, such as a GIF with a single frame; the name, where there is no file.
    """
    suffix = path.suffix.lower()
    if suffix in IMAGE_SUFFIXES:
        return True
    if not is_file(path):
        return suffix in READ_SUFFIXES
    found = path.stat()
    return _holds_picture(path, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=10_000)
def _holds_picture(path: Path, size: int, time_ns: int) -> bool:
    """Read a file once for each of its versions: planning a batch asks several times."""
    return kind_of_file(path) == "image"


def reading_note(path: Path) -> Text | None:
    """Return the sentence on what `read_image` does not read, or lacks; None where it reads the whole file."""
    count, image_format = _frames_of(path) or (1, None)
    if image_format in ("JPEG", "MPO"):
        with suppress(OSError):
            if _without_end_mark(path) is not None:
                return t("{file} lacks its end mark, but the whole image is there; save it again.", file=path)
    if count == 1 or image_format == "MPO":  # the further images of a photo are of the same scene
        return None
    return t(
        "Only the first of the {count} frames of {file} is used; save it as a video or GIF to use them all.",
        file=path,
        count=count,
    )


def _frames_of(path: Path) -> tuple[int, str | None] | None:
    """Return the number of frames of an image file, and its format; None for a file that is no image."""
    try:
        return _decoded(path, lambda image: (getattr(image, "n_frames", 1), image.format))
    except BackgroundError:
        return None


def _small(image: Image.Image, max_side: int) -> Image.Image:
    """Return the image upright, in 8 bits, its long side at most `max_side` pixels."""
    image.load()  # which turns TIFF
    # palette indices cannot be averaged
    palette = image.mode in ("P", "PA")
    image.thumbnail(
        (max_side, max_side),
        Image.Resampling.NEAREST if palette else Image.Resampling.HAMMING,
        reducing_gap=None if image.mode in SIXTEEN_BITS else 2.0,  # Pillow does not average those first
    )
    with suppress(*BROKEN):  # broken metadata does not prevent reading the pixels
        ImageOps.exif_transpose(image, in_place=True)
    return _to_8_bit(image)


def _to_8_bit(image: Image.Image) -> Image.Image:
    if image.mode in SIXTEEN_BITS:
        return Image.fromarray((np.asarray(image).clip(0, 65535) >> 8).astype(np.uint8))
    if image.mode == "F":  # with values in 0..1 or in 0..255
        values = np.nan_to_num(np.asarray(image, np.float32), nan=0.0, posinf=255.0, neginf=0.0).clip(0, 255)
        return Image.fromarray((values * (255 if values.max() <= 1 else 1)).astype(np.uint8))
    return image


def write_picture(path: Path, image: NDArray[np.uint8], *, private: bool = True) -> None:
    """Write an image in the format of its suffix, PNG if it is unknown. Raises OSError.

    image: (height, width, 3) BGR or (height, width) greyscale, uint8. private: with mode 0600, otherwise with that of
    the umask.
    """
    suffix = path.suffix.lower() if path.suffix.lower() in IMAGE_SUFFIXES else ".png"
    has_alpha = image.ndim == 3 and image.shape[2] == 4
    encoded = _tiff_with_alpha(image) if has_alpha and suffix in (".tif", ".tiff") else _encoded(path, suffix, image)
    write = write_private if private else write_shared
    write(path, encoded)


def _encoded(path: Path, suffix: str, image: NDArray[np.uint8]) -> bytes:
    encoded, data = cv2.imencode(suffix, image)
    if not encoded:  # such as WebP with more than 16,383 pixels in a row
        raise OSError(errno.EINVAL, f"an image of {image.shape[1]}x{image.shape[0]} cannot be {suffix}", str(path))
    return data.tobytes()


def _tiff_with_alpha(image: NDArray[np.uint8]) -> bytes:
    """Return a TIFF file that names its fourth sample as straight alpha, as OpenCV does not."""
    data = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image[..., [2, 1, 0, 3]])).save(data, "TIFF", compression="tiff_lzw")
    return data.getvalue()


NAMED = 20
"""Files that a sentence names."""
LEFT_THERE = ("thumbs.db", "desktop.ini")


def others_left_out(folder: Path | str, names: Sequence[str]) -> str:
    """Return the sentence on the other files of a folder that are left out."""
    return (
        f"Files in {folder} that are neither images nor videos were left out: {len(names)} "
        f"({', '.join(first_names(names))})."
    )


def first_names(names: Sequence[str], most: int = NAMED) -> list[str]:
    """Return the names that a sentence shows, with an ellipsis in place of those beyond `most`."""
    return [*names[:most], *(["…"] if len(names) > most else [])]


def pictures_in(folder: Path) -> list[Path]:
    """Return the images of a folder, by their content, in natural order of their names. Raises OSError."""
    return sorted((file for file in _visible(folder) if is_picture(file)), key=_natural)


def others_in(folder: Path) -> list[Path]:
    """Return the files of a folder that are no images, in natural order of their names. Raises OSError."""
    return sorted((file for file in _visible(folder) if is_file(file) and not is_picture(file)), key=_natural)


def _visible(folder: Path) -> list[Path]:
    """Return what lies in a folder, but for what systems leave there."""
    return [file for file in folder.iterdir() if not file.name.startswith(".") and file.name.lower() not in LEFT_THERE]


def picture_names(folder: Path) -> dict[Path, str]:
    """Return a name for each image of a folder: without its suffix, unless two images would have the same name.

    Names differ in more than case, and a PNG file can have them. Raises OSError.
    """
    names = {file: file.stem for file in pictures_in(folder)}
    while True:
        count = Counter(name.casefold() for name in names.values())
        same = [file for file, name in names.items() if count[name.casefold()] > 1 and name != file.name]
        if not same:
            return _shortened(names)
        names.update((file, file.name) for file in same)


def _shortened(names: Mapping[Path, str]) -> dict[Path, str]:
    """Cut the names that would be too long with the suffix .png, and number those that are the same then."""
    most_bytes = MOST_NAME_BYTES - len(".png")
    made: dict[Path, str] = {}
    taken = {name.casefold() for name in names.values()}
    for file, name in names.items():
        short = cut(name, most_bytes)
        number = 2
        while short != name and short.casefold() in taken:
            ending = f" ({number})"
            short = cut(name, most_bytes - len(ending)) + ending
            number += 1
        taken.add(short.casefold())
        made[file] = short
    return made


def _natural(file: Path) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", file.name.lower())]


if __name__ == "__main__":
    _image = _read_limited(Path(sys.argv[1]), int(sys.argv[2]))
    sys.stdout.buffer.write(SHAPE.pack(*_image.shape) + _image.tobytes())
