"""Is there room for models and recordings, and may we write where we must?"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from app.doctor.finding import Finding, State

_GIB = 1 << 30
_LOW_BYTES, _FULL_BYTES = 2 * _GIB, _GIB // 5


def check_disk(folders: Mapping[str, Path]) -> tuple[Finding, ...]:
    """One finding per folder; the keys say what it holds, such as `settings`."""
    return tuple(_folder_finding(what, folder) for what, folder in folders.items())


def _folder_finding(what: str, folder: Path) -> Finding:
    check = f"disk: {what}"
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return Finding(
            check,
            State.PROBLEM,
            f"The folder for {what}, {folder}, cannot be written.",
            f"The program cannot keep its {what}.",
            f"Make {existing} a folder that you may write to.",
        )
    free = shutil.disk_usage(existing).free
    room = f"{free / _GIB:.1f} GiB free in {folder}"
    if free < _FULL_BYTES:
        return Finding(check, State.PROBLEM, f"{room}.", "Writing will fail.", "Make room on this disk.")
    if free < _LOW_BYTES:
        return Finding(check, State.WARNING, f"{room}.", "Models and recordings need more.", "Make room on this disk.")
    return Finding(check, State.OK, f"{room}.")
