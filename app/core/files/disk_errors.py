"""Explain to the user why a file cannot be read or written."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

from app.core.errors import Text, t

_WRITING = {
    errno.ENOSPC: t("the disk is full; free some space and try again"),
    errno.EDQUOT: t("your disk quota is used up; free some space and try again"),
    errno.EFBIG: t("the file has become too large for this disk; choose another one"),
    errno.EACCES: t("you have no permission to write there; choose another folder"),
    errno.EPERM: t("you have no permission to write there; choose another folder"),
    errno.EROFS: t("the disk is read-only; choose another folder"),
    errno.ENOENT: t("the folder does not exist; create it or choose another one"),
    errno.EISDIR: t("a folder has this name; choose another name"),
    errno.ENOTDIR: t("a part of the path is not a folder; choose another path"),
    errno.EEXIST: t("a file is where the folder should be; choose another folder"),
    errno.ENOTEMPTY: t("another file has got this name in the meantime; rename one of them"),
    errno.ENAMETOOLONG: t("the name is too long; choose a shorter one"),
    errno.ELOOP: t("it is a symbolic link, which is not followed; remove it or choose another name"),
    errno.ENXIO: t("no program reads from it; start one that does"),
    errno.EPIPE: t("no program reads from it; start one that does"),
}
_READING = {
    errno.ENOENT: t("it does not exist"),
    errno.EACCES: t("you have no permission to read it"),
    errno.EPERM: t("you have no permission to read it"),
    errno.EISDIR: t("it is a folder"),
    errno.ENAMETOOLONG: t("its name is too long"),
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
    return _WRITING.get(error.errno or 0, t("the disk reports an error; choose another path"))


def _not_found(error: OSError) -> Text | None:
    """Return why the system found no file in a folder that is there; None if the folder is not."""
    if not isinstance(error.filename, (str, os.PathLike)):
        return None
    path = Path(error.filename)
    with suppress(OSError):
        if not path.parent.is_dir():
            return None
        if error.filename2 is not None:  # the file was to be moved
            return None if path.exists() else t("somebody removed the file in the meantime; start again")
        if not path.is_symlink():  # as below /proc, where nobody can create files
            return t("you have no permission to write there; choose another folder")
    return None


def why_not_read(error: OSError) -> Text:
    """Return the reason: a part of a sentence."""
    return _READING.get(error.errno or 0, t("the disk reports an error"))
