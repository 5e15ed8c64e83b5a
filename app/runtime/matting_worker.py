"""The inference thread: takes frames, publishes composites, or requests the stand-by card."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from app.assembly.shaped_step import ShapedStep
from app.core.framing import framed
from app.core.settings import FramingSettings, Settings
from app.core.types import AlphaImage, Backdrop, Frame, Matte, Picture, PictureKind
from app.matting.base import MattingEngine
from app.matting.selection.governor import Step
from app.runtime.backdrops import Backdrops
from app.runtime.board import StatusBoard
from app.runtime.capture_worker import Captured
from app.runtime.engines.decision import PassThrough, Run, StandBy
from app.runtime.engines.plausibility import MatteCheck
from app.runtime.engines.selector import EngineSelector
from app.runtime.outputs.overlay import OverlayPainter
from app.runtime.slot import LatestSlot, SlotClosed
from app.runtime.status import Phase
from app.runtime.timing import Timing
from app.runtime.unchanged import Conditions, UnchangedFrames


class MattingWorker:
    """Mats each frame over the background in use."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        frames: LatestSlot[Captured],
        engines: EngineSelector,
        backdrops: Backdrops,
        overlay: OverlayPainter,
        publish: Callable[[Picture | StandBy], None],
        want_foreground: Callable[[], bool],
        resting: Callable[[], bool],
        self_test: Callable[[MattingEngine, int, int], None],
        board: StatusBoard,
        timing: Timing,
    ) -> None:
        """self_test: as in `Parts`."""
        self._settings = settings
        self._frames = frames
        self._engines = engines
        self._backdrops = backdrops
        self._overlay = overlay
        self._publish = publish
        self._want_foreground = want_foreground
        self._resting = resting
        self._self_test = self_test
        self._board = board
        self._timing = timing
        self._mattes = MatteCheck(timing.plausibility_hold_s)
        self._unchanged = UnchangedFrames()
        self._people = ShapedStep()
        self._last_alpha: AlphaImage | None = None
        """Of the last matte, if it was shown."""
        self.newest: Frame | None = None
        """The newest frame of the source, also if it is not matted; None while there is no source."""

    def run(self, stop: threading.Event) -> None:
        """Process frames until `stop` is set or the slot is closed."""
        try:
            while not stop.is_set():
                try:
                    captured = self._frames.get(self._timing.poll_s)
                except SlotClosed:
                    return
                settings = self._settings()
                self._backdrops.follow(settings.background)
                if captured is not None:
                    self.newest = captured.frame
                if captured is None:
                    self._engines.poll()
                elif captured.frame is None:
                    self._stand_by(StandBy(Phase.RESTING if self._resting() else Phase.WAITING))
                else:
                    self._process(captured.frame, captured.generation, settings)
        finally:
            self._engines.close_engine()
            self._backdrops.close()

    def _process(self, frame: Frame, generation: int, settings: Settings) -> None:
        self._board.size = frame.size
        self._overlay.follow(settings, *frame.size)
        self._board.unmatted = settings.background.kind == "none" and not settings.paused
        decision = self._engines.decide(frame, generation, settings)
        if isinstance(decision, StandBy):
            self._stand_by(decision)
        elif isinstance(decision, PassThrough):
            self._board.phase = Phase.RUNNING
            cropped = _crop(frame, decision.framing)
            self._finish(self._overlay.painted(Picture(cropped.image, PictureKind.UNMATTED, frame=cropped)))
        elif isinstance(decision, Run):
            self._run(decision, _crop(frame, decision.framing), settings)

    def _run(self, run: Run, frame: Frame, settings: Settings) -> None:
        started_s = time.perf_counter()
        try:
            if run.reset:
                self._unchanged.forget()
                run.engine.reset(self._last_alpha if run.continues else None)
                if not run.continues:
                    self._people.forget()
            backdrop = self._backdrops.backdrop(frame, started_s)
            edges, want_foreground = settings.matting.edges, self._want_foreground()
            self._begin_shaping(settings, run.framing, frame)
            shaping = self._people.shapes
            conditions = Conditions(run.sequence, backdrop, edges, want_foreground, shaping, self._overlay.current)
            repeated = self._unchanged.composite(conditions, frame)
            if repeated is not None:
                self._board.phase = Phase.RUNNING
                self._finish(repeated)
                return
            with self._board.turns.step():
                matte = self._people.step(run.engine, frame.image, backdrop, edges, want_foreground)
            if matte.frame is not None:
                whole = frame.image if frame.whole is None else frame.whole
                frame = replace(frame, image=matte.frame, whole=whole if shaping else None)
            plausible = self._check(run, matte, frame, backdrop)
        except Exception as error:  # noqa: BLE001 - carried to the status
            self._unchanged.forget()
            self._engines.failed(error)
            self._stand_by(StandBy(Phase.WAITING))
            return
        self._board.hides_person = self._people.hides_person
        self._board.view = self._people.view
        self._board.step_ms.add(time.perf_counter() - started_s)
        self._last_alpha = self._people.whole_alpha(matte) if plausible else None
        if plausible:
            self._backdrops.watch(self._people.whole_alpha(matte), frame.captured_at_s)
        if plausible:
            self._board.phase = Phase.RUNNING
            # Only now: the check compares the composite with its background, and the overlay draws itself alone.
            picture = self._overlay.paint(
                Picture(matte.composite, PictureKind.COMPOSITE, matte.alpha, matte.foreground, frame)
            )
            self._unchanged.note(conditions, picture)
            self._finish(picture)
        else:
            self._unchanged.forget()
            self._stand_by(StandBy(Phase.WAITING))
        now_s = time.perf_counter()
        self._engines.completed(
            run, Step(now_s, now_s - started_s, now_s - frame.captured_at_s, self._rate_hz(settings))
        )

    def _begin_shaping(self, settings: Settings, framing: FramingSettings, frame: Frame) -> None:
        source = self._board.source
        camera = "" if source is None else source.id
        self._people.begin(settings, framing, frame.size, camera, frame.captured_at_s)
        self._board.keeps_room = self._people.keeps_room

    def _check(self, run: Run, matte: Matte, frame: Frame, backdrop: Backdrop) -> bool:
        """Return whether the matte may be shown; raise ModelError if the engine has failed."""
        return self._mattes.permits(
            matte,
            frame,
            backdrop,
            time.monotonic(),
            run.sequence,
            lambda: self._self_test(run.engine, *frame.size),
            self._people.whole_alpha(matte) if self._people.moves else None,
        )

    def _rate_hz(self, settings: Settings) -> float:
        """Return the frame rate to hold: the requested one, or the source's if that is lower."""
        source = self._board.source
        return min(settings.capture.fps, source.fps) if source is not None and source.fps > 0 else settings.capture.fps

    def _finish(self, picture: Picture) -> None:
        self._board.frames_out.tick()
        self._publish(picture)

    def _stand_by(self, request: StandBy) -> None:
        self._board.phase = request.reason
        self._publish(request)


def _crop(frame: Frame, framing: FramingSettings) -> Frame:
    image = framed(frame.image, framing)
    return frame if image is frame.image else replace(frame, image=image, whole=frame.image)
