"""Background Matting V2 beside a straightforward implementation of the same networks.

    python -m benchmarks.bench_bgmv2 [--size 1080p] [--size 4k] [--seconds 8] [--device cuda] [--precision float16]

Prints JSON: the base network, the refiner over 5,000 to 320,000 pixels, ours and the straightforward way, which cuts
its windows out of images that were resized as a whole; and the whole network at the paper's settings. What is compared
takes turns. Random weights: nothing here depends on their values but the chosen cells, whose number is fixed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as functional
from torch import Tensor

from app.matting.executors.eager import DTYPES
from app.matting.plate_core import sample_pixels
from models.bgmv2 import MattingRefine
from models.bgmv2.patches import CELL
from models.blocks import resize

SIZES = {"1080p": (1080, 1920, 1 / 4), "4k": (2160, 3840, 1 / 8)}
PIXELS = (5_000, 20_000, 80_000, 320_000)
LEAST_CALLS = 3
HALF_WINDOW, WINDOW = 8, 8
"""In pixels: a cell with its borders at half and at full size."""


def straightforward(network: MattingRefine, images: Tensor, matte: Tensor, error: Tensor, hidden: Tensor) -> Tensor:
    """The refiner as one writes it first: resize everything, unfold everything, take the chosen windows."""
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
    refined = refiner._solve(*(window.transpose(0, 1) for window in windows))
    cells = resize(matte, (height, width)).view(4, rows, CELL, columns, CELL).permute(1, 3, 0, 2, 4).contiguous()
    cells[row, column] = refined
    return cells.permute(2, 0, 3, 1, 4).reshape(1, 4, height, width)


def measure(calls: dict[str, Callable[[], object]], seconds: float, device: str) -> dict[str, float]:
    """Median milliseconds of each, one call at a time in turn; on a CPU of processor time, on one thread."""
    clock = time.process_time if device == "cpu" else time.perf_counter
    times: dict[str, list[float]] = {name: [] for name in calls}
    started_s = time.perf_counter()
    while len(next(iter(times.values()))) < LEAST_CALLS or time.perf_counter() - started_s < seconds:
        for name, call in calls.items():
            if device != "cpu":
                torch.cuda.synchronize()
            begun_s = clock()
            call()
            if device != "cpu":
                torch.cuda.synchronize()
            times[name].append((clock() - begun_s) * 1e3)
    return {name: round(statistics.median(values), 1) for name, values in times.items()}


def bench(size: str, seconds: float, device: str, precision: str) -> dict[str, object]:
    """All figures of one size, in milliseconds."""
    height, width, scale = SIZES[size]
    dtype = DTYPES[precision]
    torch.manual_seed(0)
    network = MattingRefine("mobilenetv2", scale, "sampling", sample_pixels(width, height)).eval().to(device, dtype)
    refiner = network.refiner
    frame, plate = (torch.rand(1, 3, height, width, device=device, dtype=dtype) for _ in range(2))
    small = [resize(image, (int(height * scale), int(width * scale))) for image in (frame, plate)]
    with torch.inference_mode():
        alpha, residual, error, hidden = network.coarse(*small)
        error = torch.rand_like(error) + 0.1
        matte, images = torch.cat([alpha, residual], 1), torch.cat([frame, plate], 1)

        network(frame, plate)  # warm up

        def ours() -> Tensor:
            refined: Tensor = refiner(frame, plate, matte, error, hidden)[0]
            return refined

        def plain() -> Tensor:
            return straightforward(network, images, matte, error, hidden)

        whole = measure(
            {"base": lambda: network.coarse(*small), "whole": lambda: network(frame, plate)}, seconds, device
        )
        by_pixels = {}
        for pixels in PIXELS:
            refiner.sample_pixels = pixels
            apart = float((ours() - plain()).abs().max())
            assert apart < (1e-4 if dtype == torch.float32 else 0.05), f"{apart} apart at {pixels} pixels"
            by_pixels[str(pixels)] = measure({"ours": ours, "straightforward": plain}, seconds, device)
    return {"size": size, "scale": scale, "ms": whole, "refiner_ms": by_pixels}


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, action="append")
    parser.add_argument("--seconds", type=float, default=8.0, help="of every comparison")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", choices=DTYPES, default="float32")
    options = parser.parse_args()
    torch.set_num_threads(1)
    results = [bench(size, options.seconds, options.device, options.precision) for size in options.size or SIZES]
    print(json.dumps({"device": options.device, "precision": options.precision, "results": results}, indent=2))


if __name__ == "__main__":
    main()
