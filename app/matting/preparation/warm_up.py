"""Child process of `app.matting.preparation`: compiles kernels, converts the bundled network, measures all networks.

Prints `step count` at the beginning of each step.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from app.core.errors import ModelError
from app.core.files import paths
from app.core.settings import MattingSettings
from app.matting.preparation.preparation import note_prepared
from app.matting.selection.measured import Trials, measurable, note_trials
from models.table import bundled

NICENESS = 10
KERNELS = (
    paths.module("app.matting.kernels.composite"),
    paths.module("app.matting.kernels.full_size"),
    paths.module("app.matting.kernels.guided_filter"),
    paths.module("app.matting.kernels.network_arrays"),
    paths.module("app.matting.kernels.patches"),
    paths.module("app.matting.strict.cell_kernels"),
    paths.module("app.media.yuv"),
)
"""Modules that give access to all compiled functions."""
TRIALS_S = 8.0
"""About how long all networks together are measured."""


def warm_up() -> None:
    """Run all steps. A step that fails is left to the program, which reports what does not work."""
    networks = measurable()
    steps: list[Callable[[], list[Path]]] = [
        *(partial(compiled, name) for name in KERNELS),
        convert_bundled,
        *(partial(measure_network, *network, TRIALS_S / len(networks)) for network in networks.items()),
    ]
    files: list[Path] = []
    for number, step in enumerate(steps, 1):
        sys.stdout.write(f"{number} {len(steps)}\n")
        sys.stdout.flush()
        with contextlib.suppress(ImportError, ModelError):
            files += step()
    note_prepared([file for file in files if file.exists()])


def compiled(name: str) -> list[Path]:
    """Import a module, which compiles its functions; return the index files of numba's cache."""
    files: list[Path] = []
    for function in vars(importlib.import_module(name)).values():
        folder = getattr(getattr(function, "stats", None), "cache_path", None)
        if folder:
            files += Path(folder).glob(f"{function.__module__.rpartition('.')[2]}.{function.__name__}-*.nbi")
    return files


def convert_bundled() -> list[Path]:
    """Convert the bundled network; return its folder."""
    from app.matting.openvino.artefact import NetworkSource
    from app.matting.openvino.artefact_cache import artefacts
    from app.matting.selection.choice import choose

    choice = choose(MattingSettings(model=bundled().name))
    if choice.executor != "openvino":
        return []
    source = NetworkSource(choice.model, choice.weights, int8=choice.int8)
    artefacts.load(source)
    return [artefacts.folder(source)]


def measure_network(model: str, weights: Path, seconds: float) -> list[Path]:
    """Measure precisions and threads of an installed network; return the file of the result."""
    from app.matting.selection.trial import measure

    trials: Trials = []
    with contextlib.suppress(ModelError, OSError, RuntimeError):  # noted as nothing, not tried again
        trials = measure(model, weights, seconds)
    return [note_trials(model, weights, trials)]


if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    warm_up()
