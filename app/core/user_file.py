"""JSON files of the user that are read, changed and written again.

What was not read is never overwritten.
"""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Generic, TypeVar

from app.core.errors import SettingsError, Text, t
from app.core.files import (
    SHORT_NAME_BYTES,
    cut,
    free_name,
    is_file,
    is_special,
    locked,
    resolved,
    why_not_read,
    why_not_written,
    write_private,
)
from app.core.threads import on_own_thread
from app.core.worker import GIVE_UP_S

T = TypeVar("T")
# By file, held from reading it to writing it: one on a disk that hangs delays no other.
_locks: dict[Path, threading.Lock] = {}
# How long another program may change the file.
LOCK_LIMIT_S = 5.0


JsonObject = dict[str, object]


class BrokenFileError(SettingsError):
    """The content of the file is invalid. The message is a reason, for use within a sentence."""


def why_not_used(error: BrokenFileError | OSError) -> str:
    """Return the reason why a file cannot be used: a part of a sentence."""
    if isinstance(error, BrokenFileError):
        return error.text
    return why_not_read(error)


def read_object(path: Path) -> JsonObject | None:
    """Return the JSON object in a UTF-8 file, or None if the file does not exist.

    Raises BrokenFileError for any other content and OSError if the file cannot be read.
    """
    if is_special(path):
        raise BrokenFileError(t("it is not a text file"))
    try:
        data = json.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError as error:
        # Windows says this of a path that leads through a file, too: settings are not merely absent.
        if any(is_file(parent) for parent in path.parents):
            number = errno.ENOTDIR
            raise NotADirectoryError(number, os.strerror(number), str(path)) from error
        return None
    except UnicodeDecodeError as error:
        raise BrokenFileError(t("it is not a text file")) from error
    except ValueError as error:
        # Also raised for integers with thousands of digits, of which the place is not known.
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        raise BrokenFileError(t("it is not valid JSON, see line {line}", line=line)) from error
    except RecursionError as error:
        raise BrokenFileError(t("it is nested too deeply")) from error
    if not isinstance(data, dict):
        raise BrokenFileError(t("it contains no JSON object"))
    return data


def in_time(path: Path, read: Callable[[], T]) -> T:
    """Return what `read` returns of a file.

    Raises what it raises, and TimeoutError where the disk does not answer.
    """
    reading = on_own_thread("file-reader", read)
    wait([reading], GIVE_UP_S)
    if not reading.done():
        raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT), str(path))
    return reading.result()


class UserFile(Generic[T]):
    """A JSON file whose content `parse` turns into a value.

    Thread-safe, and safe beside other programs.
    """

    def __init__(self, path: Path, parse: Callable[[JsonObject], T]) -> None:
        """parse: raises BrokenFileError, with the reason, for a content that cannot be used."""
        self.path = path
        self._parse = parse

    def read(self) -> T | None:
        """Return the value; None where there is no file. Leaves the file as it is.

        Raises BrokenFileError with the reason, or OSError.
        """
        data = read_object(self.path)
        if data is None:
            return None
        return self._parse(data)

    def change(self, update: Callable[[T | None], JsonObject | None]) -> Text | None:
        """Replace the file atomically by what `update` makes of its value.

        By None nothing is written.

        `update` gets None where there is no file, or none that can be used: one that is damaged, of
        a newer version, or on a disk that does not answer now. Such a file is renamed to
        `NAME.bad`, or to `NAME (2).bad` and so on, and the sentence about that is returned;
        otherwise None. Raises SettingsError if the file cannot be written or renamed: then it is as
        it was.
        """
        with _locks.setdefault(self.path.absolute(), threading.Lock()), self._no_other_program():
            try:
                value = self.read()
            except (BrokenFileError, OSError) as error:
                return self._replace_unread(update(None), why_not_used(error))
            data = update(value)
            if data is not None:
                self._replace(data)
        return None

    @contextmanager
    def _no_other_program(self) -> Iterator[None]:
        """Keep other programs from changing the file, which would lose what one of them writes."""
        file = resolved(self.path)
        with suppress(OSError):  # writing says why
            file.parent.mkdir(parents=True, exist_ok=True)
        with locked(file.with_name(f".{cut(file.name, SHORT_NAME_BYTES)}.lock"), LOCK_LIMIT_S):
            yield

    def _replace(self, data: JsonObject) -> None:
        """Write the file in place of the one that was read."""
        try:
            # Users who keep their settings under version control have a link here, which stays.
            _write(resolved(self.path), data)
        except OSError as error:
            raise SettingsError(
                t(
                    "The file {file} cannot be written: {reason}⟦; another file can be named with "
                    "--config⟧.",
                    file=self.path,
                    reason=why_not_written(error),
                )
            ) from error

    def _replace_unread(self, data: JsonObject | None, reason: str) -> Text | None:
        """Rename the file that cannot be used, for this reason, and write another in its place."""
        if data is None:
            return None
        kept = free_name(self.path.with_name(f"{self.path.name}.bad"))
        try:
            # A link is renamed, not followed: what it leads to is left as it is.
            _write(self.path, data, kept=kept)
        except OSError as error:
            raise SettingsError(
                t(
                    "The file {file} cannot be used ({reason}), and nothing is saved over it, "
                    "because it cannot be kept under another name: {why}⟦; another file can be "
                    "named with --config⟧.",
                    file=self.path,
                    reason=reason,
                    why=why_not_written(error),
                )
            ) from error
        return t(
            "The file {file} cannot be used ({reason}) and was renamed to {kept}; Mattecam goes on "
            "without it.",
            file=self.path,
            reason=reason,
            kept=kept,
        )


def _write(path: Path, data: JsonObject, kept: Path | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(data, indent=2) + "\n"
    # After one start as root, which left a file of root, nothing that the user saved was read.
    write_private(path, text.encode(), durable=True, kept=kept, keeps_owner=True)
