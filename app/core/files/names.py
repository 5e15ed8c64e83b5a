"""What a path names, a name that is free, and what an unfinished video is called once it is finished."""

from __future__ import annotations

import os
import re
import stat
import threading
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.core.errors import MattecamError, UsageError, t
from app.core.files.disk_errors import why_not_written

_naming = threading.Lock()
"""Held from the choice of a name until there is a file of it."""


def exists(path: Path) -> bool:
    """Return whether there is a file or folder of this name; False also for a name that the system cannot look up."""
    return _mode(path) != 0


def is_file(path: Path) -> bool:
    """Return whether there is a file of this name; False also for a name that the system cannot look up."""
    return stat.S_ISREG(_mode(path))


def is_folder(path: Path) -> bool:
    """Return whether there is a folder of this name; False also for a name that the system cannot look up."""
    return stat.S_ISDIR(_mode(path))


def is_special(path: Path) -> bool:
    """Return whether a path names a pipe, a device or a socket, which may never give any data."""
    mode = _mode(path)
    return mode != 0 and not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def is_stream(path: Path) -> bool:
    """Return whether a path is special, or one such as /dev/stdout, which may lead to a file: not to be replaced."""
    return is_special(path) or path.absolute().parent in (Path("/dev"), Path("/dev/fd"))


def _mode(path: Path) -> int:
    """Return what a path names, as in `stat`; 0 for nothing, and for a name that is too long or holds a NUL."""
    try:
        return path.stat().st_mode
    except (OSError, ValueError):
        return 0


def same_file(first: Path, second: Path) -> bool:
    """Return whether two paths name the same file, which need not exist."""
    try:
        return first.samefile(second)
    except (OSError, ValueError):
        return resolved(first) == resolved(second)


def resolved(path: Path) -> Path:
    """Return the absolute path without links; for links that lead in a circle, one of them.

    `Path.resolve` raises RuntimeError for these before Python 3.13.
    """
    return Path(os.path.realpath(path))


def is_of_kind(path: Path, suffixes: Collection[str]) -> bool:
    """Return whether a file in a folder is of a kind with these suffixes, in lower case.

    What macOS makes beside another file, for its attributes, on a disk that is not its own is of no kind.
    """
    return path.suffix.lower() in suffixes and not path.name.startswith("._")


def check_outputs(outputs: Iterable[Path], source: Path | None = None) -> None:
    """Raise UsageError if an output is the source or another output."""
    known = {} if source is None else {source: "the source"}
    for path in outputs:
        for other, use in known.items():
            if same_file(path, other):
                raise UsageError(f"{path} cannot be written: it is also {use}; choose another name.")
        known[path] = "another output"


def free_name(wanted: Path) -> Path:
    """Return `wanted`, or `name (2).ext` and so on if that exists."""
    return _first_free(wanted, "{} ({})")


def new_file(folder: Path, stem: str, suffix: str, taken: Path | None = None) -> Path:
    """Return the path of a file that does not exist: `stem.ext`, or `stem 2.ext` and so on. Creates the folder.

    taken: a name that is not free either. Raises MattecamError.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MattecamError(
            t("The folder {folder} cannot be created: {reason}.", folder=folder, reason=why_not_written(error))
        ) from error
    return _first_free(folder / f"{stem}{suffix}", "{} {}", taken)


@contextmanager
def new_file_held(folder: Path, stem: str, suffix: str) -> Iterator[Path]:
    """Yield the path of a new file, which no other thread takes meanwhile; write it inside. Raises as `new_file`."""
    with _naming:
        yield new_file(folder, stem, suffix)


def _first_free(wanted: Path, numbered: str, taken: Path | None = None) -> Path:
    """Return the first of the names that neither exists nor is taken. numbered: stem of the second one and later."""
    path, number = wanted, 2
    while os.path.lexists(path) or path == taken:
        path = wanted.with_stem(numbered.format(wanted.stem, number))
        number += 1
    return path


def holds_something(path: Path) -> bool:
    """Return whether a path names a file that is not empty."""
    return is_file(path) and path.stat().st_size > 0


def version_of(path: Path) -> tuple[int, int, int] | None:
    """Return what tells the present content of a file from an earlier one, or from a file that took its name.

    None if there is none.
    """
    try:
        stat = path.stat()
    except (OSError, ValueError):
        return None
    return stat.st_ino, stat.st_mtime_ns, stat.st_size


def is_taken(path: Path) -> bool:
    """Return whether a file written to a path would replace content, a pipe, a device or a link to nowhere."""
    return holds_something(path) or is_special(path) or (os.path.lexists(path) and not exists(path))


def final_name(part: Path) -> Path:
    """Return the name of a video once it is finished: `name.part.mp4` and `name.part2.mp4` give `name.mp4`."""
    name = re.sub(r"\.part\d*$", "", part.stem) + part.suffix
    return part.with_name(name) if name else part  # "." and "/" have none
