"""Recordings in progress, kept on disk so that the next start finds those that a crash left unfinished.

One JSON file per recording in the data folder names its temporary file and the process that writes it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from contextlib import suppress
from pathlib import Path

import psutil

from app.config import paths
from app.config.json_file import BrokenFileError, JsonObject, read_object
from app.config.private_file import write_private
from app.core.files import final_name

log = logging.getLogger(__name__)


def begin(part: Path) -> None:
    """Note that this process records to `part`. A failure is logged: it must not prevent the recording."""
    _write(part, {"path": str(part.absolute()), "pid": os.getpid(), "started_s": psutil.Process().create_time()})


def end(part: Path) -> None:
    """Note that `part` is no longer written to: it is forgotten, or kept as unfinished if it still exists."""
    if part.exists():
        _write(part, {"path": str(part.absolute()), "pid": 0, "started_s": 0.0})
    else:
        with suppress(OSError):
            _entry(part).unlink()


def unfinished_recordings() -> tuple[Path, ...]:
    """Return the temporary files of recordings that no running process writes to, by name.

    Entries whose file no longer exists are removed.
    """
    found = []
    for entry in sorted(_folder().glob("*.json")):
        part = _part(entry)
        if part is not None and _exists(part):
            if not in_progress(part):
                found.append(part)
            continue
        with suppress(OSError):
            entry.unlink()
    return tuple(sorted(found))


def in_progress(part: Path, but: int = 0) -> bool:
    """Return whether a running process, other than the one with the number `but`, records to `part`."""
    match _read(_entry(part)):
        case {"pid": int(pid), "started_s": int() | float() as started_s}:
            try:
                return pid > 0 and pid != but and abs(psutil.Process(pid).create_time() - started_s) < 1
            except (psutil.Error, OverflowError):
                return False
    return False


def records_elsewhere(final: Path) -> bool:
    """Return whether another process records to a file that will be renamed to `final`."""
    if not _folder().is_dir():
        return False
    parts = [part for entry in _folder().glob("*.json") if (part := _part(entry)) is not None]
    wanted = final.absolute()
    return any(final_name(part) == wanted and in_progress(part, but=os.getpid()) for part in parts)


def _part(entry: Path) -> Path | None:
    path = _read(entry).get("path")
    return Path(path) if isinstance(path, str) else None


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
        log.warning("The recording %s could not be registered for recovery: %s", part, error)


def _folder() -> Path:
    return paths.data_dir() / "recordings"


def _entry(part: Path) -> Path:
    return _folder() / f"{hashlib.sha256(os.fsencode(part.absolute())).hexdigest()[:24]}.json"
