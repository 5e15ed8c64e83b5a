"""Which engine runs: built beside the running one, swapped in when ready, replaced when it fails."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from app.core.errors import MattecamError, ModelError, PlateError, WeightsMissingError
from app.core.framing import WHOLE
from app.core.settings import MIN_RATIO, PLATE_MODELS, EdgeSettings, FramingSettings, MattingSettings
from app.matting.base import MattingEngine
from app.matting.selection.governor import Step
from app.runtime.board import StatusBoard
from app.runtime.governing import Governing
from app.runtime.prepare import Preparer
from app.runtime.status import Stage

_log = logging.getLogger(__name__)
RETRY_S = 5.0
"""After so long an engine that failed is built again."""
_NO_EDGES = EdgeSettings()


@dataclass(frozen=True, slots=True)
class EngineKey:
    """What an engine is built for; a change of any of it needs another engine."""

    settings: MattingSettings
    width: int
    height: int
    framing: FramingSettings
    """What the frames show of the source's picture; the whole where the engine has no plate to be cut likewise."""

    @staticmethod
    def of(settings: MattingSettings, width: int, height: int, framing: FramingSettings) -> EngineKey:
        """For this choice of the user."""
        return EngineKey(settings, width, height, framing if may_compare(settings) else WHOLE)

    def lightened(self, settings: MattingSettings) -> EngineKey:
        """With other settings for the same frames."""
        return EngineKey.of(settings, self.width, self.height, self.framing)


