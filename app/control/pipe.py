"""The same over a named pipe, for Windows: a secret in the user's own folder keeps other users out."""

from __future__ import annotations

import hmac
import os
import secrets
import threading
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path

from app.control.commands import MAX_LINE_BYTES
from app.control.transport import ANSWER_TIMEOUT_S, CALL_TIMEOUT_S, ControlError, make_private

SECRET_FILE = "control.secret"
_SECRET_BYTES = 32


def pipe_address(user: str) -> str:
    """The pipe's name on Windows, where pipes have one name space for all users."""
    return rf"\\.\pipe\mattecam-{user}"


class PipeCall:
    """A caller on a pipe."""

    def __init__(self, connection: Connection, timeout_s: float) -> None:
        self._connection = connection
        self._timeout_s = timeout_s

    def receive(self) -> bytes:
        """The next message; empty where none came in time. Raises OSError."""
        try:
            return self._connection.recv_bytes(MAX_LINE_BYTES) if self._connection.poll(self._timeout_s) else b""
        except EOFError:
            return b""

    def send(self, line: bytes) -> None:
        """One message. Raises OSError."""
        self._connection.send_bytes(line)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


class PipeEndpoint:
    """A pipe whose callers must send the secret first."""

    def __init__(self, address: str, folder: Path) -> None:
        make_private(folder)
        running = connect_pipe(address, folder)
        if running is not None:
            running.close()
            raise ControlError("Another Mattecam of this user is running and is the one that run.py ctl steers.")
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
            raise ControlError(f"The control pipe {address} cannot be opened: {error.strerror or error}.") from error

    def accept(self) -> PipeCall | None:
        """Wait for a caller who knows the secret, or `wake`."""
        while not self._closing.is_set():
            try:
                call = PipeCall(self._listener.accept(), CALL_TIMEOUT_S)
            except OSError:  # the caller hung up while it was calling
                continue
            if self._closing.is_set() or not self._is_known(call):
                call.close()
                continue
            return call
        return None

    def _is_known(self, call: PipeCall) -> bool:
        try:
            return hmac.compare_digest(call.receive(), self._secret)
        except OSError:  # a message that is too long, or the caller has gone
            return False

    def wake(self) -> None:
        """Make `accept` return, by calling it."""
        self._closing.set()
        Client(self._address).close()

    def close(self) -> None:
        """Close the pipe and remove the secret."""
        self._listener.close()
        self._secret_path.unlink(missing_ok=True)


def connect_pipe(address: str, folder: Path) -> PipeCall | None:
    """Call the running program; None where there is none."""
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
