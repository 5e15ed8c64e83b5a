"""Measured times of the networks on this machine, one per precision, and the precision that follows from them.

`app.matting.selection.trial` measures; the result is kept on disk with what it depends on. Until there is one, `auto`
follows the processor's instructions.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from app.core.files import paths
from app.matting.selection import hardware
from app.matting.selection.dependencies import copy_of_program, digest
from models.int8 import find_int8
from models.table import NETWORKS
from models.weights import WeightsError, known_sha256, on_hand

PRECISIONS = ("float32", "bfloat16", "int8")
"""Precisions of a network on the CPU, the most accurate first."""
MIN_GAIN = 1.03
"""A less accurate precision is taken only if it is faster by this factor; less is noise of the measurement."""
MEAN_BOUND = 3e-4
"""Largest accepted mean difference of alpha (0..1) from float32 on the trial's frames.

About twice what the int8 versions that passed the model card show there: 1.3e-4 (bundled) and 0.9e-4 (RVM).
"""
EDGE_BOUND = 5e-3
"""The same near edges (see `trial.differences`): these versions show 2.4e-3 and 2.3e-3."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Result of one precision: median time of a step, and the differences of alpha (0..1) from float32."""

    step_ms: float
    mean_difference: float = 0.0
    edge_difference: float = 0.0

    @property
    def accurate(self) -> bool:
        """Whether alpha is as close to float32 as in the versions that were accepted."""
        return self.mean_difference <= MEAN_BOUND and self.edge_difference <= EDGE_BOUND


Trials = Mapping[str, Trial]
"""Trials of one network by precision; empty if none could be measured."""


class _Kept(TypedDict):
    """Content of the file."""

    depends_on: str
    networks: dict[str, dict[str, Trial]]


_KEPT: TypeAdapter[_Kept] = TypeAdapter(_Kept)


def cpu_precisions(model: str, weights: Path) -> list[str]:
    """Return the precisions in which OpenVINO can run this network here with a gain, the most accurate first."""
    spec = NETWORKS[model]
    possible = {
        "float32": True,
        "bfloat16": "bfloat16" in spec.precisions and hardware.cpu_has_bfloat16(),
        "int8": "int8" in spec.precisions and hardware.cpu_has_vnni() and find_int8(weights, spec.int8) is not None,
    }
    return [precision for precision in PRECISIONS if possible[precision]]


def fastest(trials: Trials) -> str | None:
    """Return the fastest precision that is accurate; None without a trial."""
    best: str | None = None
    for precision in PRECISIONS:
        trial = trials.get(precision)
        if trial and trial.accurate and (best is None or trial.step_ms * MIN_GAIN < trials[best].step_ms):
            best = precision
    return best


def gain(trials: Trials, precision: str) -> float | None:
    """Return how many times as fast as float32 a precision is; None if that was not measured."""
    if precision not in trials or "float32" not in trials:
        return None
    return trials["float32"].step_ms / trials[precision].step_ms


def described(trials: Trials) -> str:
    """Return the times of the accurate precisions, the fastest first, such as `int8 13.2 ms, float32 19.1 ms`."""
    accurate = sorted((trial.step_ms, precision) for precision, trial in trials.items() if trial.accurate)
    return ", ".join(f"{precision} {step_ms:.1f} ms" for step_ms, precision in accurate)


def trials_of(model: str, weights: Path) -> Trials:
    """Return what was measured with these weights; empty if nothing was."""
    return _read().get(_identity(model, weights), {})


def measurement_missing() -> bool:
    """Return whether an installed network was not measured."""
    return any(not _is_measured(model, weights) for model, weights in measurable().items())


def awaits_measurement(model: str) -> bool:
    """Return whether the preparation will measure this network, and has not yet."""
    weights = measurable().get(model)
    return weights is not None and not _is_measured(model, weights)


def measurable() -> dict[str, Path]:
    """Return the installed networks that have a choice of precisions, with their weights."""
    found = {name: on_hand(name) for name in NETWORKS}
    return {name: path for name, path in found.items() if path is not None and is_measurable(name, path)}


def is_measurable(model: str, weights: Path) -> bool:
    """Return whether a network has a choice of precisions here; networks with a plate are not measured."""
    usable = not NETWORKS[model].needs_plate and hardware.openvino_usable()
    return usable and len(cpu_precisions(model, weights)) > 1


def note_trials(model: str, weights: Path, trials: Trials) -> Path:
    """Keep the trials of a network in place of earlier ones; return the file. Raises OSError."""
    file = _file()
    kept = _Kept(depends_on=_dependencies(), networks={**_read(), _identity(model, weights): dict(trials)})
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(_KEPT.dump_json(kept))
    return file


def _is_measured(model: str, weights: Path) -> bool:
    """Return whether a measurement ended, also one that no precision passed."""
    return _identity(model, weights) in _read()


def _read() -> dict[str, dict[str, Trial]]:
    try:
        kept = _KEPT.validate_json(_file().read_bytes())
    except (OSError, ValidationError):  # missing or damaged
        return {}
    return kept["networks"] if kept["depends_on"] == _dependencies() else {}


def _identity(model: str, weights: Path) -> str:
    """Return the name of a network with its weights and their int8 version."""
    int8 = find_int8(weights, NETWORKS[model].int8)
    try:
        return " ".join([model, *(known_sha256(file)[:16] for file in (weights, int8) if file)])
    except WeightsError:
        return model


def _file() -> Path:
    return paths.data_dir() / "cache" / f"trials-{copy_of_program()}.json"


@functools.cache
def _dependencies() -> str:
    return digest()
