"""The transport over a named pipe, for Windows. A secret in the user's folder keeps other users out."""

from __future__ import annotations

import hmac
import os
import secrets
import sys
import threading
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import TypeAlias

from app.control.commands import MAX_LINE_BYTES
from app.control.folder import ControlError, take_ownership
from app.control.transport import ANSWER_TIMEOUT_S, REQUEST_TIMEOUT_S
from app.core.files.disk_errors import why_not_written
from app.core.messages.control import ControlText

if sys.platform == "win32":
    from multiprocessing.connection import PipeConnection

    PipeEnd: TypeAlias = Connection | PipeConnection
else:
    PipeEnd: TypeAlias = Connection

SECRET_FILE = "control.secret"  # noqa: S105 - a file name
_SECRET_BYTES = 32


def pipe_address(user: str) -> str:
    """Return the pipe's name, unique per user: on Windows all users share one namespace for pipes."""
    return rf"\\.\pipe\mattecam-{user}"


class PipeCall:
    """One connection over a pipe."""

    def __init__(self, connection: PipeEnd, timeout_s: float, secret: bytes | None = None) -> None:
        """secret: message that the peer must send before its line; None on the client side."""
        self._connection = connection
        self._timeout_s = timeout_s
        self._secret = secret

    def receive(self, extra_s: float = 0.0) -> bytes:
        """Return the next message, or b"" if none came in time or the secret was wrong. Raises OSError.

        extra_s: more time than usual.
        """
        if self._secret is not None and not hmac.compare_digest(self._next(), self._secret):
            return b""
        return self._next(extra_s)

    def send(self, line: bytes) -> None:
        """Send one message. Raises OSError."""
        self._connection.send_bytes(line)

    def close(self) -> None:
        """Close the connection. Idempotent."""
        self._connection.close()

    def _next(self, extra_s: float = 0.0) -> bytes:
        try:
            came = self._connection.poll(self._timeout_s + extra_s)
            return self._connection.recv_bytes(MAX_LINE_BYTES) if came else b""
        except EOFError:
            return b""


class PipeEndpoint:
    """A pipe whose clients must send the secret first. The lock file decides which program owns it."""

    def __init__(self, address: str, folder: Path) -> None:
        self._lock = take_ownership(folder)
        self._address = address
        self._secret = secrets.token_bytes(_SECRET_BYTES)
        self._secret_path = folder / SECRET_FILE
        self._closing = threading.Event()
        try:
            self._secret_path.unlink(missing_ok=True)
            with os.fdopen(os.open(self._secret_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(self._secret)
            self._listener = Listener(address)
        except OSError as error:
            self._lock.close()
            raise ControlError(ControlText.NOT_OPENED(address=address, reason=why_not_written(error))) from error

    def accept(self) -> PipeCall | None:
        """Wait for the next connection; return None after `wake`."""
        while not self._closing.is_set():
            try:
                connection = self._listener.accept()
            except OSError:  # the client has closed the connection
                continue
            if not self._closing.is_set():
                return PipeCall(connection, REQUEST_TIMEOUT_S, self._secret)
            connection.close()
        return None

    def wake(self) -> None:
        """Make `accept` return None (any thread), by connecting to it."""
        self._closing.set()
        Client(self._address).close()

    def close(self) -> None:
        """Close the pipe, remove the secret, release the lock."""
        self._listener.close()
        self._secret_path.unlink(missing_ok=True)
        self._lock.close()


def connect_pipe(address: str, folder: Path) -> PipeCall | None:
    """Connect once and send the secret; return None if nothing accepts the connection."""
    try:
        secret = (folder / SECRET_FILE).read_bytes()
        connection = Client(address)
    except OSError:
        return None
    call = PipeCall(connection, ANSWER_TIMEOUT_S)
    try:
        call.send(secret)
    except OSError:
        call.close()
        return None
    return call
