"""Chooses model, device, executor, precision and threads where the settings say `auto`.

On a CPU, precision and threads are chosen by the trials of `app.matting.choice.trials`.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path

from app.core.errors import ModelChoiceError, ModelError, WeightsMissingError, t, text_of
from app.core.paths import program_command
from app.core.settings import EngineSettings
from app.core.targets import INTEL, Target, devices_with, kind_of
from app.core.threads import usable_cores
from app.matting.choice import hardware
from app.matting.choice.governor import LIGHTER_WORK
from app.matting.choice.trials import (
    HEIGHT,
    WIDTH,
    Trials,
    best,
    cpu_precisions,
    is_affordable,
    trials_of,
)
from app.matting.interface import StepGeometry, auto_ratio
from models.errors import WeightsError
from models.table import NETWORKS, NetworkSpec, auto_order, bundled, recommended
from models.weights import check_intact, find, find_int8, on_hand

LOG = logging.getLogger(__name__)

# Minimum short side of a network's input, in pixels.
MIN_SMALL_SIDE = 16
# Up to this many usable cores, a bundled network runs on one thread until it is measured:
# OpenVINO's workers spin while they wait for each other, which takes time from capture,
# outputs and window.
FEW_CORES = 2


@dataclass(frozen=True, slots=True)
class Choice:
    """The settings with every `auto` resolved."""

    model: str
    weights: Path
    target: Target

    @property
    def spec(self) -> NetworkSpec:
        """Description of the network."""
        return NETWORKS[self.model]

    @property
    def int8(self) -> Path | None:
        """The int8 version of the weights; None in other precisions."""
        if self.target.precision != "int8":
            return None
        return find_int8(self.weights, self.spec.int8)

    @property
    def cpu_precision(self) -> str:
        """The precision on the CPU.

        Beside a GPU, the CPU computes until that is ready, checks it, and takes over from it.
        """
        return "float32" if self.target.plugin else self.target.precision


def choose_model(settings: EngineSettings, *, live: bool = False) -> str:
    """Return the chosen model; for `auto`, the best one whose weights are available and intact.

    live: the best one that leaves a call the time that it needs, by measurement. Films and the
    Python API, where nobody waits for a frame, take the best one.
    """
    if settings.model != "auto":
        return settings.model
    if settings.weights is not None:
        return recommended().name
    is_fast = kind_of(choose_device(settings)).is_fast
    for spec in auto_order(gpu=is_fast, plate=settings.plate is not None):
        if not _is_usable(spec.name):
            continue
        # A GPU leaves the processor to the call in any case.
        if is_fast or not live or _suits_a_call(settings, spec):
            return spec.name
    return bundled().name


def _suits_a_call(settings: EngineSettings, spec: NetworkSpec) -> bool:
    """Return whether a network was measured to leave a call enough of the processor.

    The bundled one always does: nothing is lighter. One with a plate is wanted by whoever took the
    plate.
    """
    weights = on_hand(spec.name)
    if spec.bundled or spec.needs_plate or weights is None:
        return True
    trial = best(candidates(settings, spec.name, weights))
    return trial is not None and trial.is_affordable


def _is_usable(model: str) -> bool:
    path = on_hand(model)
    if path is None:
        return False
    try:
        check_intact(model, path)
    except WeightsError as error:
        LOG.warning("%s", error)
        return False
    if hardware.torch_usable():
        return True
    from app.matting.openvino.conversion import NetworkSource, artefacts

    return artefacts.folder(NetworkSource(model, path)).is_dir()  # else torch has to convert it


@dataclass(frozen=True, slots=True)
class FineQuality:
    """What finer quality takes: the load of the recommended model at 30 fps and 720p."""

    # The network that the model `auto` is here.
    automatic: str
    share: float | None
    """Share of the usable cores, 0..1; None before a measurement, 0 on a GPU."""
    # Whether it holds 30 fps.
    holds_rate: bool

    @property
    def recommended(self) -> bool:
        """Whether `auto` takes it in a call."""
        return self.share is not None and is_affordable(self.share, holds_rate=self.holds_rate)


def fine_quality(settings: EngineSettings) -> FineQuality:
    """Return what finer quality takes.

    Before that was measured, it is predicted from the load of the bundled network.
    """
    try:
        automatic = choose_model(settings.replace(model="auto"), live=True)
        if kind_of(choose_device(settings)).is_fast:
            return FineQuality(automatic, 0.0, holds_rate=True)
    except ModelError:  # such as a device that is not available; the engine that needs it says why
        automatic = bundled().name
    trial = best(_fine_trials(settings))
    if trial is None:
        return FineQuality(automatic, None, holds_rate=False)
    return FineQuality(automatic, trial.share_of_cores, trial.holds_rate)


def _fine_trials(settings: EngineSettings) -> Trials:
    """Return the trials of the recommended network, measured or predicted."""
    fine = on_hand(recommended().name)
    if fine is not None:
        measured = candidates(settings, recommended().name, fine)
        if measured:
            return measured
    standard = on_hand(bundled().name)
    if standard is None:
        return []
    predicted = []
    for trial in trials_of(bundled().name, standard):
        step_ms = trial.step_ms / LIGHTER_WORK
        cpu_ms = trial.cpu_ms / LIGHTER_WORK
        predicted.append(replace(trial, step_ms=step_ms, cpu_ms=cpu_ms))
    return predicted


def choose(settings: EngineSettings, *, live: bool = False) -> Choice:
    """Resolve every `auto`.

    live: as of `choose_model`. Raises WeightsMissingError or ModelChoiceError.
    """
    _require_pair(settings.device, settings.executor)
    model = choose_model(settings, live=live)
    try:
        weights = find(model, settings.weights)
        if settings.weights is None:
            check_intact(model, weights)
    except WeightsError as error:
        raise WeightsMissingError(text_of(error)) from error
    trial = best(candidates(settings, model, weights), settings.precision)
    if trial is not None and trial.plugin:
        on_gpu = Target(INTEL, "openvino", trial.precision, trial.plugin)
        return Choice(model, weights, on_gpu)
    if settings.device == INTEL and not NETWORKS[model].needs_plate:
        _require_unmeasured_gpu(model, weights)
    return Choice(model, weights, choose_target(settings, model, weights))


def candidates(settings: EngineSettings, model: str, weights: Path) -> Trials:
    """Return the trials of a network among which these settings choose.

    On a GPU, these are only those that are accurate.
    """
    on_gpu = [trial for trial in trials_of(model, weights, INTEL) if trial.accurate]
    if settings.device == INTEL:
        return on_gpu
    on_cpu = trials_of(model, weights)
    is_open = settings.device == "auto" and settings.executor != "eager"
    if is_open and choose_device(settings) == "cpu":
        return [*on_cpu, *on_gpu]
    return on_cpu


def _require_pair(device: str, executor: str) -> None:
    """Raise ModelChoiceError where both are chosen, and the executor does not run there."""
    if "auto" in (device, executor):
        return
    executors = kind_of(device).executors
    if executor not in executors:
        raise ModelChoiceError(
            t(
                "The executor {executor} does not run on the device {device}; choose the executor "
                "{executors}, or one of the devices {devices}.",
                executor=executor,
                device=device,
                executors=executors,
                devices=devices_with(executor),
            )
        )


def _require_unmeasured_gpu(model: str, weights: Path) -> None:
    """Raise ModelChoiceError unless there is a GPU of Intel that a network will be measured on."""
    if weights != on_hand(model):
        # The preparation measures what is installed, and nothing runs on a GPU without a
        # measurement.
        raise ModelChoiceError(
            t(
                "Only installed models are measured on the GPU of Intel, not the weights {file}; "
                "choose the device cpu or auto, which take the CPU.",
                file=weights,
            )
        )
    if not hardware.intel_driver() or trials_of(model, weights, INTEL):
        raise ModelChoiceError(
            t(
                "No GPU of Intel can run the model {model} in this precision here; choose the "
                "device cpu or auto, or see what `{program} doctor` says of Intel graphics.",
                model=model,
                program=program_command(),
            )
        )


def geometry_for(settings: EngineSettings, model: str, width: int, height: int) -> StepGeometry:
    """Return the frame geometry for `model`.

    Raises ModelChoiceError if the small frame would be too small.
    """
    ratio = settings.downsample_ratio or auto_ratio(width, height, NETWORKS[model].short_side)
    geometry = StepGeometry(width, height, ratio)
    if min(geometry.small_width, geometry.small_height) < MIN_SMALL_SIDE:
        raise ModelChoiceError(
            t(
                "A frame of {width}×{height} at the detail {ratio} is too small for the model "
                "{model}; choose a larger one or more detail⟦, which is a higher "
                "--downsample-ratio⟧.",
                width=width,
                height=height,
                ratio=f"{ratio:g}",
                model=model,
            )
        )
    return geometry


def choose_target(settings: EngineSettings, model: str, weights: Path) -> Target:
    """Return where and how a network runs.

    Raises ModelChoiceError if what the settings ask for cannot be had here.
    """
    device = choose_device(settings)
    executor = settings.executor
    if executor == "auto":
        executor = kind_of(device).executors[0]
    if executor == "eager":
        _require_torch("eager")
    return Target(device, executor, _precision(settings, model, weights, device, executor))


def choose_device(settings: EngineSettings) -> str:
    """Return the device. Raises ModelChoiceError if it is not available."""
    device = settings.device
    if device == INTEL:  # beside a network with a plate, and until it is measured
        return "cpu"
    if device == "auto":
        if settings.executor == "openvino":
            return "cpu"
        return hardware.cuda_cards().first() or "cpu"
    if device != "cpu":
        _require_torch(device)
    if device.startswith("cuda"):
        return hardware.cuda_cards().find(device)
    return device


def _require_torch(choice: str) -> None:
    if not hardware.torch_usable():
        raise ModelChoiceError(
            t(
                "{choice} needs PyTorch, which this copy of Mattecam lacks; run Mattecam from its "
                "sources for it.",
                choice=choice,
            )
        )


def _precision(
    settings: EngineSettings,
    model: str,
    weights: Path,
    device: str,
    executor: str,
) -> str:
    if settings.precision == "int8":
        has_int8 = executor == "openvino" and "int8" in cpu_precisions(model, weights)
        if not has_int8:
            raise ModelChoiceError(
                t(
                    "There is no int8 version of the model {model} for this device and these "
                    "weights; choose another precision.",
                    model=model,
                )
            )
    if settings.precision != "auto":
        return settings.precision
    if device.startswith("cuda"):
        return "float16" if hardware.cuda_cards().half_works(device) else "float32"
    if executor != "openvino":
        return "float32"
    trial = best(trials_of(model, weights))
    if trial is not None:
        return trial.precision
    # Until it is measured; its instructions make it faster than float32.
    return "bfloat16" if "bfloat16" in cpu_precisions(model, weights) else "float32"


def openvino_threads(choice: Choice, geometry: StepGeometry) -> int | None:
    """Return the number of threads of a step in OpenVINO; None for all cores.

    It is what costs least beside other work of the program.
    """
    measured = geometry_for(EngineSettings(), choice.model, WIDTH, HEIGHT)
    measured_pixels = measured.small_width * measured.small_height
    network = geometry.small_width * geometry.small_height / measured_pixels
    frame = geometry.width * geometry.height / (WIDTH * HEIGHT)
    trials = [trial.scaled(network, frame) for trial in trials_of(choice.model, choice.weights)]
    trial = best(trials, choice.cpu_precision)
    if trial is not None:
        return trial.threads
    if choice.spec.bundled and usable_cores() <= FEW_CORES:
        return 1
    return None
