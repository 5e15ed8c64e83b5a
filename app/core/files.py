"""What kind of file a path names, and what an unfinished video is called once it is finished."""

from __future__ import annotations

import re
import stat
from pathlib import Path


def is_special(path: Path) -> bool:
    """Return whether a path names a pipe, a device or a socket, which may never give any data."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def final_name(part: Path) -> Path:
    """Return the name of a video once it is finished: `name.part.mp4` and `name.part2.mp4` give `name.mp4`."""
    return part.with_name(re.sub(r"\.part\d*$", "", part.stem) + part.suffix)
