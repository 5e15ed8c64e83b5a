"""Preparation for this computer at its first start: kernels, the bundled network, measurements.

Each load of these would make a live picture stutter, so that child processes do it. A live picture
waits for the kernels, beside the stand-by card, and starts with the built-in choice; what `auto`
takes is measured beside it, with low priority. `bench` waits for both. Films and the Python API
compile in their own process, and measure nothing. `app.matting.choice.choice` keeps the results.

`python -m app.matting.choice.preparation PART…` is the child process.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import importlib
import logging
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core import EXIT_INTERRUPTED, paths
from app.core.compiling import library, loading
from app.core.errors import ModelError, Remedy, SettingsError, Stage, Text, how_ended, t
from app.core.files import why_not_written
from app.core.process import stopping
from app.core.settings import EdgeSettings, EngineSettings, MattingSettings
from app.core.targets import INTEL, Target
from app.core.threads import on_own_thread
from app.core.types import BgrImage
from app.core.worker import Worker
from app.matting.choice.choice import Choice, choose
from app.matting.choice.trials import (
    HEIGHT,
    KERNELS,
    WIDTH,
    Trial,
    Trials,
    check_kept_file,
    cpu_precisions,
    failed_trial,
    give_up_gpu,
    is_prepared,
    save_prepared,
    save_trials,
    unmeasured,
)
from app.matting.engine import FrameEngine, network_engine
from app.matting.interface import StepRequest
from models.table import bundled

log = logging.getLogger(__name__)

# Niceness of a measurement beside a picture, for which nobody
# waits. What is waited for has the program's priority.
NICENESS = 10
# How long a child process may take. Kernels take 40 s of
# processor time, and many times that on a busy computer.
LIMIT_S = 600.0
# About how long all networks together are measured.
TRIALS_S = 8.0
# About how long a network is measured on a GPU.
GPU_TRIALS_S = 2.0
COMMAND = (sys.executable, "-m", paths.module("app.matting.choice.preparation"))
# What a child process does. Trials of a GPU have one of
# their own: drivers end it, and compiling takes minutes.
Part = Literal["kernels", "measurement", "gpu"]
# The parts that somebody waits for.
PARTS: tuple[Part, ...] = ("kernels", "measurement")
# Those that are done beside a live picture.
BESIDE: tuple[Part, ...] = ("measurement", "gpu")
# Shows the user which step is done.
Show = Callable[[Text], object]


class Preparation:
    """Prepares where it is needed. Thread-safe."""

    def __init__(
        self,
        command: Sequence[str] = COMMAND,
        beside_after_s: float = 10.0,
        limit_s: float = LIMIT_S,
    ) -> None:
        """command: the child process, which gets the names of parts; prints `step count` per step.

        beside_after_s: the measurement beside a live picture begins so long after its engine was
        built. limit_s: a child that takes longer is ended.
        """
        self._command = command
        self._beside_after_s = beside_after_s
        self._limit_s = limit_s
        self._lock = threading.Lock()
        self._cancelled = threading.Event()
        self._children: set[subprocess.Popen[str]] = set()
        self._beside: Worker | None = None
        # Parts that are not done again in this process, whether they failed or not.
        self._done_parts: set[Part] = set()
        # What a live picture waits for, for the user; None while it waits for nothing.
        self.progress: Text | None = None
        self._on_measured: Callable[[], None] = lambda: None

    def begin(self, measured: Callable[[], None]) -> None:
        """Begin with a live picture.

        measured: called after a measurement beside it: `auto` may take something else.
        """
        self._cancelled.clear()
        self._on_measured = measured

    def ensure_for(
        self, settings: EngineSettings, show: Show = lambda text: None, *, measured: bool
    ) -> bool:
        """Prepare as `ensure` if the engine of these settings runs in OpenVINO.

        Return whether it does. Raises ModelError if none can run.
        """
        runs = choose(settings).target.executor == "openvino"
        if runs:
            self.ensure(show, measured=measured)
        return runs

    def ensure(self, show: Show = lambda text: None, *, measured: bool = False) -> None:
        """Return once kernels and bundled network are ready; `show` is called with each step.

        measured: wait for the measurement, too. A part that fails is logged; the program then
        compiles what it needs itself. Raises ModelError if `cancel` was called.
        """

        def show_progress(text: Text) -> None:
            self.progress = text
            show(text)

        with self._lock:
            parts: tuple[Part, ...] = ("kernels",)
            if measured:
                parts = PARTS
                # Only what prepares a live picture is cancelled, and that waits for no measurement.
                self._cancelled.clear()
            try:
                self._run(parts, show_progress)
                if measured:
                    self._run(("gpu",), show_progress)
            finally:
                self.progress = None
            if self._cancelled.is_set():
                raise ModelError(
                    t(
                        "The preparation for this computer was cancelled; it continues at the next "
                        "start."
                    ),
                    Remedy.RETRY,
                )

    def measure_beside(self) -> Worker:
        """Measure what is not measured yet, once, beside a live picture; return the thread."""
        if self._beside is None or self._beside.join(0):
            self._beside = Worker("measurement", self._measure, Stage.MATTING)
            self._beside.start()
        return self._beside

    def cancel(self) -> None:
        """End what is running (any thread); the next start continues with it."""
        self._cancelled.set()
        for child in tuple(self._children):
            child.terminate()

    def _measure(self, _stop: threading.Event) -> None:
        parts = [part for part in BESIDE if self._is_due(part)]
        if not parts or self._cancelled.wait(self._beside_after_s):
            return
        for part in parts:
            is_measured = self._run((part,), lambda _text: None)
            if self._cancelled.is_set():
                return
            if is_measured:
                self._on_measured()

    def _is_due(self, part: Part) -> bool:
        if part in self._done_parts:
            return False
        if part == "gpu":
            return bool(unmeasured(INTEL))
        if part == "measurement":
            return bool(unmeasured())
        return not is_prepared()

    def _run(self, parts: Sequence[Part], show: Show) -> bool:
        """Run a child process for those of the parts that are due; return whether it did them.

        A failure is logged.
        """
        due = [part for part in parts if self._is_due(part)]
        if self._cancelled.is_set() or not due:
            return False
        try:
            # Without a place for the results, the work would be done at each start.
            check_kept_file()
            child = self._started_child(due)
        except (SettingsError, OSError) as error:
            cause = error.__cause__ if isinstance(error, SettingsError) else error
            log.warning(
                "This computer cannot be prepared in %s, so that every start takes longer: %s; "
                "MATTECAM_DATA_DIR names another folder.",
                paths.data_dir(),
                why_not_written(cause) if isinstance(cause, OSError) else error,
            )
            self._done_parts.update(due)
            return False
        self._children.add(child)
        is_late = threading.Event()

        def end_late_child() -> None:
            is_late.set()
            child.kill()

        limit = threading.Timer(self._limit_s, end_late_child)
        limit.daemon = True
        limit.start()
        with child:
            try:
                if self._cancelled.is_set():  # before the child was there to be ended
                    child.terminate()
                # Before the first step, it imports packages, for a minute on a busy computer.
                show(t("Preparing for this computer, once"))
                output = _show_steps(child, show)
            except BaseException:  # a signal to this process alone, or an error of `show`
                child.terminate()
                raise
            finally:
                limit.cancel()
                self._children.discard(child)
        if self._cancelled.is_set():
            return False
        self._done_parts.update(due)
        # A terminal or a logout ends the child before it cancels this program; another program,
        # such as one that frees memory, would end each child that follows.
        if -child.returncode in stopping():
            log.info("The preparation for this computer was ended; the next start continues it.")
            return False
        has_failed = is_late.is_set() or child.returncode != 0
        if has_failed and due == ["gpu"]:
            log.warning("The trial of Intel's GPU did not end well; the networks run on the CPU.")
            # What is left without a result ended the process, and would do so at each start.
            give_up_gpu(unmeasured(INTEL), "the driver ended the trial, or did not end it")
            log.debug("%s", "\n".join(output))
        elif is_late.is_set():
            log.warning(
                "The preparation for this machine was ended after %g seconds, so that this start "
                "takes longer; it is tried again at the next start.",
                self._limit_s,
            )
        elif has_failed:
            reason = how_ended(child.returncode)
            if output and child.returncode > 0:
                reason = output[-1]
            log.warning(
                "The preparation for this machine failed (%s); it is tried again at the next start.",
                reason,
            )
            log.debug("%s", "\n".join(output))
        return not has_failed

    def _started_child(self, parts: Sequence[Part]) -> subprocess.Popen[str]:
        """Start the child process for these parts. Raises OSError."""
        return subprocess.Popen(
            [*self._command, *parts],
            cwd=paths.IMPORT_ROOT,
            # It closes if this process is killed; see `end_with_the_program`.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # A second pipe that nobody empties would stop the child.
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )


def _show_steps(child: subprocess.Popen[str], show: Show) -> list[str]:
    """Show the steps of a child until it ends; return the other lines of its output."""
    assert child.stdout is not None
    output: list[str] = []
    for line in map(str.strip, child.stdout):
        step, _, count = line.partition(" ")
        if step.isdecimal() and count.isdecimal():
            number = int(step)
            show(
                t(
                    "Preparing for this computer, once: step {step} of {count}",
                    step=number,
                    count=int(count),
                )
            )
        elif line:
            output.append(line)
    return output


# One for the process: its threads wait for one child.
preparation = Preparation()


@functools.cache
def prepare_here() -> None:
    """Compile the kernels in this process, once, and say so where it takes long.

    For films and the Python API, which show no card meanwhile.
    """
    if library() is not None or is_prepared():
        return
    log.info(
        "Preparing for this computer, once: the arithmetic is compiled, in about half a minute."
    )
    started_s = time.monotonic()
    with loading():
        for name in KERNELS:
            importlib.import_module(name)
    log.info(
        "The arithmetic was compiled for this computer in %.0f seconds.",
        time.monotonic() - started_s,
    )
    with contextlib.suppress(SettingsError):  # every start then compiles
        save_prepared(True)


def do(*parts: str) -> None:
    """Run all steps of the parts, as the child process.

    At the beginning of each step, print `step count`. A step that fails is left to the program,
    which reports what does not work.
    """
    nobody_waits = "kernels" not in parts
    if nobody_waits and hasattr(os, "nice"):
        with contextlib.suppress(OSError):  # a sandbox may refuse it
            os.nice(NICENESS)
    steps: list[Callable[[], object]] = []
    if "kernels" in parts:
        steps += [partial(importlib.import_module, name) for name in KERNELS]
        steps += [finish_kernels]
    if "measurement" in parts:
        networks = unmeasured()
        for model, weights in networks.items():
            steps.append(partial(measure_network, model, weights, TRIALS_S / len(networks)))
    if "gpu" in parts:
        for model, weights in unmeasured(INTEL).items():
            steps.append(partial(measure_on_gpu, model, weights))
    for number, step in enumerate(steps, 1):
        sys.stdout.write(f"{number} {len(steps)}\n")
        sys.stdout.flush()
        with contextlib.suppress(ImportError, ModelError):
            step()


def finish_kernels() -> None:
    """Convert the bundled network if none that ships fits; save that this machine is prepared."""
    with contextlib.suppress(ImportError, ModelError):
        convert_bundled()
    save_prepared(True)


def convert_bundled() -> None:
    """Convert the bundled network where it runs in OpenVINO, and none that ships fits."""
    from app.matting.openvino.conversion import NetworkSource, artefacts

    choice = choose(MattingSettings(model=bundled().name))
    if choice.target.executor == "openvino":
        artefacts.load(NetworkSource(choice.model, choice.weights, int8=choice.int8))


def measure_network(model: str, weights: Path, seconds: float) -> None:
    """Measure precisions and threads of an installed network, and save the result."""
    # A network that cannot be measured is saved with no trials, so that it is not tried again.
    trials: Trials = []
    with contextlib.suppress(ModelError, OSError, RuntimeError):
        trials = measure(model, weights, seconds)
    save_trials(model, weights, trials)


def measure_on_gpu(model: str, weights: Path, seconds: float = GPU_TRIALS_S) -> None:
    """Measure an installed network on the GPUs of Intel, and save the result."""
    from app.matting.openvino.gpu import list_intel_gpus

    trials: list[Trial] = []
    problem = "OpenVINO lists none"
    try:
        for plugin, name in list_intel_gpus().items():
            measured = measure(model, weights, seconds, plugin=plugin)
            trials += [replace(trial, gpu=name) for trial in measured]
    except (ModelError, OSError, RuntimeError) as error:
        problem = str(error)
    save_trials(model, weights, trials or [failed_trial(problem)], INTEL)


PORTRAIT = paths.ROOT / "app" / "assets" / "astronaut.png"
# Steps before the measurement, and steps in a turn of one engine.
WARM_UP = 4
TURN = 4
Clocks = tuple[Callable[[], float], Callable[[], float]]
"""Time and CPU time of the process, in seconds."""
CLOCKS: Clocks = (time.perf_counter, time.process_time)


@dataclass(frozen=True, slots=True)
class Run:
    """What is measured."""

    precision: str
    threads: int | None
    # Of the GPU; empty for the CPU.
    plugin: str = ""


# With which the others are compared.
FLOAT32 = Run("float32", None)


def measure(
    model: str,
    weights: Path,
    seconds: float,
    frames: Sequence[BgrImage] = (),
    clocks: Clocks = CLOCKS,
    plugin: str = "",
) -> Trials:
    """Return the trials of an installed network in all its precisions.

    On the CPU, they are on all cores and on one thread; else on the GPU of this name. They take
    turns for about `seconds`. A step is the one of a live picture: network and composite at 720p. A precision that
    cannot run is left out. frames, clocks: replaced in tests. Raises OSError if the shipped
    portrait is missing.
    """
    frames = frames or trial_frames(WIDTH, HEIGHT, 16)
    backdrop = np.zeros_like(frames[0])
    with contextlib.ExitStack() as stack:
        engines: dict[Run, FrameEngine] = {}
        compile_s: dict[Run, float] = {}
        for group in _groups(model, weights, plugin):
            for run in group:
                started_s = clocks[0]()
                try:
                    engine = _engine(model, weights, run, backdrop)
                except ModelError as error:
                    log.warning("%s cannot be measured in %s: %s", model, run.precision, error)
                    break  # the others of the group are of the same precision
                stack.callback(engine.close)
                engines[run] = engine
                compile_s[run] = round(clocks[0]() - started_s, 1)
        # The number of threads changes no values.
        alphas: dict[Run, NDArray[np.float32]] = {}
        for run, engine in engines.items():
            if run.threads is None:
                alphas[run] = _alphas(engine, frames, backdrop)
        if FLOAT32 not in alphas:
            return []
        times_of: dict[Run, list[StepTimes]] = {run: [] for run in engines}
        started_s = clocks[0]()
        while not all(times_of.values()) or clocks[0]() - started_s < seconds:
            # The turns are short, so that changes of the processor's speed affect all engines.
            for run, engine in engines.items():
                for frame in frames[:TURN]:
                    times_of[run].append(_step_times(engine, frame, backdrop, clocks))
    trials = []
    for run, engine in engines.items():
        # Beside a GPU, float32 on the CPU is there for comparison alone.
        if run.plugin != plugin:
            continue
        difference = alphas[replace(run, threads=None)] - alphas[FLOAT32]
        trial = Trial(
            precision=run.precision,
            threads=run.threads,
            step_ms=_step_ms(run, times_of[run]),
            cpu_ms=_cpu_ms(times_of[run]),
            mean_difference=float(np.abs(difference).mean()),
            plugin=run.plugin,
            compile_s=compile_s[run],
            problem=engine.info.gpu_problem,
        )
        trials.append(trial)
    return trials


def _groups(model: str, weights: Path, plugin: str) -> list[list[Run]]:
    """Return what is measured, by precision; on the GPU, if one is named."""
    if plugin:
        return [[FLOAT32], [Run("float32", None, plugin)], [Run("float16", None, plugin)]]
    precisions = cpu_precisions(model, weights)
    return [[Run(precision, None), Run(precision, 1)] for precision in precisions]


def _step_ms(run: Run, times: Sequence[StepTimes]) -> float:
    """Return the time of a step: the fastest one counts, since other load only adds."""
    # On one thread, the CPU time is also the time of the
    # step, and other load of the machine does not change it.
    if run.threads == 1:
        return round(min(step.cpu_s for step in times) * 1e3, 2)
    return round(min(step.wall_s for step in times) * 1e3, 2)


def _cpu_ms(times: Sequence[StepTimes]) -> float:
    """Return the median CPU time of a step."""
    return round(statistics.median(step.cpu_s for step in times) * 1e3, 2)


def _engine(model: str, weights: Path, run: Run, frame: BgrImage) -> FrameEngine:
    device = INTEL if run.plugin else "cpu"
    choice = Choice(model, weights, Target(device, "openvino", run.precision, run.plugin))
    height, width = frame.shape[:2]
    return network_engine(EngineSettings(), choice, width, height, lambda _geometry: run.threads)


def _alphas(
    engine: FrameEngine, frames: Sequence[BgrImage], backdrop: BgrImage
) -> NDArray[np.float32]:
    """Return alpha after the warm-up, (frames, height, width), 0..1."""
    alphas = []
    for frame in frames:
        matte = engine.step(StepRequest(frame, backdrop, EdgeSettings(), strict="off"))
        alphas.append(matte.alpha.copy())
    return np.stack(alphas[WARM_UP:]).astype(np.float32) / np.float32(255)


class StepTimes(NamedTuple):
    """Time of a step, and its CPU time over all threads."""

    wall_s: float
    cpu_s: float


def _step_times(
    engine: FrameEngine, frame: BgrImage, backdrop: BgrImage, clocks: Clocks
) -> StepTimes:
    wall_clock, cpu_clock = clocks
    wall_start_s = wall_clock()
    cpu_start_s = cpu_clock()
    engine.step(StepRequest(frame, backdrop, EdgeSettings()))
    wall_end_s = wall_clock()
    cpu_end_s = cpu_clock()
    return StepTimes(wall_end_s - wall_start_s, cpu_end_s - cpu_start_s)


def trial_frames(width: int, height: int, count: int) -> list[BgrImage]:
    """Return views of the shipped portrait that pan and zoom over it, with a camera's noise."""
    # cv2.imread finds no file on Windows whose path has an umlaut.
    photo = cv2.imdecode(np.fromfile(PORTRAIT, np.uint8), cv2.IMREAD_COLOR)
    if photo is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(PORTRAIT))
    scale = width / photo.shape[1]
    noise = np.random.default_rng(0)
    frames = []
    for index in range(count):
        zoom = scale * (1.0 + 0.01 * index)
        shift_px = 4.0 * index
        view = np.array([[zoom, 0, -shift_px], [0, zoom, -shift_px]])
        frame = cv2.warpAffine(photo, view, (width, height), borderMode=cv2.BORDER_REPLICATE)
        noisy = frame + noise.normal(0, 2.5, frame.shape)
        frames.append(np.clip(noisy, 0, 255).astype(np.uint8))
    return frames


def end_with_the_program() -> None:
    """End this process, the child, once the program has ended.

    A program that is killed cannot end its children itself.
    """

    def wait() -> None:
        # The other end of this pipe closes with the program. A read of `sys.stdin`
        # would hold its lock, which aborts an interpreter that ends meanwhile.
        os.read(sys.stdin.fileno(), 1)
        os._exit(EXIT_INTERRUPTED)

    on_own_thread("program-watch", wait)


if __name__ == "__main__":
    end_with_the_program()
    try:
        do(*sys.argv[1:])
    except SettingsError as error:  # such as a full disk; the program shows the last line
        sys.exit(str(error))
