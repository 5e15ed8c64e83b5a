"""Recordings whose program was killed: the next start says which were kept, and where.

Each recording that runs has a note in the data folder: a file that names its Matroska file, and
that is locked. The kernel unlocks the note of a program that is killed, which tells it from that of
another program that records now. What has no whole frame, because the program was killed as it
began, is removed and not named.
"""

from __future__ import annotations

import itertools
import logging
import os
import sys
from contextlib import suppress
from pathlib import Path

from app.core import paths
from app.core.errors import Text, t
from app.core.files import is_file, is_link, lock_file, why_not_written
from app.media.recording_writer import holds_frame

log = logging.getLogger(__name__)
_numbers = itertools.count(1)


def folder() -> Path:
    """Return the folder of the notes."""
    return paths.data_dir() / "recording-now"


class RecordingNote:
    """The note of a recording that runs.

    Where it cannot be written, the recording goes on without it.
    """

    def __init__(self, file: Path) -> None:
        """file: where the recording is as long as it runs."""
        self._path = folder() / f"{os.getpid()}-{next(_numbers)}"
        self._note = None
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._note = lock_file(self._path, wait=True, required=True)
            if self._note is not None:
                self._note.truncate()  # of an earlier process with this number
                self._note.write(os.fsencode(file.absolute()))
                self._note.flush()
        except OSError as error:
            log.info(
                "After a crash, %s would not be named at the next start: %s.",
                file,
                why_not_written(error),
            )

    def end(self) -> None:
        """Remove the note: the recording is finished, or the user is told of what there is of it.

        Idempotent.
        """
        note = self._note
        self._note = None
        if note is None:
            return
        with suppress(OSError):
            # Nobody who locks it before it is removed finds a recording in it.
            note.truncate(0)
        # A full disk refuses once more what could not be written at the start.
        with suppress(OSError):
            note.close()
        with suppress(OSError):
            self._path.unlink()


def kept_after_crash() -> Text | None:
    """Return the sentence about recordings whose program was killed, once for each; None if
    there are none.
    """
    try:
        notes = sorted(folder().iterdir())
    except OSError:
        return None
    kept = []
    for note in notes:
        recorded = _recorded(note)
        if recorded is not None:
            kept.append(recorded)
    if not kept:
        return None
    return t(
        "The last run did not end by itself. What it recorded was kept: {files}.", files=tuple(kept)
    )


def _recorded(path: Path) -> Path | None:
    """Remove the note of a program that was killed, and return its recording; None where there
    is none.
    """
    try:
        note = lock_file(path, wait=False, required=True)
    except OSError:
        return None
    if note is None:
        # Its program records now.
        return None
    with note:
        recorded = Path(os.fsdecode(note.read()))
    with suppress(OSError):
        path.unlink()
    if not recorded.is_absolute() or not is_file(recorded):
        return None
    if _removed_as_empty(recorded):
        return None
    return recorded


def _removed_as_empty(recorded: Path) -> bool:
    """Remove a recording without a whole frame; return whether that was done.

    One that cannot be read is kept.
    """
    if is_link(recorded):
        return False
    try:
        # Another recording may have got the name of one that was removed since: that is locked as
        # long as it runs.
        held = lock_file(recorded, wait=False, required=True)
    except OSError:
        return False
    if held is None:
        return False
    with held:
        if sys.platform != "win32":
            removed = _removed_without_frame(recorded)
    if sys.platform == "win32":
        # A lock keeps readers out there. A file that a recording has open is not removed.
        removed = _removed_without_frame(recorded)
    return removed


def _removed_without_frame(recorded: Path) -> bool:
    try:
        if holds_frame(recorded):
            return False
        recorded.unlink()
    except OSError:
        return False
    return True
