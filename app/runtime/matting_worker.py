"""The inference thread: frame in, composite out, and the stand-by card whenever there is none."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from app.compositing.base import Background
from app.core.errors import ModelError
from app.core.framing import framed
from app.core.settings import BackgroundSettings, FramingSettings, Settings
from app.core.types import Backdrop, BlurredRoom, Frame, Matte, Picture, PictureKind
from app.matting.base import MattingEngine
from app.matting.selection.governor import Step
from app.runtime.board import StatusBoard
from app.runtime.capture_worker import Captured
from app.runtime.engine_supply import EngineSupply
from app.runtime.prepare import Preparer
from app.runtime.slot import LatestSlot, SlotClosed
from app.runtime.status import Phase, Stage

IDLE_S = 0.25
"""How often the thread looks around while no frame comes."""
GRID_PX = 8
ROUNDING = 2
"""Composite and backdrop may differ by so much, of 255, where alpha is 0."""
FALLBACK_BACKDROP = BlurredRoom(80.0)
"""Stands in where the chosen background cannot be had: hides the room, needs no file."""


class MattingWorker:
    """Owns the engine and the background in use, and swaps in new ones at a frame boundary."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        frames: LatestSlot[Captured],
        engines: EngineSupply,
        backgrounds: Preparer[BackgroundSettings, Background],
        publish: Callable[[Picture | None], None],
        want_foreground: Callable[[], bool],
        resting: Callable[[], bool],
        board: StatusBoard,
    ) -> None:
        self._settings = settings
        self._frames = frames
        self._engines = engines
        self._backgrounds = backgrounds
        self._publish = publish
        self._want_foreground = want_foreground
        self._resting = resting
        self._board = board
        self._background: Background | None = None
        self._wish = threading.Lock()
        self._background_wanted: BackgroundSettings | None = None
        self._sequence: tuple[int, int] | None = None
        """(source generation, engine number) of the last step: what the recurrent state belongs to."""
        self._stepped: tuple[int, int] = (-1, -1)
        """(source generation, index) of the last frame that was matted."""

    def run(self, stop: threading.Event) -> None:
        """The thread's body."""
        try:
            while not stop.is_set():
                try:
                    captured = self._frames.get(IDLE_S)
                except SlotClosed:
                    return
                settings = self._settings()
                self._follow_background(settings.background)
                if captured is None:
                    self._engines.poll()
                elif captured.frame is None:
                    self._stand_by(Phase.RESTING if self._resting() else Phase.WAITING)
                else:
                    self._handle(captured.frame, captured.generation, settings)
        finally:
            self._engines.close_engine()
            if self._background is not None:
                self._background.close()

    def prepare_background(self, wanted: BackgroundSettings) -> None:
        """Have a background made now, so that the next frame finds it ready (any thread)."""
        with self._wish:
            if wanted == self._background_wanted:
                return
            self._background_wanted = wanted
            if wanted.kind != "none":
                self._backgrounds.request(wanted)
            self._board.background = describe_background(wanted)

    def _handle(self, whole: Frame, generation: int, settings: Settings) -> None:
        self._board.size = whole.size
        self._board.unmatted = settings.background.kind == "none" and not settings.paused
        engine = self._engines.follow(settings.matting, *whole.size, settings.framing)
        if settings.paused:
            self._stand_by(Phase.PAUSED)
        elif settings.frozen:
            self._sequence = None
        elif settings.background.kind == "none":
            self._sequence = None
            self._board.phase = Phase.RUNNING
            frame = _framed(whole, settings.framing)
            self._done(Picture(frame.image, PictureKind.UNMATTED, frame=frame))
        elif engine is None:
            self._stand_by(Phase.WAITING if self._engines.failed else Phase.STARTING)
        elif not self._left_out(whole, generation):
            frame = _framed(whole, self._engines.framing_for(settings.framing))
            self._step(engine, frame, generation, settings)

    def _left_out(self, frame: Frame, generation: int) -> bool:
        """Whether this frame's matting is saved; the outputs repeat the last composite instead."""
        last_generation, last_index = self._stepped
        if generation != last_generation:
            return False
        return 0 < frame.index - last_index < self._engines.every or self._engines.gives_way(time.perf_counter())

    def _step(self, engine: MattingEngine, frame: Frame, generation: int, settings: Settings) -> None:
        sequence = (generation, self._engines.number)
        started_s = time.perf_counter()
        try:
            if sequence != self._sequence:
                engine.reset()
            backdrop = self._backdrop(frame, started_s)
            matte = engine.step(frame.image, backdrop, settings.matting.edges, want_foreground=self._want_foreground())
            check_matte(matte, frame, backdrop)
        except Exception as error:  # noqa: BLE001 - carried to the status
            self._sequence = None
            self._engines.fail(error)
            self._stand_by(Phase.WAITING)
            return
        self._board.step_ms.add(time.perf_counter() - started_s)
        self._sequence, self._stepped = sequence, (generation, frame.index)
        self._board.phase = Phase.RUNNING
        self._done(Picture(matte.composite, PictureKind.COMPOSITE, matte.alpha, matte.foreground, frame))
        now_s = time.perf_counter()
        self._engines.worked(Step(now_s, now_s - started_s, now_s - frame.captured_at_s, self._rate_hz(settings)))

    def _rate_hz(self, settings: Settings) -> float:
        """The rate to hold: what was asked for, or what the source gives if that is less."""
        source = self._board.source
        return min(settings.capture.fps, source.fps) if source is not None and source.fps > 0 else settings.capture.fps

    def _done(self, picture: Picture) -> None:
        self._board.frames_out.tick()
        self._publish(picture)

    def _stand_by(self, phase: Phase) -> None:
        self._sequence = None
        self._board.phase = phase
        self._publish(None)

    def _backdrop(self, frame: Frame, time_s: float) -> Backdrop:
        if self._background is None:
            return FALLBACK_BACKDROP
        try:
            return self._background.backdrop(*frame.size, time_s)
        except Exception as error:  # noqa: BLE001 - carried to the status; the room stays hidden
            self._board.report(Stage.BACKGROUND, error)
            return FALLBACK_BACKDROP

    def _follow_background(self, wanted: BackgroundSettings) -> None:
        self.prepare_background(wanted)
        outcome = self._backgrounds.take()
        if outcome is None:
            return
        if outcome.value is None:
            assert outcome.error is not None
            self._board.report(Stage.BACKGROUND, outcome.error)
            return
        replaced, self._background = self._background, outcome.value
        if outcome.key == wanted:
            self._board.clear(Stage.BACKGROUND)
        if replaced is not None:
            self._backgrounds.retire(replaced)  # a video's end may take longer than a frame


