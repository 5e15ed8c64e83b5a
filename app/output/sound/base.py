"""Interface of sound sources."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

RATE = 48_000
"""Samples per second of every block."""
BLOCK_S = 0.02
"""Length of a block where the source can be asked for one."""
Samples: TypeAlias = NDArray[np.int16]
"""(count,) int16, mono."""


@dataclass(frozen=True, slots=True)
class SoundBlock:
    """Consecutive samples."""

    samples: Samples
    captured_at_s: float
    """Time at which the first sample was captured, on the clock of the frames (`time.perf_counter`)."""


class SoundSource(Protocol):
    """An open microphone. Opened, used and closed on one thread."""

    def read(self) -> SoundBlock:
        """Wait for the next block. Raises MicrophoneError if the device is lost."""
        ...

    def close(self) -> None:
        """Release the device. Idempotent."""
        ...


OpenSource: TypeAlias = Callable[[str], SoundSource]
"""Opens `default` or a microphone by its name; raises MicrophoneError."""


class SoundFeed(Protocol):
    """Blocks that arrive in the background."""

    def take(self) -> list[SoundBlock]:
        """Return the blocks that arrived since the last call, without waiting."""
        ...

    def close(self) -> None:
        """Release the device. Idempotent."""
        ...
