"""The client side: what `run.py ctl` calls."""

from __future__ import annotations

import time
from collections.abc import Callable

from app.control.address import Call, ControlAddress, default_address
from app.control.commands import Answer, Command, decode_answer
from app.control.folder import ControlError
from app.core.messages.control import ControlText

CONNECT_TIMEOUT_S = 5.0
RETRY_S = 0.05


def ask(command: Command, *, at: Callable[[], ControlAddress] = default_address) -> Answer:
    """Send one command to this user's running program and return its answer.

    Raises ControlError, or UsageError for an answer of another version.
    """
    call = _connect(at())
    try:
        call.send(command.encode())
        line = call.receive(command.extra_s)
    except OSError as error:
        raise ControlError(ControlText.NOT_ANSWERED()) from error
    finally:
        call.close()
    if not line:
        raise ControlError(ControlText.NOT_ANSWERED())
    return decode_answer(line)


def _connect(address: ControlAddress) -> Call:
    deadline_s = time.monotonic() + CONNECT_TIMEOUT_S
    while True:
        call = address.connect()
        if call is not None:
            return call
        if not address.in_use():
            raise ControlError(ControlText.NOT_RUNNING())
        if time.monotonic() >= deadline_s:  # the program is starting, or its connection backlog is full
            raise ControlError(ControlText.BUSY())
        time.sleep(RETRY_S)
