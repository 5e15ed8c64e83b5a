"""Engine for networks that see a plate: adapts it to the light of a stream, and refuses one of another room."""

from __future__ import annotations

import dataclasses
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
from app.matting.base.interface import EngineInfo, MatteEditor
from app.matting.engine.frame_engine import FrameEngine
from app.matting.plate.plate import PlateFit


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

    The first frame of an engine, a stream or a scene is returned only if it and its matte show the plate's room, in
    whatever light; the plate keeps that light. Else `step` raises PlateError, because this network mattes a changed
    background as a person.
    """

    def __init__(self, engine: FrameEngine, current: Callable[[], tuple[LitPlate, PlateFit]]) -> None:
        """current: returns plate and fit of the latest executor; both are recreated when the frame size changes."""
        self.engine = engine
        """The engine without the check, for frames that are not of the source."""
        self._current = current
        self._lit, self._fit = current()
        self._fits = False
        """Whether the plate has matched a frame of this stream since its last scene cut."""

    @property
    def info(self) -> EngineInfo:
        """Engine info; ratio and small size are those of the base network."""
        info = self.engine.info
        scale = self._lit.scale
        if scale is None:
            return info
        width, height = info.small_size
        return dataclasses.replace(info, downsample_ratio=scale, small_size=(int(width * scale), int(height * scale)))

    @property
    def lit_plate(self) -> BgrImage:
        """The plate in the light of the last frame examined."""
        return self._fit.lit_plate

    def step(
        self,
        frame: BgrImage,
        backdrop: Backdrop,
        edges: EdgeSettings,
        edit: MatteEditor | None = None,
        *,
        want_foreground: bool = False,
    ) -> Matte:
        """Matte one frame; see `MattingEngine.step`. Raises PlateError if the plate is of another room or light."""
        check_bgr(frame)
        if not self._fits and frame.shape[:2] == self._lit.size:
            self._fit.adapt(frame)  # in another light the network would take the room for a person
            self._lit.set_gain(self._fit.gain)
        seen, cuts = None if edit is None else _SeeingEditor(edit), self.engine.cuts
        matte = self.engine.step(frame, backdrop, edges, seen, want_foreground=want_foreground)
        lit, fit = self._current()
        if lit is not self._lit or self.engine.cuts != cuts:
            self._lit, self._fit, self._fits = lit, fit, False
        if not self._fits:
            alpha = matte.alpha if seen is None or seen.alpha is None else _to_bytes(seen.alpha, frame)
            if not self._fit.fits(frame, alpha):
                raise PlateError(PlateText.CHANGED())
            self._lit.set_gain(self._fit.gain)
            self._fits = True
        return matte

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Forget the frames seen so far; the plate stays, to be checked again unless the stream goes on."""
        self.engine.reset(seen)
        if seen is None:
            self._fits = False

    def close(self) -> None:
        """Release the device; a second call does nothing."""
        self.engine.close()


class _SeeingEditor:
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
