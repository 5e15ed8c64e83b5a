"""One request and one answer per connection to the running program of this user: words, and a JSON object.

The connection is a Unix socket in a folder of the user, or a named pipe of Windows. Every request begins with a secret
from that folder: on Windows all users share the names of pipes.
"""

from __future__ import annotations

import getpass
import hmac
import json
import os
import secrets
import socket
import stat
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path

import platformdirs
from pydantic import TypeAdapter

from app.control.commands import Answer, Command
from app.core import paths
from app.core.errors import MattecamError
from app.core.files import why_not_written, write_private

SOCKET_FILE, SECRET_FILE = "control.sock", "control.secret"
SECRET_BYTES = 32
MAX_REQUEST_BYTES = 16 * 1024
"""A message of this size is written, and arrives, in one piece."""
MAX_ANSWER_BYTES = 1024 * 1024
BACKLOG = 64
REQUEST_TIMEOUT_S = 2.0
"""How long a client may be silent after it has connected."""
ANSWER_TIMEOUT_S = 15.0
"""How long a client waits for the answer; commands are confirmed within less."""


class ControlError(MattecamError):
    """The control socket cannot be used, or no running program answers there."""


@dataclass(frozen=True, slots=True)
class ControlAddress:
    """A private folder that contains the socket; `pipe` is the name of a pipe that replaces the socket."""

    folder: Path
    pipe: str | None = None

    @property
    def name(self) -> str:
        """The address of the socket or pipe."""
        return self.pipe or str(self.folder / SOCKET_FILE)

    def connect(self) -> Connection | None:
        """Connect to the program that listens here; return None if none does. Raises ControlError if it is too busy."""
        try:
            if sys.platform == "win32":
                connection: Connection = Client(self.name)  # type: ignore[assignment, unused-ignore] # PipeConnection
            else:
                with socket.socket(socket.AF_UNIX) as client:
                    client.setblocking(False)  # a full backlog is an error, and no reason to wait
                    client.connect(self.name)
                    client.setblocking(True)
                    connection = Connection(client.detach())
        except BlockingIOError as error:
            raise ControlError("Mattecam is running but accepts no connection now; try again.") from error
        except OSError:
            return None
        return connection

    def knock(self) -> bool:
        """Connect and hang up; return whether a program listens here, even if it accepts no connection now."""
        try:
            connection = self.connect()
        except ControlError:
            return True
        if connection is not None:
            connection.close()
        return connection is not None


def default_address() -> ControlAddress:
    """Return the address of this user, in a folder for this user alone. Raises ControlError if that cannot be used."""
    folder = runtime_dir()
    make_private(folder)
    return ControlAddress(folder, rf"\\.\pipe\mattecam-{getpass.getuser()}" if sys.platform == "win32" else None)


def runtime_dir() -> Path:
    """Return the platform's folder for sockets; `$MATTECAM_RUNTIME_DIR` overrides it."""
    named = os.environ.get("MATTECAM_RUNTIME_DIR")
    if named:
        return Path(named)
    with warnings.catch_warnings():
        # Without XDG_RUNTIME_DIR platformdirs falls back to the temporary folder and warns; `make_private` checks it.
        warnings.simplefilter("ignore")
        return Path(platformdirs.user_runtime_dir(paths.NAME, appauthor=False))


def make_private(folder: Path) -> None:
    """Create `folder` for this user alone; raise ControlError if other users can write to it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = folder.lstat()
    except OSError as error:
        raise ControlError(
            f"The folder {folder} for the control socket cannot be created ({why_not_written(error)}); name another "
            "one in MATTECAM_RUNTIME_DIR."
        ) from error
    if sys.platform != "win32":  # there the folder is in the user's profile
        others_may_write = facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid() or others_may_write:
            raise ControlError(
                f"Other users can write to {folder}, the folder for the control socket; name another one in "
                "MATTECAM_RUNTIME_DIR."
            )


class Endpoint:
    """A socket of mode 0600 or a pipe, which one program of the user has at a time."""

    def __init__(self, address: ControlAddress) -> None:
        """Listen at the address. Raises ControlError."""
        if address.knock():
            raise ControlError("Another Mattecam of this user is running; `ctl` controls that one.")
        self._address = address
        self._secret = secrets.token_bytes(SECRET_BYTES)
        try:
            write_private(address.folder / SECRET_FILE, self._secret)
            if address.pipe is None:
                Path(address.name).unlink(missing_ok=True)  # left behind by a program that was killed
            self._listener = Listener(address.name, backlog=BACKLOG)
            if address.pipe is None:
                Path(address.name).chmod(0o600)
        except OSError as error:
            raise ControlError(
                f"The control socket {address.name} cannot be opened: {why_not_written(error)}."
            ) from error

    def accept(self) -> Connection:
        """Return the next connection, which may be from `wake`. Raises OSError."""
        return self._listener.accept()  # type: ignore[return-value, unused-ignore] # as in `connect`

    def receive(self, connection: Connection) -> bytes:
        """Return the request of a client; b"" if none came in time, or one without the secret. Raises OSError."""
        if not connection.poll(REQUEST_TIMEOUT_S):
            return b""
        if sys.platform != "win32":  # there a pipe carries whole messages
            os.set_blocking(connection.fileno(), False)  # fail for a request that arrives in pieces
        try:
            message = connection.recv_bytes(MAX_REQUEST_BYTES)
        except EOFError:
            return b""
        known = hmac.compare_digest(message[:SECRET_BYTES], self._secret)
        return message[SECRET_BYTES:] if known else b""

    def wake(self) -> None:
        """Let `accept` return (any thread)."""
        self._address.knock()

    def close(self) -> None:
        """Close the socket and remove it and the secret."""
        with suppress(FileNotFoundError):  # somebody has removed the socket
            self._listener.close()
        (self._address.folder / SECRET_FILE).unlink(missing_ok=True)


def ask(command: Command, *, at: Callable[[], ControlAddress] = default_address) -> Answer:
    """Send one command to this user's running program and return its answer. Raises ControlError."""
    address = at()
    connection = address.connect()
    if connection is None:
        raise ControlError(
            "Mattecam is not running for this user, or records a sample, which takes no commands; start it with "
            "`python3 run.py` or `python3 run.py headless`."
        )
    with connection:
        try:
            send(connection, address, f"{command.name} {command.argument}".encode("utf-8", "surrogateescape"))
            came = connection.poll(ANSWER_TIMEOUT_S + command.extra_s)
            if not came:
                raise EOFError
            line = connection.recv_bytes(MAX_ANSWER_BYTES)
            return TypeAdapter(Answer).validate_python(json.loads(line))  # validate_json refuses names not in UTF-8
        except (EOFError, OSError) as error:
            raise ControlError("The running Mattecam did not answer; try again.") from error
        except ValueError as error:
            raise ControlError("The running Mattecam is of another version; start it again.") from error


def send(connection: Connection, address: ControlAddress, request: bytes) -> None:
    """Send a request with the secret of the program that listens at the address. Raises OSError."""
    connection.send_bytes((address.folder / SECRET_FILE).read_bytes() + request)
