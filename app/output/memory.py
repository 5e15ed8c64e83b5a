"""A sink that keeps frames in memory, for measurements and tests."""

from __future__ import annotations

from collections import deque

from app.core.errors import SinkLostError
from app.core.messages.output import RecordingText
from app.core.types import Picture, check_bgr


class MemorySink:
    """Keeps the newest frames. Readable on any thread."""

    def __init__(self, keep: int = 1) -> None:
        """keep: number of frames; 0 only counts them."""
        self.name = "memory"
        self.sent = 0
        """Number of frames received, repeats included."""
        self._pictures: deque[Picture] = deque(maxlen=keep)
        self._closed = False

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The newest frames, oldest first."""
        return tuple(self._pictures)

    def send(self, picture: Picture) -> None:
        """Keep the frame. Raises SinkLostError after `close`."""
        if self._closed:
            raise SinkLostError(RecordingText.CLOSED())
        check_bgr(picture.image)
        self._pictures.append(picture)
        self.sent += 1

    def close(self) -> None:
        """Accept no further frames; those received remain readable. Idempotent."""
        self._closed = True
