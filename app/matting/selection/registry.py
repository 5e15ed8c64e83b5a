"""Builds engines from the settings."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import cv2
import numpy as np

from app.core.errors import PlateError
from app.core.files import paths
from app.core.framing import WHOLE, framed
from app.core.messages.matting import PlateText
from app.core.settings import EdgeSettings, EngineSettings, FramingSettings, MattingSettings
from app.core.types import AlphaImage, BgrImage
from app.matting.base.interface import Backend, StepGeometry, auto_ratio, backend_errors
from app.matting.engine.frame_engine import FrameEngine
from app.matting.plate.engine import LitPlate, PlateEngine
from app.matting.plate.plate import PlateFit, check_shape, read_plate, whole_plate
from app.matting.selection.choice import Choice, choose, choose_model, geometry_for, openvino_threads
from models.table import bundled, needs_plate

if TYPE_CHECKING:
    from app.matting.openvino.artefact import Artefact


def make_backend(
    settings: EngineSettings,
    choice: Choice,
    geometry: StepGeometry,
    threads: int | None = None,
    *,
    live: bool = False,
) -> Backend:
    """Return the backend of a network without a plate. threads: of a step in OpenVINO; None for all cores.

    live: whether it may spare work beside people. Raises ModelError or RuntimeError if it cannot run.
    """
    if choice.executor == "openvino":
        from app.matting.kernels.loading import start_loading

        start_loading()
        from app.matting.openvino.openvino_backend import OpenVinoBackend

        return OpenVinoBackend(converted(settings, choice, geometry), geometry, choice.precision, threads, live=live)
    from app.matting.torch.networks import load_core
    from app.matting.torch.torch_backend import TorchBackend

    core = load_core(choice.model, choice.weights, settings.refiner, geometry.ratio, choice.device, choice.precision)
    return TorchBackend(core, geometry, choice.device, choice.precision)


def converted(settings: EngineSettings, choice: Choice, geometry: StepGeometry) -> Artefact:
    """Return the network without a plate as OpenVINO runs it. Raises ModelError."""
    from app.matting.openvino.artefact import NetworkSource
    from app.matting.openvino.artefact_cache import artefacts

    direct = geometry.ratio == 1 and choice.spec.direct
    return artefacts.load(NetworkSource(choice.model, choice.weights, settings.refiner, direct, choice.int8))


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


def frame_check(settings: EngineSettings) -> Callable[[int, int], None]:
    """Return a function that raises ModelError for frames of a (width, height) that the network cannot take.

    Raises PlateError if the plate cannot be read.
    """
    model = choose_model(settings)
    path = settings.plate if needs_plate(model) else None
    plate = None if path is None else (path, whole_plate(path).shape)

    def check(width: int, height: int) -> None:
        geometry_for(settings, model, width, height)
        if plate is not None:
            file, (plate_height, plate_width, _) = plate
            check_shape(file, (plate_width, plate_height), width, height)

    return check


MOST_SCALE = 0.5
"""Maximum scale of the base network's input relative to the frame."""
HD_PIXELS = 1920 * 1080
HD_SAMPLES = 80_000


def build_with_plate(
    settings: EngineSettings, choice: Choice, width: int, height: int, framing: FramingSettings
) -> PlateEngine:
    """Build the engine; see `registry.build_engine`. Raises PlateError if the plate cannot be used."""
    path = settings.plate
    if path is None:
        raise PlateError(PlateText.NEEDED(model=choice.model))
    made: list[tuple[LitPlate, PlateFit]] = []

    def make(geometry: StepGeometry) -> Backend:
        plate = framed(read_plate(path, geometry.width, geometry.height), framing)
        if shows_someone(plate):
            raise PlateError(PlateText.OCCUPIED(file=path))
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
        from app.matting.openvino.plate_backend import PlateOpenVinoBackend, SeenPlateBackend

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


def build_engine(
    settings: EngineSettings,
    width: int,
    height: int,
    framing: FramingSettings = WHOLE,
    *,
    shared: bool = False,
    live: bool = False,
) -> FrameEngine | PlateEngine:
    """Return an engine for frames of this size; takes seconds the first time, much less for a new ratio.

    framing: crop of the source's frame that the engine receives; the plate, which shows the whole frame, is cropped
    identically. shared: capture and outputs run beside the engine and need the cores as well. live: the network may
    spare work where little moves.

    Raises WeightsMissingError if the weights are not available, ModelError if the network cannot run.
    """
    choice = choose(settings)
    if choice.device == "cpu":
        _release_gpu()
    if choice.spec.needs_plate:
        return build_with_plate(settings, choice, width, height, framing)

    def threads(geometry: StepGeometry) -> int | None:
        return openvino_threads(choice, geometry) if shared else None

    return network_engine(settings, choice, width, height, threads, live=live)


def network_engine(
    settings: EngineSettings,
    choice: Choice,
    width: int,
    height: int,
    threads: Callable[[StepGeometry], int | None],
    *,
    live: bool = False,
) -> FrameEngine:
    """Return an engine for a choice that needs no plate. threads: of a step in OpenVINO; None for all cores.

    Raises ModelError if the network cannot run.
    """

    def make_geometry(frame_width: int, frame_height: int) -> StepGeometry:
        return geometry_for(settings, choice.model, frame_width, frame_height)

    def make(geometry: StepGeometry) -> Backend:
        with backend_errors(choice.model, choice.device, choice.precision):
            return make_backend(settings, choice, geometry, threads(geometry), live=live)

    return FrameEngine(choice.model, make, make_geometry, width, height, live=live)


def _release_gpu() -> None:
    """Give back the memory of networks that an earlier engine used on a GPU; the modules are not loaded for that."""
    if paths.module("app.matting.torch.networks") in sys.modules:
        from app.matting.torch.cuda_api import release_memory
        from app.matting.torch.networks import forget_networks

        forget_networks("cuda")
        release_memory()
