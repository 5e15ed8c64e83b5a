"""The client side: what `run.py ctl` calls."""

from __future__ import annotations

import time
from collections.abc import Callable

from app.control.commands import Answer, Command, decode_answer
from app.control.folder import ControlError
from app.control.place import Place, default_place
from app.control.transport import Call
from app.core.errors import MattecamError

CONNECT_TIMEOUT_S = 5.0
RETRY_S = 0.05


class NotRunningError(MattecamError):
    """No running program answers."""


def ask(command: Command, *, at: Callable[[], Place] = default_place) -> Answer:
    """Send one command to this user's running program and return its answer.

    Raises NotRunningError, or UsageError for an answer of another version.
    """
    call = _connect(at)
    try:
        call.send(command.encode())
        line = call.receive()
    except OSError as error:
        raise NotRunningError(f"The running Mattecam did not answer: {error}.") from error
    finally:
        call.close()
    if not line:
        raise NotRunningError("The running Mattecam closed the connection without an answer; try again.")
    return decode_answer(line)


def _connect(at: Callable[[], Place]) -> Call:
    try:
        place = at()
    except ControlError as error:
        raise NotRunningError(str(error)) from error
    deadline_s = time.monotonic() + CONNECT_TIMEOUT_S
    while True:
        call = place.connect()
        if call is not None:
            return call
        if not place.in_use():
            raise NotRunningError(
                "Mattecam is not running for this user; start it with `python3 run.py` or `python3 run.py headless`."
            )
        if time.monotonic() >= deadline_s:  # it has just started, or its queue of connections is full
            raise NotRunningError("Mattecam is running but accepts no connection now; try again.")
        time.sleep(RETRY_S)
