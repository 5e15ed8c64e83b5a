"""Times of films: clocks that start anew, the end of the last frame, sound counted by samples."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction

from av.container import InputContainer

# FFmpeg's ticks per second for times of a whole file.
AV_TIME_BASE = 1_000_000
# FFmpeg's flag of formats whose clock may start anew within a file.
TS_DISCONT = 0x200
# FFmpeg's flag of formats without times.
NO_TIMESTAMPS = 0x80
# A clock that is set back by more than this is that of another recording.
JOIN_S = Fraction(1, 10)
# So is one that leaps forward by more than this, in formats whose clock may start anew.
LEAP_S = 10
# From here on it is the clock of the file in place of a frame rate, as in what browsers record.
MAX_RATE = Fraction(1000)


def is_discontinuous(container: InputContainer) -> bool:
    """Return whether the clock may start anew within a file, as in transport streams."""
    return bool(container.format.flags & TS_DISCONT)


@dataclass(frozen=True, slots=True)
class Leap:
    """A leap of the clock of a file between two recordings; times as stamped, in seconds."""

    from_s: Fraction  # of the last frame before it
    to_s: Fraction
    shift_s: Fraction  # subtracted from the times after it

    def between(self, before_s: Fraction, after_s: Fraction) -> bool:
        """Return whether it lies between two times of one stream."""
        return before_s < self.to_s and self.from_s < after_s

    def sounds(self, seconds: Collection[int]) -> bool:
        """Return whether one of these seconds of the clock lies well within it."""
        first_s = self.from_s + 1
        last_s = self.to_s - 2
        return any(first_s < second < last_s for second in seconds)


class FrameClock:
    """Gives each frame its time in seconds from the start of the file. Times strictly increase.

    Where recordings were joined, and the clock was set back or leaps, the next frame follows one
    interval later.
    """

    def __init__(
        self,
        start_s: Fraction,
        interval_s: Fraction,
        leaps: Sequence[Leap] | None = (),
    ) -> None:
        """start_s: stamp of the start of the file. leaps: those that are closed; None for all."""
        self._start_s = start_s
        self._interval_s = interval_s
        self._leaps = leaps
        self._last_s = -interval_s
        self._stamp_s: Fraction | None = None

    def time_of(self, stamp_s: Fraction | None, tick_s: Fraction) -> Fraction:
        """Return the time of the next frame.

        stamp_s: what the file says; None: one interval after the last.
        tick_s: distance of frames with equal stamps.
        """
        follows_s = self._last_s + self._interval_s
        if stamp_s is None:
            self._last_s = follows_s
            return follows_s
        time_s = stamp_s - self._start_s
        is_set_back = self._last_s - time_s > JOIN_S
        if is_set_back or self._leaps_to(stamp_s):
            # Another recording begins.
            self._start_s += time_s - follows_s
            time_s = follows_s
        elif time_s <= self._last_s:
            # Of equal times; the later frames, and the sound, keep theirs.
            time_s = self._last_s + min(tick_s, self._interval_s)
        self._last_s = time_s
        self._stamp_s = stamp_s
        return time_s

    def _leaps_to(self, stamp_s: Fraction) -> bool:
        before_s = self._stamp_s
        if before_s is None or stamp_s - before_s <= LEAP_S:
            return False
        if self._leaps is None:
            return True
        return any(leap.between(before_s, stamp_s) for leap in self._leaps)


class FilmEnd:
    """Finds when a film ends, by its packets and frames alone.

    What a header names may be a lie: fragments of a live stream count from its start, hours before,
    those of a part of a film name the length of the whole, and crashed recorders leave any number.
    """

    def __init__(self, interval_s: Fraction, *, is_exact: bool) -> None:
        """interval_s: of the frame rate that the file names.

        is_exact: whether the durations of frames are those for which they are shown. Elsewhere a
        short one is that of a field, or of the clock.
        """
        self._interval_s = interval_s
        self._is_exact = is_exact
        self._shown = 0
        # Times of the frames that were shown.
        self._first_s = Fraction(0)
        self._last_s = Fraction(0)
        self._last_step_s = Fraction(0)
        # Durations that the file names for the last frame and the one before.
        self._named_s = Fraction(0)
        self._named_before_s = Fraction(0)
        # Start and duration of all packets together.
        self._coded_from_s: Fraction | None = None
        self._coded_s = Fraction(0)
        self._held_until_s = Fraction(0)

    def show(self, time_s: Fraction, named_s: Fraction) -> None:
        """Take the next frame in the order of showing.

        named_s: its duration by the file; 0 for none.
        """
        if self._shown == 0:
            self._first_s = time_s
        self._shown += 1
        self._last_step_s = time_s - self._last_s
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
            mean_step_s = (self._last_s - self._first_s) / (self._shown - 1)
            lasts_s = min(lasts_s, max(self._last_step_s, mean_step_s))
        return lasts_s

    @property
    def is_usual(self) -> bool:
        """Whether the last frame has the duration of the one before it, as of a constant rate."""
        if self._is_exact or self._shown < 2:
            return False
        if self._held_until_s > self._last_s + self._interval_s:
            return False
        return self._named_s == self._named_before_s

    @property
    def shown_until_s(self) -> Fraction:
        """When the frame ends that was shown last, by its own packet."""
        return self._last_s + self._lasts_s

    @property
    def end_s(self) -> Fraction:
        """When the film ends, in seconds from the start of the file."""
        coded_end_s = (self._coded_from_s or Fraction(0)) + self._coded_s
        return max(self.shown_until_s, coded_end_s, self._held_until_s)


# Pieces in a row that must be late, before a gap below JOIN_S is one: live streams deliver single
# pieces early or late.
SURE_GAP = 4
# Ticks of the file by which a rounded time may differ.
ROUNDED_TICKS = Fraction(3, 2)


class SoundClock:
    """Gives each piece of sound the end of the one before it as time; only real gaps move the
    clock.

    Files round times, in Matroska to milliseconds. In MP4, whose players count samples, rounded
    times are packets of uneven length, which browsers and QuickTime play with crackle.
    """

    def __init__(self) -> None:
        # Both None before the first piece.
        self.first_s: Fraction | None = None
        self.next_s: Fraction | None = None
        self._late_pieces = 0

    def place(self, stamp_s: Fraction, lasts_s: Fraction, tick_s: Fraction) -> Fraction | None:
        """Return when the next piece starts; None where it is one too many, and is to be left out.

        stamp_s: what the file says. lasts_s: duration by its samples. tick_s: unit of the times of
        the file.
        """
        if self.next_s is None:
            self.first_s = stamp_s
            self.next_s = stamp_s
        late_s = stamp_s - self.next_s
        if late_s <= -lasts_s and -late_s > ROUNDED_TICKS * tick_s:
            # More samples than time has passed, as of a sound card that runs fast.
            return None
        if late_s > max(lasts_s / 2, ROUNDED_TICKS * tick_s):
            self._late_pieces += 1
        else:
            self._late_pieces = 0
        if late_s > JOIN_S or self._late_pieces >= SURE_GAP:
            self.next_s = stamp_s
            self._late_pieces = 0
        start_s = self.next_s
        self.next_s += lasts_s
        return start_s
