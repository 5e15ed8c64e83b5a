"""The sound of one recording."""

from __future__ import annotations

from fractions import Fraction

from app.output.sound.base import Samples, SoundFeed
from app.output.sound.track import SoundTrack


class RecordingSound:
    """Takes the sound of a microphone and aligns it with the frames of the recording."""

    def __init__(self, microphone: SoundFeed) -> None:
        self._microphone = microphone
        self._track: SoundTrack | None = None

    def begin(self, captured_at_s: float) -> None:
        """Take the capture time of the first frame; the sound begins there."""
        self._track = SoundTrack(captured_at_s)

    def until(self, frame_s: Fraction | float) -> Samples:
        """Return the samples that arrived up to the frame of this time in the file."""
        assert self._track is not None
        return self._track.add(self._microphone.take(), float(frame_s))

    def rest(self, end_s: Fraction | float) -> Samples:
        """Return the last samples: the sound ends with the file."""
        assert self._track is not None
        return self._track.add(self._microphone.take(), float(end_s), final=True)

    def close(self) -> None:
        """Release the microphone; what it sent can still be written. Idempotent."""
        self._microphone.close()
