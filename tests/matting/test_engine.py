"""Error handling of the engine, with failing executors."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.errors import ModelError
from app.core.settings import EdgeSettings
from app.matting.base.interface import ExecutorError, NotAMatteError, StepGeometry, is_device_lost
from app.matting.engine import FrameEngine
from tests.matting.stubs import FRAME, FailingBackend

OFF = EdgeSettings(strict="off")


@pytest.fixture
def made() -> list[FailingBackend]:
    return []


@pytest.fixture
def engine(made: list[FailingBackend]) -> FrameEngine:
    def make(geometry: StepGeometry) -> FailingBackend:
        made.append(FailingBackend(geometry))
        return made[-1]

    return FrameEngine("a-model", make, lambda width, height: StepGeometry(width, height, 0.5), 64, 48)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NotAMatteError(), "not numbers"),
        (RuntimeError("out of memory\nat line 3"), "ran out of memory on the device nowhere"),
    ],
)
def test_a_failure_is_named_and_starts_the_state_anew(
    engine: FrameEngine, made: list[FailingBackend], error: Exception, words: str
) -> None:
    made[0].error = error
    with pytest.raises(ModelError, match=words):
        engine.step(FRAME, FRAME, OFF)
    assert made[0].resets == 1

    made[0].error = None
    assert engine.step(FRAME, FRAME, OFF).alpha.shape == (48, 64)


def test_a_lost_device_that_refuses_the_reset_as_well_is_named(engine: FrameEngine, made: list[FailingBackend]) -> None:
    made[0].error = made[0].reset_error = RuntimeError("CUDA error: an illegal memory access was encountered")
    with pytest.raises(ExecutorError, match="failed on the device nowhere") as caught:
        engine.step(FRAME, FRAME, OFF)
    assert is_device_lost(caught.value)
    assert (caught.value.device, caught.value.precision) == ("nowhere", "float32")


def test_another_size_gets_another_executor(engine: FrameEngine, made: list[FailingBackend]) -> None:
    engine.step(FRAME, FRAME, OFF)
    assert len(made) == 1
    tall = np.zeros((64, 48, 3), np.uint8)
    engine.step(tall, tall, OFF)

    assert [executor.closed for executor in made] == [1, 0]
    assert engine.info.small_size == (24, 32)


def test_a_closed_engine_says_so_and_is_closed_once(engine: FrameEngine, made: list[FailingBackend]) -> None:
    engine.close()
    engine.close()
    engine.reset()
    assert (made[0].closed, made[0].resets) == (1, 0)
    with pytest.raises(ModelError, match="closed"):
        engine.step(FRAME, FRAME, OFF)


def test_wrong_pictures_are_refused(engine: FrameEngine) -> None:
    with pytest.raises(ValueError, match="backdrop"):
        engine.step(FRAME, FRAME[:20].copy(), OFF)
    with pytest.raises(TypeError):
        engine.step(FRAME.astype(np.float32), FRAME, OFF)


def test_a_scene_cut_starts_the_state_anew(engine: FrameEngine, made: list[FailingBackend]) -> None:
    random = np.random.default_rng(0)
    here, there = (np.repeat(np.repeat(random.integers(0, 256, (6, 8, 3), np.uint8), 8, 0), 8, 1) for _ in range(2))
    resets = []
    for frame in (here, here, there, there, here):
        engine.step(frame, FRAME, OFF)
        resets.append(made[0].resets)

    assert resets == [0, 0, 1, 1, 2]


def test_a_reset_is_followed_by_no_cut(engine: FrameEngine, made: list[FailingBackend]) -> None:
    """Else the people that strict mode is told of would be forgotten."""
    random = np.random.default_rng(0)
    engine.step(random.integers(0, 256, FRAME.shape, np.uint8), FRAME, OFF)

    engine.reset(np.full(FRAME.shape[:2], 255, np.uint8))
    engine.step(FRAME, FRAME, OFF)

    assert made[0].resets == 1
