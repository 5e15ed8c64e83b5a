"""Networks in torch: recorded steps, uploads, folded normalization, U2-Net's engine, and strict mode as on a CPU."""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from app.core.errors import ModelError
from app.core.settings import EdgeSettings, StrictLevel
from app.core.types import Backdrop, BgrImage, BlurredBackground, Floats, Matte, MatteEdit, View
from app.matting.choice.preparation import PORTRAIT
from app.matting.interface import NotAMatteError, StepGeometry, StepRequest
from app.matting.plate.picture import lit_plate
from app.matting.strict import cpu_strict
from app.matting.strict.torch_strict import components, initial_memory, strict_matte, with_people
from app.matting.torch import torch_backend
from app.matting.torch.frame_step import Core, PlateCore, StepOutput
from app.matting.torch.torch_backend import DTYPES, RecordedStep, Recorder, TorchBackend, load_core
from models.bgmv2 import MattingRefine
from models.mattecam.bundled import load
from models.mattecam.network import MattecamNetwork
from models.rvm.network import MattingNetwork
from models.table import BUNDLED
from models.u2net import HOLD, STILL, U2Net, blur_fusion, steadied
from tests.golden.fill import fill
from tests.matting.strict.rooms import HEIGHT as ROWS
from tests.matting.strict.rooms import SCENES, Blob, Stream, walking
from tests.matting.strict.rooms import WIDTH as COLUMNS
from tests.matting.stubs import EDGES, Fixed, frames

pytestmark = pytest.mark.torch

WIDTH = 160
HEIGHT = 96
GEOMETRY = StepGeometry(WIDTH, HEIGHT, 0.5)
SOFT = EdgeSettings(temporal_smoothing=0.6, feather_px=4, contrast=0.3, despill=0.5)
BALANCED: tuple[EdgeSettings, StrictLevel] = (EDGES, "balanced")
OFF: tuple[EdgeSettings, StrictLevel] = (EDGES, "off")
SOFT_OFF: tuple[EdgeSettings, StrictLevel] = (SOFT, "off")
SETTLED_STEPS = 3


def run_again(step: Callable[[], StepOutput]) -> tuple[StepOutput, Callable[[], None]]:
    """Record on the CPU: the same memory and order as a graph's, without a graph."""
    output = step()

    def repeat() -> None:
        again = step()
        for name in ("composite", "alpha", "foreground", "finite"):  # what a step makes anew
            if getattr(output, name) is not None:
                getattr(output, name).copy_(getattr(again, name))

    return output, repeat


def backend(core: Core | None = None, *, record: Recorder | None = None) -> TorchBackend:
    """Return a backend on the CPU, of the bundled network by default, that records its steps if `record` is given."""
    made = TorchBackend(core or Core(load()).eval(), GEOMETRY)
    if record is not None:
        made.recorded_step = RecordedStep(made.frame_step, record, SETTLED_STEPS)
    return made


def is_captured(made: TorchBackend) -> bool:
    return made.recorded_step is not None and made.recorded_step.recorded_form is not None


def people(count: int) -> list[BgrImage]:
    """Return frames in which a person moves to the right."""
    photo = cv2.resize(
        np.asarray(cv2.imread(str(PORTRAIT), cv2.IMREAD_COLOR), np.uint8), (HEIGHT, HEIGHT)
    )
    frame = cv2.copyMakeBorder(photo, 0, 0, 0, WIDTH - HEIGHT, cv2.BORDER_REPLICATE)
    return [np.roll(frame, 3 * index, 1).astype(np.uint8) for index in range(count)]


def mattes_of(made: TorchBackend) -> Iterator[Matte]:
    """Yield a matte per step. Backdrop, controls and editor change, and the stream begins anew, settled or not."""
    pictures = people(8)
    wall, beach = frames(WIDTH, HEIGHT, 2)
    blurs = (BlurredBackground(40), BlurredBackground(60))
    editor = Fixed(MatteEdit(view=View(0.2, 0.2, 0.5)))
    plans: list[tuple[Backdrop, tuple[EdgeSettings, StrictLevel], bool, Fixed | None, int]] = [
        (wall, BALANCED, False, None, 6), (wall, BALANCED, False, editor, 2), (beach, BALANCED, False, None, 2),
        (beach, OFF, False, None, 2), (beach, BALANCED, False, None, 2), (beach, SOFT_OFF, False, None, 7),
        (beach, SOFT_OFF, True, None, 6), (blurs[0], BALANCED, False, None, 6), (blurs[1], BALANCED, False, None, 6),
    ]  # fmt: skip
    for number, (backdrop, controls, foreground, edit, _) in enumerate(
        plan for plan in plans for _ in range(plan[-1])
    ):
        if number in (11, 22):
            made.reset(np.full((HEIGHT, WIDTH), 255, np.uint8))
        yield made.step(
            StepRequest(pictures[number % 8], backdrop, *controls, edit, want_foreground=foreground)
        )
    assert len(editor.seen) == 2, "an editor is asked at every frame"


