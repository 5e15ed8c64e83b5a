"""The self-test passes engines that work and refuses those that do not, before a frame of theirs may leave."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from app.core.errors import ModelError
from app.core.settings import EdgeSettings, EngineSettings
from app.core.types import AlphaImage, Backdrop, BgrImage, Matte
from app.matting import build_engine
from app.matting.base import EngineInfo
from app.runtime.engines.self_test import self_test
from app.runtime.pipeline import Pipeline
from app.runtime.status import Phase
from app.runtime.timing import Timing
from tests.fakes import FakeEngine, FakeWorld
from tests.matting.conftest import NETWORKS
from tests.runtime.test_pipeline import BASE, composites
from tests.waiting import eventually


class Constant:
    """Gives the same alpha everywhere."""

    def __init__(self, alpha: int, model: str = "student") -> None:
        self.info = EngineInfo(model, "constant", "float32", "cpu", 0.5, (320, 180))
        self.resets = 0
        self._alpha = alpha

    def step(self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, *, want_foreground: bool = False) -> Matte:
        return Matte(frame.copy(), np.full(frame.shape[:2], self._alpha, np.uint8))

    def reset(self, seen: AlphaImage | None = None) -> None:
        self.resets += 1

    def close(self) -> None:
        """Nothing to release."""


@pytest.mark.parametrize("alpha", [0, 1, 127, 255])
def test_an_alpha_that_ignores_the_frame_is_refused(alpha: int) -> None:
    engine = Constant(alpha)
    with pytest.raises(ModelError, match="self-test"):
        self_test(engine, 640, 360)
    assert engine.resets == 2, "the frames of the test leave no recurrent state"
    self_test(Constant(alpha, "bgmv2-mobilenetv2"), 640, 360)  # its plate is of another room


@pytest.mark.parametrize("size", [(640, 360), (640, 480), (180, 320), (160, 96), (64, 48)])
def test_the_bundled_network_passes_at_every_size(size: tuple[int, int]) -> None:
    engine = build_engine(EngineSettings(model="student", device="cpu"), *size)
    try:
        self_test(engine, *size)
    finally:
        engine.close()


@pytest.mark.parametrize("value", [0.0, float("nan")])
@pytest.mark.parametrize("executor", ["eager", "openvino"])
def test_weights_of_zeros_or_without_numbers_are_refused(executor: str, value: float, tmp_path: Path) -> None:
    state = {
        name: torch.full_like(tensor, value) if tensor.is_floating_point() else tensor
        for name, tensor in NETWORKS["student"]().state_dict().items()
    }
    weights = tmp_path / "broken.pth"
    torch.save(state, weights)
    settings = EngineSettings(model="student", weights=weights, executor=executor, device="cpu", precision="float32")
    with pytest.raises(ModelError):
        engine = build_engine(settings, 320, 180)
        try:
            self_test(engine, 320, 180)
        finally:
            engine.close()


def test_an_engine_that_fails_the_test_is_closed_and_none_of_its_frames_leaves() -> None:
    world = FakeWorld()
    broken = [True]

    def test(engine: object, width: int, height: int) -> None:
        if broken[0]:
            raise ModelError("The model fails its self-test; choose another.")

    pipeline = Pipeline(BASE, parts=replace(world.parts(), self_test=test), timing=Timing(engine_retry_s=0.05))
    pipeline.start()
    eventually(lambda: pipeline.status().phase is Phase.WAITING and bool(pipeline.status().problems))
    eventually(lambda: len(world.pictures()) > 20)
    assert all(picture.frame is None for picture in world.pictures())
    broken[0] = False
    composites(pipeline)
    assert pipeline.stop()
    assert FakeEngine.live == 0
