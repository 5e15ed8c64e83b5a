"""Fixtures of the tests of batches."""

import pytest

from tests.offline.batch.clips import resource_tracker
from tests.offline.converting import build_half

__all__ = ["resource_tracker"]


@pytest.fixture(autouse=True)
def _trivial_engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Conversions in this process need no network, but where they are compared with those of other processes."""
    if not any(request.node.get_closest_marker(name) for name in ("long", "slow")):
        monkeypatch.setattr("app.offline.convert.build_engine", build_half)
