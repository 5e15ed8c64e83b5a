"""Train on a GPU in stretches of a few minutes: `python -m training.gpu --help`, or
`training/gpu.sh`.

It needs torch, numpy, OpenCV, pydantic and safetensors only. One call builds the cache from
pictures if it is missing, trains until the stretch or the run is over, evaluates, and exports the
averaged weights; the next call resumes. OUT holds `checkpoint.pt`, `student.safetensors`,
`log.jsonl` and `results.jsonl`, one line per result, which are also printed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from app.core import EXIT_DONE, EXIT_INTERRUPTED
from models.mattecam.bundled import load
from models.mattecam.network import MattecamNetwork
from training.check import predictions, quick_check
from training.packs import listed_pictures, pack_all
from training.rehearsal import draw_pictures
from training.rows import agreement_row
from training.run import Run, Stage
from training.saving import save
from training.step import Learner
from training.store import PACKS, Pack
from training.torch_teacher import TorchTeacher, rvm_teacher

_COMPLETE = "complete"
"""File that marks a complete cache."""


@dataclass(frozen=True)
class Plan:
    """A call: data, stage, and the time that it may take."""

    stage: Stage
    pictures: list[Path]
    clips: list[Path]
    weights: Path | None
    """The teacher's checkpoint; None for the bundled network as the teacher, in a rehearsal."""
    stretch_s: float
    evaluation_s: float
    """Time kept for the evaluation at the end."""
    clean: bool = False
    """Train on pictures with a stated free licence only."""
    least_s: float = 20.0
    """Time to train even if the cache took the whole stretch."""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="training.gpu", description=__doc__)
    parser.add_argument(
        "--pictures",
        type=Path,
        action="append",
        default=[],
        help="folder with index.tsv; repeatable",
    )
    parser.add_argument(
        "--clean", action="store_true", help="only pictures with a stated free licence"
    )
    parser.add_argument("--clips", type=Path, help="folder with clips of people, as videos")
    parser.add_argument("--weights", type=Path, help="the teacher: a checkpoint of RVM MobileNetV3")
    parser.add_argument("--cache", type=Path, help="folder for the cache; OUT/cache without it")
    parser.add_argument("--out", type=Path, help="folder for checkpoints and results")
    parser.add_argument(
        "--from", dest="begin", type=Path, help="checkpoint or exported weights to start from"
    )
    parser.add_argument("--size", default="256x144", help="width and height of the frames")
    parser.add_argument(
        "--trunk", type=Path, help="weights of EfficientNet-Lite0, to add a trunk to the network"
    )
    parser.add_argument(
        "--vary", type=float, default=0, help="share of steps at 0.6 to 1.2 times the size"
    )
    parser.add_argument(
        "--unspoilt", type=float, default=0, help="share of samples that no camera spoils"
    )
    parser.add_argument("--stills", type=float, default=0, help="share of steps on single pictures")
    parser.add_argument("--frames", type=int, default=1, help="frames of a sequence")
    parser.add_argument("--batch", type=int, default=128, help="sequences of a step")
    parser.add_argument(
        "--minutes", type=float, default=45, help="length of the run, over all stretches"
    )
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    parser.add_argument(
        "--stretch", type=float, default=9, help="minutes of this call, the cache included"
    )
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="processes that draw samples"
    )
    parser.add_argument("--device", default="cuda", help="cuda or cuda:N")
    parser.add_argument(
        "--rehearse", action="store_true", help="tiny sizes and drawn pictures on the CPU"
    )
    options = parser.parse_args(arguments)
    if not options.rehearse and not (options.pictures and options.weights and options.out):
        parser.error("--pictures, --weights and --out are needed, or --rehearse")
    return options


