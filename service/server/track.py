"""The video track that a client receives: composites while they are fresh, else the stand-by card."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction

from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import VideoFrame

from service.server.limits import Limits
from service.server.matting import SentFrame

CLOCK_HZ = 90_000
TIME_BASE = Fraction(1, CLOCK_HZ)


class MattedTrack(MediaStreamTrack):
    """Sends the newest `SentFrame`. It accepts nothing else, so that no unmatted frame can leave."""

    kind = "video"

    def __init__(self, limits: Limits, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._limits = limits
        self._now = now
        self._arrived = asyncio.Event()
        self._newest: tuple[SentFrame, int] | None = None
        self._card: SentFrame | None = None
        self._matted_at_s = float("-inf")
        self._last_pts = 0
        self._shift: int | None = None
        """From the times of the client's frames to those sent; None after a card."""
        self._started_s = now()

    def put(self, outgoing: SentFrame, pts: int) -> None:
        """Send this next. pts: time of its frame, in ticks of 1/90000 s."""
        if outgoing.matted:
            self._matted_at_s = self._now()
            self._newest = outgoing, pts
        else:
            self._card, self._newest, self._matted_at_s = outgoing, None, float("-inf")
        self._arrived.set()

    def set_card(self, card: SentFrame) -> None:
        """Set the card for times without composites."""
        self._card = card

    async def recv(self) -> VideoFrame:
        """Return the next frame; called by aiortc's sender. Raises MediaStreamError once the track has ended."""
        while self.readyState == "live":
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._arrived.wait(), self._limits.card_interval_s)
            self._arrived.clear()
            newest, self._newest = self._newest, None
            if newest is not None:
                return self._stamped(newest[0], newest[1])
            if self._card is not None and self._now() - self._matted_at_s >= self._limits.stale_s:
                return self._stamped(self._card, None)
        raise MediaStreamError

    def _stamped(self, outgoing: SentFrame, pts: int | None) -> VideoFrame:
        clock = round((self._now() - self._started_s) * CLOCK_HZ)
        if pts is None:
            self._shift = None
            sent = clock
        else:
            if self._shift is None:
                self._shift = clock - pts
            sent = pts + self._shift
        self._last_pts = max(sent, self._last_pts + 1)
        frame = VideoFrame.from_ndarray(outgoing.yuv, format="yuv420p")
        frame.pts, frame.time_base = self._last_pts, TIME_BASE
        return frame
