"""How much memory the decoding of an image takes, by its header, and the limit on it.

A few kilobytes can describe an image of gigabytes. Pillow's own limit counts pixels; what its
decoders take for one differs by the format, from nothing to 16 bytes, and a progressive JPEG is
kept whole however small it is read.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO

from PIL import Image

MAX_PICTURE_BYTES = 1 << 29
# For decoding and scaling, beside the picture: enough for the 48 megapixels of telephones in HEIC.
WORKING_BYTES = 300_000_000
# Pillow and pi-heif read most compressed files whole.
MAX_FILE_BYTES = 1 << 28

# What decoders take beside the picture; docs/security.md has what was measured.
DECODER_BYTES_PER_PIXEL = {
    "WEBP": 12,
    "AVIF": 8,
    "HEIF": 6,
    "JPEG2000": 16,
    "QOI": 5,
    "BMP": 2,
    "DIB": 2,
}
# What decoders keep until the file is closed: of WebP, the last two frames of an animation.
KEPT_BYTES_PER_PIXEL = {"WEBP": 8}
# Formats in containers, whose coded picture may be larger than their header says.
UNBOUND = ("AVIF", "HEIF", "JPEG2000")
# First bytes of TIFF, BMP and PPM files, which Pillow reads in parts.
UNCOMPRESSED = (b"II", b"MM", b"BM", b"P")

ONE_BYTE = ("1", "L", "P")
WITH_ALPHA = ("LA", "PA", "RGBA")
# Tags of TIFF.
SAMPLE_BITS = 258
ORIENTATION = 274
SAMPLES = 277
ROWS_PER_STRIP = 278
TILE_WIDTH = 322
TILE_HEIGHT = 323


def is_file_too_large(path: Path) -> bool:
    """Return whether a compressed image is too large to be opened. Raises OSError."""
    if path.stat().st_size <= MAX_FILE_BYTES:
        return False
    with path.open("rb") as file:
        return not file.read(2).startswith(UNCOMPRESSED)


def takes_too_much(image: Image.Image, max_side: int) -> bool:
    """Return whether decoding an opened image and scaling it to `max_side` takes too much memory.

    A JPEG is set to be decoded at 1/2, 1/4 or 1/8 where that suffices.
    """
    # Both before the draft, which changes the size: the decoder reads the whole file.
    decoding_bytes = _decoding_bytes(image)
    kept_bytes = KEPT_BYTES_PER_PIXEL.get(image.format or "", 0) * image.width * image.height
    # Pillow compares each side with that of the draft: one of another shape would be a panorama's
    # full size.
    share = max_side / max(image.size)
    draft_width = max(1, int(image.width * share))
    draft_height = max(1, int(image.height * share))
    image.draft("RGB", (draft_width, draft_height))
    if picture_bytes(image) > MAX_PICTURE_BYTES:
        return True
    scaling_bytes = kept_bytes + _scaling_bytes(image, max_side)
    return max(decoding_bytes, scaling_bytes) > WORKING_BYTES


def picture_bytes(image: Image.Image) -> int:
    """Return the memory of the decoded picture."""
    return image.width * image.height * _bytes_per_pixel(image)


def _bytes_per_pixel(image: Image.Image) -> int:
    if image.mode in ONE_BYTE:
        return 1
    if image.mode.startswith("I;16"):
        return 2
    # Pillow keeps colours of three bytes in four.
    return 4


def _decoding_bytes(image: Image.Image) -> int:
    """Return what the decoder takes beside the picture."""
    pixels = image.width * image.height
    if image.format in ("JPEG", "MPO"):
        return _coefficient_bytes(image)
    if image.format == "TIFF":
        return _strip_bytes(image)
    return pixels * DECODER_BYTES_PER_PIXEL.get(image.format or "", 0)


def _coefficient_bytes(image: Image.Image) -> int:
    """Return the memory of the coefficients of a JPEG.

    libjpeg keeps them where several scans describe a block.
    """
    # Number, samples across and down of each component, and number of its table.
    layers: list[tuple[int, int, int, int]] = getattr(image, "layer", [])
    file = getattr(image, "fp", None)
    if file is None or not layers:
        return 0
    if "progressive" not in image.info and _has_one_scan(file, len(layers)):
        return 0
    most_across = max(across for _, across, _, _ in layers)
    most_down = max(down for _, _, down, _ in layers)
    samples = sum(across * down for _, across, down, _ in layers)
    samples_per_pixel = samples / max(most_across * most_down, 1)
    # Coefficients have 16 bits.
    return round(2 * samples_per_pixel * image.width * image.height)


def _has_one_scan(file: BinaryIO, components: int) -> bool:
    """Return whether the first scan of a JPEG holds all components, so that no other follows.

    file: opened by Pillow, which stops behind the header of the first scan.
    """
    place = file.tell()
    length = 6 + 2 * components
    file.seek(max(0, place - length - 2))
    is_length_of_all = file.read(4) == b"\xff\xda" + length.to_bytes(2, "big")
    file.seek(place)
    return is_length_of_all


def _strip_bytes(image: Image.Image) -> int:
    """Return the memory of a strip or tile of a TIFF, which is decoded at once, and of the
    turned picture.
    """
    tags = getattr(image, "tag_v2", {})
    rows = min(tags.get(ROWS_PER_STRIP, image.height), image.height)
    pixels = tags.get(TILE_WIDTH, image.width) * tags.get(TILE_HEIGHT, rows)
    samples = tags.get(SAMPLES, 1)
    if samples > 2:
        # libtiff adds a fourth sample to those that it converts.
        samples = max(samples, 4)
    bits = max(tags.get(SAMPLE_BITS, (1,))) * samples
    strip_bytes = int(pixels * bits // 8)
    if tags.get(ORIENTATION, 1) == 1:
        return strip_bytes
    return strip_bytes + picture_bytes(image)


def _scaling_bytes(image: Image.Image, max_side: int) -> int:
    """Return what `Image.thumbnail` takes beside the picture."""
    longest = max(image.size)
    if longest <= max_side:
        return 0
    share = max_side / longest
    # Pillow averages squares of whole pixels first, of so many rows and columns.
    factor = max(1, int(1 / share / 2))
    # Then it scales the rows, and the columns of what that gave.
    columns = share * image.width
    scaled_pixels = columns * image.height / factor + columns * share * image.height
    needed = round(scaled_pixels * _bytes_per_pixel(image))
    if image.mode in WITH_ALPHA:
        # A copy with premultiplied alpha.
        needed += picture_bytes(image)
    if factor > 1:
        needed += picture_bytes(image) // factor**2
    return needed


def has_limit() -> bool:
    """Return whether this system can limit the memory of a process."""
    return sys.platform == "linux"


def limit_memory(more_bytes: int) -> None:
    """Let this process take so much more memory than now: an allocation beyond fails."""
    if sys.platform == "linux":
        import resource

        status = Path("/proc/self/status").read_text(encoding="ascii")
        used_kib = int(status.partition("VmData:")[2].split()[0])
        # The data, unlike the address space, leaves out what the C library reserves for each
        # thread.
        limit = (used_kib << 10) + more_bytes
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
