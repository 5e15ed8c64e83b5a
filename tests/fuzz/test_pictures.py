from __future__ import annotations

import io
import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.core.errors import BackgroundError, PlateError
from app.core.types import check_bgr
from app.matting.plate.plate import read_plate
from app.media.image_file import kind_of_file, read_image
from tests.fuzz.damage import damaged, sampled

SLOWEST_S = 20.0
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")


def picture() -> Image.Image:
    rows, columns = np.mgrid[0:90, 0:120]
    pixels = np.stack([rows * 2, columns * 2, (rows * columns) % 251], -1).astype(np.uint8)
    return Image.fromarray(pixels)


def encoded(form: str) -> bytes:
    file = io.BytesIO()
    image = picture().convert("P") if form == "GIF" else picture()
    exif = Image.Exif()
    exif[0x0112] = 6
    options: dict[str, object] = {"exif": exif} if form in ("JPEG", "PNG", "WEBP") else {}
    if form == "TIFF":
        options["compression"] = "tiff_lzw"
    image.save(file, form, **options)
    return file.getvalue()


@sampled(40, 1000)
@pytest.mark.parametrize("form", FORMATS)
def test_broken_pictures(tmp_path: Path, form: str, cases: int) -> None:
    path = tmp_path / f"case.{form.lower()}"
    whole = encoded(form)
    path.write_bytes(whole)
    assert read_image(path).shape in ((90, 120, 3), (120, 90, 3))
    for data in damaged(whole, cases, seed=len(form)):
        path.write_bytes(data)
        started_s = time.monotonic()
        try:
            check_bgr(read_image(path))
        except BackgroundError as error:
            assert str(path) in str(error)
        try:
            check_bgr(read_plate(path, 120, 90))
        except PlateError as error:
            assert str(path) in str(error)
        kind_of_file(path)
        assert time.monotonic() - started_s < SLOWEST_S


@pytest.mark.parametrize(
    ("width", "height", "words"),
    [
        (200_000, 200_000, "too large"),
        (40_000, 40_000, "too large"),
        (200_000, 10, r"huge\.png"),
        (15_000, 15_000, r"huge\.png"),
        (0, 5, r"huge\.png"),
        (1 << 30, 1, r"huge\.png"),
    ],
)
def test_a_small_file_that_promises_a_huge_picture(tmp_path: Path, width: int, height: int, words: str) -> None:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path = tmp_path / "huge.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")
    )
    with pytest.raises(BackgroundError, match=words):
        read_image(path)
    with pytest.raises(PlateError):
        read_plate(path, 120, 90)
