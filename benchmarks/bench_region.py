"""What the network gains by looking at the part of the frame around people (`EdgeSettings.person_region`).

    python -m benchmarks.bench_region [--data FOLDER] [--model M] [--precision P] [--head H]... [--scenes N]
        [--frames N] [--json]

Held-out cut-outs of people stand over held-out rooms at 1280x720, with heads of 10, 20 and 40 % of the frame's height.
Each sequence runs through four engines on a CPU: the whole frame and the region, at the automatic ratio and at half of
it. Reported per head height and motion: the mean error of alpha (times 1e3 over the frame, and relative to the person's
area), errors between frames (dtSSD), how much of the background beyond 10 pixels from the person is shown, how much of
the person is lost, and CPU time of a step. A second person enters at 2 s: after how many frames more than half of the
part of the person that is in the frame is shown.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from app.core.settings import EdgeSettings, MattingSettings
from app.core.types import Floats
from app.matting import build_engine
from app.matting.base.interface import MattingEngine
from app.matting.kernels.loading import load
from app.offline.evaluation.metrics import dtssd, mad
from benchmarks.bench_leak import DATA, PRECISIONS
from benchmarks.leak_measure import RIM_PX, VISIBLE
from benchmarks.region_scenes import HEADS, MOTIONS, SIZE, Person, Sample, Scenes, entering, sway

WARM_UP = 24
"""Frames before the measurement: the region is chosen in them."""
ENTERS, LONGEST = 60, 120
"""Frame in which the second person enters, and the length of that sequence."""
SECOND_X = 0.85
INSIDE_SHARE = 0.2
"""Share of the second person that must be in the frame before frames are counted."""


@dataclass
class Figures:
    """Sums of one variant over the frames of one row."""

    mad: list[float] = field(default_factory=list)
    relative: list[float] = field(default_factory=list)
    dtssd: list[float] = field(default_factory=list)
    beyond: list[float] = field(default_factory=list)
    lost: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    def add(self, alpha: Floats, sample: Sample, before: tuple[Floats, Floats] | None) -> None:
        """Take in one frame; before: alpha and truth of the last one."""
        truth = sample.alpha
        self.mad.append(mad(alpha, truth))
        self.relative.append(float(np.abs(alpha - truth).sum() / truth.sum()))
        if before is not None:
            self.dtssd.append(dtssd(alpha, before[0], truth, before[1]))
        empty = (truth < 8 / 255).astype(np.uint8)
        beyond = cv2.distanceTransform(empty, cv2.DIST_L2, 3) > RIM_PX
        self.beyond.append(100 * float((alpha[beyond] > VISIBLE / 255).mean()))
        person = truth > 0.9
        self.lost.append(100 * float((alpha[person] < 0.5).mean()))

    def means(self) -> dict[str, float]:
        """Return the mean of each figure, and the median of the CPU time."""
        means = {name: float(np.mean(values)) for name, values in vars(self).items() if values}
        return {**means, "cpu_ms": float(np.median(self.cpu_ms))}


@dataclass(frozen=True)
class Variant:
    """One engine of the comparison."""

    name: str
    engine: MattingEngine
    edges: EdgeSettings


def variants(model: str, precision: str) -> list[Variant]:
    """Build the engines."""
    found = []
    ratio = None
    for part in (1.0, 0.5):
        for region in (False, True):
            settings = MattingSettings.model_validate(
                {"model": model, "device": "cpu", "precision": precision, "downsample_ratio": ratio}
            )
            engine = build_engine(settings, *SIZE)
            name = f"{'region' if region else 'whole'}{'' if part == 1 else ', half ratio'}"
            found.append(Variant(name, engine, EdgeSettings(person_region=region)))
        ratio = engine.info.downsample_ratio / 2
    return found


def run(variant: Variant, samples: list[Sample], figures: Figures | None) -> Iterator[Floats]:
    """Yield alpha of each frame, and add the frames after the warm-up to the figures."""
    variant.engine.reset()
    backdrop, before = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8), None
    for n, sample in enumerate(samples):
        started = time.process_time()
        alpha = variant.engine.step(sample.image, backdrop, variant.edges).result().alpha.astype(
            np.float32
        ) / np.float32(255)
        if figures is not None and n >= WARM_UP:
            figures.cpu_ms.append(1000 * (time.process_time() - started))
            figures.add(alpha, sample, before)
        before = alpha, sample.alpha
        yield alpha


def delay(variant: Variant, samples: list[Sample]) -> int | None:
    """Return how many frames after coming into view the second person is shown; None: never."""
    entered = None
    for n, alpha in enumerate(run(variant, samples, None)):
        truth = samples[n].people[0]
        if n < ENTERS or truth.sum() < INSIDE_SHARE * samples[-1].people[0].sum():
            continue
        entered = n if entered is None else entered
        if float((alpha * truth).sum()) > 0.5 * float(truth.sum()):
            return n - entered
    return None


def measure(
    scenes: Scenes, engines: list[Variant], heads: Sequence[float], count: int, frames: int
) -> tuple[list[dict[str, object]], ...]:
    """Return the rows of quality and those of the second person."""
    quality: dict[tuple[float, str, str], Figures] = defaultdict(Figures)
    delays: dict[str, list[int | None]] = defaultdict(list)
    for head in heads:
        usable = _people(scenes, head)[:count]
        print(f"head {head:.0%}: {len(usable)} people", file=sys.stderr)
        for number in usable:
            for motion, path in MOTIONS.items():
                person = scenes.person(number, head, 0.5, path)
                assert person is not None
                samples = list(scenes.render(number, [person], frames))
                for variant in engines:
                    list(run(variant, samples, quality[head, motion, variant.name]))
            if head == HEADS[0]:
                samples = list(scenes.render(number, _two(scenes, number, usable, head), LONGEST))
                for variant in engines:
                    delays[variant.name].append(delay(variant, samples))
    rows = [{"head": key[0], "motion": key[1], "variant": key[2], **f.means()} for key, f in quality.items()]
    return rows, [{"variant": name, "frames": values} for name, values in delays.items()]


def _people(scenes: Scenes, head: float) -> list[int]:
    return [n for n in range(len(scenes)) if scenes.person(n, head, 0.5, sway) is not None]


def _two(scenes: Scenes, number: int, usable: list[int], head: float) -> list[Person]:
    """Return somebody who enters, and behind the other in the list, as later people are in front."""
    other = usable[(usable.index(number) + 1) % len(usable)]
    people = scenes.person(other, head, SECOND_X, entering(ENTERS)), scenes.person(number, head, 0.35, sway)
    return [person for person in people if person is not None]


def table(rows: list[dict[str, object]]) -> str:
    """Return rows as a Markdown table; empty if there is none."""
    if not rows:
        return ""
    lines = [f"| {' | '.join(rows[0])} |", "|---" * len(rows[0]) + "|"]
    lines += [f"| {' | '.join(f'{v:.3g}' if isinstance(v, float) else str(v) for v in row.values())} |" for row in rows]
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with train and train-clean")
    parser.add_argument("--model", default="mattecam")
    parser.add_argument("--precision", choices=PRECISIONS, default="float32")
    parser.add_argument("--head", type=float, action="append", help="height of a head, repeatable")
    parser.add_argument("--scenes", type=int, default=8, help="people per head height")
    parser.add_argument("--frames", type=int, default=75, help="of a sequence")
    parser.add_argument("--json", action="store_true", help="print JSON in place of tables")
    words = parser.parse_args()
    load()
    scenes = Scenes(words.data)
    if not len(scenes):
        sys.exit(f"There are no cut-outs or rooms in {words.data}; name the folder with --data.")
    engines = variants(words.model, words.precision)
    try:
        quality, delays = measure(scenes, engines, words.head or HEADS, words.scenes, words.frames)
    finally:
        for variant in engines:
            variant.engine.close()
    if words.json:
        print(json.dumps({"quality": quality, "second_person": delays}, indent=2))
    else:
        print(table(quality), table(delays), sep="\n\n")


if __name__ == "__main__":
    main()
