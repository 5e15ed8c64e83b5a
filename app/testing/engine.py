"""An engine that knows the person of the fake room by colour, in place of a network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.core.framing import area_of
from app.core.matte_edit import viewed
from app.core.settings import EdgeSettings, EngineSettings, PlacementSettings
from app.core.types import AlphaImage, Backdrop, BgrImage, BlurredBackground, Matte
from app.matting.base.interface import EngineInfo, MatteEditor, Pending
from app.testing.parts import PERSON, Faults


@dataclass(frozen=True, slots=True)
class StepInput:
    """The arguments of `MattingEngine.step`."""

    frame: BgrImage
    backdrop: Backdrop
    edges: EdgeSettings
    edit: MatteEditor | None
    want_foreground: bool


class ImmediateEngine(ABC):
    """Base of engines in tests without state and resources: a subclass returns the matte of a step."""

    overlaps = False

    def step(
        self,
        frame: BgrImage,
        backdrop: Backdrop,
        edges: EdgeSettings,
        edit: MatteEditor | None = None,
        *,
        want_foreground: bool = False,
    ) -> Pending:
        """Run one step; its matte is ready."""
        matte = self.matte(StepInput(frame, backdrop, edges, edit, want_foreground))
        return Pending(lambda: matte)

    @abstractmethod
    def matte(self, step: StepInput) -> Matte:
        """Return the matte of a step."""

    def reset(self, seen: AlphaImage | None = None) -> None:  # noqa: B027 - a default
        """There is nothing to forget."""

    def close(self) -> None:  # noqa: B027 - a default
        """There is nothing to release."""


class FakeEngine(ImmediateEngine):
    """Cuts out exactly the pixels with the person's colour."""

    live = 0
    """Engines that were built and not closed."""

    def __init__(self, settings: EngineSettings, width: int, height: int, faults: Faults | None = None) -> None:
        """Faults are put at the stages `build_engine`, `step` and `reset`."""
        self._faults = faults or Faults()
        self._faults.at("build_engine")
        self._closed = False
        ratio = settings.downsample_ratio or 0.5
        self.info = EngineInfo(
            settings.model, "fake", "float32", "cpu", ratio, (int(width * ratio), int(height * ratio))
        )
        FakeEngine.live += 1

    def matte(self, step: StepInput) -> Matte:
        """Cut out the person's colour; the edge controls change nothing."""
        frame = step.frame
        self._faults.at("step")
        if step.edit is None:
            return _composited(frame, _alpha(frame), step.backdrop, step.want_foreground)
        alpha = (_alpha(frame) / 255).astype(np.float32)
        small = (frame[..., ::-1].transpose(2, 0, 1) / 255).astype(np.float32)
        change = step.edit.edit(small, alpha)
        alpha = alpha * (1 if change.gain is None else change.gain) + (0 if change.keep is None else change.keep)
        shown = frame
        if change.view is not None:
            shown, alpha = viewed(frame, change.view), viewed(np.asarray(alpha, np.float32), change.view)
        levels = (alpha * 255).astype(np.uint8)
        if change.placement is not None:
            moved, levels = _moved(shown, change.placement), _moved(levels, change.placement)
            placed = _composited(moved, levels, step.backdrop, step.want_foreground)
            return replace(placed, frame=None if shown is frame else shown)
        matte = _composited(shown, levels, step.backdrop, step.want_foreground)
        return matte if shown is frame else replace(matte, frame=shown)

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Suffer the fault of `reset`; there is nothing to forget."""
        self._faults.at("reset")

    def close(self) -> None:
        """Count down `live`. Idempotent."""
        if not self._closed:
            self._closed = True
            FakeEngine.live -= 1


def _alpha(frame: BgrImage) -> AlphaImage:
    return np.where(np.all(frame == np.array(PERSON, np.uint8), axis=2), 255, 0).astype(np.uint8)


def _moved(image: NDArray[np.uint8], placement: PlacementSettings) -> NDArray[np.uint8]:
    """Return the image where its placement shows it, black beside it: each pixel is the nearest one."""
    height, width = image.shape[:2]
    area = area_of(placement, width, height)
    rows = ((np.arange(height) - area.top + 0.5) * height / area.height).astype(int)
    columns = ((np.arange(width) - area.left + 0.5) * width / area.width).astype(int)
    moved: NDArray[np.uint8] = image[rows.clip(0, height - 1)][:, columns.clip(0, width - 1)].copy()
    moved[(rows < 0) | (rows >= height)] = 0
    moved[:, (columns < 0) | (columns >= width)] = 0
    return moved


def _composited(frame: BgrImage, alpha: AlphaImage, backdrop: Backdrop, want_foreground: bool) -> Matte:
    behind = np.full_like(frame, 40) if isinstance(backdrop, BlurredBackground) else backdrop
    weight = (alpha / np.float32(255))[..., None]
    composite = np.round(frame * weight + behind * (1 - weight)).astype(np.uint8)
    return Matte(composite, alpha, composite.copy() if want_foreground else None)
