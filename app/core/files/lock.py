"""Exclusive locks on files. The operating system releases them when the process exits or is killed."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO


def lock_file(path: Path, *, wait: bool) -> IO[bytes] | None:
    """Open `path` and lock it; closing the returned file unlocks it. Without `wait`, return None if it is locked.

    Raises OSError if the file cannot be created or the file system cannot lock.
    """
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
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


def is_locked(path: Path) -> bool:
    """Return whether another open file holds the lock on `path`."""
    if not path.exists():
        return False
    file = lock_file(path, wait=False)
    if file is None:
        return True
    file.close()
    return False
