"""Moving a finished file to its name."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from app.core.files import holds_something
from app.core.messages.media import WriteReason
from app.media.disk_errors import ExplainedOSError


def move(source: Path, target: Path, *, overwrite: bool) -> None:
    """Move a file to another name in the same file system at once.

    overwrite: replace a file there; otherwise only an empty one is replaced. Raises OSError.
    """
    if overwrite:
        source.replace(target)
        return
    if target.is_file() and not holds_something(target):
        target.unlink()
    try:
        os.link(source, target)
    except OSError:
        if os.path.lexists(target):
            raise ExplainedOSError(errno.EEXIST, WriteReason.APPEARED(), target) from None
        source.rename(target)  # a file system without hard links
    else:
        source.unlink()
