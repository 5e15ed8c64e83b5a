"""Ray that does not start or does not answer."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from app.core.errors import MattecamError
from app.offline.batch.cluster import LOCAL, RayWorkers


class Ray(ModuleType):
    """Ray whose start fails as that of a busy machine does."""

    def __init__(self, error: Exception) -> None:
        super().__init__("ray")
        self.error = error
        self.running = False

    def init(self, **options: object) -> None:
        self.running = True
        raise self.error

    def shutdown(self) -> None:
        self.running = False


@pytest.mark.parametrize(
    ("address", "expected"),
    [(LOCAL, "Ray did not start on this machine: The node timed out."), ("ray://head:1", "Ray at ray://head:1 cannot")],
)
@pytest.mark.parametrize("error", [Exception, ConnectionError])
def test_a_start_that_fails_is_a_sentence_and_leaves_no_process(
    monkeypatch: pytest.MonkeyPatch, address: str, expected: str, error: type[Exception]
) -> None:
    for name in ("RAY_AUTH_TOKEN", "RAY_worker_niceness"):
        monkeypatch.setenv(name, "0")  # restored, as they are set for Ray's processes
    ray = Ray(error("The node timed out.\nDetails"))
    monkeypatch.setitem(sys.modules, "ray", ray)
    with pytest.raises(MattecamError, match=expected) as raised:
        RayWorkers(address, 2)
    assert "Details" not in str(raised.value)
    assert not ray.running
