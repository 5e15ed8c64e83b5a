"""Which engine runs: built beside the running one, swapped in when ready, replaced when it fails."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from app.errors import MattecamError, ModelError, PlateError
from app.matting.base import MattingEngine
from app.runtime.board import StatusBoard
from app.runtime.prepare import Preparer
from app.runtime.status import Stage
from app.settings import MIN_RATIO, EdgeSettings, MattingSettings

RETRY_S = 5.0
"""After so long an engine that failed is built again."""
_NO_EDGES = EdgeSettings()


@dataclass(frozen=True, slots=True)
class EngineKey:
    """What an engine is built for; a change of any of it needs another engine."""

    settings: MattingSettings
    width: int
    height: int


class EngineSupply:
    """Used on the inference thread alone."""

    def __init__(self, build: Callable[[MattingSettings, int, int], MattingEngine], board: StatusBoard) -> None:
        self._preparer: Preparer[EngineKey, MattingEngine] = Preparer(
            "engine-builder",
            lambda key: build(key.settings, key.width, key.height),
            lambda engine: engine.close(),
        )
        self._board = board
        self._engine: MattingEngine | None = None
        self._size = (0, 0)
        self._wanted: EngineKey | None = None
        self._requested: EngineKey | None = None
        self._retry_at_s: float | None = None
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

    def follow(self, settings: MattingSettings, width: int, height: int) -> MattingEngine | None:
        """The engine to use for this frame; None while there is none for its size."""
        wanted = EngineKey(settings.replace(edges=_NO_EDGES), width, height)
        if wanted != self._wanted:
            self._wanted = wanted
            self._request(wanted)
        elif self._retry_at_s is not None and time.monotonic() >= self._retry_at_s:
            assert self._requested is not None
            self._request(self._requested)
        self.poll()
        return self._engine if self._size == (width, height) else None

    def retry(self) -> None:
        """Build again at the next frame what failed or what a fall-back stands in for (any thread)."""
        self._wanted = None

    def poll(self) -> None:
        """Swap in an engine that has become ready."""
        outcome = self._preparer.take()
        if outcome is None:
            return
        if outcome.value is None:
            assert outcome.error is not None
            self._build_failed(outcome.key, outcome.error)
            return
        self.close_engine()
        self._engine = outcome.value
        self._size = (outcome.key.width, outcome.key.height)
        self._board.engine = self._engine.info
        self.number += 1
        if outcome.key == self._wanted:
            self._board.clear(Stage.MATTING)

    def worked(self, duration_s: float) -> None:
        """A step went well and took `duration_s`."""
        self.failed = False
        assert self._engine is not None
        self._board.engine = self._engine.info

    def fail(self, error: Exception) -> None:
        """A step failed: another engine is built, lighter or without the plate where that helps."""
        self._board.report(Stage.MATTING, _named(error))
        self.close_engine()
        self.failed = True
        assert self._requested is not None
        lighter = fall_back(self._requested.settings, error)
        if lighter is None:
            self._retry_at_s = time.monotonic() + RETRY_S
        else:
            self._request(EngineKey(lighter, self._requested.width, self._requested.height))

    def close_engine(self) -> None:
        """Close the engine in use, if any."""
        engine, self._engine = self._engine, None
        self._size = (0, 0)
        self._board.engine = None
        if engine is not None:
            engine.close()

    def _request(self, key: EngineKey) -> None:
        self._requested = key
        self._retry_at_s = None
        self.failed = False
        self._preparer.request(key)

    def _build_failed(self, key: EngineKey, error: Exception) -> None:
        self._board.report(Stage.MATTING, _named(error))
        if key != self._requested:
            return
        if self._engine is not None and self._size == (key.width, key.height):
            return  # What worked keeps running until the user chooses anew.
        self.failed = True
        lighter = fall_back(key.settings, error)
        if lighter is not None:
            self._request(EngineKey(lighter, key.width, key.height))
        else:
            self._retry_at_s = time.monotonic() + RETRY_S


def fall_back(settings: MattingSettings, error: Exception) -> MattingSettings | None:
    """What to try after `error`: without the plate, with less memory; None where nothing else is left to try."""
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
