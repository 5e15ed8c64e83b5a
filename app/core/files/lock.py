"""Exclusive locks on files. The operating system releases them when the process exits or is killed."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import IO

NO_LINK = getattr(os, "O_NOFOLLOW", 0)  # Windows has none


def lock_file(path: Path, *, wait: bool) -> IO[bytes] | None:
    """Open `path` and lock it; closing the returned file unlocks it. Without `wait`, return None if it is locked.

    Raises OSError if the file cannot be created or the file system cannot lock, and for a symbolic link, which another
    user may have made to have a file created elsewhere.
    """
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | NO_LINK, 0o600), "r+b")
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # Windows reports a held lock as PermissionError
        file.close()
        return None
    except BaseException:
        file.close()
        raise
    return file


POLL_S = 0.1


@contextmanager
def locked(path: Path, waiting: Callable[[], object] | None = None) -> Iterator[None]:
    """Hold the lock on `path`, whose folder is created; nothing is locked where this is not possible.

    waiting: called again and again until the lock is free; may raise to give up, which a wait by the system cannot.
    """
    file = None
    with suppress(OSError):  # a folder that cannot be written to is reported by what is written there
        path.parent.mkdir(parents=True, exist_ok=True)
        while (file := lock_file(path, wait=waiting is None)) is None:
            if waiting is not None:
                waiting()
            time.sleep(POLL_S)
    with file or nullcontext():
        yield


def is_locked(path: Path) -> bool:
    """Return whether another open file holds the lock on `path`."""
    if not path.exists():
        return False
    file = lock_file(path, wait=False)
    if file is None:
        return True
    file.close()
    return False
