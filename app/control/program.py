"""Which Mattecam of this user commands reach.

One owns the control address, and the next one takes it over.

All that several programs of a user have to agree on is decided here: who runs, whose window a
second start shows, and whether the next run starts paused.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from app.control.commands import Command
from app.control.transport import (
    ControlAddress,
    ControlError,
    Endpoint,
    OtherProgramError,
    ask,
    default_address,
)
from app.core.files import exists, why_not_written

log = logging.getLogger(__name__)
# Interval at which a program that does not own the
# address tries its lock, which takes some microseconds.
TAKE_OVER_S = 0.1
CHANGE_S = 0.05
# Interval and duration of looks at an owner that has the lock and does not listen.
CHANGE_LIMIT_S = 5.0
# In the folder of the address while its owner is paused; it stays if that one crashes.
PAUSE_FILE = "paused"


class RunningProgram:
    """This program, as the owner of the control address or as one that waits for it.

    It works without the address.

    `claim` and `wait` are for one thread at a time; what concerns the pause is for any.
    """

    def __init__(self, at: Callable[[], ControlAddress] = default_address) -> None:
        self._at = at
        self._address: ControlAddress | None = None
        self._endpoint: Endpoint | None = None
        # Why the address could not be claimed.
        self.problem: ControlError | None = None
        # The last of two threads marks what is in force.
        self._marking = threading.Lock()
        self._is_paused: Callable[[], bool] | None = None

    def claim(self) -> bool:
        """Own the address if it is free; return whether this program owns it."""
        if self._endpoint is not None:
            return True
        try:
            # That of the other program is kept: to look for it again would disturb that one.
            self._address = self._address or self._at()
            self._endpoint = Endpoint(self._address)
        except OtherProgramError as error:
            self.problem = error
            return False
        except ControlError as error:
            self._address = None
            self.problem = error
            return False
        self.problem = None
        return True

    def wait(self, stop: threading.Event) -> Endpoint | None:
        """Return the endpoint as soon as this program owns the address.

        None if `stop` is set before.
        """
        waited = False
        while not self.claim():
            waited = True
            if stop.wait(TAKE_OVER_S):
                return None
        if waited:
            log.info("`ctl` controls this Mattecam from now on.")
            # The mark of another one that crashed while it
            # was paused stays: it may be started again.
            if self._is_paused is not None and self._is_paused():
                self.mark_pause()
        return self._endpoint

    def wake(self) -> None:
        """Let `accept` of the endpoint return (any thread)."""
        if self._endpoint is not None:
            self._endpoint.wake()

    def claim_or_show(self) -> bool:
        """Own the address if it is free, else let its owner show its window.

        Return whether it does.

        It does not where it has no window of the user, or does not answer; this program then waits
        for the address.
        """
        deadline_s = time.monotonic() + CHANGE_LIMIT_S
        while not self.claim():
            address = self._address
            if address is None:
                return False
            if address.knock():
                return _shows_window(address)
            # The owner has the lock and does not listen: it starts or ends at this moment.
            if time.monotonic() >= deadline_s:
                return False
            time.sleep(CHANGE_S)
        return False

    def close(self) -> None:
        """Leave the address to the next program. Idempotent."""
        endpoint = self._endpoint
        self._endpoint = None
        if endpoint is not None:
            endpoint.close()

    @property
    def was_paused(self) -> bool:
        """Whether the last owner of the address crashed while it was paused, or the present one is
        paused.
        """
        return self._address is not None and exists(self._address.folder / PAUSE_FILE)

    def keep_pause(self, is_paused: Callable[[], bool]) -> None:
        """Tell the next run from now on, by `mark_pause`, whether this one is paused.

        It may crash.
        """
        self._is_paused = is_paused

    def mark_pause(self) -> None:
        """Write whether this program is paused, if it owns the address."""
        with self._marking:
            if self._is_paused is not None:
                self._write_mark(is_paused=self._is_paused())

    def forget_pause(self) -> None:
        """Let the next run start as it is asked to: this one ends as the user wants."""
        with self._marking:
            self._write_mark(is_paused=False)

    def _write_mark(self, *, is_paused: bool) -> None:
        if self._address is None or self._endpoint is None:
            return
        file: Path = self._address.folder / PAUSE_FILE
        try:
            if is_paused:
                file.touch(mode=0o600)
            else:
                file.unlink(missing_ok=True)
        except OSError as error:  # the pause itself is in force
            log.warning(
                "A crash would end the pause, because %s cannot be written: %s.",
                file,
                why_not_written(error),
            )


def _shows_window(address: ControlAddress) -> bool:
    try:
        return ask(Command("show"), at=lambda: address).done
    except ControlError as error:
        log.warning("%s This one is started beside it.", error)
        return False
