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
from app.core.errors import CameraAbsentError, Remedy, SourceLostError, Stage, Text, t
from app.core.files import no_answer
from app.core.settings import CaptureSettings
from app.core.types import UNTURNED, Frame, Orientation, SourceInfo
from app.core.worker import FILE_LIMIT_S, LatestSlot, Reaching, Worker, stop_requested
from app.output.base import FrameSink, ReaderCounter
from app.runtime.context import PipelineContext
from app.runtime.engines import EngineSelector
from app.runtime.outputs import SinkWorker
from app.runtime.status import Phase, RepeatedLines

_log = logging.getLogger(__name__)
# Frames of the source in use wait for the disk of
# another one for so long: most disks answer at once.
FIRST_WAIT_S = 0.1
# The part of the status that a source which goes on may warn of.
WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Preview:
    """What the preview of the window needs; by default it is hidden."""

    visible: bool = False
    with_foreground: bool = False


class DemandWatch:
    """Counts readers on its own thread. What is public is for any thread."""

    def __init__(self, context: PipelineContext, sinks: Sequence[SinkWorker]) -> None:
        """Without an open camera among the sinks, or if its readers cannot be counted, `resting`
        stays False.
        """
        self._context = context
        self._cameras = [sink for sink in sinks if sink.spec.waits_for_readers]
        self._others = [sink for sink in sinks if sink not in self._cameras]
        # Called when `resting` or `watched` has changed; set before the start.
        self.on_change: Callable[[], None] = lambda: None
        self.thread = Worker("demand", self._run, Stage.VIRTUAL_CAMERA)
        # Whether the preview is visible, and whether its pictures carry the
        # foreground image, which costs time: `show_preview` says so.
        self.watched = False
        self.want_foreground = False
        # By name: the dialog and `ctl` may take plates at once,
        # and the first to end must not release the other's.
        self._plate_takers: frozenset[str] = frozenset()
        self._changing_takers = threading.Lock()
        # While a plate is being taken, the camera stays on and holds its exposure.
        self.takes_plate = False
        self._watched_device: str | None = None
        self._counter: ReaderCounter | None = None
        self._last_demand_s = time.monotonic()
        self.resting = False
        self._was_resting = False
        self._was_watched = False
        # The number of programs that read the cameras among the sinks; None if unknown.
        self.readers: int | None = None

    def show_preview(self, preview: Preview) -> None:
        """Say what the preview shows from now on; the window alone has one."""
        self.watched = preview.visible
        self.want_foreground = preview.with_foreground

    def begin_plate(self, taker: str) -> None:
        """Keep the camera on, with its exposure, until `end_plate` of this taker and of every other
        one.
        """
        with self._changing_takers:
            self._plate_takers |= {taker}
            self.takes_plate = True

    def end_plate(self, taker: str) -> None:
        """Release what `begin_plate` holds for this taker.

        One that holds nothing releases nothing.
        """
        with self._changing_takers:
            self._plate_takers -= {taker}
            self.takes_plate = bool(self._plate_takers)

    def _run(self, stop: threading.Event) -> None:
        """Count until `stop` is set."""
        try:
            while not stop.wait(self._context.timing.demand_poll_s):
                self._check()
        finally:
            self._watch(None)

    def _check(self) -> None:
        # Each sink is read once: its own thread opens and closes it meanwhile.
        sinks = [worker.sink for worker in self._cameras]
        cameras = [sink for sink in sinks if sink is not None]
        devices = [camera.device for camera in cameras if camera.device is not None]
        self._watch(devices[0] if devices else None)
        self.readers = self._count(cameras)
        now_s = time.monotonic()
        if self._is_needed():
            self._last_demand_s = now_s
        # Programs close a camera and open it again as they start, so that the source lingers.
        self.resting = now_s - self._last_demand_s > self._context.timing.demand_linger_s
        watched = self.watched
        if self.resting != self._was_resting or watched != self._was_watched:
            self._was_resting = self.resting
            self._was_watched = watched
            self.on_change()

    def _is_needed(self) -> bool:
        """Return whether anybody needs frames now, or it is unknown whether anybody does."""
        if self.watched or self.takes_plate:
            return True
        if not self._context.owner.current.output.on_demand:
            return True
        # An unknown number of readers, None, counts as
        # one: nobody is left before a camera that is dark.
        if self.readers != 0:
            return True
        return any(sink.wanted is not None for sink in self._others)

    def _count(self, cameras: Sequence[FrameSink]) -> int | None:
        """Return the number of readers of all cameras.

        None without a camera, or if one cannot tell.
        """
        counts = [camera.readers for camera in cameras]
        known = [count for count in counts if count is not None]
        if self._counter is None:
            return sum(known) if known else None
        # Devices of V4L2 count no readers themselves:
        # programs that hold the device file are looked for.
        programs = self._counter.readers()
        if programs is None:
            return None
        return len(programs) + sum(known)

    def _watch(self, device: str | None) -> None:
        if device == self._watched_device:
            return
        self._watched_device = device
        if self._counter is not None:
            self._counter.close()
        self._counter = None if device is None else self._context.parts.watch_readers(device)


