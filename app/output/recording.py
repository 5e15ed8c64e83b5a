"""How recordings are made: times of their frames, and the encoder's thread."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from app.core.threads import lower_priority, name_thread
from app.core.types import Picture
from app.media.recording_writer import RecordingWriter
from app.output.base import SinkContext

REPEAT_S = 0.25
"""Interval at which an unchanged picture is written again: the file lags by up to three frames, and a crash must not
lose more than a second."""
SHORTEST_STEP_S = 0.001
"""Distance of two frames whose own times are in the wrong order, such as a composite after the stand-by card."""


class VariableTimes:
    """Each new picture once, at the time at which its frame was captured; the stand-by card when it is sent."""

    def __init__(self, fps: float) -> None:
        """fps: nominal frame rate."""
        self._interval_s = 1 / fps
        self._start_s: float | None = None
        self._last: Picture | None = None
        self._last_s = 0.0
        self._lag_s: float
        """Age of the last new picture when it was sent: repetitions keep its distance to the clock."""

    def next(self, picture: Picture, now_s: float) -> float | None:
        """Return the time of the next picture in seconds from the first one; None if it is not written."""
        is_new = picture is not self._last
        if is_new:
            self._last = picture
            self._lag_s = 0.0 if picture.frame is None else max(0.0, now_s - picture.frame.captured_at_s)
        at_s = now_s - self._lag_s
        if self._start_s is None:
            self._start_s = at_s
            return 0.0
        time_s = at_s - self._start_s
        if not is_new and time_s < self._last_s + REPEAT_S:
            return None
        self._last_s = max(time_s, self._last_s + SHORTEST_STEP_S)
        return self._last_s

    def end(self, now_s: float) -> float | None:
        """Return the time at which the last picture is written once more at the end; None if it is not."""
        if self._start_s is None:
            return None
        time_s = now_s - self._lag_s - self._start_s - self._interval_s
        return time_s if time_s > self._last_s + self._interval_s / 2 else None


class ConstantTimes:
    """Every picture, repetitions included, at multiples of the frame interval. Gaps are left to the writer."""

    def __init__(self, rate: Fraction) -> None:
        """rate: frames per second."""
        self._rate = rate
        self._start_s: float | None = None
        self._tick = -1

    def next(self, picture: Picture, now_s: float) -> Fraction:
        """See `VariableTimes`."""
        if self._start_s is None:
            self._start_s = now_s
        self._tick = max(self._tick + 1, round((now_s - self._start_s) * self._rate))
        return self._tick / self._rate

    def end(self, now_s: float) -> None:
        """See `VariableTimes`."""


FrameTimes = VariableTimes | ConstantTimes
"""Decides which of the pictures sent at the rate of the output clock are written, and at which time."""


CAPACITY = 8
"""Frames that wait at most; beyond it the oldest is dropped."""
ENCODER_NICENESS = 10
"""Added to the threads of the encoder, which never hold the interpreter lock. At 19, other programs that keep the
processor busy starve a recording for seconds."""
FEEDER_NICENESS = 4
"""Added to the thread that feeds it: a thread that is preempted while it holds the lock stalls the frame path and the
window."""
PATIENT = CAPACITY // 2
"""With fewer waiting frames, one is encoded between two frame steps: x264 and OpenVINO's workers on the same cores
delay the step by more than the encoding takes."""
LONGEST_WAIT_S = 0.05
"""Longest wait for the end of a step. A machine that steps without a gap encodes during the next step."""
LONGEST_FILL_S = 1
"""Longest gap of a constant frame rate that is filled; a longer one is a suspended machine."""
Time = Fraction | float


class EncoderThread:
    """Opens a writer and writes the pictures given to it. The writer may be used elsewhere after `finish`."""

    def __init__(
        self,
        open_writer: Callable[[], RecordingWriter],
        image_of: Callable[[Picture], NDArray[np.uint8]],
        context: SinkContext,
        fill_rate: Fraction | None = None,
        sound_for: Callable[[Time], NDArray[np.int16]] | None = None,
    ) -> None:
        """image_of: the image of the writer's size. context: whose counts and gaps are used. fill_rate: the constant
        frame rate whose gaps are filled by repetitions; None for a variable one. sound_for: the samples that are
        written after the frame of this time. Waits for the writer; raises what `open_writer` raises.
        """
        self._open_writer = open_writer
        self._image_of = image_of
        self._counts, self._wait_for_gap = context.counts, context.wait_for_gap
        self._fill_rate = fill_rate
        self._sound_for = sound_for
        self._condition = threading.Condition()
        self._waiting: deque[tuple[Picture, Time]] = deque()
        self._written: Picture | None = None
        self._closed = False
        self.writer: RecordingWriter
        """The writer, which only this thread may use until `finish`."""
        self.error: Exception | None = None
        """What ended the thread; None while it works."""
        opener = threading.Thread(target=self._open, name="encoder-pool", daemon=True)
        opener.start()
        opener.join()
        if self.error is not None:
            raise self.error
        self._thread = threading.Thread(target=self._run, name="encoder", daemon=True)
        self._thread.start()

    def put(self, picture: Picture, time_s: Time) -> None:
        """Hand over a picture to be written at this time."""
        with self._condition:
            if len(self._waiting) >= CAPACITY:
                self._waiting.popleft()
                self._counts.add(dropped=1)
            self._waiting.append((picture, time_s))
            self._condition.notify()

    def finish(self) -> None:
        """Wait until everything that was handed over is written, and end the thread. Idempotent."""
        with self._condition:
            self._closed = True
            self._condition.notify()
        self._thread.join()

    def _open(self) -> None:
        # The encoder starts its threads when it is opened; they inherit name and priority.
        name_thread("encoder-pool")
        lower_priority(ENCODER_NICENESS, batch=True)
        try:
            self.writer = self._open_writer()
        except Exception as error:  # noqa: BLE001 - raised by the constructor
            self.error = error

    def _run(self) -> None:
        name_thread("encoder")
        lower_priority(FEEDER_NICENESS)
        try:
            while (item := self._next()) is not None:
                if len(self._waiting) < PATIENT and not self._closed:
                    self._wait_for_gap(LONGEST_WAIT_S)
                self._write(*item)
        except Exception as error:  # noqa: BLE001 - reported at the next frame
            self.error = error

    def _next(self) -> tuple[Picture, Time] | None:
        with self._condition:
            self._condition.wait_for(lambda: self._waiting or self._closed)
            return self._waiting.popleft() if self._waiting else None

    def _write(self, picture: Picture, time_s: Time) -> None:
        if self._fill_rate is not None:
            self._fill(time_s, self._fill_rate)
        if picture is self._written:
            self.writer.repeat(time_s)  # without another conversion
        else:
            self.writer.write(self._image_of(picture), time_s)
            self._written = picture
        self._counts.add(encoded=1)
        if self._sound_for is not None:
            self.writer.write_sound(self._sound_for(time_s))

    def _fill(self, time_s: Time, rate: Fraction) -> None:
        """Repeat the last frame up to `time_s`."""
        last_s = self.writer.last_s
        if last_s is None:
            return
        missing = round((Fraction(time_s) - last_s) * rate) - 1
        if missing > LONGEST_FILL_S * rate:
            return
        for number in range(1, missing + 1):
            self.writer.repeat(last_s + number / rate)
            self._counts.add(encoded=1)