def plan_of(options: argparse.Namespace, scratch: Path) -> Plan:
    """Return what the options ask for. scratch: folder for the files of a rehearsal."""
    width, height = (int(part) for part in options.size.split("x"))
    out = options.out or scratch / "out"
    stage = Stage(
        out=out, cache=options.cache or out / "cache", begin=options.begin, size=(width, height), frames=options.frames,
        batch=options.batch, minutes=options.minutes, rate=options.rate, ema=0.998, seed=0, save_minutes=2,
        device=options.device, half=True, workers=options.workers, teacher=options.weights,
        trunk=options.trunk,
        vary=options.vary, unspoilt=options.unspoilt, stills=options.stills,
    )  # fmt: skip
    clips = sorted(options.clips.iterdir()) if options.clips else []
    plan = Plan(
        stage, options.pictures, clips, options.weights, options.stretch * 60, 45, options.clean
    )
    if not options.rehearse:
        return plan
    torch.set_num_threads(1)  # a rehearsal runs beside other work
    small = replace(stage, size=(64, 48), batch=4, minutes=0.4, device="cpu", half=False, workers=1)
    pictures = options.pictures or [draw_pictures(scratch / "pictures")]
    return replace(plan, stage=small, pictures=pictures, stretch_s=90.0, evaluation_s=5)


def make_cache(plan: Plan) -> dict[str, object]:
    """Build the cache if it is missing; return its size."""
    folder, begun = plan.stage.cache, time.monotonic()
    mark = folder / _COMPLETE
    if not mark.exists():
        network = load()
        device = plan.stage.device
        teacher = (
            rvm_teacher(plan.weights, device) if plan.weights else TorchTeacher(network, device)
        )
        pack_all(folder, listed_pictures(plan.pictures, clean=plan.clean), plan.clips, teacher)
        mark.touch()
    sizes = {name: len(Pack(folder / name).entries) for name in PACKS}
    return {"phase": "cache", "seconds": round(time.monotonic() - begun, 1), **sizes}


def train(plan: Plan, run: Run, limit_s: float) -> dict[str, object]:
    """Train until the run is over, `limit_s` has passed, or it is stopped; return the rate."""
    first, begun = run.step, time.monotonic()
    timer = threading.Timer(max(plan.least_s, limit_s), run.stop)
    timer.start()
    try:
        run.train()
    finally:
        timer.cancel()
    took_s, steps = time.monotonic() - begun, run.step - first
    return {
        "phase": "train",
        "steps": steps,
        "step": run.step,
        "samples_per_s": round(steps * plan.stage.batch / took_s, 1),
        "waited_for_samples": round(run.waited_s / took_s, 3),
        "precision": str(run.dtype or torch.float32).removeprefix("torch."),
        "finished": run.seconds >= plan.stage.minutes * 60,
    }


def evaluate(plan: Plan, student: MattecamNetwork) -> dict[str, object]:
    """Return the figures of the averaged weights on validation photos, clips and rooms."""
    stage, device = plan.stage, torch.device(plan.stage.device)
    student.eval()
    views = Pack(stage.cache / "views")
    held = [entry for entry in views.entries if entry.validation]
    rows = {}
    if held:
        pred, true = predictions(student, views, held, stage.size, device)
        rows = agreement_row(list(pred), list(true))
    return {"phase": "evaluate", **quick_check(student, stage.cache, stage.size, device), **rows}


def main(arguments: Sequence[str]) -> int:
    """Run one stretch; return the exit code."""
    begun = time.monotonic()
    options = parse(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        plan = plan_of(options, Path(scratch))
        plan.stage.out.mkdir(parents=True, exist_ok=True)
        _say(plan, make_cache(plan))
        run = Run(plan.stage, 0, 1, "")
        interrupted = threading.Event()

        def end(*_: object) -> None:
            interrupted.set()
            run.stop()

        before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            _say(
                plan,
                train(plan, run, plan.stretch_s - plan.evaluation_s - (time.monotonic() - begun)),
            )
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        learner = run.average.module
        assert isinstance(learner, Learner)
        save(learner.student, plan.stage.out / "student.safetensors")
        if not interrupted.is_set():
            _say(plan, evaluate(plan, learner.student))
        return EXIT_INTERRUPTED if interrupted.is_set() else EXIT_DONE


def _say(plan: Plan, row: dict[str, object]) -> None:
    line = json.dumps(row)
    print(line, flush=True)
    with (plan.stage.out / "results.jsonl").open("a", encoding="utf-8") as file:
        file.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