class SourceFile:
    """The file of the wanted source, whose disk may not answer.

    The source in use is read until it does.
    """

    def __init__(self, context: PipelineContext, on_answer: Callable[[], None]) -> None:
        """on_answer: called on any thread."""
        self._file_of = context.parts.source_file
        self._board = context.board
        self._on_answer = on_answer
        self._reaching = Reaching()
        self._file: Path | None = None
        # None while none is awaited.
        self.answer: Future[None] | None = None
        # By time.monotonic(): from then on the status names the file.
        self._late_at_s = 0.0
        self._is_named = False

    @property
    def is_undecided(self) -> bool:
        """Whether the file has neither answered nor been named in the status."""
        return self.answer is not None and not self._is_named

    def answers(self, source: str) -> bool:
        """Return whether a source can be opened now, as far as its file is concerned."""
        file = self._file_of(source)
        if self.answer is None or file != self._file:
            self.forget()
            self._ask(file)
        # Whether the file exists is told by the source that opens it: an answer is enough here.
        if self.answer is None or self.answer.done():
            self.forget()
            return True
        is_late = time.monotonic() >= self._late_at_s
        if file is not None and is_late and not self._is_named:
            self._board.report(Stage.CAPTURE, no_answer(file), self, remedy=Remedy.SOURCE)
            self._is_named = True
        return False

    def forget(self) -> None:
        """Await no answer any more."""
        self.answer = None
        if self._is_named:
            self._is_named = False
            self._board.report(Stage.CAPTURE, None, self)

    def _ask(self, file: Path | None) -> None:
        self._file = file
        if file is not None:
            self._late_at_s = time.monotonic() + FILE_LIMIT_S
            self.answer = self._reaching.start(file)
            wait([self.answer], FIRST_WAIT_S)
            self.answer.add_done_callback(lambda _answer: self._on_answer())


