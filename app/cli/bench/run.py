"""Benchmark of network, frame step and whole program against a reference loop with the same network."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from app.capture.demo import DemoSource
from app.cli.bench.in_use.run import models_to_measure, program_row
from app.cli.bench.measure import CallTimes, Contender, interleave, machine
from app.core.errors import ModelError
from app.core.settings import CaptureSettings, EdgeSettings, MattingSettings, Settings
from app.core.threads import Strips
from app.core.types import BgrImage
from app.matting import build_engine
from app.matting.base.interface import MattingEngine
from app.matting.selection import hardware
from app.matting.selection.choice import Choice, choose, geometry_for
from app.matting.selection.measured import best, cpu_precisions, described, trials_of
from app.matting.selection.registry import converted

FRAMES = 16
Progress = Callable[[str], None]


def bench(
    settings: MattingSettings, width: int, height: int, seconds: float, progress: Progress = lambda line: None
) -> dict[str, object]:
    """Run the benchmark and return the content of `run.py bench --json`.

    settings: model, weights, device and ratio to measure. The model `auto` stands for every recurrent model whose
    weights are installed. width, height: frame size in pixels.
    """
    models = models_to_measure(settings)
    frames = _frames(width, height)
    results: list[dict[str, object]] = []
    for model in models:
        progress(f"{model}: preparing")
        results += _bench_model(settings.replace(model=model), frames, seconds / len(models), progress)
    picks = [choose(settings.replace(model=model)) for model in models]
    return {"machine": machine(), "results": results, "auto": [_described(pick) for pick in picks]}


def _described(pick: Choice) -> dict[str, str]:
    trials = trials_of(pick.model, pick.weights)
    trial = best(trials, pick.precision)
    measured = ", ".join(described(trials, trial)) if trial else ""
    return {"model": pick.model, "executor": pick.executor, "precision": pick.precision, "measured": measured}


def _bench_model(
    settings: MattingSettings, frames: list[BgrImage], seconds: float, progress: Progress
) -> list[dict[str, object]]:
    height, width = frames[0].shape[:2]
    backdrop = np.full_like(frames[0], 90)
    choice = choose(settings)
    ratio = geometry_for(settings, choice.model, width, height).ratio
    choices = executor_choices(settings, choice)
    settings = settings.replace(model=choice.model, device=choice.device, downsample_ratio=ratio)
    contenders = []
    failures: list[ModelError] = []
    with contextlib.ExitStack() as built:
        for executor, precision in choices:
            chosen = settings.replace(executor=executor, precision=precision)
            if executor == "openvino":
                chosen = chosen.replace(device="cpu")
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
        if choice.spec.recurrent and hardware.torch_usable():  # the reference loop supports no other networks
            contenders += _usual(settings, frames, backdrop)
        progress(f"{choice.model}: measuring for {seconds:.0f} s")
        timings = interleave(contenders, seconds * 0.8)
    rows = [
        _row(contender, timing, width, height, ratio) for contender, timing in zip(contenders, timings, strict=True)
    ]
    progress(f"{choice.model}: measuring the whole program")
    best = settings.replace(executor=choice.executor, precision=choice.precision)
    program = Settings(capture=CaptureSettings(width=width, height=height), matting=best)
    return [*rows, program_row(program, seconds * 0.2)]


def _row(contender: Contender, timing: CallTimes, width: int, height: int, ratio: float) -> dict[str, object]:
    return {
        "what": contender.what,
        "model": contender.model,
        "executor": contender.executor,
        "precision": contender.precision,
        "size": [width, height],
        "downsample_ratio": round(ratio, 4),
        **timing.figures(),
        "frames": len(timing.wall_ms),
    }


def executor_choices(settings: MattingSettings, choice: Choice) -> list[tuple[str, str]]:
    """Return the (executor, precision) pairs to measure: the requested ones, or all that the device supports.

    Where `auto` chose a GPU, OpenVINO on the CPU is measured too: it may be faster than a weak card.
    """
    choices = [("eager", "float32")]
    if choice.device != "cpu":
        choices.append(("eager", "float16"))
    if (choice.device == "cpu" or settings.device == "auto") and hardware.openvino_usable():
        choices += [("openvino", precision) for precision in cpu_precisions(choice.model, choice.weights)]
    return [
        (executor, precision)
        for executor, precision in choices
        if settings.executor in ("auto", executor) and settings.precision in ("auto", precision)
    ]


def step_contender(
    engine: MattingEngine, edges: EdgeSettings, frames: Sequence[BgrImage], backdrop: BgrImage
) -> Contender:
    """Return a contender that steps the engine over the frames, again and again."""
    info = engine.info
    return Contender(
        "step",
        info.model,
        info.executor,
        info.precision,
        lambda index: engine.step(frames[index % len(frames)], backdrop, edges).result(),
    )


def _network(settings: MattingSettings, width: int, height: int) -> Contender:
    """Return a contender that runs the network alone, on zeros."""
    from app.matting.openvino.recurrent import RecurrentNetwork

    choice = choose(settings)
    geometry = geometry_for(settings, choice.model, width, height)
    network = RecurrentNetwork(converted(settings, choice, geometry), geometry, choice.precision, Strips(1))
    return Contender("network", choice.model, choice.executor, choice.precision, lambda index: network.infer())


def _usual(settings: MattingSettings, frames: list[BgrImage], backdrop: BgrImage) -> list[Contender]:
    """Return the contenders of the reference loop: float32, and on CUDA also float16, each with the network alone."""
    device = choose(settings.replace(executor="eager", precision="float32")).device
    precisions = ["float32", "float16"] if device.startswith("cuda") else ["float32"]
    return [row for precision in precisions for row in _usual_in(settings, precision, frames, backdrop)]


def _usual_in(settings: MattingSettings, precision: str, frames: list[BgrImage], backdrop: BgrImage) -> list[Contender]:
    import torch

    from app.cli.bench.usual_loop import UsualLoop, frozen
    from app.matting.torch.networks import load_core
    from app.matting.torch.torch_backend import DTYPES

    choice = choose(settings.replace(executor="eager", precision=precision))
    device, dtype, ratio = choice.device, DTYPES[precision], settings.downsample_ratio or 1.0
    core = load_core(choice.model, choice.weights, settings.refiner, 0.5, device, precision)
    height, width = frames[0].shape[:2]
    geometry = geometry_for(settings, choice.model, width, height)
    states = core.initial_state(geometry.small_height, geometry.small_width)
    source = torch.zeros(1, 3, height, width, device=device, dtype=dtype)
    ready = frozen(core.network, source, states, ratio)

    def looped(name: str, network: Callable[..., tuple[torch.Tensor, ...]]) -> Contender:
        loop = UsualLoop(network, backdrop, ratio, device, dtype)
        return Contender(
            "usual-loop", choice.model, name, precision, lambda index: loop.step(frames[index % len(frames)])
        )

    def alone(index: int) -> None:
        with torch.no_grad():
            ready(source, *states)
        torch.cuda.synchronize(device)

    loops = [looped("eager", core.network), looped("frozen", ready)]
    if device.startswith("cuda"):
        loops.append(Contender("network", choice.model, "frozen", precision, alone))
    return loops


def _frames(width: int, height: int) -> list[BgrImage]:
    source = DemoSource(width, height, 30.0, realtime=False)
    try:
        return [frame.image for frame in (source.read() for _ in range(FRAMES)) if frame is not None]
    finally:
        source.close()


def table(result: dict[str, Any]) -> str:
    """Return a Markdown table; its last column is the speed-up over the reference loop with the same network.

    The lines below the table name what `auto` selects.
    """
    lines = [
        "| what | model | executor | precision | size | ratio | median ms | p95 ms | fps | CPU ms | × usual loop |",
        "|---|---|---|---|---|---|---:|---:|---:|---:|---:|",
    ]
    for row in result["results"]:
        usual = [
            other["median_ms"]
            for other in result["results"]
            if (other["what"], other["executor"], other["model"]) == ("usual-loop", "eager", row["model"])
        ]
        faster = f"{usual[0] / row['median_ms']:.2f}" if usual else ""
        lines.append(
            f"| {row['what']} | {row['model']} | {row['executor']} | {row['precision']} "
            f"| {row['size'][0]}×{row['size'][1]} | {row['downsample_ratio']:g} | {row['median_ms']:.1f} "
            f"| {row['p95_ms']:.1f} | {row['fps']:.1f} | {row['cpu_ms_per_frame']:.1f} | {faster} |"
        )
    for pick in result["auto"]:
        measured = f" (measured: {pick['measured']} a step)" if pick["measured"] else ""
        lines += ["", f"auto selects {pick['executor']} in {pick['precision']} for {pick['model']}{measured}."]
    return "\n".join(lines)
