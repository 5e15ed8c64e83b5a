"""How much memory the decoding of an image takes, by its header, and the limit on it.

A few kilobytes can describe an image of gigabytes. Pillow's own limit counts pixels; what its decoders take for one
differs by the format, from nothing to 16 bytes, and a progressive JPEG is kept whole however small it is read.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

MAX_PICTURE_BYTES = 1 << 29
"""Limit of the decoded picture."""
WORKING_BYTES = 300_000_000
"""Limit of what decoding and scaling take beside the picture: enough for the 48 megapixels of telephones in HEIC."""
MAX_FILE_BYTES = 1 << 28
"""Limit of a compressed file: Pillow and pi-heif read most of them whole."""

WHILE_DECODED = {"WEBP": 12, "AVIF": 8, "HEIF": 6, "JPEG2000": 16, "QOI": 5, "BMP": 2, "DIB": 2}
"""Bytes per pixel that decoders take beside the picture, by the format. docs/security.md has what was measured."""
AFTERWARDS = {"WEBP": 8}
"""Bytes per pixel that decoders keep until the file is closed: of WebP, the last two frames of an animation."""
UNBOUND = ("AVIF", "HEIF", "JPEG2000")
"""Formats in containers, whose coded picture may be larger than their header says."""
UNCOMPRESSED = (b"II", b"MM", b"BM", b"P")
"""First bytes of TIFF, BMP and PPM files, which Pillow reads in parts."""

ONE_BYTE = ("1", "L", "P")
WITH_ALPHA = ("LA", "PA", "RGBA")
ROWS_PER_STRIP = 278
TILE_WIDTH = 322
TILE_HEIGHT = 323
SAMPLE_BITS = 258
SAMPLES = 277
ORIENTATION = 274
"""Tags of TIFF."""


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
    decoding = _decoding_bytes(image)
    kept = AFTERWARDS.get(image.format or "", 0) * image.width * image.height
    image.draft("RGB", (max_side, max_side))
    beside = max(decoding, kept + _scaling_bytes(image, max_side))
    return picture_bytes(image) > MAX_PICTURE_BYTES or beside > WORKING_BYTES


def picture_bytes(image: Image.Image) -> int:
    """Return the memory of the decoded picture."""
    return image.width * image.height * _bytes_per_pixel(image)


def _bytes_per_pixel(image: Image.Image) -> int:
    if image.mode in ONE_BYTE:
        return 1
    return 2 if image.mode.startswith("I;16") else 4


def _decoding_bytes(image: Image.Image) -> int:
    """Return what the decoder takes beside the picture."""
    pixels = image.width * image.height
    if image.format in ("JPEG", "MPO"):
        return _coefficient_bytes(image)
    if image.format == "TIFF":
        return _strip_bytes(image)
    return pixels * WHILE_DECODED.get(image.format or "", 0)


def _coefficient_bytes(image: Image.Image) -> int:
    """Return the memory of the coefficients of a JPEG, which libjpeg keeps where several scans describe a block."""
    layers: list[tuple[int, int, int, int]] = getattr(image, "layer", [])
    file = getattr(image, "fp", None)
    if file is None or not layers:
        return 0
    if "progressive" not in image.info:
        # Pillow stops behind the header of the first scan, whose length tells whether all components are in it
        place = file.tell()
        length = 6 + 2 * len(layers)
        file.seek(max(0, place - length - 2))
        is_one_scan = file.read(4) == b"\xff\xda" + length.to_bytes(2, "big")
        file.seek(place)
        if is_one_scan:
            return 0
    most = max(across for _, across, _, _ in layers) * max(down for _, _, down, _ in layers)
    samples = sum(across * down for _, across, down, _ in layers) / max(most, 1)
    return round(2 * samples * image.width * image.height)


def _strip_bytes(image: Image.Image) -> int:
    """Return the memory of a strip or tile of a TIFF, which is decoded at once, and of the turned picture."""
    tags = getattr(image, "tag_v2", {})
    rows = min(tags.get(ROWS_PER_STRIP, image.height), image.height)
    pixels = tags.get(TILE_WIDTH, image.width) * tags.get(TILE_HEIGHT, rows)
    samples = tags.get(SAMPLES, 1)
    # libtiff adds a fourth sample to those that it converts
    bits = max(tags.get(SAMPLE_BITS, (1,))) * (max(samples, 4) if samples > 2 else samples)
    turned = picture_bytes(image) if tags.get(ORIENTATION, 1) != 1 else 0
    return int(pixels * bits // 8) + turned


def _scaling_bytes(image: Image.Image, max_side: int) -> int:
    """Return what `Image.thumbnail` takes beside the picture."""
    longest = max(image.size)
    if longest <= max_side:
        return 0
    share = max_side / longest
    factor = max(1, int(1 / share / 2))
    """By which Pillow averages whole pixels first."""
    columns = share * image.width
    between = columns * image.height / factor + columns * share * image.height
    copied = picture_bytes(image) if image.mode in WITH_ALPHA else 0  # with premultiplied alpha
    reduced = picture_bytes(image) // factor**2 if factor > 1 else 0
    return round(between * _bytes_per_pixel(image)) + copied + reduced


def has_limit() -> bool:
    """Return whether this system can limit the memory of a process."""
    return sys.platform == "linux"


def limit_memory(more_bytes: int) -> None:
    """Let this process take so much more memory than now: an allocation beyond fails."""
    if sys.platform == "linux":
        import resource

        status = Path("/proc/self/status").read_text(encoding="ascii")
        used_kib = int(status.partition("VmData:")[2].split()[0])
        # the data, unlike the address space, leaves out what the C library reserves for each thread
        limit = (used_kib << 10) + more_bytes
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