class OpenSource:
    """The source in use, and what is true of it alone. Used by the capture thread."""

    def __init__(self, source: FrameSource, settings: CaptureSettings | None) -> None:
        self.source = source
        # Those that it was opened with; None while the
        # demonstration stands in for a camera.
        self.settings = settings
        # time.perf_counter() at which a camera is looked for
        # again while the demonstration stands in for it.
        self.look_again_s = 0.0
        self.opened_s = time.perf_counter()
        self.last_frame_s = self.opened_s
        # What the source says of itself, as it is in the status.
        self.warning: Text | None = None
        self.next_index = 0
        # What the description of its frames was made from: the source's own, which a camera that
        # changes its size replaces, and the settings that say how frames are turned. None before
        # its first frame.
        self.info: SourceInfo | None = None
        self.oriented_for: CaptureSettings | None = None
        self.info_of_frames = source.info


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
        self._context = context
        self._frames = frames
        self._demand = demand
        self._engines = engines
        self._wake = threading.Event()
        self._source: OpenSource | None = None
        # They are not tried again while another source runs.
        self._last_attempt: CaptureSettings | None = None
        # The source lost last had lived for a moment only.
        self._is_lost_soon = False
        # The source opened last, if any, only stands in for a camera that is not there.
        self.no_camera = False
        # As in `SourceInfo`. It is kept when a camera is
        # released, which then is not opened for nobody.
        self._kind_of_last_source = ""
        self.info: SourceInfo | None = None
        self._orientation_of_last_frame = UNTURNED
        self._generation = 0
        self._lines = RepeatedLines()
        # While paused, frames before this time of time.perf_counter() are skipped.
        self._read_at_s = 0.0
        self._file = SourceFile(context, self.wake)
        self.thread = Worker("capture", self._run, Stage.CAPTURE, frame_path=True)
        demand.on_change = self.wake

    def wake(self) -> None:
        """Read the settings now instead of after the next wait, and the next frame even if
        paused.
        """
        self._read_at_s = 0.0
        self._wake.set()

    def retry(self) -> None:
        """Try the wanted source again even if it failed before.

        A camera that works is not interrupted.
        """
        source = self._source  # read once: its own thread closes it meanwhile
        opened_with = None if source is None else source.settings
        works = opened_with is self._last_attempt
        if not works or self._kind_of_last_source != "camera":
            self._last_attempt = None
        self.wake()

    def _run(self, stop: threading.Event) -> None:
        """Read frames until `stop` is set."""
        try:
            while not stop.is_set():
                revision = self._context.owner.revision
                if revision != self._context.board.captured:
                    self._read_at_s = 0.0  # the next frame is read, also before `wake` is called
                reads = self._read_or_open_wanted()
                # What waits for a disk is in use only once the
                # disk has answered or is named as the fault.
                if revision != self._context.board.captured and not self._file.is_undecided:
                    self._context.board.captured = revision
                if not reads:
                    self._wake.wait(self._context.timing.source_retry_s)
                    self._wake.clear()
        finally:
            self._close()

    def _read_or_open_wanted(self) -> bool:
        """Open, read or release the source as the settings ask; return whether to go on at once."""
        if self._demand.resting and self._kind_of_last_source == "camera":
            if self._source is not None:
                self._close()
                self._frames.put(Phase.RESTING)
            return False
        settings = self._context.owner.current.capture
        if not self._opens_anew(settings):
            if self._file.answer is not None:
                self._file.forget()
        elif self._file.answers(settings.source):
            self._open_wanted(settings)
        source = self._source
        if source is None:
            return False
        # What is compared with a plate must have the plate's exposure, or the room itself differs.
        compares = self._demand.takes_plate or self._engines.compares_with_plate
        self._read(source, hold_exposure=settings.lock_exposure or compares)
        if self._source is None:
            return self._note_loss(source)
        return True

    def _note_loss(self, lost: OpenSource) -> bool:
        """Note how long a source lived; return whether another is opened without a wait.

        One that is lost again and again, right after it was opened, would be opened all the time.
        """
        lived_s = lost.last_frame_s - lost.opened_s
        was_lost_soon = self._is_lost_soon
        self._is_lost_soon = lived_s < self._context.timing.source_retry_s
        return lost.next_index > 0 and not (was_lost_soon and self._is_lost_soon)

    def _opens_anew(self, settings: CaptureSettings) -> bool:
        """Return whether a source is to be opened.

        There is none, another one is wanted, or a camera is looked for.
        """
        source = self._source
        if source is None:
            return True
        if self.no_camera and time.perf_counter() >= source.look_again_s:
            return True
        # Identity first: the fields are compared for each frame otherwise.
        return settings is not self._last_attempt and not opens_alike(settings, self._last_attempt)

    def _open_wanted(self, wanted: CaptureSettings) -> None:
        in_use = self._source
        previous = None if in_use is None else in_use.settings
        self._last_attempt = wanted
        if in_use is not None and in_use.source.info.kind == "camera":
            # A camera can be opened only once, and the wanted one may be the same at another size.
            self._close()
        try:
            source = self._open(wanted)
        except Exception as error:  # noqa: BLE001 - carried to the status
            # What is given up at the end of the program has not failed.
            if not stop_requested():
                self._handle_failure(error, wanted, previous)
            return
        self._close()
        # Before `no_camera` is over: a status between the
        # two would show a missing camera as a failed start.
        self._context.board.report(Stage.CAPTURE, None)
        self._set_source(source, wanted)

    def _handle_failure(
        self,
        error: Exception,
        wanted: CaptureSettings,
        previous: CaptureSettings | None,
    ) -> None:
        """Note that the wanted source does not open.

        The one in use stays, unless the wanted one is any camera.
        """
        is_absent = isinstance(error, CameraAbsentError)
        if is_absent and wanted.source == "auto":
            if self._demand.watched and self._shows_demonstration(wanted):
                return
            self._close()
            previous = None
        elif self.no_camera:
            self._close()  # the demonstration: what was named is missing, not any camera
        # Before the report: a run without a window takes
        # the report alone for a failed start, and ends.
        self.no_camera = is_absent and self._source is None
        self._context.board.report(Stage.CAPTURE, error)
        if self._source is not None:
            return
        if previous is not None and not opens_alike(wanted, previous):
            try:
                self._set_source(self._open(previous), previous)
                return
            except Exception as other:  # noqa: BLE001 - carried to the status
                self._context.board.report(Stage.CAPTURE, other)
        self._frames.put(Phase.WAITING)

    def _shows_demonstration(self, wanted: CaptureSettings) -> bool:
        """Show the demonstration in the preview while there is no camera.

        The gate keeps it from the outputs.
        """
        in_use = self._source
        if in_use is None or not self.no_camera:
            try:
                demonstration = self._open(wanted.replace(source="demo"))
            except Exception as error:  # noqa: BLE001 - the missing camera is reported
                _log.warning("The demonstration does not open: %s", error)
                return False
            self._close()
            in_use = self._set_source(demonstration, None)
        in_use.look_again_s = time.perf_counter() + self._context.timing.source_retry_s
        self._context.board.report(Stage.CAPTURE, None)
        return True

    def _open(self, wanted: CaptureSettings) -> FrameSource:
        limit_s = self._context.timing.open_hang_s
        if wanted.source.startswith("portal"):
            # Before the camera portal opens, the desktop may ask the user, who may take any time.
            limit_s = math.inf
        problem = partial(
            t,
            "The source {source} does not open; reconnect it, or start the program again with "
            "another source.",
            source=wanted.source,
        )
        with self.thread.blocking_call(problem, limit_s):
            return self._context.parts.open_source(wanted)

    def _set_source(self, source: FrameSource, settings: CaptureSettings | None) -> OpenSource:
        """Use a source. settings: as of `OpenSource`."""
        info = source.info
        opened = OpenSource(source, settings)
        self._source = opened
        self.no_camera = settings is None
        self._kind_of_last_source = info.kind
        # Decisions about frames of the source before it,
        # such as those to skip, do not hold for this one.
        self._generation += 1
        wanted = self._context.owner.current.capture
        self._orientation_of_last_frame = self._wanted_orientation(opened, wanted)
        self.info = info.turned(self._orientation_of_last_frame)
        line = self._lines.to_write(
            f"Opened the source {info.kind} {info.name}: {info.width}x{info.height} at "
            f"{info.fps:g} fps, {info.pixel_format or 'no format of its own'}."
        )
        if line is not None:
            _log.info("%s", line)
        return opened

    def _read(self, opened: OpenSource, *, hold_exposure: bool) -> None:
        """Read the next frame, or skip it where nobody needs it."""
        source = opened.source
        started_s = time.perf_counter()
        frame = None
        problem = partial(
            t,
            "{device} does not respond; reconnect it, or start the program again with another "
            "source.",
            device=source.info.name,
        )
        try:
            with self.thread.blocking_call(problem, self._context.timing.hang_s):
                if source.is_live:
                    source.hold_exposure(hold_exposure)
                if source.is_live and self._is_unneeded(opened.next_index, started_s):
                    arrived = source.skip()
                    opened.next_index += 1
                else:
                    frame = source.read()
                    arrived = frame is not None
                    if arrived:
                        self._read_at_s = started_s + self._context.timing.paused_interval_s
            silent_s = time.perf_counter() - opened.last_frame_s
            if not arrived and silent_s > self._context.timing.source_timeout_s:
                raise SourceLostError(
                    t(
                        "{source} has delivered no frame for {seconds} seconds; check its cable, "
                        "or the program that sends to it, and that no other program uses it. It is "
                        "being reopened.",
                        source=source.info.name,
                        seconds=f"{self._context.timing.source_timeout_s:.0f}",
                    )
                )
        except Exception as error:  # noqa: BLE001 - carried to the status
            self._context.board.report(Stage.CAPTURE, error)
            self._frames.put(Phase.WAITING)
            self._close()
            return
        if not arrived:
            return
        opened.last_frame_s = time.perf_counter()
        self._show_warning(opened, source.warning)
        self._context.board.frames_in.add()
        if frame is None:
            return
        opened.next_index = frame.index + 1
        self._context.board.capture_ms.add(opened.last_frame_s - started_s)
        wanted = self._context.owner.current.capture
        if wanted is not opened.oriented_for or source.info is not opened.info:
            self._describe_frames(opened, wanted)
        image = frame.image
        if self._orientation_of_last_frame != UNTURNED:
            image = self._orientation_of_last_frame.upright(image)
        info = opened.info_of_frames
        self._frames.put(replace(frame, image=image, source=info, generation=self._generation))

    def _show_warning(self, opened: OpenSource, warning: Text | None) -> None:
        """Show in the status what is wrong with a source whose frames arrive.

        They go on: an input without a signal shows no room, and a card would hide what a driver
        wrongly takes for none.
        """
        if warning == opened.warning:
            return
        opened.warning = warning
        self._context.board.report(Stage.CAPTURE, warning, WARNING, is_warning=True)

    def _is_unneeded(self, index: int, started_s: float) -> bool:
        """Return whether to skip the next frame.

        Decoding what nobody needs would take time from the step.
        """
        generation, indexes = self._engines.unneeded
        if generation == self._generation and index in indexes:
            return True
        return self._context.owner.current.paused and started_s < self._read_at_s

    def _describe_frames(self, opened: OpenSource, wanted: CaptureSettings) -> None:
        """Turn frames from this one on as the settings ask, and describe them as the source does
        now.
        """
        info = opened.source.info
        opened.info = info
        opened.oriented_for = wanted
        orientation = self._wanted_orientation(opened, wanted)
        if orientation != self._orientation_of_last_frame:
            self._orientation_of_last_frame = orientation
            self._generation += 1  # what was matted before looks like another scene
        opened.info_of_frames = info.turned(orientation)
        self.info = opened.info_of_frames

    def _wanted_orientation(self, opened: OpenSource, wanted: CaptureSettings) -> Orientation:
        """Return how to turn the frames of the open source, which may not be the one that the
        settings name now.
        """
        opened_with = opened.settings
        if opened_with is None or wanted.source == opened_with.source:
            return wanted.orientation
        # Where the wanted source does not open, the one in use stays turned as it was.
        return self._orientation_of_last_frame

    def _close(self) -> None:
        closing = self._source
        self._source = None
        if closing is None:
            return
        self.info = None
        self._show_warning(closing, None)
        try:
            closing.source.close()
        except Exception as error:  # noqa: BLE001
            # A source that fails to close must not end the thread.
            self._context.board.report(Stage.CAPTURE, error)
