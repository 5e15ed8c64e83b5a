"""How the lines travel: a unix socket that only this user may open. Windows: see `pipe`."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import stat
import sys
import warnings
from pathlib import Path
from typing import Protocol

import platformdirs

from app.control.commands import MAX_LINE_BYTES
from app.core.errors import MattecamError

CALL_TIMEOUT_S = 2.0
"""How long the program waits for a caller's line; a stuck caller must not block the next one for long."""
ANSWER_TIMEOUT_S = 10.0
"""How long a caller waits for the answer."""


class ControlError(MattecamError):
    """The control socket cannot be used."""


class Call(Protocol):
    """One caller: a line in, a line out."""

    def receive(self) -> bytes:
        """The line; empty where none came in time. Raises OSError."""
        ...

    def send(self, line: bytes) -> None:
        """Raises OSError."""
        ...

    def close(self) -> None: ...


class Endpoint(Protocol):
    """Where callers come in. Opened by its constructor (raises ControlError), used on the server's thread."""

    def accept(self) -> Call | None:
        """Wait for the next caller; None after `wake`."""
        ...

    def wake(self) -> None:
        """Make `accept` return; from any thread."""
        ...

    def close(self) -> None: ...


def runtime_dir() -> Path:
    """The folder for sockets; `$MATTECAM_RUNTIME_DIR` overrides the platform's."""
    named = os.environ.get("MATTECAM_RUNTIME_DIR")
    if named:
        return Path(named)
    with warnings.catch_warnings():
        # Without XDG_RUNTIME_DIR it falls back to a folder in the temporary one and warns; `make_private` checks that.
        warnings.simplefilter("ignore")
        return Path(platformdirs.user_runtime_dir("mattecam", appauthor=False))


def make_private(folder: Path) -> None:
    """Create `folder` for this user alone. Raises ControlError where others could put something into it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = folder.lstat()
    except OSError as error:
        raise ControlError(f"The folder {folder} for the control socket cannot be made: {error.strerror}.") from error
    if sys.platform == "win32":
        return  # the user's own profile
    others_may_write = facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid() or others_may_write:
        raise ControlError(f"Other users can write to {folder}; set MATTECAM_RUNTIME_DIR to a folder of your own.")


class SocketCall:
    """A caller on a unix socket."""

    def __init__(self, connection: socket.socket, timeout_s: float) -> None:
        self._connection = connection
        connection.settimeout(timeout_s)

    def receive(self) -> bytes:
        """Up to the line end."""
        received = bytearray()
        while not received.endswith(b"\n") and len(received) < MAX_LINE_BYTES:
            part = self._connection.recv(4096)
            if not part:
                break
            received += part
        return bytes(received)

    def send(self, line: bytes) -> None:
        """All of it."""
        self._connection.sendall(line)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


class SocketEndpoint:
    """A unix socket with the mode 0600 in a folder of this user alone."""

    def __init__(self, path: Path) -> None:
        make_private(path.parent)
        self._path = path
        if _answers(path):
            raise ControlError("Another Mattecam of this user is running and is the one that run.py ctl steers.")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            path.unlink(missing_ok=True)  # left behind by a program that was killed
            self._socket.bind(str(path))
            path.chmod(0o600)
            self._socket.listen(8)
            self._socket.setblocking(False)
        except OSError as error:
            self._socket.close()
            raise ControlError(f"The control socket {path} cannot be opened: {error.strerror or error}.") from error
        self._woken, self._waker = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._socket, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)

    def accept(self) -> SocketCall | None:
        """Wait for a caller or `wake`."""
        while True:
            ready = [key.fileobj for key, _ in self._selector.select()]
            if self._woken in ready:
                return None
            with contextlib.suppress(BlockingIOError, ConnectionAbortedError):  # the caller has gone already
                return SocketCall(self._socket.accept()[0], CALL_TIMEOUT_S)

    def wake(self) -> None:
        """Make `accept` return."""
        self._waker.send(b"!")

    def close(self) -> None:
        """Close and remove the socket."""
        self._selector.close()
        for each in (self._socket, self._woken, self._waker):
            each.close()
        self._path.unlink(missing_ok=True)


def connect_socket(path: Path) -> SocketCall | None:
    """Call the running program; None where there is none."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(CALL_TIMEOUT_S)
    try:
        connection.connect(str(path))
    except OSError:  # no socket, nobody behind it, or a path too long for a socket
        connection.close()
        return None
    return SocketCall(connection, ANSWER_TIMEOUT_S)


def _answers(path: Path) -> bool:
    call = connect_socket(path)
    if call is not None:
        call.close()
    return call is not None
