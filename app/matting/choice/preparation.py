"""Preparation for this computer, at its first start: compiles kernels, reads the bundled network, measures.

Each load of these would make a live picture stutter, so that child processes do it. A live picture waits for the
kernels, beside the stand-by card, and starts with the built-in choice; what `auto` takes is measured beside it, with
low priority. `bench` waits for both. Films and the Python API compile in their own process, and measure nothing.
`app.matting.choice.choice` keeps the results.

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
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core import EXIT_INTERRUPTED, paths
from app.core.compiling import library, loading
from app.core.errors import ModelError, Remedy, SettingsError, Stage, Text, how_ended, t
from app.core.files import why_not_written
from app.core.settings import EdgeSettings, EngineSettings, MattingSettings
from app.core.targets import INTEL, Target
from app.core.threads import on_own_thread
from app.core.types import BgrImage
from app.core.worker import Worker
from app.matting.choice.choice import Choice, choose
from app.matting.choice.trials import (
    HEIGHT,
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

if TYPE_CHECKING:
    from app.matting.openvino.gpu import IntelGpu

log = logging.getLogger(__name__)

KERNELS = (
    paths.module("app.matting.kernels.composite"),
    paths.module("app.matting.kernels.network"),
    paths.module("app.media.yuv_kernels"),
)
"""Modules that give access to all compiled functions."""
NICENESS = 10
"""Of a measurement beside a picture, for which nobody waits; what is waited for has the program's priority."""
LIMIT_S = 600.0
"""How long a child process may take. Kernels take 40 s of processor time, and many times that on a busy computer."""
TRIALS_S = 8.0
"""About how long all networks together are measured."""
GPU_TRIALS_S = 2.0
"""About how long a network is measured on a GPU."""
COMMAND = (sys.executable, "-m", paths.module("app.matting.choice.preparation"))
Part = Literal["kernels", "measurement", "gpu"]
"""What a child process does. Trials of a GPU have one of their own: drivers end it, and compiling takes minutes."""
PARTS: tuple[Part, ...] = ("kernels", "measurement")
"""What is waited for."""
Show = Callable[[Text], object]
"""Shows the user which step is done."""


