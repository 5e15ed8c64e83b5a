"""Chooses model, device, executor, precision and threads where the settings say `auto`; makes the engine of a choice.

On a CPU, precision and threads are chosen by trials, which `app.matting.choice.preparation` makes on this machine. They
are kept for the same processor, versions and weights.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from app import __version__
from app.core import paths
from app.core.errors import ModelChoiceError, ModelError, Text, WeightsMissingError, t, text_of
from app.core.files import BrokenFileError, JsonObject
from app.core.paths import program_command
from app.core.settings import EngineSettings
from app.core.targets import INTEL, Target, kind_of
from app.core.threads import usable_cores
from app.core.user_file import UserFile
from app.matting.base.interface import Backend, StepGeometry, auto_ratio
from app.matting.choice import hardware
from app.matting.choice.governor import FIXED_WORK, LIGHTER_WORK
from app.matting.engine import FrameEngine, backend_errors
from models.errors import WeightsError
from models.table import NETWORKS, NetworkSpec, auto_order, bundled, recommended
from models.weights import check_intact, find, find_int8, on_hand, sha256_of

if TYPE_CHECKING:
    from app.matting.openvino.conversion import Artefact

LOG = logging.getLogger(__name__)
MIN_GAIN = 1.03
"""One thread or a less accurate precision is taken only if it costs less by this factor; less is noise."""
LONGEST_MS = 0.8 * 1000 / 30
"""Time per frame that holds 30 fps well: the machine has other work, and slows down when it is hot."""
LONGEST_ON_ONE_THREAD_MS = 0.9 * 1000 / 30
"""The same on one thread, which other work disturbs less: it has a core of its own, and waits for no other thread."""
WIDTH, HEIGHT = 1280, 720
"""Size of the measured frames."""
MEASURED_FPS = 30
AFFORDABLE_SHARE = 1 / 3
"""Largest share of the time of all usable cores that a finer network may take in a call. The call itself, the window
and the encoder of the browser need the rest."""
MEAN_BOUND = 2.5e-4
"""Largest accepted mean difference of alpha (0..1) from float32 on the trial's frames.

Somewhat more than the int8 versions that passed the model card show there: 1.9e-4 (bundled) and 1.2e-4 (RVM).
"""


@dataclass(frozen=True, slots=True)
class Trial:
    """Result of one precision on one thread or all cores: times of a step, and difference of alpha from float32."""

    precision: str
    threads: int | None
    """1, or None for all cores."""
    step_ms: float
    """Time of a step: the fastest one counts, since other load of the machine only adds."""
    cpu_ms: float
    """Median CPU time of a step, over all threads."""
    mean_difference: float = 0.0
    """Of alpha (0..1)."""
    plugin: str = ""
    """OpenVINO's name of the GPU; empty on the CPU."""
    gpu: str = ""
    """Its name for a person."""

    @property
    def accurate(self) -> bool:
        """Whether alpha is as close to float32 as in the versions that were accepted."""
        return self.mean_difference <= MEAN_BOUND

    @property
    def words(self) -> Text:
        """What was measured, such as `int8 on one thread`."""
        if self.gpu:
            return t("{precision} on {gpu}", precision=self.precision, gpu=self.gpu)
        if self.threads is None:
            return t("{precision} on all cores", precision=self.precision)
        return t("{precision} on one thread", precision=self.precision)

    @property
    def holds_rate(self) -> bool:
        """Whether it holds 30 fps well."""
        if self.threads == 1:
            return self.step_ms <= LONGEST_ON_ONE_THREAD_MS
        return self.step_ms <= LONGEST_MS

    @property
    def share_of_cores(self) -> float:
        """The time of all usable cores that it takes at 30 fps, 0..1."""
        return self.cpu_ms * MEASURED_FPS / 1000 / usable_cores()

    @property
    def is_affordable(self) -> bool:
        """Whether it leaves a call the time that it needs."""
        return is_affordable(self.share_of_cores, holds_rate=self.holds_rate)

    def scaled(self, network: float, frame: float) -> Trial:
        """Return what is expected for so many times the pixels of the network's input and of the frame."""
        return replace(self, step_ms=self.step_ms * ((1 - FIXED_WORK) * network + FIXED_WORK * frame))

    def beats(self, other: Trial) -> bool:
        """Return whether this is the better choice where only one holds 30 fps, where both do, and where none does."""
        if self.holds_rate != other.holds_rate:
            return self.holds_rate
        if not self.holds_rate:
            return self.step_ms * MIN_GAIN < other.step_ms
        if self.plugin == other.plugin and self.threads != other.threads:
            # Alone, several threads sometimes seem to cost less. Beside a camera and a preview they wait for each
            # other, which costs a third more (docs/performance.md).
            return self.threads == 1
        return self.cpu_ms * MIN_GAIN < other.cpu_ms


