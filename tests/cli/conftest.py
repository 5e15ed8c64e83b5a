"""Fixtures of the commands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.cli import headless
from app.runtime.context import default_parts
from mattecam.testing import FakeEngine
from tests.stand_ins import always


@pytest.fixture
def fake_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs without a window build an engine without a network."""
    parts = replace(
        default_parts(),
        build_engine=lambda settings, width, height, framing: FakeEngine(settings, width, height),
        self_test=always(None),
    )
    monkeypatch.setattr(headless, "default_parts", always(parts))
