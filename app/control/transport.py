"""One line per connection over a Unix socket of this user. `pipe` does the same over a named pipe for Windows."""

from __future__ import annotations

import contextlib
import errno
import selectors
import socket
import sys
import time
from pathlib import Path

from app.control.commands import MAX_LINE_BYTES
from app.control.folder import ControlError, take_ownership
from app.core.files.disk_errors import why_not_written
from app.core.messages.control import ControlText

REQUEST_TIMEOUT_S = 2.0
"""Total time that a client has to send its line, and to read the answer."""
ANSWER_TIMEOUT_S = 15.0
"""Total time that a client waits for the answer; commands are confirmed within less."""
BACKLOG = 64


class SocketCall:
    """One connection over a Unix socket."""

    def __init__(self, connection: socket.socket, timeout_s: float) -> None:
        """timeout_s: total time for the line to arrive, and again for a line to be sent."""
        self._connection = connection
        self._timeout_s = timeout_s

    def receive(self, extra_s: float = 0.0) -> bytes:
        """Return the bytes up to the line end, or b"" if it did not arrive in time. Raises OSError.

        extra_s: more time than usual.
        """
        deadline_s = time.monotonic() + self._timeout_s + extra_s
        received = bytearray()
        while not received.endswith(b"\n") and len(received) < MAX_LINE_BYTES:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                return b""
            self._connection.settimeout(left_s)
            try:
                part = self._connection.recv(4096)
            except TimeoutError:
                return b""
            if not part:
                break
            received += part
        return bytes(received)

    def send(self, line: bytes) -> None:
        """Send the whole line. Raises OSError."""
        self._connection.settimeout(self._timeout_s)  # sendall treats the timeout as the total time
        self._connection.sendall(line)

    def close(self) -> None:
        """Close the connection. Idempotent."""
        self._connection.close()


def _unix_socket() -> socket.socket:
    if sys.platform != "win32":
        return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    raise OSError(errno.ENOSYS, "Windows has pipes instead")


class SocketEndpoint:
    """A Unix socket of mode 0600 in a private folder. The lock file decides which program owns it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = take_ownership(path.parent)
        self._socket = _unix_socket()
        try:
            path.unlink(missing_ok=True)  # left behind by a program that was killed
            self._socket.bind(str(path))
            path.chmod(0o600)
            self._socket.listen(BACKLOG)
            self._socket.setblocking(False)
        except OSError as error:
            self._socket.close()
            self._lock.close()
            raise ControlError(ControlText.NOT_OPENED(address=path, reason=why_not_written(error))) from error
        self._woken, self._waker = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._socket, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)

    def accept(self) -> SocketCall | None:
        """Wait for the next connection; return None after `wake`."""
        while True:
            ready = [key.fileobj for key, _ in self._selector.select()]
            if self._woken in ready:
                return None
            with contextlib.suppress(BlockingIOError, ConnectionAbortedError):  # the client has disconnected already
                return SocketCall(self._socket.accept()[0], REQUEST_TIMEOUT_S)

    def wake(self) -> None:
        """Make `accept` return None (any thread)."""
        self._waker.send(b"!")

    def close(self) -> None:
        """Close and remove the socket, then release the lock."""
        self._selector.close()
        for each in (self._socket, self._woken, self._waker):
            each.close()
        self._path.unlink(missing_ok=True)
        self._lock.close()


def connect_socket(path: Path) -> SocketCall | None:
    """Connect once; return None if nothing accepts the connection."""
    connection = _unix_socket()
    connection.settimeout(REQUEST_TIMEOUT_S)
    try:
        connection.connect(str(path))
    except OSError:  # no socket, nothing behind it, a full backlog, or a path that is too long
        connection.close()
        return None
    return SocketCall(connection, ANSWER_TIMEOUT_S)
