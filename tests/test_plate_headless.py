"""A whole run with a plate: source, Background Matting V2 with filled weights, recording, status."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from app import cli
from app.capture.demo import DemoSource
from app.plate_capture import save_plate
from app.video_reader import VideoReader
from models.bgmv2 import MattingRefine
from tests.golden.fill import fill

SIZE = 160, 96


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Filled weights whose matte is nobody: the first alpha is shifted far below zero."""
    tensors = fill(MattingRefine("mobilenetv2").state_dict())
    for name in ("decoder.conv4.bias", "refiner.conv4.bias"):
        tensors[name][0] -= 100
    torch.save(tensors, tmp_path / "bgmv2.pth")
    return tmp_path / "bgmv2.pth"


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """The empty room for two seconds; someone dark comes in at the lower edge."""
    room = DemoSource(*SIZE, 15, empty_room_s=5, motion=0)
    writer = cv2.VideoWriter(str(tmp_path / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 15, SIZE)
    for index in range(30):
        image = room.render(index)
        cv2.circle(image, (2 * index, SIZE[1]), 20, (20, 20, 20), -1)
        writer.write(image)
    writer.release()
    return tmp_path / "clip.avi"


def run(tmp_path: Path, plate: Path, weights: Path) -> tuple[int, dict[str, object]]:
    words = ["headless", "--source", str(tmp_path / "clip.avi"), "--virtual-camera", "off"]
    words += ["--model", "bgmv2-mobilenetv2", "--weights", str(weights), "--plate", str(plate), "--device", "cpu"]
    words += ["--background", "#00b140", "--record", str(tmp_path / "out.mkv"), "--frames", "8", "--no-governor"]
    words += ["--executor", "eager", "--size", "160x96", "--always-on", "--status-json", str(tmp_path / "status.json")]
    code = cli.main(words)
    return code, json.loads((tmp_path / "status.json").read_text())


@pytest.mark.usefixtures("clip")
def test_with_a_plate(tmp_path: Path, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plate = tmp_path / "plate.png"
    save_plate(plate, DemoSource(*SIZE, 15, empty_room_s=5, motion=0).render(0), "usb-1")

    code, status = run(tmp_path, plate, weights)

    said = capsys.readouterr().err
    assert code == 0, said
    assert status["model"] == "bgmv2-mobilenetv2"
    assert "taken with another camera (usb-1)" in said
    *_, last = (image for _, image in VideoReader(tmp_path / "out.mkv").frames())  # it begins with the stand-by card
    assert last.shape == (96, 160, 3)
    np.testing.assert_allclose(last.mean((0, 1)), (0x40, 0xB1, 0x00), atol=6)


@pytest.mark.usefixtures("clip")
def test_with_a_plate_of_another_room_nothing_is_shown(
    tmp_path: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plate = tmp_path / "plate.png"
    other = np.random.default_rng(1).integers(0, 255, (6, 10, 3), np.uint8)
    cv2.imwrite(str(plate), np.asarray(cv2.resize(other, SIZE, interpolation=cv2.INTER_CUBIC)))

    code, status = run(tmp_path, plate, weights)

    assert code == 1
    assert "take the plate again" in capsys.readouterr().err
    assert status["frames_out"] == 0