class EngineSupply:
    """Used on the inference thread alone."""

    def __init__(
        self,
        build: Callable[[MattingSettings, int, int, FramingSettings], MattingEngine],
        board: StatusBoard,
    ) -> None:
        """The makers are those of `Parts`."""
        self._preparer: Preparer[EngineKey, MattingEngine] = Preparer(
            "engine-builder",
            lambda key: build(key.settings, key.width, key.height, key.framing),
            lambda engine: engine.close(),
        )
        self._board = board
        self._governing = Governing()
        self._engine: MattingEngine | None = None
        self._running: EngineKey | None = None
        """What the engine in use was built for."""
        self._wanted: EngineKey | None = None
        """The user's choice."""
        self._base: EngineKey | None = None
        """The user's choice or a fall-back in its place, at full quality."""
        self._requested: EngineKey | None = None
        """What the governor makes of `_base`."""
        self._retry_at_s: float | None = None
        self._last_step: Step | None = None
        self.number = 0
        """Counts the engines used so far."""
        self.failed = False
        """No engine works for what is wanted now."""
        self.start = self._preparer.start
        self.request_stop = self._preparer.request_stop
        self.join = self._preparer.join

    @property
    def busy(self) -> bool:
        """An engine is being built (any thread)."""
        return self._preparer.busy

    @property
    def every(self) -> int:
        """Every how manieth frame is to be matted."""
        return self._governing.quality.every

    def gives_way(self, now_s: float) -> bool:
        """Whether to leave a frame out for a new ratio: it comes sooner where the old one rests as long as it works."""
        step, running, requested = self._last_step, self._running, self._requested
        if step is None or running is None or requested is None or now_s >= step.now_s + step.busy_s or not self.busy:
            return False
        ratio = running.settings.downsample_ratio
        return requested != running == requested.lightened(requested.settings.replace(downsample_ratio=ratio))

    def follow(
        self, settings: MattingSettings, width: int, height: int, framing: FramingSettings = WHOLE
    ) -> MattingEngine | None:
        """The engine to use for this frame; None while there is none for its size."""
        wanted = EngineKey.of(settings.replace(edges=_NO_EDGES, governor=True), width, height, framing)
        if wanted != self._wanted:
            self._wanted = wanted
            self._begin(wanted)
        elif self._retry_at_s is not None and time.monotonic() >= self._retry_at_s:
            assert self._requested is not None
            self._request(self._requested)
        self.poll()
        self._govern(settings.governor)
        running = self._running
        return self._engine if running is not None and (running.width, running.height) == (width, height) else None

    def framing_for(self, wanted: FramingSettings) -> FramingSettings:
        """How to frame the pictures for the engine in use: as its plate is, to which another part would be a person."""
        running = self._running
        return running.framing if running is not None and may_compare(running.settings) else wanted

    def retry(self) -> None:
        """Build again at the next frame what failed or what a fall-back stands in for (any thread)."""
        self._wanted = None

    def poll(self) -> None:
        """Swap in an engine that has become ready."""
        outcome = self._preparer.take()
        if outcome is None:
            return
        key = outcome.key
        if outcome.value is None:
            assert outcome.error is not None
            self._build_failed(key, outcome.error)
            return
        if key != self._requested and self._running == self._requested:
            self._preparer.retire(outcome.value)
            return  # The wish for it was taken back.
        if self._engine is not None:
            self._preparer.retire(self._engine)  # its end takes longer than a frame
        self._engine = outcome.value
        self._running = key
        self._board.engine = self._engine.info
        self._governing.disturb()
        self.number += 1
        if key == self._requested and self._base == self._wanted:
            self._board.clear(Stage.MATTING)

    def worked(self, step: Step) -> None:
        """A step went well."""
        self.failed = False
        self._last_step = step
        assert self._engine is not None
        self._board.engine = self._engine.info
        if self.busy or self._running != self._requested:
            return  # The building of an engine takes time from the one that runs.
        if self._governing.observe(step):
            self._request_governed()

    def fail(self, error: Exception) -> None:
        """A step failed: another engine is built, lighter or without the plate where that helps."""
        self._board.report(Stage.MATTING, _named(error))
        governed = self._running == self._requested != self._base
        self.close_engine()
        self.failed = True
        assert self._base is not None
        lighter = fall_back(self._base.settings, error)
        if lighter is not None:
            self._begin(self._base.lightened(lighter))
        elif governed:
            self._refuse()
        else:
            self._retry_at_s = time.monotonic() + RETRY_S

    def close_engine(self) -> None:
        """Close the engine in use, if any."""
        engine, self._engine = self._engine, None
        self._running = None
        self._board.engine = None
        if engine is not None:
            engine.close()

    def _begin(self, base: EngineKey) -> None:
        """Work with `base` from now on, at full quality first."""
        self._base = base
        self._governing.forget()
        self._board.lowered = None
        self._request(base)

    def _govern(self, on: bool) -> None:
        """Begin to govern as soon as full quality runs; go back to it where the user switches the governor off."""
        if on and not self._governing.active:
            if self._engine is not None and self._base is not None and self._running == self._base:
                self._governing.begin(self._base.settings, self._engine.info)
        elif not on and self._governing.active:
            self._governing.forget()
            self._request_governed()

    def _request(self, key: EngineKey) -> None:
        self._requested = key
        self._retry_at_s = None
        self.failed = False
        self._preparer.request(key)

    def _request_governed(self) -> None:
        assert self._base is not None
        self._board.lowered = self._governing.lowered
        key = self._base.lightened(self._governing.govern(self._base.settings))
        if key == self._running:
            self._requested = key
        elif key != self._requested:
            self._request(key)

    def _refuse(self) -> None:
        self._governing.refuse()
        self._request_governed()

    def _build_failed(self, key: EngineKey, error: Exception) -> None:
        if key == self._requested and key != self._base:
            _log.info("The governor does without %s, which cannot be had (%s).", key.settings.model, error)
            self._refuse()
            return
        self._board.report(Stage.MATTING, _named(error))
        if key != self._requested:
            return
        if self._running is not None and (self._running.width, self._running.height) == (key.width, key.height):
            return  # What worked keeps running until the user chooses anew.
        self.failed = True
        lighter = fall_back(key.settings, error)
        if lighter is not None:
            self._begin(key.lightened(lighter))
        else:
            self._retry_at_s = time.monotonic() + RETRY_S


def may_compare(settings: MattingSettings) -> bool:
    """Whether the engine may be one that compares the frame with a plate."""
    return settings.plate is not None and settings.model in ("auto", *PLATE_MODELS)


def fall_back(settings: MattingSettings, error: Exception) -> MattingSettings | None:
    """Return what to try after `error`: an installed model, no plate, less memory; None where nothing is left."""
    if isinstance(error, WeightsMissingError) and (settings.model != "auto" or settings.weights is not None):
        return settings.replace(model="auto", weights=None)
    if isinstance(error, PlateError):
        return settings.replace(model="auto", plate=None, weights=None)
    if not _out_of_memory(error) or settings.device == "cpu":
        return None
    ratio = settings.downsample_ratio
    if ratio is not None and ratio > 2 * MIN_RATIO:
        return settings.replace(downsample_ratio=ratio / 2)
    return settings.replace(device="cpu", executor="auto", precision="auto", downsample_ratio=None)


def _out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or "out of memory" in str(error).lower()


def _named(error: Exception) -> Exception:
    if isinstance(error, MattecamError):
        return error
    named = ModelError(f"The matting failed ({type(error).__name__}: {error}); choose another model or executor.")
    named.__cause__ = error
    return named