class Preparation:
    """Prepares where it is needed. Thread-safe."""

    def __init__(
        self, command: Sequence[str] = COMMAND, beside_after_s: float = 10.0, limit_s: float = LIMIT_S
    ) -> None:
        """command: the child process, which gets the names of parts; prints `step count` per step.

        beside_after_s: the measurement beside a live picture begins so long after its engine was built. limit_s: a
        child that takes longer is ended.
        """
        self._command, self._beside_after_s, self._limit_s = command, beside_after_s, limit_s
        self._lock = threading.Lock()
        self._cancelled = threading.Event()
        self._children: set[subprocess.Popen[str]] = set()
        self._beside: Worker | None = None
        self._tried: set[Part] = set()
        """Parts that are not done again in this process, whether they failed or not."""
        self.progress: Text | None = None
        """What a live picture waits for, for the user; None while it waits for nothing."""
        self._measured: Callable[[], None] = lambda: None

    def begin(self, measured: Callable[[], None]) -> None:
        """Begin with a live picture. measured: called after a measurement beside it: `auto` may take something else."""
        self._cancelled.clear()
        self._measured = measured

    def ensure_for(self, settings: EngineSettings, show: Show = lambda text: None, *, measured: bool) -> bool:
        """Prepare as `ensure` if the engine of these settings runs in OpenVINO; return whether it does.

        Raises ModelError if none can run.
        """
        runs = choose(settings).target.executor == "openvino"
        if runs:
            self.ensure(show, measured=measured)
        return runs

    def ensure(self, show: Show = lambda text: None, *, measured: bool = False) -> None:
        """Return once kernels and bundled network are ready; `show` is called with each step.

        measured: wait for the measurement, too. A part that fails is logged; the program then compiles what it needs
        itself. Raises ModelError if `cancel` was called.
        """

        def show_progress(text: Text) -> None:
            self.progress = text
            show(text)

        with self._lock:
            if measured:  # nothing live, which alone is cancelled
                self._cancelled.clear()
            try:
                self._run(PARTS if measured else PARTS[:1], show_progress)
            finally:
                self.progress = None
            if self._cancelled.is_set():
                raise ModelError(
                    t("The preparation for this computer was cancelled; it continues at the next start."), Remedy.RETRY
                )

    def measure_beside(self) -> Worker:
        """Measure what is not measured yet, beside a live picture, once; return the thread. See `begin`."""
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
        if self._is_due("measurement") and not self._cancelled.wait(self._beside_after_s):
            self._run(("measurement",), lambda _text: None)
            if not self._cancelled.is_set():
                self._measured()
        if self._is_due("gpu") and not self._cancelled.is_set():
            self.measure_on_gpu()
            if not self._cancelled.is_set():
                self._measured()

    def measure_on_gpu(self, show: Show = lambda _text: None) -> None:
        """Measure on the GPU of Intel what is not measured there yet; without a result, do not try that again."""
        self._run(("gpu",), show)
        if not self._cancelled.is_set():
            with contextlib.suppress(SettingsError):
                give_up_gpu(unmeasured(INTEL), "the driver ended the trial, or did not end it")

    def _is_due(self, part: Part) -> bool:
        if part in self._tried:
            return False
        if part == "gpu":
            return bool(unmeasured(INTEL))
        return bool(unmeasured()) if part == "measurement" else not is_prepared()

    def _run(self, parts: Sequence[Part], show: Show) -> None:
        """Run a child process for those of the parts that are due. A failure is logged."""
        due = [part for part in parts if self._is_due(part)]
        if self._cancelled.is_set() or not due:
            return
        try:
            check_kept_file()
            child = subprocess.Popen(
                [*self._command, *due],
                cwd=paths.IMPORT_ROOT,
                stdin=subprocess.PIPE,  # which closes if this process is killed; see `end_with_the_program`
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,  # a second pipe that nobody empties would stop the child
                text=True,
                errors="replace",
            )
        except (SettingsError, OSError) as error:
            cause = error.__cause__ if isinstance(error, SettingsError) else error
            log.warning(
                "This computer cannot be prepared in %s, so that every start takes longer: %s; MATTECAM_DATA_DIR names "
                "another folder.",
                paths.data_dir(),
                why_not_written(cause) if isinstance(cause, OSError) else error,
            )
            self._tried.update(due)
            return
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
                output = _show_steps(child, show)
            except BaseException:  # a signal to this process alone, or an error of `show`
                child.terminate()
                raise
            finally:
                limit.cancel()
                self._children.discard(child)
        if self._cancelled.is_set():
            return
        self._tried.update(due)
        if (is_late.is_set() or child.returncode) and due == ["gpu"]:
            log.warning("The trial of the GPU of Intel did not end well, so that the networks run on the CPU.")
            log.debug("%s", "\n".join(output))
        elif is_late.is_set():
            log.warning(
                "The preparation for this machine was ended after %g seconds, so that this start takes longer; it is "
                "tried again at the next start.",
                self._limit_s,
            )
        elif child.returncode:
            reason = output[-1] if output and child.returncode > 0 else how_ended(child.returncode)
            log.warning("The preparation for this machine failed (%s); it is tried again at the next start.", reason)
            log.debug("%s", "\n".join(output))


def _show_steps(child: subprocess.Popen[str], show: Show) -> list[str]:
    """Show the steps of a child until it ends; return the other lines of its output."""
    assert child.stdout is not None
    output: list[str] = []
    for line in map(str.strip, child.stdout):
        step, _, count = line.partition(" ")
        if step.isdecimal() and count.isdecimal():
            show(t("Preparing for this computer, once: step {step} of {count}", step=int(step), count=int(count)))
        elif line:
            output.append(line)
    return output


preparation = Preparation()
"""Shared instance of the process."""


@functools.cache
def prepare_here() -> None:
    """Compile the kernels in this process, for films and the Python API, and say so where it takes long.

    Once per process.
    """
    if library() is not None or is_prepared():
        return
    log.info("Preparing for this computer, once: the arithmetic is compiled, in about half a minute.")
    started_s = time.monotonic()
    with loading():
        for name in KERNELS:
            importlib.import_module(name)
    log.info("The arithmetic was compiled for this computer in %.0f seconds.", time.monotonic() - started_s)
    with contextlib.suppress(SettingsError):  # every start then compiles
        save_prepared(True)


