"""Colours of images with a profile, and of video of a wide gamut, are those of sRGB."""

from __future__ import annotations

import io
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from app.backgrounds import open_background
from app.config.setting import parse_background
from app.gui.backgrounds.library import thumbnail
from app.matting.plate.picture import read_plate
from app.media.frame_filters import PRIMARIES, matrix_to_bt709
from app.media.headers import needs_dolby_vision
from app.media.image_file import read_cut_out, read_image
from app.media.video_input import VideoError, open_container
from app.media.video_reader import VideoReader
from tests.clips import writing
from tests.paths import ROOT

FIELD = ROOT / "tests" / "field"
PLAIN = FIELD / "live-background-patches-srgb.png"
PROFILED = [FIELD / f"live-background-patches-{name}" for name in ("display-p3-profile.jpg", "adobe-rgb-profile.png")]


def distance(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(np.percentile(np.abs(one.astype(int) - other), 99))


@pytest.mark.parametrize("file", PROFILED, ids=["Display P3", "Adobe RGB"])
def test_an_image_with_a_profile_looks_as_in_srgb(file: Path) -> None:
    plain = read_image(PLAIN)
    assert distance(read_image(file), plain) <= 4
    assert distance(read_cut_out(file), plain) <= 4


@pytest.mark.parametrize("file", PROFILED, ids=["Display P3", "Adobe RGB"])
def test_backgrounds_plates_and_thumbnails_have_these_colours(file: Path) -> None:
    def background(path: Path, width: int, height: int) -> NDArray[np.uint8]:
        return np.asarray(open_background(parse_background(path)).backdrop(width, height, 0.0))

    for read in (background, read_plate, thumbnail):
        assert distance(read(file, 320, 180), read(PLAIN, 320, 180)) <= 5


def shown_of_p3(colour: tuple[int, int, int]) -> NDArray[np.float64]:
    """Return the colour in sRGB."""
    values = np.array(colour) / 255
    light = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4) @ matrix_to_bt709(12).T
    return np.asarray(255 * np.where(light <= 0.0031308, light * 12.92, 1.055 * light.clip(0) ** (1 / 2.4) - 0.055))


def p3_profile() -> bytes:
    with Image.open(PROFILED[0]) as image:
        profile = image.info["icc_profile"]
    assert isinstance(profile, bytes)
    return profile


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "avif"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "LA"])
def test_every_format_and_mode_is_converted(suffix: str, mode: str, tmp_path: Path) -> None:
    if (suffix == "jpg" and mode != "RGB") or (mode in ("P", "LA") and suffix in ("webp", "avif")):
        pytest.skip("the format has no such mode")
    colour = (120, 120, 120) if mode == "LA" else (180, 100, 80)
    image = Image.new("RGB", (40, 30), colour)
    image = image.quantize(2) if mode == "P" else image.convert(mode)
    if "A" in mode:
        image.putalpha(128)
    options = {"lossless": True} if suffix == "webp" else {"quality": 100} if suffix in ("jpg", "avif") else {}
    image.save(tmp_path / f"a.{suffix}", icc_profile=p3_profile(), **options)
    found = read_cut_out(tmp_path / f"a.{suffix}")
    assert np.abs(found[10, 10, 2::-1] - shown_of_p3(colour)).max() <= 3
    assert found.shape[2] == (4 if "A" in mode else 3)
    if "A" in mode:
        assert np.abs(found[..., 3].astype(int) - 128).max() <= 1


def grey_profile() -> bytes:
    """Return the profile of linear light."""
    white = struct.pack(">3i", *(round(each * 65536) for each in (0.9642, 1, 0.8249)))
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 2) + b"g" + bytes(83),
        b"wtpt": b"XYZ " + bytes(4) + white,
        b"kTRC": b"curv" + bytes(4) + struct.pack(">IH", 1, 256) + bytes(2),
    }
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += name + struct.pack(">II", 132 + 12 * len(tags) + len(body), len(data))
        body += data
    head = struct.pack(">I4sI4s4s4s", 128 + len(table) + len(body), b"lcms", 0x02400000, b"mntr", b"GRAY", b"XYZ ")
    return (head + bytes(12) + b"acsp" + bytes(28) + white).ljust(128, b"\0") + table + body


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_a_grey_profile_is_converted(mode: str, tmp_path: Path) -> None:
    image = Image.new("L", (8, 8), 55)
    if mode == "LA":
        image = image.convert("LA")
        image.putalpha(100)
    image.save(tmp_path / "a.png", icc_profile=grey_profile())
    assert list(read_cut_out(tmp_path / "a.png")[4, 4]) == [128, 128, 128, *([100] if mode == "LA" else [])]


def test_lab_is_converted(tmp_path: Path) -> None:
    lab = Image.new("LAB", (8, 8), (180, 128, 128))
    lab.save(tmp_path / "lab.tif")
    grey = read_image(tmp_path / "lab.tif")[4, 4].astype(int)
    assert np.ptp(grey) <= 2 and 160 < grey[0] < 190


