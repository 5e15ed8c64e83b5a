"""CPU time of placing the person, and of moving and capturing backgrounds.

    python -m benchmarks.bench_placing [--size 1280x720]

Prints minimum and median of the CPU time per frame, over all threads. Each part is measured alone, on a person who
fills a third of the frame.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import cv2
import numpy as np

from app.compositing.shifting import ShiftedBackdrop, margins
from app.compositing.still import LaidOutImage
from app.config.parsing import parse_size
from app.core.geometry import Layout
from app.core.placement import in_corner
from app.core.settings import PlacementSettings
from app.core.types import AlphaImage, Matte
from app.matting.cpu.cpu_placing import placed
from app.matting.cpu.strips import Strips
from app.people.parallax import HeadDrift

ROUNDS = 60
PLACES = {
    "moved": PlacementSettings(x=0.2, y=0.1),
    "in a corner, 35 %": in_corner("bottom-right"),
    "80 %": PlacementSettings(scale=0.8),
    "130 %": PlacementSettings(scale=1.3),
}


def person(width: int, height: int) -> AlphaImage:
    """Return a head and shoulders with soft edges."""
    alpha = np.zeros((height, width), np.uint8)
    cv2.circle(alpha, (width // 2, height * 2 // 5), height // 6, 255, -1)
    cv2.ellipse(alpha, (width // 2, height), (width // 4, height // 2), 0, 180, 360, 255, -1)
    return np.asarray(cv2.GaussianBlur(alpha, (0, 0), height / 200), np.uint8)


def report(name: str, work: Callable[[int], object]) -> None:
    """Print the CPU time of work(round)."""
    times = []
    for number in range(ROUNDS):
        started = time.process_time()
        work(number)
        times.append((time.process_time() - started) * 1e3)
    print(f"{name:36} {min(times):6.2f} {statistics.median(times):6.2f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="1280x720")
    width, height = parse_size(parser.parse_args().size)
    cv2.setNumThreads(1)
    dice = np.random.default_rng(0)
    alpha = person(width, height)
    behind = dice.integers(0, 256, (height, width, 3), np.uint8)
    over_black = (behind * (alpha[..., None] / 255)).astype(np.uint8)
    strips, matte = Strips(), Matte(over_black, alpha)
    print(f"{'ms of CPU at ' + str(width) + 'x' + str(height):36} {'min':>6} {'median':>6}")
    for name, place in PLACES.items():
        report(f"person {name}", lambda _, place=place: placed(matte, behind, place, strips))  # type: ignore[misc]
    strips.close()
    beside, above = margins(width, height, 100)
    larger = dice.integers(0, 256, (height + 2 * above, width + 2 * beside, 3), np.uint8)
    shifted, drift = ShiftedBackdrop(), HeadDrift()
    report("parallax, background moves", lambda n: shifted.shown(larger, width, height, (n / ROUNDS, n / ROUNDS)))
    report("parallax, background rests", lambda _: shifted.shown(larger, width, height, (0.5, 0.5)))
    report("parallax, head", lambda n: drift.follow(alpha, n / 30))
    photo = LaidOutImage(dice.integers(0, 256, (2160, 3840, 3), np.uint8))
    report("4K image at a new position", lambda n: photo.shown(Layout("fill", 1.5, n / ROUNDS), width, height))


if __name__ == "__main__":
    main()
