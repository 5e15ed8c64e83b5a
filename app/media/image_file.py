"""Reading image files in bounded memory, and writing them.

Pillow rather than OpenCV: it reports the size before it decodes, reads JPEG at reduced size,
applies EXIF orientation to images with alpha, and raises an error for a truncated file.
"""

from __future__ import annotations

import errno
import io
import logging
import struct
import subprocess
import sys
import warnings
from collections.abc import Callable
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
from app.core.files import (
    is_file,
    is_folder,
    is_special,
    write_private,
    write_shared,
)
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
# The errors of this module say what is wrong with a file.
logging.getLogger("PIL").setLevel(logging.CRITICAL)

# Larger images are downscaled to this; no output needs more.
MAX_SIDE = 3840
# Colours are converted in bands of so many rows, which needs little memory.
BAND_ROWS = 256

# Allowed formats. Others make Pillow start external programs, have no signature, or decode while
# they are opened.
FORMATS = "JPEG PNG WEBP AVIF HEIF GIF BMP DIB TIFF JPEG2000 PPM QOI".split()
# Of images that are also written.
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
# Of images where only a name is known; otherwise the content decides.
READ_SUFFIXES = (
    *IMAGE_SUFFIXES,
    *".jfif .jpe .heic .heif .hif .avif .jp2 .j2k .jpx .dib .ppm .pgm .qoi".split(),
)
# Of films that are JPEG images in a row; Pillow reads the first.
JPEG_FILMS = (".mjpeg", ".mjpg")
# Of raw data of cameras, of which Pillow reads a small preview, as a TIFF image.
RAW_SUFFIXES = frozenset(".arw .cr2 .cr3 .dng .nef .nrw .orf .pef .raf .raw .rw2 .srw".split())

# Signatures of photos of telephones.
HEIF = (b"ftypheic", b"ftypheix", b"ftypmif1")
# Formats of animations that a background plays.
PLAYED = ("GIF", "PNG", "WEBP")

# The first bytes of Matroska.
EBML = b"\x1aE\xdf\xa3"
JPEG_START = b"\xff\xd8\xff"
JPEG_SCAN = b"\xff\xda"
JPEG_END = b"\xff\xd9"
# Pillow's modes for grey images of 16 bits.
SIXTEEN_BITS = ("I", "I;16", "I;16L", "I;16B", "I;16N")
# As pi-heif has by default.
DECODER_THREADS = 4
# Rows, columns and channels, which precede the pixels in the output of a child process.
SHAPE = struct.Struct("<III")
T = TypeVar("T")

# Pillow's limit against decompression bombs counts pixels; ours what the decoder takes
# (`image_memory`).
Image.MAX_IMAGE_PIXELS = None

# Exceptions of Pillow's readers for broken files.
BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    struct.error,
    IndexError,
    KeyError,
    TypeError,
    ZeroDivisionError,
    RuntimeError,  # of libavif and libheif
)


def read_image(
    path: Path, over: tuple[int, int, int] = (0, 0, 0), max_side: int = MAX_SIDE
) -> BgrImage:
    """Read an image as (H, W, 3) uint8 BGR, upright and opaque, its long side at most `max_side`
    pixels.

    Grey, palette, CMYK, 16-bit and transparent images are converted; `over` (blue, green, red) is
    the colour behind transparent parts; of an animation the first frame is read. Raises
    BackgroundError for a file that is missing, not an image, broken or too large.
    """
    image = read_cut_out(path, max_side)
    if image.shape[2] == 3:
        return image
    # Pillow takes blue for red in both images.
    behind = Image.new("RGB", image.shape[1::-1], over)
    foreground = Image.fromarray(image[..., :3])
    alpha = Image.fromarray(image[..., 3])
    return np.array(Image.composite(foreground, behind, alpha))


