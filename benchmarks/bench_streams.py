"""Measure many streams on one GPU: N cameras in one batch, frame rate per stream.

    python -m benchmarks.bench_streams [--device cuda] [--streams 1 2 4 8 16 32] [--size 1280x720] [--model M]
        [--weights F] [--downsample-ratio R] [--seconds S] [--picture FILE.png]

Prints JSON. A round copies N frames from pinned memory to the device, runs one batched step (on a GPU as one captured
graph) and copies N composites back. Without a GPU the step runs eagerly, which only tests the script.
"""

from __future__ import annotations

import argparse
import copy
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from app.capture.demo import DemoSource
from app.config.parsing import parse_size
from app.core.settings import MattingSettings
from app.matting.geometry import StepGeometry
from app.matting.selection.choice import choose, geometry_for
from app.matting.step.core import Core, TwoStageNetwork
from app.matting.step.step import FrameStep
from app.matting.torch_backend.cuda_backend import CudaBackend
from app.matting.torch_backend.cuda_graph import PLAIN
from app.matting.torch_backend.eager import DTYPES
from app.matting.torch_backend.networks import load_core
from app.matting.torch_backend.nvrtc import full_size_on
from benchmarks.drawing import Line, chart

WARM_UP_ROUNDS = 3


class Batch:
    """A step over the frames of several streams, with a state per stream."""

    def __init__(self, core: Core, geometry: StepGeometry, precision: str, device: torch.device, streams: int) -> None:
        self._step = FrameStep(core, geometry, DTYPES[precision], full_size_on(str(device)))
        size = (streams, geometry.height, geometry.width, 3)
        self.frames = torch.zeros(size, dtype=torch.uint8, device=device)
        self._backdrops = torch.full(size, 90, dtype=torch.uint8, device=device)
        network: TwoStageNetwork = core.network  # type: ignore[assignment]
        state = network.initial_state(streams, geometry.small_height, geometry.small_width)
        self._state = *state, self._step.initial_memory(streams)

    def work(self) -> tuple[Tensor]:
        """Return the composites of `frames`: ([N,] H, W, 3) uint8."""
        given = self._step.coefficients(self.frames, self._state)
        for target, value in zip(self._state, given.state, strict=True):
            target.copy_(value)
        pixels, _ = self._step.finish(self.frames, given, self._backdrops, PLAIN)
        return (pixels.composite,)


def make_round(batch: Batch, device: torch.device, frames: Tensor) -> Callable[[], None]:
    """Return a function that runs a round over `frames` (host memory) and returns once composites are in it."""
    if device.type != "cuda":

        def eager_round() -> None:
            batch.frames.copy_(frames)
            batch.work()

        return eager_round
    backend = CudaBackend(str(device))
    (composites,), replay = backend.capture(batch.work, 0)
    up = backend.pinned(tuple(frames.shape), frames.dtype).copy_(frames)
    down = backend.pinned(tuple(composites.shape), composites.dtype)
    queue = backend.queue()
    backend.settle()

    def graph_round() -> None:
        queue.copy(batch.frames, up)
        queue.run(replay)
        queue.copy(down, composites)
        queue.mark().wait()

    return graph_round


def measure(settings: MattingSettings, size: tuple[int, int], streams: int, seconds: float) -> dict[str, object]:
    """Run rounds for about `seconds`."""
    choice = choose(settings)
    geometry = geometry_for(settings, choice.model, *size)
    device = torch.device(choice.device)
    with torch.inference_mode():
        core = load_core(
            choice.model, choice.weights, "auto", geometry.ratio, choice.device, choice.precision, fused=True
        )
        core = copy.deepcopy(core).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        batch = Batch(core, geometry, choice.precision, device, streams)
        go = make_round(batch, device, _frames(*size, streams))
        for _ in range(WARM_UP_ROUNDS):
            go()
        took_ms: list[float] = []
        end_s = time.perf_counter() + seconds
        while time.perf_counter() < end_s or len(took_ms) < 3:
            started_s = time.perf_counter()
            go()
            took_ms.append((time.perf_counter() - started_s) * 1e3)
    median_ms = statistics.median(took_ms)
    return {
        "what": "streams",
        "model": choice.model,
        "precision": choice.precision,
        "size": list(size),
        "downsample_ratio": round(geometry.ratio, 4),
        "streams": streams,
        "round_median_ms": round(median_ms, 2),
        "round_p95_ms": round(sorted(took_ms)[int(0.95 * len(took_ms))], 2),
        "fps_per_stream": round(1e3 / median_ms, 2),
        "fps_in_all": round(streams * 1e3 / median_ms, 2),
        "device_mb": round(torch.cuda.max_memory_reserved(device) / 1e6) if device.type == "cuda" else None,
    }


def _frames(width: int, height: int, streams: int) -> Tensor:
    source = DemoSource(width, height, 30.0, realtime=False)
    images = [frame.image for frame in (source.read() for _ in range(streams)) if frame is not None]
    source.close()
    return torch.from_numpy(np.stack(images))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--streams", type=int, nargs="+")
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--model", default="auto")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--downsample-ratio", type=float)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--picture", type=Path)
    words = parser.parse_args()
    settings = MattingSettings(
        model=words.model,
        weights=words.weights,
        device=words.device,
        executor="cuda-graph" if words.device.startswith("cuda") else "eager",
        downsample_ratio=words.downsample_ratio,
    )
    counts = words.streams or ([1, 2, 4, 8, 16, 32] if words.device.startswith("cuda") else [1, 2])
    rows = [measure(settings, parse_size(words.size), count, words.seconds) for count in counts]
    print(json.dumps({"device": words.device, "results": rows}, indent=2))
    if words.picture is not None:
        each = Line("of each stream", counts, [float(str(row["fps_per_stream"])) for row in rows])
        total = Line("of all together", counts, [float(str(row["fps_in_all"])) for row in rows])
        chart(words.picture, "streams", "pictures per second", [each, total])


if __name__ == "__main__":
    main()
