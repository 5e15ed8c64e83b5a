from __future__ import annotations

import contextlib
import io
import struct
import time
import zlib
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from app.capture.video_file import VideoFileSource
from app.compositing import open_background
from app.core.errors import BackgroundError, PlateError, SourceLostError, SourceOpenError
from app.core.settings import BackgroundSettings
from app.core.types import check_bgr
from app.matting.plate.plate import read_plate
from app.media.image_file import kind_of_file, read_image
from tests.fuzz.damage import damaged, sampled
from tests.paths import ROOT

SLOWEST_S, SLOWEST_VIDEO_S = 20.0, 30.0
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000")


def picture() -> Image.Image:
    rows, columns = np.mgrid[0:90, 0:120]
    pixels = np.stack([rows * 2, columns * 2, (rows * columns) % 251], -1).astype(np.uint8)
    return Image.fromarray(pixels)


def encoded_picture(form: str) -> bytes:
    file = io.BytesIO()
    image = picture().convert("P") if form == "GIF" else picture()
    exif = Image.Exif()
    exif[0x0112] = 6
    options: dict[str, object] = {"exif": exif} if form in ("JPEG", "PNG", "WEBP") else {}
    if form == "TIFF":
        options["compression"] = "tiff_lzw"
    image.save(file, form, **options)
    return file.getvalue()


@sampled(100, 1000)
@pytest.mark.parametrize("name", ["IMG_0002.HEIC", "IMG_0004.avif"])
def test_broken_photos_of_telephones(tmp_path: Path, name: str, cases: int) -> None:
    """The libraries of HEIC and AVIF raise errors of their own."""
    path = tmp_path / name
    for data in damaged((ROOT / "tests/field/photo_folder_with_other_types" / name).read_bytes(), cases, seed=5):
        path.write_bytes(data)
        try:
            check_bgr(read_image(path))
        except BackgroundError as error:
            assert str(path) in str(error)
        kind_of_file(path)


@sampled(40, 1000)
@pytest.mark.parametrize("form", FORMATS)
def test_broken_pictures(tmp_path: Path, form: str, cases: int) -> None:
    path = tmp_path / f"case.{form.lower()}"
    whole = encoded_picture(form)
    path.write_bytes(whole)
    assert read_image(path).shape in ((90, 120, 3), (120, 90, 3))
    for data in damaged(whole, cases, seed=len(form)):
        path.write_bytes(data)
        started_s = time.process_time()
        try:
            check_bgr(read_image(path))
        except BackgroundError as error:
            assert str(path) in str(error)
        try:
            check_bgr(read_plate(path, 120, 90))
        except PlateError as error:
            assert str(path) in str(error)
        kind_of_file(path)
        assert time.process_time() - started_s < SLOWEST_S


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


KINDS = (
    ("mp4", "libx264"),
    ("mkv", "libx264"),
    ("webm", "libvpx-vp9"),
    ("avi", "mpeg4"),
    ("mov", "mjpeg"),
    ("gif", "gif"),
)
WIDTH, HEIGHT, FRAMES = 64, 48, 12


def encoded_video(folder: Path, suffix: str, codec: str) -> bytes:
    path = folder / f"whole.{suffix}"
    formats = {"gif": "rgb8", "mjpeg": "yuvj420p"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, formats.get(codec, "yuv420p")
        for index in range(FRAMES):
            image = np.full((HEIGHT, WIDTH, 3), index * 20, np.uint8)
            image[:, index * 5 : index * 5 + 5] = (250, 10, 60)
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    data = path.read_bytes()
    path.unlink()
    return data


def play_as_background(path: Path) -> int:
    """Return the number of backdrops that could be shown; -1 if the file was rejected with an error that names it."""
    try:
        background = open_background(BackgroundSettings(kind="video", path=path))
    except BackgroundError as error:
        assert str(path) in str(error) or path.name in str(error)
        return -1
    shown = 0
    with contextlib.closing(background):
        for moment in range(5):
            image = background.backdrop(80, 60, moment * 0.2)
            assert isinstance(image, np.ndarray) and image.shape == (60, 80, 3) and image.dtype == np.uint8
            shown += 1
    return shown


def play_as_source(path: Path) -> int:
    """Return the number of frames read; -1 if the file was rejected with an error that names it."""
    try:
        source = VideoFileSource(path, realtime=False)
    except SourceOpenError as error:
        assert path.name in str(error)
        return -1
    frames = 0
    with contextlib.closing(source):
        try:
            while frames < 4 * FRAMES:
                frame = source.read()
                if frame is not None:
                    check_bgr(frame.image)
                    frames += 1
        except SourceLostError as error:
            assert path.name in str(error)
    return frames


@sampled(20, 2000)
@pytest.mark.parametrize(("suffix", "codec"), KINDS)
def test_broken_videos(tmp_path: Path, suffix: str, codec: str, cases: int) -> None:
    whole = encoded_video(tmp_path, suffix, codec)
    path = tmp_path / f"case.{suffix}"
    path.write_bytes(whole)
    assert play_as_background(path) == 5 and play_as_source(path) == 4 * FRAMES
    for data in damaged(whole, cases, seed=len(codec)):
        path.write_bytes(data)
        started_s = time.process_time()
        assert play_as_background(path) in (-1, 5)
        assert play_as_source(path) >= -1
        assert time.process_time() - started_s < SLOWEST_VIDEO_S
