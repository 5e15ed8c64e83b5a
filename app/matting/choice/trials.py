"""Trials of the networks on this machine: which one is best, and the file that keeps them.

`app.matting.choice.preparation` makes the trials. They are kept for the same processor, versions
and weights.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import importlib.util
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from app import __version__
from app.core import compiling, paths
from app.core.errors import SettingsError, Text, t
from app.core.targets import INTEL
from app.core.threads import usable_cores
from app.core.user_file import BrokenFileError, JsonObject, UserFile
from app.matting.choice import hardware
from app.matting.choice.governor import FIXED_WORK
from models.errors import WeightsError
from models.table import NETWORKS
from models.weights import find_int8, on_hand, sha256_of

LOG = logging.getLogger(__name__)
# Modules that give access to all compiled functions.
KERNELS = (
    paths.module("app.matting.kernels.composite"),
    paths.module("app.matting.kernels.network"),
    paths.module("app.media.yuv_kernels"),
)
# One thread or a less accurate precision is taken only
# if it costs less by this factor; less is noise.
MIN_GAIN = 1.03
# Time per frame that holds 30 fps well: the machine
# has other work, and slows down when it is hot.
LONGEST_MS = 0.8 * 1000 / 30
# The same on one thread, which other work disturbs less: it
# has a core of its own, and waits for no other thread.
LONGEST_ON_ONE_THREAD_MS = 0.9 * 1000 / 30
# Size of the measured frames.
WIDTH = 1280
HEIGHT = 720
MEASURED_FPS = 30
# Largest share of the time of all usable cores that a finer network may take in a
# call. The call itself, the window and the encoder of the browser need the rest.
AFFORDABLE_SHARE = 1 / 3
# Largest accepted mean difference of alpha (0..1) from float32 on the trial's frames.
#
# Somewhat more than the int8 versions that passed the model
# card show there: 1.9e-4 (bundled) and 1.2e-4 (RVM).
MEAN_BOUND = 2.5e-4


@dataclass(frozen=True, slots=True)
class Trial:
    """Result of one precision on one thread, on all cores or on a GPU."""

    precision: str
    # 1, or None for all cores.
    threads: int | None
    # Time of a step: the fastest one counts, since other load of the machine only adds.
    step_ms: float
    # Median CPU time of a step, over all threads.
    cpu_ms: float
    mean_difference: float = 0.0
    """Of alpha (0..1), from float32 on the CPU."""
    # OpenVINO's name of the GPU; empty on the CPU.
    plugin: str = ""
    # The name of the GPU for a person.
    gpu: str = ""
    # How long it took to make the engine.
    compile_s: float = 0.0
    # How the GPU failed; empty if it did not.
    problem: str = ""

    @property
    def accurate(self) -> bool:
        """Whether alpha is as close to float32 as in the versions that were accepted."""
        return not self.problem and self.mean_difference <= MEAN_BOUND

    @property
    def why_not(self) -> str:
        """Why the GPU is not used, for a trial that is not accurate."""
        return (
            self.problem or f"its alpha differs from that of the CPU by {self.mean_difference:.2g}"
        )

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
        """Return what is expected for another size.

        network, frame: how many times as many pixels the network's input and the frame have.
        """
        factor = (1 - FIXED_WORK) * network + FIXED_WORK * frame
        return replace(self, step_ms=self.step_ms * factor)

    def beats(self, other: Trial) -> bool:
        """Return whether this is the better choice.

        First of all it must hold 30 fps. Where none does, the faster one is better; where both do,
        the one that takes less of the processor.
        """
        if self.holds_rate != other.holds_rate:
            return self.holds_rate
        if not self.holds_rate:
            return self.step_ms * MIN_GAIN < other.step_ms
        if self.plugin == other.plugin and self.threads != other.threads:
            # Alone, several threads sometimes seem to cost less. Beside a camera and a preview
            # they wait for each other, which costs a third more (docs/performance.md).
            return self.threads == 1
        return self.cpu_ms * MIN_GAIN < other.cpu_ms


def is_affordable(share: float, *, holds_rate: bool) -> bool:
    """Return whether a network leaves a call the time that it needs.

    share: of the time of all usable cores, 0..1.
    """
    return holds_rate and share <= AFFORDABLE_SHARE


# Trials of one network, the most accurate first, all cores
# before one thread; empty if nothing could be measured.
Trials = Sequence[Trial]


def best(trials: Trials, precision: str = "auto") -> Trial | None:
    """Return the best trial that is accurate; None without one.

    precision: one that the user asked for.
    """
    found: Trial | None = None
    for trial in trials:
        wanted = trial.accurate if precision == "auto" else trial.precision == precision
        if wanted and (found is None or trial.beats(found)):
            found = trial
    return found


def described(trials: Trials) -> tuple[Text, ...]:
    """Return the times of the accurate trials, the least CPU time first."""
    accurate = [trial for trial in trials if trial.accurate]
    return tuple(map(_times, sorted(accurate, key=lambda trial: trial.cpu_ms)))


def _times(trial: Trial) -> Text:
    return t(
        "{run} {step} ms (CPU {cpu} ms)",
        run=trial.words,
        step=f"{trial.step_ms:.1f}",
        cpu=f"{trial.cpu_ms:.1f}",
    )


def cpu_precisions(model: str, weights: Path) -> list[str]:
    """Return the precisions in which OpenVINO may run this network here with a gain.

    The most accurate is the first.
    """
    spec = NETWORKS[model]
    precisions = ["float32"]
    if "bfloat16" in spec.precisions and hardware.cpu_has_bfloat16():
        precisions.append("bfloat16")
    if "int8" in spec.precisions and find_int8(weights, spec.int8) is not None:
        precisions.append("int8")
    return precisions


def measurable() -> dict[str, Path]:
    """Return the installed networks that have a choice of precisions or threads, with weights.

    Those with a plate are not measured.
    """
    found = {}
    for name, spec in NETWORKS.items():
        weights = None if spec.needs_plate else on_hand(name)
        if weights is None:
            continue
        if usable_cores() > 1 or len(cpu_precisions(name, weights)) > 1:
            found[name] = weights
    return found


def unmeasured(device: str = "cpu") -> dict[str, Path]:
    """Return those of the measurable networks that were not measured, with their weights.

    One that no precision passed was measured.
    """
    if device == INTEL and not hardware.intel_driver():
        return {}
    kept = _read()

    def is_kept(model: str, weights: Path) -> bool:
        return _identity(model, weights, device) in kept

    return {name: path for name, path in measurable().items() if not is_kept(name, path)}


def trials_of(model: str, weights: Path, device: str = "cpu") -> Trials:
    """Return what was measured with these weights; empty if nothing was."""
    return _read().get(_identity(model, weights, device), [])


def save_trials(model: str, weights: Path, trials: Trials, device: str = "cpu") -> None:
    """Save the trials of a network in place of earlier ones. Raises SettingsError."""
    name = _identity(model, weights, device)
    _change(lambda kept: {**kept, name: list(trials)})


def give_up_gpu(networks: Mapping[str, Path], problem: str) -> None:
    """Do not run these networks on the GPU of Intel until driver or version change.

    Where that cannot be saved, they are tried again at the next start.
    """
    with contextlib.suppress(SettingsError):
        for model, weights in networks.items():
            save_trials(model, weights, [failed_trial(problem)], INTEL)


def failed_trial(problem: str) -> Trial:
    """Return the trial of a network that could not be measured on the GPU of Intel."""
    return Trial("float32", None, 0.0, 0.0, plugin="GPU", gpu="Intel", problem=problem)


def is_prepared() -> bool:
    """Return whether the kernels are compiled and the bundled network is converted."""
    kept = _read()
    # A copy that was unpacked again in the same place is compiled no more.
    folders = [
        Path(name.removeprefix(COMPILED_IN)) for name in kept if name.startswith(COMPILED_IN)
    ]
    return PREPARED in kept and all(map(compiling.holds_kernels, folders))


def check_kept_file() -> None:
    """Write the file as it is, which shows whether it can be written. Raises SettingsError."""
    _change(lambda kept: kept)


def save_prepared(prepared: bool) -> None:
    """Save whether this machine is prepared. Raises SettingsError."""

    def update(kept: KeptTrials) -> KeptTrials:
        changed = {
            name: trials
            for name, trials in kept.items()
            if not name.startswith((PREPARED, COMPILED_IN))
        }
        if prepared:
            names = [PREPARED, *(f"{COMPILED_IN}{folder}" for folder in compiling.folders())]
            changed.update((name, []) for name in names)
        return changed

    _change(update)


PREPARED = "prepared"
COMPILED_IN = "compiled in "
# Content of the file: trials by the name of the network and its weights; once the
# machine is prepared, `prepared` and the folders in which the kernels are.
KeptTrials = dict[str, list[Trial]]
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
    """Return the file for this machine, its packages and this copy of the program."""
    # Several machines and copies may share the folder.
    return paths.data_dir() / "cache" / f"prepared-{_fingerprint()[:16]}.json"


def _identity(model: str, weights: Path, device: str) -> str:
    """Return the name of a network with its weights, their int8 version, and the driver of a GPU."""
    words = [model]
    if device == INTEL:
        words = ["gpu", hardware.intel_driver(), model]
    int8 = find_int8(weights, NETWORKS[model].int8)
    with contextlib.suppress(WeightsError):
        words += [sha256_of(file)[:16] for file in (weights, int8) if file]
    return " ".join(words)


PACKAGES = ("numba", "llvmlite", "numpy", "openvino")


@functools.cache
def _fingerprint() -> str:
    """Return a digest of what results depend on."""
    processor = (hardware.processor(), hardware.processor_flags())
    words = [str(paths.ROOT), *processor, sys.version, __version__]
    for package in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            words.append(f"{package} {importlib.metadata.version(package)}")
    words += map(_state_of_source, KERNELS)
    return hashlib.sha256("\n".join(words).encode()).hexdigest()


def _state_of_source(module: str) -> str:
    """Return what numba goes by where it decides whether to compile a module again."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return ""
    with contextlib.suppress(OSError):
        file = Path(spec.origin).stat()
        return f"{module} {file.st_mtime} {file.st_size}"
    return ""
