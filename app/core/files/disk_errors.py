"""Explain to the user why a file cannot be read or written."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

from app.core.messages.media import ReadReason, WriteReason
from app.core.text import Text

_WRITING = {
    errno.ENOSPC: WriteReason.DISK_FULL,
    errno.EDQUOT: WriteReason.QUOTA,
    errno.EFBIG: WriteReason.FILE_TOO_LARGE,
    errno.EACCES: WriteReason.NOT_PERMITTED,
    errno.EPERM: WriteReason.NOT_PERMITTED,
    errno.EROFS: WriteReason.READ_ONLY,
    errno.ENOENT: WriteReason.NO_FOLDER,
    errno.EISDIR: WriteReason.IS_FOLDER,
    errno.ENOTDIR: WriteReason.NOT_A_FOLDER,
    errno.EEXIST: WriteReason.FILE_FOR_FOLDER,
    errno.ENOTEMPTY: WriteReason.APPEARED,
    errno.ENAMETOOLONG: WriteReason.NAME_TOO_LONG,
    errno.ELOOP: WriteReason.IS_LINK,
    errno.ENXIO: WriteReason.NO_READER,
    errno.EPIPE: WriteReason.NO_READER,
}
_READING = {
    errno.ENOENT: ReadReason.ABSENT,
    errno.EACCES: ReadReason.NOT_PERMITTED,
    errno.EPERM: ReadReason.NOT_PERMITTED,
    errno.EISDIR: ReadReason.IS_FOLDER,
    errno.ENAMETOOLONG: ReadReason.NAME_TOO_LONG,
}


class ExplainedOSError(OSError):
    """An OSError with a reason for the user."""

    def __init__(self, number: int, reason: Text, path: Path) -> None:
        super().__init__(number, str(reason), str(path))
        self.reason = reason


def why_not_written(error: OSError) -> Text:
    """Return the reason and what to do: the second half of a sentence, without the full stop."""
    if isinstance(error, ExplainedOSError):
        return error.reason
    if error.errno == errno.ENOENT and (reason := _not_found(error)):
        return reason
    return _WRITING.get(error.errno or 0, WriteReason.OTHER)()


def _not_found(error: OSError) -> Text | None:
    """Return why the system found no file in a folder that is there; None if the folder is not."""
    if not isinstance(error.filename, (str, os.PathLike)):
        return None
    path = Path(error.filename)
    with suppress(OSError):
        if not path.parent.is_dir():
            return None
        if error.filename2 is not None:  # the file was to be moved
            return None if path.exists() else WriteReason.REMOVED()
        if not path.is_symlink():  # as below /proc, where nobody can create files
            return WriteReason.NOT_PERMITTED()
    return None


def why_not_read(error: OSError) -> Text:
    """Return the reason: a part of a sentence."""
    return _READING.get(error.errno or 0, ReadReason.OTHER)()
