"""The other end: what `run.py ctl` calls."""

from __future__ import annotations

from collections.abc import Callable

from app.control.commands import Answer, Command, decode_answer
from app.control.place import connect
from app.control.transport import Call
from app.core.errors import MattecamError


class NotRunningError(MattecamError):
    """There is no running program to steer."""


def ask(command: Command, *, connect_to: Callable[[], Call | None] = connect) -> Answer:
    """Send one command to this user's running program and wait for its answer.

    Raises NotRunningError, or UsageError for an answer of another version.
    """
    call = connect_to()
    if call is None:
        raise NotRunningError("Mattecam is not running for this user; start it with run.py or run.py headless.")
    try:
        call.send(command.encode())
        line = call.receive()
    except OSError as error:
        raise NotRunningError(f"The running Mattecam did not answer: {error}.") from error
    finally:
        call.close()
    if not line:
        raise NotRunningError("The running Mattecam hung up without an answer.")
    return decode_answer(line)
