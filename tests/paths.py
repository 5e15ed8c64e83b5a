"""Where test data lies; what is not part of the project is skipped with a plain reason where it is absent."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden"


def shared(name: str) -> Path:
    """A development file from `../shared`, such as `clips/asl_book.mkv`; skips the test where it is absent."""
    path = ROOT.parent / "shared" / name
    if not path.exists():
        pytest.skip(f"needs the development file {name}, which is not part of the project")
    return path
