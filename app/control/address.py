"""Address of the running program: a Unix socket, or a named pipe on Windows."""

from __future__ import annotations

import getpass
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from app.control.folder import LOCK_FILE, control_folder
from app.control.pipe import PipeCall, PipeEndpoint, connect_pipe, pipe_address
from app.control.transport import SocketCall, SocketEndpoint, connect_socket
from app.core.files.lock import is_locked

SOCKET_FILE = "control.sock"
Call: TypeAlias = SocketCall | PipeCall
"""One connection: receives a line and sends a line."""
Endpoint: TypeAlias = SocketEndpoint | PipeEndpoint
"""Accepts connections."""


@dataclass(frozen=True, slots=True)
class ControlAddress:
    """A private folder that contains the socket; `pipe` is the name of a pipe that replaces the socket."""

    folder: Path
    pipe: str | None = None

    def open(self) -> Endpoint:
        """Listen here. Raises ControlError."""
        if self.pipe is not None:
            return PipeEndpoint(self.pipe, self.folder)
        return SocketEndpoint(self.folder / SOCKET_FILE)

    def connect(self) -> Call | None:
        """Connect to the program that listens here; return None if nothing accepts the connection."""
        if self.pipe is not None:
            return connect_pipe(self.pipe, self.folder)
        return connect_socket(self.folder / SOCKET_FILE)

    def in_use(self) -> bool:
        """Return whether a running program owns this address, even if it accepts no connection now."""
        try:
            return is_locked(self.folder / LOCK_FILE)
        except OSError:
            return False


def default_address() -> ControlAddress:
    """Return the address of this user. Raises ControlError."""
    pipe = pipe_address(getpass.getuser()) if sys.platform == "win32" else None
    return ControlAddress(control_folder(), pipe)
