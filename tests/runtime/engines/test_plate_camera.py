"""A plate serves the camera that it was captured with, and no other one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.core.settings import EngineSettings, FramingSettings, MattingSettings
from app.core.types import Frame, SourceInfo
from app.runtime.board import StatusBoard
from app.runtime.engines.decision import Decision, Run
from app.runtime.engines.selector import EngineSelector
from app.runtime.plate.capture import save_plate
from app.runtime.timing import Timing
from tests.runtime.engines.simulated import IMAGE, SimulatedEngine, no_test, whole_settings
from tests.waiting import eventually

MODEL = "bgmv2-mobilenetv2"


class Cameras:
    """An `EngineSelector` that is given frames of several cameras of one size."""

    def __init__(self, plate: Path) -> None:
        self.settings = whole_settings(MattingSettings(model=MODEL, plate=plate, governor=False))
        self.board = StatusBoard()
        self.selector = EngineSelector(self._build, no_test, self.board, Timing())
        self.models: list[tuple[str, str]] = []
        """Camera and model of every frame that was to be matted."""

    def decide(self, camera: str) -> Decision:
        info = SourceInfo("camera", camera, camera, IMAGE.shape[1], IMAGE.shape[0], 30.0, "")
        generation = 1 + ord(camera[0])
        decision = self.selector.decide(Frame(IMAGE, 0, 0.0, source=info), generation, self.settings)
        if isinstance(decision, Run):
            self.models.append((camera, decision.engine.info.model))
        return decision

    def settles(self, camera: str, model: str) -> bool:
        decision = self.decide(camera)
        return isinstance(decision, Run) and decision.engine.info.model == model and not self.selector.busy

    def errors(self) -> str:
        return " ".join(self.board.read().errors)

    def _build(self, settings: EngineSettings, width: int, height: int, framing: FramingSettings) -> SimulatedEngine:
        return SimulatedEngine(settings, width, height)


@pytest.fixture
def cameras(tmp_path: Path) -> Iterator[Cameras]:
    save_plate(tmp_path / "plate.png", np.zeros((9, 16, 3), np.uint8), "one")
    made = Cameras(tmp_path / "plate.png")
    made.selector.preparer.start()
    yield made
    made.selector.preparer.request_stop()
    assert made.selector.preparer.join(60)
    made.selector.close_engine()


def test_at_a_switch_a_plate_of_another_camera_is_refused(cameras: Cameras) -> None:
    """The engine went on with the frames of the other camera; only headless printed a warning."""
    eventually(lambda: cameras.settles("one", MODEL))
    eventually(lambda: cameras.settles("two", "auto"))
    assert ("two", MODEL) not in cameras.models
    assert "was taken with another camera (one)" in cameras.errors()
    eventually(lambda: cameras.settles("one", MODEL))


def test_a_plate_of_unknown_origin_is_compared_anew_with_each_camera(cameras: Cameras, tmp_path: Path) -> None:
    (tmp_path / "plate.png.json").unlink()
    eventually(lambda: cameras.settles("one", MODEL))
    first = cameras.decide("one")
    eventually(lambda: cameras.settles("two", MODEL))
    second = cameras.decide("two")
    assert isinstance(first, Run) and isinstance(second, Run)
    assert first.engine is not second.engine, "an engine that has seen no frame yet proves its plate first"
    assert not cameras.errors()


def test_a_choice_that_fails_leaves_the_engine_with_the_plate_in_use(cameras: Cameras) -> None:
    eventually(lambda: cameras.settles("one", MODEL))
    running = cameras.decide("one")
    assert isinstance(running, Run)
    missing = cameras.settings.matting.plate
    assert missing is not None
    absent = missing.with_name("other.png")
    save_plate(absent, np.zeros((9, 16, 3), np.uint8), "three")
    cameras.settings = whole_settings(MattingSettings(model=MODEL, plate=absent, governor=False))
    eventually(lambda: "(three)" in f"{cameras.decide('one')}{cameras.errors()}")
    again = cameras.decide("one")
    assert isinstance(again, Run) and again.engine is running.engine
