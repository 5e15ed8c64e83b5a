"""The quality levels that the governor chooses from, and their predicted work.

Quality is lowered in this order: a smaller downsample ratio, a lighter network, finally fewer matted frames. Skipped
frames repeat the last composite, so no unmatted frame is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

RATIO_FACTORS = (1.0, 0.84, 0.71, 0.6, 0.5)
"""Factors of the automatic ratio; each step leaves about 0.7 of the small frame's pixels."""
MATTED = tuple(Fraction(*pair) for pair in ((9, 10), (4, 5), (2, 3), (3, 5), (1, 2), (9, 20), (2, 5), (1, 3)))
"""Fractions of the frames that are matted. Of 30 frames per second: 27, 24, 20, 18, 15, 13.5, 12, 10."""
MIN_SHORT_SIDE = 96
"""Minimum short side in pixels; people are not recognizable in smaller frames."""
CPU_FIXED_WORK = 0.15
"""Fraction of a step's work that does not depend on the ratio, measured on a CPU. Used for predictions."""
GPU_PIXEL_WORK = 0.0077
"""Work for a pixel of the full frame relative to one of the small frame, on a GPU, by bytes (RVM; `docs/cuda.md`)."""
LIGHTER_WORK = 0.25
"""Work of a step of the lighter network relative to the better one, each at its automatic ratio."""


@dataclass(frozen=True, slots=True)
class Quality:
    """One quality level."""

    ratio_factor: float = 1.0
    """Factor of the automatic downsample ratio."""
    lighter_model: bool = False
    matted: Fraction = Fraction(1)
    """Fraction of the frames that are matted."""
    fixed_work: float = field(default=CPU_FIXED_WORK, compare=False)
    """Fraction of a step's work at full quality that does not depend on the ratio."""

    @property
    def work(self) -> float:
        """Predicted work of one step, relative to full quality."""
        pixels = self.fixed_work + (1 - self.fixed_work) * self.ratio_factor**2
        return pixels * (LIGHTER_WORK if self.lighter_model else 1.0)


def fixed_work(device: str, downsample_ratio: float) -> float:
    """Return the fraction of a step's work that does not depend on the ratio, at this ratio of full quality."""
    if not device.startswith(("cuda", "mps")):
        return CPU_FIXED_WORK
    full = GPU_PIXEL_WORK / downsample_ratio**2
    return full / (1 + full)


def ladder(
    short_side: int, min_factor: float, *, ratio_free: bool, model_free: bool, fixed: float = CPU_FIXED_WORK
) -> tuple[Quality, ...]:
    """Return the quality levels in descending order.

    short_side: of the small frame at full quality, in pixels. min_factor: smallest allowed ratio factor. ratio_free,
    model_free: whether the user left them on auto; a pinned value is the same on every level. fixed: see `fixed_work`.
    """
    least = max(min_factor, MIN_SHORT_SIDE / short_side)
    factors = [factor for factor in RATIO_FACTORS if factor == 1 or (ratio_free and factor >= least)]
    levels = [Quality(factor, fixed_work=fixed) for factor in factors]
    if model_free:
        levels.append(Quality(lighter_model=True, fixed_work=fixed))
    return _with_reduced_rates(levels)


def without(levels: Sequence[Quality], index: int) -> tuple[tuple[Quality, ...], int]:
    """Return the levels without the network of level `index`, and the index of the next better level among them."""
    removed = replace(levels[index], matted=Fraction(1))
    networks = [level for level in levels if level.matted == 1]
    position = networks.index(removed)
    networks.remove(removed)
    return _with_reduced_rates(networks), max(0, position - 1)


def _with_reduced_rates(networks: Sequence[Quality]) -> tuple[Quality, ...]:
    return (*networks, *(replace(networks[-1], matted=matted) for matted in MATTED))
