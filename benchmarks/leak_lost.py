"""How much of people strict mode loses beyond what the network itself loses, when they appear, and
holes in them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.settings import EdgeSettings, MattingSettings, StrictLevel
from app.core.types import AlphaImage
from app.matting import build_engine
from app.matting.interface import StepRequest
from benchmarks.leak_measure import OPAQUE, STRONG
from benchmarks.leak_samples import Scene
from benchmarks.leak_scenes import SIZE

CERTAIN = 247
"""8-bit alpha of which the network is certain."""
CERTAIN_AREA = 0.005
"""Share of the frame in which the network is certain of a person from which on the person must
appear.
"""
LATE_FRAMES = 3
"""Frames after that in which nothing counts as lost."""
SHOWN_SHARE = 0.9
"""Share of what the network is certain of that is shown of somebody who appears."""


@dataclass(frozen=True, slots=True)
class Lost:
    """What a level of strict mode made of the people of one sequence, or of several."""

    sequences: int
    share: float
    """Of the pixels (0..1) of people whom the network shows: those with an alpha below 0.5; mean of
    the sequences.
    """
    worst_share: float
    shown_after: int | None
    """Most frames until a person of whom the network is certain is shown; None: somebody never is.
    """
    hole_px: float
    """Area of the largest piece that is absent where the network is certain, in pixels of the
    network's input.
    """


@dataclass
class LostCounter:
    """Adds up one sequence."""

    small_height: int
    """Of the network's input."""
    _frames: int = 0
    _shown_after: int | None = None
    _lost: int = 0
    _total: int = 0
    _hole: float = 0.0
    _began: bool = False

    def add(self, person: AlphaImage, known: bool, network: AlphaImage, shown: AlphaImage) -> None:
        """Take in a frame. person: its truth; known: whether it says where people are; network:
        alpha at level off.
        """
        certain = (person >= OPAQUE) & (network >= CERTAIN)
        self._began = self._began or bool(certain.mean() > CERTAIN_AREA)
        if not self._began:
            return
        if self._shown_after is None and float((shown[certain] >= STRONG).mean()) >= SHOWN_SHARE:
            self._shown_after = self._frames
        if self._frames >= LATE_FRAMES:
            visible = (person >= OPAQUE) & (network >= STRONG) if known else certain
            self._lost += int((visible & (shown < STRONG)).sum())
            self._total += int(visible.sum())
            self._hole = max(
                self._hole, _largest_piece(certain & (shown < STRONG), self.small_height)
            )
        self._frames += 1

    def result(self) -> Lost:
        """The result of the sequence."""
        share = self._lost / max(self._total, 1)
        return Lost(1, share, share, self._shown_after, self._hole)


def joined(results: Sequence[Lost]) -> Lost:
    """Return all sequences as one."""
    after = [result.shown_after for result in results]
    return Lost(
        len(results),
        float(np.mean([result.share for result in results])),
        max(result.worst_share for result in results),
        None if None in after else max(number for number in after if number is not None),
        max(result.hole_px for result in results),
    )


def persons_lost(
    settings: MattingSettings,
    levels: Sequence[StrictLevel],
    data: Sequence[Scene],
    *,
    live: bool = False,
) -> dict[StrictLevel, dict[str, Lost]]:
    """Run every sequence at each level beside the network alone; return the cases of each level.

    Raises MattecamError where the model is not installed.
    """
    all_levels: tuple[StrictLevel, ...] = ("off", *levels)
    engines = [build_engine(settings, *SIZE, live=live) for _ in all_levels]
    edges = EdgeSettings()
    found: dict[StrictLevel, dict[str, list[Lost]]] = {level: defaultdict(list) for level in levels}
    try:
        for scene in data:
            for engine in engines:
                engine.reset()
            counters, case = [LostCounter(engines[0].info.small_size[1]) for _ in levels], ""
            for sample in scene.samples():
                case, backdrop = sample.case, np.zeros_like(sample.image)
                steps = zip(engines, all_levels, strict=True)
                network, *shown = (
                    engine.step(StepRequest(sample.image, backdrop, edges, level)).alpha
                    for engine, level in steps
                )
                known = not bool((sample.person == 255).all())
                for counter, alpha in zip(counters, shown, strict=True):
                    counter.add(sample.person, known, network, alpha)
            for level, counter in zip(levels, counters, strict=True):
                found[level][case].append(counter.result())
    finally:
        for engine in engines:
            engine.close()
    return {
        level: {case: joined(results) for case, results in cases.items()}
        for level, cases in found.items()
    }


def lost_table(model: str, levels: dict[StrictLevel, dict[str, Lost]]) -> str:
    """The report as Markdown."""
    lines = [
        "| model | strict | case | sequences | lost % | worst % | shown after | largest hole |",
        "|---" * 8 + "|",
    ]
    for level, cases in levels.items():
        for case, lost in cases.items():
            after = "never" if lost.shown_after is None else f"{lost.shown_after} frames"
            row = f"| {model} | {level} | {case} | {lost.sequences} | {100 * lost.share:.3f} "
            lines.append(f"{row}| {100 * lost.worst_share:.3f} | {after} | {lost.hole_px:.0f} px |")
    return "\n".join(lines)


def _largest_piece(absent: NDArray[np.bool_], small_height: int) -> float:
    scale = (absent.shape[0] / small_height) ** 2
    _, _, statistics, _ = cv2.connectedComponentsWithStats(absent.astype(np.uint8), connectivity=4)
    return float(statistics[1:, cv2.CC_STAT_AREA].max(initial=0) / scale)
