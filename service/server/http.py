"""The HTTP server: aiohttp behind an accept loop that counts connections from their first packet on."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler

from service.server.access import client_network
from service.server.limits import Limits
from service.server.service import HEADERS, BodyTooLargeError, HttpAnswer, HttpCall, Service

MAX_LINE_BYTES = 4096
"""Of the request line, and of one header."""
MAX_HEADERS = 64
BACKLOG = 128
ACCEPT_AGAIN_S = 0.1
"""Wait after the system refused to accept a connection, such as for want of descriptors."""


class HttpServer:
    """Answers HTTP requests with the service. Used on the event loop.

    A connection takes a place from accept on, while it shakes hands for TLS as well: aiohttp itself learns of a
    connection only after that.
    """

    def __init__(self, service: Service, limits: Limits, tls: ssl.SSLContext | None = None) -> None:
        self._limits = limits
        self._tls = tls
        self._service = service
        self._listeners: list[socket.socket] = []
        self._accepting: list[asyncio.Task[None]] = []
        self._serving: set[asyncio.Task[None]] = set()
        self._connections: Counter[str] = Counter()
        """By client."""
        self._lost: dict[RequestHandler, asyncio.Event] = {}

    @property
    def port(self) -> int:
        """The port that it listens on, for one that the system chose."""
        return int(self._listeners[0].getsockname()[1])

    @property
    def connections(self) -> int:
        """Connections that take a place."""
        return self._connections.total()

    async def start(self, host: str, port: int) -> None:
        """Listen at every address of a host that this machine has. port: 0 for one that is free. Raises OSError."""
        loop = asyncio.get_running_loop()
        self._http = _Server(self._service, self._limits, self._lost)
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        missing: OSError | None = None
        for family, address in dict.fromkeys((family, address) for family, *_, address in found):
            try:
                listener = socket.create_server(address[:2], family=family, backlog=BACKLOG)
            except OSError as error:
                if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                    raise
                missing = error  # such as ::1 of localhost where IPv6 is off
                continue
            listener.setblocking(False)
            self._listeners.append(listener)
            self._accepting.append(asyncio.create_task(self._accept(listener)))
        if missing is not None and not self._listeners:
            raise missing

    async def close(self) -> None:
        """Close listeners and connections; requests in progress have a second. Idempotent."""
        for task in self._accepting:
            task.cancel()
        await asyncio.gather(*self._accepting, return_exceptions=True)
        for listener in self._listeners:
            listener.close()
        if self._accepting:
            self._http.pre_shutdown()
            await self._http.shutdown(1.0)
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(0)  # accepting does not yield while connections wait
            try:
                connected, (address, *_) = await loop.sock_accept(listener)
            except OSError:
                await asyncio.sleep(ACCEPT_AGAIN_S)
                continue
            client = client_network(address)
            limits = self._limits
            if self.connections >= limits.connections or self._connections[client] >= limits.connections_of_client:
                connected.close()
                continue
            self._connections[client] += 1
            task = asyncio.create_task(self._serve(connected, client))
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)

    async def _serve(self, connected: socket.socket, client: str) -> None:
        """Shake hands, and wait until the connection is lost or its time is over."""
        handler = self._http()
        lost = self._lost[handler] = asyncio.Event()
        try:
            transport, _ = await asyncio.get_running_loop().connect_accepted_socket(
                lambda: handler,
                connected,
                ssl=self._tls,
                ssl_handshake_timeout=self._limits.handshake_s if self._tls else None,
                ssl_shutdown_timeout=self._limits.hang_up_s if self._tls else None,
            )
            if not await _within(lost, self._limits.connection_s):
                handler.close()  # after the answer to the request in progress
                if not await _within(lost, self._limits.hang_up_s):
                    transport.abort()
        except OSError:  # no handshake in time, or none at all
            connected.close()
        finally:
            del self._lost[handler]
            self._connections[client] -= 1
            self._connections += Counter()  # forgets clients without connections


class _Server(web.Server):
    """aiohttp's part: parses requests, and notes lost connections."""

    def __init__(self, service: Service, limits: Limits, lost: dict[RequestHandler, asyncio.Event]) -> None:
        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            return _response(await service.answer(_call(request)))

        super().__init__(
            handle,
            request_factory=_request_factory(service.max_body_bytes),
            handler_cancellation=True,  # who is gone takes no more time
            access_log=None,
            keepalive_timeout=limits.request_s,
            lingering_time=1.0,
            auto_decompress=False,  # a packed offer could unpack to any size
            max_line_size=MAX_LINE_BYTES,
            max_field_size=MAX_LINE_BYTES,
            max_headers=MAX_HEADERS,
        )
        self._lost = lost

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        if handler in self._lost:
            self._lost[handler].set()


def _request_factory(max_body_bytes: int) -> Callable[..., web.BaseRequest]:
    loop = asyncio.get_running_loop()

    def make(
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: RequestHandler,
        writer: AbstractStreamWriter,
        task: asyncio.Task[None],
    ) -> web.BaseRequest:
        return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=max_body_bytes)

    return make


async def _within(event: asyncio.Event, seconds: float) -> bool:
    with suppress(asyncio.TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    return event.is_set()


def _call(request: web.BaseRequest) -> HttpCall:
    async def read() -> bytes:
        try:
            return await request.read()
        except web.HTTPRequestEntityTooLarge as error:
            raise BodyTooLargeError from error

    return HttpCall(request.method, request.path, request.headers, request.remote or "", read)


def _response(answer: HttpAnswer) -> web.Response:
    response = web.Response(body=answer.body, status=answer.status, headers={**HEADERS, **answer.headers})
    if "Content-Type" not in answer.headers:
        response.content_type = answer.content_type
        response.charset = "utf-8"
    return response
