"""A batch on Ray: the same bits as worker processes, retries, resume, nothing left; Ray that fails; its token."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import TypeVar
from unittest.mock import Mock

import psutil
import pytest

from app.core.errors import MattecamError, UsageError
from app.core.settings import Settings
from app.offline.executors import LOCAL, RayTasks, check_token_file, pin
from app.offline.job import TRIES, Job, JobResult
from app.offline.plan import MANIFEST
from tests.clips import names_in, write_clip
from tests.fresh_python import printed_by
from tests.offline.batch.conftest import jobs_of, records_in, sequential_hashes, write_clips
from tests.paths import ROOT

Test = TypeVar("Test", bound=Callable[..., None])


def with_ray(test: Test) -> Test:
    """Mark a test that runs Ray itself."""
    for mark in (
        pytest.mark.slow,
        pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
        pytest.mark.skipif(find_spec("ray") is None, reason="requirements-cluster.txt is not installed"),
        pytest.mark.timeout(300),
    ):
        test = mark(test)
    return test


TITLES = {"worker": "run_task", "coordinator": "ray::Coordinator"}
"""Of processes of Ray, by what they are."""
OPTIONS = ["--model", "mattecam", "--jobs", "2", "--json", "--cluster"]


def command(*words: object) -> list[str]:
    return [sys.executable, str(ROOT / "run.py"), "convert", *map(str, words), *OPTIONS]


def ray_processes() -> set[int]:
    """Processes of Ray that this test started: they inherit its data folder."""
    mine = os.environ["MATTECAM_DATA_DIR"]

    def is_mine(process: psutil.Process) -> bool:
        with suppress(psutil.Error):
            return process.pid != os.getpid() and process.environ().get("MATTECAM_DATA_DIR") == mine
        return False

    return {process.pid for process in psutil.process_iter() if is_mine(process)}


def kill_one(title: str) -> None:
    """Kill a process of Ray by its title, such as `ray::Coordinator`."""

    def has_title(process: psutil.Process) -> bool:
        with suppress(psutil.Error):  # it may end meanwhile
            return title in process.name() + " ".join(process.cmdline())
        return False

    os.kill(next(process.pid for process in psutil.process_iter() if has_title(process)), signal.SIGKILL)


def eventually_none(seconds: float = 30) -> bool:
    deadline_s = time.monotonic() + seconds
    while ray_processes() and time.monotonic() < deadline_s:
        time.sleep(0.2)
    return not ray_processes()


def hashes(folder: Path) -> dict[str, str | None]:
    return {name: record.sha256 for name, record in records_in(folder).items()}


@with_ray
def test_ray_writes_the_bits_of_one_after_the_other(tmp_path: Path) -> None:
    source = write_clips(tmp_path / "in")
    done = subprocess.run(command(source, tmp_path / "out"), capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 1, done.stderr
    expected = sequential_hashes(jobs_of([source], tmp_path / "sequential"))
    assert hashes(tmp_path / "out") == expected
    records = records_in(tmp_path / "out")
    assert records["a.mp4"].state == records["b.mkv"].state == "done"
    assert "poison.mp4" in (records["poison.mp4"].error or "")
    assert "Traceback" not in (records["poison.mp4"].error or "")
    assert "cut off" in (records["cut.mkv"].error or "")
    assert eventually_none()


@with_ray
@pytest.mark.parametrize("victim", ["worker", "coordinator", "driver", "interrupt"])
def test_what_is_killed_is_done_again_with_the_same_hash(tmp_path: Path, victim: str) -> None:
    clips = [write_clip(tmp_path / f"{name}.mp4", 400, size=(192, 96)) for name in "ab"]
    out = tmp_path / "out"
    with subprocess.Popen(command(*clips, out), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line)["state"] == "progress" and json.loads(line)["frames"] > 0:
                break
        if victim in TITLES:
            kill_one(TITLES[victim])
        else:
            process.send_signal(signal.SIGKILL if victim == "driver" else signal.SIGINT)
        process.communicate(timeout=200)
    if victim in TITLES:
        assert process.returncode == 0
        tries = sorted(record.tries for record in records_in(out).values())
        assert tries == ([1, 2] if victim == "worker" else [1, 1])
    else:
        if victim == "interrupt":
            assert process.returncode == 130
            assert names_in(out) == [MANIFEST]
            assert eventually_none()
        assert not list(out.glob("*.mp4"))
        again = subprocess.run(command(*clips, out, "--resume"), capture_output=True, check=False, timeout=200)
        assert again.returncode == 0, again.stderr
    assert not (out / TRIES).exists()
    expected = sequential_hashes(jobs_of(clips, tmp_path / "sequential"))
    assert hashes(out) == expected
    for pid in ray_processes() if victim == "driver" else ():
        os.kill(pid, signal.SIGKILL)
    assert eventually_none()


POSIX = pytest.mark.skipif(os.name != "posix", reason="modes of files")


class Lost(Exception):
    """Base of the errors of a worker."""


def installed(monkeypatch: pytest.MonkeyPatch, error: Exception, *, starts: bool = False) -> Mock:
    """Return the Ray that is imported in this test, after which what is set for its processes is restored.

    It fails at its start, as on a busy machine, or after each actor and task was called once.
    """

    def init(**options: object) -> None:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(15))
        if not starts:
            raise error

    def actor_or_task(wrapped: object) -> Mock:
        made = Mock()
        made.remote.side_effect = made.take.remote.side_effect = [made, error, error]
        made.future.return_value = Future[JobResult]()
        return made

    for name in ("RAY_AUTH_TOKEN", "RAY_worker_niceness"):
        monkeypatch.setenv(name, "0")
    fails = Mock(side_effect=error)
    ray = Mock(init=init, get=fails, cancel=fails, exceptions=SimpleNamespace(RayError=Lost, RayTaskError=Lost))
    ray.remote = lambda **options: actor_or_task
    monkeypatch.setitem(sys.modules, "ray", ray)
    return ray


@pytest.mark.parametrize("address", [LOCAL, "ray://head:1"])
@pytest.mark.parametrize("error", [Exception, ConnectionError])
def test_a_start_that_fails_is_a_sentence_and_leaves_no_process(
    monkeypatch: pytest.MonkeyPatch, address: str, error: type[Exception]
) -> None:
    ray = installed(monkeypatch, error("The node timed out.\nDetails"))
    with pytest.raises(MattecamError, match=f"Ray at {address} cannot be used: The node timed out") as raised:
        RayTasks(address, 2)
    assert "Details" not in str(raised.value)
    assert ray.shutdown.called


@pytest.mark.parametrize("call", ["submit", "news"])
def test_ray_that_ends_during_the_conversion_is_a_sentence(monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    ray = installed(monkeypatch, RuntimeError("The cluster is gone.\nDetails"), starts=True)
    before = signal.getsignal(signal.SIGTERM)
    tasks = RayTasks(LOCAL, 2)
    assert signal.getsignal(signal.SIGTERM) is before, "the command still stops gently"
    job = Job("a.mp4", {"target": "out/a.mp4"}, Settings(), "")
    tasks.submit(job)
    with pytest.raises(MattecamError, match=r"Ray ended during the conversion: The cluster is gone\.; run .* --resume"):
        tasks.submit(job) if call == "submit" else tasks.news(stopping=False)
    tasks.close()
    assert ray.shutdown.called


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
from app.offline import executors as cluster
sys.modules["ray"] = ray = ModuleType("ray")
ray.get = lambda told, timeout: True
cluster.pin = lambda: None
stopping = SimpleNamespace(tell=SimpleNamespace(remote=lambda *progress: None))
print(cluster.run_task(SimpleNamespace(source=""), stopping).state, hard, resource.getrlimit(resource.RLIMIT_CORE)[0])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit for core dumps")
def test_a_worker_leaves_no_core_dump() -> None:
    """Ray starts its process, without the command line, which forbids them: a crash wrote frames to disk."""
    state, hard, soft = printed_by(FORBIDDEN).split()[-3:]
    if int(hard) == 0:
        pytest.skip("the system forbids core dumps already")
    assert (state, int(soft)) == ("interrupted", 0)


@POSIX
@pytest.mark.parametrize("named", [False, True])
def test_a_token_file_that_others_can_read_is_refused(
    named: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also the one that Ray makes by itself."""
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    file = tmp_path / ("token" if named else ".ray/auth_token")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(file) if named else "")
    check_token_file()
    file.parent.mkdir(exist_ok=True)
    file.write_text("secret")
    file.chmod(0o644)
    with pytest.raises(UsageError, match=f"chmod 600 {file}"):
        check_token_file()
    file.chmod(0o600)
    check_token_file()
    file.chmod(0o644)
    monkeypatch.setenv("RAY_AUTH_TOKEN", "secret")
    check_token_file()  # which Ray does not read then
