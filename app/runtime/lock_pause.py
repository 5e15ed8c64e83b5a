"""The pause while the screen is locked, on a thread of its own that follows the setting."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from typing import Protocol

from app.core.errors import Stage, t
from app.core.process import LINUX
from app.core.worker import Worker
from app.runtime.status import StatusBoard
from app.settings import Settings, SettingsOwner

# Wait before buses that did not answer are asked again: a desktop may begin after the program.
RETRY_S = 10.0
NOT_SEEN = t(
    "Mattecam cannot pause while the screen is locked: neither logind nor the desktop tells it by "
    "D-Bus; pause by hand.",
)


class Lock(Protocol):
    """What tells whether the screen is locked: `app.system.screen_lock.ScreenLock`."""

    # Whether something that told it does no longer, so that it must be opened again.
    is_lost: bool

    @property
    def is_visible(self) -> bool:
        """Whether anything tells that the screen is locked."""
        ...

    @property
    def locked(self) -> bool:
        """Whether the screen is locked."""
        ...

    def wait(self, wake: socket.socket) -> None:
        """Return once that may have changed, or `wake` can be read."""
        ...

    def close(self) -> None:
        """Close what was opened. Idempotent."""
        ...


def open_lock() -> Lock | None:
    """Return what tells it on this system; None if nothing does."""
    if not LINUX:
        return None
    from app.system.screen_lock import ScreenLock

    return ScreenLock()


class LockPause:
    """Pauses while the screen is locked, and resumes what it has paused.

    `thread` and `wake` are for any thread.
    """

    def __init__(
        self,
        owner: SettingsOwner,
        board: StatusBoard,
        open_lock: Callable[[], Lock | None],
    ) -> None:
        """board: told where a lock cannot be noticed."""
        self._owner = owner
        self._board = board
        self._open_lock = open_lock
        self.thread = Worker("screen-lock", self._run, Stage.SCREEN_LOCK)
        # None until the thread runs. A socket, as the thread waits for those of the buses as well.
        self._waker: socket.socket | None = None
        # What the setting was when the thread looked last.
        self._is_wanted = False
        if owner.current.output.pause_when_locked:
            owner.change(_paused)  # until the first answer: the screen may be locked at the start
        owner.listen(self._wake_if_changed)

    def wake(self) -> None:
        """Look at the setting now, and whether to end."""
        waker = self._waker
        if waker is not None:
            with suppress(OSError):  # it is awake, or has ended
                waker.send(b"1")

    def _wake_if_changed(self) -> None:
        if self._owner.current.output.pause_when_locked != self._is_wanted:
            self.wake()

    def _run(self, stop: threading.Event) -> None:
        sleeper, waker = socket.socketpair()
        with closing(sleeper), closing(waker):
            waker.setblocking(False)
            self._waker = waker
            while not stop.is_set():
                self._is_wanted = self._owner.current.output.pause_when_locked
                if self._is_wanted:
                    self._watch(stop, sleeper)
                else:
                    self._board.report(Stage.SCREEN_LOCK, None)
                    self._owner.change(_kept_paused)
                    _sleep(sleeper, None)

    def _watch(self, stop: threading.Event, sleeper: socket.socket) -> None:
        """Follow the lock until the setting is switched off, or what tells it is gone."""
        with ExitStack() as opened:
            lock = self._open_lock()
            if lock is not None:
                opened.enter_context(closing(lock))
            if lock is None or not lock.is_visible:
                self._board.report(Stage.SCREEN_LOCK, NOT_SEEN)
                self._owner.change(_resumed)
                _sleep(sleeper, RETRY_S)
                return
            self._board.report(Stage.SCREEN_LOCK, None)
            while self._owner.current.output.pause_when_locked and not stop.is_set():
                self._owner.change(_paused if lock.locked else _resumed)
                lock.wait(sleeper)
                _sleep(sleeper, 0)  # what has woken it is done
                if lock.is_lost:
                    # What is opened next may not know of this
                    # lock: its end would be taken for seen.
                    self._owner.change(_kept_paused)
                    return


def _sleep(sleeper: socket.socket, timeout_s: float | None) -> None:
    """Wait until the thread is woken, for so long at most."""
    sleeper.settimeout(timeout_s)
    with suppress(TimeoutError, BlockingIOError):
        sleeper.recv(64)


def _paused(settings: Settings) -> Settings:
    if settings.paused:  # by the user, who alone ends it
        return settings
    return settings.replace(paused=True, paused_by_lock=True)


def _resumed(settings: Settings) -> Settings:
    if not settings.paused_by_lock:
        return settings
    return settings.replace(paused=False)


def _kept_paused(settings: Settings) -> Settings:
    """Leave the pause to the user."""
    if not settings.paused_by_lock:
        return settings
    return settings.replace(paused_by_lock=False)
