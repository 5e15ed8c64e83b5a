"""Recordings in progress, kept on disk so that the next start finds those that a crash left unfinished.

One JSON file per recording in the data folder names its temporary file and the process that writes it. Conversions have
one as well while they run, so that nothing else finishes their files.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from app.core.files import paths
from app.core.files.json_file import BrokenFileError, JsonObject, read_object
from app.core.files.names import final_name
from app.core.files.private_file import write_private
from app.core.messages.media import VideoText
from app.core.messages.output import RecordingText
from app.core.text import Text

if TYPE_CHECKING:
    from app.media.recovery import Recovered

log = logging.getLogger(__name__)

SAME_S = 0.005
"""Largest difference of two readings of when one process started: half of what Linux counts in."""


def begin(part: Path, *, recording: bool = True) -> None:
    """Note that this process writes to `part`. A failure is logged: it must not prevent the recording.

    recording: False for a conversion, which is not offered to be finished after a crash.
    """
    process = {"pid": os.getpid(), "started_s": _started_s(os.getpid())}
    _write(part, {"path": str(part.absolute()), "recording": recording, **process})


def end(part: Path) -> None:
    """Note that `part` is no longer written to: it is forgotten, or kept as unfinished if it still exists."""
    if part.exists():
        _write(part, {"path": str(part.absolute()), "pid": 0, "started_s": 0.0})
    else:
        forget(part)


def finish(part: Path) -> Recovered:
    """Finish a recording as `app.media.recovery.recover`, and forget it, also if there is nothing to recover.

    Raises VideoError.
    """
    from app.media.recovery import recover  # loads FFmpeg
    from app.media.video_input import VideoError

    if in_progress(part):
        raise VideoError(RecordingText.STILL_WRITTEN(file=part))
    try:
        recovered = recover(part)
    except VideoError as error:
        if isinstance(error.text, Text) and error.text.message in (RecordingText.NO_FRAME, VideoText.UNREADABLE):
            forget(part)
        raise
    forget(part)
    return recovered


def unfinished_recordings() -> tuple[Path, ...]:
    """Return the temporary files of recordings that no running process writes to, by name.

    Empty files are removed, and entries without a file or of a conversion that was killed.
    """
    found = []
    for entry in sorted(_folder().glob("*.json")):
        part = _part(entry)
        if part is not None and _exists(part):
            if in_progress(part):
                continue
            if _read(entry).get("recording", True):
                try:
                    size = part.stat().st_size
                except OSError:  # it or its share went away; the next start looks again
                    continue
                if size:
                    found.append(part)
                    continue
                with suppress(OSError):
                    part.unlink()
        with suppress(OSError):
            entry.unlink()
    return tuple(sorted(found))


def forget(part: Path) -> None:
    """Note that `part` is no longer written to, and is not to be finished."""
    with suppress(OSError):
        _entry(part).unlink()


def in_progress(part: Path, but: int = 0) -> bool:
    """Return whether a running process, other than the one with the number `but`, writes to `part`."""
    match _read(_entry(part)):
        case {"pid": int(pid), "started_s": int() | float() as started_s}:
            try:
                return pid > 0 and pid != but and abs(_started_s(pid) - started_s) < SAME_S
            except (psutil.Error, OverflowError):
                return False
    return False


def _started_s(pid: int) -> float:
    """Return when a process started; the same value also after the clock was set. Raises psutil.Error."""
    # Linux counts from the boot, whose time moves when the clock is set; psutil adds that time.
    since_s = psutil.boot_time() if sys.platform == "linux" else 0.0
    return psutil.Process(pid).create_time() - since_s


def records_elsewhere(final: Path) -> bool:
    """Return whether another process writes to a file that will be renamed to `final`."""
    if not _folder().is_dir():
        return False
    parts = [part for entry in _folder().glob("*.json") if (part := _part(entry)) is not None]
    wanted = final.absolute()
    return any(final_name(part) == wanted and in_progress(part, but=os.getpid()) for part in parts)


def _part(entry: Path) -> Path | None:
    """Return the file that an entry names; None for a damaged entry, which could name another file of the user."""
    path = _read(entry).get("path")
    try:
        part = Path(path) if isinstance(path, str) else None
        return part if part is not None and _entry(part) == entry else None
    except ValueError:  # a name that no file can have
        return None


def _exists(part: Path) -> bool:
    try:
        return part.is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _read(entry: Path) -> JsonObject:
    try:
        return read_object(entry) or {}
    except (OSError, BrokenFileError):
        return {}


def _write(part: Path, fields: dict[str, str | int | float]) -> None:
    try:
        _folder().mkdir(parents=True, exist_ok=True)
        write_private(_entry(part), json.dumps(fields).encode())
    except OSError as error:
        level = logging.WARNING if fields.get("recording", True) else logging.INFO
        text = "After a crash, `run.py recover` finds the recording %s only by its name: no note can be written (%s)."
        log.log(level, text, part, error.strerror)


def _folder() -> Path:
    return paths.data_dir() / "recordings"


def _entry(part: Path) -> Path:
    return _folder() / f"{hashlib.sha256(os.fsencode(part.absolute())).hexdigest()[:24]}.json"
