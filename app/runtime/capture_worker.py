"""The capture thread: opens, reads and closes the source; and whether anybody needs its frames."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from app.capture.base import FrameSource
from app.core.declaration import opens_alike
from app.core.errors import CameraAbsentError, Remedy, SourceLostError, Stage, t
from app.core.files import no_answer
from app.core.settings import CaptureSettings
from app.core.types import UNTURNED, Frame, Orientation, SourceInfo
from app.core.worker import FILE_LIMIT_S, LatestSlot, Reaching, Worker
from app.output.base import FrameSink, ReaderCounter
from app.runtime.context import PipelineContext
from app.runtime.engines import EngineSelector
from app.runtime.outputs import SinkWorker
from app.runtime.status import Phase

_log = logging.getLogger(__name__)
FIRST_WAIT_S = 0.1
"""How long frames may wait for the disk of another source: most answer at once."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What the preview of the window needs; by default it is hidden."""

    visible: bool = False
    with_foreground: bool = False


class DemandWatch:
    """Counts readers on its own thread. What is public is for any thread."""

    def __init__(self, context: PipelineContext, sinks: Sequence[SinkWorker]) -> None:
        """Without an open camera among the sinks, or if its readers cannot be counted, `resting` stays False."""
        self._context = context
        self._cameras = [sink for sink in sinks if sink.spec.waits_for_readers]
        self._others = [sink for sink in sinks if sink not in self._cameras]
        self.on_change: Callable[[], None] = lambda: None
        """Called when `resting` or `watched` has changed; set before the start."""
        self.thread = Worker("demand", self._run, Stage.VIRTUAL_CAMERA)
        self._preview = Preview()
        self._plate_takers: frozenset[str] = frozenset()
        self._changing_takers = threading.Lock()
        self._watched_device: str | None = None
        self._counter: ReaderCounter | None = None
        self._last_demand_s = time.monotonic()
        self.resting = False
        """Whether nobody needs frames."""
        self._state = False, False
        """`resting` and `watched` when they were last looked at."""
        self.readers: int | None = None
        """The number of programs that read the cameras among the sinks; None if unknown."""

    @property
    def watched(self) -> bool:
        """Whether the preview is visible."""
        return self._preview.visible

    @property
    def want_foreground(self) -> bool:
        """Whether preview pictures carry the foreground image, which costs time."""
        return self._preview.with_foreground

    def show_preview(self, preview: Preview) -> None:
        """Say what the preview shows from now on; the window alone has one."""
        self._preview = preview

    @property
    def takes_plate(self) -> bool:
        """Whether a plate is being taken: the camera stays on and holds its exposure."""
        return bool(self._plate_takers)

    def begin_plate(self, taker: str) -> None:
        """Keep the camera on, with its exposure, until `end_plate` of this taker and of every other one."""
        with self._changing_takers:
            self._plate_takers |= {taker}

    def end_plate(self, taker: str) -> None:
        """Release what `begin_plate` holds for this taker; one that holds nothing releases nothing."""
        with self._changing_takers:
            self._plate_takers -= {taker}

    def _run(self, stop: threading.Event) -> None:
        """Count until `stop` is set."""
        try:
            while not stop.wait(self._context.timing.demand_poll_s):
                self._check()
        finally:
            self._watch(None)

    def _check(self) -> None:
        cameras = [sink for worker in self._cameras if (sink := worker.sink) is not None]
        self._watch(next((camera.device for camera in cameras if camera.device is not None), None))
        self.readers = self._count(cameras)
        now_s = time.monotonic()
        always = self.watched or self.takes_plate or not self._context.owner.current.output.on_demand
        if always or self.readers != 0 or any(sink.wanted is not None for sink in self._others):
            self._last_demand_s = now_s
        self.resting = now_s - self._last_demand_s > self._context.timing.demand_linger_s
        state = self.resting, self.watched
        if state != self._state:
            self._state = state
            self.on_change()

    def _count(self, cameras: Sequence[FrameSink]) -> int | None:
        """Return the number of readers of all cameras; None without a camera, or if one cannot tell."""
        counts = [count for camera in cameras if (count := camera.readers) is not None]
        if self._counter is None:
            return sum(counts) if counts else None
        reading = self._counter.readers()
        return None if reading is None else len(reading) + sum(counts)

    def _watch(self, device: str | None) -> None:
        if device == self._watched_device:
            return
        self._watched_device = device
        if self._counter is not None:
            self._counter.close()
        self._counter = None if device is None else self._context.parts.watch_readers(device)


