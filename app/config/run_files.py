"""The files that a live run writes: none replaces another file, and no two are the same."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from app.core.errors import MattecamError, UsageError
from app.core.files.disk_errors import why_not_written
from app.core.files.names import check_outputs, free_name, holds_something, is_special
from app.core.messages.command_line import UsageText
from app.core.messages.settings import SettingsText
from app.core.messages.system import ProgramText
from app.core.settings import Settings
from app.core.text import Text

STATUS_FIELD = b'"frames_in"'
"""The first field of a status file."""
HEAD_BYTES = 200


def checked_files(settings: Settings, status_json: Path | None) -> tuple[Settings, Text | None]:
    """Return the settings with a new name for each recording whose file exists, and a sentence about it.

    Raises UsageError if two files of the run are the same, MattecamError if the status file cannot be written.
    """
    output, source = settings.output, Path(settings.capture.source)
    written = (output.record, output.record_alpha, status_json)
    check_outputs(filter(None, written), source if source.is_file() else None)
    if status_json is not None:
        _check_status_file(status_json)
    named = {name: getattr(output, name) for name in ("record", "record_alpha")}
    taken = {name: path for name, path in named.items() if path is not None and holds_something(path)}
    if not taken:
        return settings, None
    new = {name: free_name(path) for name, path in taken.items()}
    sentence = SettingsText.RECORDING_EXISTS(files=tuple(taken.values()), new=tuple(new.values()))
    return settings.replace(output=output.replace(**new)), sentence


def _check_status_file(path: Path) -> None:
    try:
        if is_special(path):
            return
        if path.exists():
            with path.open("r+b") as file:
                head = file.read(HEAD_BYTES)
            if head and STATUS_FIELD not in head:
                raise UsageError(UsageText.NO_STATUS_FILE(file=path))
        elif not path.parent.is_dir():
            raise OSError(errno.ENOTDIR if path.parent.exists() else errno.ENOENT, "")
        elif not os.access(path.parent, os.W_OK):
            raise OSError(errno.EACCES, "")
    except OSError as error:
        raise MattecamError(ProgramText.STATUS_NOT_WRITTEN(file=path, reason=why_not_written(error))) from error
