"""Make the int8 version of the bundled network: `python -m training.quantize --help`.

Sets the scales of the quantizers from training samples, and compares the int8 network with the float32 network on the
held-out scenes of `benchmarks.bench_strangers`. Writes nothing if a figure of the model card gets worse by more than
3 %. Repeat it whenever the weights change: until then the program runs in float32.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import torch
import typer

from benchmarks.bench_strangers import STUDENT_RATIO, Scenes, Stream
from models.int8 import SOURCE, int8_file
from models.rvm.network import MattingNetwork
from models.student.bundled import BUNDLED, load
from models.student.network import StudentNetwork
from models.student.quantized import quantized, save_quantized
from models.weights import sha256_of
from training.calibration import batches, calibrate
from training.data import SampleSource
from training.rows import Row

SIZE = (320, 180)
FRAMES, UNSPOILT = 4, 0.3
"""Length of the sequences, and share of those without camera degradation."""
BATCHES, BATCH = 8, 4
TOLERANCE = 0.03
RESOLUTION = {"failures %": 1.3, "ghosts %": 0.02, "p90": 2.0, "p99": 4.0, "rooms: alpha > 0.1 %": 0.01}
"""Differences of figures that count few pixels or single photos; below these a change is not significant."""
HIGHER_IS_BETTER = ("iou",)


def main(
    cache: Annotated[Path, typer.Option(help="Folder that `python -m training.cache` filled.")],
    pictures: Annotated[list[Path], typer.Option(help="Folder with index.tsv and the pictures it lists; repeatable.")],
    teacher: Annotated[Path, typer.Option(help="A checkpoint of RVM MobileNetV3, the reference of the photos.")],
    weights: Annotated[Path, typer.Option(help="The weights to quantize.")] = BUNDLED,
    every: Annotated[int, typer.Option(min=1, help="Measure every Nth scene only, for a quick check.")] = 1,
    out: Annotated[Path | None, typer.Option(help="The file to write; by default beside the weights.")] = None,
    report: Annotated[Path | None, typer.Option(help="File for the figures of both, JSON.")] = None,
) -> None:
    """Write the int8 version of the bundled network if its quality holds."""
    torch.manual_seed(0)
    network = load(weights)
    student = quantize(network, cache)
    rvm = MattingNetwork()
    rvm.load_state_dict(torch.load(teacher, map_location="cpu", weights_only=True))
    scenes = Scenes(pictures, rvm, every)
    before, after = (scenes.measure(Stream(each, STUDENT_RATIO)) for each in (network, student))
    if report is not None:
        report.write_text(json.dumps({"float32": before, "int8": after}, indent=1), encoding="utf-8")
    for name, value in before.items():
        typer.echo(f"{name:34s} {value:9.4g} {after[name]:9.4g} {after[name] / value - 1 if value else 0:+7.1%}")
    failed = regressions(before, after)
    if failed:
        typer.echo(f"Nothing written: worse by more than {TOLERANCE:.0%}: {', '.join(failed)}.", err=True)
        raise typer.Exit(1)
    target = out or int8_file(weights)
    save_quantized(student, target, {SOURCE: sha256_of(weights)})
    typer.echo(f"Written to {target}.", err=True)


def quantize(network: StudentNetwork, cache: Path) -> StudentNetwork:
    """Return the int8 version of a network in evaluation mode."""
    student = quantized(network)
    calibrate(student, batches(SampleSource(cache, SIZE, FRAMES, seed=1, unspoilt=UNSPOILT), BATCHES, BATCH))
    return student


def regressions(before: Row, after: Row) -> list[str]:
    """Return the figures that got worse by more than TOLERANCE, and by more than their resolution."""
    return [name for name in before if _loss(name, before[name], after[name]) > 0]


def _loss(name: str, before: float, after: float) -> float:
    """Return by how much more than allowed a figure got worse; negative if it is within the limits."""
    worse = before - after if any(part in name for part in HIGHER_IS_BETTER) else after - before
    resolution = next((value for part, value in RESOLUTION.items() if name.endswith(part)), 0.0)
    return worse - max(TOLERANCE * before, resolution)


if __name__ == "__main__":
    typer.run(main)
