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
from app.core.settings import BackgroundSettings, EdgeSettings, Settings
from app.core.types import (
    AlphaImage,
    Backdrop,
    BgrImage,
    BlurredBackground,
    Frame,
    Matte,
    Picture,
    PictureKind,
    magnified,
)
from app.effects.base import FrameContext
from app.effects.table import Effects
from app.matting.base.interface import MattingEngine
from app.matting.choice.governor import StepTiming
from app.privacy.plausibility import MatteCheck, mean_alpha
from app.runtime.backdrops import Backdrops
from app.runtime.capture_worker import DemandWatch
from app.runtime.context import PipelineContext
from app.runtime.engines import EngineSelector, MatteFrame, PassThrough
from app.runtime.status import Phase, StandBy
from app.runtime.worker import LatestSlot, SlotClosed, Worker

SETTLED_STEPS = 30
"""Steps after a reset until the recurrent state has settled; before, even equal frames improve the matte."""
SAMPLED_ROWS = 128
"""Every 128th row is compared first, which tells nearly all frames of a camera apart."""


class MattingWorker:
    """Decides with the selector what becomes of each frame, and publishes it. What is public is for any thread."""

    def __init__(
        self,
        context: PipelineContext,
        frames: LatestSlot[Frame | StandBy],
        engines: EngineSelector,
        backdrops: Backdrops,
        demand: DemandWatch,
        publish: Callable[[Picture | StandBy], None],
    ) -> None:
        self._owner, self._board, self._timing = context.owner, context.board, context.timing
        self._frames = frames
        self._engines = engines
        self._backdrops = backdrops
        self._demand = demand
        self._publish = publish
        self.thread = Worker("matting", self._run, Stage.MATTING, frame_path=True)
        self.step = FrameStep(context, self.thread)
        self.newest: Frame | None = None
        """The newest frame of the source, also if it is not matted; None while there is no source."""

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
                if captured is not None:
                    self.newest = captured if isinstance(captured, Frame) else None
                if captured is None:
                    self._engines.use_built()
                elif isinstance(captured, StandBy):
                    self._publish(captured)
                else:
                    self._process(captured, settings)
                if self._board.matted < revision and not (
                    self._engines.preparer.pending or self._backdrops.preparer.pending
                ):
                    self._board.matted = revision
        finally:
            self._engines.close_engine()
            self._backdrops.close()

    def _process(self, frame: Frame, settings: Settings) -> None:
        self._board.size = frame.size
        if not self._backdrops.decided:
            self._backdrops.wait()
        self._engines.request(frame, settings)
        self._engines.use_built()
        decision = self._engines.decide(frame, settings)
        if not self._backdrops.decided and isinstance(decision, MatteFrame):
            decision = StandBy(Phase.STARTING)
        if isinstance(decision, StandBy):
            self._publish(decision)
        elif isinstance(decision, PassThrough):
            shown = cropped(frame, settings.framing)
            self._publish_frame(Picture(shown.image, PictureKind.UNMATTED, frame=shown, hides=settings.hides))
        elif isinstance(decision, MatteFrame):
            zoomed = decision.framing.zoom != 1
            self._matte(decision, cropped(frame, decision.framing) if zoomed else frame, settings)

    def _matte(self, decision: MatteFrame, frame: Frame, settings: Settings) -> None:
        started_s = time.perf_counter()
        step = self.step
        try:
            backdrop, background = self._backdrops.backdrop(frame, settings.background, started_s)
            picture = step.composite(
                decision, frame, settings, backdrop, background, want_foreground=self._demand.want_foreground
            )
        except Exception as error:  # noqa: BLE001 - carried to the status
            step.forget()
            self._engines.failed(error)
            self._publish(StandBy(Phase.WAITING))
            return
        if picture is None:
            self._publish(StandBy(Phase.WAITING))
        else:
            self._publish_frame(picture)
        if step.matte is None:  # the last composite again
            return
        ended_s = time.perf_counter()
        self._board.step_ms.add(ended_s - started_s)
        fps, source = self._owner.current.capture.fps, frame.source
        rate_hz = min(fps, source.fps) if source is not None and source.fps > 0 else fps
        timing = StepTiming(ended_s, ended_s - started_s, ended_s - frame.captured_at_s, rate_hz, step.matte.still)
        self._engines.completed(decision, timing)

    def _publish_frame(self, picture: Picture) -> None:
        """Publish a picture of a new frame, but for those beyond the last one of a limited run."""
        if self._board.frames_out.add():
            self._publish(picture)


