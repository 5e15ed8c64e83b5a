"""A headless run with a plate: source, Background Matting V2 with generated weights, recording, status."""

from __future__ import annotations

import json
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
GREEN = (0x40, 0xB1, 0x00)
CARD = (24, 24, 24)
"""Colours of the background and of the stand-by card, BGR."""
ROOM = DemoSource(*SIZE, 15, empty_scene_s=5, motion=0).render(0)
OTHER_ROOM = cv2.resize(
    np.random.default_rng(1).integers(0, 255, (6, 10, 3), np.uint8),
    SIZE,
    interpolation=cv2.INTER_CUBIC,
)
PLATES: dict[str, tuple[BgrImage, str, str]] = {
    "of the room": (ROOM, "", ""),
    "of another room": (np.asarray(OTHER_ROOM, np.uint8), "", "light or the camera has changed"),
    "of another camera": (ROOM, "usb-1", "was taken with another camera (usb-1)"),
    "with someone": (DemoSource(*SIZE, 15, motion=0).render(0), "", "plate.png shows a person"),
}
"""Plates, the cameras that are stored with them, and what the run says, which serves with the first one alone."""


@pytest.mark.parametrize("name", PLATES)
def test_a_run_shows_who_is_before_the_room_of_its_plate_and_ends_where_it_does_not_serve(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """A dark figure moves along the bottom edge of the empty room."""
    plate, camera, sentence = PLATES[name]
    clip, weights, file, out, report = (
        tmp_path / name for name in ("clip.avi", "bgmv2.pth", "plate.png", "out.mkv", "status.json")
    )
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter.fourcc(*"MJPG"), 15, SIZE)
    for index in range(30):
        writer.write(cv2.circle(ROOM.copy(), (4 * index, SIZE[1]), 40, (20, 20, 20), -1))
    writer.release()
    if camera:
        save_plate(file, np.asarray(plate), camera)
    else:
        cv2.imwrite(str(file), plate)
    torch.save(darker_than_the_plate(), weights)
    words = [
        "headless",
        "--source",
        str(clip),
        "--virtual-camera",
        "off",
        "--always-on",
        "--weights",
        str(weights),
    ]
    words += [
        "--model",
        "bgmv2-mobilenetv2",
        "--plate",
        str(file),
        "--device",
        "cpu",
        "--no-governor",
    ]
    words += [
        "--background",
        "#00b140",
        "--record",
        str(out),
        "--frames",
        "8",
        "--status-json",
        str(report),
    ]
    words += ["--size", "320x192", "--executor", "eager"]  # another one would convert the network
    code = main.main(words)

    recorded = [image for _, image in VideoReader(out).frames()] if out.exists() else []
    said = capsys.readouterr().err
    status = json.loads(report.read_text())
    unlike = np.min([np.abs(ROOM.astype(int) - colour).max(2) for colour in (GREEN, CARD)], 0) > 60
    assert unlike.mean() > 0.2
    for image in recorded:
        alike = np.abs(image.astype(int) - ROOM).max(2) < 25
        assert (alike & unlike).sum() / unlike.sum() < 0.02, "the room is in the recording"
    if sentence:
        assert code == 2 and sentence in said
        assert "take it again" in said or "take the picture of the empty room again" in said
        assert any(sentence in str(error) for error in status["errors"])
    else:
        assert code == 0, said
        assert status["model"] == "bgmv2-mobilenetv2"
        last = recorded[-1]  # the recording begins with the stand-by card
        assert last.shape == (192, 320, 3)
        np.testing.assert_allclose(last[:140].mean((0, 1)), GREEN, atol=6)
        assert last.min() < 40, "the figure is shown"
