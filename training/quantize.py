"""Make the int8 version of the bundled network or of RVM MobileNetV3: `python -m training.quantize
--help`.

Sets the scales of the quantizers from training samples, and measures the result on the held-out
scenes of `training.compare_strangers`. Writes nothing if a figure of the model card gets worse by
more than 2 %, compared with what ships: with the int8 version of the bundled network, because that
is what users have now, and with RVM in float32. Repeat it whenever the weights change: until then
the program runs in float32. The file of the bundled network contains its weights; that of RVM
contains scales only, because its weights are not ours to ship.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import torch
import typer
from safetensors.torch import save_file
from torch import Tensor

from models.mattecam.bundled import load
from models.mattecam.network import MattecamNetwork
from models.mattecam.quantized import quantized
from models.rvm.network import MattingNetwork
from models.table import BUNDLED, NETWORKS
from models.weights import SIMILAR, SOURCE, int8_file, sha256_of
from training.calibration import batches, calibrate, correct_biases, run, run_rvm
from training.compare_strangers import STUDENT_RATIO, Scenes, Stream
from training.data import SampleSource
from training.rows import Row
from training.rvm_int8 import ExportedNetwork, in_int8, scales_of
from training.saving import save_quantized
from training.torch_teacher import rvm_network

SIZE = (320, 180)
FRAMES, UNSPOILT = 4, 0.3
"""Length of the sequences, and share of those without camera degradation."""
BATCHES, BATCH = 8, 4
TOLERANCE = 0.02
RESOLUTION = {
    "iou median": 0.0,
    "median": 0.5,
    "gaps of cut-outs %": 0.5,
    "holes of photos %": 0.002,
    "holes of masks %": 0.002,
    "holes of cut-outs %": 0.002,
    "failures %": 1.3,
    "ghosts %": 0.02,
    "p90": 2.0,
    "p99": 4.0,
    "rooms: alpha > 0.1 %": 0.01,
    "frames after a cut": 0.02,
}
"""Differences of figures that count few pixels or single photos; below these a change is not
significant.

The first that fits the end of a name holds. That of medians is the deviation, by bootstrap, of the
difference of two networks on 79 photos.
"""
HIGHER_IS_BETTER = ("iou",)
RVM = NETWORKS["rvm-mobilenetv3"]
Network = Literal["student", "rvm-mobilenetv3"]


def main(
    cache: Annotated[Path, typer.Option(help="Folder that `python -m training.cache` filled.")],
    pictures: Annotated[
        list[Path],
        typer.Option(help="Folder with index.tsv and the pictures it lists; repeatable."),
    ],
    teacher: Annotated[
        Path, typer.Option(help="A checkpoint of RVM MobileNetV3, the reference of the photos.")
    ],
    network: Annotated[
        Network, typer.Option(help="The network to quantize; RVM is that of --teacher.")
    ] = "student",
    weights: Annotated[
        Path, typer.Option(help="The bundled network's weights to quantize.")
    ] = BUNDLED,
    every: Annotated[
        int, typer.Option(min=1, help="Measure every Nth scene only, for a quick check.")
    ] = 1,
    out: Annotated[
        Path | None, typer.Option(help="The file to write, in place of the shipped one.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="File for the figures of both, JSON.")] = None,
) -> None:
    """Write the int8 version of a network if its quality holds."""
    torch.manual_seed(0)
    rvm = rvm_network(teacher)
    work = _of_rvm(rvm, teacher, cache) if network == RVM.name else _of_student(weights, cache)
    scenes = Scenes(pictures, rvm, every)
    before, after = (
        scenes.measure(Stream(each, STUDENT_RATIO)) for each in (work.shipped, work.int8)
    )
    if report is not None:
        report.write_text(json.dumps({"shipped": before, "new": after}, indent=1), encoding="utf-8")
    for name, value in before.items():
        typer.echo(
            f"{name:34s} {value:9.4g} {after[name]:9.4g} "
            f"{after[name] / value - 1 if value else 0:+7.1%}"
        )
    failed = regressions(before, after)
    if failed:
        typer.echo(
            f"Nothing written: worse by more than {TOLERANCE:.0%}: {', '.join(failed)}.", err=True
        )
        raise typer.Exit(1)
    target = out or work.target
    work.save(target)
    typer.echo(f"Written to {target}.", err=True)


@dataclass(frozen=True)
class Work:
    """A network, its int8 version with all scales set, and how to keep that."""

    shipped: MattecamNetwork | MattingNetwork
    """What users have now, to be compared with."""
    int8: MattecamNetwork | MattingNetwork
    target: Path
    save: Callable[[Path], None]


def _of_student(weights: Path, cache: Path) -> Work:
    network = load(weights)
    student = quantize(network, cache)
    source = {SOURCE: sha256_of(weights)}
    shipped = load(int8_file(BUNDLED))
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / BUNDLED.name
        save_quantized(student, written, source)  # which rounds: what is written is to be measured
        measured = load(written)
    return Work(
        shipped, measured, int8_file(weights), lambda path: save_quantized(student, path, source)
    )


def _of_rvm(rvm: MattingNetwork, weights: Path, cache: Path) -> Work:
    int8 = quantize_rvm(rvm, cache)
    source = {SOURCE: sha256_of(weights)}
    published = RVM.weights.sha256
    if published is not None and published != source[SOURCE]:
        source[SIMILAR] = published
    assert RVM.int8 is not None
    return Work(rvm, int8, RVM.int8, lambda path: save_file(scales_of(int8), path, source))


def quantize(network: MattecamNetwork, cache: Path) -> MattecamNetwork:
    """Return the int8 version of the bundled network in evaluation mode."""
    exact, student = quantized(network), quantized(network)
    calibrate(student, sequences(cache), partial(run, student))
    correct_biases(student, exact, sequences(cache, seed=2), run)
    return student


def quantize_rvm(network: MattingNetwork, cache: Path) -> ExportedNetwork:
    """Return the int8 version of RVM MobileNetV3 in evaluation mode."""
    int8 = in_int8(network)
    calibrate(int8, sequences(cache), partial(run_rvm, int8))
    return int8


def sequences(cache: Path, seed: int = 1) -> Iterator[Tensor]:
    """Yield the batches of sequences that calibration uses."""
    return batches(SampleSource(cache, SIZE, FRAMES, seed=seed, unspoilt=UNSPOILT), BATCHES, BATCH)


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
