"""What the governor makes of the user's settings: which engine is asked for, and what the status says about it."""

from __future__ import annotations

from app.core.settings import MIN_RATIO, MattingSettings
from app.matting.base import EngineInfo
from app.matting.selection.governor import Governor, Quality, Step, ladder
from app.runtime.status import Lowered

LIGHTER_MODEL = "student"
FULL = Quality()


class Governing:
    """The governor for one choice of the user at a time. Used on the inference thread."""

    def __init__(self) -> None:
        self._governor: Governor | None = None
        self._full_ratio = 1.0
        self._rate_hz = 0.0

    @property
    def active(self) -> bool:
        """Whether it governs at all."""
        return self._governor is not None

    @property
    def quality(self) -> Quality:
        """What to work at now."""
        return FULL if self._governor is None else self._governor.quality

    @property
    def lowered(self) -> Lowered | None:
        """For the status: what is lowered at the moment; None while nothing is."""
        quality = self.quality
        if quality == FULL:
            return None
        ratio = self._full_ratio * quality.ratio_factor if quality.ratio_factor != 1 else None
        return Lowered(self._rate_hz, ratio, quality.lighter_model, quality.every)

    def forget(self) -> None:
        """Full quality, until `begin`: the user has chosen anew, or has switched the governor off."""
        self._governor = None

    def begin(self, settings: MattingSettings, info: EngineInfo) -> None:
        """Govern from now on; `info` is the engine's that runs `settings` at full quality."""
        self._full_ratio = info.downsample_ratio
        # On a frame smaller than the one it was trained for, the lighter network takes things in the room for people.
        lightest = info.model == LIGHTER_MODEL
        rungs = ladder(
            min(info.small_size),
            MIN_RATIO / info.downsample_ratio,
            ratio_free=settings.downsample_ratio is None and not lightest,
            model_free=settings.model == "auto" and settings.weights is None and not lightest,
        )
        self._governor = Governor(rungs)

    def govern(self, settings: MattingSettings) -> MattingSettings:
        """The settings to build an engine for."""
        quality = self.quality
        if quality.lighter_model:
            settings = settings.replace(model=LIGHTER_MODEL)
        if quality.ratio_factor != 1:
            settings = settings.replace(downsample_ratio=self._full_ratio * quality.ratio_factor)
        return settings

    def observe(self, step: Step) -> bool:
        """Take note of a step; True where `quality` has changed."""
        self._rate_hz = step.rate_hz
        return self._governor is not None and self._governor.observe(step)

    def disturb(self) -> None:
        """Another engine runs."""
        if self._governor is not None:
            self._governor.disturb()

    def refuse(self) -> None:
        """The engine for the present quality cannot be had."""
        if self._governor is not None:
            self._governor.refuse()