def assert_same(found: Matte, right: Matte, most: float = 0) -> None:
    pairs = [(found.alpha, right.alpha), (found.composite, right.composite)]
    if right.foreground is not None:
        assert found.foreground is not None
        pairs.append((found.foreground, right.foreground))
    for one, other in pairs:
        assert np.abs(one.astype(int) - other).mean() <= most


@pytest.fixture(scope="module")
def unrecorded() -> list[Matte]:
    return [copy.deepcopy(matte) for matte in mattes_of(backend())]


def test_recorded_steps_return_the_same_as_the_step(unrecorded: list[Matte]) -> None:
    recorded = backend(record=run_again)
    captured = shown = 0
    for matte, right in zip(mattes_of(recorded), unrecorded, strict=True):
        assert_same(matte, right)
        captured += is_captured(recorded)
        shown += int(matte.alpha.any())

    assert min(captured, shown) > len(unrecorded) // 2, (
        "most steps are recorded ones, and show somebody"
    )


def test_a_recorded_step_is_used_again_after_other_controls_for_a_moment() -> None:
    recorded = backend(record=run_again)
    (frame,) = people(1)
    (wall,) = frames(WIDTH, HEIGHT, 1)
    captured = []
    for controls in (*[OFF] * (SETTLED_STEPS + 2), BALANCED, OFF):
        recorded.step(StepRequest(frame, wall, *controls))
        captured.append(is_captured(recorded))

    assert captured == [*[False] * SETTLED_STEPS, *[True] * 4]


