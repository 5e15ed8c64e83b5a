"""Set up logging: to standard error, and for the window also to a rotating file."""

from __future__ import annotations

import logging
import logging.handlers
import os
import sys
import threading
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType

from app.config.log_paths import named_only
from app.config.log_repeats import RepeatsHandler
from app.core.files import paths, program
from app.core.text import visible

log = logging.getLogger(__name__)

OWN_LOGGERS = tuple(paths.module(name) for name in ("app", "models", "service"))
HANDLER_NAME = "mattecam"
"""Marks the handlers of this module: a new set-up replaces these and keeps all others."""
FILE_BYTES, FILE_COUNT = 1_000_000, 3
FILE_FORMAT = "%(asctime)s %(levelname)-8s %(threadName)s %(name)s: %(message)s"


class ShortFormatter(logging.Formatter):
    """Formatter for a terminal: one line, without traceback."""

    def __init__(self) -> None:
        super().__init__("mattecam: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of `record`, without its traceback."""
        record.message = one_line(record.getMessage())
        return program.advice(self.formatMessage(record))


class FullFormatter(logging.Formatter):
    """Formatter for the log file: with time, thread and traceback."""

    def __init__(self) -> None:
        super().__init__(FILE_FORMAT)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Return the line of `record`."""
        record.message = one_line(record.message)
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of `record` and its traceback."""
        return visible(super().format(record))


def one_line(message: str) -> str:
    """Return the message in one line, without control characters: names of files could forge lines."""
    return visible(message).replace("\n", "\\n")


class PrivateLog(logging.handlers.RotatingFileHandler):
    """A rotating log that only the user can read: it names files, devices and people's scenes."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of `record`, which names the user's files without their folders."""
        return named_only(super().format(record), record)

    def _open(self) -> TextIOWrapper:
        handle = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        if os.name == "posix":
            os.fchmod(handle, 0o600)  # a file of an earlier version
        return TextIOWrapper(os.fdopen(handle, f"{self.mode}b"), encoding=self.encoding, line_buffering=True)


def set_up_console(*, verbose: bool = False) -> None:
    """Log warnings to standard error, one line each; with `verbose`, log all messages with tracebacks."""
    _set_up([_console(verbose)], verbose)


def set_up_window(*, verbose: bool = False) -> Path | None:
    """Log to standard error and a rotating file. Return the file, or None if the log folder is not writable."""
    path = paths.log_dir() / "mattecam.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = PrivateLog(path, maxBytes=FILE_BYTES, backupCount=FILE_COUNT, encoding="utf-8")
    except OSError as error:
        _set_up([_console(verbose)], verbose)
        log.warning("The log file %s cannot be written (%s); the program goes on without.", path, error.strerror)
        return None
    file.setFormatter(FullFormatter())
    file.setLevel(logging.DEBUG if verbose else logging.INFO)
    _set_up([_console(verbose), file], verbose)
    return path


def _console(verbose: bool) -> logging.Handler:
    # sys.stderr is None if Windows runs the program without a console.
    handler = logging.NullHandler() if sys.stderr is None else logging.StreamHandler(sys.stderr)
    handler.setFormatter(FullFormatter() if verbose else ShortFormatter())
    handler.setLevel(logging.DEBUG if verbose else logging.WARNING)
    return handler


def _set_up(handlers: list[logging.Handler], verbose: bool) -> None:
    root = logging.getLogger()
    for old in [handler for handler in root.handlers if handler.name == HANDLER_NAME]:
        root.removeHandler(old)
        old.close()
    for handler in map(RepeatsHandler, handlers):
        handler.name = HANDLER_NAME
        root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for name in OWN_LOGGERS:
        logging.getLogger(name).setLevel(logging.DEBUG if verbose else logging.INFO)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    log.critical("A defect in the program, %s: %s", kind.__name__, error, exc_info=(kind, error, trace))


def _log_uncaught_in_thread(caught: threading.ExceptHookArgs) -> None:
    error = caught.exc_value
    if error is None or isinstance(error, SystemExit):
        return
    name = caught.thread.name if caught.thread is not None else "an unknown thread"
    log.critical("A defect in the program, %s in %s: %s", type(error).__name__, name, error, exc_info=error)
