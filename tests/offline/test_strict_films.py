"""Strict mode in films: people are shown from the first frame on, also after cuts, and in every photo."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.core.settings import BackgroundSettings, EdgeSettings, MattingSettings, Settings
from app.core.types import BgrImage
from app.media.encoders import file_encoder
from app.media.image_file import read_matte
from app.media.video_writer import VideoWriter
from app.offline.convert import convert
from tests.clips import demo

SIZE = 320, 180
STRICT = Settings(
    matting=MattingSettings(model="mattecam", edges=EdgeSettings(strict="balanced")),
    background=BackgroundSettings(kind="colour", colour="#00ff00"),
)


def write(path: Path, frames: list[BgrImage]) -> Path:
    writer = VideoWriter(path, *SIZE, 30, encoder=file_encoder(4))
    for frame in frames:
        writer.write(frame)
    writer.close()
    return path


def shares(source: Path, folder: Path) -> list[float]:
    """Return the share of every frame that the matte shows."""
    convert(source, folder / "out", settings=STRICT, alpha=folder / "alpha")
    return [float((read_matte(file) > 0.5).mean()) for file in sorted((folder / "alpha").iterdir())]


@pytest.mark.parametrize("cuts", [False, True])
def test_no_frame_of_a_film_is_lost_at_its_start_or_after_a_cut(cuts: bool, tmp_path: Path) -> None:
    frames = demo(*SIZE, range(5), empty_scene_s=0)
    if cuts:
        dark = [np.asarray(255 - frame[:, ::-1] // 3, np.uint8) for frame in demo(*SIZE, range(5), empty_scene_s=0)]
        frames = [*frames, *(np.ascontiguousarray(frame[:, ::-1]) for frame in dark), *frames]
    found = shares(write(tmp_path / "a.mkv", frames), tmp_path)
    people = found[: 5 if cuts else None] + (found[10:] if cuts else [])
    assert min(people) > 0.1
    assert min(people) > 0.9 * max(people)


def test_no_photo_is_lost(tmp_path: Path) -> None:
    (photo,) = demo(*SIZE, [0], empty_scene_s=0)
    (tmp_path / "in").mkdir()
    small: NDArray[np.uint8] = np.asarray(cv2.resize(photo, (288, 162)), np.uint8)
    for number, image in enumerate((photo, photo, small)):
        cv2.imwrite(str(tmp_path / "in" / f"{number}.png"), image)
    assert min(shares(tmp_path / "in", tmp_path)) > 0.1


def test_an_empty_scene_stays_empty(tmp_path: Path) -> None:
    found = shares(write(tmp_path / "a.mkv", demo(*SIZE, range(4), empty_scene_s=60)), tmp_path)
    assert max(found) < 0.01