def is_affordable(share: float, *, holds_rate: bool) -> bool:
    """Return whether a network leaves a call the time that it needs. share: of the time of all usable cores, 0..1."""
    return holds_rate and share <= AFFORDABLE_SHARE


Trials = Sequence[Trial]
"""Trials of one network, the most accurate first, all cores before one thread; empty if nothing could be measured."""


def best(trials: Trials, precision: str = "auto") -> Trial | None:
    """Return the best trial that is accurate; None without one. precision: one that the user asked for."""
    found: Trial | None = None
    for trial in trials:
        wanted = trial.accurate if precision == "auto" else trial.precision == precision
        if wanted and (found is None or trial.beats(found)):
            found = trial
    return found


def described(trials: Trials) -> tuple[Text, ...]:
    """Return the times of the accurate trials, the least CPU time first."""
    return tuple(
        t("{run} {step} ms (CPU {cpu} ms)", run=trial.words, step=f"{trial.step_ms:.1f}", cpu=f"{trial.cpu_ms:.1f}")
        for trial in sorted(trials, key=lambda trial: trial.cpu_ms)
        if trial.accurate
    )


def cpu_precisions(model: str, weights: Path) -> list[str]:
    """Return the precisions in which OpenVINO may run this network here with a gain, the most accurate first."""
    spec = NETWORKS[model]
    bfloat16 = "bfloat16" in spec.precisions and hardware.cpu_has_bfloat16()
    int8 = "int8" in spec.precisions and find_int8(weights, spec.int8) is not None
    return ["float32", *(["bfloat16"] if bfloat16 else []), *(["int8"] if int8 else [])]


def measurable() -> dict[str, Path]:
    """Return the installed networks without a plate that have a choice of precisions or threads, with their weights."""
    names = [name for name, spec in NETWORKS.items() if not spec.needs_plate]
    found = {name: path for name in names if (path := on_hand(name)) is not None}
    return {name: path for name, path in found.items() if usable_cores() > 1 or len(cpu_precisions(name, path)) > 1}


def unmeasured() -> dict[str, Path]:
    """Return those of the measurable networks that were not measured; one that no precision passed was."""
    kept = _read()
    return {model: weights for model, weights in measurable().items() if _identity(model, weights) not in kept}


def trials_of(model: str, weights: Path) -> Trials:
    """Return what was measured with these weights, on the CPU and then on a GPU; empty if nothing was."""
    return [*cpu_trials(model, weights), *(gpu_trials(model, weights) or [])]


def cpu_trials(model: str, weights: Path) -> Trials:
    """Return what was measured on the CPU."""
    return _read().get(_identity(model, weights), [])


def gpu_trials(model: str, weights: Path) -> Trials | None:
    """Return what was measured on the GPU of Intel: nothing if it failed; None before, or where there is none."""
    return _read().get(_gpu_identity(model, weights)) if hardware.intel_driver() else None


def save_gpu_trials(model: str, weights: Path, trials: Trials) -> None:
    """Save the trials on the GPU, for this driver; without one, it is not tried again. Raises SettingsError."""
    name = _gpu_identity(model, weights)
    _change(lambda kept: {**kept, name: list(trials)})


def unmeasured_on_gpu() -> dict[str, Path]:
    """Return the networks that were measured on the CPU, and not on the GPU of Intel that is here."""
    if not hardware.intel_driver():
        return {}
    kept = _read()
    return {
        name: path
        for name, path in measurable().items()
        if _identity(name, path) in kept and _gpu_identity(name, path) not in kept
    }


def give_up_gpu() -> None:
    """Do not use the GPU of Intel again until driver or version change. Raises SettingsError."""
    for model, weights in measurable().items():
        save_gpu_trials(model, weights, [])


