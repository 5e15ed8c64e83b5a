"""A connection to the PipeWire daemon, with the thread that receives its events."""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from app.system.pipewire import library


class Connection:
    """Thread-safe under `locked`."""

    def __init__(self, remote_fd: int | None = None) -> None:
        """remote_fd: a socket that leads to a daemon, which is consumed; None: the daemon of the user's session. Raises
        OSError if the library is missing or no daemon answers.
        """
        self.listeners: list[object] = []
        """What must stay in memory as long as events arrive."""
        self._context: int | None = None
        try:
            self.library = library.load()
            self._loop: int | None = self.library.pw_thread_loop_new(b"pipewire", None)
            if not self._loop:
                raise OSError(errno.ENOMEM, "no PipeWire thread")
        except OSError:
            if remote_fd is not None:
                os.close(remote_fd)
            raise
        try:
            self.core = self._connect(remote_fd)
            """Address of the daemon's object."""
        except OSError:
            self.close()
            raise

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock: no event is delivered meanwhile. Do not take another lock inside."""
        self.library.pw_thread_loop_lock(self._loop)
        try:
            yield
        finally:
            self.library.pw_thread_loop_unlock(self._loop)

    def flush(self) -> None:
        """Wait until the thread has delivered the events that are queued (locked; the lock is released meanwhile)."""
        loop = library.Loop.from_address(self.library.pw_thread_loop_get_loop(self._loop))
        target, methods = library.methods_of(loop.loop, library.LoopMethods)
        methods.invoke(target, None, 0, None, 0, True, None)

    def close(self) -> None:
        """Disconnect and end the thread. Idempotent."""
        loop, self._loop = self._loop, None
        if loop is None:
            return
        self.library.pw_thread_loop_stop(loop)
        if self._context is not None:
            self.library.pw_context_destroy(self._context)  # and its connection
        self.library.pw_thread_loop_destroy(loop)

    def _connect(self, remote_fd: int | None) -> int:
        pipewire = self.library
        with self.locked():
            self._context = pipewire.pw_context_new(pipewire.pw_thread_loop_get_loop(self._loop), None, 0) or None
            if self._context is None:
                raise last_error()
            if remote_fd is None:
                core: int | None = pipewire.pw_context_connect(self._context, None, 0)
            else:
                core = pipewire.pw_context_connect_fd(self._context, remote_fd, None, 0)
            if not core:
                raise last_error()
            pipewire.pw_thread_loop_start(self._loop)
            return core


def daemon_answers() -> bool:
    """Return whether the library is installed and the daemon of the user's session answers."""
    try:
        Connection().close()
    except OSError:
        return False
    return True


def last_error() -> OSError:
    """Return the error of the last call of the library."""
    number = ctypes.get_errno() or errno.ECONNREFUSED
    return OSError(number, os.strerror(number))
