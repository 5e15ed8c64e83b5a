"""The contract of all engines and executors, for every network."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from app.core.errors import ModelError
from app.core.settings import EdgeSettings, MattingSettings
from app.core.types import Backdrop, BlurredBackground
from app.matting import build_engine
from app.matting.choice import hardware
from app.matting.engine import FrameEngine
from app.matting.interface import StepRequest
from app.matting.torch import torch_backend
from app.media.video_reader import VideoReader
from models.table import NETWORKS as TABLE
from tests.golden.fill import fill
from tests.matting.stubs import EDGES, BuildEngine, assert_closing_frees, frames
from tests.matting.torch_stubs import NETWORKS
from tests.paths import shared

pytestmark = pytest.mark.torch

RATIO = 0.5
FRAME, BACKDROP = frames(160, 96, 2)


WAYS: list[Any] = [
    "rvm-mobilenetv3 eager cpu float32",
    "rvm-mobilenetv3 openvino cpu float32",
    "mattecam openvino cpu float32",
    "u2netp eager cpu float32",
    "toy eager cpu float32",
    "toy openvino cpu float32",
]
if hardware.cpu_has_bfloat16():
    WAYS.append("toy openvino cpu bfloat16")
    WAYS.append(pytest.param("rvm-mobilenetv3 openvino cpu bfloat16", marks=pytest.mark.long))
if torch.cuda.is_available():
    WAYS += [
        pytest.param(f"{model} eager cuda float16", marks=pytest.mark.gpu)
        for model in ("rvm-mobilenetv3", "toy")
    ]


@pytest.fixture(scope="module", params=WAYS)
def settings(request: pytest.FixtureRequest, weights: dict[str, Path]) -> MattingSettings:
    names = dict(
        zip(("model", "executor", "device", "precision"), request.param.split(), strict=True)
    )
    return MattingSettings(weights=weights[names["model"]], downsample_ratio=RATIO, **names)


@pytest.fixture(scope="module")
def _engine(settings: MattingSettings) -> Iterator[FrameEngine]:
    with closing(build_engine(settings, 160, 96)) as engine:
        assert isinstance(engine, FrameEngine)
        engine.step(
            StepRequest(FRAME, BACKDROP, EDGES, "off")
        )  # starts its threads here, outside of the tests
        yield engine


@pytest.fixture
def engine(_engine: FrameEngine) -> FrameEngine:
    """Return an engine that has forgotten the frames of other tests."""
    _engine.reset()
    return _engine


def test_matte_has_the_frames_size_and_the_composite_is_the_foreground_before_the_backdrop(
    settings: MattingSettings, engines: BuildEngine
) -> None:
    width = 101
    height = 133
    engine = engines(settings, width, height)
    frame = frames(width, height, 1)[0]
    backdrop = frames(width, height, 1, seed=7)[0]
    assert engine.step(StepRequest(frame, backdrop, EDGES, "off")).foreground is None, (
        "only on request"
    )
    matte = engine.step(StepRequest(frame, backdrop, EDGES, "off", want_foreground=True))
    assert (
        matte.foreground is not None
        and matte.foreground.shape == matte.composite.shape == frame.shape
    )
    assert matte.alpha.shape == (height, width)
    assert matte.alpha.dtype == matte.composite.dtype == np.uint8
    assert np.ptp(matte.alpha) > 0
    part = matte.alpha[..., None] / 255
    assert np.abs(matte.composite - (part * matte.foreground + (1 - part) * backdrop)).max() <= 1.6
    assert engine.info.small_size == (int(width * RATIO), int(height * RATIO))


def test_strict_mode_filters_only_networks_that_know_people(
    settings: MattingSettings, engine: FrameEngine
) -> None:
    """It removed the objects that the user wanted."""
    knows_people = not TABLE[settings.model].finds_any_object
    filtered = [
        engine.step(StepRequest(frame, BACKDROP, EDGES, "balanced")).alpha
        for frame in frames(160, 96, 2)
    ]
    engine.reset()
    plain = [
        engine.step(StepRequest(frame, BACKDROP, EDGES, "off")).alpha
        for frame in frames(160, 96, 2)
    ]

    assert engine.info.strict_mode == knows_people
    assert np.array_equal(filtered, plain) != knows_people


def test_reset_restores_the_first_frames_output(engine: FrameEngine) -> None:
    first, second, backdrop = frames(160, 96, 3)
    before = engine.step(StepRequest(first, backdrop, EDGES, "off"))
    engine.step(StepRequest(second, backdrop, EDGES, "off"))
    remembered = engine.step(StepRequest(first, backdrop, EDGES, "off"))
    engine.reset()
    after = engine.step(StepRequest(first, backdrop, EDGES, "off"))

    np.testing.assert_array_equal(after.alpha, before.alpha)
    np.testing.assert_array_equal(after.composite, before.composite)
    assert not np.array_equal(remembered.alpha, before.alpha)


def test_a_closed_engine_leaves_its_memory_at_once(settings: MattingSettings) -> None:
    """Each change of the network left 40 MB in reference cycles."""
    steps = [
        (frame, backdrop)
        for frame in frames(320, 192, 2)
        for backdrop in (frame, BlurredBackground(50))
    ]
    assert_closing_frees(partial(build_engine, settings, 320, 192, live=True), "backend", steps)


@pytest.mark.parametrize(
    "edges",
    [EDGES, EdgeSettings(feather_px=4, temporal_smoothing=0.5, despill=1)],
    ids=["off", "on"],
)
@pytest.mark.parametrize("backdrop", [None, BlurredBackground(30)], ids=["picture", "blur"])
def test_nothing_is_shared_or_written_to(
    engine: FrameEngine, edges: EdgeSettings, backdrop: Backdrop | None
) -> None:
    given = frames(160, 96, 4)
    kept = [frame.copy() for frame in given]
    for frame in given:
        frame.flags.writeable = False
    behind = given[3] if backdrop is None else backdrop
    mattes = [
        engine.step(StepRequest(frame, behind, edges, "off", want_foreground=True))
        for frame in given[:3]
    ]
    copies = [(m.alpha.copy(), m.composite.copy()) for m in mattes[:2]]
    engine.step(StepRequest(given[3], behind, edges, "off", want_foreground=True))
    outputs = [
        array for m in mattes for array in (m.alpha, m.composite, m.foreground) if array is not None
    ]

    assert len(outputs) == 3 * len(mattes)
    for index, output in enumerate(outputs):
        assert output.flags.c_contiguous
        assert not any(np.shares_memory(output, other) for other in [*given, *outputs[index + 1 :]])
    for frame, copy in zip(given, kept, strict=True):
        np.testing.assert_array_equal(frame, copy)
    for matte, (alpha, composite) in zip(mattes[:2], copies, strict=True):
        np.testing.assert_array_equal(matte.alpha, alpha)
        np.testing.assert_array_equal(matte.composite, composite)


@pytest.mark.parametrize("executor", ["eager", "openvino"])
def test_numbers_that_are_none_are_an_error(
    executor: str, engines: BuildEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        torch_backend, "load_state_dict", torch.load
    )  # the real one refuses such a file
    tensors = fill(NETWORKS["toy"]().state_dict())
    tensors["project.weight"].fill_(torch.nan)
    torch.save(tensors, tmp_path / "broken.pth")
    engine = engines(
        MattingSettings(
            model="toy", weights=tmp_path / "broken.pth", executor=executor, device="cpu"
        ),
        160,
        96,
    )
    for _ in range(2):
        with pytest.raises(ModelError, match="not numbers"):
            engine.step(StepRequest(FRAME, BACKDROP, EDGES, "off"))


@pytest.mark.long
@pytest.mark.parametrize(
    ("model", "ratio", "name"),
    [
        ("rvm-mobilenetv3", 0.375, "asl_book"),
        ("rvm-mobilenetv3", 0.375, "asl_walk"),
        ("rvm-mobilenetv3", 0.375, "asl_yes"),
        ("mattecam", 0.3, "asl_please"),
        ("mattecam", 0.3, "asl_yes"),
    ],
)
def test_executors_agree_on_real_clips(
    model: str, ratio: float, name: str, engines: BuildEngine
) -> None:
    pictures = [
        image
        for _, image in itertools.islice(VideoReader(shared(f"clips/{name}.mkv")).frames(), 16)
    ]
    height, width = pictures[0].shape[:2]
    weights = shared("weights/rvm_mobilenetv3.pth") if model == "rvm-mobilenetv3" else None
    settings = MattingSettings(
        model=model,
        weights=weights,
        downsample_ratio=ratio,
        device="cpu",
        executor="eager",
        precision="float32",
    )
    reference = engines(settings, width, height)
    exact = engines(settings.replace(executor="openvino"), width, height)
    fast = engines(settings.replace(executor="openvino", precision="bfloat16"), width, height)
    for frame in pictures:
        expected, same, rough = (
            engine.step(StepRequest(frame, BlurredBackground(50), settings.edges, "off")).alpha
            / 255
            for engine in (reference, exact, fast)
        )
        assert np.abs(same - expected).max() <= 1.01 / 255
        if hardware.cpu_has_bfloat16():
            error = np.abs(rough - expected)  # the decision stage steepens alpha near its threshold
            assert error.max() <= 4e-2 and error.mean() <= 2e-3
