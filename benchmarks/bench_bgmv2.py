"""Measure Background Matting V2: beside a straightforward implementation, and in every executor.

    python -m benchmarks.bench_bgmv2 [--size 1080p] [--size 4k] [--seconds 4] [--device cuda] [--precision float16]

Prints JSON for the settings of the paper. First the base network, the whole network and the refiner at 5,000 to 320,000
pixels, in this implementation and in a straightforward one that resizes whole images before it cuts windows; on a CPU
in milliseconds of CPU time on one thread. Then the whole step, from 8-bit frame to 8-bit composite, in every executor:
wall-clock and CPU time on all cores. Measurements are interleaved. Weights are random; they affect only which patches
are refined, not their number.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor

from app.bench.machine import machine
from app.core.settings import EdgeSettings
from app.core.types import BgrImage
from app.matting.base.geometry import StepGeometry
from app.matting.base.interface import Executor
from app.matting.selection import hardware
from app.matting.selection.plate_build import sample_pixels
from app.matting.torch.eager import DTYPES, EagerExecutor
from app.matting.torch.plate_core import PlateCore
from models.bgmv2.network import MattingRefine
from models.bgmv2.patches import CELL
from models.blocks import resize

SIZES = {"1080p": (1080, 1920, 1 / 4), "4k": (2160, 3840, 1 / 8)}
PIXELS = (5_000, 20_000, 80_000, 320_000)
LEAST_CALLS = 3
HALF_WINDOW, WINDOW = 8, 8
"""Window size in pixels: a patch with its borders, at half and at full size."""
NO_EDGES = EdgeSettings(strict="off")
Calls = dict[str, Callable[[], object]]


def straightforward(network: MattingRefine, images: Tensor, matte: Tensor, error: Tensor, hidden: Tensor) -> Tensor:
    """Straightforward refiner: resize whole images, unfold them, select windows."""
    refiner = network.refiner
    height, width = images.shape[2:]
    rows, columns = height // CELL, width // CELL
    half = height // 2, width // 2
    chosen = resize(error, (rows, columns)).flatten(1).topk(min(refiner.sample_pixels // CELL**2, rows * columns))[1][0]
    row, column = chosen // columns, chosen % columns
    context = torch.cat([resize(torch.cat([hidden, matte], 1), half), resize(images, half)], 1)
    windows = [
        functional.pad(image, (border,) * 4).unfold(2, size, stride).unfold(3, size, stride)[0, :, row, column]
        for image, border, size, stride in ((context, 3, HALF_WINDOW, 2), (images, 2, WINDOW, 4))
    ]
    refined = refiner.solve(*(window.transpose(0, 1) for window in windows))
    cells = resize(matte, (height, width)).view(4, rows, CELL, columns, CELL).permute(1, 3, 0, 2, 4).contiguous()
    cells[row, column] = refined
    return cells.permute(2, 0, 3, 1, 4).reshape(1, 4, height, width)


def straightforward_whole(network: MattingRefine, frame: Tensor, plate: Tensor) -> tuple[Tensor, Tensor]:
    """Return alpha and foreground, computed with the straightforward refiner."""
    size = int(frame.shape[2] * network.backbone_scale), int(frame.shape[3] * network.backbone_scale)
    alpha, residual, error, hidden = network.coarse(resize(frame, size), resize(plate, size))
    matte = straightforward(network, torch.cat([frame, plate], 1), torch.cat([alpha, residual], 1), error, hidden)
    return matte[:, :1].clamp(0, 1), (frame + matte[:, 1:]).clamp(0, 1)


class Times(NamedTuple):
    """Return the median in milliseconds by name."""

    clock: dict[str, float]
    processor: dict[str, float]
    """Return the CPU time of all threads of the process, in milliseconds."""


def measure(calls: Calls, seconds: float, device: str) -> Times:
    """Call each in turn for `seconds`."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
    started_s = time.perf_counter()
    while len(next(iter(times.values()))) < LEAST_CALLS or time.perf_counter() - started_s < seconds:
        for name, call in calls.items():
            settle(device)
            begun_s = time.perf_counter(), time.process_time()
            call()
            settle(device)
            times[name].append((time.perf_counter() - begun_s[0], time.process_time() - begun_s[1]))
    clock, processor = (
        {name: round(1e3 * statistics.median(pair[which] for pair in pairs), 1) for name, pairs in times.items()}
        for which in range(2)
    )
    return Times(clock, processor)


def settle(device: str) -> None:
    """Wait until the device is idle."""
    if device != "cpu":
        torch.cuda.synchronize()


