"""The private folder that holds the control socket, and the lock that its owner holds."""

from __future__ import annotations

import logging
import os
import stat
import sys
import warnings
from pathlib import Path
from typing import IO

import platformdirs

from app.core.errors import MattecamError
from app.core.files import paths
from app.core.files.disk_errors import why_not_written
from app.core.files.lock import lock_file
from app.core.messages.control import ControlText

log = logging.getLogger(__name__)
LOCK_FILE = "control.lock"


class ControlError(MattecamError):
    """The control socket cannot be used, or no running program answers there."""


def runtime_dir() -> Path:
    """Return the platform's folder for sockets; `$MATTECAM_RUNTIME_DIR` overrides it."""
    named = os.environ.get("MATTECAM_RUNTIME_DIR")
    if named:
        return Path(named)
    with warnings.catch_warnings():
        # Without XDG_RUNTIME_DIR platformdirs falls back to the temporary folder and warns; `make_private` checks it.
        warnings.simplefilter("ignore")
        return Path(platformdirs.user_runtime_dir(paths.NAME, appauthor=False))


def control_folder() -> Path:
    """Return the folder for the control socket, created for this user alone.

    Where another user can write to the runtime folder, this is a folder in the user's data folder, for server and
    client alike. Raises ControlError if neither can be used.
    """
    folder = runtime_dir()
    try:
        make_private(folder)
    except ControlError as error:
        own = paths.data_dir() / "run"
        make_private(own)
        log.warning("%s %s is used instead.", error, own)
        return own
    return folder


def make_private(folder: Path) -> None:
    """Create `folder` for this user alone; raise ControlError if other users can write to it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = folder.lstat()
    except OSError as error:
        raise ControlError(ControlText.FOLDER_NOT_CREATED(folder=folder, reason=why_not_written(error))) from error
    if sys.platform != "win32":  # there the folder is in the user's profile
        others_may_write = facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid() or others_may_write:
            raise ControlError(ControlText.FOLDER_SHARED(folder=folder))


def take_ownership(folder: Path) -> IO[bytes]:
    """Lock `folder` for this program and return the open lock file.

    The socket does not show whether its owner is alive, since a busy program also refuses connections. Raises
    ControlError if another program holds the lock.
    """
    path = folder / LOCK_FILE
    try:
        file = lock_file(path, wait=False)
    except OSError as error:
        raise ControlError(ControlText.LOCK_NOT_CREATED(file=path, reason=why_not_written(error))) from error
    if file is None:
        raise ControlError(ControlText.ANOTHER_RUNS())
    return file
