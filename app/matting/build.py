"""Builds engines from the settings, with or without a plate."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable

from app.core import paths
from app.core.errors import PlateError, t
from app.core.geometry import WHOLE, framed
from app.core.paths import program_command
from app.core.process import start_native_threads
from app.core.settings import EngineSettings, FramingSettings
from app.core.targets import kind_of
from app.core.types import BgrImage
from app.matting.choice.choice import Choice, choose, choose_model, geometry_for, openvino_threads
from app.matting.choice.preparation import prepare_here
from app.matting.engine import FrameEngine, backend_errors, network_engine
from app.matting.interface import Backend, StepGeometry, auto_ratio
from app.matting.plate.engine import LitPlate, PlateEngine, PlateParts
from app.matting.plate.picture import PersonFinder, PlateFit, check_shape, needs_plate, read_plate, whole_plate


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

    Raises WeightsMissingError if the weights are not available, ModelError if the network cannot run, or in a fork of a
    process that has built an engine.
    """
    start_native_threads()
    choice = choose(settings, live=live)
    if not kind_of(choice.target.device).is_fast:
        _release_gpu()
    if choice.spec.needs_plate:
        return _plate_engine(settings, choice, width, height, framing)

    if choice.target.executor == "openvino" and not live:
        prepare_here()

    def threads(geometry: StepGeometry) -> int | None:
        return openvino_threads(choice, geometry) if shared else None

    return network_engine(settings, choice, width, height, threads, live=live)


MOST_SCALE = 0.5
"""Maximum scale of the base network's input relative to the frame."""
HD_PIXELS = 1920 * 1080
HD_SAMPLES = 80_000


def _plate_engine(
    settings: EngineSettings, choice: Choice, width: int, height: int, framing: FramingSettings
) -> PlateEngine:
    """Build an engine with a plate; see `build_engine`. Raises PlateError if the plate cannot be used."""
    path = settings.plate
    if path is None:
        raise PlateError(
            t(
                "The model {model} needs a picture of the empty room; take one⟦ in the window, or with `{program} "
                "ctl plate take` while Mattecam runs with another model⟧.",
                model=choice.model,
                program=program_command(),
            )
        )
    made: list[PlateParts] = []

    def make(geometry: StepGeometry) -> Backend:
        plate = framed(read_plate(path, geometry.width, geometry.height), framing)
        with contextlib.ExitStack() as unused:
            people = PersonFinder(geometry.width, geometry.height)
            unused.callback(people.close)
            if people.finds_someone(plate):
                raise PlateError(
                    t(
                        "The picture of the empty room {file} shows a person; take it again with nobody in view.",
                        file=path,
                    )
                )
            with backend_errors(choice.model, choice.target.device, choice.target.precision):
                backend, lit = _plate_backend(settings, choice, geometry, plate)
            unused.pop_all()
        if made:
            made.pop().people.close()
        made.append(PlateParts(lit, PlateFit(plate), people))
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
    if choice.target.executor == "openvino":
        from app.matting.openvino.conversion import NetworkSource, artefacts
        from app.matting.plate.networks import PlateOpenVinoBackend, SeenPlateBackend

        artefact = artefacts.load(NetworkSource(choice.model, choice.weights))
        backend = (
            SeenPlateBackend(artefact, plate, geometry, choice.target.precision)
            if choice.spec.recurrent
            else PlateOpenVinoBackend(artefact, plate, scale, pixels, choice.target.precision)
        )
        return backend, backend
    from app.matting.torch.frame_step import PlateCore, SeenPlateCore
    from app.matting.torch.torch_backend import TorchBackend, load_network

    network = load_network(
        choice.model, choice.weights, settings.refiner, choice.target.device, choice.target.precision
    )
    lit = SeenPlateCore(network, plate, geometry) if choice.spec.recurrent else PlateCore(network, plate, scale, pixels)
    return TorchBackend(lit.eval(), geometry, choice.target.device, choice.target.precision), lit


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


def _release_gpu() -> None:
    """Give back the memory of networks that an earlier engine used on a GPU; the modules are not loaded for that."""
    if paths.module("app.matting.torch.torch_backend") in sys.modules:
        from app.matting.torch.torch_backend import forget_networks, release_memory

        forget_networks()
        release_memory()
