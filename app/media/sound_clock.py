"""Times of the sound of a film, counted by its samples."""

from __future__ import annotations

from fractions import Fraction

from app.media.film_clock import JOIN_S

SURE_GAP = 4
"""Pieces in a row that must be late, before a gap below JOIN_S is one: live streams deliver single pieces early or
late."""
ROUNDED_TICKS = Fraction(3, 2)
"""Ticks of the file by which a rounded time may differ."""


class SoundClock:
    """Gives each piece of sound the time at which the one before it ends; only real gaps move the clock.

    Files round times, in Matroska to milliseconds. In MP4, whose players count samples, rounded times are packets of
    uneven length, which browsers and QuickTime play with crackle.
    """

    def __init__(self) -> None:
        self.next_s: Fraction | None = None
        """When the last piece ends, in seconds; None before the first."""
        self.first_s: Fraction | None = None
        """When the first piece starts."""
        self._late = 0

    def place(self, stamp_s: Fraction, lasts_s: Fraction, tick_s: Fraction) -> Fraction | None:
        """Return when the next piece starts; None where it is one too many, and is to be left out.

        stamp_s: what the file says. lasts_s: duration by its samples. tick_s: unit of the times of the file.
        """
        if self.next_s is None:
            self.first_s = stamp_s
            self.next_s = stamp_s
        late_s = stamp_s - self.next_s
        if late_s <= -lasts_s and -late_s > ROUNDED_TICKS * tick_s:
            # More samples than time has passed, as of a sound card that runs fast.
            return None
        is_late = late_s > max(lasts_s / 2, ROUNDED_TICKS * tick_s)
        self._late = self._late + 1 if is_late else 0
        if late_s > JOIN_S or self._late >= SURE_GAP:
            self.next_s = stamp_s
            self._late = 0
        start_s = self.next_s
        self.next_s += lasts_s
        return start_s
