"""Each check of the output runs with both backends."""

from __future__ import annotations

import pytest


@pytest.fixture(params=["pyvirtualcam", "v4l2"])
def each_backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `producer.backend` name it, also in other processes."""
    monkeypatch.setenv("BACKEND", request.param)
