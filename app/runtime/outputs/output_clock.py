"""The output thread: chooses the picture that leaves and sends it to every sink at a steady rate."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.settings import Settings
from app.core.threads import elapsed_s
from app.core.types import Picture, PictureKind
from app.privacy.gate import Gate
from app.runtime.engines.plan import StandBy
from app.runtime.outputs.sink_worker import SinkWorker
from app.runtime.shared import Shared
from app.runtime.status import Phase
from app.runtime.worker import LatestSlot, SlotClosed, Worker

IDLE_HZ = 5.0
"""Rate at which the stand-by card is repeated while nobody reads the virtual camera, and while the user pauses. It
never changes by itself, and a new picture is sent at once."""
LATE_FRACTION = 0.25
"""An arrival later than this fraction of an interval after the middle of its tick delays the following ticks."""
FOLLOW_GAIN = 0.1
"""Fraction of the lateness by which they are delayed."""


class SteadyClock:
    """Ticks at a fixed mean rate against absolute times, so that lateness does not accumulate.

    A tick is an interval, not a moment: a new picture is sent as soon as it arrives, once per tick; without one, the
    last picture is repeated at the end of the tick. Pictures that arrive at the clock's rate or slower never wait.
    """

    def __init__(self, rate_hz: float, now: Callable[[], float] = time.perf_counter) -> None:
        """now: the time in seconds; replaced in tests."""
        self.rate_hz = rate_hz
        self._now = now
        self._middle_s = now()

    def wait(self, stop: threading.Event) -> bool:
        """Wait for the next tick to begin; return False once `stop` is set. Missed ticks are dropped."""
        interval_s = 1.0 / self.rate_hz
        now_s = self._now()
        self._middle_s += interval_s
        if self._middle_s < now_s - interval_s:
            self._middle_s = now_s
        return not stop.wait(max(0.0, self._middle_s - interval_s / 2 - now_s))

    @property
    def remaining_s(self) -> float:
        """Seconds until this tick ends."""
        return max(0.0, self._middle_s + 0.5 / self.rate_hz - self._now())

    def note_arrival(self) -> None:
        """Note that a new picture has arrived now; delay the following ticks if it was almost too late for this one.

        Pictures at about the clock's rate then do not alternate between two sides of a tick's end.
        """
        late_s = self._now() - self._middle_s - LATE_FRACTION / self.rate_hz
        if 0 < late_s <= (0.5 - LATE_FRACTION) / self.rate_hz:
            self._middle_s += FOLLOW_GAIN * late_s


class OutputClock:
    """Alone decides between the newest picture, its repetition and the stand-by card.

    The last composite is repeated while matting is late, so that readers see no stall, but for `stale_s` at most, and
    for `outdated_s` where the settings have changed and might hide a part of it. After a suspension of the machine or
    the program, composites of frames from before it are dropped.
    """

    def __init__(
        self,
        shared: Shared,
        pictures: LatestSlot[Picture | StandBy],
        gate: Gate,
        sinks: Sequence[SinkWorker],
        preview: LatestSlot[Picture],
    ) -> None:
        """preview: gets the chosen picture, unmirrored, whenever it is new."""
        self._owner, self._board, self._timing = shared.owner, shared.board, shared.timing
        self._pictures = pictures
        self._gate = gate
        self._sinks = sinks
        self._preview = preview
        self.on_preview: Callable[[], None] = lambda: None
        """Called after each picture for the preview (set on any thread)."""
        self.thread = Worker("output-clock", self._run, frame_path=True)
        self._latest: Picture | None = None
        """None while the stand-by card is requested."""
        self._size: tuple[int, int] | None = None
        self.phase = Phase.STARTING
        """Why the card or a picture is sent, as in `PipelineStatus` (any thread)."""
        self._arrived_s = self._interval_s = 0.0
        """When the last picture came, and how long after the one before."""
        self._usual_s = 0.0
        """The shorter one of the last two intervals: a single late picture does not count."""
        self._shown: Picture | None = None
        """What the preview shows."""
        self._sent: Picture | None = None
        self._mirrored: tuple[Picture, Picture] | None = None
        self._hides: tuple[object, ...] = ()
        """As in `Settings`, those in force at the last tick."""
        self._prepared: tuple[Settings, tuple[int, int] | None] | None = None
        """What the stand-by card was last drawn ahead for."""
        self.last_tick_s = elapsed_s()
        """`elapsed_s` of the last tick; read by the watchdog."""

    def _run(self, stop: threading.Event) -> None:
        """Run until `stop` is set or the slot is closed."""
        clock = SteadyClock(self._owner.current.capture.fps)
        while clock.wait(stop):
            revision = self._board.matted  # before the picture
            try:
                arrived = self._pictures.get(clock.remaining_s)
            except SlotClosed:
                return
            now_s = elapsed_s()
            if now_s - self.last_tick_s > self._timing.stale_s:
                self._board.resumed_s = time.perf_counter()
            self.last_tick_s = now_s
            if arrived is not None:
                clock.note_arrival()
                self._take(arrived)
            settings = self._owner.current
            idle = settings.paused or self.phase is Phase.RESTING
            clock.rate_hz = min(IDLE_HZ, settings.capture.fps) if idle else settings.capture.fps
            if (settings, self._size) != self._prepared:
                self._prepared, self._hides = (settings, self._size), settings.hides
                self._card(settings)  # before it is needed, so that an image that cannot be read is reported at once
            picture = self._choose(settings)
            if picture is not self._shown:
                self._show(picture)
            if not self._gate.permits(picture):  # the demonstration in place of a camera
                picture = self._card(settings)
            self._send(picture, mirror=settings.output.mirror)
            self._board.sent = revision

    @property
    def unmatted(self) -> bool:
        """Whether unmatted frames leave now (any thread)."""
        sent = self._sent
        return sent is not None and sent.kind is PictureKind.UNMATTED and self._gate.permits(sent)

    def send_card(self) -> None:
        """Send the stand-by card to every output: called by the watchdog in place of this thread."""
        card = self._card(self._owner.current)
        for sink in self._sinks:
            sink.send(card)
        self._show(card)

    def _show(self, picture: Picture) -> None:
        self._shown = picture
        self._preview.put(picture)
        self.on_preview()

    def _take(self, arrived: Picture | StandBy) -> None:
        if isinstance(arrived, StandBy):
            self._latest, self.phase = None, arrived.reason
            self._size = arrived.size or self._size
        elif arrived.frame is None or arrived.frame.captured_at_s >= self._board.resumed_s:
            self._latest, self.phase = arrived, Phase.RUNNING
            before_s, self._interval_s = self._interval_s, self.last_tick_s - self._arrived_s
            self._usual_s = min(before_s, self._interval_s)
            self._size, self._arrived_s = arrived.size, self.last_tick_s

    def _choose(self, settings: Settings) -> Picture:
        latest = self._latest
        if latest is not None and settings.frozen:
            self._arrived_s = self.last_tick_s  # after the freeze it stays until the next one comes
        elif latest is not None and self.last_tick_s - self._arrived_s >= self._limit_s(latest):
            latest = self._latest = None
            self.phase = Phase.WAITING
        if latest is not None and self._gate.shows(latest):
            return latest
        return self._card(settings)

    def _limit_s(self, picture: Picture) -> float:
        """Return for how long it may be repeated. Pictures that are always slow do not alternate with cards."""
        limit_s = self._timing.stale_s
        if picture.hides in (None, self._hides):
            return limit_s
        return min(limit_s, max(self._timing.outdated_s, 2 * self._usual_s))

    def _card(self, settings: Settings) -> Picture:
        """Return the stand-by card at the size of the newest frame."""
        return self._gate.card(*(self._size or (settings.capture.width, settings.capture.height)))

    def _send(self, picture: Picture, *, mirror: bool) -> None:
        self._sent = picture
        outgoing = self._mirror(picture) if mirror and picture.kind is not PictureKind.STANDBY else picture
        sent = False
        for sink in self._sinks:
            sink.send(outgoing)
            sent = sent or sink.active
        if sent:
            self._board.frames_sent.add()

    def _mirror(self, picture: Picture) -> Picture:
        if self._mirrored is None or self._mirrored[0] is not picture:
            alpha = None if picture.alpha is None else _flip(picture.alpha)
            foreground = None if picture.foreground is None else _flip(picture.foreground)
            flipped = replace(picture, image=_flip(picture.image), alpha=alpha, foreground=foreground)
            self._mirrored = (picture, flipped)
        return self._mirrored[1]


def _flip(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.flip(image, 1), dtype=np.uint8)
