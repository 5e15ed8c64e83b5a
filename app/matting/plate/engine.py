"""Engine for networks that see a plate: adapts it to the illumination and detects when it is outdated."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.errors import PlateError
from app.core.matte_edit import MatteEdit, Plane
from app.core.messages.matting import PlateText
from app.core.settings import EdgeSettings
from app.core.types import AlphaImage, Backdrop, BgrImage, Matte, check_bgr
from app.matting.base.interface import EngineInfo, MatteEditor, MattingEngine
from app.matting.engine.frame_engine import FrameEngine
from app.matting.plate.plate import PlateWatch

LOOK_EVERY_S = 1.0
LOOK_AGAIN_S = 0.25
"""Interval between checks while a change is suspected, in seconds."""


class LitPlate(Protocol):
    """The part of an executor that holds the plate."""

    @property
    def scale(self) -> float | None:
        """Scale of the base network's input relative to the frame; None if it is the engine's."""
        ...

    @property
    def size(self) -> tuple[int, int]:
        """Size (height, width) of the plate."""
        ...

    def set_gain(self, gain: NDArray[np.float32]) -> None:
        """Set the illumination gain, (3,) BGR, by which the plate is multiplied."""
        ...


class PlateEngine:
    """Wraps a `MattingEngine` whose executor compares frames with a plate.

    About once a second the plate's gain is adapted to the frame's illumination. `step` raises PlateError if the
    background has changed, because this network mattes a changed background as a person. The first frame, and the first
    one of another stream or scene, is returned only if it and its matte match the plate.
    """

    def __init__(self, engine: FrameEngine, current: Callable[[], tuple[LitPlate, PlateWatch]]) -> None:
        """current: returns plate and watch of the latest executor; both are recreated when the frame size changes."""
        self._engine = engine
        self._current = current
        self._lit, self._watch = current()
        self._alpha: AlphaImage | None = None
        self._look_at_s = 0.0
        self._proven = False
        """Whether the plate has matched a frame of this stream since its last scene cut."""

    @property
    def info(self) -> EngineInfo:
        """Engine info; ratio and small size are those of the base network."""
        info = self._engine.info
        scale = self._lit.scale
        if scale is None:
            return info
        width, height = info.small_size
        return dataclasses.replace(info, downsample_ratio=scale, small_size=(int(width * scale), int(height * scale)))

    def step(
        self,
        frame: BgrImage,
        backdrop: Backdrop,
        edges: EdgeSettings,
        edit: MatteEditor | None = None,
        *,
        want_foreground: bool = False,
    ) -> Matte:
        """Matte one frame; see `MattingEngine.step`. Raises PlateError if the plate is outdated."""
        check_bgr(frame)
        if frame.shape[:2] == self._lit.size and time.monotonic() >= self._look_at_s:
            self._look(frame, self._alpha)
        watched, cuts = None if edit is None else _WatchedEditor(edit), self._engine.cuts
        matte = self._engine.step(frame, backdrop, edges, watched, want_foreground=want_foreground)
        lit, watch = self._current()
        if lit is not self._lit:
            self._lit, self._watch, self._proven = lit, watch, False
        self._proven = self._proven and self._engine.cuts == cuts
        alpha = matte.alpha if watched is None or watched.alpha is None else _to_bytes(watched.alpha, frame)
        if not self._proven:
            self._look(frame, alpha)
            self._proven = True
        self._alpha = alpha
        return matte

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Forget the frames seen so far; the plate stays, to be verified unless the stream goes on."""
        self._engine.reset(seen)
        self._alpha = None
        if seen is None:
            self._proven, self._look_at_s = False, 0.0

    def unwatched(self) -> tuple[MattingEngine, BgrImage]:
        """Return the engine without the watch, and the plate in the present light: for frames not of the source."""
        return self._engine, self._watch.lit_plate

    def close(self) -> None:
        """Release the device; a second call does nothing."""
        self._look_at_s = math.inf
        self._engine.close()

    def _look(self, frame: BgrImage, alpha: AlphaImage | None) -> None:
        if self._watch.look(frame, alpha, at_once=not self._proven):
            raise PlateError(PlateText.CHANGED())
        self._lit.set_gain(self._watch.gain)
        self._look_at_s = time.monotonic() + (LOOK_AGAIN_S if self._watch.suspicious else LOOK_EVERY_S)


class _WatchedEditor:
    """Keeps the network's alpha: zones say nothing about where the plate is covered."""

    def __init__(self, editor: MatteEditor) -> None:
        self._editor = editor
        self.alpha: Plane | None = None

    def edit(self, small: Plane, alpha: Plane) -> MatteEdit:
        self.alpha = alpha
        return self._editor.edit(small, alpha)


def _to_bytes(alpha: Plane, frame: BgrImage) -> AlphaImage:
    """Return alpha of the size of the frame."""
    full = cv2.resize(alpha, (frame.shape[1], frame.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(full * 255, np.uint8)
