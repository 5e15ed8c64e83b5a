"""Preparation for this machine, once after installation: compiles kernels, converts networks, measures precisions.

This takes seconds of full load and would make a live picture stutter. It runs in a child process of low priority, with
progress: from run.py at set-up, from the command line before a start, or in the window beside the stand-by card. The
results stay on disk. A stamp beside them names what they were made of, so that a changed program is prepared again.

`python -m app.matting.preparation.preparation` prepares with progress on standard error.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from app.core.errors import ModelError
from app.core.files import paths
from app.core.files.json_file import BrokenFileError, read_object
from app.core.messages.matting import ModelText
from app.core.settings import EngineSettings
from app.core.text import Text
from app.matting.selection.choice import choose
from app.matting.selection.measured import copy_of_program, digest, measurement_missing
from app.system.process import how_ended

log = logging.getLogger(__name__)

COMMAND = (sys.executable, "-m", paths.module("app.matting.preparation.warm_up"))


class Preparation:
    """Runs the preparation where it is needed, at most once per process. Thread-safe."""

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        """command: the child process; prints `step count` per step."""
        self._command = command
        self._lock = threading.Lock()
        self._done = False
        self._cancelled = False
        self._child: subprocess.Popen[str] | None = None
        self.progress: Text | None = None
        """What is being done now, for the user; None while nothing is."""

    def ensure(self, show: Callable[[Text], None] = lambda text: None) -> None:
        """Return once this machine is prepared; `show` is called with each step.

        A preparation that fails is logged; the program then compiles what it needs itself. Raises ModelError if
        `cancel` was called.
        """
        with self._lock:
            if self._done or not needed():
                self._done = True
                return
            self._cancelled = False
            try:
                self._run(show)
            finally:
                self.progress = None
            if self._cancelled:
                raise ModelError(ModelText.PREPARATION_CANCELLED())
            self._done = True

    def cancel(self) -> None:
        """End a running preparation (any thread); `ensure` continues with it at the next start."""
        self._cancelled = True
        child = self._child
        if child is not None:
            child.terminate()

    def _run(self, show: Callable[[Text], None]) -> None:
        folder = _stamp_file().parent
        try:
            _forget_prepared()
        except OSError as error:
            log.warning(
                "What is prepared for this machine cannot be kept in %s: %s; every start takes longer. Another folder "
                "can be named in MATTECAM_DATA_DIR.",
                folder,
                error.strerror,
            )
            return
        try:
            child = subprocess.Popen(
                self._command,
                cwd=paths.IMPORT_ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,  # a second pipe that nobody empties would stop the child
                text=True,
                errors="replace",
            )
        except OSError as error:
            log.warning("This machine cannot be prepared in a process of its own (%s).", error)
            return
        self._child = child
        with child:
            if self._cancelled:  # before the child was there to be ended
                child.terminate()
            try:
                said = self._follow(child, show)
            except BaseException:  # a signal to this process alone, or an error of `show`
                child.terminate()
                raise
        self._child = None
        if child.returncode and not self._cancelled:
            reason = said[-1] if said and child.returncode > 0 else how_ended(child.returncode)
            log.warning("The preparation for this machine failed (%s); it is tried again at the next start.", reason)
            log.debug("%s", "\n".join(said))

    def _follow(self, child: subprocess.Popen[str], show: Callable[[Text], None]) -> list[str]:
        """Show the steps of the child until it ends; return what else it said."""
        assert child.stdout is not None
        said: list[str] = []
        for line in map(str.strip, child.stdout):
            step, _, count = line.partition(" ")
            if step.isdecimal() and count.isdecimal():
                self.progress = ModelText.PREPARING(step=int(step), count=int(count))
                show(self.progress)
            elif line:
                said.append(line)
        return said


def needed() -> bool:
    """Return whether something is to be compiled, converted or measured."""
    try:
        match read_object(_stamp_file()):
            case {"key": str(key), "files": list(files)}:
                made = key == digest() and all(Path(file).exists() for file in files)
                return not made or measurement_missing()
    except (OSError, BrokenFileError, ValueError, TypeError):  # damaged
        pass
    return True


def note_prepared(files: Sequence[Path]) -> None:
    """Write the stamp. files: what was made; once one is missing, this machine is prepared again. Raises OSError."""
    _write_stamp({"key": digest(), "files": [str(made) for made in files]})


def _forget_prepared() -> None:
    """Write a stamp of nothing, which shows whether the folder can be written to. Raises OSError."""
    _write_stamp({})


def _write_stamp(stamp: Mapping[str, object]) -> None:
    file = _stamp_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(stamp), "utf-8")


def _stamp_file() -> Path:
    return paths.data_dir() / "cache" / f"prepared-{copy_of_program()}.json"


preparation = Preparation()
"""Shared instance of the process."""


def prepare_for(settings: EngineSettings, show: Callable[[Text], None] = lambda text: None) -> None:
    """Prepare this machine, as in `Preparation.ensure`, if the engine of these settings runs in OpenVINO.

    Raises ModelError if none can run.
    """
    if choose(settings).executor == "openvino":
        preparation.ensure(show)


def main() -> None:
    """Prepare this machine with progress on standard error."""

    def show(text: Text) -> None:
        sys.stderr.write(f"mattecam: {text}\n")
        sys.stderr.flush()

    preparation.ensure(show)


if __name__ == "__main__":
    main()
