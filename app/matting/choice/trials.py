"""What was prepared and measured on this machine, and kept for the same processor, versions and weights."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel, ValidationError

from app import __version__
from app.core import paths
from app.core.errors import Text, t
from app.core.files import write_private
from app.core.threads import usable_cores
from app.matting.choice import hardware
from app.matting.choice.governor import CPU_FIXED_WORK
from models.table import NETWORKS
from models.weights import WeightsError, find_int8, known_sha256, on_hand

PRECISIONS = ("float32", "bfloat16", "int8")
"""Precisions of a network on the CPU, the most accurate first."""
MIN_GAIN = 1.03
"""One thread or a less accurate precision is taken only if it costs less by this factor; less is noise."""
LONGEST_MS = 0.8 * 1000 / 30
"""Time per frame that holds 30 fps well: the machine has other work, and slows down when it is hot."""
WIDTH, HEIGHT = 1280, 720
"""Size of the measured frames."""
MEAN_BOUND = 3e-4
"""Largest accepted mean difference of alpha (0..1) from float32 on the trial's frames.

Somewhat more than the int8 versions that passed the model card show there: 1.9e-4 (bundled) and 1.2e-4 (RVM).
"""
EDGE_BOUND = 5e-3
"""The same near edges (see `preparation.differences`): these versions show 4.0e-3 and 3.0e-3."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Result of one precision on one thread or all cores: times of a step, and differences of alpha from float32."""

    precision: str
    threads: int | None
    """1, or None for all cores."""
    step_ms: float
    """Time of a step: the fastest one counts, since other load of the machine only adds."""
    cpu_ms: float
    """Median CPU time of a step, over all threads."""
    mean_difference: float = 0.0
    edge_difference: float = 0.0
    """Of alpha (0..1) on average, and near edges."""

    @property
    def accurate(self) -> bool:
        """Whether alpha is as close to float32 as in the versions that were accepted."""
        return self.mean_difference <= MEAN_BOUND and self.edge_difference <= EDGE_BOUND

    @property
    def words(self) -> Text:
        """What was measured, such as `int8 on one thread`."""
        if self.threads is None:
            return t("{precision} on all cores", precision=self.precision)
        return t("{precision} on one thread", precision=self.precision)

    @property
    def holds_rate(self) -> bool:
        """Whether it holds 30 fps well."""
        return self.step_ms <= LONGEST_MS

    def scaled(self, network: float, frame: float) -> Trial:
        """Return what is expected for so many times the pixels of the network's input and of the frame."""
        return replace(self, step_ms=self.step_ms * ((1 - CPU_FIXED_WORK) * network + CPU_FIXED_WORK * frame))

    def beats(self, other: Trial) -> bool:
        """Return whether this is the better choice: less CPU time where both hold 30 fps, else the higher rate."""
        if self.holds_rate != other.holds_rate:
            return self.holds_rate
        cost, others = (self.cpu_ms, other.cpu_ms) if self.holds_rate else (self.step_ms, other.step_ms)
        return cost * MIN_GAIN < others


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


def gain(trials: Trials, chosen: Trial) -> float | None:
    """Return how many times as fast as float32 on as many threads a trial is; None if that was not measured."""
    same = (trial for trial in trials if (trial.precision, trial.threads) == ("float32", chosen.threads))
    return next((trial.step_ms / chosen.step_ms for trial in same), None)


def described(trials: Trials, chosen: Trial) -> tuple[Text, ...]:
    """Return the times of the chosen precision and the best of each other accurate one, the least CPU time first."""
    shown = (
        trial
        for trial in trials
        if trial.precision == chosen.precision or (trial.accurate and trial is best(trials, trial.precision))
    )
    return tuple(
        t("{run} {step} ms (CPU {cpu} ms)", run=trial.words, step=f"{trial.step_ms:.1f}", cpu=f"{trial.cpu_ms:.1f}")
        for trial in sorted(shown, key=lambda trial: trial.cpu_ms)
    )


def cpu_precisions(model: str, weights: Path) -> list[str]:
    """Return the precisions in which OpenVINO may run this network here with a gain, the most accurate first."""
    spec = NETWORKS[model]
    possible = {
        "float32": True,
        "bfloat16": "bfloat16" in spec.precisions and hardware.cpu_has_bfloat16(),
        "int8": "int8" in spec.precisions and find_int8(weights, spec.int8) is not None,
    }
    return [precision for precision in PRECISIONS if possible[precision]]


def is_measurable(model: str, weights: Path) -> bool:
    """Return whether a network has a choice of precisions or threads here; networks with a plate are not measured."""
    usable = not NETWORKS[model].needs_plate and hardware.openvino_usable()
    return usable and (usable_cores() > 1 or len(cpu_precisions(model, weights)) > 1)


def measurable() -> dict[str, Path]:
    """Return the installed networks that have a choice of precisions or threads, with their weights."""
    found = {name: on_hand(name) for name in NETWORKS}
    return {name: path for name, path in found.items() if path is not None and is_measurable(name, path)}


def unmeasured() -> dict[str, Path]:
    """Return those of the measurable networks that were not measured; one that no precision passed was."""
    kept = _read().networks
    return {model: weights for model, weights in measurable().items() if _identity(model, weights) not in kept}


class _Kept(BaseModel):
    """Content of the file; what depends on something else by now is made again."""

    depends_on: str
    prepared: bool = False
    """Whether the kernels are compiled and the bundled network is converted."""
    networks: dict[str, list[Trial]] = {}


def trials_of(model: str, weights: Path) -> Trials:
    """Return what was measured with these weights; empty if nothing was."""
    return _read().networks.get(_identity(model, weights), [])


def keep_trials(model: str, weights: Path, trials: Trials) -> Path:
    """Keep the trials of a network in place of earlier ones; return the file. Raises OSError."""
    kept = _read()
    kept.networks[_identity(model, weights)] = list(trials)
    return _write(kept)


def is_prepared() -> bool:
    """Return whether this machine was prepared."""
    return _read().prepared


def keep_prepared(prepared: bool) -> Path:
    """Keep whether this machine is prepared; return the file. Raises OSError."""
    return _write(_read().model_copy(update={"prepared": prepared}))


def _read() -> _Kept:
    try:
        kept = _Kept.model_validate_json(_file().read_bytes())
        if kept.depends_on == _dependencies():
            return kept
    except (OSError, ValidationError):  # missing or damaged
        pass
    return _Kept(depends_on=_dependencies())


def _write(kept: _Kept) -> Path:
    file = _file()
    file.parent.mkdir(parents=True, exist_ok=True)
    write_private(file, kept.model_dump_json().encode())
    return file


def _file() -> Path:
    """Return the file of this copy of the program: several share the folder."""
    copy = hashlib.sha256(str(paths.ROOT).encode()).hexdigest()[:16]
    return paths.data_dir() / "cache" / f"prepared-{copy}.json"


def _identity(model: str, weights: Path) -> str:
    """Return the name of a network with its weights and their int8 version."""
    int8 = find_int8(weights, NETWORKS[model].int8)
    try:
        return " ".join([model, *(known_sha256(file)[:16] for file in (weights, int8) if file)])
    except WeightsError:
        return model


PACKAGES = ("numba", "llvmlite", "numpy", "openvino")


@functools.cache
def _dependencies() -> str:
    """Return a digest of what results depend on."""
    versions = [f"{package} {_version(package)}" for package in PACKAGES]
    words = [hardware.processor(), hardware.processor_flags(), sys.version, __version__, *versions]
    return hashlib.sha256("\n".join(words).encode()).hexdigest()


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