def do(*parts: str) -> None:
    """Run all steps of the parts, as the child process, and print `step count` at the beginning of each.

    A step that fails is left to the program, which reports what does not work.
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
        steps += [partial(measure_network, *network, TRIALS_S / len(networks)) for network in networks.items()]
    if "gpu" in parts:
        steps += [partial(measure_on_gpu, *network) for network in unmeasured(INTEL).items()]
    for number, step in enumerate(steps, 1):
        sys.stdout.write(f"{number} {len(steps)}\n")
        sys.stdout.flush()
        with contextlib.suppress(ImportError, ModelError):
            step()


def finish_kernels() -> None:
    """Convert the bundled network where the one that ships does not fit, and save that this machine is prepared."""
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
    trials: Trials = []
    with contextlib.suppress(ModelError, OSError, RuntimeError):  # saved as nothing, not tried again
        trials = measure(model, weights, seconds)
    save_trials(model, weights, trials)


def measure_on_gpu(
    model: str, weights: Path, list_gpus: Callable[[], Sequence[IntelGpu]] | None = None, seconds: float = GPU_TRIALS_S
) -> None:
    """Measure an installed network on the GPUs of Intel, and save the result."""
    trials: list[Trial] = []
    problem = "OpenVINO lists none"
    try:
        from app.matting.openvino.gpu import list_intel_gpus

        for gpu in (list_gpus or list_intel_gpus)():
            trials += measure(model, weights, seconds, gpu=gpu)
    except (ModelError, OSError, RuntimeError) as error:
        problem = str(error)
    save_trials(model, weights, trials or [failed_trial(problem)], INTEL)


PORTRAIT = paths.ROOT / "app" / "assets" / "astronaut.png"
WARM_UP, TURN = 4, 4
"""Steps before the measurement, and steps in a turn of one engine."""
Clocks = tuple[Callable[[], float], Callable[[], float]]
CLOCKS: Clocks = (time.perf_counter, time.process_time)
"""Time and CPU time of the process, in seconds."""


def measure(
    model: str,
    weights: Path,
    seconds: float,
    frames: Sequence[BgrImage] = (),
    clocks: Clocks = CLOCKS,
    gpu: IntelGpu | None = None,
) -> Trials:
    """Return the trials of an installed network in all its precisions, on all cores and one thread, or on a GPU.

    They take turns for about `seconds`. A step is the one of a live picture: network and composite at 720p. A precision
    that cannot run is left out. frames, clocks: replaced in tests. Raises OSError if the shipped portrait is missing.
    """
    frames = frames or trial_frames(WIDTH, HEIGHT, 16)
    backdrop = np.zeros_like(frames[0])
    groups = [[Run(precision, threads) for threads in (None, 1)] for precision in cpu_precisions(model, weights)]
    if gpu is not None:
        groups = [[FLOAT32], [Run("float32", None, gpu)], [Run("float16", None, gpu)]]
    with contextlib.ExitStack() as stack:
        engines: dict[Run, FrameEngine] = {}
        compile_s: dict[Run, float] = {}
        for group in groups:
            for run in group:
                started_s = clocks[0]()
                try:
                    engine = _engine(model, weights, run, backdrop)
                except ModelError as error:
                    log.warning("%s cannot be measured in %s: %s", model, run.precision, error)
                    break
                stack.callback(engine.close)
                engines[run] = engine
                compile_s[run] = round(clocks[0]() - started_s, 1)
        alphas = {run: _alphas(engine, frames, backdrop) for run, engine in engines.items() if run.threads is None}
        if FLOAT32 not in alphas:
            return []
        times_s: list[list[tuple[float, float]]] = [[] for _ in engines]
        started_s = clocks[0]()
        while not all(times_s) or clocks[0]() - started_s < seconds:
            # The turns are short, so that changes of the processor's speed affect all engines.
            for engine, steps_s in zip(engines.values(), times_s, strict=True):
                steps_s += [_step_times(engine, frame, backdrop, clocks) for frame in frames[:TURN]]
    trials = []
    for (run, engine), steps_s in zip(engines.items(), times_s, strict=True):
        if run.gpu is not gpu:
            continue
        wall_s, cpu_s = zip(*steps_s, strict=True)
        # On one thread, the CPU time is also the time of the step, which other load does not change.
        fastest_s = min(cpu_s if run.threads == 1 else wall_s)
        difference = float(np.abs(alphas[replace(run, threads=None)] - alphas[FLOAT32]).mean())
        step_ms, cpu_ms = round(fastest_s * 1e3, 2), round(statistics.median(cpu_s) * 1e3, 2)
        trial = Trial(run.precision, run.threads, step_ms, cpu_ms, difference, compile_s=compile_s[run])
        if run.gpu is not None:
            trial = replace(trial, plugin=run.gpu.plugin, gpu=run.gpu.name, problem=engine.info.gpu_problem)
        trials.append(trial)
    return trials


@dataclass(frozen=True, slots=True)
class Run:
    """What is measured."""

    precision: str
    threads: int | None
    gpu: IntelGpu | None = None


FLOAT32 = Run("float32", None)
"""With what the others are compared."""


def _engine(model: str, weights: Path, run: Run, frame: BgrImage) -> FrameEngine:
    settings = MattingSettings(model=model, weights=weights, device="cpu", executor="openvino", precision="float32")
    if run.gpu is None:
        choice = choose(settings.replace(precision=run.precision))
    else:
        choice = Choice(model, weights, Target(INTEL, "openvino", run.precision), run.gpu.plugin)
    height, width = frame.shape[:2]
    return network_engine(settings, choice, width, height, lambda _geometry: run.threads)


def _alphas(engine: FrameEngine, frames: Sequence[BgrImage], backdrop: BgrImage) -> NDArray[np.float32]:
    """Return alpha after the warm-up, (frames, height, width), 0..1."""
    edges = EdgeSettings()
    alphas = [engine.step(StepRequest(frame, backdrop, edges, strict="off")).alpha.copy() for frame in frames]
    return np.stack(alphas[WARM_UP:]).astype(np.float32) / np.float32(255)


def _step_times(engine: FrameEngine, frame: BgrImage, backdrop: BgrImage, clocks: Clocks) -> tuple[float, float]:
    """Return the time of a step and its CPU time, in seconds."""
    started_s = [clock() for clock in clocks]
    engine.step(StepRequest(frame, backdrop, EdgeSettings()))
    wall_s, cpu_s = (clock() - start_s for clock, start_s in zip(clocks, started_s, strict=True))
    return wall_s, cpu_s


def trial_frames(width: int, height: int, count: int) -> list[BgrImage]:
    """Return views of the shipped portrait that pan and zoom over it, with the noise of a camera."""
    photo = cv2.imread(str(PORTRAIT), cv2.IMREAD_COLOR)
    if photo is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(PORTRAIT))
    scale = width / photo.shape[1]
    noise = np.random.default_rng(0)
    frames = []
    for index in range(count):
        zoom, shift_px = scale * (1.0 + 0.01 * index), 4.0 * index
        view = np.array([[zoom, 0, -shift_px], [0, zoom, -shift_px]])
        frame = cv2.warpAffine(photo, view, (width, height), borderMode=cv2.BORDER_REPLICATE)
        frames.append(np.clip(frame + noise.normal(0, 2.5, frame.shape), 0, 255).astype(np.uint8))
    return frames


def end_with_the_program() -> None:
    """End this process, the child, once the program has ended: one that is killed ends no child itself."""

    def wait() -> None:
        # The other end of this pipe closes with the program. A read of `sys.stdin` would hold its lock, which aborts an
        # interpreter that ends meanwhile.
        os.read(sys.stdin.fileno(), 1)
        os._exit(EXIT_INTERRUPTED)

    on_own_thread("program-watch", wait)


if __name__ == "__main__":
    end_with_the_program()
    try:
        do(*sys.argv[1:])
    except SettingsError as error:  # such as a full disk; the program shows the last line
        sys.exit(str(error))
