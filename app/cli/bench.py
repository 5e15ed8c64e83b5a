"""Measurements of `bench`: network and frame step beside the usual loop around the same network,
interleaved.
"""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from app.capture.demo import DemoSource
from app.cli.terminal import notify
from app.core.errors import ModelError
from app.core.settings import EdgeSettings, EngineSettings, MattingSettings, StrictLevel
from app.core.targets import INTEL, Target, kind_of
from app.core.threads import Strips
from app.core.types import BgrImage
from app.matting import build_engine
from app.matting.choice import hardware, preparation
from app.matting.choice.choice import Choice, candidates, choose, geometry_for
from app.matting.choice.trials import cpu_precisions, measurable, trials_of
from app.matting.engine import artefact_of
from app.matting.interface import MattingEngine, StepRequest
from models.table import auto_order, bundled
from models.weights import on_hand

FRAMES = 16
WARM_UP_CALLS = 5
TURN_CALLS = 5
# First columns of a row.
LABELS = ("what", "model", "executor", "precision", "device")


def prepare(settings: EngineSettings) -> None:
    """Compile, convert and measure what CPU and GPU of Intel need, once after installation."""
    with contextlib.suppress(ModelError):  # the measurement reports it
        preparation.preparation.ensure_for(settings, notify, measured=True)


@dataclass(slots=True)
class Contender:
    """A callable to time, and the times of its frames in milliseconds."""

    # Values of `LABELS`.
    labels: tuple[str, str, str, str, str]
    # Processes one frame; the argument is the frame index. Must synchronize with the device before
    # it returns.
    call: Callable[[int], object]
    wall_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, float]:
        """Return median and 95th percentile (ms), frame rate (fps) and CPU time per frame (ms)."""
        median = statistics.median(self.wall_ms)
        return {
            "median_ms": round(median, 2),
            "p95_ms": round(float(np.percentile(self.wall_ms, 95)), 2),
            "fps": round(1000 / median, 2),
            "cpu_ms_per_frame": round(statistics.median(self.cpu_ms), 2),
        }


def interleave(contenders: Sequence[Contender], seconds: float) -> None:
    """Time all contenders in turns of a few frames for about `seconds`, and for at least two turns."""
    for contender in contenders:
        for index in range(WARM_UP_CALLS):
            contender.call(index)
    started_s = time.perf_counter()
    turn = 0
    while turn < 2 or time.perf_counter() - started_s < seconds:
        for contender in contenders:
            for index in range(turn * TURN_CALLS, (turn + 1) * TURN_CALLS):
                wall_s = time.perf_counter()
                cpu_s = time.process_time()
                contender.call(index)
                contender.wall_ms.append((time.perf_counter() - wall_s) * 1e3)
                contender.cpu_ms.append((time.process_time() - cpu_s) * 1e3)
        turn += 1


