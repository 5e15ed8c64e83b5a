"""Preparation for this computer, once after installation: compiles kernels, converts the bundled network, measures.

Each load of these would make a live picture stutter, so that child processes of low priority do it. A live picture
waits for the kernels, beside the stand-by card, and starts with the built-in choice; what `auto` takes is measured
beside it. Other commands wait for both, with progress on standard error. A stamp in the data folder names what the
kernels were compiled for, and `app.matting.selection.measured` keeps the results.

`python -m app.matting.preparation` prepares with progress, as `run.py` does at set-up; with the names of parts it is
the child process.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

from app.core.errors import ModelError
from app.core.files import paths
from app.core.files.disk_errors import why_not_written
from app.core.files.json_file import BrokenFileError, read_object
from app.core.settings import EngineSettings, MattingSettings
from app.core.text import Text, t
from app.matting.selection.choice import choose
from app.matting.selection.measured import (
    Trials,
    copy_of_program,
    digest,
    measurable,
    measurement_missing,
    note_trials,
)
from app.system.process import how_ended
from models.table import bundled

log = logging.getLogger(__name__)

KERNELS = (
    paths.module("app.matting.kernels.composite"),
    paths.module("app.matting.kernels.full_size"),
    paths.module("app.matting.kernels.guided_filter"),
    paths.module("app.matting.kernels.network_arrays"),
    paths.module("app.matting.kernels.patches"),
    paths.module("app.matting.strict.cell_kernels"),
    paths.module("app.media.yuv_kernels"),
)
"""Modules that give access to all compiled functions."""
NICENESS = 10
TRIALS_S = 8.0
"""About how long all networks together are measured."""
BESIDE_AFTER_S = 10.0
"""The measurement beside a live picture begins so long after its engine was built."""
COMMAND = (sys.executable, "-m", paths.module("app.matting.preparation"))
Part = Literal["kernels", "measurement"]
"""What a child process does."""


class Preparation:
    """Prepares where it is needed. Thread-safe."""

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        """command: the child process, which gets the names of parts; prints `step count` per step."""
        self._command = command
        self._lock = threading.Lock()
        self._cancelled = threading.Event()
        self._children: set[subprocess.Popen[str]] = set()
        self._beside: threading.Thread | None = None
        self._tried: set[Part] = set()
        """Parts that are not done again in this process, whether they failed or not."""
        self.progress: Text | None = None
        """What a live picture waits for, for the user; None while it waits for nothing."""
        self.measurements = 0
        """Counts the measurements beside a live picture that ended: `auto` may take something else now."""

    def begin(self, settings: EngineSettings) -> None:
        """Start to compile what a live picture with these settings needs, on a thread of its own; see `cancel`."""
        self._cancelled.clear()

        def ensure() -> None:
            with contextlib.suppress(ModelError):  # the engine that needs it says why
                if choose(settings).executor == "openvino":
                    self.ensure()

        threading.Thread(target=ensure, name="preparation", daemon=True).start()

    def ensure(self, show: Callable[[Text], object] = lambda text: None, *, measured: bool = False) -> None:
        """Return once kernels and bundled network are ready; `show` is called with each step.

        measured: wait for the measurement, too. A part that fails is logged; the program then compiles what it needs
        itself. Raises ModelError if `cancel` was called.
        """

        def note(text: Text) -> None:
            self.progress = text
            show(text)

        with self._lock:
            if measured:  # nothing live, which alone is cancelled
                self._cancelled.clear()
            parts: list[Part] = ["kernels"] if needed() else []
            if measured and measurement_missing():
                parts.append("measurement")
            try:
                self._run([part for part in parts if part not in self._tried], note)
            finally:
                self.progress = None
            if self._cancelled.is_set():
                raise ModelError(t("The preparation for this computer was cancelled; it continues at the next start."))

    def measure_beside(self) -> None:
        """Measure what is not measured yet, beside a live picture, once; `measurements` then tells that it ended."""
        if self._beside is None or not self._beside.is_alive():
            self._beside = threading.Thread(target=self._measure, name="measurement", daemon=True)
            self._beside.start()

    def cancel(self) -> None:
        """End what is running (any thread); the next start continues with it."""
        self._cancelled.set()
        for child in tuple(self._children):
            child.terminate()

    def _measure(self) -> None:
        if "measurement" in self._tried or not measurement_missing() or self._cancelled.wait(BESIDE_AFTER_S):
            return
        self._run(["measurement"], lambda _text: None)
        if not self._cancelled.is_set():
            self.measurements += 1

    def _run(self, parts: list[Part], show: Callable[[Text], None]) -> None:
        if not parts or self._cancelled.is_set():
            return
        try:
            if "kernels" in parts:
                _write_stamp([], key="")  # shows whether the folder can be written to
        except OSError as error:
            log.warning(
                "Nothing that is prepared can be kept in %s, so that every start takes longer: %s; MATTECAM_DATA_DIR "
                "names another folder.",
                paths.data_dir(),
                why_not_written(error),
            )
            self._tried.update(parts)
            return
        try:
            child = subprocess.Popen(
                [*self._command, *parts],
                cwd=paths.IMPORT_ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,  # a second pipe that nobody empties would stop the child
                text=True,
                errors="replace",
            )
        except OSError as error:
            log.warning(
                "This computer cannot be prepared, so that every start takes longer: %s cannot run (%s); start the "
                "program again.",
                self._command[0],
                error.strerror,
            )
            self._tried.update(parts)
            return
        self._children.add(child)
        with child:
            try:
                if self._cancelled.is_set():  # before the child was there to be ended
                    child.terminate()
                said = _follow(child, show)
            except BaseException:  # a signal to this process alone, or an error of `show`
                child.terminate()
                raise
            finally:
                self._children.discard(child)
        if self._cancelled.is_set():
            return
        self._tried.update(parts)
        if child.returncode:
            reason = said[-1] if said and child.returncode > 0 else how_ended(child.returncode)
            log.warning("The preparation for this machine failed (%s); it is tried again at the next start.", reason)
            log.debug("%s", "\n".join(said))


def _follow(child: subprocess.Popen[str], show: Callable[[Text], None]) -> list[str]:
    """Show the steps of a child until it ends; return what else it said."""
    assert child.stdout is not None
    said: list[str] = []
    for line in map(str.strip, child.stdout):
        step, _, count = line.partition(" ")
        if step.isdecimal() and count.isdecimal():
            show(t("Preparing for this computer, once: step {step} of {count}", step=int(step), count=int(count)))
        elif line:
            said.append(line)
    return said


def needed() -> bool:
    """Return whether something is to be compiled or converted."""
    try:
        match read_object(_stamp_file()):
            case {"key": str(key), "files": list(files)}:
                return key != digest() or not all(Path(file).exists() for file in files)
    except (OSError, BrokenFileError, ValueError, TypeError):  # damaged
        pass
    return True


def note_prepared(files: Sequence[Path]) -> None:
    """Write the stamp. files: what was made; once one is missing, this machine is prepared again. Raises OSError."""
    _write_stamp(files, digest())


def _write_stamp(files: Sequence[Path], key: str) -> None:
    file = _stamp_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"key": key, "files": [str(made) for made in files]}), "utf-8")


def _stamp_file() -> Path:
    return paths.data_dir() / "cache" / f"prepared-{copy_of_program()}.json"


preparation = Preparation()
"""Shared instance of the process."""


def prepare_for(
    settings: EngineSettings, show: Callable[[Text], object] = lambda text: None, *, measured: bool
) -> bool:
    """Prepare this machine, as in `Preparation.ensure`, if the engine of these settings runs in OpenVINO.

    Returns whether it does. Raises ModelError if none can run.
    """
    runs = choose(settings).executor == "openvino"
    if runs:
        preparation.ensure(show, measured=measured)
    return runs


def do(parts: Sequence[str]) -> None:
    """Run all steps of these parts, as the child process, and print `step count` at the beginning of each.

    A step that fails is left to the program, which reports what does not work.
    """
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    made: list[Path] = []
    steps: list[Callable[[], object]] = []
    if "kernels" in parts:
        makers: list[Callable[[], list[Path]]] = [*(partial(compiled, name) for name in KERNELS), convert_bundled]
        steps += [partial(_extend, made, make) for make in makers]
    if "measurement" in parts:
        networks = measurable()
        steps += [partial(measure_network, *network, TRIALS_S / len(networks)) for network in networks.items()]
    for number, step in enumerate(steps, 1):
        sys.stdout.write(f"{number} {len(steps)}\n")
        sys.stdout.flush()
        with contextlib.suppress(ImportError, ModelError):
            step()
    if "kernels" in parts:
        note_prepared([file for file in made if file.exists()])


def _extend(made: list[Path], make: Callable[[], list[Path]]) -> None:
    made += make()


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

    choice = choose(MattingSettings(model=bundled().name))
    if choice.executor != "openvino":
        return []
    source = NetworkSource(choice.model, choice.weights, int8=choice.int8)
    artefacts.load(source)
    return [artefacts.folder(source)]


def measure_network(model: str, weights: Path, seconds: float) -> None:
    """Measure precisions and threads of an installed network, and keep the result."""
    from app.matting.selection.trial import measure

    trials: Trials = []
    with contextlib.suppress(ModelError, OSError, RuntimeError):  # noted as nothing, not tried again
        trials = measure(model, weights, seconds)
    note_trials(model, weights, trials)


def main(parts: Sequence[str]) -> None:
    """Do these parts; without one, prepare with progress on standard error."""
    if parts:
        do(parts)
    else:
        preparation.ensure(lambda text: sys.stderr.write(f"mattecam: {text}\n"), measured=True)


if __name__ == "__main__":
    main(sys.argv[1:])
