"""One step of several streams in a batch gives each stream the mattes of its own frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from app.core.errors import ModelError
from app.core.settings import EdgeSettings, MattingSettings
from app.core.types import Backdrop, BgrImage, BlurredBackground, Matte
from app.matting.base.interface import Pending, StepGeometry
from app.matting.engine.frame_engine import FrameEngine, step_together
from app.matting.torch.networks import load_core
from app.matting.torch.torch_backend import TorchBackend, run_batch
from tests.matting.networks import BuildEngine, frames

pytestmark = pytest.mark.torch

STREAMS, STEPS = 3, 4
GIVEN = [frames(160, 96, STEPS, seed) for seed in range(STREAMS)]
BACKDROPS = [np.full((96, 160, 3), 80 * index, np.uint8) for index in range(STREAMS)]


def executors(weights: Path, model: str, count: int = STREAMS) -> list[TorchBackend]:
    core = load_core(model, weights, "auto", 0.5, "cpu", "float32")
    return [TorchBackend(core, StepGeometry(160, 96, 0.5)) for _ in range(count)]


def nearly(one: BgrImage, other: BgrImage) -> bool:
    return int(np.abs(one.astype(int) - other).max()) <= 1


EDGES = {
    "plain": EdgeSettings(strict="off"),
    "edges": EdgeSettings(strict="off", temporal_smoothing=0.5, feather_px=2),
    "strict": EdgeSettings(),
}


@pytest.mark.parametrize(
    ("model", "kind", "blur"),
    [(model, kind, False) for model in ("rvm-mobilenetv3", "mattecam", "toy") for kind in EDGES]
    + [("toy", kind, True) for kind in EDGES],
)
def test_a_batch_gives_each_stream_its_own_mattes(weights: dict[str, Path], model: str, kind: str, blur: bool) -> None:
    edges = EDGES[kind]
    behind: list[Backdrop] = [BlurredBackground(50)] * STREAMS if blur else [*BACKDROPS]
    alone, together = executors(weights[model], model), executors(weights[model], model)
    for executor in (*alone, *together):
        executor.reset(np.full((96, 160), 255, np.uint8))
    for step in range(STEPS):
        given = [stream[step] for stream in GIVEN]
        expected = [
            each.step(frame, back, edges).result() for each, frame, back in zip(alone, given, behind, strict=True)
        ]
        mattes = run_batch(together, given, behind, edges)
        for matte, right in zip(mattes, expected, strict=True):
            assert nearly(matte.alpha, right.alpha)
            assert nearly(matte.composite, right.composite)
    assert edges.strict != "off" or not np.array_equal(expected[0].alpha, expected[1].alpha)


class BatchedBackend(TorchBackend):
    """Lets batches run on the CPU, as on a GPU, and counts single steps."""

    singles = 0

    @property
    def batch_key(self) -> object | None:
        return "one group"

    def step(self, *arguments: Any, **named: Any) -> Pending:
        BatchedBackend.singles += 1
        return super().step(*arguments, **named)


def batched_engines(weights: Path) -> list[FrameEngine]:
    core = load_core("mattecam", weights, "auto", 0.5, "cpu", "float32")
    BatchedBackend.singles = 0
    return [
        FrameEngine(
            "mattecam",
            lambda geometry: BatchedBackend(core, geometry),
            lambda width, height: StepGeometry(width, height, 0.5),
            160,
            96,
        )
        for _ in range(STREAMS)
    ]


def test_streams_of_one_kind_are_batched(weights: dict[str, Path]) -> None:
    engines = batched_engines(weights["mattecam"])
    done = step_together(engines, [stream[0] for stream in GIVEN], BACKDROPS, EdgeSettings())
    assert all(isinstance(each, Matte) for each in done)
    assert BatchedBackend.singles == 0


def test_a_stream_that_fails_does_not_affect_the_others(weights: dict[str, Path]) -> None:
    engines = batched_engines(weights["mattecam"])
    for step in range(2):
        step_together(engines, [stream[step] for stream in GIVEN], BACKDROPS, EdgeSettings())
    failing = engines[1].backend
    assert isinstance(failing, TorchBackend)
    failing.recurrent = tuple(torch.full_like(tensor, np.nan) for tensor in failing.recurrent)
    expected = [engines[index].state() for index in (0, 2)]

    done = step_together(engines, [stream[2] for stream in GIVEN], BACKDROPS, EdgeSettings())

    assert isinstance(done[1], ModelError)
    fresh = batched_engines(weights["mattecam"])
    for engine, state, index in zip(fresh, expected, (0, 2), strict=False):
        engine.load_state(state)
        right, matte = engine.step(GIVEN[index][2], BACKDROPS[index], EdgeSettings()).result(), done[index]
        assert isinstance(matte, Matte)
        np.testing.assert_array_equal(matte.alpha, right.alpha)


def test_a_scene_cut_starts_one_stream_of_a_batch_anew(weights: dict[str, Path]) -> None:
    random = np.random.default_rng(0)
    here, there = (np.kron(random.integers(0, 256, (12, 20, 3), np.uint8), np.ones((8, 8, 1), np.uint8)) for _ in "ab")
    engines = batched_engines(weights["mattecam"])
    for _ in range(3):
        step_together(engines, [here] * STREAMS, BACKDROPS, EdgeSettings(strict="off"))

    done = step_together(engines, [here, there, here], BACKDROPS, EdgeSettings(strict="off"))

    right = batched_engines(weights["mattecam"])[0].step(there, BACKDROPS[1], EdgeSettings(strict="off")).result()
    assert isinstance(done[1], Matte)
    assert nearly(done[1].alpha, right.alpha)


def test_frames_of_several_sizes_run_one_after_the_other(weights: dict[str, Path]) -> None:
    engines = batched_engines(weights["mattecam"])
    given = [GIVEN[0][0], frames(128, 96, 1)[0], GIVEN[2][0]]
    behind = [np.zeros_like(frame) for frame in given]
    done = step_together(engines, given, behind, EdgeSettings())
    assert [each.alpha.shape for each in done if isinstance(each, Matte)] == [(96, 160), (96, 128), (96, 160)]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_a_gpu_batches_by_itself(weights: dict[str, Path], engines: BuildEngine) -> None:
    settings = MattingSettings(model="mattecam", weights=weights["mattecam"], device="cuda", downsample_ratio=0.5)
    alone, together = ([engines(settings, 160, 96) for _ in range(STREAMS)] for _ in range(2))
    for step in range(STEPS):
        given = [stream[step] for stream in GIVEN]
        mattes = step_together(together, given, BACKDROPS, EdgeSettings())
        for matte, engine, frame, back in zip(mattes, alone, given, BACKDROPS, strict=True):
            right = engine.step(frame, back, EdgeSettings()).result()
            assert isinstance(matte, Matte)
            assert np.abs(matte.alpha.astype(int) - right.alpha).mean() < 1
