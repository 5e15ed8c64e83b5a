"""What the service answers, independent of the HTTP library: page, offers, ICE servers, health, metrics."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from service.server.access import Access, RateLimit, client_network
from service.server.backgrounds import resolve_background
from service.server.matting import Output
from service.server.sessions import Refusal, RefusedError, Request, Sessions

PAGE = Path(__file__).parent / "page"
FILES = {
    "/": ("index.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/page.css": ("page.css", "text/css"),
}
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
STATUS = {Refusal.FULL: 503, Refusal.DRAINING: 503, Refusal.UNFIT: 400, Refusal.FAILED: 500}


class BodyTooLargeError(Exception):
    """The body of a request exceeds the limit of an offer."""


@dataclass(frozen=True, slots=True)
class HttpCall:
    """An HTTP request."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Lookups ignore case."""
    address: str
    """IP address of the client."""
    read: Callable[[], Awaitable[bytes]]
    """Returns the body. Raises BodyTooLargeError."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An HTTP response; `HEADERS` come in addition."""

    status: int
    body: bytes
    content_type: str = "text/plain"
    headers: Mapping[str, str] = field(default_factory=dict)


class Service:
    """Answers requests. An error says what is wrong with the request and nothing about the machine."""

    def __init__(
        self,
        sessions: Sessions,
        access: Access,
        rate: RateLimit,
        background_names: Callable[[], tuple[str, ...]],
        ice_servers: Callable[[], Sequence[Mapping[str, object]]] = list,
    ) -> None:
        """Connect the parts.

        background_names: what a client may ask for beside `blur[:0-100]`, `green` and `#RRGGBB`. ice_servers: STUN and
        TURN servers for the client, in the fields of WebRTC's RTCIceServer.
        """
        self._sessions = sessions
        self._access = access
        self._rate = rate
        self._wrong_tokens = RateLimit(sessions.limits.wrong_tokens_per_minute)
        self._background_names = background_names
        self._ice_servers = ice_servers
        self._routes: dict[str, Callable[[HttpCall], Awaitable[HttpAnswer]]] = {
            **dict.fromkeys(FILES, self.page),
            "/healthz": self.health,
            "/metrics": self.metrics,
            "/backgrounds": self.backgrounds,
            "/ice": self.ice,
            "/offer": self.offer,
        }

    @property
    def max_body_bytes(self) -> int:
        """Longest body of a request."""
        return self._sessions.limits.max_offer_bytes

    async def answer(self, call: HttpCall) -> HttpAnswer:
        """Return the response to a request."""
        route = self._routes.get(call.path)
        if route is None:
            return HttpAnswer(404, b"There is no such address.")
        allowed = ("POST",) if call.path == "/offer" else ("GET", "HEAD")
        if call.method not in allowed:
            return HttpAnswer(405, b"This method is not allowed here.", headers={"Allow": ", ".join(allowed)})
        return await route(call)

    async def page(self, call: HttpCall) -> HttpAnswer:
        """Return a file of the page."""
        name, kind = FILES[call.path]
        return HttpAnswer(200, (PAGE / name).read_bytes(), kind)

    async def backgrounds(self, call: HttpCall) -> HttpAnswer:
        """Return the names of the server's backgrounds."""
        return await self._refusal(call) or _json(200, ["blur", "green", *self._background_names()])

    async def ice(self, call: HttpCall) -> HttpAnswer:
        """Return the STUN and TURN servers for a client."""
        return await self._refusal(call) or _json(200, list(self._ice_servers()))

    async def health(self, call: HttpCall) -> HttpAnswer:
        """Return 200 while streams are accepted and steps end; tells the age of the last step."""
        sessions = self._sessions
        state = "draining" if sessions.draining else "stalled" if sessions.stalled else "ok"
        fields = {
            "status": state,
            "streams": sessions.count,
            "parked": sessions.parked,
            "limit": sessions.limits.streams,
            "last_step_age_s": round(sessions.last_step_age_s, 3),
        }
        return _json(200 if state == "ok" else 503, fields)

    async def metrics(self, call: HttpCall) -> HttpAnswer:
        """Return the metrics in Prometheus's text format."""
        kind = {"Content-Type": "text/plain; version=0.0.4"}
        return await self._refusal(call) or HttpAnswer(200, self._sessions.metrics.text(), headers=kind)

    async def offer(self, call: HttpCall) -> HttpAnswer:
        """Open a stream for a JSON offer {sdp, type, background?, output?}; return the answer {sdp, type}."""
        answer = await self._offer(call)
        self._sessions.metrics.offer(answer.status)
        return answer

    async def _offer(self, call: HttpCall) -> HttpAnswer:
        refusal = await self._refusal(call)
        if refusal is not None:
            return refusal
        if not self._rate.permits(
            client_network(call.address)
        ):  # after the token: strangers could fill the table of addresses
            return HttpAnswer(429, b"Too many offers; try again later.", headers={"Retry-After": "10"})
        if call.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
            return HttpAnswer(415, b"An offer has Content-Type: application/json.")
        try:
            wanted = _parsed(await asyncio.wait_for(call.read(), self._sessions.limits.request_s))
        except asyncio.TimeoutError:
            return HttpAnswer(408, b"The offer took too long.", headers={"Connection": "close"})
        except BodyTooLargeError:
            return HttpAnswer(413, b"The offer is too large.")
        if wanted is None:
            return HttpAnswer(400, b"The offer is not understood.")
        if resolve_background(wanted.background) is None:
            return HttpAnswer(400, b"There is no such background.")
        try:
            answer = await self._sessions.open(wanted)
        except RefusedError as error:
            status = STATUS[error.refusal]
            headers = {"Retry-After": str(self._sessions.limits.retry_after_s)} if status == 503 else {}
            return HttpAnswer(status, error.refusal.value.encode(), headers=headers)
        return _json(200, {"type": "answer", "sdp": answer})

    async def _refusal(self, call: HttpCall) -> HttpAnswer | None:
        """Return the response to a foreign page or a request without the token; None for others.

        A client that tries many tokens waits for the answers. The right token never waits, whoever shares its address.
        """
        if not self._access.permits_origin(call.headers.get("Origin"), call.headers.get("Host")):
            return HttpAnswer(403, b"This origin may not use the server.")
        if not self._access.knows(call.headers.get("Authorization")):
            if "Authorization" in call.headers and not self._wrong_tokens.permits(client_network(call.address)):
                await asyncio.sleep(self._sessions.limits.wrong_token_s)
            return HttpAnswer(401, b"The token is missing or wrong.", headers={"WWW-Authenticate": "Bearer"})
        return None


def _json(status: int, fields: object) -> HttpAnswer:
    return HttpAnswer(status, json.dumps(fields).encode(), "application/json")


def _parsed(body: bytes) -> Request | None:
    """Return what an offer asks for, None if it is not understood."""
    try:
        fields = json.loads(body)
        sdp, background = fields["sdp"], fields.get("background", "blur")
        output = Output(fields.get("output", "composite"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if fields.get("type") != "offer" or not isinstance(sdp, str) or not isinstance(background, str):
        return None
    return Request(sdp, background, output)
