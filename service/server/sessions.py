"""All streams of the service: admission, negotiation, health, and the end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from aiortc import RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.rtcrtptransceiver import RTCRtpTransceiver

from service.server.core_semaphore import CoreSemaphore
from service.server.limits import Limits
from service.server.matting import Output, StreamMatting
from service.server.metrics import Metrics
from service.server.offer import count_candidates, count_media, names_certificate, usable_candidates
from service.server.session import StreamSession
from service.webrtc.ice import IceServer, peer_configuration

FIRST_CODECS = ("video/VP8", "video/rtx", "video/H264")
"""In order of preference: aiortc's H.264 encoder takes twice the time."""


class Refusal(Enum):
    """Why an offer is not accepted."""

    FULL = "All streams are taken."
    DRAINING = "The server is about to stop."
    UNFIT = "The offer is not one of a single video track to send and receive."
    FAILED = "The connection could not be prepared."


class RefusedError(Exception):
    """An offer was not accepted."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks for."""

    sdp: str
    background: str = "blur"
    output: Output = Output.COMPOSITE


class Sessions:
    """Opens and closes sessions. Used on the event loop."""

    def __init__(
        self,
        make_matting: Callable[[Request], StreamMatting],
        limits: Limits,
        now: Callable[[], float] = time.monotonic,
        ice_servers: Callable[[], Sequence[IceServer]] = tuple,
    ) -> None:
        """ice_servers: STUN and TURN servers of this side of a connection, with valid credentials."""
        self._make_matting = make_matting
        self.limits = limits
        self._now = now
        self._ice_servers = ice_servers
        self._cores = CoreSemaphore(limits.steps_at_once)
        self._open: set[StreamSession] = set()
        self.draining = False
        self.metrics = Metrics(lambda: self.count, limits.streams, lambda: self.last_step_age_s)

    @property
    def count(self) -> int:
        """Streams that take a place, those that are being negotiated included."""
        return len(self._open)

    @property
    def parked(self) -> int:
        """Streams without frames, whose state has been released."""
        return sum(session.parked for session in self._open)

    @property
    def last_step_age_s(self) -> float:
        """Seconds since the last step of any stream; 0 while no stream has had one."""
        ended = [session.step_ended_s for session in self._open if session.step_ended_s is not None]
        return self._now() - max(ended) if ended else 0.0

    @property
    def stalled(self) -> bool:
        """Whether a step hangs."""
        return any(session.busy_for_s > self.limits.stalled_s for session in self._open)

    async def open(self, request: Request) -> str:
        """Start a session and return the SDP of the answer. Raises RefusedError."""
        if self.draining:
            raise RefusedError(Refusal.DRAINING)
        if self.count >= self.limits.streams:
            raise RefusedError(Refusal.FULL)
        sdp = request.sdp
        if count_candidates(sdp) > self.limits.max_candidates or count_media(sdp) != 1 or not names_certificate(sdp):
            raise RefusedError(Refusal.UNFIT)
        connection = RTCPeerConnection(peer_configuration(self._ice_servers()))
        session = StreamSession(
            connection,
            self._make_matting(request),
            request.output,
            self.limits,
            self.metrics,
            self._cores,
            self._open.discard,
            self._now,
        )
        self._open.add(session)
        session.start()
        try:
            answer = _answer(connection, session, usable_candidates(sdp))
            return await asyncio.wait_for(answer, self.limits.negotiation_s)
        except BaseException as error:
            session.end("refused")
            await session.wait_closed()
            if isinstance(error, RefusedError | asyncio.CancelledError):
                raise
            raise RefusedError(Refusal.FAILED) from error

    async def drain(self, cut: asyncio.Event) -> None:
        """Refuse new streams, wait for running ones until the limit or `cut`, then close what is left."""
        self.draining = True
        deadline_s = self._now() + self.limits.drain_s
        while self.count and not cut.is_set() and self._now() < deadline_s:
            await asyncio.sleep(0.05)
        await self.close()

    async def close(self) -> None:
        """Close all sessions and wait for them, but not for a step that hangs, such as in a driver."""
        self.draining = True
        closing = [asyncio.ensure_future(session.wait_closed()) for session in self._open]
        if closing:
            await asyncio.wait(closing, timeout=self.limits.end_s)


async def _answer(connection: RTCPeerConnection, session: StreamSession, sdp: str) -> str:
    try:
        await connection.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        transceivers = connection.getTransceivers()
        if len(transceivers) != 1 or transceivers[0].kind != "video" or connection.sctp is not None:
            raise RefusedError(Refusal.UNFIT)
        _prefer_vp8(transceivers[0])
        connection.addTrack(session.track)
        answer = await connection.createAnswer()
    except Exception as error:
        raise RefusedError(Refusal.UNFIT) from error
    await connection.setLocalDescription(answer)
    return str(connection.localDescription.sdp)


def _prefer_vp8(transceiver: RTCRtpTransceiver) -> None:
    codecs = RTCRtpSender.getCapabilities("video").codecs
    known = [codec for codec in codecs if codec.mimeType in FIRST_CODECS]
    transceiver.setCodecPreferences(sorted(known, key=lambda codec: FIRST_CODECS.index(codec.mimeType)))
