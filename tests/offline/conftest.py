"""Fixtures of the conversion."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clips import write_clip


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A clip of five frames."""
    return write_clip(tmp_path / "in.mp4", 5)
