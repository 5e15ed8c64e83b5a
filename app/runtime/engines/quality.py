"""Applies the governor's quality to the engine settings, and describes it for the status."""

from __future__ import annotations

from app.core.settings import MIN_RATIO, EngineSettings
from app.matting.base.interface import EngineInfo
from app.matting.selection.governor import Governor, GovernorTiming, Quality, StepTiming, fixed_work, ladder
from app.runtime.status import Lowered
from models.table import bundled

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
