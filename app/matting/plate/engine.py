"""Engine for networks that see a plate: adapts it to the light of a stream, and refuses one of another room."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.errors import PlateError, t
from app.core.geometry import framed
from app.core.settings import EdgeSettings, EngineSettings, FramingSettings, MattingSettings
from app.core.types import AlphaImage, Backdrop, BgrImage, Matte, check_bgr
from app.matting.base.interface import (
    Backend,
    EngineInfo,
    MatteEditor,
    StepGeometry,
    auto_ratio,
)
from app.matting.choice.choice import Choice, choose, geometry_for, make_backend
from app.matting.engine import FrameEngine, backend_errors
from app.matting.plate.picture import PlateFit, read_plate
from models.table import bundled


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

    The first frame of an engine, a stream or a scene is returned only if it shows the plate's room, in whatever light;
    the plate keeps that light. Else `step` raises PlateError, because this network mattes a changed background as a
    person. Who is a person is told by the bundled network, which knows no plate.
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
            self._check(frame)
        cuts = self.engine.cuts
        matte = self.engine.step(frame, backdrop, edges, edit, want_foreground=want_foreground)
        lit, fit = self._current()
        if lit is not self._lit or self.engine.cuts != cuts:
            self._lit, self._fit = lit, fit
            self._check(frame)
        return matte

    def _check(self, frame: BgrImage) -> None:
        """Raise PlateError unless the frame shows the plate's room, but for people; give the plate its light."""
        self._fits = self._fit.fits(frame, person_matte(frame))
        if not self._fits:
            raise PlateError(
                t("The light or the camera has changed since the picture of the empty room was taken; take it again.")
            )
        self._lit.set_gain(self._fit.gain)

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Forget the frames seen so far; the plate stays, to be checked again unless the stream goes on."""
        self.engine.reset(seen)
        if seen is None:
            self._fits = False

    def close(self) -> None:
        """Release the device; a second call does nothing."""
        self.engine.close()


MOST_SCALE = 0.5
"""Maximum scale of the base network's input relative to the frame."""
HD_PIXELS = 1920 * 1080
HD_SAMPLES = 80_000


def build_with_plate(
    settings: EngineSettings, choice: Choice, width: int, height: int, framing: FramingSettings
) -> PlateEngine:
    """Build the engine; see `build.build_engine`. Raises PlateError if the plate cannot be used."""
    path = settings.plate
    if path is None:
        raise PlateError(
            t(
                "The model {model} needs a picture of the empty room; take one⟦ in the window, with `python3 run.py "
                "ctl plate take`, or with `python3 run.py plate` while Mattecam does not run⟧.",
                model=choice.model,
            )
        )
    made: list[tuple[LitPlate, PlateFit]] = []

    def make(geometry: StepGeometry) -> Backend:
        plate = framed(read_plate(path, geometry.width, geometry.height), framing)
        if shows_someone(plate):
            raise PlateError(
                t("The picture of the empty room {file} shows a person; take it again with nobody in view.", file=path)
            )
        with backend_errors(choice.model, choice.device, choice.precision):
            backend, lit = _plate_backend(settings, choice, geometry, plate)
        made[:] = [(lit, PlateFit(plate))]
        return backend

    def make_geometry(frame_width: int, frame_height: int) -> StepGeometry:
        if choice.spec.recurrent:
            return geometry_for(settings, choice.model, frame_width, frame_height)
        return StepGeometry(frame_width, frame_height, 1.0)

    engine = FrameEngine(choice.model, make, make_geometry, width, height, strict_mode=False)
    return PlateEngine(engine, lambda: made[0])


def sample_pixels(width: int, height: int) -> int:
    """Return the number of pixels to refine: 80,000 for HD as in the paper, scaled with the frame's area."""
    return round(HD_SAMPLES * width * height / HD_PIXELS / 16) * 16


def _plate_backend(
    settings: EngineSettings, choice: Choice, geometry: StepGeometry, plate: BgrImage
) -> tuple[Backend, LitPlate]:
    """Return the backend and its component that holds the plate."""
    scale = min(settings.downsample_ratio or auto_ratio(geometry.width, geometry.height), MOST_SCALE)
    pixels = sample_pixels(geometry.width, geometry.height)
    if choice.executor == "openvino":
        from app.matting.openvino.artefact import NetworkSource
        from app.matting.openvino.artefact_cache import artefacts
        from app.matting.plate.networks import PlateOpenVinoBackend, SeenPlateBackend

        artefact = artefacts.load(NetworkSource(choice.model, choice.weights))
        backend = (
            SeenPlateBackend(artefact, plate, geometry, choice.precision)
            if choice.spec.recurrent
            else PlateOpenVinoBackend(artefact, plate, scale, pixels, choice.precision)
        )
        return backend, backend
    from app.matting.torch.core import PlateCore, SeenPlateCore
    from app.matting.torch.networks import load_core
    from app.matting.torch.torch_backend import TorchBackend

    network = load_core(choice.model, choice.weights, settings.refiner, 1.0, choice.device, choice.precision).network
    lit = SeenPlateCore(network, plate, geometry) if choice.spec.recurrent else PlateCore(network, plate, scale, pixels)
    return TorchBackend(lit.eval(), geometry, choice.device, choice.precision), lit


SHORT_SIDE = 288
"""Short side in pixels at which the plate is examined; larger sizes do not change the result."""
LOOKS = 3
"""Number of passes over the same image before the recurrent network's matte is used."""
CERTAIN = 230
"""Alpha (0..255) above which a pixel counts as a person. In empty rooms, coats and pillows rarely exceed it."""
SOMEONE_SHARE = 0.08
"""Minimum share of person pixels in an occupied plate.

Measured: 123 empty rooms outside the training set stay below 0.005 and the demo plate, with its flag and rocket, at
0.063; all of 80 portraits are above 0.16.
"""


def shows_someone(plate: BgrImage) -> bool:
    """Return whether the bundled network detects a person in the plate, (H, W, 3); takes some tenths of a second.

    A plate that contains one causes a hole or a second person in the matte.
    """
    return float((person_matte(plate) > CERTAIN).mean()) > SOMEONE_SHARE


def person_matte(picture: BgrImage) -> AlphaImage:
    """Return the bundled network's alpha for a single image (H, W, 3); its short side is at most 288."""
    network = bundled()
    height, width = picture.shape[:2]
    part = min(1.0, SHORT_SIDE / min(height, width))
    size = max(1, round(width * part)), max(1, round(height * part))
    small: BgrImage = np.ascontiguousarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    geometry = StepGeometry(*size, auto_ratio(*size, network.short_side))
    settings = MattingSettings(model=network.name, device="cpu", precision="float32")
    with contextlib.closing(make_backend(settings, choose(settings), geometry)) as backend:
        for _ in range(LOOKS):
            alpha = backend.step(small, np.zeros_like(small), EdgeSettings(strict="off")).alpha
    return alpha
