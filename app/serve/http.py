"""The HTTP side of the service: page, offers, health, metrics."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from app.serve.access import Access, RateLimit
from app.serve.backgrounds import resolve_background
from app.serve.matting import Output
from app.serve.sessions import Refusal, RefusedError, Request, Sessions

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
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Service:
    """Answers requests. An error says what is wrong with the request and nothing about the machine."""

    def __init__(
        self, sessions: Sessions, access: Access, rate: RateLimit, background_names: Callable[[], tuple[str, ...]]
    ) -> None:
        """background_names: what a client may ask for beside `blur[:0-100]`, `green` and `#RRGGBB`."""
        self._sessions = sessions
        self._access = access
        self._rate = rate
        self._background_names = background_names

    def application(self) -> web.Application:
        """Return the application with its routes."""
        application = web.Application(
            middlewares=[_with_headers], client_max_size=self._sessions.limits.max_offer_bytes
        )
        for path in FILES:
            application.router.add_get(path, self.page)
        application.router.add_get("/healthz", self.health)
        application.router.add_get("/metrics", self.metrics)
        application.router.add_get("/backgrounds", self.backgrounds)
        application.router.add_post("/offer", self.offer)
        return application

    async def page(self, request: web.Request) -> web.Response:
        """Return a file of the page."""
        name, kind = FILES[request.path]
        return web.Response(text=(PAGE / name).read_text(encoding="utf-8"), content_type=kind)

    async def backgrounds(self, request: web.Request) -> web.Response:
        """Return the names of the server's backgrounds."""
        self._admit(request)
        return web.json_response(["blur", "green", *self._background_names()])

    async def health(self, request: web.Request) -> web.Response:
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
        return web.json_response(fields, status=200 if state == "ok" else 503)

    async def metrics(self, request: web.Request) -> web.Response:
        """Return the metrics in Prometheus's text format."""
        self._admit(request)
        return web.Response(body=self._sessions.metrics.text(), headers={"Content-Type": "text/plain; version=0.0.4"})

    async def offer(self, request: web.Request) -> web.Response:
        """Open a stream for a JSON offer {sdp, type, background?, output?}; return the answer {sdp, type}."""
        try:
            response = await self._offer(request)
        except web.HTTPException as error:
            self._sessions.metrics.offer(error.status)
            raise
        self._sessions.metrics.offer(response.status)
        return response

    async def _offer(self, request: web.Request) -> web.Response:
        if not self._rate.permits(request.remote or ""):
            raise web.HTTPTooManyRequests(text="Too many offers; try again later.", headers={"Retry-After": "10"})
        self._admit(request)
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType(text="An offer is JSON.")
        wanted = self._parse(await request.read())
        try:
            answer = await self._sessions.open(wanted)
        except RefusedError as error:
            status = STATUS[error.refusal]
            headers = {"Retry-After": str(self._sessions.limits.retry_after_s)} if status == 503 else {}
            return web.Response(text=f"{error}.", status=status, headers=headers)
        return web.json_response({"type": "answer", "sdp": answer})

    def _admit(self, request: web.Request) -> None:
        """Raise HTTPForbidden for a foreign page, HTTPUnauthorized without the token."""
        if not self._access.permits_origin(request.headers.get("Origin"), request.headers.get("Host")):
            raise web.HTTPForbidden(text="This origin may not use the server.")
        if not self._access.knows(request.headers.get("Authorization")):
            raise web.HTTPUnauthorized(text="The token is missing or wrong.", headers={"WWW-Authenticate": "Bearer"})

    def _parse(self, body: bytes) -> Request:
        try:
            fields = json.loads(body)
            sdp, background = fields["sdp"], fields.get("background", "blur")
            output = Output(fields.get("output", "composite"))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise web.HTTPBadRequest(text="The offer is not understood.") from None
        if fields.get("type") != "offer" or not isinstance(sdp, str) or not isinstance(background, str):
            raise web.HTTPBadRequest(text="The offer is not understood.")
        if resolve_background(background) is None:
            raise web.HTTPBadRequest(text="There is no such background.")
        return Request(sdp, background, output)


@web.middleware
async def _with_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        response = await handler(request)
    except web.HTTPException as error:
        error.headers.update(HEADERS)
        raise
    response.headers.update(HEADERS)
    return response
