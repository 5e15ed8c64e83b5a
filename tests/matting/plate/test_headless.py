"""A headless run with a plate: source, Background Matting V2 with generated weights, recording, status."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from app.capture.demo import DemoSource
from app.cli import main
from app.core.types import BgrImage
from app.matting.plate.picture import save_plate
from app.media.video_reader import VideoReader
from tests.plate_weights import darker_than_the_plate

pytestmark = pytest.mark.torch

SIZE = 320, 192
GREEN = 0x40, 0xB1, 0x00
"""Colour of the background, BGR."""
CARD = 24, 24, 24
"""Colour of the stand-by card, BGR."""


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Return a clip of the empty room in which a dark figure moves along the bottom edge."""
    room = DemoSource(*SIZE, 15, empty_scene_s=5, motion=0)
    writer = cv2.VideoWriter(str(tmp_path / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 15, SIZE)
    for index in range(30):
        image = room.render(index)
        cv2.circle(image, (4 * index, SIZE[1]), 40, (20, 20, 20), -1)
        writer.write(image)
    writer.release()
    return tmp_path / "clip.avi"


def run(clip: Path, plate: Path) -> tuple[int, dict[str, object], list[BgrImage]]:
    """Return exit code, status and the recorded frames."""
    folder, weights = plate.parent, plate.with_name("bgmv2.pth")
    torch.save(darker_than_the_plate(), weights)
    words = ["headless", "--source", str(clip), "--virtual-camera", "off", "--always-on", "--no-governor"]
    words += ["--model", "bgmv2-mobilenetv2", "--weights", str(weights), "--plate", str(plate), "--device", "cpu"]
    words += ["--background", "#00b140", "--record", str(folder / "out.mkv"), "--frames", "8"]
    words += ["--status-json", str(folder / "status.json"), "--size", "320x192"]
    words += ["--executor", "eager"]  # another one would convert the network
    code = main.main(words)
    recorded = [image for _, image in VideoReader(folder / "out.mkv").frames()] if (folder / "out.mkv").exists() else []
    return code, json.loads((folder / "status.json").read_text()), recorded


def test_with_a_plate(tmp_path: Path, clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plate = tmp_path / "plate.png"
    cv2.imwrite(str(plate), DemoSource(*SIZE, 15, empty_scene_s=5, motion=0).render(0))

    code, status, recorded = run(clip, plate)

    said = capsys.readouterr().err
    assert code == 0, said
    assert status["model"] == "bgmv2-mobilenetv2"
    last = recorded[-1]  # the recording begins with the stand-by card
    assert last.shape == (192, 320, 3)
    np.testing.assert_allclose(last[:140].mean((0, 1)), GREEN, atol=6)
    assert last.min() < 40, "the figure is shown"


def another_room(path: Path) -> str:
    """Write an image of another place; return the expected message."""
    other = np.random.default_rng(1).integers(0, 255, (6, 10, 3), np.uint8)
    cv2.imwrite(str(path), np.asarray(cv2.resize(other, SIZE, interpolation=cv2.INTER_CUBIC)))
    return "light or the camera has changed"


def another_camera(path: Path) -> str:
    """Write the image of the room, but of another camera."""
    save_plate(path, DemoSource(*SIZE, 15, empty_scene_s=5, motion=0).render(0), "usb-1")
    return "was taken with another camera (usb-1)"


def absent(path: Path) -> str:
    return "cannot be read (it does not exist)"


def with_someone(path: Path) -> str:
    cv2.imwrite(str(path), DemoSource(*SIZE, 15, motion=0).render(0))
    return f"{path} shows a person"


@pytest.mark.parametrize("make", [another_room, another_camera, absent, with_someone])
def test_a_plate_that_does_not_serve_ends_the_run_and_nothing_is_shown(
    tmp_path: Path, clip: Path, capsys: pytest.CaptureFixture[str], make: Callable[[Path], str]
) -> None:
    sentence = make(tmp_path / "plate.png")

    code, status, recorded = run(clip, tmp_path / "plate.png")

    assert code == 1
    said = capsys.readouterr().err
    assert sentence in said
    assert "take it again" in said or "take the picture of the empty room again" in said
    assert any(sentence in str(error) for error in status["errors"])  # type: ignore[attr-defined]
    room = DemoSource(*SIZE, 15, empty_scene_s=5, motion=0).render(0)
    unlike = np.min([np.abs(room.astype(int) - colour).max(2) for colour in (GREEN, CARD)], 0) > 60
    assert unlike.mean() > 0.2
    for image in recorded:
        alike = np.abs(image.astype(int) - room).max(2) < 25
        assert (alike & unlike).sum() / unlike.sum() < 0.02, "the room is in the recording"
