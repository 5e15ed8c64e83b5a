"""Transparent parts of moving backgrounds show the background colour, as those of images do; animated WebP plays."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from app.compositing import open_background
from app.config.parsing import parse_background
from app.core.errors import BackgroundError
from app.core.settings import BackgroundSettings
from app.media.encoders import file_encoder
from app.media.video_reader import VideoReader
from app.media.video_writer import VideoWriter
from tests.paths import ROOT

FIELD = ROOT / "tests" / "field"
COLOUR, BGR = "#2050c0", (0xC0, 0x50, 0x20)
SHADES = [(200, 40, 40), (40, 200, 40), (40, 40, 200)]


def frames(name: str) -> list[NDArray[np.uint8]]:
    """Return pictures whose left half is clear and hides red."""
    made = []
    for shade in SHADES:
        image = np.zeros((48, 64, 4), np.uint8)
        image[:, :32] = 255, 0, 0, 0
        image[:, 32:] = *shade, 255
        made.append(image)
    return made


def write(path: Path) -> Path:
    images = [Image.fromarray(image) for image in frames(path.name)]
    if path.suffix == ".gif":
        images[0].save(path, save_all=True, append_images=images[1:], duration=100, disposal=2)
    elif path.suffix in (".png", ".apng"):
        images[0].save(path, "PNG", save_all=True, append_images=images[1:], duration=100, disposal=1)
    elif path.suffix == ".webp":
        images[0].save(path, save_all=True, append_images=images[1:], duration=100, lossless=True, exact=True)
    else:
        writer = VideoWriter(path, 64, 48, 10, encoder=file_encoder(4, path.suffix, alpha=True))
        for image in images:
            writer.write(np.ascontiguousarray(np.asarray(image)[..., [2, 1, 0, 3]]))
        writer.close()
    return path


def shown(path: Path, times_s: list[float], fit: str = "fill") -> list[NDArray[np.uint8]]:
    settings = parse_background(path, BackgroundSettings(colour=COLOUR)).replace(fit=fit)
    assert settings.kind == "video"
    with closing(open_background(settings, realtime=False)) as background:
        return [np.asarray(background.backdrop(64, 48, time_s)).copy() for time_s in times_s]


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.apng", "a.webp", "a.webm", "a.mov"])
def test_clear_parts_show_the_background_colour_and_the_others_play(name: str, tmp_path: Path) -> None:
    pictures = shown(write(tmp_path / name), [0.0, 0.1, 0.2, 0.35])
    for picture, shade in zip(pictures, [*SHADES, SHADES[0]], strict=True):
        assert np.abs(picture[24, 8].astype(int) - BGR).max() <= 4
        assert np.abs(picture[24, 56].astype(int) - shade[::-1]).max() <= 8


@pytest.mark.parametrize(
    "name",
    [
        "live-background-animated-transparent.gif",
        "live-background-vp9-alpha-hidden-red.webm",
    ],
)
def test_what_a_clear_part_hides_does_not_show(name: str) -> None:
    for picture in shown(FIELD / name, [0.0, 0.3, 1.0]):
        blue, green, red = (picture[..., channel].astype(int) for channel in range(3))
        assert not ((red > 200) & (green < 60) & (blue < 60)).any()
        assert (np.abs(picture.astype(int) - BGR).max(axis=2) <= 6).mean() > 0.2


def test_an_animated_webp_plays_at_its_times() -> None:
    pictures = shown(FIELD / "live-background-animated.webp", [0.0, 0.1, 0.25, 0.5])
    assert np.array_equal(pictures[0], pictures[1])
    assert not np.array_equal(pictures[1], pictures[2])
    assert len(list(VideoReader(FIELD / "live-background-animated.webp").frames())) == 8


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_damaged_animated_webp_is_a_sentence(share: float, tmp_path: Path) -> None:
    data = (FIELD / "live-background-animated.webp").read_bytes()
    path = tmp_path / "a.webp"
    path.write_bytes(data[: int(share * len(data))])
    try:
        with closing(open_background(parse_background(path), realtime=False)) as background:
            background.backdrop(64, 48, 0.0)
    except BackgroundError as error:
        assert str(path) in str(error)


def test_an_animated_webp_that_declares_too_much_is_refused(tmp_path: Path) -> None:
    images = [Image.new("RGB", (3000, 2000), (number % 2 * 255, number, 0)) for number in range(30)]
    images[0].save(tmp_path / "a.webp", save_all=True, append_images=images[1:], lossless=True, method=0)
    with pytest.raises(BackgroundError, match=r"a\.webp"):
        open_background(parse_background(tmp_path / "a.webp"))
