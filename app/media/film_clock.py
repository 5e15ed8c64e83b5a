"""Times of the frames of a film: clocks that start anew, and when the last frame ends."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction

from av.container import InputContainer

AV_TIME_BASE = 1_000_000
"""FFmpeg's ticks per second for times of a whole file."""
TS_DISCONT, NO_TIMESTAMPS = 0x200, 0x80
"""FFmpeg's flags of formats whose clock may start anew within a file, and of those without times."""
JOIN_S = Fraction(1, 10)
"""A clock that is set back by more than this is that of another recording."""
LEAP_S = 10
"""So is one that leaps forward by more than this, in formats whose clock may start anew."""
MAX_RATE = Fraction(1000)
"""From here on it is the clock of the file in place of a frame rate, as in what browsers record."""


def is_discontinuous(container: InputContainer) -> bool:
    """Return whether the clock of this format may start anew within a file, as in transport streams."""
    return bool(container.format.flags & TS_DISCONT)


@dataclass(frozen=True, slots=True)
class Leap:
    """A leap of the clock of a file between two recordings; times as stamped, in seconds."""

    from_s: Fraction
    """Time of the last frame before it."""
    to_s: Fraction
    shift_s: Fraction
    """What is subtracted from the times after it."""

    def between(self, before_s: Fraction, after_s: Fraction) -> bool:
        """Return whether it lies between two times of one stream."""
        return before_s < self.to_s and self.from_s < after_s

    def sounds(self, seconds: Collection[int]) -> bool:
        """Return whether one of these seconds of the clock lies within it, but for a second at its ends."""
        return any(self.from_s + 1 < second < self.to_s - 2 for second in seconds)


class FrameClock:
    """Gives each frame its time in seconds from the start of the file. Times strictly increase.

    Where recordings were joined, and the clock was set back or leaps, the next frame follows one interval later.
    """

    def __init__(self, start_s: Fraction, interval_s: Fraction, leaps: Sequence[Leap] | None = ()) -> None:
        """start_s: stamp of the start of the file. leaps: those that are closed; None for all."""
        self._start_s, self._interval_s, self._leaps = start_s, interval_s, leaps
        self._last_s = -interval_s
        self._stamp_s: Fraction | None = None

    def time_of(self, stamp_s: Fraction | None, tick_s: Fraction) -> Fraction:
        """Return the time of the next frame. stamp_s: what the file says; None: one interval after the last.

        tick_s: distance of frames with equal stamps.
        """
        follows_s = self._last_s + self._interval_s
        time_s = follows_s if stamp_s is None else stamp_s - self._start_s
        if self._last_s - time_s > JOIN_S or (stamp_s is not None and self._leaps_to(stamp_s)):
            self._start_s += time_s - follows_s
            time_s = follows_s
        elif time_s <= self._last_s:  # of equal times: the later frames, and the sound, keep theirs
            time_s = self._last_s + min(tick_s, self._interval_s)
        self._last_s = time_s
        self._stamp_s = self._stamp_s if stamp_s is None else stamp_s
        return time_s

    def _leaps_to(self, stamp_s: Fraction) -> bool:
        before_s = self._stamp_s
        if before_s is None or stamp_s - before_s <= LEAP_S:
            return False
        return self._leaps is None or any(leap.between(before_s, stamp_s) for leap in self._leaps)


class FilmEnd:
    """Finds when a film ends, by its packets and frames alone.

    What a header names may be a lie: fragments of a live stream count from its start, hours before,
    those of a part of a film name the length of the whole, and crashed recorders leave any number.
    """

    def __init__(self, interval_s: Fraction, *, is_exact: bool) -> None:
        """interval_s: of the frame rate that the file names.

        is_exact: whether the durations of frames are those for which they are shown. Elsewhere a short
        one is that of a field, or of the clock.
        """
        self._interval_s = interval_s
        self._is_exact = is_exact
        self._shown = 0
        self._first_s = self._last_s = self._step_s = Fraction(0)
        self._named_s = self._named_before_s = Fraction(0)
        self._coded_from_s: Fraction | None = None
        self._coded_s = Fraction(0)
        self._held_until_s = Fraction(0)

    def show(self, time_s: Fraction, named_s: Fraction) -> None:
        """Take the next frame in the order of showing. named_s: its duration by the file; 0 for none."""
        if self._shown == 0:
            self._first_s = time_s
        self._shown += 1
        self._step_s = time_s - self._last_s
        self._last_s = time_s
        self._named_before_s = self._named_s
        self._named_s = named_s

    def code(self, time_s: Fraction, named_s: Fraction) -> None:
        """Take a packet of a format that times the packets in the order of decoding, as MP4.

        The duration of the frame that is shown last is then that of another packet; all of them
        together last as long as the film.
        """
        if self._coded_from_s is None or time_s < self._coded_from_s:
            self._coded_from_s = time_s
        self._coded_s += named_s

    def hold(self, until_s: Fraction) -> None:
        """Take a time up to which the file repeats its last frame."""
        self._held_until_s = until_s

    @property
    def _lasts_s(self) -> Fraction:
        if self._is_exact and self._named_s:
            return self._named_s
        lasts_s = max(self._named_s, self._interval_s)
        if self.is_usual:
            # The rate may be wrong, and the frames come faster.
            mean_s = (self._last_s - self._first_s) / (self._shown - 1)
            lasts_s = min(lasts_s, max(self._step_s, mean_s))
        return lasts_s

    @property
    def is_usual(self) -> bool:
        """Whether the file names no other duration for the last frame than for the one before, but that of a rate."""
        is_held = self._held_until_s > self._last_s + self._interval_s
        return not self._is_exact and not is_held and self._shown > 1 and self._named_s == self._named_before_s

    @property
    def shown_until_s(self) -> Fraction:
        """When the frame ends that was shown last, by its own packet."""
        return self._last_s + self._lasts_s

    @property
    def end_s(self) -> Fraction:
        """When the film ends, in seconds from the start of the file."""
        coded_end_s = (self._coded_from_s or Fraction(0)) + self._coded_s
        return max(self.shown_until_s, coded_end_s, self._held_until_s)
