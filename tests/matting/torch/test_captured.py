"""Recorded steps: on a GPU as graphs; on the CPU with a recorder that runs the step again into the same memory."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from app.core.matte_edit import MatteEdit, View
from app.core.settings import EdgeSettings
from app.core.types import Backdrop, BgrImage, BlurredBackground, Matte
from app.matting.base.interface import NotAMatteError, StepGeometry
from app.matting.selection.trial import PORTRAIT
from app.matting.torch import captured
from app.matting.torch.captured import SettledStep
from app.matting.torch.core import Core, PlateCore, StepOutput
from app.matting.torch.networks import load_core, place
from app.matting.torch.torch_backend import DTYPES, TorchBackend
from models.bgmv2.network import MattingRefine
from models.mattecam.bundled import load_bundled
from tests.golden.fill import fill
from tests.matting.networks import frames
from tests.matting.stubs import Fixed

pytestmark = pytest.mark.torch

WIDTH, HEIGHT = 320, 192
GEOMETRY = StepGeometry(WIDTH, HEIGHT, 0.5)
OFF, BALANCED = EdgeSettings(strict="off"), EdgeSettings()
SOFT = EdgeSettings(strict="off", temporal_smoothing=0.6, feather_px=4, contrast=0.3, despill=0.5)
SETTLED_STEPS = 3


@pytest.fixture(autouse=True)
def _settles_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captured, "SETTLED_STEPS", SETTLED_STEPS)


def run_again(step: Callable[[], StepOutput]) -> tuple[StepOutput, Callable[[], None]]:
    """Record on the CPU: the same memory and order as a graph's, without a graph."""
    output = step()

    def repeat() -> None:
        for mine, other in zip(tensors_of(output), tensors_of(step()), strict=True):
            mine.copy_(other)

    return output, repeat


def tensors_of(output: StepOutput) -> list[torch.Tensor]:
    """Return the tensors that a step makes anew."""
    made = *output.pixels, output.finite
    return [tensor for tensor in made if tensor is not None]


def backend(core: Core | None = None, *, record: captured.Recorder | None = None) -> TorchBackend:
    """Return a backend on the CPU, of the bundled network by default, that records its steps if `record` is given."""
    made = TorchBackend(core or Core(load_bundled()).eval(), GEOMETRY)
    if record is not None:
        made.settled = SettledStep(made.frame_step, record)
    return made


def is_captured(made: TorchBackend) -> bool:
    return made.settled is not None and made.settled.captured


def people(count: int) -> list[BgrImage]:
    """Return frames in which a person moves to the right."""
    photo = cv2.resize(np.asarray(cv2.imread(str(PORTRAIT), cv2.IMREAD_COLOR), np.uint8), (HEIGHT, HEIGHT))
    frame = cv2.copyMakeBorder(photo, 0, 0, 0, WIDTH - HEIGHT, cv2.BORDER_REPLICATE)
    return [np.roll(frame, 3 * index, 1).astype(np.uint8) for index in range(count)]


Step = tuple[BgrImage, Backdrop, EdgeSettings, bool]


def steps() -> Iterator[Step]:
    """Frames whose backdrop and controls change, before and after they have settled."""
    pictures, (wall, beach) = people(8), frames(WIDTH, HEIGHT, 2)
    blurs = BlurredBackground(40), BlurredBackground(60)
    plans: list[tuple[Backdrop, EdgeSettings, bool, int]] = [
        (wall, BALANCED, False, 6), (beach, BALANCED, False, 2), (beach, OFF, False, 2), (beach, BALANCED, False, 2),
        (beach, SOFT, False, 7), (beach, SOFT, True, 6), (blurs[0], BALANCED, False, 6), (blurs[1], BALANCED, False, 6),
    ]  # fmt: skip
    number = 0
    for backdrop, edges, foreground, count in plans:
        for _ in range(count):
            yield pictures[number % len(pictures)], backdrop, edges, foreground
            number += 1


def mattes_of(made: TorchBackend, resets: Sequence[int] = (9, 20)) -> Iterator[Matte]:
    """Yield a matte per step; `resets`: the steps before which the stream starts anew."""
    for number, (frame, backdrop, edges, foreground) in enumerate(steps()):
        if number in resets:
            made.reset(np.full((HEIGHT, WIDTH), 255, np.uint8))
        yield made.step(frame, backdrop, edges, want_foreground=foreground)


def assert_same(found: Matte, right: Matte, most: float = 0) -> None:
    pairs = [(found.alpha, right.alpha), (found.composite, right.composite)]
    if right.foreground is not None:
        assert found.foreground is not None
        pairs.append((found.foreground, right.foreground))
    for one, other in pairs:
        assert np.abs(one.astype(int) - other).mean() <= most


@pytest.fixture(scope="module")
def unrecorded() -> list[Matte]:
    """The mattes of steps that are not recorded."""
    return [copy.deepcopy(matte) for matte in mattes_of(backend())]