def _framed(whole: Frame, framing: FramingSettings) -> Frame:
    image = framed(whole.image, framing)
    return whole if image is whole.image else replace(whole, image=image, whole=whole.image)


def check_matte(matte: Matte, frame: Frame, backdrop: Backdrop) -> None:
    """Raise ModelError unless the engine's pictures are a matte of this frame before this backdrop.

    Looks at every pixel of a coarse grid: where alpha is 0, the composite must be the backdrop.
    """
    height, width = frame.image.shape[:2]
    fits = matte.composite.shape == (height, width, 3) and matte.alpha.shape == (height, width)
    if not fits or matte.composite.dtype != np.uint8 or matte.alpha.dtype != np.uint8:
        raise ModelError(
            f"The network gave a picture of {matte.composite.shape[1::-1]} for a frame of {(width, height)};"
            " choose another model or executor."
        )
    if np.may_share_memory(matte.composite, frame.image):
        raise ModelError("The network gave the camera's own picture back; choose another model or executor.")
    if isinstance(backdrop, BlurredRoom):
        return
    grid = (slice(None, None, GRID_PX), slice(None, None, GRID_PX))
    off = np.abs(matte.composite[grid].astype(np.int16) - backdrop[grid]).max(axis=2)
    if np.any(off[matte.alpha[grid] == 0] > ROUNDING):
        raise ModelError(
            "The network's picture shows the room where there is nobody; choose another model or executor."
        )


def describe_background(settings: BackgroundSettings) -> str:
    """The background as the command line writes it, such as `blur:50` or a file."""
    if settings.kind == "blur":
        return f"blur:{settings.blur_strength:g}"
    if settings.kind == "colour":
        return settings.colour
    return "none" if settings.kind == "none" else str(settings.path)
