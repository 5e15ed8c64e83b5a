"""What a quality of the governor means: engine settings, the frames that are matted, and words for the status."""

from __future__ import annotations

import copy
from fractions import Fraction

from app.core.settings import MIN_RATIO, EngineSettings
from app.matting.base.interface import EngineInfo
from app.matting.choice.governor import CPU_FIXED_WORK, FULL, Quality, ladder
from app.runtime.status import Lowered
from models.table import bundled

AHEAD = 6
"""The source chooses what it does with the next frame before the last one has been looked at."""


class MattingPattern:
    """Phase accumulator over frame indexes. At 2/3 of the frames it selects 0, 1, 3, 4, 6, 7 and so on."""

    def __init__(self) -> None:
        self.generation = -1
        """Source generation of the last matted frame; -1 before the first."""
        self._last_index = -1
        self._due = Fraction(0)
        """Ideal index of the next frame."""

    def skips(self, generation: int, index: int, matted: Fraction) -> bool:
        """Return whether to skip frame `index` of the source's `generation`. matted: fraction of frames to matte."""
        if matted == 1 or generation != self.generation or index <= self._last_index:
            return False
        return index <= self._due - 1

    def note(self, generation: int, index: int, matted: Fraction) -> None:
        """Note that this frame was matted."""
        continues = generation == self.generation and index > self._last_index
        # A late frame moves the phase, so that the following ones are not closer together than the interval.
        self._due = (max(self._due, Fraction(index)) if continues else Fraction(index)) + 1 / matted
        self.generation, self._last_index = generation, index

    def skipped_after(self, generation: int, index: int, matted: Fraction) -> frozenset[int]:
        """Return which of the next `AHEAD` frames are skipped, if this one is matted and none is late."""
        if matted == 1:
            return frozenset()
        ahead = copy.copy(self)
        skipped = set()
        ahead.note(generation, index, matted)
        for later in range(index + 1, index + 1 + AHEAD):
            if ahead.skips(generation, later, matted):
                skipped.add(later)
            else:
                ahead.note(generation, later, matted)
        return frozenset(skipped)


GPU_PIXEL_WORK = 0.0077
"""Work for a pixel of the full frame relative to one of the small frame, on a GPU, by bytes (RVM)."""


def fixed_work(device: str, downsample_ratio: float) -> float:
    """Return the fraction of a step's work that does not depend on the ratio, at this ratio of full quality."""
    if not device.startswith(("cuda", "mps")):
        return CPU_FIXED_WORK
    full = GPU_PIXEL_WORK / downsample_ratio**2
    return full / (1 + full)


def levels(settings: EngineSettings, info: EngineInfo) -> tuple[Quality, ...]:
    """Return the quality levels of an engine that runs `settings` at full quality and is described by `info`."""
    # On a frame smaller than that of its training the lighter network takes objects for people.
    lightest = info.model == bundled().name
    return ladder(
        min(info.small_size),
        MIN_RATIO / info.downsample_ratio,
        ratio_free=settings.downsample_ratio is None and not lightest,
        model_free=settings.model == "auto" and settings.weights is None and not lightest,
        full=Quality(fixed_work=fixed_work(info.device, info.downsample_ratio), full_ratio=info.downsample_ratio),
    )


def at_quality(settings: EngineSettings, quality: Quality) -> EngineSettings:
    """Return the settings, which are those of full quality, at this one."""
    if quality.lighter_model:
        settings = settings.replace(model=bundled().name)
    return settings if quality.ratio is None else settings.replace(downsample_ratio=quality.ratio)


def described(quality: Quality, rate_hz: float) -> Lowered | None:
    """Return what is lowered, for the status; None at full quality. rate_hz: of the frames."""
    if quality == FULL:
        return None
    matted_hz = rate_hz * float(quality.matted) if quality.matted != 1 else None
    return Lowered(rate_hz, quality.ratio, quality.lighter_model, matted_hz)
