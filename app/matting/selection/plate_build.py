"""Builds the engine for a model that needs a plate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.errors import PlateError
from app.core.framing import framed
from app.core.messages.matting import PlateText
from app.core.settings import EngineSettings, FramingSettings
from app.core.types import BgrImage
from app.matting.base.failures import executor_errors
from app.matting.base.geometry import StepGeometry, auto_ratio
from app.matting.base.interface import Executor
from app.matting.engine.frame_engine import FrameEngine
from app.matting.plate.engine import LitPlate, PlateEngine
from app.matting.plate.plate import PlateWatch, read_plate
from app.matting.selection.choice import geometry_for
from app.matting.selection.occupancy import shows_someone

if TYPE_CHECKING:
    from app.matting.selection.choice import Choice

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
    made: list[tuple[LitPlate, PlateWatch]] = []

    def make_executor(geometry: StepGeometry) -> Executor:
        plate = framed(read_plate(path, geometry.width, geometry.height), framing)
        if shows_someone(plate):
            raise PlateError(PlateText.OCCUPIED(file=path))
        with executor_errors(choice.model, choice.device, choice.precision):
            executor, lit = _make_executor(settings, choice, geometry, plate)
        made[:] = [(lit, PlateWatch(plate))]
        return executor

    def make_geometry(frame_width: int, frame_height: int) -> StepGeometry:
        if choice.spec.recurrent:
            return geometry_for(settings, choice.model, frame_width, frame_height)
        return StepGeometry(frame_width, frame_height, 1.0)

    return PlateEngine(lambda: FrameEngine(choice.model, make_executor, make_geometry, width, height), lambda: made[0])


def sample_pixels(width: int, height: int) -> int:
    """Return the number of pixels to refine: 80,000 for HD as in the paper, scaled with the frame's area."""
    return round(HD_SAMPLES * width * height / HD_PIXELS / 16) * 16


def _make_executor(
    settings: EngineSettings, choice: Choice, geometry: StepGeometry, plate: BgrImage
) -> tuple[Executor, LitPlate]:
    """Return the executor and its component that holds the plate."""
    scale = min(settings.downsample_ratio or auto_ratio(geometry.width, geometry.height), MOST_SCALE)
    pixels = sample_pixels(geometry.width, geometry.height)
    if choice.executor == "openvino":
        from app.matting.openvino.artefact_cache import artefacts
        from app.matting.openvino.plate_executor import PlateOpenVinoExecutor
        from app.matting.openvino.seen_plate import SeenPlateExecutor

        artefact = artefacts.load(choice.model, choice.weights)
        executor = (
            SeenPlateExecutor(artefact, plate, geometry, choice.precision)
            if choice.spec.recurrent
            else PlateOpenVinoExecutor(artefact, plate, scale, pixels, choice.precision)
        )
        return executor, executor
    from app.matting.torch.eager import EagerExecutor
    from app.matting.torch.networks import load_core
    from app.matting.torch.plate_core import PlateCore, SeenPlateCore

    network = load_core(choice.model, choice.weights, settings.refiner, 1.0, choice.device, choice.precision).network
    lit = (
        SeenPlateCore(network, plate, geometry) if choice.spec.recurrent else PlateCore(network, plate, scale, pixels)
    ).eval()
    return EagerExecutor(lit, geometry, choice.device, choice.precision), lit
