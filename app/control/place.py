"""Which of the two ways this system takes, and where."""

from __future__ import annotations

import getpass
import sys

from app.control.pipe import PipeEndpoint, connect_pipe, pipe_address
from app.control.transport import Call, Endpoint, SocketEndpoint, connect_socket, runtime_dir

SOCKET_FILE = "control.sock"


def open_endpoint() -> Endpoint:
    """This user's own endpoint. Raises ControlError."""
    if sys.platform == "win32":
        return PipeEndpoint(pipe_address(getpass.getuser()), runtime_dir())
    return SocketEndpoint(runtime_dir() / SOCKET_FILE)


def connect() -> Call | None:
    """Call this user's running program; None where none runs."""
    if sys.platform == "win32":
        return connect_pipe(pipe_address(getpass.getuser()), runtime_dir())
    return connect_socket(runtime_dir() / SOCKET_FILE)