def test_recorded_steps_return_the_same_as_the_step(unrecorded: list[Matte]) -> None:
    recorded = backend(record=run_again)
    found: list[bool] = []
    shown = 0
    for matte, right in zip(mattes_of(recorded), unrecorded, strict=True):
        assert_same(matte, right)
        found.append(is_captured(recorded))
        shown += int(matte.alpha.any())
    assert found.count(True) > len(found) // 2, "most steps are recorded ones"
    assert shown > len(found) // 2


def test_a_recorded_step_is_used_again_after_other_controls_for_a_moment() -> None:
    recorded, frame, wall = backend(record=run_again), *people(1), *frames(WIDTH, HEIGHT, 1)
    for edges, expected in [*[(OFF, None)] * SETTLED_STEPS, (OFF, None), (OFF, True), (BALANCED, True), (OFF, True)]:
        recorded.step(frame, wall, edges)
        if expected is not None:
            assert is_captured(recorded) is expected


class SometimesBlind(Core):
    """The bundled network, which finds no number where the frame is black."""

    def forward(self, small: torch.Tensor, *state: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(torch.where(small.amax() > 0, each, torch.nan) for each in super().forward(small, *state))


@pytest.mark.parametrize("edges", [BALANCED, SOFT])
def test_a_failed_step_leaves_the_stream_as_it_was(edges: EdgeSettings) -> None:
    recorded = backend(SometimesBlind(load_bundled()).eval(), record=run_again)
    wall = frames(WIDTH, HEIGHT, 1)[0]
    for picture in people(9):
        recorded.step(picture, wall, edges)
    assert is_captured(recorded)
    before = {name: array.copy() for name, array in recorded.state().items()}

    with pytest.raises(NotAMatteError):
        recorded.step(np.zeros_like(wall), wall, edges)

    for name, array in recorded.state().items():
        np.testing.assert_array_equal(array, before[name])


def test_a_step_that_cannot_be_recorded_runs_on(unrecorded: list[Matte], caplog: pytest.LogCaptureFixture) -> None:
    tries = 0

    def fails(step: Callable[[], StepOutput]) -> tuple[StepOutput, Callable[[], None]]:
        nonlocal tries
        tries += 1
        raise RuntimeError("out of memory")

    for matte, right in zip(mattes_of(backend(record=fails)), unrecorded, strict=True):
        assert_same(matte, right)
    assert tries == 1
    assert "could not be recorded" in caplog.text


def test_a_recorded_step_that_is_wrong_is_not_used(unrecorded: list[Matte], caplog: pytest.LogCaptureFixture) -> None:
    def wrong(step: Callable[[], StepOutput]) -> tuple[StepOutput, Callable[[], None]]:
        output, repeat = run_again(step)

        def spoil() -> None:
            repeat()
            output.pixels.composite[:, : WIDTH // 8] = 0

        return output, spoil

    for matte, right in zip(mattes_of(backend(record=wrong)), unrecorded, strict=True):
        assert_same(matte, right)
    assert "differs" in caplog.text


def test_an_editor_is_asked_at_every_frame() -> None:
    recorded, plain, wall = backend(record=run_again), backend(), frames(WIDTH, HEIGHT, 1)[0]
    editor = Fixed(MatteEdit(view=View(0.2, 0.2, 0.5)))
    for number, frame in enumerate(people(SETTLED_STEPS + 4)):
        edit = editor if number > SETTLED_STEPS + 1 else None
        found = recorded.step(frame, wall, OFF, edit)
        assert_same(found, plain.step(frame, wall, OFF, edit))
    assert len(editor.seen) == 4, "two of each"


def core_of(name: str, weights: dict[str, Path], precision: str) -> Core:
    """Return one of every kind of core, on the GPU."""
    if name == "bgmv2":
        plated = MattingRefine("mobilenetv2")
        plated.load_state_dict(fill(plated.state_dict()))
        core: Core = PlateCore(plated.requires_grad_(False), frames(WIDTH, HEIGHT, 1)[0], 0.5, 640).eval()
    else:
        core = copy.deepcopy(load_core(name, weights[name], "auto", GEOMETRY.ratio, "cpu", "float32"))
    placed: Core = place(core, "cuda", DTYPES[precision])  # type: ignore[assignment]
    return placed


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("precision", ["float16", "float32"])
@pytest.mark.parametrize("name", ["mattecam", "rvm-mobilenetv3", "u2netp", "bgmv2"])
def test_on_a_gpu_recorded_steps_return_the_same(name: str, precision: str, weights: dict[str, Path]) -> None:
    geometry = StepGeometry(WIDTH, HEIGHT, 1.0) if name == "bgmv2" else GEOMETRY
    recorded, plain = (TorchBackend(core_of(name, weights, precision), geometry, "cuda", precision) for _ in range(2))
    plain.settled = None
    found, kept = [], []
    for matte, right in zip(mattes_of(recorded), mattes_of(plain), strict=True):
        found.append(is_captured(recorded))
        assert_same(matte, right, most=0.6)
        kept.append((matte, matte.composite.copy()))
    assert found.count(True) > len(found) // 2
    assert all(np.array_equal(matte.composite, before) for matte, before in kept), "the next step overwrote a result"
    recorded.close()
    plain.close()
