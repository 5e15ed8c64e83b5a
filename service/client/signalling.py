"""The HTTP side of a client: asks the server for ICE servers and offers it a stream."""

from __future__ import annotations

import asyncio
import errno
import json
import ssl
from pathlib import Path
from typing import Any

import aiohttp

from app.config.parsing import parse_server
from app.core.errors import RemoteError, UsageError
from app.core.files.disk_errors import why_not_read
from app.core.files.names import is_special
from app.core.messages.remote import RemoteText
from service.webrtc.ice import IceServer, parse_ice_servers

MAX_ANSWER_BYTES = 256 * 1024
MAX_REASON_CHARACTERS = 200
MAX_CANDIDATES = 64
"""Addresses in an answer; each is sent packets to find a path."""


_REASONS = {
    errno.ECONNREFUSED: RemoteText.NOT_LISTENING,
    errno.ENETUNREACH: RemoteText.NO_ROUTE,
    errno.EHOSTUNREACH: RemoteText.NO_ROUTE,
    errno.ETIMEDOUT: RemoteText.TIMED_OUT,
}


class Signalling:
    """Requests to one server. Used on an event loop."""

    def __init__(self, server: str, token: str | None, ca_file: Path | None = None) -> None:
        """Check address and certificate file. Raises UsageError.

        ca_file: certificate (PEM) that the server's must be signed with; None trusts what the system trusts.
        """
        self.server = parse_server(server)
        self._tls = _tls_context(ca_file)
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    async def ice_servers(self) -> tuple[IceServer, ...]:
        """Return the STUN and TURN servers that the server names; none if it is a version that names none.

        Raises RemoteError or an error of aiohttp.
        """
        async with (
            self._session() as http,
            http.get(f"{self.server}/ice", ssl=self._tls, allow_redirects=False) as answer,
        ):
            if answer.status == 404:
                return ()
            await self._check(answer)
            try:
                return parse_ice_servers(await self._decoded(answer))
            except ValueError as error:
                raise self.odd_answer() from error

    async def offer(self, sdp: str) -> str:
        """Offer a stream of mattes; return the SDP of the answer. Raises RemoteError or an error of aiohttp."""
        offer = {"type": "offer", "sdp": sdp, "output": "matte"}
        async with (
            self._session() as http,
            http.post(f"{self.server}/offer", json=offer, ssl=self._tls, allow_redirects=False) as answer,
        ):
            await self._check(answer)
            fields = await self._decoded(answer)
            answered = fields.get("sdp") if isinstance(fields, dict) else None
            if not isinstance(answered, str) or answered.count("a=candidate:") > MAX_CANDIDATES:
                raise self.odd_answer()
            return answered

    def odd_answer(self) -> RemoteError:
        """Return the error for an answer that is not understood."""
        return self._refused(RemoteText.ODD_ANSWER())

    def _session(self) -> aiohttp.ClientSession:
        """Return a session that does not unpack answers, which could grow without limit."""
        headers = {**self._headers, "Accept-Encoding": "identity"}
        return aiohttp.ClientSession(headers=headers, auto_decompress=False)

    async def _check(self, answer: aiohttp.ClientResponse) -> None:
        if answer.status == 503:
            raise RemoteError(RemoteText.FULL(server=self.server))
        if answer.status != 200:
            raise self._refused(_sentence(await self._body(answer)) or f"HTTP {answer.status}")

    async def _decoded(self, answer: aiohttp.ClientResponse) -> Any:
        try:
            return json.loads(await self._body(answer))
        except (ValueError, RecursionError) as error:
            raise self.odd_answer() from error

    async def _body(self, answer: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in answer.content.iter_chunked(16 * 1024):
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                raise self.odd_answer()
        return bytes(body)

    def _refused(self, reason: str) -> RemoteError:
        return RemoteError(RemoteText.REFUSED(server=self.server, reason=reason))


def _tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Return the context that checks the server's certificate. Raises UsageError for an unusable file."""
    if ca_file is not None and is_special(ca_file):  # a pipe could be waited for without end
        raise UsageError(RemoteText.CA_FILE(file=ca_file, reason=RemoteText.CA_NOT_PEM()))
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # SSLError is one
        reason = RemoteText.CA_NOT_PEM() if isinstance(error, ssl.SSLError) else why_not_read(error)
        raise UsageError(RemoteText.CA_FILE(file=ca_file or "", reason=reason)) from error


def _sentence(body: bytes) -> str:
    """Return a server's reason in one line without control characters, which a terminal would obey."""
    text = body[: 4 * MAX_REASON_CHARACTERS].decode(errors="replace")
    shown = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(shown.split())[:MAX_REASON_CHARACTERS].rstrip(".")


def reason_of(error: Exception) -> str:
    """Return why no connection came about; the texts of libraries and systems are English and name objects."""
    if isinstance(error, asyncio.TimeoutError):
        return RemoteText.TIMED_OUT()
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return RemoteText.CERTIFICATE()
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return RemoteText.NO_SUCH_NAME()
    number = error.errno if isinstance(error, OSError) else None
    return _REASONS.get(number or 0, RemoteText.NO_CONNECTION)()