class SourceFile:
    """The file of the wanted source, whose disk may not answer. The source in use is read until it does."""

    def __init__(self, context: PipelineContext, on_answer: Callable[[], None]) -> None:
        """on_answer: called on any thread."""
        self._file_of = context.parts.source_file
        self._board = context.board
        self._on_answer = on_answer
        self._reaching = Reaching()
        self._file: Path | None = None
        """The file that was asked for last."""
        self._answer: Future[None] | None = None
        """None while no answer is awaited."""
        self._late_at_s = 0.0
        """When it is to be named, by time.monotonic()."""
        self._is_named = False
        """Whether the status names it."""

    @property
    def is_undecided(self) -> bool:
        """Whether the file has neither answered nor been named in the status."""
        return self._answer is not None and not self._is_named

    def answers(self, source: str) -> bool:
        """Return whether a source can be opened now, as far as its file is concerned."""
        file = self._file_of(source)
        if self._answer is None or file != self._file:
            self.forget()
            self._ask(file)
        if self._answer is None or self._answer.done():
            self.forget()
            return True
        if file is not None and not self._is_named and time.monotonic() >= self._late_at_s:
            self._board.report(Stage.CAPTURE, no_answer(file), self, remedy=Remedy.SOURCE)
            self._is_named = True
        return False

    def forget(self) -> None:
        """Await no answer any more."""
        self._answer = None
        if self._is_named:
            self._is_named = False
            self._board.report(Stage.CAPTURE, None, self)

    def _ask(self, file: Path | None) -> None:
        self._file = file
        if file is not None:
            self._late_at_s = time.monotonic() + FILE_LIMIT_S
            self._answer = self._reaching.start(file)
            wait([self._answer], FIRST_WAIT_S)
            self._answer.add_done_callback(lambda _answer: self._on_answer())


