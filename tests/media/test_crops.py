"""Edges of frames that a container does not show are left out."""

from __future__ import annotations

import struct
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.backgrounds.kinds import VideoBackground
from app.core.settings import BackgroundSettings
from app.core.types import BgrImage
from app.media.headers import read_header
from app.media.video_reader import VideoReader
from app.settings import Settings
from tests.clips import pictures, write_clip
from tests.offline.converting import run
from tests.paths import ROOT

NONE = Settings(background=BackgroundSettings(kind="none"))
FIELD = ROOT / "tests" / "field" / "matroska_pixel_crop_30_lines.mkv"
SIZE = 96, 48
TempFolders = pytest.TempPathFactory


def with_box(path: Path, box: bytes) -> Path:
    """Add a box to the sample description of an MP4 film; all boxes around it grow."""
    data = bytearray(path.read_bytes())
    at = data.rindex(b"avc1") - 4
    end = at + struct.unpack_from(">I", data, at)[0]
    data[end:end] = box
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"):
        start = data.rindex(kind, 0, at + 8) - 4
        struct.pack_into(">I", data, start, struct.unpack_from(">I", data, start)[0] + len(box))
    path.write_bytes(data)
    return path


def clean_aperture(width: int, height: int, right_by: int = 0, down_by: int = 0) -> bytes:
    """Return the box that shows so many pixels, away from the middle by half pixels."""
    return struct.pack(">I4sIIIIiIiI", 40, b"clap", width, 1, height, 1, right_by, 2, down_by, 2)


def frames_of(path: Path) -> list[BgrImage]:
    return [image for _, image in VideoReader(path).frames()]


def test_a_crop_of_matroska_is_that_of_the_film(tmp_path: Path) -> None:
    whole = pictures(FIELD)

    report = run(FIELD, tmp_path / "out.mp4", NONE)

    assert report.frames == 20
    assert pictures(tmp_path / "out.mp4")[0].shape == (180, 320, 3)
    assert np.array_equal(frames_of(FIELD)[3], whole[3][30:210])


@pytest.mark.parametrize(
    ("box", "rows", "columns"),
    [
        (clean_aperture(80, 40), (4, 44), (8, 88)),
        (clean_aperture(80, 40, 16, -8), (0, 40), (16, 96)),
        (clean_aperture(96, 41, 0, 7), (7, 48), (0, 96)),
        (clean_aperture(96, 48), (0, 48), (0, 96)),
        (clean_aperture(100, 40), (0, 48), (0, 96)),
        (clean_aperture(80, 40, 1000), (0, 48), (0, 96)),
        (struct.pack(">I4sIIIIiIiI", 40, b"clap", 80, 0, 40, 0, 0, 1, 0, 1), (0, 48), (0, 96)),
    ],
    ids=[
        "middle",
        "corner",
        "odd",
        "all",
        "wider than the film",
        "beside the film",
        "without a size",
    ],
)
@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_a_clean_aperture_is_that_of_the_film(
    suffix: str, box: bytes, rows: tuple[int, int], columns: tuple[int, int], tmp_path: Path
) -> None:
    whole = frames_of(write_clip(tmp_path / f"whole.{suffix}", 4, size=SIZE))
    path = with_box(write_clip(tmp_path / f"in.{suffix}", 4, size=SIZE), box)

    shown = frames_of(path)

    assert len(shown) == 4
    for image, before in zip(shown, whole, strict=True):
        assert np.array_equal(image, before[slice(*rows), slice(*columns)])


def test_a_turned_film_is_cropped_before_it_is_turned(tmp_path: Path) -> None:
    path = with_box(
        write_clip(tmp_path / "in.mp4", 2, size=SIZE, rotation=90), clean_aperture(80, 40)
    )

    reader = VideoReader(path)

    assert (reader.width, reader.height) == (40, 80)
    assert {image.shape for _, image in reader.frames()} == {(80, 40, 3)}


def test_a_background_is_cropped() -> None:
    with closing(VideoBackground(FIELD, realtime=False)) as background:
        image = background.backdrop(320, 180, 0.0)

    assert np.array_equal(image, frames_of(FIELD)[0])


@given(
    content=st.binary(min_size=32, max_size=32)
    | st.lists(st.integers(0, 200), min_size=8, max_size=8)
)
def test_no_clean_aperture_is_larger_than_the_film(
    content: bytes | list[int], tmp_path_factory: TempFolders
) -> None:
    numbers = content if isinstance(content, bytes) else struct.pack(">8I", *content)
    path = tmp_path_factory.getbasetemp() / "clap.mp4"
    write_clip(path, 1, size=SIZE)

    crop = read_header(with_box(path, struct.pack(">I4s", 40, b"clap") + numbers)).video(0).crop

    assert min(crop.left, crop.top, crop.right, crop.bottom) >= 0
    assert crop.left + crop.right < SIZE[0] and crop.top + crop.bottom < SIZE[1]