class FrameStep:
    """Makes a checked composite of a frame: owns reset, effects, repetition and self-test. For the inference thread.

    Frames that equal the last one, of a still video or a source that repeats frames, get the last composite.
    """

    def __init__(self, context: PipelineContext, thread: Worker) -> None:
        """thread: on which it runs, which reports an engine that hangs."""
        self._context, self._thread = context, thread
        self._effects = Effects()
        self._editor: Effects | None = None
        """The effects, if any is on."""
        self._check = MatteCheck(context.timing.plausibility_hold_s)
        self._made_under: tuple[object, ...] = ()
        """What the last composite depends on besides frame and backdrop."""
        self._hides: tuple[object, ...] = ()
        """As in `Picture`."""
        self._last: tuple[Picture, Backdrop] | None = None
        """The last composite, if it was shown, and what is behind the person."""
        self._last_alpha: AlphaImage | None = None
        """Of it, of the whole frame."""
        self._steps = 0
        """Since the last reset."""
        self.matte: Matte | None = None
        """Of the last frame; None if its composite is the one before."""
        self.view = WHOLE_VIEW
        """The part of the frame that its composite shows."""
        self.hides_everybody = False
        """Nobody is shown in it, because it is not certain who the selected person is."""

    def composite(
        self,
        decision: MatteFrame,
        frame: Frame,
        settings: Settings,
        backdrop: Backdrop,
        background: BackgroundSettings,
        *,
        want_foreground: bool,
    ) -> Picture | None:
        """Return the composite of a frame; None where it is not plausible yet.

        backdrop: what is behind the person. background: its settings. Raises any exception where the engine has failed.
        """
        self.matte = None
        if decision.reset:
            self.forget()
            decision.engine.reset(self._last_alpha if decision.continues else None)
            if not decision.continues:
                self._effects.reset()
        if decision.framing.zoom != 1:
            backdrop = magnified(backdrop, decision.framing.zoom)
        made_under = settings, background, decision.framing, decision.sequence, frame.size, want_foreground
        changed = made_under != self._made_under
        if changed:
            self._made_under, self._hides = made_under, settings.hides_in(decision.framing, background)
        if changed or self._editor is not None:
            self._editor = self._effects.prepare(
                FrameContext(
                    settings,
                    decision.framing,
                    frame.size,
                    frame.captured_at_s,
                    backdrop,
                    frame.camera,
                    frame.orientation,
                )
            )
        if not changed and (repeated := self._repeated(frame, backdrop)) is not None:
            return repeated
        wants_foreground = want_foreground or settings.output.alpha_output != "off"
        self.matte = matte = self._run_engine(
            decision.engine, frame, backdrop, settings.matting.edges, wants_foreground
        )
        shown, size = frame, frame.size
        if matte.frame is not None:
            shown = replace(frame, image=matte.frame, whole=frame.image)
        self_test = partial(self._context.parts.self_test, decision.engine, *size)
        self._check.check(matte, shown, backdrop)
        if not self._check.accepts_alpha(mean_alpha(matte.alpha), time.monotonic(), decision.sequence, self_test):
            self.forget()
            self._last_alpha = None
            return None
        picture = Picture(matte.composite, PictureKind.COMPOSITE, matte.alpha, matte.foreground, shown, self._hides)
        effects = self._effects
        self.hides_everybody = effects.hides_everybody
        self.view = WHOLE_VIEW if matte.frame is None else effects.view  # networks that refine cells show the frame
        self._last_alpha = matte.alpha if effects.alpha is None else (effects.alpha * 255).astype(np.uint8)
        self._last, self._steps = (picture, backdrop), self._steps + 1
        return picture

    def forget(self) -> None:
        """Forget the last composite: the engine has failed, or its state is another one."""
        self._last, self._steps = None, 0

    def _repeated(self, frame: Frame, backdrop: Backdrop) -> Picture | None:
        """Return the last composite, made under the same settings, if it also fits this frame, else None."""
        if self._last is None or self._steps < SETTLED_STEPS or (self._editor is not None and self._editor.moves):
            return None
        picture, last = self._last
        blurred = isinstance(backdrop, BlurredBackground) and isinstance(last, BlurredBackground)
        if backdrop is not last and not (blurred and backdrop == last):
            return None
        # The output clock drops composites of frames from before a suspension.
        if picture.frame is None or picture.frame.captured_at_s < self._context.board.resumed_s:
            return None
        return picture if same_image(frame.image, picture.frame.image) else None

    def _run_engine(
        self, engine: MattingEngine, frame: Frame, backdrop: Backdrop, edges: EdgeSettings, want_foreground: bool
    ) -> Matte:
        """Run the engine; the watchdog reports it where it hangs."""
        device = engine.info.device
        self._context.between_steps.clear()
        try:
            with self._thread.blocking_call(
                partial(
                    t,
                    "The model does not respond on {device}; start the program again, or with another device.",
                    device=device,
                ),
                self._context.timing.step_hang_s,
            ):
                return engine.step(frame.image, backdrop, edges, self._editor, want_foreground=want_foreground)
        finally:
            self._context.between_steps.set()


def same_image(image: BgrImage, other: BgrImage) -> bool:
    """Return whether both images are equal."""
    if image.shape != other.shape:
        return False
    return np.array_equal(image[::SAMPLED_ROWS], other[::SAMPLED_ROWS]) and np.array_equal(image, other)
