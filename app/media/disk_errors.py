"""Why a file cannot be written, in the user's words."""

from __future__ import annotations

import errno

_REASONS = {
    errno.ENOSPC: "the disk is full; free some space and try again",
    errno.EDQUOT: "your share of the disk is used up; free some space and try again",
    errno.EFBIG: "the file has become too large for this disk; choose another one",
    errno.EACCES: "it may not be written to; choose another folder",
    errno.EPERM: "it may not be written to; choose another folder",
    errno.EROFS: "the disk may only be read; choose another folder",
    errno.ENOENT: "the folder does not exist; create it or choose another one",
    errno.EISDIR: "there is a folder of this name; choose another name",
    errno.ENOTDIR: "a part of the path is not a folder; choose another one",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}


def why_not_written(error: OSError) -> str:
    """What happened and what to do: the second half of a sentence, without the stop at its end."""
    return _REASONS.get(error.errno or 0) or f"{error.strerror or error}; choose another file"
