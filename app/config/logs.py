"""Set up logging: to standard error, and for the window also to a rotating file.

Repeated messages are counted, and the file names the user's files without their folders.
"""

from __future__ import annotations

import copy
import logging
import logging.handlers
import os
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path, PurePath
from types import TracebackType

from app.core import paths
from app.core.errors import Text, text_of, visible
from app.core.files import why_not_written

log = logging.getLogger(__name__)

OWN_LOGGERS = tuple(paths.module(name) for name in ("app", "models"))
HANDLER_NAME = "mattecam"
"""Marks the handlers of this module: a new set-up replaces these and keeps all others."""
FILE_BYTES, FILE_COUNT = 1_000_000, 3
FILE_FORMAT = "%(asctime)s %(levelname)-8s %(threadName)s %(name)s: %(message)s"
LONGEST_CYCLE, CYCLE_S = 4, 60.0
"""Messages and seconds of a cycle whose repetitions are held back, such as those of a camera that fails in each format
and is tried again."""
_Key = tuple[int, str, object]


def named_only(text: str, record: logging.LogRecord) -> str:
    """Return the text of a record with each path of a user's file shortened to its name.

    Devices and the program's own folders stay as they are. The paths are those among the values of the message, and of
    the error that the record carries.
    """
    values: list[object] = [record.args, record.exc_info[1] if record.exc_info else None]
    known = "/dev", paths.data_dir(), paths.config_dir(), paths.ROOT
    for path in sorted(set(_paths(values, set())), key=len, reverse=True):
        file = PurePath(path)
        if file.name and not any(file.is_relative_to(folder) for folder in known):
            text = text.replace(path, file.name)
    return text


def _paths(value: object, seen: set[int]) -> Iterator[str]:
    """Yield the paths in a value of a message, or in an error and its causes. seen: identities of errors."""
    if isinstance(value, PurePath):
        yield str(value)
    elif isinstance(value, Text):
        yield from _paths(list(value.values.values()), seen)
    elif isinstance(value, str):
        if PurePath(value).is_absolute():
            yield value
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _paths(each, seen)
    elif isinstance(value, BaseException) and id(value) not in seen:
        seen.add(id(value))
        names = [value.filename, value.filename2] if isinstance(value, OSError) else []
        yield from _paths([text_of(value), *names, value.__cause__, value.__context__], seen)


@dataclass(slots=True)
class _Said:
    """The last messages of a logger."""

    keys: deque[tuple[_Key, float]] = field(default_factory=lambda: deque(maxlen=2 * LONGEST_CYCLE))
    """Each with its time."""
    count: int = 0
    """How many repetitions were held back since the last line."""
    note: logging.LogRecord | None = None
    """The line with the count. It keeps nothing of the repeated record, whose traceback holds frames."""

    @property
    def repeats(self) -> bool:
        """Whether the last message repeats the one before, or ends a cycle of messages that came twice in a row."""
        keys = [key for key, _ in self.keys]
        for length in range(1, len(keys) // 2 + 1):
            if keys[-length:] == keys[-2 * length : -length]:
                return length == 1 or self.keys[-1][1] - self.keys[-1 - length][1] < CYCLE_S
        return False


class RepeatsHandler(logging.Handler):
    """Passes records to `target`, and holds back messages that a logger repeats, also in turn with others.

    What was held back becomes one line with a count: before the next other message of that logger, or when the handler
    is closed. Times are those of the records.
    """

    def __init__(self, target: logging.Handler) -> None:
        super().__init__(target.level)
        self.target = target
        self._said: dict[str, _Said] = {}
        """By name of the logger."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record, or count it."""
        try:
            key = record.levelno, record.getMessage(), record.exc_info and record.exc_info[0]
            said = self._said.setdefault(record.name, _Said())
            said.keys.append((key, record.created))
            if said.repeats:
                said.count += 1
                said.note = _note(record, said.count)
            else:
                self._write_count(said)
                self.target.handle(record)
        except Exception:  # noqa: BLE001 - as in every handler: a defective message must not end its thread
            self.handleError(record)

    def _write_count(self, said: _Said) -> None:
        if said.note is not None:
            self.target.handle(said.note)
        said.count, said.note = 0, None

    def close(self) -> None:
        """Write what is counted and close the target."""
        self.acquire()
        try:
            for said in self._said.values():
                self._write_count(said)
            self._said.clear()
        finally:
            self.release()
        self.target.close()
        super().close()


def _note(record: logging.LogRecord, count: int) -> logging.LogRecord:
    note = copy.copy(record)
    note.msg, note.args = ("… repeated once", ()) if count == 1 else ("… repeated %d times", (count,))
    note.exc_info = note.exc_text = note.stack_info = None
    return note


class ShortFormatter(logging.Formatter):
    """Formatter for a terminal: one line, without traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of `record`, without its traceback."""
        return paths.advice(f"mattecam: {one_line(record.getMessage())}")


class FullFormatter(logging.Formatter):
    """Formatter for the log file: with control characters shown, also in tracebacks."""

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
        if sys.platform != "win32":
            os.fchmod(handle, 0o600)  # a file of an earlier version
        file = os.fdopen(handle, f"{self.mode}b")
        return TextIOWrapper(file, encoding=self.encoding, errors="backslashreplace", line_buffering=True)


def set_up_console(*, verbose: bool = False) -> None:
    """Log warnings to standard error, one line each; with `verbose`, log all messages with tracebacks."""
    _set_up([_console(verbose)], verbose)


def set_up_window(*, verbose: bool = False) -> Path | None:
    """Log to standard error and a rotating file. Return the file, or None if the log folder is not writable."""
    path = _file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = PrivateLog(path, maxBytes=FILE_BYTES, backupCount=FILE_COUNT, encoding="utf-8")
    except OSError as error:
        _set_up([_console(verbose)], verbose)
        log.warning("The program goes on without its log file %s: %s.", path, why_not_written(error))
        return None
    file.setFormatter(FullFormatter(FILE_FORMAT))
    file.setLevel(logging.DEBUG if verbose else logging.INFO)
    _set_up([_console(verbose), file], verbose)
    return path


def newest_lines(count: int) -> str:
    """Return the last lines of the log file; empty if there is none."""
    with suppress(OSError):
        return "\n".join(_file().read_text("utf-8", "replace").splitlines()[-count:])
    return ""


def _file() -> Path:
    return paths.data_dir() / "logs" / "mattecam.log"


def _console(verbose: bool) -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FullFormatter(FILE_FORMAT) if verbose else ShortFormatter())
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


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None, where: str = ""
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    log.critical("A defect in the program, %s%s: %s", kind.__name__, where, error, exc_info=(kind, error, trace))


def _log_uncaught_in_thread(caught: threading.ExceptHookArgs) -> None:
    if caught.exc_value is not None and not isinstance(caught.exc_value, SystemExit):
        name = caught.thread.name if caught.thread is not None else "an unknown thread"
        _log_uncaught(caught.exc_type, caught.exc_value, caught.exc_traceback, f" in {name}")
