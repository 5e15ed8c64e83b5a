"""The service as an aiohttp application."""

from __future__ import annotations

from aiohttp import web

from app.serve.limits import Limits
from app.serve.service import HEADERS, Answer, Call, Service, TooLargeError


def application(service: Service) -> web.Application:
    """Return an application that passes every request to the service."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return _response(await service.answer(_call(request)))

    served = web.Application(client_max_size=service.max_body_bytes)
    served.router.add_route("*", "/{path:.*}", handle)
    return served


def http_runner(service: Service, limits: Limits) -> web.AppRunner:
    """Return what serves the application. Connections without a request are closed, or they take all descriptors."""
    return web.AppRunner(
        application(service),
        access_log=None,
        shutdown_timeout=1.0,
        keepalive_timeout=limits.request_s,
        lingering_time=1.0,
    )


def _call(request: web.Request) -> Call:
    async def read() -> bytes:
        try:
            return await request.read()
        except web.HTTPRequestEntityTooLarge as error:
            raise TooLargeError from error

    return Call(request.method, request.path, request.headers, request.remote or "", read)


def _response(answer: Answer) -> web.Response:
    response = web.Response(body=answer.body, status=answer.status, headers={**HEADERS, **answer.headers})
    if "Content-Type" not in answer.headers:
        response.content_type = answer.content_type
        response.charset = "utf-8"
    return response
