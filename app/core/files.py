"""Files: kinds of path, free names, atomic writing, locks, and why a file cannot be used.

Standard library only: run.py locks the environment before anything is installed.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import secrets
import stat
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, TypeVar

from app.core.errors import (
    MattecamError,
    SinkError,
    SinkLostError,
    SinkOpenError,
    Text,
    UsageError,
    t,
)

log = logging.getLogger(__name__)
T = TypeVar("T")

# Errors of file systems that cannot lock a file.
WITHOUT_LOCKS = {
    errno.ENOLCK,  # NFS without a lock service
    errno.EOPNOTSUPP,  # SMB, FUSE
    errno.ENOTSUP,
    errno.ENOSYS,
    errno.EINVAL,  # a network drive of Windows
}
_WRITING = {
    errno.ENOSPC: t("the disk is full; free some space and try again"),
    errno.EDQUOT: t("the disk is full; free some space and try again"),
    errno.EFBIG: t("the file has become too large for this disk; choose another one"),
    errno.EACCES: t("you have no permission to write there; choose another folder"),
    errno.EPERM: t("you have no permission to write there; choose another folder"),
    errno.EROFS: t("the disk is read-only; choose another folder"),
    errno.ENOENT: t(
        "the file or its folder does not exist; create the folder or choose another one"
    ),
    errno.EISDIR: t("a folder has this name; choose another name"),
    errno.ENOTDIR: t("a part of the path is not a folder; choose another path"),
    errno.EEXIST: t("a file is where the folder should be; choose another folder"),
    errno.ENOTEMPTY: t("another file has got this name in the meantime; rename one of them"),
    errno.ENAMETOOLONG: t("the name is too long; choose a shorter one"),
    errno.ELOOP: t(
        "it is a symbolic link, which is not followed; remove it or choose another name"
    ),
    errno.ENXIO: t("no program reads from it; start one that does"),
    errno.EPIPE: t("no program reads from it; start one that does"),
    errno.EBUSY: t("a program has it open; close it there, or choose another name"),
    errno.EILSEQ: t("the name has a character that Windows does not allow; choose another name"),
}
_READING = {
    errno.ENOENT: t("it does not exist"),
    errno.ENOTDIR: t("a part of its path is not a folder"),
    errno.EACCES: t("you have no permission to read it"),
    errno.EPERM: t("you have no permission to read it"),
    errno.EISDIR: t("it is a folder"),
    errno.ETIMEDOUT: t("its disk does not answer"),
    errno.ENAMETOOLONG: t("its name is too long"),
    errno.EBUSY: t("another program has it open"),
    errno.EILSEQ: t("its name has a character that Windows does not allow"),
}
WINDOWS: bool = sys.platform == "win32"
# Error codes of Windows: sharing violation, lock violation, mapped into memory.
_HELD_BY_OTHERS = {32, 33, 1224}
# Error code of Windows.
_NAME_TOO_LONG = 206
# What Windows allows in no name.
_NOT_IN_NAMES = re.compile('[<>:"|?*\x00-\x1f]')
# Errors of the disk; all others are those of the name or the place.
_OF_THE_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EIO}


def write_error(error: OSError) -> type[SinkError]:
    """Return what to raise where an output cannot be opened: a bad name, or a failed disk."""
    if error.errno in _OF_THE_DISK:
        return SinkLostError
    return SinkOpenError


class ExplainedOSError(OSError):
    """An OSError with a reason for the user."""

    def __init__(self, number: int, reason: Text, path: Path) -> None:
        super().__init__(number, str(reason), str(path))
        self.reason = reason


def why_not_written(error: OSError) -> Text:
    """Return the reason and what to do: the second half of a sentence, without the full stop."""
    if isinstance(error, ExplainedOSError):
        return error.reason
    other = t("the disk reports an error; choose another path")
    return _WRITING.get(_cause(error, reads=False), other)


def why_not_read(error: OSError) -> Text:
    """Return the reason: a part of a sentence."""
    return _READING.get(_cause(error, reads=True), t("the disk reports an error"))


def _cause(error: OSError, *, reads: bool) -> int:
    """Return the error number that a POSIX system would give for the same cause.

    Windows gives one number for several causes. Its EACCES also stands for a folder where a file is
    expected, and for a file that another program has open; its ENOENT also for a path that leads
    through a file, and for a name that is too long. reads: whether the file was to be read.
    """
    number = error.errno or 0
    if not WINDOWS:
        return number
    code: int | None = getattr(error, "winerror", None)
    if code in _HELD_BY_OTHERS:
        return errno.EBUSY
    if code == _NAME_TOO_LONG:
        return errno.ENAMETOOLONG
    name = error.filename if error.filename2 is None else error.filename2
    if not isinstance(name, str | os.PathLike):  # such as the number of an open file
        return number
    path = Path(name)
    # Python's `open` gives no code of Windows: such a code comes from the listing of a folder.
    was_listed = reads and code is not None
    if number == errno.EACCES and is_folder(path) and not was_listed:
        return errno.EISDIR
    if number == errno.ENOENT and any(is_file(parent) for parent in path.parents):
        return errno.ENOTDIR
    if number in (errno.EINVAL, errno.ENOENT) and _NOT_IN_NAMES.search(path.name):
        return errno.EILSEQ
    return number


_DEVICES_OF_WINDOWS = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\..*)?", re.IGNORECASE
)


def names_device(name: str) -> bool:
    """Return whether Windows takes a name, with any suffix, for a device: `aux`, `con.png`."""
    return WINDOWS and _DEVICES_OF_WINDOWS.fullmatch(name) is not None


NO_LINK = getattr(os, "O_NOFOLLOW", 0)  # Windows has none
# A temporary name begins with so much of the final one, by which a person recognizes it.
SHORT_NAME_BYTES = 48


def no_answer(file: Path | str) -> Text:
    """Return the sentence about a file whose disk does not answer."""
    return t("{file} does not answer; reconnect its disk, or choose another file.", file=file)


def touch(file: Path) -> None:
    """Find out whether the disk of a file answers: read its first byte, if there is one.

    Called on a thread of its own, so that a disk that does not answer holds up this call alone. It
    changes nothing, unlike `Path.touch`.
    """
    if is_special(file):  # a camera must not be opened twice, and a pipe may give nothing
        return
    # Whoever uses the file says why it cannot.
    with suppress(OSError, ValueError), file.open("rb") as opened:
        opened.read(1)


# Held from the choice of a free name until its file exists, so that no two threads choose the same.
_naming_lock = threading.Lock()


# Unlike the methods of Path, these are False also for a name
# that the system cannot look up: too long, or with a NUL.
exists = os.path.exists
is_file = os.path.isfile
is_folder = os.path.isdir
is_link = os.path.islink


def is_special(path: Path) -> bool:
    """Return whether a path names a pipe, a device or a socket, which may never give any data."""
    return exists(path) and not is_file(path) and not is_folder(path)


def is_stream(path: Path) -> bool:
    """Return whether a path is to be written to and never replaced.

    It is special, or one such as /dev/stdout, which may lead to a file.
    """
    return is_special(path) or path.absolute().parent in (Path("/dev"), Path("/dev/fd"))


def leads_nowhere(path: Path) -> bool:
    """Return whether a path, or a folder in it, is a link to what does not exist."""
    return any(is_link(part) and not exists(part) for part in (path, *path.parents))


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
    """Return whether a file in a folder has one of these suffixes, given in lower case.

    False for `._NAME`: on disks of other systems, macOS keeps the attributes of NAME in it.
    """
    return path.suffix.lower() in suffixes and not path.name.startswith("._")


def check_outputs(
    outputs: Iterable[Path], source: Path | None = None, matte: Path | None = None
) -> None:
    """Raise UsageError if an output is the source, the matte given with it, or another output.

    matte: a film, or a folder of images, none of which may be an output either.
    """
    inputs = {"the matte": matte, "the source": source}
    known = {path: use for use, path in inputs.items() if path is not None}
    for path in outputs:
        for other, use in known.items():
            if same_file(path, other):
                raise UsageError(
                    f"{path} cannot be written: it is also {use}; choose another name."
                )
        if matte is not None and is_file(path) and same_file(path.parent, matte):
            raise UsageError(
                f"{path} cannot be written: it is a file of the matte; choose another name."
            )
        known[path] = "another output"


# Length of a file name on nearly every file system.
MOST_NAME_BYTES = 255


def name_limit(folder: Path) -> int:
    """Return how many bytes a name in a folder may have: fewer on encrypted ones."""
    if sys.platform != "win32":
        with suppress(OSError, ValueError):
            return os.pathconf(folder, "PC_NAME_MAX")
    return MOST_NAME_BYTES


def fitting(folder: Path, stem: str, ending: str) -> str:
    """Return the name `stem` with `ending` for a file in a folder; too long a stem is cut."""
    return cut(stem, name_limit(folder) - len(os.fsencode(ending))) + ending


def cut(text: str, most_bytes: int) -> str:
    """Return as much of a name as has at most so many bytes, in whole characters."""
    while len(os.fsencode(text)) > max(most_bytes, 0):
        text = text[:-1]
    return text


def free_name(wanted: Path, numbered: str = "{} ({})") -> Path:
    """Return `wanted`, or `name (2).ext` and so on if that exists.

    numbered: format of a stem and its number. A stem that is too long for the folder is cut.
    """
    path = wanted.with_name(fitting(wanted.parent, wanted.stem, wanted.suffix))
    number = 2
    while os.path.lexists(path):
        ending = numbered.format("", number) + wanted.suffix
        path = wanted.with_name(fitting(wanted.parent, wanted.stem, ending))
        number += 1
    return path


def new_file(folder: Path, stem: str, suffix: str) -> Path:
    """Create the folder; return a path in it without a file: `stem.ext`, `stem 2.ext` and so on.

    Raises MattecamError.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MattecamError(
            t(
                "The folder {folder} cannot be created: {reason}.",
                folder=folder,
                reason=why_not_written(error),
            )
        ) from error
    return free_name(folder / f"{stem}{suffix}", "{} {}")


