"""Check the folders of settings and models: free space and write permission."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from app.core.messages.doctor import DiskFinding
from app.doctor.finding import Finding, State

_GIB = 1 << 30
_LOW_BYTES, _FULL_BYTES = 2 * _GIB, _GIB // 5


def check_disk(settings: Path, models: Path) -> tuple[Finding, ...]:
    """Return one finding per folder."""
    return (
        _folder_finding("disk: settings", DiskFinding.SETTINGS, settings),
        _folder_finding("disk: models", DiskFinding.MODELS, models),
    )


def _folder_finding(check: str, contents: DiskFinding, folder: Path) -> Finding:
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return Finding(
            check,
            State.PROBLEM,
            DiskFinding.NOT_WRITABLE(contents=contents(), folder=folder),
            DiskFinding.WHY_NOT_WRITABLE(),
            (DiskFinding.FIX_NOT_WRITABLE(folder=existing),),
        )
    free_bytes = shutil.disk_usage(existing).free
    detail = DiskFinding.FREE(gibibytes=f"{free_bytes / _GIB:.1f}", folder=folder)
    steps = (DiskFinding.FIX_FREE_SPACE(),)
    if free_bytes < _FULL_BYTES:
        return Finding(check, State.PROBLEM, detail, DiskFinding.WHY_FULL(), steps)
    if free_bytes < _LOW_BYTES:
        return Finding(check, State.WARNING, detail, DiskFinding.WHY_LOW(), steps)
    return Finding(check, State.OK, detail)