def bench(size: str, seconds: float, device: str, precision: str) -> dict[str, object]:
    """Return all figures of one size, in milliseconds."""
    height, width, scale = SIZES[size]
    torch.manual_seed(0)
    network = MattingRefine("mobilenetv2", scale, "sampling", sample_pixels(width, height)).eval()
    steps = bench_steps(network, (height, width), scale, seconds, device)
    torch.set_num_threads(1)
    with torch.inference_mode():
        parts = bench_parts(network.to(device, DTYPES[precision]), (height, width), scale, seconds, device)
    return {"size": size, "scale": scale, **parts, "step_ms": steps}


def bench_parts(
    network: MattingRefine, size: tuple[int, int], scale: float, seconds: float, device: str
) -> dict[str, object]:
    """Measure the networks alone."""
    like = next(network.parameters())
    refiner = network.refiner
    frame, plate = (torch.rand(1, 3, *size).to(like) for _ in range(2))
    small = [resize(image, (int(size[0] * scale), int(size[1] * scale))) for image in (frame, plate)]
    alpha, residual, error, hidden = network.coarse(*small)
    error = torch.rand_like(error) + 0.1
    matte, images = torch.cat([alpha, residual], 1), torch.cat([frame, plate], 1)
    network(frame, plate)  # warm up

    def ours() -> Tensor:
        refined: Tensor = refiner(frame, plate, matte, error, hidden)[0]
        return refined

    def plain() -> Tensor:
        return straightforward(network, images, matte, error, hidden)

    calls: Calls = {
        "base": lambda: network.coarse(*small),
        "whole, ours": lambda: network(frame, plate),
        "whole, straightforward": lambda: straightforward_whole(network, frame, plate),
    }
    whole = alone(measure(calls, seconds, device), device)
    by_pixels = {}
    for pixels in PIXELS:
        refiner.sample_pixels = pixels
        apart = float((ours() - plain()).abs().max())
        assert apart < (1e-4 if like.dtype == torch.float32 else 0.05), f"{apart} apart at {pixels} pixels"
        times = measure({"ours": ours, "straightforward": plain}, seconds, device)
        by_pixels[str(pixels)] = alone(times, device)
    return {"network_ms": whole, "refiner_ms": by_pixels}


def alone(times: Times, device: str) -> dict[str, float]:
    """Return the clock for a network alone: CPU time on a CPU, wall-clock time on a GPU."""
    return times.processor if device == "cpu" else times.clock


def bench_steps(
    network: MattingRefine, size: tuple[int, int], scale: float, seconds: float, device: str
) -> dict[str, object]:
    """Measure the step in every executor: from 8-bit frame, plate and background to 8-bit composite and alpha."""
    torch.set_num_threads(os.cpu_count() or 1)
    random = np.random.default_rng(0)
    frame, plate, behind = random.integers(0, 255, (3, *size, 3), np.uint8)
    executors = make_executors(network, plate, scale, device)
    calls: Calls = {name: partial(executor.run, frame, behind, NO_EDGES, False) for name, executor in executors.items()}
    for call in calls.values():
        call()  # warm up
    return measure(calls, seconds, device)._asdict()


def make_executors(network: MattingRefine, plate: BgrImage, scale: float, device: str) -> dict[str, Executor]:
    """Return every executor for the device, by name and precision."""
    height, width = plate.shape[:2]
    pixels = sample_pixels(width, height)
    made: dict[str, Executor] = {}
    for precision in ("float32",) if device == "cpu" else ("float32", "float16"):
        core = PlateCore(network, plate, scale, pixels).requires_grad_(False).to(device, DTYPES[precision])
        made[f"eager {precision}"] = EagerExecutor(core, StepGeometry(width, height, 1.0), device, precision)
    if device == "cpu":
        from app.matting.openvino.artefact_cache import artefacts
        from app.matting.openvino.plate_executor import PlateOpenVinoExecutor

        with tempfile.TemporaryDirectory() as folder:
            weights = Path(folder) / "weights.pth"
            torch.save(network.state_dict(), weights)
            stages = artefacts.load("bgmv2-mobilenetv2", weights)
        for precision in ("float32", "bfloat16") if hardware.cpu_has_bfloat16() else ("float32",):
            made[f"openvino {precision}"] = PlateOpenVinoExecutor(stages, plate, scale, pixels, precision)
    return made


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, action="append")
    parser.add_argument("--seconds", type=float, default=4.0, help="of every comparison")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", choices=DTYPES, default="float32", help="of the networks alone")
    options = parser.parse_args()
    results = [bench(size, options.seconds, options.device, options.precision) for size in options.size or SIZES]
    print(json.dumps({"machine": machine(), "device": options.device, "results": results}, indent=2))


if __name__ == "__main__":
    main()
