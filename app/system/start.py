"""The signals that end a command, and what they do while it starts.

Standard library only: this runs before anything else is imported.
"""

from __future__ import annotations

import os
import signal

from app.core.exit_codes import EXIT_INTERRUPTED

HANGUP: int | None = getattr(signal, "SIGHUP", None)
"""The terminal or the SSH session was closed; not on Windows."""


def stopping() -> tuple[int, ...]:
    """Return the signals that end a command: SIGINT, SIGTERM, and SIGHUP unless it is ignored, as under nohup."""
    if HANGUP is None or signal.getsignal(HANGUP) is signal.SIG_IGN:
        return signal.SIGINT, signal.SIGTERM
    return signal.SIGINT, signal.SIGTERM, HANGUP


def exit_on_signals() -> None:
    """End the process on a signal that ends commands: an import may hide KeyboardInterrupt, and nothing is open yet."""
    for number in stopping():
        signal.signal(number, lambda number, frame: os._exit(EXIT_INTERRUPTED))
