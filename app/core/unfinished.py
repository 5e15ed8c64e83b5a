"""Unfinished outputs: what is written has a temporary name beside its final one until it is whole.

`talk.part.mp4` is a film, `frames.part` a folder of images, `photo.png.part` the folder of an
image, `.part` that of images for a folder that exists, and `talk.recording.mkv` a recording. What a
crash left is never written to: the next one is `talk.part2.mp4`. The tries of a batch are folders
in `.tries` of the output folder, which the next batch into it removes; films in them have the names
above.
"""

from __future__ import annotations

import errno
import filecmp
import os
import re
import shutil
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

from app.core.errors import t
from app.core.files import (
    ExplainedOSError,
    fitting,
    is_file,
    is_folder,
    move,
    name_limit,
    when_closed,
)

# What the name of an unfinished file has before its suffix.
PART = "part"
# The same of a recording: what a crash leaves of it is
# whole but for its last second, and is no film of a batch.
RECORDING = "recording"
# Folder of the tries of a batch.
TRIES = ".tries"
# Unfinished files of one name. A program that is
# started anew by a supervisor must not fill the folder.
MOST = 1000


def unfinished_file(
    final: Path,
    word: str = PART,
    suffix: str | None = None,
    *,
    private: bool,
) -> Path:
    """Create an empty file beside its final name.

    Raises OSError, also where the final name is too long.

    word: `PART` or `RECORDING`. suffix: of the file, by default that of the final name. private:
    with mode 0600, otherwise with that of the umask.
    """
    _check_length(final)
    mode = 0o600 if private else 0o666
    if suffix is None:
        suffix = final.suffix
    for number in ("", *range(2, MOST)):
        ending = f".{word}{number}{suffix}"
        path = final.with_name(fitting(final.parent, final.stem, ending))
        with suppress(FileExistsError):
            path.touch(mode, exist_ok=False)
            return path
    raise _too_many(final)


def unfinished_folder(final: Path) -> Path:
    """Create the folder for the images of a folder, or for an image.

    In a folder that exists, else beside the name.

    It has the mode of the umask. Raises OSError, also where the final name is too long.
    """
    _check_length(final)
    parent = final.parent
    name = final.name
    if is_folder(final):
        parent = final
        name = ""
    for number in ("", *range(2, MOST)):
        path = parent / fitting(parent, name, f".{PART}{number}")
        with suppress(FileExistsError):
            path.mkdir()
            return path
    raise _too_many(final)


def is_unfinished(path: Path) -> bool:
    """Return whether a video has the name of an unfinished film, as `talk.part.mp4` and
    `talk.part2.mp4`.

    No unfinished film is called `talk.part1.mp4`: that is the first part of a longer one.
    """
    return re.search(rf"\.{PART}([2-9]|[1-9]\d{{1,2}})?$", path.stem) is not None


class HeldFile:
    """Holds a file open beside what writes it.

    It is found after a move, and its content after a removal.

    It is locked as long as it is held, which tells it from what a crash left. Windows neither moves
    nor removes an open file, and a lock would keep others from writing it: there nothing is held.
    """

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        self._path = path
        self._handle: int | None = None
        if sys.platform != "win32":
            import fcntl

            self._handle = os.open(path, os.O_RDWR)
            with suppress(OSError):  # a file system without locks
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def place(self) -> Path | None:
        """Return where the file is now, without links; None if no known name leads to it any more.

        Raises OSError.
        """
        if self._handle is None:
            return self._path
        # A file system that is mounted elsewhere, too,
        # gives names that lead nowhere, or to another file.
        for place in (_place_of(self._handle), self._path):
            if place is not None and _is_at(self._handle, place):
                return place
        return None

    def copy_to(self, path: Path) -> None:
        """Write the content, which is there also after a removal, into a file that exists.

        Raises OSError.
        """
        assert self._handle is not None
        os.lseek(self._handle, 0, os.SEEK_SET)
        with os.fdopen(os.dup(self._handle), "rb") as content, path.open("rb+") as copy:
            shutil.copyfileobj(content, copy)
            copy.flush()
            os.fsync(copy.fileno())

    def close(self) -> None:
        """Let the file go. Idempotent."""
        handle = self._handle
        self._handle = None
        if handle is not None:
            os.close(handle)


def _is_at(handle: int, place: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), place.stat())
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return False


def _place_of(handle: int) -> Path | None:
    """Return the path of an open file, if the system tells it."""
    place: Path | None = None
    if sys.platform == "linux":
        with suppress(FileNotFoundError):  # a root folder without /proc
            place = Path(f"/proc/self/fd/{handle}").readlink()
    elif sys.platform == "darwin":
        import fcntl

        place = Path(os.fsdecode(fcntl.fcntl(handle, fcntl.F_GETPATH, bytes(1024)).rstrip(b"\0")))
    return place


def move_finished(finished: Path, final: Path, *, overwrite: bool) -> None:
    """Move a finished film or folder of images to its final name at once, in the same file system.

    Raises OSError.

    A folder that exists keeps its other files: the images are moved into it. overwrite: replace
    files of these names.
    """
    if not is_folder(finished):
        _move_file(finished, final, overwrite)
    elif not is_folder(final):
        when_closed(partial(finished.rename, final))
    else:
        for image in sorted(finished.iterdir()):
            _move_file(image, final / image.name, overwrite)
        finished.rmdir()


def _move_file(finished: Path, final: Path, overwrite: bool) -> None:
    if not overwrite and is_file(final) and filecmp.cmp(finished, final, shallow=False):
        # A process that was killed between this move and its
        # report is followed by one that makes the same bytes.
        finished.unlink()
    else:
        move(finished, final, overwrite=overwrite)


def _check_length(final: Path) -> None:
    """Raise OSError for a name that no file can have.

    It would be told after hours of work, at the last step.
    """
    if len(os.fsencode(final.name)) > name_limit(final.parent):
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), str(final))


def _too_many(final: Path) -> ExplainedOSError:
    reason = t("too many unfinished files are in this folder; remove them or choose another folder")
    return ExplainedOSError(errno.EEXIST, reason, final)
