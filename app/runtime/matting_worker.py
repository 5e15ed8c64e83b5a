"""The inference thread: takes frames, publishes composites, or requests the stand-by card."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from app.core.errors import Stage, t
from app.core.geometry import WHOLE_VIEW, cropped
from app.core.settings import Settings
from app.core.types import AlphaImage, Backdrop, Frame, Matte, Picture, PictureKind, magnified
from app.effects.base import FrameContext
from app.effects.table import Effects
from app.matting.choice.governor import StepTiming
from app.privacy.plausibility import MatteCheck, mean_alpha
from app.runtime.backdrops import Backdrops
from app.runtime.capture_worker import DemandWatch
from app.runtime.context import PipelineContext
from app.runtime.engines import EngineSelector, MatteFrame
from app.runtime.status import Phase
from app.runtime.worker import LatestSlot, SlotClosed, Worker


class MattingWorker:
    """Makes a checked composite of each frame that the selector has an engine for. What is public is for any thread."""

    def __init__(
        self,
        context: PipelineContext,
        frames: LatestSlot[Frame | Phase],
        engines: EngineSelector,
        backdrops: Backdrops,
        demand: DemandWatch,
        publish: Callable[[Picture | Phase], None],
    ) -> None:
        """publish: takes a picture, or why the stand-by card is shown."""
        self._context = context
        self._owner, self._board, self._timing = context.owner, context.board, context.timing
        self._frames = frames
        self._engines = engines
        self._backdrops = backdrops
        self._demand = demand
        self._publish = publish
        self.thread = Worker("matting", self._run, Stage.MATTING, frame_path=True)
        self.newest: Frame | None = None
        """The newest frame of the source, also if it is not matted; None while there is no source."""
        self._sequence: tuple[int, int] | None = None
        """Of the last step, as in `MatteFrame`, while frames follow it without a break."""
        self._last_alpha: AlphaImage | None = None
        """Of the last composite, of the whole frame."""
        self._effects = Effects()
        self._editor: Effects | None = None
        """The effects, if any is on."""
        self._prepared: tuple[object, ...] = ()
        """What `_hides` and the effects follow from, besides the frame."""
        self._hides: tuple[object, ...] = ()
        """As in `Picture`."""
        self._published: Settings | None = None
        """Those that the picture published last was made under; None for the stand-by card."""
        self._check = MatteCheck(context.timing.plausibility_hold_s)
        self.view = WHOLE_VIEW
        """The part of the frame that the last composite shows."""
        self.hides_everybody = False
        """Nobody is shown in it, because it is not certain who the selected person is."""

    def _run(self, stop: threading.Event) -> None:
        """Process frames until `stop` is set or the slot is closed."""
        self._backdrops.update(self._owner.current.background)  # it opens beside the source and the engine
        try:
            while not stop.is_set():
                captured_revision = self._board.captured  # before the frame
                try:
                    captured = self._frames.get(self._timing.poll_s)
                except SlotClosed:
                    return
                revision = min(captured_revision, self._owner.revision)
                settings = self._owner.current
                self._backdrops.update(settings.background)
                if captured is None:
                    self._engines.use_built()
                elif isinstance(captured, Phase):
                    self.newest = None
                    self._publish_phase(captured)
                else:
                    self.newest = captured
                    self._process(captured, settings)
                if self._board.matted < revision and self._follows(settings):
                    self._board.matted = revision
        finally:
            self._engines.close_engine()
            self._backdrops.close()

    def _follows(self, settings: Settings) -> bool:
        """Return whether engine, background and the picture published last are those of these settings.

        A frame that is left out leaves the picture before it in the outputs, which may show what is hidden now.
        """
        if self._engines.preparer.pending or self._backdrops.preparer.pending:
            return False
        published = self._published
        return published is None or settings.frozen or published.hides == settings.hides

    def _process(self, frame: Frame, settings: Settings) -> None:
        """Decide what becomes of a frame; without a picture of it the outputs repeat the last one."""
        self._board.size = frame.size
        if not self._backdrops.decided:
            self._backdrops.wait()
        self._engines.request(frame, settings)
        self._engines.use_built()
        if settings.paused or settings.frozen or settings.background.kind == "none":
            self._sequence = None
            if settings.paused:
                self._publish_phase(Phase.PAUSED)
            elif not settings.frozen:
                shown = cropped(frame, settings.framing)
                picture = Picture(shown.image, PictureKind.UNMATTED, frame=shown, hides=settings.hides)
                self._publish_frame(picture, settings)
            return
        decision = self._engines.decide(frame, settings)
        if isinstance(decision, Phase):
            self._sequence = None
            self._publish_phase(decision)
        elif decision is not None and not self._backdrops.decided:
            self._publish_phase(Phase.STARTING)
        elif decision is not None:
            self._matte(decision, frame, settings)

    def _matte(self, decision: MatteFrame, frame: Frame, settings: Settings) -> None:
        started_s = time.perf_counter()
        try:
            picture, still = self._composite(decision, frame, settings)
        except Exception as error:  # noqa: BLE001 - carried to the status
            self._sequence = None
            self._engines.failed(error)
            self._publish_phase(Phase.WAITING)
            return
        self._sequence = decision.sequence
        if picture is None:
            self._publish_phase(Phase.WAITING)
        else:
            self._publish_frame(picture, settings)
        ended_s = time.perf_counter()
        self._board.step_ms.add(ended_s - started_s)
        fps, source = self._owner.current.capture.fps, frame.source
        rate_hz = min(fps, source.fps) if source.fps > 0 else fps
        timing = StepTiming(ended_s, ended_s - started_s, ended_s - frame.captured_at_s, rate_hz, still)
        self._engines.completed(decision, timing)

    def _composite(self, decision: MatteFrame, frame: Frame, settings: Settings) -> tuple[Picture | None, bool]:
        """Return the composite of a frame, None where it is not plausible yet, and whether the network left it out.

        Raises any exception where the engine has failed.
        """
        engine, framing, sequence, size = decision.engine, decision.framing, decision.sequence, frame.size
        backdrop, background = self._backdrops.backdrop(frame, settings.background, time.perf_counter())
        if framing.zoom != 1:
            frame, backdrop = cropped(frame, framing), magnified(backdrop, framing.zoom)
        if sequence != self._sequence:
            continues = self._sequence is not None and self._sequence[0] == frame.generation
            engine.reset(self._last_alpha if continues else None)  # the people of the last frame are still there
            if not continues:
                self._effects.reset()
        prepared = settings, background, framing, sequence, size
        changed = prepared != self._prepared
        if changed:
            self._prepared, self._hides = prepared, settings.hides_in(framing, background)
        if changed or self._editor is not None:
            source = frame.source
            of_frame = FrameContext(
                settings, framing, size, frame.captured_at_s, backdrop, source.id, source.orientation
            )
            self._editor = self._effects.prepare(of_frame)
        matte = self._step(decision, frame, backdrop, settings)
        shown = frame if matte.frame is None else replace(frame, image=matte.frame, whole=frame.image)
        self._check.check(matte, shown, backdrop)
        self_test = partial(self._context.parts.self_test, engine, *size)
        if not self._check.accepts_alpha(mean_alpha(matte.alpha), time.monotonic(), sequence, self_test):
            self._last_alpha = None
            return None, matte.still
        effects = self._effects
        self.hides_everybody = effects.hides_everybody
        self.view = WHOLE_VIEW if matte.frame is None else effects.view  # networks that refine cells show the frame
        self._last_alpha = matte.alpha if effects.alpha is None else (effects.alpha * 255).astype(np.uint8)
        picture = Picture(matte.composite, PictureKind.COMPOSITE, matte.alpha, matte.foreground, shown, self._hides)
        return picture, matte.still

    def _step(self, decision: MatteFrame, frame: Frame, backdrop: Backdrop, settings: Settings) -> Matte:
        """Run the engine; the watchdog reports it where it hangs."""
        engine, gap = decision.engine, self._context.between_steps
        problem = partial(
            t,
            "The model does not respond on {device}; start the program again, or with another device.",
            device=engine.info.device,
        )
        want_foreground = self._demand.want_foreground or settings.output.alpha_output != "off"
        gap.clear()
        try:
            with self.thread.blocking_call(problem, self._timing.step_hang_s):
                return engine.step(
                    frame.image, backdrop, settings.matting.edges, self._editor, want_foreground=want_foreground
                )
        finally:
            gap.set()

    def _publish_phase(self, phase: Phase) -> None:
        """Request the stand-by card."""
        self._published = None
        self._publish(phase)

    def _publish_frame(self, picture: Picture, settings: Settings) -> None:
        """Publish a picture of a new frame, but for those beyond the last one of a limited run."""
        self._published = settings
        if self._board.frames_out.add():
            self._publish(picture)
