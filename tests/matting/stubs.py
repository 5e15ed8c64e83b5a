"""Moving frames, the bundled network, and backends whose coefficients a test chooses, with streams for them."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import replace
from functools import partial
from unittest.mock import Mock

import numpy as np
from hypothesis import settings

from app.core.settings import EdgeSettings, MattingSettings
from app.core.types import Backdrop, BgrImage, BlurredBackground, Floats, MatteEdit
from app.matting.choice.hardware import CudaCards, torch_usable
from app.matting.cpu.cpu_backend import Coefficients, CpuBackend, RefinedCells
from app.matting.interface import MattingEngine, StepGeometry, StepRequest
from app.matting.openvino import conversion
from app.matting.openvino.columns import SURVEY_FRAMES
from app.matting.openvino.conversion import NetworkSource
from app.matting.openvino.openvino_backend import OpenVinoBackend
from models.table import bundled
from models.weights import find
from tests.golden.fill import image

BuildEngine = Callable[[MattingSettings, int, int], MattingEngine]
CELL = 4
few_examples = settings(max_examples=40, deadline=None)


class StubCpu(CpuBackend):
    """A backend on the CPU whose network returns coefficients that a test has chosen."""

    def __init__(self, geometry: StepGeometry, coefficients: Coefficients | None = None) -> None:
        super().__init__(geometry, "float32")
        if coefficients is not None:
            self.coefficients = coefficients

    def infer(self, frame: BgrImage, steady: bool = False) -> Coefficients:
        return deepcopy(self.coefficients)  # strict mode changes the arrays


STUBS: dict[str, type[StubCpu | StubTorch]] = {"cpu": StubCpu}
"""Stubs by name; that of torch only where torch is installed."""
if torch_usable():
    from tests.matting.torch_stubs import StubTorch

    STUBS["torch"] = StubTorch


class Case:
    """One stream: its size, and random frames, backdrops and coefficients."""

    def __init__(
        self, width: int, height: int, ratio: float, seed: int, *, padded: bool = False
    ) -> None:
        self.size = height, width
        self.rng = np.random.default_rng(seed)
        if padded:
            width = -(-width // CELL) * CELL
            height = -(-height // CELL) * CELL
        self.geometry = StepGeometry(width, height, ratio)

    def frame(self) -> BgrImage:
        """Return noise, or two colours far from each other."""
        if self.rng.random() < 0.5:
            return self.rng.integers(0, 256, (*self.size, 3), dtype=np.uint8)
        return self.rng.choice(np.array([0, 255], np.uint8), (*self.size, 3))

    def backdrop(self, kind: str, frame: BgrImage) -> Backdrop:
        if kind.startswith(("blur", "bokeh")):
            shape, strength = kind.split(":")
            return BlurredBackground(float(strength), shape == "bokeh")
        if kind == "picture":
            return self.rng.integers(0, 256, frame.shape, dtype=np.uint8)
        return (
            frame.copy() if kind == "frame" else np.full_like(frame, 0 if kind == "black" else 255)
        )

    def coefficients(self) -> Coefficients:
        """Return coefficients from tiny to absurd, with alpha from nowhere to everywhere."""
        height = self.geometry.small_height
        width = self.geometry.small_width
        slope, offset = (
            self.rng.normal(
                0, self.rng.choice([0, 0.003, 0.3, 30, 1e6]), (4, height, width)
            ).astype(np.float32)
            for _ in range(2)
        )
        offset[3] += np.float32(self.rng.choice([-1, 0, 0.5, 1]))
        hidden = self.rng.random((height, width)) < 0.4
        slope[3, hidden] = 0
        offset[3, hidden] = -1
        small = self.rng.random((3, height, width))
        coarse = self.rng.random((height, width))
        return Coefficients(small.astype(np.float32), slope, offset, coarse.astype(np.float32))

    def refined(self) -> Coefficients:
        """Return the same with refined cells, as a network with a plate gives them."""
        count = (self.geometry.height // CELL) * (self.geometry.width // CELL)
        indices = np.sort(self.rng.permutation(count)[: self.rng.integers(0, count + 1)]).astype(
            np.int64
        )
        matte = self.rng.normal(
            0, self.rng.choice([0.003, 0.5, 1e6]), (len(indices), CELL, CELL, 4)
        )
        return replace(self.coefficients(), cells=RefinedCells(indices, matte.astype(np.float32)))


def showing(alpha: Floats, small: Floats | None = None) -> Coefficients:
    """Return coefficients that show the frame where alpha (h, w) is, whatever the colours."""
    slope, offset = np.zeros((2, 4, *alpha.shape), np.float32)
    offset[3] = alpha
    return Coefficients(
        np.zeros((3, *alpha.shape), np.float32) if small is None else small,
        slope,
        offset,
        alpha.copy(),
    )


EDGES = EdgeSettings()
NO_CODE = "CUDA error: no kernel image is available for execution on the device"


def simulated_cards(*errors: str, half: bool = True) -> CudaCards:
    """Return cards that work, or fail with an error where it is not empty. half: whether float16 is right on them."""

    def half_is_right(index: int) -> bool:
        if errors[index]:
            raise RuntimeError(errors[index])
        return half

    return CudaCards(
        Mock(device_count=partial(len, errors), get_device_name="card {}".format), half_is_right
    )


class Fixed:
    """Gives every frame the same edit, and keeps what it was given."""

    def __init__(self, edit: MatteEdit) -> None:
        self._edit = edit
        self.seen: list[tuple[Floats, Floats]] = []
        self.scenes: list[int] = []
        """Numbers of the frames that began another scene."""

    def start_scene(self) -> None:
        self.scenes.append(len(self.seen))

    def edit(self, small: Floats, alpha: Floats) -> MatteEdit:
        self.seen.append((small, alpha))
        return self._edit


def frames(width: int, height: int, count: int, seed: int = 0) -> list[BgrImage]:
    """Return (height, width, 3) uint8 frames with motion between them."""
    return [
        np.ascontiguousarray(
            (image(height, width, seed, t) * 255)
            .round()
            .astype(np.uint8)
            .transpose(1, 2, 0)[..., ::-1]
        )
        for t in range(count)
    ]


def small_of(frame: BgrImage) -> Floats:
    """Return a frame as the input of a network of its size, (3, h, w), RGB in 0..1."""
    return np.ascontiguousarray(frame[..., ::-1].transpose(2, 0, 1), np.float32) * np.float32(
        1 / 255
    )


def bundled_backend(
    geometry: StepGeometry,
    threads: int | None = None,
    *,
    live: bool = False,
    survey_frames: int = SURVEY_FRAMES,
) -> OpenVinoBackend:
    """Return the bundled network in OpenVINO."""
    spec = bundled()
    artefact = conversion.artefacts.load(NetworkSource(spec.name, find(spec.name)))
    return OpenVinoBackend(
        artefact, geometry, "float32", threads, live=live, survey_frames=survey_frames
    )


def assert_closing_frees(
    make: Callable[[], MattingEngine], part: str, steps: Iterable[tuple[BgrImage, Backdrop]]
) -> None:
    """Assert that nothing refers to a closed engine and to this part of it.

    Reference cycles live for minutes, with all the memory that they hold.
    """
    gc.collect()
    gc.disable()
    try:
        engine = make()
        for frame, backdrop in steps:
            engine.step(StepRequest(frame, backdrop, EdgeSettings()))
        parts = weakref.ref(engine), weakref.ref(getattr(engine, part))
        engine.close()
        del engine
        assert [each() for each in parts] == [None, None]
    finally:
        gc.enable()
