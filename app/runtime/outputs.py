"""The outputs: one thread chooses the picture that leaves at a steady rate, one per sink opens,
feeds and closes it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from app.core.errors import SinkError, Text, t
from app.core.types import Outgoing, Picture, PictureKind
from app.core.worker import LatestSlot, SlotClosed, Worker
from app.output.base import FrameSink, SinkContext, SinkSpec
from app.privacy.gate import Gate
from app.runtime.clock import SteadyClock, TickTimes
from app.runtime.context import PipelineContext
from app.runtime.status import Phase
from app.settings import Settings

# Rate at which the stand-by card is repeated while nobody reads the virtual camera, and while the
# user pauses. The card never changes by itself, and a new picture is sent at once.
IDLE_HZ = 5.0
# Longest wait at the end of the program for a recording of hours, whose packets are copied.
FINISH_S = 120.0


@dataclass(frozen=True, slots=True)
class CardRequest:
    """What the stand-by card is drawn for."""

    # It grows also where the files that the settings name are to be read again.
    revision: int
    settings: Settings
    size: tuple[int, int] | None
    """(width, height) of the newest frame; None before the first one."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """The newest picture, and since when it is repeated."""

    picture: Picture
    at_s: float
    """As `TickTimes.last_s`."""


class PreviewFeed:
    """Hands chosen pictures to the preview, unmirrored."""

    def __init__(self, slot: LatestSlot[Picture]) -> None:
        self._slot = slot
        self.newest: Picture | None = None
        # Called after each picture.
        self.on_picture: Callable[[], None] = lambda: None

    def show(self, picture: Picture) -> None:
        """Show another picture from now on."""
        self.newest = picture
        self._slot.put(picture)
        self.on_picture()


class Mirror:
    """Mirrors pictures, each once, as the last one is repeated at each tick without a new one."""

    def __init__(self) -> None:
        self._original: Picture | None = None
        self._mirrored: Picture | None = None

    def mirrored(self, picture: Picture) -> Picture:
        """Return the picture with left and right exchanged."""
        if self._mirrored is None or self._original is not picture:
            self._original = picture
            self._mirrored = picture.mirrored()
        return self._mirrored


class OutputClock:
    """Alone decides between the newest picture, its repetition and the stand-by card.

    The last composite is repeated while matting is late, so that readers see no stall, but for
    `stale_s` at most, and for `outdated_s` where the settings have changed and might hide a part of
    it. After a suspension of the machine or the program, composites of frames from before it are
    dropped. What is public is for any thread.
    """

    def __init__(
        self,
        context: PipelineContext,
        pictures: LatestSlot[Picture | Phase],
        gate: Gate,
        sinks: Sequence[SinkWorker],
        preview: LatestSlot[Picture],
    ) -> None:
        """preview: gets the chosen picture whenever it is new."""
        self._owner = context.owner
        self._board = context.board
        self._timing = context.timing
        self._pictures = pictures
        self._gate = gate
        self._sinks = sinks
        self.preview = PreviewFeed(preview)
        self._mirror = Mirror()
        self.thread = Worker("output-clock", self._run, frame_path=True)
        # None while the stand-by card is requested.
        self._latest: Arrival | None = None
        # Why the card or a picture is sent, as in `PipelineStatus`.
        self.phase = Phase.STARTING
        # Of the source, where the newest picture ends: another one than that only after a freeze.
        self._phase_after_freeze = Phase.WAITING
        # What was chosen at the last tick, not mirrored; `_ticked` is notified after it.
        self._sent: Picture | None = None
        self._ticked = threading.Condition()
        self._card_drawn_for: CardRequest | None = None
        self._ticks = TickTimes(context.timing)

    def _run(self, stop: threading.Event) -> None:
        """Run until `stop` is set or the slot is closed."""
        clock = SteadyClock(self._owner.current.capture.fps)
        problem = partial(
            t,
            "The {thread} thread does not respond; start the program again.",
            thread=self.thread.name,
        )
        while clock.wait(stop):
            self.thread.limit_call(problem, self._timing.stale_s)
            revision = self._board.matted  # before the picture, which is at least as new
            try:
                arrived = self._pictures.get(clock.remaining_s)
            except SlotClosed:
                return
            self._ticks.tick()
            if arrived is not None:
                clock.note_arrival()
                self._accept(arrived)
            # Before the settings, which are at least as new.
            revision_in_force = self._owner.revision
            settings = self._owner.current
            clock.rate_hz = settings.capture.fps
            if settings.paused or self.phase is Phase.RESTING:
                clock.rate_hz = min(IDLE_HZ, settings.capture.fps)
            card_request = CardRequest(revision_in_force, settings, self._board.size)
            if card_request != self._card_drawn_for:
                # Early, so that an image that cannot be read is reported at once.
                self._card_drawn_for = card_request
                self._card(settings)
            picture = self._choose(settings)
            if picture is not self.preview.newest:
                self.preview.show(picture)
            # The preview alone may show the demonstration in place of a camera.
            if not self._gate.permits(picture):
                picture = self._card(settings)
            with self._ticked:
                self._send(picture, mirror=settings.output.mirror)
                self._board.sent = revision
                self._ticked.notify_all()

    @property
    def unmatted(self) -> bool:
        """Whether unmatted frames leave now."""
        sent = self._sent
        if sent is None or sent.kind is not PictureKind.UNMATTED:
            return False
        return self._gate.permits(sent)

    def still(self, timeout_s: float) -> Outgoing:
        """Return what leaves now, for a file, once it hides what the settings hide.

        Wait for that so long.

        What was chosen before a change may show what is hidden by it. Call it at the moment of the
        write. Raises SinkError where nothing was sent yet, or what leaves is still from before a
        change.
        """
        with self._ticked:
            is_current = self._ticked.wait_for(self._is_current, timeout_s)
            picture = self._sent
        if picture is None:
            raise SinkError(t("There is no frame yet; try again when the preview shows one."))
        if not is_current and picture.kind is not PictureKind.STANDBY:
            raise SinkError(
                t("What was changed last is not in use yet; take the snapshot again in a moment."),
            )
        return self._gate.release(picture)

    def _is_current(self) -> bool:
        revision = self._owner.revision  # before the settings: they are at least as new
        settings = self._owner.current
        picture = self._sent
        if picture is None:
            return False
        return self._board.sent >= revision or picture.hides == settings.hides

    def send_card(self) -> None:
        """Send the stand-by card to every output.

        Called by the watchdog in place of this thread.
        """
        card = self._card(self._owner.current)
        for sink in self._sinks:
            sink.send(card)
        self.preview.show(card)

    def _accept(self, arrived: Picture | Phase) -> None:
        self._phase_after_freeze = Phase.WAITING
        if isinstance(arrived, Phase):
            settings = self._owner.current
            is_frozen = settings.frozen and not settings.paused and arrived is not Phase.PAUSED
            if is_frozen and self._latest is not None:
                # A frozen picture needs no source, which may be lost or rest meanwhile.
                self._phase_after_freeze = arrived
                return
            self._latest = None
            self.phase = arrived
            return
        # What was seen before a suspension may show what nobody expects any more.
        if arrived.frame is not None and arrived.frame.captured_at_s < self._ticks.resumed_s:
            return
        self._latest = Arrival(arrived, self._ticks.last_s)
        self.phase = Phase.RUNNING

    def _choose(self, settings: Settings) -> Picture:
        latest = self._latest
        if settings.frozen and not settings.paused and self.phase is not Phase.RESTING:
            # What was frozen may show what the settings hide now.
            if latest is None or not self._gate.shows(latest.picture):
                self._drop_latest()
                return self._card(settings)
            # After the freeze the picture stays until the next one comes.
            self._latest = Arrival(latest.picture, self._ticks.last_s)
            return latest.picture
        if latest is None:
            return self._card(settings)
        if self._is_too_old(latest, settings):
            self._drop_latest()
            return self._card(settings)
        if self._gate.shows(latest.picture):
            return latest.picture
        return self._card(settings)

    def _is_too_old(self, latest: Arrival, settings: Settings) -> bool:
        repeated_s = self._ticks.last_s - latest.at_s
        if repeated_s < min(self._timing.stale_s, self._timing.outdated_s):
            return False
        hides = latest.picture.hides
        if hides is not None and hides != settings.hides:
            return repeated_s >= self._timing.outdated_s
        return repeated_s >= self._timing.stale_s

    def _drop_latest(self) -> None:
        self._latest = None
        self.phase = self._phase_after_freeze

    def _card(self, settings: Settings) -> Picture:
        """Return the stand-by card at the size of the newest frame."""
        size = self._board.size
        if size is None:
            size = (settings.capture.width, settings.capture.height)
        return self._gate.card(*size)

    def _send(self, picture: Picture, *, mirror: bool) -> None:
        self._sent = picture
        outgoing = picture
        # The card has text, which nobody reads in a mirror.
        if mirror and picture.kind is not PictureKind.STANDBY:
            outgoing = self._mirror.mirrored(picture)
        is_sent = False
        for sink in self._sinks:
            is_sent = sink.send(outgoing) or is_sent
        if is_sent:
            self._board.frames_sent.add()


@dataclass(frozen=True, slots=True)
class _Request:
    """What settings ask a sink for, as `SinkSpec.wanted` says it."""

    settings: Settings | None
    sink: Any


@dataclass(frozen=True, slots=True)
class _OpenSink:
    """The open sink, and what it was opened for."""

    sink: FrameSink
    request: Any


class SinkWorker:
    """Follows the settings; if a switch fails, the sink in use stays open.

    What is public is for any thread.
    """

    def __init__(
        self,
        spec: SinkSpec[Any],
        sink_context: SinkContext,
        gate: Gate,
        context: PipelineContext,
    ) -> None:
        self.spec = spec
        self._sink_context = sink_context
        self._gate = gate
        self._owner = context.owner
        self._board = context.board
        self._timing = context.timing
        # Each with the value of `_accepts_cards` at the time.
        self._pictures: LatestSlot[tuple[Picture, bool]] = LatestSlot()
        # A recording would begin with the card otherwise.
        self._accepts_cards = not spec.from_first_matte
        self._last_sent: Picture | None = None
        self._open_sink: _OpenSink | None = None
        self._newest_request = _Request(None, None)
        # The request for which a sink is open or has
        # failed to open; None after one that is given up.
        self._answered_request: Any = None
        self._retry_at_s: float | None = None
        # The sink in the status, until it is closed: its device or its name.
        self.open_name: str | None = None
        self.thread = Worker(spec.name.replace("_", "-"), self._run, spec.stage)

    @property
    def sink(self) -> FrameSink | None:
        """The open one; None while none is."""
        open_sink = self._open_sink  # read once: its own thread closes it meanwhile
        return None if open_sink is None else open_sink.sink

    @property
    def wanted(self) -> Any:
        """The sink that the settings in force ask for; None for no such sink."""
        settings = self._owner.current
        request = self._newest_request
        # It is asked for each picture, and changes with them only.
        if request.settings is not settings:
            request = _Request(settings, self.spec.wanted(settings))
            self._newest_request = request  # as a whole: another thread may read it now
        return request.sink

    @property
    def decided(self) -> bool:
        """Whether the sink that the settings ask for is open or has failed to open."""
        return bool(self._answered_request == self.wanted)

    def send(self, picture: Picture) -> bool:
        """Hand over a picture; return whether a sink is open."""
        if picture.kind is not PictureKind.STANDBY:
            self._accepts_cards = True
        is_open = self._open_sink is not None
        if not is_open and self._answered_request is None and self.wanted is None:
            return False  # do not wake a thread that has nothing to do
        self._pictures.put((picture, self._accepts_cards))
        return is_open

    def forget_failure(self) -> None:
        """Report no longer why a sink failed that the settings do not ask for any more."""
        if self._open_sink is None and self.wanted is None:
            self._report(None)

    def finish(self) -> None:
        """Accept no further pictures.

        What was handed over is still sent, then the sink is closed.
        """
        self._pictures.close()

    def _run(self, stop: threading.Event) -> None:
        try:
            while True:
                try:
                    item = self._pictures.get()
                except SlotClosed:
                    return
                if item is not None:
                    picture, is_accepted = item
                    if self._open_or_close(picture):
                        with suppress(SlotClosed):  # a newer picture may have arrived meanwhile
                            picture, is_accepted = self._pictures.get(0) or item
                    self._send(picture, is_accepted)
        finally:
            self._close()

    def join(self, deadline_s: float) -> None:
        """Wait until this time of time.monotonic(), longer for a file that is being finished."""
        if self.thread.join(deadline_s - time.monotonic()):
            return
        if self._open_sink is None and self.open_name:
            self.thread.join(FINISH_S)

    def _open_or_close(self, picture: Picture) -> bool:
        """Open or close the sink as the settings ask.

        Return whether a sink was opened, which may take seconds.
        """
        wanted = self.wanted
        is_due = self._retry_at_s is not None and time.monotonic() >= self._retry_at_s
        if wanted == self._answered_request and not is_due:
            return False
        self._retry_at_s = None
        if wanted is not None:
            self._open(wanted, picture)
            return True
        self._report(None)
        self._close()
        self._answered_request = None
        return False

    def _open(self, wanted: Any, picture: Picture) -> None:
        """Open another sink; where that fails, the one in use stays open, or is opened again."""
        previous = self._open_sink
        gives_way = previous is not None and self.spec.takes_device_of(wanted, previous.sink)
        if gives_way:
            # A device takes one sender, and refuses a second one of this program as well.
            self._close()
        try:
            sink = self._opened(wanted, picture)
        except Exception as error:  # noqa: BLE001 - carried to the status
            # None where it need not be there: the problem of what was wanted before is over.
            self._report(None if self.spec.optional(wanted) else error)
            is_open = gives_way and previous is not None and self._reopens(previous, picture)
            self._answered_request = wanted
            # While one is open, another attempt would take the device from its readers again.
            if not is_open:
                self._retry_later_or_give_up()
            return
        self._report(None)  # before the other one is closed, which may fail
        self._use(sink, wanted)
        self._answered_request = wanted

    def _reopens(self, previous: _OpenSink, picture: Picture) -> bool:
        """Open the sink that has given way again; return whether it is open."""
        try:
            sink = self._opened(previous.request, picture)
        except Exception as error:  # noqa: BLE001 - carried to the status
            self._report(error)
            return False
        self._use(sink, previous.request)
        return True

    def _opened(self, wanted: Any, picture: Picture) -> FrameSink:
        capture = self._owner.current.capture
        width, height = picture.size
        # A camera stays portrait or landscape, and adds bars.
        is_turned = (width < height) != (capture.width < capture.height)
        if self.spec.waits_for_readers and is_turned:
            width = capture.width
            height = capture.height
        problem = partial(
            t,
            "The output {output} does not open; close the programs that use it, or start the "
            "program again with another output.",
            output=self.spec.name.replace("_", " "),
        )
        with self.thread.blocking_call(problem, self._timing.open_hang_s):
            return self.spec.open(wanted, width, height, self._sink_context)

    def _use(self, sink: FrameSink, wanted: Any) -> None:
        self._close()
        self._open_sink = _OpenSink(sink, wanted)
        self.open_name = sink.device or sink.name
        with suppress(Exception):  # the first picture needs it, and reports that it fails
            self.spec.load(wanted)

    def _send(self, picture: Picture, is_accepted: bool) -> None:
        is_repeated = picture is self._last_sent
        self._last_sent = picture
        if self._open_sink is None or not is_accepted:
            return
        sink = self._open_sink.sink
        # Asked of the gate now: opening the sink may have taken seconds, in which settings change.
        outgoing = self._gate.release(picture)
        started_s = time.perf_counter()
        problem = partial(
            t,
            "{device} does not respond; close the programs that use it, or start the program again "
            "with another output.",
            device=sink.name,
        )
        try:
            with self.thread.blocking_call(problem, self._timing.hang_s):
                sink.send(outgoing)
        except Exception as error:  # noqa: BLE001 - carried to the status
            self._report(error)
            self._close()
            self._retry_later_or_give_up()
            return
        if sink.notice is not None:
            self._report(sink.notice)
        if self.spec.waits_for_readers and sink.readers == 0:
            return  # the sink discards pictures
        now_s = time.perf_counter()
        self._board.output_ms.add(now_s - started_s)
        if not is_repeated and outgoing.frame is not None:
            self._board.end_to_end_ms.add(now_s - outgoing.frame.captured_at_s)

    def _report(self, problem: Exception | Text | None) -> None:
        self._board.report(self.spec.stage, problem, self.thread.name)

    def _retry_later_or_give_up(self) -> None:
        """Plan to open the sink that failed again, or take it out of the settings, which then say
        what is true.
        """
        if self.spec.retry_s is not None:
            retry_s = self._timing.sink_retry_s or self.spec.retry_s
            self._retry_at_s = time.monotonic() + retry_s
            return
        failed = self._answered_request
        unset = self.spec.unset
        if unset is None:
            return
        # Another file may be open, such as that of a recording whose stop and this start arrived
        # together: nobody asks for it any more, and the settings would not show it.
        self._close()
        self._answered_request = None  # before the change, after which the reported problem stays

        def update(now: Settings) -> Settings:
            # The user may have asked for another one meanwhile.
            if self.spec.wanted(now) != failed:
                return now
            return unset(now)

        self._owner.change(update)

    def _close(self) -> None:
        closing = self._open_sink
        self._open_sink = None
        if closing is None:
            return
        try:
            closing.sink.close()
        except Exception as error:  # noqa: BLE001 - carried to the status
            self._report(error)
        finally:
            self.open_name = None  # only now is a recording finished
