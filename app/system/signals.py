"""Signal handlers for the length of a block."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_HANGUP: int | None = getattr(signal, "SIGHUP", None)
"""The terminal or the SSH session was closed; not on Windows."""


def stopping() -> tuple[int, ...]:
    """Return the signals that end a command: SIGINT, SIGTERM, and SIGHUP unless it is ignored, as under nohup."""
    if _HANGUP is None or signal.getsignal(_HANGUP) is signal.SIG_IGN:
        return signal.SIGINT, signal.SIGTERM
    return signal.SIGINT, signal.SIGTERM, _HANGUP


@contextmanager
def surviving_hangup() -> Iterator[Callable[[int], None]]:
    """Yield a function for the number of a received signal: after SIGHUP, what is printed to a terminal goes nowhere,
    because printing to one that was closed fails.
    """
    terminals = [stream for stream in (1, 2) if _is_terminal(stream)]
    nowhere = os.open(os.devnull, os.O_WRONLY)

    def received(number: int) -> None:
        if number == _HANGUP:
            for terminal in terminals:
                os.dup2(nowhere, terminal)

    try:
        yield received
    finally:
        os.close(nowhere)


@contextmanager
def handled(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Call `handler` for the signals that end a command; then restore the handlers before. For the main thread."""
    with surviving_hangup() as received:

        def handle(number: int, frame: FrameType | None) -> None:
            received(number)
            handler(number, frame)

        previous = {number: signal.signal(number, handle) for number in stopping()}
        try:
            yield
        finally:
            for number, before in previous.items():
                signal.signal(number, before)


def _is_terminal(stream: int) -> bool:
    try:
        return os.isatty(stream)
    except OSError:
        return False
