"""Runs the service until a signal: builds its parts, listens, drains."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import os
import signal
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from ipaddress import ip_address

import cv2

from app.api import EdgeSettings, Matting
from app.core.errors import MattecamError, UsageError
from app.core.files.disk_errors import why_not_read
from app.core.files.names import is_special
from app.core.messages.remote import ServeText
from app.core.settings import StrictLevel
from app.core.text import Text
from app.core.threads import cpu_share
from app.matting.base.interface import MattingEngine
from app.privacy.self_test import self_test
from app.system.process import disable_core_dumps, surviving_hangup
from app.system.start import stopping
from service.server.access import Access, RateLimit, token_of
from service.server.backgrounds import background_names, resolve_background
from service.server.descriptors import raise_descriptor_limit
from service.server.encoding import use_clean_encoder
from service.server.http import HttpServer
from service.server.ice_file import IceServers, read_ice_servers
from service.server.limits import Limits, streams_for
from service.server.matting import Output, StreamMatting
from service.server.options import ServeOptions
from service.server.service import Service
from service.server.sessions import Request, Sessions
from service.webrtc.receiving import repair_aiortc

QUIET_LOGGERS = ("aiohttp", "aioice", "aiortc")
"""They name addresses of clients."""


def is_loopback(host: str) -> bool:
    """Return whether only this machine can connect to an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def tls_context(options: ServeOptions) -> ssl.SSLContext | None:
    """Return the context for the certificate of the options, None without one. Raises UsageError."""
    cert, key = options.tls_cert, options.tls_key
    if cert is None and key is None:
        return None
    if cert is None or key is None:
        raise UsageError(ServeText.NEEDS_BOTH())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    unfit = "they are not a certificate (PEM) and its private key"
    if is_special(cert) or is_special(key):  # a pipe could be waited for without end
        raise UsageError(ServeText.TLS_FILES(cert=cert, key=key, reason=unfit))
    try:
        context.load_cert_chain(cert, key)
    except (OSError, ssl.SSLError) as error:  # an SSLError's own text names a line of OpenSSL's source
        reason = unfit if isinstance(error, ssl.SSLError) else why_not_read(error)
        raise UsageError(ServeText.TLS_FILES(cert=cert, key=key, reason=reason)) from error
    return context


def stream_matting(request: Request, precision: str = "auto", strict: StrictLevel = "balanced") -> StreamMatting:
    """Return the matting of a new stream. Its engine is built on the stream's own thread.

    strict: of the composite; a client that composites applies its own. precision: as in `Matting`; benchmarks set it.
    """
    background = resolve_background(request.background) or "blur"
    edges = EdgeSettings(strict=strict if request.output is Output.COMPOSITE else "off")
    if request.output is Output.MATTE:
        background = "green"

    def make() -> Matting:
        return Matting(background=background, edges=edges, precision=precision)

    return StreamMatting(make, self_test, request.output)


def check_engine(test: Callable[[MattingEngine, int, int], None] = self_test) -> None:
    """Build an engine and test it, so that a service that cannot matte does not start. Raises MattecamError."""
    import numpy as np

    with Matting() as matting:
        engine, _ = matting.prepare(np.zeros((360, 640, 3), np.uint8), 0.0)
        test(engine, 640, 360)


def run(options: ServeOptions, tell: Callable[[str], None], prepare: Callable[[], object]) -> bool:
    """Serve until SIGINT, SIGTERM or SIGHUP; return whether SIGINT ended it. Raises MattecamError.

    prepare: what takes long and comes after the options and their files were found to be right.
    """
    loopback = is_loopback(options.host)
    if not loopback and options.token_file is None:
        raise UsageError(ServeText.NEEDS_TOKEN(host=options.host))
    tls = tls_context(options)
    ice = read_ice_servers(options.ice_servers)
    token = None
    if options.token_file is not None:
        token, created = token_of(options.token_file)
        if created:
            tell(ServeText.TOKEN_CREATED(file=options.token_file))
    if tls is None and not loopback:
        tell(ServeText.NO_TLS())
    prepare()
    prepare_process()
    access = Access(token, loopback_only=loopback)
    limits = Limits(streams=options.streams or streams_for(cpu_share()))
    return asyncio.run(_serve(options, limits, access, ice, tls, tell))


def prepare_process() -> None:
    """Prepare logs, descriptors and aiortc; forbid core dumps; check that frames are matted. Raises MattecamError."""
    disable_core_dumps()  # also in a replica, whose process Ray starts
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    repair_aiortc()
    use_clean_encoder()
    raise_descriptor_limit()
    cv2.setNumThreads(1)
    check_engine()
    gc.collect()
    gc.freeze()  # what is loaded now stays: to look through it again stops all streams for a tenth of a second


def make_service(
    limits: Limits, access: Access, ice: IceServers, strict: StrictLevel = "balanced"
) -> tuple[Service, Sessions]:
    """Return the service without an HTTP server, and its streams. strict: see `ServeOptions`."""
    sessions = Sessions(partial(stream_matting, strict=strict), limits, ice_servers=ice.current)

    def ice_servers() -> list[dict[str, object]]:
        return [server.as_json() for server in ice.current()]

    rate = RateLimit(limits.offers_per_minute)
    return Service(sessions, access, rate, background_names, ice_servers), sessions


async def _serve(
    options: ServeOptions,
    limits: Limits,
    access: Access,
    ice: IceServers,
    tls: ssl.SSLContext | None,
    tell: Callable[[str], None],
) -> bool:
    service, sessions = make_service(limits, access, ice, options.strict)
    http = HttpServer(service, limits, tls)
    try:
        try:
            await http.start(options.host, options.port)
        except OSError as error:
            raise MattecamError(_why_not_listening(options, error)) from error
        host = f"[{options.host}]" if ":" in options.host else options.host
        address = f"{'https' if tls else 'http'}://{host}:{options.port}/"
        tell(ServeText.LISTENING(streams=limits.streams, address=address))
        return await _until_signal(sessions, tell)
    finally:
        await sessions.close()
        await http.close()


def _why_not_listening(options: ServeOptions, error: OSError) -> Text:
    if isinstance(error, socket.gaierror):
        return ServeText.HOST(host=options.host, reason=error.strerror or str(error))
    reason = os.strerror(error.errno or 0)  # asyncio's own text repeats the address
    if error.errno == errno.EADDRNOTAVAIL:
        return ServeText.HOST(host=options.host, reason=reason)
    return ServeText.PORT(host=options.host, port=options.port, reason=reason)


async def _until_signal(sessions: Sessions, tell: Callable[[str], None]) -> bool:
    """Wait for a signal; drain after SIGTERM and SIGHUP. Return whether SIGINT came."""
    loop = asyncio.get_running_loop()
    signals: list[int] = []
    first, cut = asyncio.Event(), asyncio.Event()

    with surviving_hangup() as leave_terminal:

        def received(number: int) -> None:
            leave_terminal(number)
            signals.append(number)
            (cut if first.is_set() or number == signal.SIGINT else first).set()
            first.set()

        for number in stopping():
            with suppress(NotImplementedError):  # Windows: Ctrl+C raises KeyboardInterrupt
                loop.add_signal_handler(number, received, number)
        await first.wait()
        if not cut.is_set() and sessions.count:
            tell(ServeText.DRAINING(seconds=f"{sessions.limits.drain_s:.0f}", streams=sessions.count))
        await sessions.drain(cut)
    return signal.SIGINT in signals
