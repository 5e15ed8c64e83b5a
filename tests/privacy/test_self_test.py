"""The self-test passes engines that work and refuses those that do not, before a frame of theirs may leave."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from app.capture.demo import DemoSource
from app.core.errors import ModelError, PlateError
from app.core.settings import CaptureSettings, EdgeSettings, EngineSettings
from app.core.types import AlphaImage, Matte, PictureKind
from app.matting import build_engine
from app.matting.interface import EngineInfo, StepRequest
from app.runtime.context import default_parts
from app.runtime.self_test import self_test
from app.runtime.status import Phase
from mattecam.testing import ImmediateEngine
from tests.fakes.world import BASE, FakeWorld, kinds, running
from tests.matting.torch_stubs import NETWORKS
from tests.plate_weights import ALPHA, darker_than_the_plate, nobody
from tests.stand_ins import always
from tests.waiting import eventually

pytestmark = pytest.mark.torch

PLATE_SIZE = 320, 192


class Constant(ImmediateEngine):
    """Gives the same alpha everywhere."""

    def __init__(self, alpha: int) -> None:
        self.info = EngineInfo("mattecam", "constant", "float32", "cpu", 0.5, (320, 180))
        self.resets = 0
        self._alpha = alpha

    def matte(self, step: StepRequest) -> Matte:
        return Matte(step.frame.copy(), np.full(step.frame.shape[:2], self._alpha, np.uint8))

    def reset(self, seen: AlphaImage | None = None) -> None:
        self.resets += 1


@pytest.mark.parametrize("alpha", [0, 1, 127, 255])
def test_an_alpha_that_ignores_the_frame_is_refused(alpha: int) -> None:
    engine = Constant(alpha)

    with pytest.raises(ModelError, match="self-test"):
        self_test(engine, 640, 360)

    assert engine.resets == 2, "the frames of the test leave no recurrent state"


@pytest.mark.parametrize(
    "size",
    [pytest.param((640, 360), marks=pytest.mark.long), (640, 480), (180, 320), (160, 96), (64, 48)],
)
def test_the_bundled_network_passes_at_every_size(size: tuple[int, int]) -> None:
    with closing(build_engine(EngineSettings(model="mattecam", device="cpu"), *size)) as engine:
        self_test(engine, *size)


@pytest.mark.parametrize("value", [0.0, float("nan")])
@pytest.mark.parametrize("executor", ["eager", "openvino"])
def test_weights_of_zeros_or_without_numbers_are_refused(
    executor: str, value: float, tmp_path: Path
) -> None:
    state = {
        name: torch.full_like(tensor, value) if tensor.is_floating_point() else tensor
        for name, tensor in NETWORKS["mattecam"]().state_dict().items()
    }
    weights = tmp_path / "broken.pth"
    torch.save(state, weights)
    settings = EngineSettings(
        model="mattecam", weights=weights, executor=executor, device="cpu", precision="float32"
    )
    with pytest.raises(ModelError), closing(build_engine(settings, 320, 180)) as engine:
        self_test(engine, 320, 180)


def everyone() -> dict[str, Tensor]:
    """Weights of a plate network whose alpha is 255 everywhere."""
    tensors = darker_than_the_plate()
    for last in ("decoder.conv4.bias", "refiner.conv4.bias"):
        tensors[last][ALPHA] += 100
    return tensors


def scaled(factor: float) -> Callable[[], dict[str, Tensor]]:
    """Weights that work, multiplied by 0 or by no number."""
    return lambda: {name: value * factor for name, value in darker_than_the_plate().items()}


def with_plate(
    folder: Path, tensors: dict[str, Tensor], executor: str = "openvino"
) -> EngineSettings:
    """Return the settings of an engine that compares frames with the demo's empty scene."""
    torch.save(tensors, folder / "bgmv2.pth")
    cv2.imwrite(
        str(folder / "plate.png"), DemoSource(*PLATE_SIZE, 15, empty_scene_s=5, motion=0).render(0)
    )
    return EngineSettings(
        model="bgmv2-mobilenetv2",
        weights=folder / "bgmv2.pth",
        plate=folder / "plate.png",
        executor=executor,
        device="cpu",
        precision="float32",
    )


@pytest.fixture
def only_the_self_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable the detection of persons in the plate."""
    monkeypatch.setattr("app.matting.plate.picture.PersonFinder.finds_someone", always(False))


@pytest.mark.parametrize("executor", ["eager", "openvino"])
def test_a_plate_engine_that_works_passes_in_any_light_whatever_its_plate(
    executor: str, tmp_path: Path
) -> None:
    plate = DemoSource(*PLATE_SIZE, 15, empty_scene_s=5, motion=0).render(0)
    backdrop = np.zeros_like(plate)
    edges = EdgeSettings()
    with closing(
        build_engine(with_plate(tmp_path, darker_than_the_plate(), executor), *PLATE_SIZE)
    ) as engine:
        self_test(engine, *PLATE_SIZE)
        with pytest.raises(PlateError):  # the self-test does not prove the plate
            engine.step(StepRequest(np.full_like(plate, 250), backdrop, edges, "off"))
        for light in (1.0, 0.8):
            engine.step(StepRequest((plate * light).astype(np.uint8), backdrop, edges, "off"))
            self_test(engine, *PLATE_SIZE)


@pytest.mark.usefixtures("only_the_self_test")
@pytest.mark.parametrize(
    ("tensors", "executor"),
    [
        (everyone, "eager"),
        (nobody, "eager"),
        (scaled(torch.nan), "openvino"),
        (scaled(0), "openvino"),
    ],
)
def test_a_plate_engine_with_broken_weights_is_refused(
    tensors: Callable[[], dict[str, Tensor]], executor: str, tmp_path: Path
) -> None:
    settings = with_plate(tmp_path, tensors(), executor)
    with pytest.raises(ModelError), closing(build_engine(settings, *PLATE_SIZE)) as engine:
        self_test(engine, *PLATE_SIZE)


@pytest.mark.usefixtures("only_the_self_test")
def test_a_plate_engine_with_broken_weights_shows_the_card_alone(
    tmp_path: Path, world: FakeWorld
) -> None:
    engine = with_plate(tmp_path, everyone(), "eager")
    settings = BASE.replace(
        capture=CaptureSettings(source="demo", width=PLATE_SIZE[0], height=PLATE_SIZE[1], fps=30),
        matting=BASE.matting.replace(**engine.model_dump()),
    )
    parts = default_parts().with_sinks(virtual_camera=lambda *_: world.open_camera())
    with running(world, settings, parts=parts) as pipeline:

        def refused() -> bool:
            status = pipeline.status()
            return status.phase is Phase.WAITING and bool(status.problems)

        eventually(refused)  # the kernels may have to be compiled first
        count = len(world.pictures())
        eventually(world.has_sent, count + 10)
    assert kinds(world) == {PictureKind.STANDBY}
