"""Resolves every `auto` in the settings: model, device, executor and precision; makes the engine of a choice."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.errors import ModelError, WeightsMissingError, t, text_of
from app.core.settings import EngineSettings
from app.core.threads import usable_cores
from app.matting.base.interface import Backend, StepGeometry, auto_ratio
from app.matting.choice import hardware
from app.matting.choice.trials import HEIGHT, WIDTH, best, cpu_precisions, trials_of
from app.matting.engine import FrameEngine, backend_errors
from models.table import NETWORKS, NetworkSpec, auto_order, bundled, recommended
from models.weights import WeightsError, check_intact, find, find_int8, on_hand

if TYPE_CHECKING:
    from app.matting.openvino.artefact import Artefact

LOG = logging.getLogger(__name__)
MIN_SMALL_SIDE = 16
"""Minimum short side of a network's input, in pixels."""
FEW_CORES = 2
"""Up to this many usable cores, a bundled network runs on one thread until it is measured.

OpenVINO's workers spin while they wait for each other, which takes time from capture, outputs and window.
"""


@dataclass(frozen=True, slots=True)
class Choice:
    """The settings with every `auto` resolved."""

    model: str
    weights: Path
    device: str
    executor: str
    precision: str

    @property
    def spec(self) -> NetworkSpec:
        """Description of the network."""
        return NETWORKS[self.model]

    @property
    def int8(self) -> Path | None:
        """The int8 version of the weights; None in other precisions."""
        return find_int8(self.weights, self.spec.int8) if self.precision == "int8" else None


def choose_model(settings: EngineSettings) -> str:
    """Return the chosen model; for `auto`, the best one whose weights are available and intact."""
    if settings.model != "auto":
        return settings.model
    if settings.weights is not None:
        return recommended().name
    candidates = auto_order(gpu=choose_device(settings) != "cpu", plate=settings.plate is not None)
    return next((spec.name for spec in candidates if _is_usable(spec.name)), bundled().name)


def _is_usable(model: str) -> bool:
    path = on_hand(model)
    try:
        if path is not None:
            check_intact(model, path)
    except WeightsError as error:
        LOG.warning("%s", error)
        return False
    return path is not None and (hardware.torch_usable() or _is_converted(model, path))


def _is_converted(model: str, weights: Path) -> bool:
    from app.matting.openvino.artefact import NetworkSource
    from app.matting.openvino.conversion import artefacts

    return artefacts.folder(NetworkSource(model, weights)).is_dir()


def choose(settings: EngineSettings) -> Choice:
    """Resolve every `auto`. Raises WeightsMissingError or ModelError."""
    model = choose_model(settings)
    try:
        weights = find(model, settings.weights)
        if settings.weights is None:
            check_intact(model, weights)
    except WeightsError as error:
        raise WeightsMissingError(text_of(error)) from error
    device = choose_device(settings)
    executor = choose_executor(settings, device)
    return Choice(model, weights, device, executor, _precision(settings, model, weights, device, executor))


def geometry_for(settings: EngineSettings, model: str, width: int, height: int) -> StepGeometry:
    """Return the frame geometry for `model`. Raises ModelError if the small frame would be too small."""
    ratio = settings.downsample_ratio or auto_ratio(width, height, NETWORKS[model].short_side)
    geometry = StepGeometry(width, height, ratio)
    if min(geometry.small_width, geometry.small_height) < MIN_SMALL_SIDE:
        raise ModelError(
            t(
                "A frame of {width}×{height} at the detail {ratio} is too small for the model {model}; choose a "
                "larger one or more detail⟦, which is a higher --downsample-ratio⟧.",
                width=width,
                height=height,
                ratio=f"{ratio:g}",
                model=model,
            )
        )
    return geometry


def choose_device(settings: EngineSettings) -> str:
    """Return the device. Raises ModelError if it is not available."""
    if settings.device == "auto":
        return "cpu" if settings.executor == "openvino" else hardware.cuda_cards().first() or "cpu"
    if settings.device != "cpu":
        _require_torch(settings.device)
    return hardware.cuda_cards().find(settings.device) if settings.device.startswith("cuda") else settings.device


def choose_executor(settings: EngineSettings, device: str) -> str:
    """Return the executor. Raises ModelError if the one in the settings cannot run on this device."""
    if settings.executor == "auto" and device == "cpu" and hardware.openvino_usable():
        return "openvino"
    if settings.executor in ("auto", "eager"):
        _require_torch("eager")
        return "eager"
    if settings.executor == "openvino" and device != "cpu":
        raise ModelError(
            t(
                "The executor openvino does not run on the device {device}; choose eager or the device cpu.",
                device=device,
            )
        )
    return settings.executor


def _require_torch(choice: str) -> None:
    if not hardware.torch_usable():
        raise ModelError(
            t(
                "{choice} needs PyTorch, which this copy of Mattecam lacks; run Mattecam from its sources for it.",
                choice=choice,
            )
        )


def _precision(settings: EngineSettings, model: str, weights: Path, device: str, executor: str) -> str:
    if settings.precision == "int8" and not (executor == "openvino" and "int8" in cpu_precisions(model, weights)):
        raise ModelError(
            t(
                "There is no int8 version of the model {model} for this device and these weights; choose another "
                "precision.",
                model=model,
            )
        )
    if settings.precision != "auto":
        return settings.precision
    if device.startswith("cuda"):
        return "float16" if hardware.cuda_cards().half_works(device) else "float32"
    if executor != "openvino":
        return "float32"
    return openvino_precision(model, weights)


def openvino_precision(model: str, weights: Path) -> str:
    """Return the precision that `auto` takes on the CPU in OpenVINO."""
    trial = best(trials_of(model, weights))
    return _unmeasured_precision(model, weights) if trial is None else trial.precision


def openvino_threads(choice: Choice, geometry: StepGeometry) -> int | None:
    """Return the number of threads of a step in OpenVINO beside other work of the program; None for all cores."""
    measured = geometry_for(EngineSettings(), choice.model, WIDTH, HEIGHT)
    network = geometry.small_width * geometry.small_height / (measured.small_width * measured.small_height)
    frame = geometry.width * geometry.height / (WIDTH * HEIGHT)
    trials = [trial.scaled(network, frame) for trial in trials_of(choice.model, choice.weights)]
    trial = best(trials, choice.precision)
    if trial is not None:
        return trial.threads
    return 1 if choice.spec.bundled and usable_cores() <= FEW_CORES else None


def _unmeasured_precision(model: str, weights: Path) -> str:
    """Return the precision before it is measured: by the processor's instructions."""
    possible = cpu_precisions(model, weights)
    if "bfloat16" in possible:
        return "bfloat16"
    if "int8" in NETWORKS[model].precisions and hardware.cpu_has_vnni():
        if "int8" in possible and find_int8(weights, NETWORKS[model].int8, measured=True):
            return "int8"
        _report_float32(model, weights)
    return "float32"


@functools.cache
def _report_float32(model: str, weights: Path) -> None:
    LOG.warning(
        "No int8 version of %s was measured with the weights in %s; the network runs in float32, which is slower.",
        model,
        weights,
    )


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
    from app.matting.openvino.conversion import artefacts

    direct = geometry.ratio == 1 and choice.spec.direct
    return artefacts.load(NetworkSource(choice.model, choice.weights, settings.refiner, direct, choice.int8))


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
