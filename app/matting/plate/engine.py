"""Engine for networks that see a plate: gives it the light of a stream, and checks its room."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from app.core.errors import PlateError, t
from app.core.types import AlphaImage, BgrImage, Matte, check_bgr
from app.matting.engine import FrameEngine
from app.matting.interface import EngineInfo, StepRequest
from app.matting.plate.picture import PersonFinder, PlateFit


class LitPlate(Protocol):
    """The part of an executor that holds the plate."""

    @property
    def scale(self) -> float | None:
        """Scale of the base network's input relative to the frame; None if it is the engine's."""
        ...

    def set_gain(self, gain: NDArray[np.float32]) -> None:
        """Set the illumination gain, (3,) BGR, by which the plate is multiplied."""
        ...


class PlateParts(NamedTuple):
    """What compares frames of one size with the plate of an executor."""

    lit: LitPlate
    fit: PlateFit
    # For frames of this size; closed with the engine.
    people: PersonFinder


class PlateEngine:
    """Wraps a `FrameEngine` whose executor compares frames with a plate.

    The first frame of an engine, a stream or a scene is returned only if it shows the plate's room,
    in whatever light; the plate keeps that light. Else `step` raises PlateError, because this
    network mattes a changed background as a person. Who is a person is told by the bundled network,
    which knows no plate and is built with the executor.
    """

    def __init__(self, engine: FrameEngine, current: Callable[[], PlateParts]) -> None:
        """current: returns the parts of the latest executor, made anew for each size of frames."""
        # Without the check of the plate, for frames that are not of the source.
        self.engine = engine
        self._current = current
        self._parts = current()
        # Whether the plate has matched a frame of this stream since its last scene cut.
        self._fits = False

    @property
    def info(self) -> EngineInfo:
        """Engine info; ratio and small size are those of the base network."""
        info = self.engine.info
        scale = self._parts.lit.scale
        if scale is None:
            return info
        width, height = info.small_size
        small_size = (int(width * scale), int(height * scale))
        return dataclasses.replace(info, downsample_ratio=scale, small_size=small_size)

    @property
    def lit_plate(self) -> BgrImage:
        """The plate in the light of the last frame examined."""
        return self._parts.fit.lit_plate

    def step(self, request: StepRequest) -> Matte:
        """Matte one frame; see `MattingEngine.step`.

        Raises PlateError if the plate is of another room or light.
        """
        frame = request.frame
        check_bgr(frame)
        if not self._fits and frame.shape == self._parts.fit.plate.shape:
            self._compare(frame)
        cuts = self.engine.cuts
        matte = self.engine.step(request)
        # The step itself finds a cut or a new size: its matte leaves only if the plate still fits.
        if self._current() is not self._parts or self.engine.cuts != cuts:
            self._compare(frame)
            # It was made in the light of the scene before: a darker room would pass for a person.
            self.engine.reset()
            matte = self.engine.step(request)
        return matte

    def _compare(self, frame: BgrImage) -> None:
        """Give the plate the light of a frame.

        Raises PlateError unless the frame shows the plate's room, but for people.
        """
        self._parts = self._current()
        self._fits = False
        lit, fit, people = self._parts
        if not fit.fits(frame, people.alpha(frame)):
            raise PlateError(
                t(
                    "The light or the camera has changed since the picture of the empty room was "
                    "taken; take it again."
                )
            )
        lit.set_gain(fit.gain)
        self._fits = True

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Forget the frames seen so far.

        The plate stays; it is checked again unless the stream goes on, with `seen`.
        """
        self.engine.reset(seen)
        if seen is None:
            self._fits = False

    def close(self) -> None:
        """Release the device. Idempotent."""
        self.engine.close()
        self._current().people.close()
