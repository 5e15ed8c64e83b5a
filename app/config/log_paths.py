"""Paths in the message of a log: of a user's own file, the log keeps the name."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import PurePath

from app.core.errors import text_of
from app.core.files import paths
from app.core.text import Text


def named_only(text: str, record: logging.LogRecord) -> str:
    """Return the text of a record with each path of a user's file shortened to its name.

    Devices and the program's own folders stay as they are. The paths are those among the values of the message, and of
    the error that the record carries.
    """
    values: list[object] = [record.args, record.exc_info[1] if record.exc_info else None]
    found = {path for path in _paths(values, set()) if not _is_known(path)}
    for path in sorted(found, key=len, reverse=True):
        text = text.replace(path, PurePath(path).name)
    return text


def _is_known(path: str) -> bool:
    known = "/dev", str(paths.data_dir()), str(paths.config_dir()), str(paths.ROOT)
    return not PurePath(path).name or any(PurePath(path).is_relative_to(folder) for folder in known)


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