def save_trials(model: str, weights: Path, trials: Trials) -> None:
    """Save the trials of a network in place of earlier ones. Raises SettingsError."""
    name = _identity(model, weights)
    _change(lambda kept: {**kept, name: list(trials)})


def is_prepared() -> bool:
    """Return whether the kernels are compiled and the bundled network is converted."""
    return "prepared" in _read()


def check_kept_file() -> None:
    """Write the file as it is, which shows whether it can be written. Raises SettingsError."""
    _change(lambda kept: kept)


def save_prepared(prepared: bool) -> None:
    """Save whether this machine is prepared. Raises SettingsError."""

    def update(kept: KeptTrials) -> KeptTrials:
        others = {name: trials for name, trials in kept.items() if name != "prepared"}
        return {**others, "prepared": []} if prepared else others

    _change(update)


KeptTrials = dict[str, list[Trial]]
"""Content of the file: trials by the name of the network and its weights, and `prepared` once the machine is."""
Kept = TypeAdapter(KeptTrials)


def _file() -> UserFile[KeptTrials]:
    return UserFile(kept_file(), _checked)


def _checked(data: JsonObject) -> KeptTrials:
    try:
        return Kept.validate_python(data)
    except ValidationError as error:
        raise BrokenFileError(t("it holds no measurements")) from error


def _read() -> KeptTrials:
    try:
        return _file().read() or {}
    except (OSError, BrokenFileError):  # it is measured again
        return {}


def _change(update: Callable[[KeptTrials], KeptTrials]) -> None:
    """Replace the trials by what `update` makes of them. Raises SettingsError."""
    renamed = _file().change(lambda kept: Kept.dump_python(update(kept or {}), mode="json"))
    if renamed is not None:
        LOG.warning("%s", renamed)


def kept_file() -> Path:
    """Return the file for this machine, its packages and this copy of the program: several share the folder."""
    return paths.data_dir() / "cache" / f"prepared-{_fingerprint()[:16]}.json"


def _identity(model: str, weights: Path) -> str:
    """Return the name of a network with its weights and their int8 version."""
    int8 = find_int8(weights, NETWORKS[model].int8)
    try:
        return " ".join([model, *(sha256_of(file)[:16] for file in (weights, int8) if file)])
    except WeightsError:
        return model


def _gpu_identity(model: str, weights: Path) -> str:
    return f"gpu {hardware.intel_driver()} {_identity(model, weights)}"


PACKAGES = ("numba", "llvmlite", "numpy", "openvino")


@functools.cache
def _fingerprint() -> str:
    """Return a digest of what results depend on."""
    words = [str(paths.ROOT), hardware.processor(), hardware.processor_flags(), sys.version, __version__]
    for package in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            words.append(f"{package} {importlib.metadata.version(package)}")
    return hashlib.sha256("\n".join(words).encode()).hexdigest()


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
    target: Target
    plugin: str = ""
    """OpenVINO's name of the GPU that the target is."""

    @property
    def spec(self) -> NetworkSpec:
        """Description of the network."""
        return NETWORKS[self.model]

    @property
    def int8(self) -> Path | None:
        """The int8 version of the weights; None in other precisions."""
        return find_int8(self.weights, self.spec.int8) if self.target.precision == "int8" else None

    @property
    def cpu_precision(self) -> str:
        """The precision on the CPU, which computes while a GPU is made ready, checks it, and takes over from it."""
        return "float32" if self.plugin else self.target.precision


def choose_model(settings: EngineSettings, *, live: bool = False) -> str:
    """Return the chosen model; for `auto`, the best one whose weights are available and intact.

    live: the best one that leaves a call the time that it needs, by measurement. Films and the Python API, where
    nobody waits for a frame, take the best one.
    """
    if settings.model != "auto":
        return settings.model
    if settings.weights is not None:
        return recommended().name
    is_fast = kind_of(choose_device(settings)).is_fast
    for spec in auto_order(gpu=is_fast, plate=settings.plate is not None):
        if _is_usable(spec.name) and (is_fast or not live or _suits_a_call(spec)):
            return spec.name
    return bundled().name