def measure_models(
    settings: MattingSettings,
    size: tuple[int, int],
    seconds: float,
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Return the content of `bench --json`. size: (width, height) of frames. Raises ModelError.

    The model `auto` stands for every recurrent model whose weights are installed.
    """
    models = models_to_measure(settings)
    with contextlib.closing(DemoSource(*size, 30.0, realtime=False)) as source:
        frames = [source.render(index) for index in range(FRAMES)]
    results: list[dict[str, Any]] = []
    for model in models:
        progress(f"{model}: preparing")
        results += _measure_model(
            settings.replace(model=model), frames, seconds / len(models), progress
        )
    return {"machine": hardware.machine(), "results": results}


def models_to_measure(settings: MattingSettings) -> list[str]:
    """Return the chosen model, or for `auto` every recurrent model whose weights are installed."""
    if settings.model != "auto" or settings.weights is not None:
        return [settings.model]
    names = [spec.name for spec in auto_order(gpu=False, plate=False)]
    installed = [name for name in names if on_hand(name)]
    return installed or [bundled().name]


def _measure_model(
    settings: MattingSettings,
    frames: list[BgrImage],
    seconds: float,
    progress: Callable[[str], None],
) -> list[dict[str, Any]]:
    height, width = frames[0].shape[:2]
    choice = choose(settings)
    ratio = geometry_for(settings, choice.model, width, height).ratio
    settings = settings.replace(model=choice.model, downsample_ratio=ratio)
    backdrop = np.full_like(frames[0], 90)
    failures = list[ModelError]()
    contenders: list[Contender] = []
    with contextlib.ExitStack() as built:
        for target in targets(settings, choice):
            chosen = settings.replace(
                executor=target.executor,
                precision=target.precision,
                device=target.device,
            )
            try:
                engine = build_engine(chosen, width, height)
            except ModelError as error:
                failures.append(error)
                continue
            built.callback(engine.close)
            is_for_intel = INTEL in (settings.device, target.device)
            if is_for_intel and engine.info.device != INTEL:
                failures.append(
                    ModelError(
                        f"The model {choice.model} does not run on the GPU of Intel; choose another "
                        "device or model."
                    )
                )
                continue
            if (
                target.executor == "openvino"
                and target.device == "cpu"
                and not choice.spec.needs_plate
            ):
                contenders.append(_network(chosen, width, height))
            contenders.append(step_contender(engine, "off", frames, backdrop))
        if failures and not contenders:
            raise failures[0]
        for failure in failures:
            progress(str(failure))
        # The usual loop supports no other networks.
        if choice.spec.recurrent and hardware.torch_usable():
            contenders.append(_usual(settings, frames, backdrop))
        progress(f"{choice.model}: measuring for {seconds:.0f} s")
        interleave(contenders, seconds)
    rows: list[dict[str, Any]] = []
    for contender in contenders:
        row: dict[str, Any] = dict(zip(LABELS, contender.labels, strict=True))
        row["size"] = [width, height]
        row["downsample_ratio"] = round(ratio, 4)
        rows.append({**row, **contender.figures()})
    of_usual_loop = [row["median_ms"] for row in rows if row["what"] == "usual-loop"]
    if of_usual_loop:
        for row in rows:
            row["times_usual_loop"] = round(of_usual_loop[0] / row["median_ms"], 2)
    return rows


def targets(settings: MattingSettings, choice: Choice) -> list[Target]:
    """Return where and how to measure: as requested, or in all ways that the device supports.

    Where `auto` chose a GPU, OpenVINO on the CPU is measured too: it may be faster than a weak
    card.
    """
    device = choice.target.device
    found = []
    if kind_of(device).is_fast:
        found += [Target(device, "eager", "float32"), Target(device, "eager", "float16")]
    elif settings.device != INTEL:
        found += [Target("cpu", "eager", "float32")]
    if device == INTEL:
        trials = candidates(settings.replace(device=INTEL), choice.model, choice.weights)
        found += [Target(INTEL, "openvino", trial.precision) for trial in trials]
    if device == "cpu" or settings.device == "auto":
        found += [
            Target("cpu", "openvino", precision)
            for precision in cpu_precisions(choice.model, choice.weights)
        ]
    return [
        target
        for target in found
        if settings.executor in ("auto", target.executor)
        and settings.precision in ("auto", target.precision)
    ]


def trial_rows() -> list[tuple[str, ...]]:
    """Return a header and what was measured of the installed networks on this machine, for a
    report.
    """
    rows: list[tuple[str, ...]] = [
        ("model", "precision", "on", "ms", "CPU ms", "difference of alpha", "made in s", "problem")
    ]
    for model, weights in measurable().items():
        for trial in (*trials_of(model, weights), *trials_of(model, weights, INTEL)):
            place = trial.gpu or ("all cores" if trial.threads is None else "one thread")
            figures = (
                str(trial.step_ms),
                str(trial.cpu_ms),
                f"{trial.mean_difference:.1e}",
                str(trial.compile_s),
            )
            rows.append((model, trial.precision, place, *figures, trial.problem))
    return rows


def step_contender(
    engine: MattingEngine, strict: StrictLevel, frames: Sequence[BgrImage], backdrop: BgrImage
) -> Contender:
    """Return a contender that steps the engine over the frames, again and again."""
    info = engine.info
    labels = "step", info.model, info.executor, info.precision, info.device
    edges = EdgeSettings()
    return Contender(
        labels,
        lambda index: engine.step(
            StepRequest(frames[index % len(frames)], backdrop, edges, strict)
        ),
    )


def _network(settings: MattingSettings, width: int, height: int) -> Contender:
    """Return a contender that runs the network alone, on zeros."""
    from app.matting.openvino.openvino_backend import RecurrentNetwork

    choice = choose(settings)
    geometry = geometry_for(settings, choice.model, width, height)
    network = RecurrentNetwork(
        artefact_of(settings, choice, geometry),
        geometry,
        choice.target.precision,
        Strips(1),
    )
    return Contender(
        (
            "network",
            choice.model,
            choice.target.executor,
            choice.target.precision,
            choice.target.device,
        ),
        lambda _: network.infer(),
    )


def _usual(settings: MattingSettings, frames: list[BgrImage], backdrop: BgrImage) -> Contender:
    """Return the usual loop in float32, on a GPU in float16."""
    from app.matting.torch.torch_backend import load_core, usual_loop

    device = "cpu" if settings.device == INTEL else settings.device
    choice = choose(settings.replace(executor="eager", precision="float32", device=device))
    precision = "float16" if choice.target.device.startswith("cuda") else "float32"
    core = load_core(
        choice.model,
        choice.weights,
        settings.refiner,
        0.5,
        choice.target.device,
        precision,
    )
    step = usual_loop(
        core.network,
        backdrop,
        settings.downsample_ratio or 1.0,
        choice.target.device,
        precision,
    )
    labels = "usual-loop", choice.model, "eager", precision, choice.target.device
    return Contender(labels, lambda index: step(frames[index % len(frames)]))
