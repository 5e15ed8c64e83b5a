"""What a signal does while the program is started. Standard library only: it runs before anything else is imported."""

from __future__ import annotations

import os
import signal

EXIT_INTERRUPTED = 130


def exit_on_signals() -> None:
    """End the process on a signal that ends commands: an import may hide KeyboardInterrupt, and nothing is open yet."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP, and under nohup it is ignored
        if number is not None and not (name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN):
            signal.signal(number, lambda number, frame: os._exit(EXIT_INTERRUPTED))
