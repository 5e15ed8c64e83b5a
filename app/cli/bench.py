"""Measurements of `bench`: network and frame step beside the usual loop around the same network, interleaved."""

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
from app.core.settings import EdgeSettings, EngineSettings, MattingSettings
from app.core.targets import kind_of
from app.core.threads import Strips
from app.core.types import BgrImage
from app.matting import build_engine
from app.matting.choice import hardware, preparation
from app.matting.choice.choice import Choice, choose, geometry_for
from app.matting.choice.trials import cpu_precisions
from app.matting.engine import converted
from app.matting.interface import MattingEngine
from models.table import auto_order, bundled
from models.weights import on_hand

FRAMES, WARM_UP_CALLS, TURN_CALLS = 16, 5, 5
LABELS = "what", "model", "executor", "precision"
"""First columns of a row."""


def prepare(settings: EngineSettings) -> None:
    """Compile, convert and measure what the CPU needs, once after installation."""
    with contextlib.suppress(ModelError):  # the measurement reports it
        preparation.preparation.ensure_for(settings, notify, measured=True)


@dataclass(slots=True)
class Contender:
    """A callable to time, and the times of its frames in milliseconds."""

    labels: tuple[str, str, str, str]
    """Values of `LABELS`."""
    call: Callable[[int], object]
    """Processes one frame; the argument is the frame index. Must synchronize with the device before it returns."""
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
    started_s, turn = time.perf_counter(), 0
    while turn < 2 or time.perf_counter() - started_s < seconds:
        for contender in contenders:
            for index in range(turn * TURN_CALLS, (turn + 1) * TURN_CALLS):
                wall_s, cpu_s = time.perf_counter(), time.process_time()
                contender.call(index)
                contender.wall_ms.append((time.perf_counter() - wall_s) * 1e3)
                contender.cpu_ms.append((time.process_time() - cpu_s) * 1e3)
        turn += 1


def measure_models(
    settings: MattingSettings, size: tuple[int, int], seconds: float, progress: Callable[[str], None]
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
        results += _measure_model(settings.replace(model=model), frames, seconds / len(models), progress)
    return {"machine": hardware.machine(), "results": results}


def models_to_measure(settings: MattingSettings) -> list[str]:
    """Return the chosen model, or for `auto` every recurrent model whose weights are installed."""
    if settings.model != "auto" or settings.weights is not None:
        return [settings.model]
    return [spec.name for spec in auto_order(gpu=False, plate=False) if on_hand(spec.name)] or [bundled().name]


def _measure_model(
    settings: MattingSettings, frames: list[BgrImage], seconds: float, progress: Callable[[str], None]
) -> list[dict[str, Any]]:
    height, width = frames[0].shape[:2]
    choice = choose(settings)
    ratio = geometry_for(settings, choice.model, width, height).ratio
    # The preparation measures a GPU beside the processor; `doctor` shows the result.
    device = choice.target.device if kind_of(choice.target.device).is_fast else "cpu"
    settings = settings.replace(model=choice.model, device=device, downsample_ratio=ratio)
    backdrop, failures = np.full_like(frames[0], 90), list[ModelError]()
    contenders: list[Contender] = []
    with contextlib.ExitStack() as built:
        for executor, precision in executor_choices(settings, choice):
            device = "cpu" if executor == "openvino" else settings.device
            chosen = settings.replace(executor=executor, precision=precision, device=device)
            try:
                engine = build_engine(chosen, width, height)
            except ModelError as error:
                failures.append(error)
                continue
            built.callback(engine.close)
            if executor == "openvino" and not choice.spec.needs_plate:
                contenders.append(_network(chosen, width, height))
            contenders.append(step_contender(engine, EdgeSettings(strict="off"), frames, backdrop))
        if failures and not contenders:
            raise failures[0]
        for failure in failures:
            progress(str(failure))
        if choice.spec.recurrent and hardware.torch_usable():  # the usual loop supports no other networks
            contenders.append(_usual(settings, frames, backdrop))
        progress(f"{choice.model}: measuring for {seconds:.0f} s")
        interleave(contenders, seconds)
    common = {"size": [width, height], "downsample_ratio": round(ratio, 4)}
    rows: list[dict[str, Any]] = [
        {**dict(zip(LABELS, each.labels, strict=True)), **common, **each.figures()} for each in contenders
    ]
    usual = next((row["median_ms"] for row in rows if row["what"] == "usual-loop"), None)
    return rows if usual is None else [{**row, "times_usual_loop": round(usual / row["median_ms"], 2)} for row in rows]


def executor_choices(settings: MattingSettings, choice: Choice) -> list[tuple[str, str]]:
    """Return the (executor, precision) pairs to measure: the requested ones, or all that the device supports.

    Where `auto` chose a GPU, OpenVINO on the CPU is measured too: it may be faster than a weak card.
    """
    is_fast = kind_of(choice.target.device).is_fast
    choices = [("eager", "float32"), *([("eager", "float16")] if is_fast else [])]
    if not is_fast or settings.device == "auto":
        choices += [("openvino", precision) for precision in cpu_precisions(choice.model, choice.weights)]
    wanted = settings.executor, settings.precision
    return [pair for pair in choices if all(asked in ("auto", has) for asked, has in zip(wanted, pair, strict=True))]


def step_contender(
    engine: MattingEngine, edges: EdgeSettings, frames: Sequence[BgrImage], backdrop: BgrImage
) -> Contender:
    """Return a contender that steps the engine over the frames, again and again."""
    labels = "step", engine.info.model, engine.info.executor, engine.info.precision
    return Contender(labels, lambda index: engine.step(frames[index % len(frames)], backdrop, edges))


def _network(settings: MattingSettings, width: int, height: int) -> Contender:
    """Return a contender that runs the network alone, on zeros."""
    from app.matting.openvino.openvino_backend import RecurrentNetwork

    choice = choose(settings)
    geometry = geometry_for(settings, choice.model, width, height)
    network = RecurrentNetwork(converted(settings, choice, geometry), geometry, choice.target.precision, Strips(1))
    return Contender(
        ("network", choice.model, choice.target.executor, choice.target.precision), lambda _: network.infer()
    )


def _usual(settings: MattingSettings, frames: list[BgrImage], backdrop: BgrImage) -> Contender:
    """Return the usual loop in float32, on a GPU in float16."""
    from app.matting.torch.torch_backend import load_core, usual_loop

    choice = choose(settings.replace(executor="eager", precision="float32"))
    precision = "float16" if choice.target.device.startswith("cuda") else "float32"
    core = load_core(choice.model, choice.weights, settings.refiner, 0.5, choice.target.device, precision)
    step = usual_loop(core.network, backdrop, settings.downsample_ratio or 1.0, choice.target.device, precision)
    labels = "usual-loop", choice.model, "eager", precision
    return Contender(labels, lambda index: step(frames[index % len(frames)]))
