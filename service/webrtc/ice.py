"""STUN and TURN servers: how peers find a path to each other where there is no direct one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiortc import RTCConfiguration, RTCIceServer
from aiortc.rtcicetransport import parse_stun_turn_uri

MAX_SERVERS = 8
MAX_CHARACTERS = 512


@dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN or TURN server, as WebRTC's RTCIceServer describes it."""

    urls: tuple[str, ...]
    username: str | None = None
    credential: str | None = None

    def as_json(self) -> dict[str, object]:
        """Return the fields of an RTCIceServer; those without a value are left out."""
        named = {"username": self.username, "credential": self.credential}
        return {"urls": list(self.urls), **{name: value for name, value in named.items() if value is not None}}


def parse_ice_servers(fields: object) -> tuple[IceServer, ...]:
    """Return the servers in a decoded JSON list of RTCIceServer. Raises ValueError."""
    if not isinstance(fields, list) or len(fields) > MAX_SERVERS:
        raise ValueError("a list of servers is expected")
    return tuple(_parsed(entry) for entry in fields)


def peer_configuration(servers: Sequence[IceServer]) -> RTCConfiguration:
    """Return the configuration of a peer that uses these servers alone.

    Without a list, aiortc asks a public STUN server for its address.
    """
    known = [RTCIceServer(list(server.urls), server.username, server.credential) for server in servers]
    return RTCConfiguration(iceServers=known)


def _parsed(entry: Any) -> IceServer:
    if not isinstance(entry, dict):
        raise ValueError("a server is not an object")
    urls = entry.get("urls")
    urls = [urls] if isinstance(urls, str) else urls
    if not isinstance(urls, list) or not 1 <= len(urls) <= MAX_SERVERS:
        raise ValueError("a server has no urls")
    username, credential = entry.get("username"), entry.get("credential")
    for text in (*urls, *(value for value in (username, credential) if value is not None)):
        if not isinstance(text, str) or not 0 < len(text) <= MAX_CHARACTERS:
            raise ValueError("a server has a value that is not text")
    for url in urls:
        if parse_stun_turn_uri(url)["scheme"].startswith("turn") and (username is None or credential is None):
            raise ValueError(f"{url} has no username and credential")
    return IceServer(tuple(urls), username, credential)
