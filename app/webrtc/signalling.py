"""The HTTP side of a client: asks the server for ICE servers and offers it a stream."""

from __future__ import annotations

import asyncio
import os
import ssl
from urllib.parse import urlsplit

import aiohttp

from app.core.errors import RemoteError, UsageError
from app.core.messages.remote import RemoteText
from app.webrtc.ice import IceServer, parse_ice_servers

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


def checked_address(server: str) -> str:
    """Return the address without a final slash. Raises UsageError unless it is HTTPS, or HTTP on this machine.

    Over plain HTTP whoever is in between could take the place of the server and receive the camera.
    """
    try:
        parts = urlsplit(server.strip())
        secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK_NAMES)
    except ValueError:
        parts, secure = urlsplit(""), False
    if not secure or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise UsageError(RemoteText.ADDRESS(server=server))
    return server.strip().rstrip("/")


class Signalling:
    """Requests to one server. Used on an event loop."""

    def __init__(self, server: str, token: str | None) -> None:
        """Check the address. Raises UsageError."""
        self.server = checked_address(server)
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    async def ice_servers(self) -> tuple[IceServer, ...]:
        """Return the STUN and TURN servers that the server names; none if it is a version that names none.

        Raises RemoteError or an error of aiohttp.
        """
        async with (
            aiohttp.ClientSession(headers=self._headers) as http,
            http.get(f"{self.server}/ice", ssl=ssl.create_default_context(), allow_redirects=False) as answer,
        ):
            if answer.status == 404:
                return ()
            await self._check(answer)
            try:
                return parse_ice_servers(await answer.json())
            except ValueError as error:
                raise self._refused(RemoteText.ODD_ANSWER()) from error

    async def offer(self, sdp: str) -> str:
        """Offer a stream of mattes; return the SDP of the answer. Raises RemoteError or an error of aiohttp."""
        offer = {"type": "offer", "sdp": sdp, "output": "matte"}
        async with (
            aiohttp.ClientSession(headers=self._headers) as http,
            http.post(
                f"{self.server}/offer", json=offer, ssl=ssl.create_default_context(), allow_redirects=False
            ) as answer,
        ):
            await self._check(answer)
            fields = await answer.json()
            if not isinstance(fields, dict) or not isinstance(fields.get("sdp"), str):
                raise self._refused(RemoteText.ODD_ANSWER())
            return str(fields["sdp"])

    async def _check(self, answer: aiohttp.ClientResponse) -> None:
        if answer.status == 503:
            raise RemoteError(RemoteText.FULL(server=self.server))
        if answer.status != 200:
            raise self._refused((await answer.text())[:200].strip().rstrip(".") or f"HTTP {answer.status}")

    def _refused(self, reason: str) -> RemoteError:
        return RemoteError(RemoteText.REFUSED(server=self.server, reason=reason))


def reason_of(error: Exception) -> str:
    """Return why no connection came about; the libraries' own texts name objects and change with every try."""
    if isinstance(error, asyncio.TimeoutError):
        return RemoteText.TIMED_OUT()
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return RemoteText.CERTIFICATE()
    number = error.errno if isinstance(error, OSError) else None
    return os.strerror(number) if number else type(error).__name__
