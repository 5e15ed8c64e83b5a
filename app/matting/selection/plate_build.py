"""Builds the engine for a model that needs a plate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.errors import PlateError
from app.core.framing import framed
from app.core.messages.matting import PlateText
from app.core.settings import EngineSettings, FramingSettings
from app.core.types import BgrImage
from app.matting.base.failures import backend_errors
from app.matting.base.geometry import StepGeometry, auto_ratio
from app.matting.base.interface import Backend
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

    def make_backend(geometry: StepGeometry) -> Backend:
        plate = framed(read_plate(path, geometry.width, geometry.height), framing)
        if shows_someone(plate):
            raise PlateError(PlateText.OCCUPIED(file=path))
        with backend_errors(choice.model, choice.device, choice.precision):
            backend, lit = _make_backend(settings, choice, geometry, plate)
        made[:] = [(lit, PlateWatch(plate))]
        return backend

    def make_geometry(frame_width: int, frame_height: int) -> StepGeometry:
        if choice.spec.recurrent:
            return geometry_for(settings, choice.model, frame_width, frame_height)
        return StepGeometry(frame_width, frame_height, 1.0)

    return PlateEngine(
        lambda: FrameEngine(choice.model, make_backend, make_geometry, width, height, strict_mode=False),
        lambda: made[0],
    )


def sample_pixels(width: int, height: int) -> int:
    """Return the number of pixels to refine: 80,000 for HD as in the paper, scaled with the frame's area."""
    return round(HD_SAMPLES * width * height / HD_PIXELS / 16) * 16


def _make_backend(
    settings: EngineSettings, choice: Choice, geometry: StepGeometry, plate: BgrImage
) -> tuple[Backend, LitPlate]:
    """Return the backend and its component that holds the plate."""
    scale = min(settings.downsample_ratio or auto_ratio(geometry.width, geometry.height), MOST_SCALE)
    pixels = sample_pixels(geometry.width, geometry.height)
    if choice.executor == "openvino":
        from app.matting.openvino.artefact_cache import artefacts
        from app.matting.openvino.plate_backend import PlateOpenVinoBackend
        from app.matting.openvino.seen_plate import SeenPlateBackend

        artefact = artefacts.load(choice.model, choice.weights)
        backend = (
            SeenPlateBackend(artefact, plate, geometry, choice.precision)
            if choice.spec.recurrent
            else PlateOpenVinoBackend(artefact, plate, scale, pixels, choice.precision)
        )
        return backend, backend
    from app.matting.torch.networks import load_core
    from app.matting.torch.plate_core import PlateCore, SeenPlateCore
    from app.matting.torch.torch_backend import TorchBackend

    network = load_core(choice.model, choice.weights, settings.refiner, 1.0, choice.device, choice.precision).network
    lit = SeenPlateCore(network, plate, geometry) if choice.spec.recurrent else PlateCore(network, plate, scale, pixels)
    return TorchBackend(lit.eval(), geometry, choice.device, choice.precision), lit
