"""The bundled network that sees the empty room, in every executor that runs it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from app.core.errors import PlateError
from app.core.settings import EdgeSettings, MattingSettings
from app.core.types import AlphaImage, BgrImage
from app.matting import choose_model
from app.matting.openvino.openvino_backend import RecurrentNetwork
from models.table import auto_order
from tests.clips import demo
from tests.matting.networks import BuildEngine

SIZE = (640, 360)
OFF = EdgeSettings(strict="off")


ROOM, STILL_ROOM, PERSON = demo(*SIZE, (0, 7, 31), empty_scene_s=1.0, motion=0)
"""From a tripod, (360, 640, 3): twice the empty room, and with a person."""


@pytest.fixture(autouse=True)
def _nobody_in_the_plate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable the detection of persons: in this cut, the demo's flag resembles one."""
    monkeypatch.setattr("app.matting.plate.picture.PersonFinder.finds_someone", lambda people, plate: False)


@pytest.fixture(params=[pytest.param("eager", marks=pytest.mark.torch), "openvino"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> MattingSettings:
    """Return settings with the demo's empty room as the plate, for each executor."""
    cv2.imwrite(str(tmp_path / "plate.png"), ROOM)
    return MattingSettings(
        model="mattecam-plate",
        plate=tmp_path / "plate.png",
        device="cpu",
        precision="float32",
        executor=request.param,
    )


def mattes(settings: MattingSettings, engines: BuildEngine, frame: BgrImage, edges: EdgeSettings = OFF) -> AlphaImage:
    """Return alpha of a still frame after three steps."""
    engine = engines(settings, *SIZE)
    return [engine.step(frame, np.zeros_like(frame), edges).alpha for _ in range(3)][-1]


def test_the_person_is_shown_and_nothing_of_the_room(settings: MattingSettings, engines: BuildEngine) -> None:
    alpha = mattes(settings, engines, PERSON)
    other = (cv2.blur(np.abs(PERSON.astype(np.float32) - ROOM), (9, 9)).max(2) > 12).astype(np.uint8)
    near = cv2.dilate(other, np.ones((61, 61), np.uint8)) > 0
    assert 0.2 < near.mean() < 0.9
    assert alpha[~near].max() == 0
    assert 0.15 < (alpha > 230).mean() < 0.6


@pytest.mark.parametrize("settings", ["openvino"], indirect=True)
@pytest.mark.parametrize("moved_px", [20, 60, 200])
def test_nothing_is_shown_of_a_room_whose_camera_was_moved(
    settings: MattingSettings, engines: BuildEngine, moved_px: int
) -> None:
    """A third to a half of it was: what the network took for people was not compared."""
    cv2.imwrite(str(settings.plate), np.roll(ROOM, moved_px, 1))
    with pytest.raises(PlateError, match="take it again"):
        mattes(settings, engines, STILL_ROOM)


@pytest.mark.parametrize("settings", ["openvino"], indirect=True)
def test_where_the_frame_is_the_plate_nobody_is_shown_whatever_the_network_finds(
    settings: MattingSettings, engines: BuildEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RecurrentNetwork, "infer", lambda self, steady: self.arrays["matte"].fill(1))
    assert mattes(settings, engines, STILL_ROOM).max() == 0


def test_the_plate_takes_on_the_light_of_the_frame(settings: MattingSettings, engines: BuildEngine) -> None:
    darker = np.asarray(PERSON * 0.8, np.uint8)
    bright, dark = (mattes(settings, engines, frame) for frame in (PERSON, darker))
    assert np.abs(bright.astype(int) - dark).mean() < 6


@pytest.mark.torch
@pytest.mark.parametrize("settings", ["eager"], indirect=True)
def test_the_executors_agree(settings: MattingSettings, engines: BuildEngine) -> None:
    other = settings.replace(executor="openvino")
    for edges in (OFF, EdgeSettings()):
        here, there = (mattes(each, engines, PERSON, edges) for each in (settings, other))
        assert np.abs(here.astype(int) - there).mean() < 0.3


@pytest.mark.parametrize("gpu", [False, True])
def test_auto_does_not_take_it(settings: MattingSettings, gpu: bool) -> None:
    """With an exact plate it is worse than the bundled network on most cut-outs."""
    auto = settings.replace(model="auto", executor="auto")
    assert choose_model(auto) == choose_model(auto.replace(plate=None)) == "mattecam"
    assert "mattecam-plate" not in [spec.name for spec in auto_order(gpu=gpu, plate=True)]
