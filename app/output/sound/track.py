"""The sound track of a recording: a gapless stream of samples, aligned with the frames by capture times."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.output.sound.microphone import RATE, Samples, SoundBlock

TOLERANCE = round(0.02 * RATE)
"""Deviation in samples from which a block is moved at once; smaller ones are corrected by resampling."""
SMOOTHING = 0.1
"""Weight of a block's deviation in the running mean, because capture times jitter."""
GAIN = 0.02
"""Share of the mean deviation that one block corrects."""
MOST_STRETCH = 0.005
"""Largest change of a block's length, as a fraction."""
LATEST_S = 0.3
"""Sound that arrives later than this after its frame is replaced by silence, so that no frame waits for it."""


class SoundTrack:
    """Places blocks on the time line of the file. Gaps are filled with silence, overlaps are cut.

    The clock of a sound card drifts against that of the frames: blocks are stretched or shortened to follow their
    capture times.
    """

    def __init__(self, origin_s: float) -> None:
        """origin_s: capture time at which the file begins."""
        self._origin_s = origin_s
        self._length = 0
        """Samples returned so far."""
        self._deviation = 0.0
        self._aligned = False

    def add(self, blocks: Sequence[SoundBlock], frame_s: float, *, final: bool = False) -> Samples:
        """Return the samples that follow the previous ones.

        frame_s: time of the frame in the file. final: the file ends there; the sound ends there as well.
        """
        start = self._length
        parts = [part for block in blocks for part in self._placed(block)]
        due = round(frame_s * RATE) if final else round((frame_s - LATEST_S) * RATE)
        if due > self._length:
            parts.append(self._silence(due - self._length))
            self._aligned = False
        samples = np.concatenate(parts) if parts else np.zeros(0, np.int16)
        if final and self._length > due:
            samples = samples[: max(0, due - start)]
            self._length = start + len(samples)
        return samples

    def _placed(self, block: SoundBlock) -> list[Samples]:
        samples, parts = block.samples, []
        deviation = round((block.captured_at_s - self._origin_s) * RATE) - self._length
        if not self._aligned or abs(deviation) > TOLERANCE:
            if deviation > 0:
                parts.append(self._silence(deviation))
            samples = samples[max(0, -deviation) :]
            self._aligned, self._deviation = len(samples) > 0, 0.0
        else:
            self._deviation += (deviation - self._deviation) * SMOOTHING
            most = len(samples) * MOST_STRETCH
            samples = _stretched(samples, round(np.clip(self._deviation * GAIN, -most, most)))
        self._length += len(samples)
        return [*parts, samples]

    def _silence(self, count: int) -> Samples:
        self._length += count
        return np.zeros(count, np.int16)


def _stretched(samples: Samples, more: int) -> Samples:
    """Return the samples, linearly resampled to `more` samples more."""
    if more == 0:
        return samples
    places = np.linspace(0, len(samples) - 1, len(samples) + more)
    return np.rint(np.interp(places, np.arange(len(samples)), samples)).astype(np.int16)
