"""Measure what overlapping copies with computation gains on an NVIDIA GPU: one frame in flight beside two.

    python -m benchmarks.bench_overlap [--seconds S] [--model M] [--weights F]

Prints JSON: the loop from the host's frame to the host's composite, at 1080p and 4K. `one at a time` is what the live
program does, for latency; `overlapped` has two frames in flight, for throughput.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch

from app.capture.demo import DemoSource
from app.core.settings import EdgeSettings, MattingSettings
from app.core.types import BgrImage
from app.matting.selection.choice import choose, geometry_for
from app.matting.torch_backend.cuda_backend import CudaBackend
from app.matting.torch_backend.cuda_graph import CudaGraphExecutor
from app.matting.torch_backend.graph_backend import GraphBackend
from app.matting.torch_backend.networks import load_core
from app.matting.torch_backend.nvrtc import full_size_on

SIZES = ((1920, 1080, 0.25), (3840, 2160, 0.125))
OFF = EdgeSettings(strict="off")
FRAMES = 4
WARM_UP_FRAMES = 20


def measure(
    executor: CudaGraphExecutor, frames: list[BgrImage], backdrop: BgrImage, seconds: float
) -> list[dict[str, object]]:
    """Measure both in turn, twice, each for a quarter of `seconds`."""

    def one(index: int) -> None:
        executor.run(frames[index % FRAMES], backdrop, OFF, False)

    def overlapped(index: int) -> None:
        executor.submit(frames[index % FRAMES], backdrop, OFF, False)
        executor.collect()

    took_ms: dict[str, list[float]] = {"one at a time": [], "overlapped": []}
    for _ in range(2):
        took_ms["one at a time"] += _times(one, seconds / 4)
        executor.submit(frames[0], backdrop, OFF, False)
        took_ms["overlapped"] += _times(overlapped, seconds / 4)
        executor.collect()
    return [
        {
            "what": what,
            "median_ms": round(statistics.median(times), 3),
            "p95_ms": round(sorted(times)[int(0.95 * len(times))], 3),
            "fps": round(1e3 * len(times) / sum(times), 1),
        }
        for what, times in took_ms.items()
    ]


def _times(call: Callable[[int], None], seconds: float) -> list[float]:
    for index in range(WARM_UP_FRAMES):
        call(index)
    times: list[float] = []
    end_s = time.perf_counter() + seconds
    while (started_s := time.perf_counter()) < end_s:
        call(len(times))
        times.append((time.perf_counter() - started_s) * 1e3)
    return times


def bench(
    settings: MattingSettings, make_backend: Callable[[], GraphBackend], seconds: float
) -> list[dict[str, object]]:
    """Measure every size, each with its own backend; the settings' device must be the backends'."""
    rows: list[dict[str, object]] = []
    for width, height, ratio in SIZES:
        sized = settings.replace(downsample_ratio=ratio)
        choice = choose(sized)
        core = load_core(
            choice.model, choice.weights, sized.refiner, ratio, choice.device, choice.precision, fused=True
        )
        geometry = geometry_for(sized, choice.model, width, height)
        executor = CudaGraphExecutor(core, geometry, make_backend(), choice.precision, 2, full_size_on(choice.device))
        frames = _frames(width, height)
        common = {"model": choice.model, "size": [width, height], "downsample_ratio": ratio}
        rows += [common | row for row in measure(executor, frames[1:], frames[0], seconds)]
        executor.close()
    return rows


def _frames(width: int, height: int) -> list[BgrImage]:
    source = DemoSource(width, height, 30.0, realtime=False)
    frames = [frame.image for frame in (source.read() for _ in range(FRAMES + 1)) if frame is not None]
    source.close()
    return frames


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="auto")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--seconds", type=float, default=8.0)
    words = parser.parse_args()
    if not torch.cuda.is_available():
        raise SystemExit("There is no NVIDIA GPU that torch can use.")
    settings = MattingSettings(model=words.model, weights=words.weights, device="cuda", executor="cuda-graph")
    print(json.dumps(bench(settings, lambda: CudaBackend("cuda"), words.seconds), indent=2))


if __name__ == "__main__":
    main()
