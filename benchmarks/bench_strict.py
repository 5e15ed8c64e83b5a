"""CPU time of the strict filter alone.

    python -m benchmarks.bench_strict [--frames 300]

Prints a table in Markdown for 1280x720 at the automatic ratio of the bundled network and of RVM. The levels take turns
frame by frame. Minima hold on a busy machine as well; medians and 95th percentiles need an idle one.
"""

from __future__ import annotations

import argparse
import time

import cv2
import numpy as np

from app.bench.measure import percentile
from app.core.settings import StrictLevel
from app.matting.strict.cpu_strict import StrictFilter
from app.matting.strict.memory import Floats

SIZES = (("bundled", 320, 180), ("RVM", 480, 270))
LEVELS: tuple[StrictLevel, ...] = ("balanced", "strict")
SKIPPED = 10
NOISE = 0.008


def frames(width: int, height: int, count: int) -> list[tuple[Floats, Floats]]:
    """Return small frames (3, h, w) and alphas (h, w): a person who sways in a room, and a part that is no person."""
    random = np.random.default_rng(0)
    room = cv2.resize(random.random((18, 32, 3)), (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    clothes = cv2.resize(random.random((9, 16, 3)), (width, height)) * 0.2 + 0.4
    found = []
    for number in range(count):
        alpha = np.zeros((height, width), np.float32)
        x = int(width * (0.4 + 0.1 * np.sin(number / 5)))
        cv2.ellipse(alpha, (x, height * 3 // 4), (width // 6, height // 2), 0, 0, 360, (1.0,), -1)
        cv2.circle(alpha, (x, height * 3 // 10), height // 5, (1.0,), -1)
        cv2.rectangle(alpha, (width * 4 // 5, height * 3 // 5), (width * 6 // 7, height * 3 // 4), (0.9,), -1)
        alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), 1.5), np.float32)
        image = room + alpha[..., None] * (clothes - room) + random.normal(0, NOISE, room.shape)
        found.append((np.ascontiguousarray(image.clip(0, 1).transpose(2, 0, 1), np.float32), alpha))
    return found


def times_ms(width: int, height: int, count: int) -> list[list[float]]:
    """Return the CPU times per frame of each level."""
    filters = [StrictFilter() for _ in LEVELS]
    spent: list[list[float]] = [[] for _ in filters]
    for image, alpha in frames(width, height, count):
        for level, strict, times in zip(LEVELS, filters, spent, strict=True):
            coarse, slope = alpha.copy(), np.zeros((4, height, width), np.float32)
            offset = slope.copy()
            started_s = time.thread_time()
            strict.apply(level, image, slope, offset, coarse)
            times.append((time.thread_time() - started_s) * 1e3)
    return [times[SKIPPED:] for times in spent]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=300)
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    print("| network | small frame | level | least CPU ms | median | p95 |\n|---|---|---|---:|---:|---:|")
    for network, width, height in SIZES:
        for level, times in zip(LEVELS, times_ms(width, height, chosen.frames), strict=True):
            middle, high = float(np.median(times)), percentile(times, 0.95)
            print(f"| {network} | {width}×{height} | {level} | {min(times):.2f} | {middle:.2f} | {high:.2f} |")


if __name__ == "__main__":
    main()
