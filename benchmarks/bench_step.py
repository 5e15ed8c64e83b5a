"""Measure the frame step over sizes, ratios, backgrounds and edge controls, beside the machine's floor.

    python -m benchmarks.bench_step [--model M] [--weights F] [--seconds N] [--json FILE] [--picture FILE]

The floor is the least time for the same work: one read of frame and background and one write of composite and alpha at
the machine's copy rate, plus the network's operations at the rate of its matrix product in the same precision (of
bfloat16 for int8).
Measurements are interleaved; prints a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from app.capture.demo import DemoSource
from app.cli.bench.machine import machine
from app.cli.bench.measure import CallTimes, Contender, interleave
from app.core.settings import EdgeSettings, MattingSettings
from app.core.types import Backdrop, BgrImage, BlurredBackground
from app.matting import build_engine
from app.matting.base.interface import MattingEngine
from app.matting.kernels.loading import load
from app.matting.selection.choice import choose, choose_device
from app.matting.torch.networks import load_core
from app.matting.torch.torch_backend import DTYPES
from benchmarks.drawing import Line, chart

NO_EDGES = EdgeSettings(strict="off")
SIZES = ((640, 360), (1280, 720), (1920, 1080), (3840, 2160))
RATIOS = (0.2, 0.25, 0.375, 0.5)
HD = (1280, 720)
BYTES_PER_PIXEL = 3 + 3 + 3 + 1
ALL_EDGES = EdgeSettings(contrast=0.3, grow_px=2, feather_px=6, temporal_smoothing=0.5, despill=1)
REPEATS = 20


@dataclass(frozen=True, slots=True)
class Case:
    """A case: arguments of the step."""

    name: str
    size: tuple[int, int]
    ratio: float | None
    backdrop: str = "picture"
    edges: EdgeSettings = NO_EDGES
    foreground: bool = False


@dataclass(frozen=True, slots=True)
class Floor:
    """Peak rates of the machine."""

    copy_gb_per_s: float
    gflop_per_s: float

    def frame_ms(self, size: tuple[int, int], gflop: float) -> float:
        """Return the least time for a frame: its bytes, then its operations."""
        return size[0] * size[1] * BYTES_PER_PIXEL / self.copy_gb_per_s / 1e6 + gflop / self.gflop_per_s * 1e3


def cases() -> list[Case]:
    """Return all cases."""
    return [
        *(Case(f"{height}p, automatic ratio", (width, height), None) for width, height in SIZES),
        *(Case(f"720p, ratio {ratio:g}", HD, ratio) for ratio in RATIOS),
        Case("720p, ratio 0.25, blurred room", HD, 0.25, backdrop="blur"),
        Case("720p, ratio 0.25, every edge control", HD, 0.25, edges=ALL_EDGES),
        Case("720p, ratio 0.25, with foreground", HD, 0.25, foreground=True),
    ]


def measure_floor(precision: str, device: str, count: int = 64_000_000, side: int | None = None) -> Floor:
    """Measure the copy rate (reads and writes) of tensors larger than the caches, and the rate of a matrix product.

    device: that of the network. count: bytes to copy. side: of the matrices; larger on a GPU by default.
    """
    on_gpu = device.startswith("cuda")
    side = side or (8192 if on_gpu else 1024)
    source = torch.zeros(count * (16 if on_gpu else 1), dtype=torch.uint8, device=device)
    target = torch.ones_like(source)
    a = torch.rand(side, side, device=device).to(DTYPES["bfloat16" if precision == "int8" else precision])

    def wait() -> None:
        if on_gpu:
            torch.cuda.synchronize(device)

    copy_s = _best_s(lambda: target.copy_(source), wait)
    product_s = _best_s(lambda: torch.mm(a, a), wait)
    return Floor(2 * source.numel() / copy_s / 1e9, 2 * side**3 / product_s / 1e9)


def _best_s(work: Callable[[], object], wait: Callable[[], None]) -> float:
    times = []
    for _ in range(REPEATS):
        wait()
        begun_s = time.perf_counter()
        work()
        wait()
        times.append(time.perf_counter() - begun_s)
    return min(times)


def network_gflop(settings: MattingSettings, small_size: tuple[int, int]) -> float:
    """Return the operations of one small frame, in 10^9."""
    choice = choose(settings)
    core = load_core(choice.model, choice.weights, settings.refiner, 0.5, "cpu", "float32")
    width, height = small_size
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        core(torch.zeros(1, 3, height, width), *core.initial_state(height, width))
    operations: int = counter.get_total_flops()
    return operations / 1e9


def _contender(case: Case, engine: MattingEngine) -> Contender:
    frames = _frames(*case.size)
    behind: Backdrop = BlurredBackground(50) if case.backdrop == "blur" else frames[-1]
    return Contender(
        case.name,
        engine.info.model,
        engine.info.executor,
        engine.info.precision,
        lambda index: engine.step(
            frames[index % len(frames)], behind, case.edges, want_foreground=case.foreground
        ).result(),
    )


def _frames(width: int, height: int) -> list[BgrImage]:
    source = DemoSource(width, height, 30.0, realtime=False)
    try:
        return [frame.image for frame in (source.read() for _ in range(4)) if frame is not None]
    finally:
        source.close()


def run(settings: MattingSettings, seconds: float) -> list[dict[str, object]]:
    """Measure and return the rows of the table."""
    engines = [build_engine(settings.replace(downsample_ratio=case.ratio), *case.size) for case in cases()]
    try:
        timings = interleave([_contender(*pair) for pair in zip(cases(), engines, strict=True)], seconds)
        floor = measure_floor(engines[0].info.precision, choose_device(settings))
        return [
            _row(settings, case, engine, timing, floor)
            for case, engine, timing in zip(cases(), engines, timings, strict=True)
        ]
    finally:
        for engine in engines:
            engine.close()


def _row(
    settings: MattingSettings, case: Case, engine: MattingEngine, timing: CallTimes, floor: Floor
) -> dict[str, object]:
    gflop = network_gflop(settings, engine.info.small_size)
    return {
        "case": case.name,
        **asdict(engine.info),
        "size": case.size,
        **timing.figures(),
        "network_gflop": round(gflop, 2),
        "floor_ms": round(floor.frame_ms(case.size, gflop), 2),
    }


def table(rows: list[dict[str, object]]) -> str:
    """Return the rows as a Markdown table."""
    lines = [
        "| case | small frame | median ms | p95 ms | fps | CPU ms | floor ms |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        small = row["small_size"]
        assert isinstance(small, tuple)
        lines.append(
            f"| {row['case']} | {small[0]}×{small[1]} | {row['median_ms']} | {row['p95_ms']} | {row['fps']} "
            f"| {row['cpu_ms_per_frame']} | {row['floor_ms']} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="auto")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--executor", default="auto")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--picture", type=Path)
    words = parser.parse_args()
    load()
    settings = MattingSettings(
        model=words.model, weights=words.weights, executor=words.executor, precision=words.precision
    )
    rows = run(settings, words.seconds)
    result = {"machine": machine(), "results": rows}
    if words.json:
        words.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    if words.picture:
        sized = rows[: len(SIZES)]
        pixels = [width * height / 1e6 for width, height in SIZES]
        chart(
            words.picture,
            "megapixels of the frame",
            "ms",
            [
                Line("step", pixels, [float(str(row["median_ms"])) for row in sized]),
                Line("floor of this machine", pixels, [float(str(row["floor_ms"])) for row in sized]),
            ],
        )
    print(json.dumps(result["machine"]))
    print(table(rows))


if __name__ == "__main__":
    main()
