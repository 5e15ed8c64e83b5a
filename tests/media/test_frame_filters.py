"""Colours of decoded frames: tables and filters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame

from app.core.types import BgrImage
from app.media.frame_filters import (
    BT2020_PRIMARIES,
    GAMMA,
    PRIMARIES,
    Transfer,
    Values,
    deinterlaced,
    in_bt709,
    matrix_to_bt709,
    nits_to_pq,
    pq_to_nits,
    to_bt709,
    to_xyz,
)
from app.media.video_input import VideoInput
from app.media.video_reader import VideoReader
from tests.clips import write_clip, writing

LUMINANCE = to_xyz(PRIMARIES[BT2020_PRIMARIES])[1]
COLOURS = np.array([[1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0.8, 0.55, 0.45], [0.3, 0.3, 0.3]])
WHITE_NITS = 80.0
"""Light of the brightest test colour, dark enough to be kept as it is."""
NAMES: dict[Transfer, str] = {"pq": "smpte2084", "hlg": "arib-std-b67", "sdr": "bt2020-10"}


def encoded(colours: Values, transfer: Transfer) -> Values:
    """Return the values of BT.709 colours in a BT.2020 video."""
    light = np.maximum(colours, 1e-4) ** GAMMA @ np.linalg.inv(matrix_to_bt709(BT2020_PRIMARIES)).T
    if transfer == "sdr":
        return np.asarray(np.clip(light, 0, 1) ** (1 / GAMMA))
    if transfer == "pq":
        return nits_to_pq(light * WHITE_NITS)
    shown = light * WHITE_NITS / 1000
    scene = shown * (shown @ LUMINANCE)[..., None] ** (-0.2 / 1.2)
    bright = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.asarray(np.where(scene <= 1 / 12, np.sqrt(3 * scene), bright))


def write_hdr(path: Path, transfer: Transfer, rotation: int = 0) -> Path:
    """Write stripes of 32 pixels, one for each of COLOURS."""
    image = np.repeat(np.repeat(encoded(COLOURS, transfer)[None], 64, axis=0), 32, axis=1)
    rgb = av.VideoFrame.from_ndarray(np.round(image * 65535).astype(np.uint16), "rgb48le")
    frame = rgb.reformat(format="yuv444p10le", dst_colorspace=9)
    parameters = f"colorprim=bt2020:transfer={NAMES[transfer]}:colormatrix=bt2020nc"
    options = {"crf": "4", "x264-params": parameters}
    with writing(path, size=(192, 64), pixels="yuv444p10le", options=options) as (container, stream):
        if rotation:
            stream.set_display_rotation(rotation)
        for number in range(3):
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
    return path


@pytest.mark.parametrize("transfer", ["pq", "hlg", "sdr"])
def test_colours_are_those_of_a_standard_display(tmp_path: Path, transfer: Transfer) -> None:
    frames = list(VideoReader(write_hdr(tmp_path / "in.mp4", transfer)).frames())
    assert [time_s for time_s, _ in frames] == [Fraction(number, 25) for number in range(3)]
    shown = frames[1][1][32, 16::32, ::-1].astype(int)
    dimmed = 1.0 if transfer == "sdr" else (WHITE_NITS / 203) ** (1 / GAMMA)
    expected = np.round(COLOURS * dimmed * 255)
    assert np.abs(shown - expected)[[0, 4, 5]].max() <= 3
    assert np.abs(shown - expected).max() <= 30  # dark channels of saturated colours: 4 % of the light at most


def test_an_hdr_video_is_turned_upright(tmp_path: Path) -> None:
    (_, image), *_ = VideoReader(write_hdr(tmp_path / "in.mp4", "pq", rotation=90)).frames()
    assert image.shape == (192, 64, 3)
    assert image[16, 32].min() < 60 < 160 < image[176, 32].min()


def test_light_and_values_of_pq_are_those_of_the_standard() -> None:
    assert nits_to_pq(np.array([0.0, 100, 203, 1000, 10_000])) == pytest.approx(
        [0, 0.5081, 0.5807, 0.7518, 1], abs=1e-4
    )
    nits = np.geomspace(0.01, 10_000, 50)
    assert pq_to_nits(nits_to_pq(nits)) == pytest.approx(nits, rel=1e-6)


@pytest.mark.parametrize("transfer", ["pq", "hlg"])
def test_highlights_are_compressed_without_a_step(transfer: Transfer) -> None:
    grey = np.linspace(0, 1, 500)[:, None].repeat(3, axis=1)
    shown = to_bt709(grey, transfer)[:, 1]
    assert np.all(np.diff(shown) >= 0) and np.diff(shown).max() < 0.01
    assert shown[0] == 0 and shown[-1] == pytest.approx(1, abs=1e-3)
    white = float(np.interp(0.75 if transfer == "hlg" else 0.5807, grey[:, 0], shown))
    assert 0.85 < white < 0.95


COUNT = 8


def moving(number: int, size: tuple[int, int] = (192, 96)) -> VideoFrame:
    """A bar that moves; odd rows show it later than even ones."""
    image = np.zeros((*size[::-1], 3), np.uint8)
    image[0::2, number * 8 : number * 8 + 20] = 255
    image[1::2, number * 8 + 4 : number * 8 + 24] = 255
    return VideoFrame.from_ndarray(image, "bgr24")


def write_interlaced(path: Path, *, flagged: bool = True, rotation: int = 0) -> Path:
    options = {"crf": "5"} | ({"x264-params": "tff=1:colormatrix=bt709:fullrange=on"} if flagged else {})
    with writing(path, size=(192, 96), options=options) as (container, stream):
        if rotation:
            stream.set_display_rotation(rotation)
        for number in range(COUNT):
            container.mux(stream.encode(moving(number)))
    return path


def combing(image: BgrImage) -> float:
    """How much a row differs from the mean of its neighbours."""
    rows = image[:, :, 1].astype(int)
    return float(np.abs(rows[2:] + rows[:-2] - 2 * rows[1:-1]).mean())


def test_interlaced_frames_show_no_combs_and_keep_their_times(tmp_path: Path) -> None:
    reader = VideoReader(write_interlaced(tmp_path / "in.mp4"))
    frames = list(reader.frames())
    assert [time_s for time_s, _ in frames] == [Fraction(number, 25) for number in range(COUNT)]
    assert max(combing(image) for _, image in frames) < 2
    assert not reader.is_cut and not reader.damaged
    (plain,) = {
        round(combing(image)) for _, image in VideoReader(write_interlaced(tmp_path / "p.mp4", flagged=False)).frames()
    }
    assert plain > 10


def test_rotation_and_colours_are_kept(tmp_path: Path) -> None:
    path = write_interlaced(tmp_path / "in.mp4", rotation=90)
    with av.open(str(path)) as container:
        (decoded, *_) = container.decode(video=0)
    with closing(VideoInput(path)) as video:
        (first, *others) = video.frames()
    assert len(others) == COUNT - 1
    for name in ("colorspace", "color_range", "color_primaries", "color_trc", "rotation", "width", "height"):
        assert getattr(first, name) == getattr(decoded, name), name
    assert decoded.colorspace == 1 and abs(decoded.rotation) == 90


def test_progressive_frames_are_the_decoded_ones(tmp_path: Path) -> None:
    with av.open(str(write_clip(tmp_path / "in.mp4", 4))) as container:
        given = list(container.decode(video=0))
    assert list(map(id, deinterlaced(given))) == list(map(id, given))


@pytest.mark.parametrize("size", [(2, 2), (96, 48)])
def test_frames_of_another_size_are_all_there(tmp_path: Path, size: tuple[int, int]) -> None:
    with av.open(str(write_interlaced(tmp_path / "in.mp4"))) as container:
        interlaced = list(container.decode(video=0))

    def mixed() -> Iterator[VideoFrame]:
        yield from interlaced
        yield moving(0, size)
        yield from interlaced

    assert [(frame.width, frame.height) for frame in deinterlaced(mixed())] == [
        *[(192, 96)] * COUNT,
        size,
        *[(192, 96)] * COUNT,
    ]


def test_video_that_becomes_interlaced_keeps_its_times(tmp_path: Path) -> None:
    frames = []
    for flagged in False, True:
        with av.open(str(write_interlaced(tmp_path / f"{flagged}.mp4", flagged=flagged))) as container:
            frames += list(container.decode(video=0))
    for number, frame in enumerate(frames):
        frame.pts, frame.time_base, frame.color_primaries = number, Fraction(1, 25), 9
    times = [frame.time for frame in in_bt709(deinterlaced(frames))]
    assert times == pytest.approx([number / 25 for number in range(2 * COUNT)])


def test_frames_that_the_filter_cannot_take_pass_unchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with av.open(str(write_interlaced(tmp_path / "in.mp4"))) as container:
        given = list(container.decode(video=0))
    monkeypatch.setattr("app.media.frame_filters.DEINTERLACE", "mode=wrong")
    assert list(map(id, deinterlaced(given))) == list(map(id, given))