class SometimesBlind(Core):
    """The bundled network, which finds no number where the frame is black."""

    def forward(self, small: torch.Tensor, *state: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(
            torch.where(small.amax() > 0, each, torch.nan)
            for each in super().forward(small, *state)
        )


@pytest.mark.parametrize("controls", [BALANCED, SOFT_OFF])
def test_a_failed_step_leaves_the_stream_as_it_was(
    controls: tuple[EdgeSettings, StrictLevel],
) -> None:
    recorded = backend(SometimesBlind(load()).eval(), record=run_again)
    wall = frames(WIDTH, HEIGHT, 1)[0]
    for picture in people(9):
        recorded.step(StepRequest(picture, wall, *controls))
    assert is_captured(recorded)
    before = [tensor.clone() for tensor in recorded.recurrent]
    alpha_before = recorded.previous_alpha
    with pytest.raises(NotAMatteError):
        recorded.step(StepRequest(np.zeros_like(wall), wall, *controls))
    for tensor, earlier in zip(recorded.recurrent, before, strict=True):
        assert torch.equal(tensor, earlier)
    assert recorded.previous_alpha is alpha_before


def fails(step: Callable[[], StepOutput]) -> tuple[StepOutput, Callable[[], None]]:
    raise RuntimeError("out of memory")


def wrong(step: Callable[[], StepOutput]) -> tuple[StepOutput, Callable[[], None]]:
    output, repeat = run_again(step)

    def spoil() -> None:
        repeat()
        output.composite[:, : WIDTH // 8] = 0

    return output, spoil


@pytest.mark.parametrize(
    ("record", "words"), [(fails, "could not be recorded"), (wrong, "differs")]
)
def test_a_step_that_cannot_be_recorded_or_is_recorded_wrongly_runs_on(
    record: Recorder, words: str, unrecorded: list[Matte], caplog: pytest.LogCaptureFixture
) -> None:
    for matte, right in zip(mattes_of(backend(record=record)), unrecorded, strict=True):
        assert_same(matte, right)
    assert caplog.text.count(words) == 1, "tried once"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("precision", ["float16", "float32"])
@pytest.mark.parametrize("name", ["mattecam", "rvm-mobilenetv3", "u2netp", "bgmv2"])
def test_on_a_gpu_recorded_steps_return_the_same(
    name: str, precision: str, weights: dict[str, Path]
) -> None:
    geometry = StepGeometry(WIDTH, HEIGHT, 1.0) if name == "bgmv2" else GEOMETRY
    cores = [core_of(name, weights, WIDTH, HEIGHT) for _ in range(2)]
    placed: list[Any] = [torch_backend.place(core, "cuda", DTYPES[precision]) for core in cores]
    recorded, plain = (TorchBackend(core, geometry, "cuda", precision) for core in placed)
    recorded.recorded_step = RecordedStep(recorded.frame_step, settled_steps=SETTLED_STEPS)
    plain.recorded_step = None
    captured = 0
    kept = []
    for matte, right in zip(mattes_of(recorded), mattes_of(plain), strict=True):
        captured += is_captured(recorded)
        assert_same(matte, right, most=0.6)
        kept.append((matte, matte.composite.copy()))
    assert captured > len(kept) // 2
    assert all(np.array_equal(matte.composite, before) for matte, before in kept), (
        "the next step overwrote a result"
    )
    recorded.close()
    plain.close()


def filled(network: nn.Module) -> nn.Module:
    network.load_state_dict(fill(network.state_dict()))
    return network.eval().requires_grad_(False)


def plate_core(plate: BgrImage) -> PlateCore:
    return PlateCore(filled(MattingRefine("mobilenetv2")), plate, 0.5, 640).eval()


@pytest.mark.parametrize("gain", [(1.0, 1.0, 1.0), (0.83, 1.0, 1.21), (2.5, 0.4, 1.003)])
def test_the_light_of_a_plate_is_set_on_the_device_as_on_the_cpu(
    gain: tuple[float, float, float],
) -> None:
    plate = frames(62, 45, 1)[0]
    core = plate_core(plate)
    core.set_gain(np.array(gain, np.float32))
    lit = (
        core.plate[0, :, :45, :62].mul(255).round().to(torch.uint8).permute(1, 2, 0).flip(2).numpy()
    )

    np.testing.assert_array_equal(lit, lit_plate(plate, np.array(gain, np.float32)))


def core_of(name: str, weights: dict[str, Path], width: int, height: int) -> Core:
    """Return a core of the test's own; that with a plate is for frames of this size."""
    if name == "bgmv2":
        return plate_core(frames(width, height, 1)[0])
    return copy.deepcopy(load_core(name, weights[name], "auto", GEOMETRY.ratio, "cpu", "float32"))


def step_of(
    name: str, weights: dict[str, Path]
) -> tuple[nn.Module, Callable[[torch.Tensor], Sequence[torch.Tensor]]]:
    """Return a network, and what computes its outputs for a first frame of 64x48 pixels."""
    if name in ("u2netp", "bgmv2"):
        core = core_of(name, weights, 64, 48)
        return core, lambda image: core(image, *core.initial_state(48, 64))
    made = MattecamNetwork(trunk=True, wide=True) if name == "mattecam" else MattingNetwork(name)  # type: ignore[arg-type]
    network: Any = filled(made)
    return network, lambda image: network.coefficients(image, *network.initial_state(1, 48, 64))


@pytest.mark.parametrize(
    "name",
    [
        "mobilenetv3",
        pytest.param("resnet50", marks=pytest.mark.long),
        "mattecam",
        "u2netp",
        "bgmv2",
    ],
)
def test_a_folded_network_returns_the_same(name: str, weights: dict[str, Path]) -> None:
    network, step = step_of(name, weights)
    image = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        wanted = step(image)
        torch_backend.fold_batch_norms(network)
        assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
        for one, other in zip(step(image), wanted, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-3, atol=2e-4)


def test_only_another_picture_is_uploaded_again() -> None:
    transfers = torch_backend.Transfers(torch.device("cpu"))
    one, other = frames(32, 16, 2)
    first = transfers.up_once("backdrop", one)

    assert transfers.up_once("backdrop", one) is first
    for picture in (other, one, one.copy()):
        assert torch.equal(transfers.up_once("backdrop", picture), torch.from_numpy(picture))


def test_the_last_two_networks_are_kept_until_they_are_forgotten() -> None:
    """Nothing else keeps a network, so that the memory of a GPU is returned."""

    def loaded(precision: str) -> nn.Module:
        return torch_backend.load_network("mattecam", BUNDLED, "auto", "cpu", precision)

    oldest, second, newest = (weakref.ref(loaded(precision)) for precision in DTYPES)
    assert oldest() is None
    assert loaded("float16") is second() and loaded("bfloat16") is newest()
    torch_backend.forget_networks()
    assert second() is None and newest() is None


def test_the_mask_is_held_where_nothing_moves_alone() -> None:
    """The first one is taken as it is."""
    image = torch.full((1, 3, 12, 16), 0.3)
    mask = torch.rand(1, 1, 12, 16)
    assert torch.equal(steadied(image, mask, torch.zeros(1, 4, 12, 16))[:, 3:], mask)
    state = steadied(image, torch.zeros(1, 1, 12, 16), torch.zeros(1, 4, 12, 16))
    moved = image.clone()
    moved[..., 8:] += 10 * STILL
    after = steadied(moved, torch.ones(1, 1, 12, 16), state)[:, 3:]
    torch.testing.assert_close(after[..., :6], torch.full((1, 1, 12, 6), 1 - HOLD))
    assert (after[..., 8:] == 1).all()


def test_edges_get_the_persons_colours() -> None:
    """Colours mixed at the soft edge of a red person before a green wall are separated."""
    alpha = torch.linspace(-2, 3, 80).clamp(0, 1).expand(1, 1, 40, 80)
    red, green = (torch.tensor(c).view(1, 3, 1, 1) for c in ([0.9, 0.1, 0.1], [0.1, 0.8, 0.1]))
    image = alpha * red + (1 - alpha) * green
    person = blur_fusion(image, alpha)
    left, before = (float((alpha * (colours - red)).abs().max()) for colours in (person, image))

    assert before > 0.19
    assert left < 0.08


@pytest.mark.parametrize("model", ["u2net", "u2net-human-seg", "bgmv2-mobilenetv2"])
def test_weights_of_another_network_are_refused(weights: dict[str, Path], model: str) -> None:
    with pytest.raises(ModelError, match=rf"u2netp\.pth does not contain weights of {model}"):
        load_core(model, weights["u2netp"], "auto", 0.5, "cpu", "float32")


def test_half_precision_leaves_the_matte_a_matte() -> None:
    """Only the network runs in half precision; pre- and postprocessing run in float32."""
    network = filled(U2Net(small=True))
    small = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        exact = Core(network)
        state = exact.initial_state(48, 64)
        slope, offset, mask, _ = exact(small, *state)
        half = Core(network.bfloat16())
        rough_slope, rough_offset, rough, after = half(small.bfloat16(), *state)

    assert (mask - rough).abs().max() < 0.05
    assert rough_slope.dtype == rough_offset.dtype == after.dtype == torch.float32
    assert offset.shape == slope.shape == (1, 4, 48, 64)


def both(
    image: Floats, alpha: Floats, stream: Stream, memory: Tensor
) -> tuple[list[Floats], list[Floats], Tensor]:
    """Return slope, offset and coarse alpha of numpy and of torch, and torch's state."""
    slope = np.full((4, *alpha.shape), 0.5, np.float32)
    offset = np.stack([alpha - 0.2] * 4)
    given = [torch.from_numpy(array.copy())[None] for array in (image, slope, offset, alpha[None])]
    *found, memory = strict_matte(given[0], given[1], given[2], given[3], memory)
    coarse = alpha.copy()
    cpu_strict.strict_matte(image, slope, offset, coarse, stream.memory)
    return [slope, offset, coarse[None]], [tensor[0].numpy() for tensor in found], memory


LARGE = ("person passes a poster", 3), ("ghost behind a fast person", 2)
"""Scenes that run with several pixels to a cell as well, which takes several times as long."""


@pytest.mark.parametrize(("name", "grid"), [*((name, 1) for name in SCENES), *LARGE])
def test_torch_is_numpy(name: str, grid: int) -> None:
    stream = Stream(grid)
    memory = initial_memory(ROWS * grid, COLUMNS * grid, torch.device("cpu"))
    for n in range(24):
        image, alpha = stream.frame(*SCENES[name](n), light=0.95 + 0.05 * float(np.sin(n)))
        expected, found, memory = both(image, alpha, stream, memory)
        for one, other in zip(expected, found, strict=True):
            assert (np.abs(one - other) > 1e-4).mean() < 1e-3


@pytest.mark.parametrize("seed", range(6))
def test_components_are_those_of_opencv(seed: int) -> None:
    noise = np.random.default_rng(seed).normal(size=(60, 90)).astype(np.float32)
    mask = cv2.GaussianBlur(noise, (0, 0), 3) > 0.05
    number, expected = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    labels = components(torch.from_numpy(mask)[None, None])[0].numpy().reshape(mask.shape)
    pairs = {
        (int(one), int(other)) for one, other in zip(labels.ravel(), expected.ravel(), strict=True)
    }

    assert len(pairs) == number == len({one for one, _ in pairs})


@pytest.mark.parametrize("size", [(ROWS, COLUMNS), (3 * ROWS, 3 * COLUMNS)])
def test_known_people_are_shown_at_once_as_in_numpy(size: tuple[int, int]) -> None:
    seen = np.rint(255 * cv2.resize(walking(0).cover(), size[::-1])).astype(np.uint8)
    stream = Stream(seen=seen)
    memory = with_people(initial_memory(ROWS, COLUMNS, torch.device("cpu")), torch.from_numpy(seen))
    doubtful = replace(walking(0), alpha=0.9), replace(walking(0), radius=15)
    expected, found, _ = both(*stream.frame(*doubtful, Blob(30, 40, 12)), stream, memory)

    for one, other in zip(expected, found, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
    assert found[2].max() > 0.9
