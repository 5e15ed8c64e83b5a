"""A plate serves the camera that it was captured with, and no other one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.core.settings import MattingSettings
from app.matting.plate.capture import save_plate
from app.runtime.engines.plan import Run
from tests.runtime.engines.simulated import Bench, bench
from tests.waiting import eventually

MODEL = "bgmv2-mobilenetv2"


@pytest.fixture
def plated(tmp_path: Path) -> MattingSettings:
    """Settings with a plate of the camera one."""
    save_plate(tmp_path / "plate.png", np.zeros((9, 16, 3), np.uint8), "one")
    return MattingSettings(model=MODEL, plate=tmp_path / "plate.png", governor=False)


def use(simulated: Bench, settings: MattingSettings, camera: str) -> str:
    """Return the model that mattes the frames of a camera."""
    return simulated.settle(settings, generation=1 + ord(camera[0]), camera=camera).model


def test_at_a_switch_a_plate_of_another_camera_is_refused(plated: MattingSettings) -> None:
    """The engine went on with the frames of the other camera; only headless printed a warning."""
    with bench() as simulated:
        assert use(simulated, plated, "one") == MODEL
        decision = simulated.decide(plated, generation=2, camera="two")
        assert not isinstance(decision, Run)
        assert use(simulated, plated, "two") == "auto"
        assert "was taken with another camera (one)" in simulated.status.errors[0]
        assert use(simulated, plated, "one") == MODEL


def test_a_plate_of_unknown_origin_is_compared_anew_with_each_camera(plated: MattingSettings, tmp_path: Path) -> None:
    (tmp_path / "plate.png.json").unlink()
    with bench() as simulated:
        assert use(simulated, plated, "one") == use(simulated, plated, "two") == MODEL
        assert len(simulated.built) == 2, "an engine that has seen no frame yet proves its plate first"
        assert not simulated.status.errors


def test_a_choice_that_fails_leaves_the_engine_with_the_plate_in_use(plated: MattingSettings, tmp_path: Path) -> None:
    save_plate(tmp_path / "other.png", np.zeros((9, 16, 3), np.uint8), "three")
    other = plated.replace(plate=tmp_path / "other.png")
    with bench() as simulated:
        use(simulated, plated, "one")
        running = simulated.matte(plated, camera="one").engine
        simulated.decide(other, camera="one")
        eventually(lambda: not simulated.selector.preparer.busy)
        assert simulated.matte(other, camera="one").engine is running
        assert "(three)" in simulated.status.errors[0]
