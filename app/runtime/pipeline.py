"""The running program: the one file that wires the parts.

    capture thread ──frames──► inference thread ──pictures──► output clock ──► a thread per sink
                                    │                                          (virtual camera, recordings)
                                    └──preview──► whoever listens (the window)

`Settings` go in through `change`, `PipelineStatus` comes out of `status`; both are immutable.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.compositing.base import Background
from app.core.settings import PLATE_MODELS, BackgroundSettings, Settings
from app.core.types import Picture, PictureKind
from app.output.base import CameraSink, FrameSink
from app.runtime.board import StatusBoard
from app.runtime.capture_worker import Captured, CaptureWorker
from app.runtime.demand import DemandWatch
from app.runtime.engine_supply import EngineSupply
from app.runtime.matting_worker import MattingWorker
from app.runtime.output_clock import OutputClock
from app.runtime.parts import Parts, default_parts
from app.runtime.prepare import Preparer
from app.runtime.settings_owner import SettingsOwner
from app.runtime.sink_worker import SinkPlan, SinkWorker
from app.runtime.slot import LatestSlot
from app.runtime.standby_pictures import StandbyPictures
from app.runtime.status import PipelineStatus, Stage
from app.runtime.worker import Worker

CAMERA_RETRY_S = 2.0


class Pipeline:
    """Source → matting → outputs, running on its own threads. `change`, `status` and `stop` may be called from any."""

    def __init__(self, settings: Settings, *, parts: Parts | None = None) -> None:
        self._parts = parts or default_parts()
        self._owner = SettingsOwner(settings)
        self._board = StatusBoard()
        self._listener: Callable[[], None] = lambda: None
        self._final: PipelineStatus | None = None
        self.watched = False
        """Whether somebody looks at the preview; otherwise the camera may be released until a program reads it."""
        self.want_foreground = False
        """Whether preview pictures carry the foreground image; it costs time, so only where someone looks."""
        self.preview: LatestSlot[Picture] = LatestSlot()
        self._frames: LatestSlot[Captured] = LatestSlot()
        self._pictures: LatestSlot[Picture] = LatestSlot()
        self._standby = StandbyPictures(self._board)
        self._engines = EngineSupply(self._parts.build_engine, self._board)
        self._backgrounds: Preparer[BackgroundSettings, Background] = Preparer(
            "background-opener", self._parts.open_background, lambda background: background.close()
        )
        self._demand = DemandWatch(
            self._wanted, lambda: self._board.virtual_camera, self._parts.watch_readers, lambda: self._capture.wake()
        )
        self._capture = CaptureWorker(
            self._parts.open_source,
            lambda: self.settings.capture,
            self._frames,
            self._board,
            lambda: self._demand.resting,
            self._compares,
        )
        self._matting = MattingWorker(
            lambda: self.settings,
            self._frames,
            self._engines,
            self._backgrounds,
            self._publish,
            lambda: self.want_foreground,
            lambda: self._demand.resting,
            self._board,
        )
        self._sinks: list[SinkWorker[Any, Any]] = [
            self._virtual_camera(),
            self._recorder(alpha=False),
            self._recorder(alpha=True),
        ]
        clock = OutputClock(lambda: self.settings, self._pictures, self._standby, self._sinks, self._board)
        self._owner.listen(self._settings_changed)
        self._capture_thread = Worker("capture", self._capture.run, self._crashed(Stage.CAPTURE))
        self._matting_thread = Worker("matting", self._matting.run, self._crashed(Stage.MATTING), behind=True)
        self._clock_thread = Worker("output-clock", clock.run, self._crashed(Stage.OUTPUT))
        self._demand_thread = Worker("demand", self._demand.run)
        self._sink_threads = [Worker(f"sink-{n}", sink.run) for n, sink in enumerate(self._sinks)]

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._owner.current

    def start(self) -> None:
        """Start every thread; returns at once."""
        self._board.begin()
        self._engines.start()
        self._backgrounds.start()
        for thread in [*self._sink_threads, self._clock_thread, self._matting_thread, self._capture_thread]:
            thread.start()
        self._demand_thread.start()

    def change(self, update: Callable[[Settings], Settings]) -> Settings:
        """Replace the settings atomically by `update` of those in force; return the new ones (any thread).

        They are in force at once: a picture that they forbid no longer leaves. What cannot be switched keeps running,
        and the status tells why. `update` must be short; an error that it raises changes nothing.
        """
        return self._owner.change(update)

    def set_paused(self, paused: bool) -> Settings:
        """Pause or resume the outputs and return the settings in force (any thread)."""
        return self.change(lambda settings: settings.replace(paused=paused))

    def apply(self, settings: Settings) -> None:
        """Replace all settings. Use `change` where anything else may change settings as well."""
        self._owner.change(lambda _: settings)

    def listen_settings(self, callback: Callable[[], None]) -> None:
        """Call `callback` after every change of `settings`, on the thread that made it."""
        self._owner.listen(callback)

    def listen(self, callback: Callable[[], None]) -> None:
        """Have `callback` called on the inference thread whenever a new picture lies in `preview`."""
        self._listener = callback

    def retry(self) -> None:
        """Try again now what failed."""
        self._capture.retry()
        self._engines.retry()

    def status(self) -> PipelineStatus:
        """What is going on; after `stop` what was going on before it, and the final counts."""
        if self._final is not None:
            return self._final
        busy = "the model" if self._engines.busy else "the background" if self._backgrounds.busy else ""
        return self._board.read(busy=busy, readers=self._demand.readers, frames_dropped=self._frames.dropped)

    def stop(self, timeout_s: float = 15.0) -> bool:
        """End every thread, close every device, finish every recording; False if a thread did not end in time."""
        running = self.status()
        deadline_s = time.monotonic() + timeout_s
        self._capture_thread.request_stop()
        self._capture.wake()
        self._matting_thread.request_stop()
        self._frames.close()
        self._engines.request_stop()
        self._backgrounds.request_stop()
        self._clock_thread.request_stop()
        self._pictures.close()
        self._demand_thread.request_stop()
        ended = self._clock_thread.join(deadline_s - time.monotonic())
        for sink in self._sinks:
            sink.finish()
        waits: list[Callable[[float], bool]] = [
            *(thread.join for thread in self._sink_threads),
            self._capture_thread.join,
            self._demand_thread.join,
            self._matting_thread.join,
            self._engines.join,
            self._backgrounds.join,
        ]
        for join in waits:
            ended = join(deadline_s - time.monotonic()) and ended
        self.preview.close()
        self._board.end()
        # Engine, source and sinks are gone by now; that they ran is part of the result.
        ending = self._final or self.status()
        self._final = replace(
            ending,
            source=running.source,
            engine=running.engine,
            virtual_camera=running.virtual_camera,
            recording=running.recording,
            fps_in=running.fps_in,
            fps_out=running.fps_out,
        )
        return ended

    def _settings_changed(self) -> None:
        self._matting.prepare_background(self.settings.background)
        self._capture.wake()

    def _publish(self, picture: Picture | None) -> None:
        """Called on the inference thread; None asks for the stand-by card."""
        if picture is None:
            settings = self.settings
            width, height = self._board.size
            if not width:
                width, height = settings.capture.width, settings.capture.height
            picture = self._standby.picture(settings.output, width, height)
        self._pictures.put(picture)
        self.preview.put(picture)
        self._listener()

    def _wanted(self) -> bool:
        """Whether someone else than a reader of the virtual camera wants pictures."""
        output = self.settings.output
        return (
            not output.on_demand
            or self.watched
            or output.record is not None
            or output.record_alpha is not None
            or self._capture.kind != "camera"
        )

    def _compares(self) -> bool:
        """Whether frames are compared with a plate, so that the camera had better hold its light."""
        engine = self._board.engine
        return engine is not None and engine.model in PLATE_MODELS

    def _crashed(self, stage: Stage) -> Callable[[Exception], None]:
        return lambda error: self._board.report(
            stage, f"The {stage.value} thread failed: {error}; start the program again."
        )

    def _virtual_camera(self) -> SinkWorker[str, CameraSink]:
        def wanted() -> str | None:
            device = self.settings.output.virtual_camera
            return None if device == "off" else device

        def open_camera(device: str, picture: Picture) -> CameraSink:
            return self._parts.open_virtual_camera(device, *picture.size, self.settings.capture.fps)

        def opened(camera: CameraSink | None) -> None:
            self._board.virtual_camera = camera.device if camera else None

        plan = SinkPlan(
            Stage.VIRTUAL_CAMERA, wanted, open_camera, CAMERA_RETRY_S, lambda device: device == "auto", opened
        )
        return SinkWorker(plan, self._board)

    def _recorder(self, *, alpha: bool) -> SinkWorker[Path, FrameSink]:
        def wanted() -> Path | None:
            output = self.settings.output
            return output.record_alpha if alpha else output.record

        def open_file(path: Path, picture: Picture) -> FrameSink:
            return self._parts.open_recorder(path, *picture.size, self.settings.capture.fps, alpha)

        def opened(recorder: FrameSink | None) -> None:
            if not alpha:
                self._board.recording = recorder.name if recorder else None

        def passes(picture: Picture) -> bool:
            # Nobody wants to watch the program start: a recording begins with the first matte.
            return picture.kind is not PictureKind.STANDBY or self._board.frames_out.count > 0

        plan = SinkPlan(Stage.RECORDING, wanted, open_file, None, lambda path: False, opened, passes)
        return SinkWorker(plan, self._board)
