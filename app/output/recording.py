"""How recordings are made: options, counters and times of their frames."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol

from app.core.concurrency.turns import Turns
from app.core.types import Picture
from app.output.sound.base import SoundFeed


class RecordingCounts:
    """Counts the frames of all recordings of a run. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._encoded = self._dropped = 0

    @property
    def encoded(self) -> int:
        """Frames that were encoded."""
        return self._encoded

    @property
    def dropped(self) -> int:
        """Frames that were left out because the encoder was too slow."""
        return self._dropped

    def add(self, *, encoded: int = 0, dropped: int = 0) -> None:
        """Count frames."""
        with self._lock:
            self._encoded += encoded
            self._dropped += dropped


@dataclass(frozen=True, slots=True)
class RecordingOptions:
    """How a recording is made."""

    fps: float
    """Nominal frame rate."""
    alpha: bool = False
    """Record the matte in grey instead of the composite."""
    constant_rate: bool = False
    """Write every picture that is sent, repetitions included, at multiples of the frame interval; otherwise only new
    ones, at their own times."""
    encoder: str = "auto"
    """As in `app.media.encoders.NAMES`."""
    open_microphone: Callable[[], SoundFeed] | None = None
    """Opens the microphone whose sound is recorded; None: the file gets no sound track."""
    counts: RecordingCounts = field(default_factory=RecordingCounts)
    turns: Turns = field(default_factory=Turns)
    """Of the frame steps, between which frames are encoded."""


REPEAT_S = 0.25
"""Interval at which an unchanged picture is written again: the file lags by up to three frames, and a crash must not
lose more than a second."""
SHORTEST_STEP_S = 0.001
"""Distance of two frames whose own times are in the wrong order, such as a composite after the stand-by card."""


class FrameTimes(Protocol):
    """Decides which of the pictures sent at the rate of the output clock are written, and at which time."""

    def next(self, picture: Picture, now_s: float) -> Fraction | float | None:
        """Return the time of the next picture in seconds from the first one; None if it is not written."""
        ...

    def end(self, now_s: float) -> Fraction | float | None:
        """Return the time at which the last picture is written once more at the end; None if it is not."""
        ...


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
        """See `FrameTimes`."""
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
        """See `FrameTimes`."""
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
        """See `FrameTimes`."""
        if self._start_s is None:
            self._start_s = now_s
        self._tick = max(self._tick + 1, round((now_s - self._start_s) * self._rate))
        return self._tick / self._rate

    def end(self, now_s: float) -> None:
        """See `FrameTimes`."""
