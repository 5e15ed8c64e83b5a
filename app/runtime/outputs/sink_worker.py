"""One output on its own thread: opens, feeds and closes its sink, so that no sink can block another."""

from __future__ import annotations

import threading
import time
from typing import Any

from app.core.errors import t
from app.core.settings import Settings
from app.core.types import Picture, PictureKind
from app.output.base import CameraSink, CountedSink, FrameSink, SinkContext, SinkSpec
from app.privacy.gate import Gate
from app.runtime.shared import Shared
from app.runtime.worker import LatestSlot, SlotClosed, Worker

FINISH_S = 120.0
"""Longest wait at the end of the program for a recording of hours, whose packets are copied."""


class SinkWorker:
    """Follows the settings; if a switch fails, the sink in use stays open."""

    def __init__(self, spec: SinkSpec[Any], context: SinkContext, gate: Gate, shared: Shared) -> None:
        self.spec = spec
        self._context = context
        self._gate = gate
        self._owner, self._board, self._timing = shared.owner, shared.board, shared.timing
        self._retry_s = None if spec.retry_s is None else shared.timing.sink_retry_s or spec.retry_s
        self._pictures: LatestSlot[tuple[Picture, bool]] = LatestSlot()
        """Each with the value of `_takes_all` at the time."""
        self._takes_all = not spec.from_first_matte
        """Whether the first matte of the program has come, or the sink takes cards before it as well."""
        self._sent: Picture | None = None
        self._sink: FrameSink | None = None
        self._camera: CameraSink | None = None
        self._counted: CountedSink | None = None
        self._asked: tuple[Settings | None, Any] = (None, None)
        """Settings, and the sink that they ask for."""
        self._tried: Any = None
        """The settings for which a sink is open or has failed to open."""
        self._retry_at_s: float | None = None
        self._finishes = False
        """Whether the sink is being closed."""
        self.shown: str | None = None
        """The open sink in the status: its device or its name (any thread)."""
        self.thread = Worker(spec.name.replace("_", "-"), self._run, spec.stage)

    @property
    def device(self) -> str | None:
        """The device of an open camera, whose readers are those of the device (any thread)."""
        camera = self._camera
        return None if camera is None else camera.device

    @property
    def wanted(self) -> Any:
        """The sink that the settings in force ask for; None for no such sink (any thread)."""
        settings, asked = self._owner.current, self._asked
        if asked[0] is not settings:
            asked = self._asked = settings, self.spec.wanted(settings)
        return asked[1]

    @property
    def decided(self) -> bool:
        """Whether the sink that the settings ask for is open or has failed to open (any thread)."""
        return bool(self._tried == self.wanted)

    @property
    def readers(self) -> int | None:
        """The readers of an open sink that counts them itself (any thread)."""
        counted = self._counted
        return None if counted is None else counted.readers

    def send(self, picture: Picture) -> None:
        """Hand over a picture (any thread)."""
        if picture.kind is not PictureKind.STANDBY:
            self._takes_all = True
        if self._sink is None and self._tried is None and self.wanted is None:
            return  # do not wake a thread that has nothing to do
        self._pictures.put((picture, self._takes_all))

    def finish(self) -> None:
        """Accept no further pictures: what was handed over is still sent, then the sink is closed."""
        self._pictures.close()

    def _run(self, stop: threading.Event) -> None:
        try:
            while True:
                try:
                    item = self._pictures.get()
                except SlotClosed:
                    return
                if item is not None:
                    if self._follow(item[0]):
                        item = self._newer_than(item)
                    self._send(*item)
        finally:
            self._close()

    @property
    def active(self) -> bool:
        """Whether a sink is open."""
        return self._sink is not None

    def join(self, deadline_s: float) -> None:
        """Wait for the end until this time of time.monotonic(), and longer for a file that is being finished."""
        if not self.thread.join(deadline_s - time.monotonic()) and self._finishes:
            self.thread.join(FINISH_S)

    def _follow(self, picture: Picture) -> bool:
        """Open or close the sink as the settings ask; return whether a sink was opened, which may take seconds."""
        wanted = self.wanted
        due = self._retry_at_s is not None and time.monotonic() >= self._retry_at_s
        if wanted == self._tried and not due:
            return False
        self._retry_at_s = None
        if wanted is None:
            self._report(None)
            self._close()
        else:
            self._open(wanted, picture)
        self._tried = wanted
        return wanted is not None

    def _open(self, wanted: Any, picture: Picture) -> None:
        """Open another sink; where that fails, the one in use stays open."""
        try:
            name = self.spec.name.replace("_", " ")
            with self.thread.calling(
                lambda: t(
                    "The output {output} does not open; close the programs that use it, or start the program again "
                    "with another output.",
                    output=name,
                ),
                self._timing.open_hang_s,
            ):
                sink = self.spec.open(wanted, *self._size_for(picture), self._context)
        except Exception as error:  # noqa: BLE001 - carried to the status
            if self.spec.optional(wanted):
                self._report(None)  # that of the device that was wanted before
            else:
                self._report(error)
            self._plan_retry()
            return
        self._report(None)
        self._close()
        self._use(sink)

    def _size_for(self, picture: Picture) -> tuple[int, int]:
        """Return the size in which to open the sink: a camera stays portrait or landscape, and adds bars."""
        capture, (width, height) = self._owner.current.capture, picture.size
        turned = (width < height) != (capture.width < capture.height)
        return (capture.width, capture.height) if turned and self.spec.waits_for_readers else picture.size

    def _use(self, sink: FrameSink | None) -> None:
        self._sink = sink
        self._camera = sink if isinstance(sink, CameraSink) else None
        self._counted = sink if isinstance(sink, CountedSink) else None
        self.shown = self.device or (None if sink is None else sink.name)

    def _newer_than(self, item: tuple[Picture, bool]) -> tuple[Picture, bool]:
        """Return the picture that arrived while the sink was opened, or `item`."""
        try:
            return self._pictures.get(0) or item
        except SlotClosed:
            return item

    def _send(self, picture: Picture, taken: bool) -> None:
        repeats, self._sent = picture is self._sent, picture
        sink = self._sink
        if sink is None or not taken:
            return
        outgoing = self._gate.release(picture)  # now: opening the sink may have taken seconds
        started_s = time.perf_counter()
        try:
            with self.thread.calling(
                lambda: t(
                    "{device} does not respond; close the programs that use it, or start the program again with "
                    "another output.",
                    device=sink.name,
                ),
                self._timing.hang_s,
            ):
                sink.send(outgoing)
        except Exception as error:  # noqa: BLE001 - carried to the status
            self._report(error)
            self._close()
            self._plan_retry()
            return
        if self.readers == 0:
            return  # the sink discards pictures
        now_s = time.perf_counter()
        self._board.output_ms.add(now_s - started_s)
        if not repeats and outgoing.frame is not None:
            self._board.end_to_end_ms.add(now_s - outgoing.frame.captured_at_s)

    def _report(self, problem: Exception | None) -> None:
        self._board.report(self.spec.stage, problem, self.thread.name)

    def _plan_retry(self) -> None:
        if self._retry_s is not None:
            self._retry_at_s = time.monotonic() + self._retry_s

    def _close(self) -> None:
        sink, self._sink = self._sink, None
        if sink is None:
            return
        self._finishes = True
        try:
            sink.close()
        except Exception as error:  # noqa: BLE001 - carried to the status
            self._report(error)
        finally:
            self._finishes = False
            self._use(None)  # only now is a recording finished