@pytest.mark.parametrize("profile", [b"no profile", p3_profile()[:200], b"\0" * 5_000_000, b""])
def test_a_broken_profile_leaves_the_colours_as_they_are(profile: bytes, tmp_path: Path) -> None:
    image = Image.new("RGB", (8, 8), (200, 60, 30))
    image.save(tmp_path / "a.tif", icc_profile=profile)
    assert tuple(read_image(tmp_path / "a.tif")[4, 4]) == (30, 60, 200)


def test_a_profile_of_other_pixels_is_not_used(tmp_path: Path) -> None:
    cmyk = Image.new("CMYK", (8, 8), (0, 200, 200, 0))
    cmyk.save(tmp_path / "a.tif")
    cmyk.save(tmp_path / "b.tif", icc_profile=p3_profile())
    assert np.array_equal(read_image(tmp_path / "a.tif"), read_image(tmp_path / "b.tif"))


def write_wide(path: Path, primaries: int, colours: NDArray[np.float64]) -> Path:
    """Write a video whose stripes show these BT.709 colours in a wide gamut."""
    light = np.maximum(colours, 1e-4) ** 2.4 @ np.linalg.inv(matrix_to_bt709(primaries)).T
    values = np.repeat(np.repeat((light.clip(0, 1) ** (1 / 2.4))[None], 64, axis=0), 32, axis=1)
    frame = av.VideoFrame.from_ndarray(np.round(values * 65535).astype(np.uint16), "rgb48le")
    with writing(path, size=(32 * len(colours), 64), pixels="yuv444p", options={"crf": "4"}) as (container, stream):
        codec = stream.codec_context
        codec.color_primaries, codec.color_trc, codec.colorspace = primaries, 1, 1
        for number in range(3):
            yuv = frame.reformat(format="yuv444p", dst_colorspace=1)
            yuv.pts, yuv.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(yuv))
    return path


@pytest.mark.parametrize("primaries", sorted(PRIMARIES))
def test_video_of_a_wide_gamut_has_the_colours_of_a_standard_display(primaries: int, tmp_path: Path) -> None:
    colours = np.array([[1, 1, 1], [0.8, 0.3, 0.2], [0.2, 0.7, 0.3], [0.25, 0.3, 0.8], [0.5, 0.5, 0.5]])
    _, image = next(VideoReader(write_wide(tmp_path / "a.mp4", primaries, colours)).frames())
    found = image[32, 16::32, ::-1] / 255
    assert np.abs(found - colours).max() < 0.03
    assert np.ptp(image[32, 16].astype(int)) <= 3, "white stays white"


def record(profile: int, compatible: int) -> bytes:
    return bytes([1, 0, profile << 1, 5 << 3 | 5, compatible << 4]) + bytes(19)


@pytest.mark.parametrize(
    ("profile", "compatible", "refused"), [(5, 0, True), (10, 0, True), (8, 4, False), (8, 1, False)]
)
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_colours_of_dolby_vision_alone_are_refused_in_a_sentence(
    profile: int, compatible: int, refused: bool, suffix: str, tmp_path: Path
) -> None:
    path = write_wide(tmp_path / f"a.{suffix}", 12, np.ones((2, 3)))
    data = path.read_bytes()
    if suffix == "mp4":  # the box goes to the end of the sample entry; all boxes around it grow
        box = (32).to_bytes(4, "big") + b"dvcC" + record(profile, compatible)
        at = data.rindex(b"avc1") - 4
        end = at + int.from_bytes(data[at : at + 4], "big")
        grown = bytearray(data[:end] + box + data[end:])
        for kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"):
            start = bytes(grown).rindex(kind, 0, at + 8) - 4
            size = int.from_bytes(grown[start : start + 4], "big") + len(box)
            grown[start : start + 4] = size.to_bytes(4, "big")
        path.write_bytes(grown)
    else:
        path.write_bytes(data[:400] + b"\x41\xe7\x84dvcC\x41\xed\x98" + record(profile, compatible) + data[400:])
    assert needs_dolby_vision(path) == refused
    if refused:
        with pytest.raises(VideoError, match="Dolby Vision"):
            open_container(path)


def test_whether_dolby_vision_is_needed_is_looked_for_in_any_file(tmp_path: Path) -> None:
    for number, content in enumerate((b"", b"dvcC", b"\x1aE\xdf\xa3dvcC\x41\xed", b"\0\0\0\x10stsddvcC")):
        (tmp_path / str(number)).write_bytes(content)
        assert not needs_dolby_vision(tmp_path / str(number))


def test_a_large_jpeg_is_not_told_to_become_a_jpeg(tmp_path: Path) -> None:
    from app.core.errors import BackgroundError

    data = io.BytesIO()
    Image.new("L", (8, 8)).save(data, "JPEG")
    head = bytearray(data.getvalue())
    at = head.index(b"\xff\xc0") + 5
    head[at : at + 4] = (40_000).to_bytes(2, "big") + (60_000).to_bytes(2, "big")
    (tmp_path / "a.jpg").write_bytes(head)
    with pytest.raises(BackgroundError, match="too large; save it in a smaller size") as error:
        read_cut_out(tmp_path / "a.jpg", 16_384)
    assert "JPEG" not in str(error.value)