class CaptureWorker:
    """Follows the capture settings; if a switch fails, the source in use stays open.

    What is public is for any thread.
    """

    def __init__(
        self,
        context: PipelineContext,
        frames: LatestSlot[Frame | Phase],
        demand: DemandWatch,
        engines: EngineSelector,
    ) -> None:
        """engines: tell which frames they skip, and whether the camera must hold its exposure."""
        self._owner, self._parts = context.owner, context.parts
        self._timing, self._board = context.timing, context.board
        self._frames = frames
        self._demand = demand
        self._engines = engines
        self._wake = threading.Event()
        self._source: FrameSource | None = None
        self._running: CaptureSettings | None = None
        """The settings the open source was opened with."""
        self._tried: CaptureSettings | None = None
        """The settings tried last; they are not tried again while another source runs."""
        self.no_camera = False
        """The source opened last, if any, only stands in for a camera that is not there."""
        self._look_again_s = 0.0
        """time.perf_counter() at which a camera is looked for again while the demonstration stands in for it."""
        self._kind = ""
        """The kind of the source opened last, as in `SourceInfo`."""
        self.info: SourceInfo | None = None
        """Of the open source."""
        self._orientation = UNTURNED
        """Of the last frame."""
        self._turned_for: CaptureSettings | None = None
        """The settings that it follows from."""
        self._generation = 0
        self._last_frame_s = 0.0
        self._read_at_s = 0.0
        """While paused, frames before this time of time.perf_counter() are skipped."""
        self._next_index = 0
        """Of the next frame."""
        self._file = SourceFile(context, self.wake)
        self.thread = Worker("capture", self._run, Stage.CAPTURE, frame_path=True)
        demand.on_change = self.wake

    def wake(self) -> None:
        """Read the settings now instead of after the next wait, and the next frame even if paused."""
        self._read_at_s = 0.0
        self._wake.set()

    def retry(self) -> None:
        """Try the wanted source again even if it failed before. A camera that works is not interrupted."""
        if self._kind != "camera" or self._running is not self._tried:
            self._tried = None
        self.wake()

    def _run(self, stop: threading.Event) -> None:
        """Read frames until `stop` is set."""
        try:
            while not stop.is_set():
                revision = self._owner.revision
                if revision != self._board.captured:
                    self._read_at_s = 0.0  # the next frame is read, also before `wake` is called
                reads = self._read_or_open_wanted()
                if not self._file.is_undecided:
                    self._board.captured = revision
                if not reads:
                    self._wake.wait(self._timing.source_retry_s)
                    self._wake.clear()
        finally:
            self._close()

    def _read_or_open_wanted(self) -> bool:
        """Open, read or release the source as the settings ask; return whether to go on at once."""
        if self._demand.resting and self._kind == "camera":
            if self._source is not None:
                self._close()
                self._frames.put(Phase.RESTING)
            return False
        settings = self._owner.current.capture
        looks = self.no_camera and time.perf_counter() >= self._look_again_s
        is_other = not (settings is self._tried or opens_alike(settings, self._tried))
        if not (self._source is None or looks or is_other):
            self._file.forget()
        elif self._file.answers(settings.source):
            self._open_wanted(settings)
        if self._source is None:
            return False
        held = self._demand.takes_plate or self._engines.compares_with_plate
        self._read(hold_exposure=settings.lock_exposure or held)
        return self._next_index > 0 or self._source is not None  # a source that gave no frame is opened again later

    def _open_wanted(self, wanted: CaptureSettings) -> None:
        previous = self._running
        self._tried = wanted
        if self._source is not None and self._source.info.kind == "camera":
            # A camera can be opened only once, and the wanted one may be the same at another size.
            self._close()
        try:
            source = self._open(wanted)
        except Exception as error:  # noqa: BLE001 - carried to the status
            self._handle_failure(error, wanted, previous)
            return
        self._close()
        self._board.report(Stage.CAPTURE, None)  # a missing camera, before `no_camera` is over
        self._set_source(source, wanted)

    def _handle_failure(self, error: Exception, wanted: CaptureSettings, previous: CaptureSettings | None) -> None:
        """Note that the wanted source does not open; the one in use stays, unless the wanted one is any camera."""
        stands_in, absent = self.no_camera, isinstance(error, CameraAbsentError)
        if absent and wanted.source == "auto":
            if self._demand.watched and self._shows_demonstration(wanted):
                return
            self._close()
            previous = None
        elif stands_in:
            self._close()
        self.no_camera = absent and self._source is None  # before the report: a run without a window ends by it alone
        self._board.report(Stage.CAPTURE, error)
        if self._source is not None:
            return
        if previous is not None and not opens_alike(wanted, previous):
            try:
                self._set_source(self._open(previous), previous)
                return
            except Exception as other:  # noqa: BLE001 - carried to the status
                self._board.report(Stage.CAPTURE, other)
        self._frames.put(Phase.WAITING)

    def _shows_demonstration(self, wanted: CaptureSettings) -> bool:
        """Show the demonstration in the preview while there is no camera; the gate keeps it from the outputs."""
        if self._source is None or not self.no_camera:
            try:
                demonstration = self._open(wanted.replace(source="demo"))
            except Exception as error:  # noqa: BLE001 - the missing camera is reported
                _log.warning("The demonstration does not open: %s", error)
                return False
            self._close()
            self._set_source(demonstration, None)
        self._look_again_s = time.perf_counter() + self._timing.source_retry_s
        self._board.report(Stage.CAPTURE, None)
        return True

    def _open(self, wanted: CaptureSettings) -> FrameSource:
        # Before the camera portal opens, the desktop may ask the user, who may take any time.
        limit_s = math.inf if wanted.source.startswith("portal") else self._timing.open_hang_s
        with self.thread.blocking_call(
            partial(
                t,
                "The source {source} does not open; reconnect it, or start the program again with another source.",
                source=wanted.source,
            ),
            limit_s,
        ):
            return self._parts.open_source(wanted)

    def _set_source(self, source: FrameSource, settings: CaptureSettings | None) -> None:
        """Use a source. settings: those that it was opened with; None for one that stands in for a camera."""
        self._source, self._running, self.no_camera = source, settings, settings is None
        self._kind = source.info.kind
        self._generation += 1
        self._next_index = 0
        self._turned_for = None
        self._last_frame_s = time.perf_counter()
        info = source.info
        self._orientation = self._wanted_orientation()
        self.info = info.turned(self._orientation)
        words = info.kind, info.name, info.width, info.height, info.fps, info.pixel_format or "no format of its own"
        _log.info("Opened the source %s %s: %dx%d at %g fps, %s.", *words)

    def _read(self, *, hold_exposure: bool) -> None:
        """Read the next frame, or skip it where nobody needs it."""
        source, started_s, frame = self._source, time.perf_counter(), None
        assert source is not None
        problem = partial(
            t,
            "{device} does not respond; reconnect it, or start the program again with another source.",
            device=source.info.name,
        )
        try:
            with self.thread.blocking_call(problem, self._timing.hang_s):
                is_unneeded = False  # decoding what nobody needs would take time from the step
                if source.is_live:
                    source.hold_exposure(hold_exposure)
                    generation, indexes = self._engines.unneeded
                    is_skipped = generation == self._generation and self._next_index in indexes
                    is_unneeded = is_skipped or (self._owner.current.paused and started_s < self._read_at_s)
                if is_unneeded:
                    arrived = source.skip()
                    self._next_index += 1
                else:
                    frame = source.read()
                    arrived = frame is not None
                    if arrived:
                        self._read_at_s = started_s + self._timing.paused_interval_s
            if not arrived and time.perf_counter() - self._last_frame_s > self._timing.source_timeout_s:
                raise SourceLostError(
                    t(
                        "{source} has delivered no frame for {seconds} seconds; check its cable, or the program that "
                        "sends to it, and that no other program uses it. It is being reopened.",
                        source=source.info.name,
                        seconds=f"{self._timing.source_timeout_s:.0f}",
                    )
                )
        except Exception as error:  # noqa: BLE001 - carried to the status
            self._board.report(Stage.CAPTURE, error)
            self._frames.put(Phase.WAITING)
            self._close()
            return
        if not arrived:
            return
        self._last_frame_s = time.perf_counter()
        self._board.frames_in.add()
        if frame is None:
            return
        self._next_index = frame.index + 1
        self._board.capture_ms.add(self._last_frame_s - started_s)
        if (settings := self._owner.current.capture) is not self._turned_for:
            self._turned_for = settings
            if (orientation := self._wanted_orientation()) != self._orientation:
                self._orientation = orientation
                self._generation += 1  # the stream begins anew
        frame = frame.of(source.info, self._orientation)
        self.info = frame.source
        self._frames.put(replace(frame, generation=self._generation))

    def _wanted_orientation(self) -> Orientation:
        """Return how to turn the frames of the open source, which may not be the one that the settings name now."""
        wanted, running = self._owner.current.capture, self._running
        return wanted.orientation if running is None or wanted.source == running.source else self._orientation

    def _close(self) -> None:
        source, self._source = self._source, None
        self._running = None
        if source is None:
            return
        self.info = None
        try:
            source.close()
        except Exception as error:  # noqa: BLE001 - a source that fails to close must not end the thread
            self._board.report(Stage.CAPTURE, error)
