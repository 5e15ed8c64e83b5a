"""How recordings are made, and counters of their frames."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from app.core.concurrency.turns import Turns
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