@contextmanager
def new_file_held(folder: Path, stem: str, suffix: str) -> Iterator[Path]:
    """Yield the path of a new file to write, which no other thread takes. Raises as `new_file`."""
    with _naming_lock:
        yield new_file(folder, stem, suffix)


def holds_something(path: Path) -> bool:
    """Return whether a path names a file that is not empty."""
    return is_file(path) and path.stat().st_size > 0


def version_of(path: Path) -> tuple[int, int, int] | None:
    """Return a value that differs once the file was changed or replaced; None without a file."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def is_taken(path: Path) -> bool:
    """Return whether writing to a path replaces content, a pipe, a device or a link to nowhere."""
    return holds_something(path) or is_special(path) or (os.path.lexists(path) and not exists(path))


def write_private(
    path: Path,
    data: bytes,
    *,
    durable: bool = False,
    kept: Path | None = None,
    keeps_owner: bool = False,
) -> None:
    """Create or replace the file atomically, with mode 0600, or raise OSError and keep the old one.

    durable: flush the file to disk before returning, so that it survives a power failure. kept: the
    name that the old file gets, which must be free. keeps_owner: let root give the file to the
    owner of the old one, or of the folder.
    """
    _write(path, data, 0o600, durable=durable, kept=kept, keeps_owner=keeps_owner)


def write_shared(path: Path, data: bytes) -> None:
    """Create or replace the file as `write_private`, with the mode of the umask."""
    _write(path, data, 0o666)


def _write(
    path: Path,
    data: bytes,
    mode: int,
    *,
    durable: bool = False,
    kept: Path | None = None,
    keeps_owner: bool = False,
) -> None:
    if is_special(path):
        # Root can rename a file over a device: /dev/null
        # would be a file for every program of the machine.
        raise ExplainedOSError(errno.EEXIST, t("it is a device or a pipe; choose a file"), path)
    part = path.with_name(f".{cut(path.name, SHORT_NAME_BYTES)}.{secrets.token_hex(4)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_LINK | getattr(os, "O_BINARY", 0)
    handle = os.open(part, flags, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            if keeps_owner:
                _give_to_owner(file.fileno(), path)
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        if kept is None:
            when_closed(partial(part.replace, path))
        else:
            _replace_keeping(part, path, kept)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


# How long Windows may refuse to rename, replace or remove a file because it is open elsewhere.
HELD_S = 2.0
_HELD_POLL_S = 0.02


def when_closed(change: Callable[[], T]) -> T:
    """Return what `change` returns, which renames, replaces or removes a file. Raises OSError.

    Windows refuses that while a program has the file open, as virus scanners, the search index and
    readers of a status have for a moment, or another thread of this program that makes its
    thumbnail.
    """
    deadline_s = time.monotonic() + HELD_S
    while True:
        try:
            return change()
        except PermissionError as error:  # noqa: PERF203 - each try is refused or done
            may_be_open = WINDOWS and _cause(error, reads=False) != errno.EISDIR
            if not may_be_open or time.monotonic() >= deadline_s:
                raise
            time.sleep(_HELD_POLL_S)


def _give_to_owner(handle: int, path: Path) -> None:
    """Let root give a new file to the owner of the one it replaces, or of its folder."""
    if sys.platform != "win32" and os.geteuid() == 0:
        owned = path if os.path.lexists(path) else path.parent
        owner = owned.lstat()
        with suppress(OSError):  # such as a network disk, where root is nobody
            os.fchown(handle, owner.st_uid, owner.st_gid)


def _replace_keeping(new: Path, path: Path, kept: Path) -> None:
    """Rename `path` to `kept` and `new` to `path`, or nothing if either fails. Raises OSError."""
    when_closed(partial(path.rename, kept))
    try:
        when_closed(partial(new.rename, path))
    except OSError:
        kept.rename(path)
        raise


def is_private(path: Path) -> bool:
    """Return whether no other user has rights to a file: mode 0600, of this user or root. Raises
    OSError.

    Always True on Windows.
    """
    if sys.platform == "win32":
        private = True
    else:
        found = path.stat()
        private = not stat.S_IMODE(found.st_mode) & 0o077 and found.st_uid in (0, os.geteuid())
    return private


def move(source: Path, target: Path, *, overwrite: bool) -> None:
    """Move a file to another name in the same file system, atomically. Raises OSError.

    overwrite: replace a file there. Without it only an empty file is replaced. A pipe or device
    never is.
    """
    if overwrite and not is_special(target):
        when_closed(partial(source.replace, target))
        return
    if target.is_file() and not holds_something(target):
        target.unlink()
    try:
        os.link(source, target)
    except OSError:
        if os.path.lexists(target):
            reason = t("another file has got this name in the meantime; rename one of them")
            raise ExplainedOSError(errno.EEXIST, reason, target) from None
        when_closed(partial(source.rename, target))  # a file system without hard links
    else:
        when_closed(source.unlink)


def lock_file(path: Path, *, wait: bool, required: bool = False) -> IO[bytes] | None:
    """Open `path` and lock it until the file is closed; return None if another holds the lock.

    wait: wait until the lock is free; Windows gives up after ten seconds, and None is returned.
    required: raise OSError on a file system without locks; else the file is returned unlocked
    there, and a warning is logged. Raises OSError if the file cannot be created, and for a symbolic
    link, which another user may have made to have a file created elsewhere.
    """
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | NO_LINK, 0o600), "r+b")
    try:
        _lock(file, wait)
    except OSError as error:
        # Windows reports a held lock as EACCES, and as EDEADLK after it has waited for ten seconds.
        if error.errno in (errno.EAGAIN, errno.EACCES, errno.EDEADLK):
            file.close()
            return None
        if required or error.errno not in WITHOUT_LOCKS:
            file.close()
            raise
        log.warning(
            "Files in %s cannot be locked, as on some network drives; use this folder in one "
            "Mattecam at a time.",
            path.parent,
        )
    except BaseException:
        file.close()
        raise
    return file


def _lock(file: IO[bytes], wait: bool) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)


# Interval at which `locked` tries again: the wait of the system itself has no time limit.
LOCK_POLL_S = 0.02


@contextmanager
def locked(path: Path, limit_s: float) -> Iterator[None]:
    """Keep other programs and threads out during a change of a file, but not at all costs.

    path: of the lock file, which is removed at the end. Without a lock the block runs as well:
    where the file system has none, or once another program has held it for `limit_s`, as one that
    hangs does. So guard only files that each program replaces as a whole: without a lock a change
    is lost, and no file is broken.
    """
    file = _lock_within(path, limit_s)
    try:
        yield
    finally:
        if file is not None:
            _unlock(file, path)


def _lock_within(path: Path, limit_s: float) -> IO[bytes] | None:
    deadline_s = time.monotonic() + limit_s
    while time.monotonic() < deadline_s:
        try:
            file = lock_file(path, wait=False, required=True)
        except OSError as error:
            log.debug("%s cannot be locked: %s", path, error)
            return None
        if file is not None:
            if _is_at(file, path):
                return file
            # The last holder has removed this file, and another program may lock a new one.
            file.close()
        time.sleep(LOCK_POLL_S)
    log.warning(
        "Another Mattecam has kept %s locked for %g seconds; this one goes on without.",
        path,
        limit_s,
    )
    return None


def _is_at(file: IO[bytes], path: Path) -> bool:
    """Return whether a path still leads to an open file."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        return False


def _unlock(file: IO[bytes], path: Path) -> None:
    """Remove the file of a lock, then unlock it; Windows removes none that any program has open."""
    if sys.platform == "win32":
        file.close()
    with suppress(OSError):
        path.unlink()
    file.close()
