"""The inference thread: takes frames, publishes composites, or requests the stand-by card."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

from app.core.errors import Remedy, Stage, Text, t
from app.core.geometry import cropped
from app.core.types import Frame, Picture, PictureKind
from app.core.worker import LatestSlot, SlotClosed, Worker
from app.matting.choice.governor import MeasuredStep
from app.matting.interface import MattingEngine
from app.runtime.backdrops import Backdrops
from app.runtime.capture_worker import DemandWatch
from app.runtime.context import PipelineContext
from app.runtime.engines import EngineSelector, MatteFrame
from app.runtime.status import Phase
from app.settings import Settings
from app.stream import Stream


class MattingWorker:
    """Decides when a frame is matted, and publishes what its stream makes of it.

    What is public is for any thread.
    """

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
        self._frames = frames
        self._engines = engines
        self._backdrops = backdrops
        self._demand = demand
        self._publish = publish
        self.thread = Worker(
            "matting",
            self._run,
            Stage.MATTING,
            frame_path=True,
            late_remedy=Remedy.NOTHING,
        )
        self.stream = Stream(context.parts.self_test, hold_s=context.timing.plausibility_hold_s)
        # The newest frame of the source, also if it is not matted; None while there is no source.
        self.newest: Frame | None = None
        # The settings of the picture published last; None for the stand-by card.
        self._published_under: Settings | None = None

    def _run(self, stop: threading.Event) -> None:
        """Process frames until `stop` is set or the slot is closed."""
        owner = self._context.owner
        board = self._context.board
        # It opens beside the source and the engine.
        self._backdrops.update(owner.current.background)
        try:
            while not stop.is_set():
                # Before the frame, which may be under newer settings, but not under older ones.
                captured_revision = board.captured
                try:
                    captured = self._frames.get(self._context.timing.poll_s)
                except SlotClosed:
                    return
                revision = min(captured_revision, owner.revision)
                settings = owner.current
                self._backdrops.update(settings.background)
                if captured is None:
                    self._engines.use_built()
                elif isinstance(captured, Phase):
                    self.newest = None
                    self._publish_phase(captured)
                else:
                    self.newest = captured
                    self._process(captured, settings)
                if board.matted < revision and self._follows(settings):
                    board.matted = revision
        finally:
            self.stream.use(None)
            self._engines.close_engine()
            self._backdrops.close()

    def _follows(self, settings: Settings) -> bool:
        """Return whether engine, background and the picture published last are those of these
        settings.

        A frame that is left out leaves the picture before it in the outputs, which may show what is
        hidden now.
        """
        if self._engines.builder.pending or self._backdrops.pending:
            return False
        published_under = self._published_under
        return published_under is None or settings.frozen or published_under.hides == settings.hides

    def _process(self, frame: Frame, settings: Settings) -> None:
        """Decide what becomes of a frame.

        Without a picture of it the outputs repeat the last one.
        """
        self._context.board.size = frame.size
        if not self._backdrops.decided:
            self._backdrops.wait()
        self._engines.request(frame, settings)
        if settings.paused or settings.frozen or settings.background.kind == "none":
            self.stream.restart()
            if settings.paused:
                self._publish_phase(Phase.PAUSED)
            elif not settings.frozen:
                shown = cropped(frame, settings.framing)
                picture = Picture(
                    shown.image,
                    PictureKind.UNMATTED,
                    frame=shown,
                    hides=settings.hides,
                )
                self._publish_frame(picture, settings)
            return
        decision = self._engines.decide(frame, settings)
        if isinstance(decision, Phase):
            self.stream.restart()
            self._publish_phase(decision)
        elif decision is not None and not self._backdrops.decided:
            self._publish_phase(Phase.STARTING)
        elif decision is not None:
            self._matte(decision, frame, settings)

    def _matte(self, decision: MatteFrame, frame: Frame, settings: Settings) -> None:
        started_s = time.perf_counter()
        try:
            picture = self._step(decision, frame, settings)
        except Exception as error:  # noqa: BLE001 - carried to the status
            self.stream.use(None)
            self._engines.failed(error)
            self._publish_phase(Phase.WAITING)
            return
        if picture is None:
            self._publish_phase(Phase.WAITING)
        else:
            self._publish_frame(picture, settings)
        ended_s = time.perf_counter()
        step_s = ended_s - started_s
        self._context.board.step_ms.add(step_s)
        rate_hz = self._context.owner.current.capture.fps
        if frame.source.fps > 0:
            rate_hz = min(rate_hz, frame.source.fps)
        latency_s = ended_s - frame.captured_at_s
        network_rested = self.stream.matte is not None and self.stream.matte.still
        self._engines.completed(
            decision,
            MeasuredStep(ended_s, step_s, latency_s, rate_hz, network_rested),
        )

    def _step(self, decision: MatteFrame, frame: Frame, settings: Settings) -> Picture | None:
        """Return the picture of a frame, None where it is not plausible yet.

        Raises what the engine raises.
        """
        backdrop, background = self._backdrops.backdrop(
            frame,
            settings.background,
            time.perf_counter(),
        )
        if decision.framing is not settings.framing or background is not settings.background:
            # In use while others are being prepared; both were validated when they were set.
            in_use = {"framing": decision.framing, "background": background}
            settings = settings.model_copy(update=in_use)
        self.stream.use(decision.engine)
        want_foreground = self._demand.want_foreground or settings.output.alpha_output != "off"
        # Work that can wait is held back until the end of the step.
        between_steps = self._context.between_steps
        between_steps.clear()
        hang_s = self._context.timing.step_hang_s
        try:
            with self.thread.blocking_call(partial(_hangs, decision.engine), hang_s):
                return self.stream.step(frame, settings, backdrop, want_foreground=want_foreground)
        finally:
            between_steps.set()

    def _publish_phase(self, phase: Phase) -> None:
        """Request the stand-by card."""
        self._published_under = None
        self._publish(phase)

    def _publish_frame(self, picture: Picture, settings: Settings) -> None:
        """Publish a picture of a new frame, but for those beyond the last one of a limited run."""
        self._published_under = settings
        if self._context.board.frames_out.add():
            self._publish(picture)


def _hangs(engine: MattingEngine) -> Text:
    """Return what to tell the user of an engine whose step does not end."""
    return t(
        "The model does not respond on {device}; start the program again, or with another device.",
        device=engine.info.device,
    )
