"""HDR and wide-gamut video gets the colours of a standard display."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from app.media.frame_filters import GAMMA, LUMINANCE, TO_BT709, Transfer, Values, nits_to_pq, pq_to_nits, to_bt709
from app.media.video_reader import VideoReader

COLOURS = np.array([[1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0.8, 0.55, 0.45], [0.3, 0.3, 0.3]])
WHITE_NITS = 80.0
"""Light of the brightest test colour, dark enough to be kept as it is."""
NAMES: dict[Transfer, str] = {"pq": "smpte2084", "hlg": "arib-std-b67", "sdr": "bt2020-10"}


def encoded(colours: Values, transfer: Transfer) -> Values:
    """Return the values of BT.709 colours in a BT.2020 video."""
    light = np.maximum(colours, 1e-4) ** GAMMA @ np.linalg.inv(TO_BT709).T
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
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "4", "x264-params": parameters})
        stream.width, stream.height, stream.pix_fmt = 192, 64, "yuv444p10le"
        if rotation:
            stream.set_display_rotation(rotation)
        for number in range(3):
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
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