def _suits_a_call(spec: NetworkSpec) -> bool:
    """Return whether a network was measured to leave a call enough of the processor.

    The bundled one always does: nothing is lighter. One with a plate is wanted by whoever took the plate.
    """
    weights = on_hand(spec.name)
    if spec.bundled or spec.needs_plate or weights is None:
        return True
    trial = best(trials_of(spec.name, weights))
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

    automatic: str
    """The network that the model `auto` is here."""
    share: float | None
    """Share of the usable cores, 0..1; None before a measurement, 0 on a GPU."""
    holds_rate: bool
    """Whether it holds 30 fps."""

    @property
    def recommended(self) -> bool:
        """Whether `auto` takes it in a call."""
        return self.share is not None and is_affordable(self.share, holds_rate=self.holds_rate)


def fine_quality(settings: EngineSettings) -> FineQuality:
    """Return what finer quality takes; before that was measured, as predicted from the bundled network's load."""
    try:
        automatic = choose_model(settings.replace(model="auto"), live=True)
        if kind_of(choose_device(settings)).is_fast:
            return FineQuality(automatic, 0.0, holds_rate=True)
    except ModelError:  # such as a device that is not available; the engine that needs it says why
        automatic = bundled().name
    fine, standard = on_hand(recommended().name), on_hand(bundled().name)
    trials = trials_of(recommended().name, fine) if fine is not None else []
    if not trials and standard is not None:
        trials = [
            replace(trial, step_ms=trial.step_ms / LIGHTER_WORK, cpu_ms=trial.cpu_ms / LIGHTER_WORK)
            for trial in cpu_trials(bundled().name, standard)
        ]
    trial = best(trials)
    if trial is None:
        return FineQuality(automatic, None, holds_rate=False)
    return FineQuality(automatic, trial.share_of_cores, trial.holds_rate)


def choose(settings: EngineSettings, *, live: bool = False) -> Choice:
    """Resolve every `auto`. live: as of `choose_model`. Raises WeightsMissingError or ModelChoiceError."""
    model = choose_model(settings, live=live)
    try:
        weights = find(model, settings.weights)
        if settings.weights is None:
            check_intact(model, weights)
    except WeightsError as error:
        raise WeightsMissingError(text_of(error)) from error
    if (trial := _trial_on_gpu(settings, model, weights)) is not None:
        return Choice(model, weights, Target(INTEL, "openvino", trial.precision), trial.plugin)
    return Choice(model, weights, choose_target(settings, model, weights))


def _trial_on_gpu(settings: EngineSettings, model: str, weights: Path) -> Trial | None:
    """Return the trial on the GPU of Intel whose choice these settings are; None where the network runs elsewhere.

    Raises ModelChoiceError if the GPU was asked for and failed.
    """
    trials = gpu_trials(model, weights)
    accurate = [trial for trial in trials or [] if trial.accurate]
    if settings.device == INTEL and not NETWORKS[model].needs_plate:
        trial = best(accurate, settings.precision)
        if trial is None and (trials is not None or not hardware.intel_driver()):
            raise ModelChoiceError(
                t(
                    "The GPU of Intel cannot run the model {model} in this precision, as `{program} doctor` says; "
                    "choose the device cpu or auto.",
                    model=model,
                    program=program_command(),
                )
            )
        return trial  # None until it is measured
    if settings.device != "auto" or settings.executor == "eager" or choose_device(settings) != "cpu":
        return None
    trial = best([*cpu_trials(model, weights), *accurate], settings.precision)
    return trial if trial is not None and trial.plugin else None


