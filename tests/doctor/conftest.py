"""Fixtures of the doctor's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doctor.machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a Debian that has nothing."""
    return Machine(tmp_path)
