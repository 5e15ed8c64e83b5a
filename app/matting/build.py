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
from app.matting.choice.trials import give_up_gpu, measurable
from app.matting.engine import FrameEngine, backend_errors, network_engine
from app.matting.interface import Backend, StepGeometry, auto_ratio
from app.matting.plate.engine import LitPlate, PlateEngine, PlateParts
from app.matting.plate.picture import (
    PersonFinder,
    PlateFit,
    check_shape,
    needs_plate,
    read_plate,
    whole_plate,
)


def build_engine(
    settings: EngineSettings,
    width: int,
    height: int,
    framing: FramingSettings = WHOLE,
    *,
    shared: bool = False,
    live: bool = False,
) -> FrameEngine | PlateEngine:
    """Return an engine for frames of this size.

    It takes seconds the first time, much less for a new ratio.

    framing: crop of the source's frame that the engine receives; the plate, which shows the whole
    frame, is cropped identically. shared: capture and outputs run beside the engine and need the
    cores as well. live: the network may spare work where little moves.

    Raises WeightsMissingError if the weights are not available, ModelError if the network cannot
    run, or in a fork of a process that has built an engine.
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
        if not shared:
            return None
        return openvino_threads(choice, geometry)

    def give_up(problem: str) -> None:
        # Else each start, and each film, would wait for the GPU again.
        give_up_gpu(measurable(), problem)

    return network_engine(
        settings, choice, width, height, threads, live=live, on_gpu_failure=give_up
    )


# Maximum scale of the base network's input relative to the frame.
MOST_SCALE = 0.5
HD_PIXELS = 1920 * 1080
HD_SAMPLES = 80_000


def _plate_engine(
    settings: EngineSettings, choice: Choice, width: int, height: int, framing: FramingSettings
) -> PlateEngine:
    """Build an engine with a plate; see `build_engine`.

    Raises PlateError if the plate cannot be used.
    """
    path = settings.plate
    if path is None:
        raise PlateError(
            t(
                "The model {model} needs a picture of the empty room; take one⟦ in the window, or "
                "with `{program} ctl plate take` while Mattecam runs with another model⟧.",
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
                        "The picture of the empty room {file} shows a person; take it again with "
                        "nobody in view.",
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
    """Return the number of pixels to refine: 80,000 for HD as in the paper of BGMv2.

    For other sizes it grows with the area (Lin, Ryabtsev and others 2021).
    """
    return round(HD_SAMPLES * width * height / HD_PIXELS / 16) * 16


def _plate_backend(
    settings: EngineSettings,
    choice: Choice,
    geometry: StepGeometry,
    plate: BgrImage,
) -> tuple[Backend, LitPlate]:
    """Return the backend and its component that holds the plate."""
    target = choice.target
    ratio = settings.downsample_ratio or auto_ratio(geometry.width, geometry.height)
    scale = min(ratio, MOST_SCALE)
    pixels = sample_pixels(geometry.width, geometry.height)
    if target.executor == "openvino":
        from app.matting.openvino.conversion import NetworkSource, artefacts
        from app.matting.plate.networks import PlateOpenVinoBackend, SeenPlateBackend

        artefact = artefacts.load(NetworkSource(choice.model, choice.weights))
        backend: SeenPlateBackend | PlateOpenVinoBackend
        if choice.spec.recurrent:
            backend = SeenPlateBackend(artefact, plate, geometry, target.precision)
        else:
            backend = PlateOpenVinoBackend(artefact, plate, scale, pixels, target.precision)
        return backend, backend
    from app.matting.torch.frame_step import PlateCore, SeenPlateCore
    from app.matting.torch.torch_backend import TorchBackend, load_network

    weights = (choice.model, choice.weights, settings.refiner)
    network = load_network(*weights, target.device, target.precision)
    lit: SeenPlateCore | PlateCore
    if choice.spec.recurrent:
        lit = SeenPlateCore(network, plate, geometry)
    else:
        lit = PlateCore(network, plate, scale, pixels)
    return TorchBackend(lit.eval(), geometry, target.device, target.precision), lit


def frame_check(settings: EngineSettings) -> Callable[[int, int], None]:
    """Return what raises ModelError for frames of a (width, height) that the network cannot take.

    Raises PlateError if the plate cannot be read.
    """
    model = choose_model(settings)
    path = settings.plate if needs_plate(model) else None
    plate_size = (0, 0)
    if path is not None:
        plate_height, plate_width = whole_plate(path).shape[:2]
        plate_size = (plate_width, plate_height)

    def check(width: int, height: int) -> None:
        geometry_for(settings, model, width, height)
        if path is not None:
            check_shape(path, plate_size, width, height)

    return check


def _release_gpu() -> None:
    """Give back the memory of networks that an earlier engine used on a GPU."""
    # A module that is not loaded holds none, and takes seconds to load.
    if paths.module("app.matting.torch.torch_backend") in sys.modules:
        from app.matting.torch.torch_backend import forget_networks, release_memory

        forget_networks()
        release_memory()