def geometry_for(settings: EngineSettings, model: str, width: int, height: int) -> StepGeometry:
    """Return the frame geometry for `model`. Raises ModelChoiceError if the small frame would be too small."""
    ratio = settings.downsample_ratio or auto_ratio(width, height, NETWORKS[model].short_side)
    geometry = StepGeometry(width, height, ratio)
    if min(geometry.small_width, geometry.small_height) < MIN_SMALL_SIDE:
        raise ModelChoiceError(
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


def choose_target(settings: EngineSettings, model: str, weights: Path) -> Target:
    """Return where and how a network runs. Raises ModelChoiceError if what the settings ask for cannot be had here."""
    device = choose_device(settings)
    executors = kind_of(device).executors
    executor = executors[0] if settings.executor == "auto" else settings.executor
    if executor not in executors:
        raise ModelChoiceError(
            t(
                "The executor openvino does not run on the device {device}; choose eager or the device cpu.",
                device=device,
            )
        )
    if executor == "eager":
        _require_torch("eager")
    return Target(device, executor, _precision(settings, model, weights, device, executor))


def choose_device(settings: EngineSettings) -> str:
    """Return the device. Raises ModelChoiceError if it is not available."""
    if settings.device == INTEL:  # beside a network with a plate, and until it is measured
        return "cpu"
    if settings.device == "auto":
        return "cpu" if settings.executor == "openvino" else hardware.cuda_cards().first() or "cpu"
    if settings.device != "cpu":
        _require_torch(settings.device)
    return hardware.cuda_cards().find(settings.device) if settings.device.startswith("cuda") else settings.device


def _require_torch(choice: str) -> None:
    if not hardware.torch_usable():
        raise ModelChoiceError(
            t(
                "{choice} needs PyTorch, which this copy of Mattecam lacks; run Mattecam from its sources for it.",
                choice=choice,
            )
        )


def _precision(settings: EngineSettings, model: str, weights: Path, device: str, executor: str) -> str:
    if settings.precision == "int8" and not (executor == "openvino" and "int8" in cpu_precisions(model, weights)):
        raise ModelChoiceError(
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
    if (trial := best(cpu_trials(model, weights))) is not None:
        return trial.precision
    return "bfloat16" if "bfloat16" in cpu_precisions(model, weights) else "float32"  # until it is measured


def openvino_threads(choice: Choice, geometry: StepGeometry) -> int | None:
    """Return the number of threads of a step in OpenVINO beside other work of the program; None for all cores."""
    measured = geometry_for(EngineSettings(), choice.model, WIDTH, HEIGHT)
    network = geometry.small_width * geometry.small_height / (measured.small_width * measured.small_height)
    frame = geometry.width * geometry.height / (WIDTH * HEIGHT)
    trials = [trial.scaled(network, frame) for trial in cpu_trials(choice.model, choice.weights)]
    trial = best(trials, choice.cpu_precision)
    if trial is not None:
        return trial.threads
    return 1 if choice.spec.bundled and usable_cores() <= FEW_CORES else None


def converted(settings: EngineSettings, choice: Choice, geometry: StepGeometry) -> Artefact:
    """Return the network without a plate as OpenVINO runs it. Raises ModelError."""
    from app.matting.openvino.conversion import NetworkSource, artefacts

    direct = geometry.ratio == 1 and choice.spec.direct
    return artefacts.load(NetworkSource(choice.model, choice.weights, settings.refiner, direct, choice.int8))


def network_engine(
    settings: EngineSettings,
    choice: Choice,
    width: int,
    height: int,
    threads: Callable[[StepGeometry], int | None] = lambda geometry: None,
    *,
    live: bool = False,
) -> FrameEngine:
    """Return an engine for a choice that needs no plate. threads: of a step in OpenVINO; None for all cores.

    live: whether it may spare work beside people. Raises ModelError if the network cannot run.
    """
    target = choice.target

    def make_geometry(frame_width: int, frame_height: int) -> StepGeometry:
        return geometry_for(settings, choice.model, frame_width, frame_height)

    def make(geometry: StepGeometry) -> Backend:
        with backend_errors(choice.model, target.device, target.precision):
            if target.executor == "openvino":
                from app.matting.kernels.loading import start_loading

                start_loading()
                from app.matting.openvino.openvino_backend import OpenVinoBackend

                artefact = converted(settings, choice, geometry)
                gpu = (choice.plugin, target.precision) if choice.plugin else None
                return OpenVinoBackend(artefact, geometry, choice.cpu_precision, threads(geometry), live=live, gpu=gpu)
            from app.matting.torch.torch_backend import TorchBackend, load_core

            names = choice.model, choice.weights, settings.refiner
            core = load_core(*names, geometry.ratio, target.device, target.precision)
            return TorchBackend(core, geometry, target.device, target.precision)

    return FrameEngine(
        choice.model,
        make,
        make_geometry,
        width,
        height,
        strict_mode=not choice.spec.finds_any_object,
        live=live,
    )
