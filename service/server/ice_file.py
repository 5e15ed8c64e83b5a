"""The file that names STUN and TURN servers, and the credentials that clients get for them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.core.errors import UsageError
from app.core.files.names import is_special
from app.core.files.private_file import is_private
from app.core.messages.remote import RemoteText, ServeText
from app.core.messages.settings import FileReason
from service.webrtc.ice import IceServer, parse_ice_servers

LIFETIME_S = 12 * 3600
"""Of credentials made from a secret: longer than a stream may last."""


class IceServers:
    """STUN and TURN servers of a service."""

    def __init__(self, entries: list[dict[str, Any]], now: Callable[[], float] = time.time) -> None:
        """Check the entries. Raises ValueError.

        entries: fields of RTCIceServer, or `secret` in place of `username` and `credential`: the value that the TURN
        server knows as `static-auth-secret`. Clients then get credentials that expire.
        """
        self._entries = entries
        self._now = now
        self.current()

    def current(self) -> tuple[IceServer, ...]:
        """Return the servers with credentials that are valid now."""
        return parse_ice_servers([self._with_credentials(entry) for entry in self._entries])

    def _with_credentials(self, entry: dict[str, Any]) -> dict[str, Any]:
        if "secret" not in entry:
            return entry
        username = f"{round(self._now()) + LIFETIME_S}:mattecam"
        digest = hmac.digest(str(entry["secret"]).encode(), username.encode(), hashlib.sha1)
        return {"urls": entry.get("urls"), "username": username, "credential": base64.b64encode(digest).decode()}


def read_ice_servers(path: Path | None) -> IceServers:
    """Return the servers that a JSON file of mode 0600 lists; none without a file. Raises UsageError."""
    if path is None:
        return IceServers([])
    if is_special(path):
        raise UsageError(ServeText.ICE_FILE(file=path, reason=FileReason.NOT_TEXT()))
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise ValueError("a list of objects is expected")
        servers = IceServers(entries)
    except (OSError, ValueError, RecursionError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise UsageError(ServeText.ICE_FILE(file=path, reason=reason)) from error
    if not is_private(path):
        raise UsageError(ServeText.ICE_FILE(file=path, reason=RemoteText.TOKEN_MODE(file=path)))
    return servers