def read_cut_out(path: Path, max_side: int = MAX_SIDE) -> NDArray[np.uint8]:
    """Read an image as `read_image`; with alpha, which is straight, as (H, W, 4) uint8 BGRA."""

    def pixels_of(image: Image.Image) -> NDArray[np.uint8]:
        if takes_too_much(image, max_side):
            raise BackgroundError(_too_large(path))
        if image.format in UNBOUND and has_limit():
            return _read_by_child(path, max_side)
        return _pixels(image, path, max_side)

    return _decoded(path, pixels_of)


def _read_by_child(path: Path, max_side: int) -> NDArray[np.uint8]:
    """Let a child process read an image, with no more memory than its header asks for."""
    command = [
        sys.executable,
        "-m",
        paths.module("app.media.image_file"),
        str(path.absolute()),
        str(max_side),
    ]
    child = subprocess.run(
        command,
        cwd=paths.IMPORT_ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    if child.returncode or len(child.stdout) < SHAPE.size:
        log.info("%s cannot be decoded: its process ended with %d", path, child.returncode)
        raise BackgroundError(_damaged(path))
    shape = SHAPE.unpack(child.stdout[: SHAPE.size])
    pixels = np.frombuffer(child.stdout, np.uint8, offset=SHAPE.size)
    return pixels.reshape(shape).copy()


def _read_limited(path: Path, max_side: int) -> NDArray[np.uint8]:
    """Read an image in this process, whose memory is limited from now on."""
    from PIL import AvifImagePlugin

    # By default one for each core; the stack of each counts 8 MB of the limit.
    AvifImagePlugin.DEFAULT_MAX_THREADS = DECODER_THREADS

    def pixels_of(image: Image.Image) -> NDArray[np.uint8]:
        if takes_too_much(image, max_side):
            raise BackgroundError(_too_large(path))
        limit_memory(picture_bytes(image) + WORKING_BYTES)
        return _pixels(image, path, max_side)

    return _decoded(path, pixels_of)


def read_matte(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
    """Read an image of a matte, upright: its grey values (H, W) uint8, as the file holds them, and
    its alpha, None if opaque.

    Objects that a palette numbers are white: programs that segment give them colours, and 0 is the
    room. Raises BackgroundError as `read_image`.
    """

    def grey_and_alpha_of(image: Image.Image) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
        # A palette of one byte per pixel is read by its colours, of four.
        colour_bytes = 4 * image.width * image.height
        if colour_bytes > MAX_PICTURE_BYTES or takes_too_much(image, max(image.size)):
            raise BackgroundError(_too_large(path))
        if image.format in UNBOUND and has_limit():
            pixels = _read_by_child(path, max(image.size))
            grey = np.asarray(Image.fromarray(pixels[..., 2::-1]).convert("L"))
            alpha = pixels[..., 3] if pixels.shape[2] == 4 else None
            return grey, alpha
        image.load()
        _turn_upright(image)
        if not image.has_transparency_data:
            return _grey(image), None
        alpha = np.asarray(image.convert("RGBA"))[..., 3]
        if alpha.min() == 255:
            return _grey(image), None
        return _grey(image), alpha

    return _decoded(path, grey_and_alpha_of)


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
    mode = "RGB"
    order = [2, 1, 0]
    if small.has_transparency_data:
        mode = "RGBA"
        order = [2, 1, 0, 3]
    pixels = np.empty((small.height, small.width, len(order)), np.uint8)
    for top in range(0, small.height, BAND_ROWS):
        bottom = min(top + BAND_ROWS, small.height)
        band = small.crop((0, top, small.width, bottom))
        pixels[top:bottom] = np.asarray(in_srgb(band).convert(mode))[..., order]
    if mode == "RGBA" and pixels[..., 3].min() < 255:
        return pixels
    return np.ascontiguousarray(pixels[..., :3])


def _with_end_mark(path: Path) -> io.BytesIO | None:
    """Return a JPEG that lacks its end mark and nothing else with that mark; None for other files.

    Raises OSError.
    """
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
    """Return the content of a JPEG without an end mark behind its last scan; None for other files.

    Raises OSError.
    """
    with path.open("rb") as file:
        if file.read(len(JPEG_START)) != JPEG_START:
            return None
        data = JPEG_START + file.read()
    if data.rfind(JPEG_END) >= data.rfind(JPEG_SCAN):
        return None
    return data


def _unchanged(image: Image.Image) -> Image.Image:
    return image


def _decoded(path: Path, read: Callable[[Image.Image], T]) -> T:
    """Return what `read` makes of the opened image: all images of the user are opened here."""
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
                t(
                    "{file} is raw data of a camera; develop it and export it as JPEG or TIFF.",
                    file=path,
                )
            )
        with warnings.catch_warnings():
            # Pillow warns about invalid metadata, which is not used
            warnings.simplefilter("ignore")
            try:
                # As an open file: of a name Pillow maps uncompressed TIFF into memory, in the wrong
                # size where the image is to be turned.
                with path.open("rb") as file, Image.open(file, formats=FORMATS) as image:
                    return read(image)
            except OSError:
                whole = _with_end_mark(path)
                if whole is None:
                    raise
            with Image.open(whole, formats=FORMATS) as image:
                return read(image)
    except (FileNotFoundError, NotADirectoryError):
        raise BackgroundError(
            t("The image {file} does not exist; choose another one.", file=path)
        ) from None
    except PermissionError:
        raise BackgroundError(
            t(
                "You have no permission to read the image {file}; check the permissions of the "
                "file.",
                file=path,
            )
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
    return t(
        "{file} is not a readable image; use a JPEG, PNG, WebP, HEIC, AVIF, TIFF or BMP file.",
        file=path,
    )


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

    The content decides, except of a row of JPEG images, whose first one alone would be seen. A file
    without a known signature, such as a damaged one, has the kind of its suffix.
    """
    if path.suffix.lower() in JPEG_FILMS:
        return "video"
    opened_image = _frames_of(path)
    if opened_image is not None:
        count, image_format = opened_image
        is_animation = count > 1 and image_format in PLAYED
        return "video" if is_animation else "image"
    start = b""
    with suppress(OSError, ValueError):
        if is_file(path):
            with path.open("rb") as file:
                start = file.read(12)
    if start[4:] in HEIF:
        return "image"
    if start[4:8] == b"ftyp" or start[:4] == EBML or start[8:] == b"AVI ":
        # Films, whatever they are called.
        return "video"
    if path.suffix.lower() in READ_SUFFIXES or path.suffix.lower() in RAW_SUFFIXES:
        return "image"
    return "video"


def is_picture(path: Path) -> bool:
    """Return whether a file is converted as an image: its first one, if its name is that of an
    image.

    The content of other files decides, such as a GIF with a single frame; the name, where there is
    no file.
    """
    suffix = path.suffix.lower()
    if suffix in IMAGE_SUFFIXES:
        return True
    if not is_file(path):
        return suffix in READ_SUFFIXES
    version = path.stat()
    return _holds_picture(path, version.st_size, version.st_mtime_ns)


@lru_cache(maxsize=10_000)
def _holds_picture(path: Path, size: int, time_ns: int) -> bool:
    """Read a file once for each of its versions: planning a batch asks several times."""
    return kind_of_file(path) == "image"


def reading_note(path: Path) -> Text | None:
    """Return the sentence on what `read_image` leaves out or lacks; None where that is nothing."""
    count, image_format = _frames_of(path) or (1, None)
    if image_format in ("JPEG", "MPO"):
        with suppress(OSError):
            if _without_end_mark(path) is not None:
                return t(
                    "{file} lacks its end mark, but the whole image is there; save it again.",
                    file=path,
                )
    if not further_frames(path):
        return None
    return t(
        "Only the first of the {count} frames of {file} is used; save it as a video or GIF to use "
        "them all.",
        file=path,
        count=count,
    )


def further_frames(path: Path) -> int:
    """Return how many frames of an image file `read_image` leaves out."""
    count, image_format = _frames_of(path) or (1, None)
    if image_format == "MPO":
        # The further images of a photo are of the same scene.
        return 0
    return count - 1


def _frames_of(path: Path) -> tuple[int, str | None] | None:
    """Return the number of frames of an image file, and its format; None for another file."""
    try:
        return _decoded(path, lambda image: (getattr(image, "n_frames", 1), image.format))
    except BackgroundError:
        return None


def _small(image: Image.Image, max_side: int) -> Image.Image:
    """Return the image upright, in 8 bits, its long side at most `max_side` pixels."""
    image.load()  # which turns TIFF
    interpolation = Image.Resampling.HAMMING
    if image.mode in ("P", "PA"):
        # Indices of a palette cannot be averaged.
        interpolation = Image.Resampling.NEAREST
    # By how much Pillow may average whole pixels first; it cannot do so with 16 bits.
    gap = None if image.mode in SIXTEEN_BITS else 2.0
    image.thumbnail((max_side, max_side), interpolation, reducing_gap=gap)
    _turn_upright(image)
    return _to_8_bit(image)


def _turn_upright(image: Image.Image) -> None:
    """Turn an image that was loaded as its metadata say."""
    with suppress(*BROKEN):  # broken metadata does not prevent reading the pixels
        ImageOps.exif_transpose(image, in_place=True)


def _to_8_bit(image: Image.Image) -> Image.Image:
    if image.mode in SIXTEEN_BITS:
        values = np.asarray(image).clip(0, 65535)
        return Image.fromarray((values >> 8).astype(np.uint8))
    if image.mode == "F":
        numbers = np.asarray(image, np.float32)
        values = np.nan_to_num(numbers, nan=0.0, posinf=255.0, neginf=0.0).clip(0, 255)
        if values.max() <= 1:
            # Programs write values in 0..1 as well as in 0..255.
            values = values * 255
        return Image.fromarray(values.astype(np.uint8))
    return image


def write_picture(path: Path, image: NDArray[np.uint8], *, private: bool = True) -> None:
    """Write an image in the format of its suffix, PNG if it is unknown. Raises OSError.

    image: (height, width, 3) BGR or (height, width) greyscale, uint8. private: with mode 0600,
    otherwise with that of the umask.
    """
    suffix = path.suffix.lower()
    if suffix not in IMAGE_SUFFIXES:
        suffix = ".png"
    has_alpha = image.ndim == 3 and image.shape[2] == 4
    if has_alpha and suffix in (".tif", ".tiff"):
        encoded = _tiff_with_alpha(image)
    else:
        encoded = _encoded(path, suffix, image)
    if private:
        write_private(path, encoded)
    else:
        write_shared(path, encoded)


def _encoded(path: Path, suffix: str, image: NDArray[np.uint8]) -> bytes:
    encoded, data = cv2.imencode(suffix, image)
    if not encoded:  # such as WebP with more than 16,383 pixels in a row
        raise OSError(
            errno.EINVAL,
            f"an image of {image.shape[1]}x{image.shape[0]} cannot be {suffix}",
            str(path),
        )
    return data.tobytes()


def _tiff_with_alpha(image: NDArray[np.uint8]) -> bytes:
    """Return a TIFF file that names its fourth sample as straight alpha, as OpenCV does not."""
    data = io.BytesIO()
    rgba = np.ascontiguousarray(image[..., [2, 1, 0, 3]])
    Image.fromarray(rgba).save(data, "TIFF", compression="tiff_lzw")
    return data.getvalue()


if __name__ == "__main__":
    _image = _read_limited(Path(sys.argv[1]), int(sys.argv[2]))
    sys.stdout.buffer.write(SHAPE.pack(*_image.shape) + _image.tobytes())
