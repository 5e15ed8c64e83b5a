"""Set up logging: to standard error, and for the window also to a rotating file.

Repetitions are left out, and the file names the user's files without their folders.
"""

from __future__ import annotations

import logging
import logging.handlers
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path, PurePath
from types import TracebackType

from app.core import paths
from app.core.errors import Text, text_of, visible
from app.core.files import why_not_written

log = logging.getLogger(__name__)

OWN_LOGGERS = tuple(paths.module(name) for name in ("app", "models"))
# Marks the handlers of this module: a new set-up replaces these and keeps all others.
HANDLER_NAME = "mattecam"
FILE_BYTES = 1_000_000
FILE_COUNT = 3
FILE_FORMAT = "%(asctime)s %(levelname)-8s %(threadName)s %(name)s: %(message)s"
# Seconds for which a repetition is held back, as of a camera that fails in each format and is tried
# again; and of how many messages that is known.
AGAIN_S = 60.0
MOST_SAID = 100


def named_only(text: str, record: logging.LogRecord) -> str:
    """Return the text of a record with each path of a user's file shortened to its name.

    Devices and the program's own folders stay as they are. The paths are those among the values of
    the message, and of the error that the record carries.
    """
    error = record.exc_info[1] if record.exc_info else None
    values: list[object] = [record.args, error]
    known = ("/dev", paths.data_dir(), paths.config_dir(), paths.ROOT)
    # The longest first, as a shorter one may be a part of it.
    for path in sorted(set(_paths(values, set())), key=len, reverse=True):
        file = PurePath(path)
        if file.name and not any(file.is_relative_to(folder) for folder in known):
            # In the text of an OSError; backslashes are doubled there.
            as_python_writes = repr(path)[1:-1]
            text = text.replace(as_python_writes, file.name).replace(path, file.name)
    return text


def _paths(value: object, seen: set[int]) -> Iterator[str]:
    """Yield the paths in a value of a message, or in an error and its causes.

    seen: identities of errors.
    """
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
        if isinstance(value, OSError):
            yield from _paths([value.filename, value.filename2], seen)
        yield from _paths([text_of(value), value.__cause__, value.__context__], seen)


class Repeats(logging.Filter):
    """Holds back what a logger says again within a minute, however often, also in turn with other
    messages.
    """

    def __init__(self) -> None:
        super().__init__()
        # When each message was said last, the oldest first.
        self._said_s: dict[tuple[object, ...], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to write the record. Times are those of the records."""
        try:
            text = record.getMessage()
        except Exception:  # noqa: BLE001 - the handler reports it; it must not end the thread
            return True
        kind_of_error = record.exc_info and record.exc_info[0]
        said = (record.name, record.levelno, text, kind_of_error)
        before_s = self._said_s.pop(said, None)
        self._said_s[said] = record.created  # as the last one, to be forgotten last
        for oldest in list(self._said_s)[:-MOST_SAID]:
            self._said_s.pop(oldest, None)  # another thread may have done so
        return before_s is None or record.created - before_s > AGAIN_S


class ShortFormatter(logging.Formatter):
    """Formatter for a terminal: one line, without traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of `record`, without its traceback."""
        return f"mattecam: {one_line(record.getMessage())}"


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
    """Return the message in one line, without control characters.

    Names of files could forge lines.
    """
    return visible(message).replace("\n", "\\n")


class PrivateLog(logging.handlers.RotatingFileHandler):
    """A rotating log that only the user can read: it names files, devices and people's scenes."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of `record`, which names the user's files without their folders."""
        return named_only(super().format(record), record)

    def rotate(self, source: str, dest: str) -> None:
        """Rename the full file.

        On Windows, while another Mattecam writes to it, it grows until the end of this one.
        """
        try:
            super().rotate(source, dest)
        except PermissionError:
            self.maxBytes = 0

    def _open(self) -> TextIOWrapper:
        path = Path(self.baseFilename)
        path.touch(0o600)
        path.chmod(0o600)  # a file of an earlier version
        return super()._open()


def set_up_console(*, verbose: bool = False) -> None:
    """Log warnings to standard error, one line each.

    With `verbose`, log all messages with tracebacks.
    """
    _set_up([_console(verbose)], verbose)


def set_up_window(*, verbose: bool = False) -> Path | None:
    """Log to standard error and a rotating file.

    Return the file, or None if the log folder is not writable.
    """
    path = _file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = PrivateLog(
            path,
            maxBytes=FILE_BYTES,
            backupCount=FILE_COUNT,
            encoding="utf-8",
            errors="backslashreplace",
        )
    except OSError as error:
        _set_up([_console(verbose)], verbose)
        log.warning(
            "The program goes on without its log file %s: %s.",
            path,
            why_not_written(error),
        )
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
    for handler in handlers:
        handler.addFilter(Repeats())
        handler.name = HANDLER_NAME
        root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for name in OWN_LOGGERS:
        logging.getLogger(name).setLevel(logging.DEBUG if verbose else logging.INFO)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


def _log_uncaught(
    kind: type[BaseException],
    error: BaseException,
    trace: TracebackType | None,
    where: str = "",
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    log.critical(
        "A defect in the program, %s%s: %s",
        kind.__name__,
        where,
        error,
        exc_info=(kind, error, trace),
    )


def _log_uncaught_in_thread(caught: threading.ExceptHookArgs) -> None:
    if caught.exc_value is not None and not isinstance(caught.exc_value, SystemExit):
        name = caught.thread.name if caught.thread is not None else "an unknown thread"
        _log_uncaught(caught.exc_type, caught.exc_value, caught.exc_traceback, f" in {name}")
