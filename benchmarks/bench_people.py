"""Only me on two real people: how much of the bystander is shown while they pass each other.

`python -m benchmarks.bench_people CLIP_A CLIP_B`: two clips of one person each, from a camera that does not move. Each
person is matted alone, and both are composited into one scene: B walks through behind A, then in front of A. The known
mattes tell what is shown of whom. A swap: more begins to be shown of B than of A.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.settings import EdgeSettings, EngineSettings, FramingSettings, PeopleSettings
from app.core.shaping import Plane, Shape
from app.core.types import BgrImage
from app.matting import build_engine
from app.matting.base.interface import MattingEngine, ShapingEngine
from app.people.shaper import PeopleShaper

WIDTH, HEIGHT, FPS = 1280, 720, 30
SECONDS = 12
SIZE = 0.62
"""Height of a clip relative to the scene."""
VISIBLE = 0.002
"""Part of the frame from which a bystander counts as visible."""
Person = tuple[BgrImage, NDArray[np.float32]]
"""Frame and alpha in 0..1."""


class Timed:
    """Measures a shaper's CPU time."""

    def __init__(self, shaper: PeopleShaper) -> None:
        self._shaper = shaper
        self.spent_s: list[float] = []

    def shape(self, small: Plane, alpha: Plane) -> Shape:
        """See `MatteShaper`."""
        begun_s = time.thread_time()
        shape = self._shaper.shape(small, alpha)
        self.spent_s.append(time.thread_time() - begun_s)
        return shape


def matted(clip: Path, engine: MattingEngine) -> list[Person]:
    """Return frames and mattes of a clip with one person."""
    reader, people = cv2.VideoCapture(str(clip)), []
    engine.reset()
    while (read := reader.read())[0]:
        frame = np.asarray(cv2.resize(read[1], (WIDTH, HEIGHT)), np.uint8)
        alpha = engine.step(frame, np.zeros_like(frame), EdgeSettings(strict="off")).alpha
        people.append((frame, np.asarray(alpha / 255, np.float32)))
    return people


def placed(person: Person, x: float) -> Person:
    """Return the person with the centre at `x`, in widths of the scene, standing on its lower edge."""
    matrix = np.array([[SIZE, 0, (x - SIZE / 2) * WIDTH], [0, SIZE, (1 - SIZE) * HEIGHT]])
    frame, alpha = (cv2.warpAffine(image, matrix, (WIDTH, HEIGHT)) for image in person)
    return np.asarray(frame, np.uint8), np.asarray(alpha, np.float32)


def there_and_back(people: list[Person]) -> Iterator[Person]:
    """Repeat a clip without a jump."""
    return itertools.cycle([*people, *people[-2:0:-1]])


def run(me: list[Person], other: list[Person], engine: MattingEngine, *, behind: bool) -> str:
    """Return what was shown of both."""
    assert isinstance(engine, ShapingEngine)
    shaper, settings = PeopleShaper(), PeopleSettings(only_me=True)
    timed = Timed(shaper)
    wall = np.full((HEIGHT, WIDTH, 3), (150, 158, 160), np.uint8)
    backdrop = np.zeros_like(wall)
    engine.reset()
    own, seen, hidden, swaps, swapped = [], [], 0, 0, False
    for index, mine, theirs in zip(range(SECONDS * FPS), there_and_back(me), there_and_back(other), strict=False):
        time_s = index / FPS
        frame, alpha = placed(mine, 0.45)
        other_frame, other_alpha = placed(theirs, 1.5 - 0.18 * time_s)
        layers = [(other_frame, other_alpha), (frame, alpha)]
        scene = wall.astype(np.float32)
        for image, weight in layers if behind else layers[::-1]:
            scene += weight[..., None] * (image - scene)
        shaper.begin(settings, FramingSettings(), (WIDTH, HEIGHT), "", time_s, (0.45, 0.8))
        shown = engine.step_shaped(scene.astype(np.uint8), backdrop, EdgeSettings(strict="off"), timed).alpha / 255
        mine_visible = alpha if behind else alpha * (1 - other_alpha)
        theirs_visible = other_alpha * (1 - alpha) if behind else other_alpha
        own.append(float((shown * mine_visible).sum() / max(1.0, mine_visible.sum())))
        seen.append(float((shown * theirs_visible * (mine_visible < 0.1)).mean()))
        hidden += shaper.hides_person
        mine_shown, theirs_shown = float((shown * mine_visible).mean()), seen[-1]
        if max(mine_shown, theirs_shown) > VISIBLE:
            swaps += theirs_shown > mine_shown and not swapped
            swapped = theirs_shown > mine_shown
    visible = sum(part > VISIBLE for part in seen)
    return (
        f"{'behind' if behind else 'in front'}: bystander visible in {visible} of {len(seen)} frames"
        f" (at most {max(seen):.2%} of the frame), {swaps} swaps, selected person shown {np.mean(own):.0%}"
        f" (end {own[-1]:.0%}), hidden in {hidden} frames, tracker {1e3 * float(np.median(timed.spent_s)):.1f} ms"
    )


def main() -> None:
    """Run both directions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", type=Path, nargs=2)
    clips = parser.parse_args().clips
    engine = build_engine(EngineSettings(), WIDTH, HEIGHT, FramingSettings())
    me, other = (matted(clip, engine) for clip in clips)
    for behind in (True, False):
        print(run(me, other, engine, behind=behind))
    engine.close()


if __name__ == "__main__":
    main()
