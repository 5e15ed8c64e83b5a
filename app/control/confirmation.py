"""Wait until the status of the program shows that a change took effect."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from app.control.commands import JsonValue

POLL_S = 0.02
SETTLED_FRAMES = 2
"""Workers apply settings at the next frame; one more is needed since that frame may be in progress."""
ROUNDS = 2
"""So many frames begin to prepare what a change needs, and as many use it; no poll may have seen it prepared."""
IDLE_S = 0.6
"""Longest interval at which workers read the settings while they process no frames."""
STALLED_S = 2.0
"""Stop waiting after this time without a frame, for example while the output is frozen."""

Status = Mapping[str, JsonValue]


class Confirmation:
    """Polls the status, for a limited time. Thread-safe."""

    def __init__(self, status: Callable[[], Status], timeout_s: float) -> None:
        self._status = status
        self._timeout_s = timeout_s
        self._closed = threading.Event()

    def close(self) -> None:
        """Cancel all waits."""
        self._closed.set()

    def wait(self, seconds: float) -> bool:
        """Wait; return whether waits were cancelled."""
        return self._closed.wait(seconds)

    def wait_for(self, took_effect: Callable[[Status], bool]) -> bool:
        """Wait until `took_effect(status)`; return False if it does not within the time limit."""
        deadline_s = time.monotonic() + self._timeout_s
        while not took_effect(self._status()):
            if time.monotonic() >= deadline_s or self._closed.wait(POLL_S):
                return False
        return True

    def wait_until_settled(self) -> bool:
        """Wait until the workers use the settings and no engine is being prepared; return False at the time limit."""
        rounds = 0
        since_s: float | None = time.monotonic()
        frames = _frames(self._status())

        def settled(status: Status) -> bool:
            nonlocal rounds, since_s, frames
            if status["busy"]:
                rounds, since_s = ROUNDS - 1, None
                return False
            if since_s is None:  # frames before this one may not have seen what was prepared
                since_s, frames = time.monotonic(), _frames(status)
                return False
            if _frames(status) >= frames + SETTLED_FRAMES:
                rounds, since_s, frames = rounds + 1, time.monotonic(), _frames(status)
                return rounds == ROUNDS
            return time.monotonic() - since_s >= (STALLED_S if status["phase"] == "running" else IDLE_S)

        return self.wait_for(settled)


def _frames(status: Status) -> int:
    frames = status["frames_out"]
    assert isinstance(frames, int)
    return frames
