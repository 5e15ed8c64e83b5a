"""One replica of the fleet: the service with its streams in a process of Ray Serve."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import TYPE_CHECKING

from app.offline.batch.cluster import check_token_file
from service.fleet.options import FleetOptions
from service.fleet.scaling import STREAMS
from service.server.access import Access
from service.server.ice_file import read_ice_servers
from service.server.run import make_service, prepare_process
from service.server.service import HEADERS, BodyTooLargeError, HttpCall
from service.webrtc.token import read_token

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


class StreamReplica:
    """Deployment class of Ray Serve. The proxy passes it HTTP requests; media go straight to this process."""

    _serving = False

    def __init__(self, options: FleetOptions) -> None:
        """Build and test an engine. Raises MattecamError, after which Serve starts no replica."""
        check_token_file()
        token = read_token(options.token_file)
        ice = read_ice_servers(options.ice_servers)
        prepare_process()
        access = Access(token, loopback_only=False)
        self._service, self._sessions = make_service(options.limits, access, ice, options.strict)
        self._started_s = time.time()
        self._serving = True

    async def __call__(self, request: Request) -> Response:
        """Answer an HTTP request."""
        from starlette.responses import Response

        answer = await self._service.answer(_call(request, self._service.max_body_bytes))
        response = Response(answer.body, answer.status, {**HEADERS, **answer.headers})
        response.headers.setdefault("Content-Type", answer.content_type)
        return response

    async def check_health(self) -> None:
        """Raise RuntimeError if a step hangs; Serve then replaces the replica."""
        if self._sessions.stalled:
            raise RuntimeError(f"No matting step has ended for {self._sessions.last_step_age_s:.0f} s")

    async def record_autoscaling_stats(self) -> dict[str, float]:
        """Return the figures for `StreamScaling`."""
        return {STREAMS: float(self._sessions.count)}

    async def record_routing_stats(self) -> dict[str, float]:
        """Return the figures for `FullestFirst`."""
        sessions = self._sessions
        return {"streams": sessions.count, "limit": sessions.limits.streams, "started_s": self._started_s}

    async def drain(self) -> None:
        """Let the streams go on until they end or `drain_s` is over, then close them."""
        self._serving = False
        await self._sessions.drain(asyncio.Event())

    def __del__(self) -> Coroutine[None, None, None] | None:
        """Drain. Serve calls and awaits this when it stops the replica, which by then gets no more requests."""
        return self.drain() if self._serving else None


def _call(request: Request, max_body_bytes: int) -> HttpCall:
    async def read() -> bytes:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > max_body_bytes:
                raise BodyTooLargeError
        return bytes(body)

    address = request.client.host if request.client else ""
    return HttpCall(request.method, request.scope["path"], request.headers, address, read)
