"""Applies the governor's quality to the engine settings and to the frames that are matted, and describes it."""

from __future__ import annotations

import copy
from fractions import Fraction

from app.core.settings import MIN_RATIO, EngineSettings
from app.matting.base.interface import EngineInfo
from app.matting.selection.governor import Governor, GovernorTiming, Quality, StepTiming, fixed_work, ladder
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


FULL = Quality()


class QualityControl:
    """Holds the governor of the present choice of the user. Used on the inference thread."""

    def __init__(self, timing: GovernorTiming) -> None:
        self._timing = timing
        self._governor: Governor | None = None
        self._full_ratio = 1.0
        self._rate_hz = 0.0

    @property
    def active(self) -> bool:
        """Whether a governor is running."""
        return self._governor is not None

    @property
    def quality(self) -> Quality:
        """The quality to use now."""
        return FULL if self._governor is None else self._governor.quality

    @property
    def lowered(self) -> Lowered | None:
        """What is lowered now, for the status; None at full quality."""
        quality = self.quality
        if quality == FULL:
            return None
        ratio = self._full_ratio * quality.ratio_factor if quality.ratio_factor != 1 else None
        matted_hz = self._rate_hz * float(quality.matted) if quality.matted != 1 else None
        return Lowered(self._rate_hz, ratio, quality.lighter_model, matted_hz)

    def reset(self) -> None:
        """Return to full quality until `begin`: the user has chosen anew or switched the governor off."""
        self._governor = None

    def begin(self, settings: EngineSettings, info: EngineInfo) -> None:
        """Start a governor; `info` describes the engine that runs `settings` at full quality."""
        self._full_ratio = info.downsample_ratio
        # On a frame smaller than that of its training the lighter network takes objects for people.
        lightest = info.model == bundled().name
        levels = ladder(
            min(info.small_size),
            MIN_RATIO / info.downsample_ratio,
            ratio_free=settings.downsample_ratio is None and not lightest,
            model_free=settings.model == "auto" and settings.weights is None and not lightest,
            fixed=fixed_work(info.device, info.downsample_ratio),
        )
        self._governor = Governor(levels, self._timing)

    def lower(self, settings: EngineSettings) -> EngineSettings:
        """Return `settings` at the quality to use now."""
        quality = self.quality
        if quality.lighter_model:
            settings = settings.replace(model=bundled().name)
        if quality.ratio_factor != 1:
            settings = settings.replace(downsample_ratio=self._full_ratio * quality.ratio_factor)
        return settings

    def observe(self, step: StepTiming) -> bool:
        """Take note of a step; return whether `quality` has changed."""
        self._rate_hz = step.rate_hz
        return self._governor is not None and self._governor.observe(step)

    def restart_measuring(self) -> None:
        """Discard the measurements: another engine runs."""
        if self._governor is not None:
            self._governor.restart_measuring()

    def remove_current(self) -> None:
        """Use another quality: the engine for the present one cannot be built."""
        if self._governor is not None:
            self._governor.remove_current()
