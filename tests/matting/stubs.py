"""Backends whose coefficients a test chooses, random streams and edits for them, and what holds of their mattes."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import TypeAlias, get_args

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from app.core.edits import MatteEdit
from app.core.geometry import View
from app.core.settings import EdgeSettings, StrictLevel
from app.core.types import Backdrop, BgrImage, BlurredBackground, Floats, Matte
from app.matting.base.interface import StepGeometry
from app.matting.choice.hardware import torch_usable
from app.matting.cpu.cpu_backend import Coefficients, CpuBackend, RefinedCells

CELL = 4


ROUNDING = 1
"""Alpha and composite are each rounded by up to half a level of 255."""


edge_settings = st.builds(
    EdgeSettings,
    threshold=st.floats(0, 1),
    contrast=st.sampled_from([0.0, 0.3, 1.0]),
    grow_px=st.sampled_from([0, 0, -7, -1, 1, 12]),
    feather_px=st.sampled_from([0, 0, 1, 9, 40]),
    temporal_smoothing=st.sampled_from([0.0, 0.5, 1.0]),
    despill=st.sampled_from([0.0, 0.4, 1.0]),
    strict=st.sampled_from(get_args(StrictLevel)),
)


few_examples = settings(max_examples=40, deadline=None)


class StubCpu(CpuBackend):
    """A backend on the CPU whose network returns coefficients that a test has chosen."""

    def __init__(self, geometry: StepGeometry, coefficients: Coefficients | None = None) -> None:
        super().__init__(geometry, "float32")
        if coefficients is not None:
            self.coefficients = coefficients

    def infer(self, frame: BgrImage, steady: bool = False) -> Coefficients:
        return deepcopy(self.coefficients)  # strict mode changes the arrays


Stub: TypeAlias = "StubCpu | StubTorch"
StubMaker: TypeAlias = "type[Stub]"
STUBS: dict[str, StubMaker] = {"cpu": StubCpu}
"""Stubs by name; that of torch only where torch is installed."""
if torch_usable():
    from tests.matting.torch_stubs import StubTorch

    STUBS["torch"] = StubTorch


class Case:
    """One stream: its size, and random frames, backdrops and coefficients."""

    def __init__(self, width: int, height: int, ratio: float, seed: int, *, padded: bool = False) -> None:
        self.size = height, width
        self.rng = np.random.default_rng(seed)
        if padded:
            width, height = -(-width // CELL) * CELL, -(-height // CELL) * CELL
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
        return frame.copy() if kind == "frame" else np.full_like(frame, 0 if kind == "black" else 255)

    def coefficients(self) -> Coefficients:
        """Return coefficients from tiny to absurd, with alpha from nowhere to everywhere."""
        height, width = self.geometry.small_height, self.geometry.small_width
        slope, offset = (
            self.rng.normal(0, self.rng.choice([0, 0.003, 0.3, 30, 1e6]), (4, height, width)).astype(np.float32)
            for _ in range(2)
        )
        offset[3] += np.float32(self.rng.choice([-1, 0, 0.5, 1]))
        hidden = self.rng.random((height, width)) < 0.4
        slope[3, hidden], offset[3, hidden] = 0, -1
        small, coarse = self.rng.random((3, height, width)), self.rng.random((height, width))
        return Coefficients(small.astype(np.float32), slope, offset, coarse.astype(np.float32))

    def refined(self) -> Coefficients:
        """Return the same with refined cells, as a network with a plate gives them."""
        count = (self.geometry.height // CELL) * (self.geometry.width // CELL)
        indices = np.sort(self.rng.permutation(count)[: self.rng.integers(0, count + 1)]).astype(np.int64)
        matte = self.rng.normal(0, self.rng.choice([0.003, 0.5, 1e6]), (len(indices), CELL, CELL, 4))
        return replace(self.coefficients(), cells=RefinedCells(indices, matte.astype(np.float32)))


def showing(alpha: Floats, small: Floats | None = None) -> Coefficients:
    """Return coefficients that show the frame where alpha (h, w) is, whatever the colours."""
    slope, offset = np.zeros((2, 4, *alpha.shape), np.float32)
    offset[3] = alpha
    return Coefficients(
        np.zeros((3, *alpha.shape), np.float32) if small is None else small, slope, offset, alpha.copy()
    )


def nobody(coefficients: Coefficients) -> Coefficients:
    """Return the coefficients with alpha 0 everywhere: the composite is the backdrop."""
    slope, offset = coefficients.slope.copy(), coefficients.offset.copy()
    slope[3], offset[3] = 0, -1
    cells = coefficients.cells and RefinedCells(coefficients.cells.indices[:0], coefficients.cells.matte[:0])
    return replace(coefficients, slope=slope, offset=offset, cells=cells)


def assert_bounded(matte: Matte, backdrop: BgrImage) -> None:
    """Assert that the composite differs from the backdrop by at most alpha, and nowhere where alpha is 0."""
    difference = np.abs(matte.composite.astype(int) - backdrop).max(2)
    assert (difference <= matte.alpha.astype(int) + ROUNDING).all()
    assert not difference[matte.alpha == 0].any()


OFF = EdgeSettings(strict="off")


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


def random_edit(case: Case) -> MatteEdit:
    rng, size = case.rng, (case.geometry.small_height, case.geometry.small_width)
    gain = rng.choice([0, 0.5, 1], size).astype(np.float32)
    view_size = rng.uniform(0.2, 1)
    left, top = rng.uniform(0, 1 - view_size, 2)
    lights = tuple(
        np.concatenate([rng.uniform(0, 1.4, (3, 4, 5)), rng.uniform(-0.5, 0.5, (3, 4, 5))]).astype(np.float32)
        for _ in range(rng.integers(3))
    )
    return MatteEdit(gain, View(left, top, view_size), lights)


def amplitude(image: BgrImage, period: float) -> float:
    """Return the amplitude of a period along the rows in the middle of an image, of 255."""
    height, width = image.shape[:2]
    count = int(0.6 * width // period * period)
    row = image[height // 3 : 2 * height // 3, width // 5 : width // 5 + count, 1].astype(float).mean(axis=0)
    wave = np.exp(2j * np.pi * np.arange(count) / period)
    return float(2 * np.abs(((row - row.mean()) * np.hanning(count) * wave).sum()) / (count / 2))
