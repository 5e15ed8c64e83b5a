"""A sink that keeps pictures in memory: for measurements and tests, and where nothing is to be shown."""

from __future__ import annotations

from collections import deque

from app.core.errors import SinkLostError
from app.core.messages.output import RecordingText
from app.core.types import Picture, check_bgr


class MemorySink:
    """Keeps the newest pictures; read on any thread."""

    def __init__(self, keep: int = 1) -> None:
        """keep: how many pictures; 0 only counts."""
        self.name = "memory"
        self.sent = 0
        """How many pictures came, repeats included."""
        self._pictures: deque[Picture] = deque(maxlen=keep)
        self._closed = False

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The newest pictures, oldest first."""
        return tuple(self._pictures)

    def send(self, picture: Picture) -> None:
        """Keep the picture. Raises SinkLostError after `close`."""
        if self._closed:
            raise SinkLostError(RecordingText.CLOSED())
        check_bgr(picture.image)
        self._pictures.append(picture)
        self.sent += 1

    def close(self) -> None:
        """Take no further pictures; those that came stay readable."""
        self._closed = True
