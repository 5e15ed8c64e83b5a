"""Ray that does not start, does not answer, or ends while it converts."""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import pytest

from app.core.errors import MattecamError
from app.core.settings import Settings
from app.offline.batch.cluster import LOCAL, RayWorkers, pin
from app.offline.batch.job import Job
from tests.fresh_python import printed_by


class Ray(ModuleType):
    """Ray that fails at its start, as on a busy machine, or at every later call."""

    def __init__(self, error: Exception, *, starts: bool = False) -> None:
        super().__init__("ray")
        self.error = error
        self.starts = starts
        self.running = False

    def init(self, **options: object) -> None:
        self.running = True
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(15))
        if not self.starts:
            raise self.error

    def remote(self, **options: object) -> Callable[[object], Remote]:
        return lambda wrapped: Remote(self.error)

    def wait(self, references: Sequence[object], **options: object) -> None:
        raise self.error

    def cancel(self, reference: object, *, force: bool) -> None:
        raise self.error

    def shutdown(self) -> None:
        self.running = False


class Remote:
    """An actor or a task; it submits one job before Ray is lost."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.submitted = 0

    def remote(self, *arguments: object) -> Remote:
        if self.submitted:
            raise self.error
        self.submitted += 1
        return self


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


@pytest.mark.parametrize("call", ["start", "wait"])
def test_ray_that_ends_during_the_conversion_is_a_sentence(monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    for name in ("RAY_AUTH_TOKEN", "RAY_worker_niceness"):
        monkeypatch.setenv(name, "0")
    ray = Ray(RuntimeError("The cluster is gone.\nDetails"), starts=True)
    monkeypatch.setitem(sys.modules, "ray", ray)
    before = signal.getsignal(signal.SIGTERM)
    workers = RayWorkers(LOCAL, 2)
    assert signal.getsignal(signal.SIGTERM) is before, "the command still stops gently"
    job = Job("a.mp4", {"target": "out/a.mp4"}, Settings(), "")
    workers.start(0, job)
    with pytest.raises(MattecamError, match=r"Ray ended during the conversion: The cluster is gone\.; run .* --resume"):
        workers.start(1, job) if call == "start" else workers.wait(0.0)
    workers.close()
    assert not ray.running


def test_a_folder_of_somebody_else_ends_no_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name is known, so that another user could make every clip on a cluster fail."""
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path / "not-a-folder"))
    (tmp_path / "not-a-folder").touch()
    pin()


FORBIDDEN = """
import resource, sys
from types import ModuleType, SimpleNamespace
_, hard = resource.getrlimit(resource.RLIMIT_CORE)
resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
from app.offline.batch import cluster
sys.modules["ray"] = ray = ModuleType("ray")
ray.get = lambda told, timeout: True
cluster.pin = lambda: None
stopping = SimpleNamespace(tell=SimpleNamespace(remote=lambda *progress: None))
print(cluster.run_task(0, None, stopping).state, hard, resource.getrlimit(resource.RLIMIT_CORE)[0])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit for core dumps")
def test_a_worker_leaves_no_core_dump() -> None:
    """Ray starts its process, without the command line, which forbids them: a crash wrote frames to disk."""
    state, hard, soft = printed_by(FORBIDDEN).split()[-3:]
    if int(hard) == 0:
        pytest.skip("the system forbids core dumps already")
    assert (state, int(soft)) == ("interrupted", 0)
