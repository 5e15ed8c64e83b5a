"""Where test data lies; what is not part of the project is skipped with a plain reason where it is absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden"


def shared(name: str) -> Path:
    """A development file, such as `clips/asl_book.mkv`; skips the test where it is absent.

    It is in the folder `MATTECAM_SHARED`, else in `shared` beside the project.
    """
    folder = Path(os.environ.get("MATTECAM_SHARED", ROOT.parent / "shared"))
    path = folder / name
    if not path.exists():
        pytest.skip(f"needs the development file {name}, which is not part of the project")
    return path
