"""Who may open a stream: token, origin, host name, and the rate of offers."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from app.config.parsing import LOOPBACK_NAMES
from app.core.errors import UsageError
from app.core.files.disk_errors import why_not_written
from app.core.files.private_file import write_private
from app.core.messages.remote import RemoteText
from service.webrtc.token import read_token

MAX_CLIENTS = 4096


def token_of(path: Path) -> tuple[str, bool]:
    """Return the token in a file, and whether the file was created for it. Raises UsageError."""
    try:
        if not path.exists():
            write_private(path, f"{secrets.token_urlsafe(32)}\n".encode())
            return read_token(path), True
    except OSError as error:
        raise UsageError(RemoteText.TOKEN_FILE(file=path, reason=why_not_written(error))) from error
    return read_token(path), False


class Access:
    """Decides about requests; knows nothing of HTTP libraries."""

    def __init__(self, token: str | None, *, loopback_only: bool) -> None:
        """token: None lets every client in, which is for loopback only."""
        self._token = None if token is None else token.encode()
        self._loopback_only = loopback_only

    def knows(self, authorization: str | None) -> bool:
        """Return whether the header `Authorization` carries the token."""
        if self._token is None:
            return True
        scheme, _, credentials = (authorization or "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(
            credentials.strip().encode(errors="replace"), self._token
        )

    def permits_origin(self, origin: str | None, host: str | None) -> bool:
        """Return whether a page of this origin may ask: programs send none, a browser must show our own page.

        Without a token the host must be this machine by name, or a page could pose as ours by changing its address
        (DNS rebinding).
        """
        if self._loopback_only and self._token is None and _name(host) not in LOOPBACK_NAMES:
            return False
        return origin is None or (host is not None and _netloc(origin) == host.lower())


def _netloc(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None


def _name(host: str | None) -> str:
    try:
        return urlsplit(f"//{host or ''}").hostname or ""
    except ValueError:
        return ""


def client_network(address: str) -> str:
    """Return what stands for the client at an IP address: a household or a server has a whole IPv6 /64."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if ip.version == 4:
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ip_network((int(ip), 64), strict=False))


class RateLimit:
    """A token bucket per address. Addresses are kept in memory while their bucket is not full."""

    def __init__(self, per_minute: float, now: Callable[[], float] = time.monotonic) -> None:
        self._rate_hz = per_minute / 60
        self._burst = max(1.0, per_minute / 2)
        self._now = now
        self._buckets: dict[str, tuple[float, float]] = {}

    def permits(self, address: str) -> bool:
        """Count a request; return whether it is within the limit."""
        now_s = self._now()
        if len(self._buckets) >= MAX_CLIENTS:
            self._buckets = {a: b for a, b in self._buckets.items() if self._level(b, now_s) < self._burst}
            if len(self._buckets) >= MAX_CLIENTS and address not in self._buckets:
                return False
        level = self._level(self._buckets.get(address, (self._burst, now_s)), now_s)
        allowed = level >= 1
        self._buckets[address] = (level - 1 if allowed else level), now_s
        return allowed

    def _level(self, bucket: tuple[float, float], now_s: float) -> float:
        level, at_s = bucket
        return min(self._burst, level + (now_s - at_s) * self._rate_hz)
