"""The bundled network in int8 in OpenVINO: close to float32, selected where it is fastest."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from app.capture.demo import DemoSource
from app.core.errors import ModelError
from app.core.settings import EdgeSettings, MattingSettings
from app.core.types import BgrImage
from app.matting import build_engine
from app.matting.selection import hardware
from app.matting.selection.choice import choose
from app.privacy.self_test import self_test
from models.int8 import int8_file
from models.mattecam.bundled import load
from models.mattecam.spec import BUNDLED

pytestmark = pytest.mark.torch

BUNDLED_MODEL = MattingSettings(model="mattecam", device="cpu", downsample_ratio=1.0)
WIDTH, HEIGHT = 320, 180
FRAMES = 6


@pytest.fixture(scope="module")
def frames() -> list[BgrImage]:
    """Return frames of the demo: a person who moves before a room."""
    source = DemoSource(WIDTH, HEIGHT, realtime=False)
    rendered = [source.render(3 * index) for index in range(FRAMES)]
    source.close()
    return rendered


def alphas(precision: str, frames: list[BgrImage]) -> NDArray[np.float32]:
    """Return the alphas of the frames, in 0..1."""
    engine = build_engine(BUNDLED_MODEL.replace(precision=precision), WIDTH, HEIGHT)
    assert engine.info.precision == precision
    backdrop = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    steps = [engine.step(frame, backdrop, EdgeSettings(strict="off")).result() for frame in frames]
    engine.close()
    return np.stack([step.alpha for step in steps]).astype(np.float32) / np.float32(255)


@pytest.fixture(scope="module")
def quantized(frames: list[BgrImage]) -> NDArray[np.float32]:
    return alphas("int8", frames)


def test_int8_stays_close_to_float32(frames: list[BgrImage], quantized: NDArray[np.float32]) -> None:
    reference = alphas("float32", frames)
    assert np.ptp(reference) > 0.9
    difference = np.abs(reference - quantized)
    assert 0 < difference.mean() < 0.005, "0 is float32 under another name"


@torch.no_grad()
def test_openvino_computes_what_the_simulation_in_torch_computes(
    frames: list[BgrImage], quantized: NDArray[np.float32]
) -> None:
    network = load(int8_file(BUNDLED))
    state: tuple[torch.Tensor, ...] = network.initial_state(1, HEIGHT, WIDTH)
    expected = []
    for frame in frames:
        image = torch.from_numpy(np.ascontiguousarray(frame[..., ::-1])).permute(2, 0, 1)[None].float() / 255
        _, alpha, *rest = network(image, *state)
        state = tuple(rest)
        expected.append(alpha[0, 0].numpy())
    assert np.abs(np.stack(expected) - quantized).mean() < 0.005


def test_the_int8_engine_passes_the_self_test() -> None:
    engine = build_engine(BUNDLED_MODEL.replace(precision="int8", downsample_ratio=0.5), 640, 360)
    self_test(engine, 640, 360)
    engine.close()


@pytest.mark.parametrize(
    ("bfloat16", "vnni", "precision"),
    [(True, True, "bfloat16"), (False, True, "int8"), (False, False, "float32")],
)
def test_auto_selects_the_precision_by_the_processors_instructions(
    monkeypatch: pytest.MonkeyPatch, bfloat16: bool, vnni: bool, precision: str
) -> None:
    monkeypatch.setattr(hardware, "cpu_has_bfloat16", lambda: bfloat16)
    monkeypatch.setattr(hardware, "cpu_has_vnni", lambda: vnni)
    choice = choose(BUNDLED_MODEL)
    assert choice.precision == precision
    assert choice.weights == BUNDLED
    assert choice.int8 == (int8_file(BUNDLED) if precision == "int8" else None)


def test_auto_selects_float32_for_weights_without_an_int8_version(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(hardware, "cpu_has_bfloat16", lambda: False)
    monkeypatch.setattr(hardware, "cpu_has_vnni", lambda: True)
    weights = Path(shutil.copy(BUNDLED, tmp_path))
    assert choose(BUNDLED_MODEL.replace(weights=weights)).precision == "float32"
    with pytest.raises(ModelError, match="no int8 version"):
        choose(BUNDLED_MODEL.replace(weights=weights, precision="int8"))


def test_only_openvino_runs_int8() -> None:
    with pytest.raises(ModelError, match="no int8 version"):
        choose(BUNDLED_MODEL.replace(executor="eager", precision="int8"))


def test_vnni_is_what_the_processor_reports() -> None:
    info = Path("/proc/cpuinfo")
    if not info.exists():
        pytest.skip("no /proc/cpuinfo on this system")
    words = set(info.read_text(encoding="utf-8").split())
    assert hardware.cpu_has_vnni() == bool(words & {"avx512_vnni", "avx_vnni"})
