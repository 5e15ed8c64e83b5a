"""A batch on Ray: the same bits as worker processes, retries, resume, nothing left; Ray that
fails; its token.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import Future
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from unittest.mock import Mock

import psutil
import pytest

from app.core.errors import MattecamError, UsageError
from app.core.unfinished import TRIES
from app.offline import executors
from app.offline.executors import LOCAL, RayTasks, check_token_file, pin
from app.offline.job import Job, JobResult
from app.offline.plan import MANIFEST
from app.settings import Settings
from tests.clips import names_in, write_clip
from tests.offline.batch.conftest import jobs_of, records_in, sequential_hashes
from tests.paths import ROOT
from tests.stand_ins import always, forbidden
from tests.waiting import no_longer

# Of processes of Ray, by what they are.
TITLES = {"worker": "run_task", "coordinator": "ray::Coordinator"}


def ray_processes(title: str = "") -> list[psutil.Process]:
    """Return the processes of Ray that this test started, which inherit its data folder, with
    this in their titles.
    """
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # it may end meanwhile
            is_mine = process.environ().get("MATTECAM_DATA_DIR") == os.environ["MATTECAM_DATA_DIR"]
            if (
                is_mine
                and process.pid != os.getpid()
                and title in process.name() + " ".join(process.cmdline())
            ):
                found.append(process)
    return found


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(
    sys.platform != "linux" or find_spec("ray") is None,
    reason="needs /proc, requirements-cluster.txt",
)
@pytest.mark.parametrize("victim", ["nobody", "worker", "coordinator", "driver", "interrupt"])
def test_whatever_is_killed_ray_writes_the_bits_of_one_after_the_other(
    tmp_path: Path, victim: str
) -> None:
    source = tmp_path / "in"
    out = tmp_path / "out"
    source.mkdir()
    for name in ("a.mp4", "b.mkv"):
        write_clip(source / name, 400, size=(192, 96), audio="aac")
    (source / "poison.mp4").write_text("no video")
    whole = write_clip(source / "cut.mkv", 40).read_bytes()
    (source / "cut.mkv").write_bytes(whole[: len(whole) // 2])
    options = ["--model", "mattecam", "--jobs", "2", "--json", "--cluster"]
    command = [sys.executable, str(ROOT / "run.py"), "convert", str(source), str(out), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        events = map(json.loads, process.stdout)
        next(event for event in events if event["state"] == "progress" and event["frames"] > 0)
        if victim in TITLES:
            ray_processes(TITLES[victim])[0].kill()
        elif victim != "nobody":
            process.send_signal(signal.SIGKILL if victim == "driver" else signal.SIGINT)
        process.communicate(timeout=200)
    code = process.returncode
    if victim in ("driver", "interrupt"):
        assert not list(out.glob("*.mp4"))
        if victim == "interrupt":
            assert code == 130 and names_in(out) == [MANIFEST]
            no_longer(ray_processes)
        code = subprocess.run(
            [*command, "--resume"], capture_output=True, check=False, timeout=200
        ).returncode
    assert code == 1, "two clips are broken"
    assert not (out / TRIES).exists()
    records = records_in(out)
    expected = sequential_hashes(jobs_of([source], tmp_path / "sequential"))
    assert {name: record.sha256 for name, record in records.items()} == expected
    assert records["a.mp4"].state == records["b.mkv"].state == "done"
    tries = sorted(records[name].tries for name in ("a.mp4", "b.mkv"))
    assert tries == ([1, 2] if victim == "worker" else [1, 1])
    for clip, words in (
        ("poison.mp4", "poison.mp4 is not a readable video"),
        ("cut.mkv", "cut off"),
    ):
        assert words in (records[clip].error or "") and "Traceback" not in (
            records[clip].error or ""
        )
    for left in ray_processes() if victim == "driver" else ():
        left.kill()
    no_longer(ray_processes)


JOB = Job("a.mp4", {"target": "out/a.mp4"}, Settings(), "")


def installed(monkeypatch: pytest.MonkeyPatch, error: Exception, *, starts: bool = False) -> Mock:
    """Return the Ray that is imported in this test, after which what is set for its processes is
    restored.

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
    ray = Mock(
        init=init,
        get=fails,
        cancel=fails,
        exceptions=Mock(RayError=LookupError, RayTaskError=LookupError),
    )
    ray.remote = always(actor_or_task)
    monkeypatch.setitem(sys.modules, "ray", ray)
    return ray


@pytest.mark.parametrize("address", [LOCAL, "ray://head:1"])
@pytest.mark.parametrize("error", [Exception, ConnectionError])
def test_a_start_that_fails_is_a_sentence_and_leaves_no_process(
    monkeypatch: pytest.MonkeyPatch, address: str, error: type[Exception]
) -> None:
    ray = installed(monkeypatch, error("The node timed out.\nDetails"))

    with pytest.raises(
        MattecamError, match=f"Ray at {address} cannot be used: The node timed out"
    ) as raised:
        RayTasks(address, 2)

    assert "Details" not in str(raised.value)
    assert ray.shutdown.called


@pytest.mark.parametrize("call", ["submit", "news"])
def test_ray_that_ends_during_the_conversion_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    ray = installed(monkeypatch, RuntimeError("The cluster is gone.\nDetails"), starts=True)
    before = signal.getsignal(signal.SIGTERM)
    tasks = RayTasks(LOCAL, 2)
    assert signal.getsignal(signal.SIGTERM) is before, "the command still stops gently"
    tasks.submit(JOB)
    with pytest.raises(
        MattecamError,
        match=r"Ray ended during the conversion: The cluster is gone\.; run .* --resume",
    ):
        tasks.submit(JOB) if call == "submit" else tasks.news(stopping=False)
    tasks.close()
    assert ray.shutdown.called


def test_locks_that_cannot_be_made_end_no_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their names are known, so that another user could make every clip on a cluster fail."""
    monkeypatch.setattr(tempfile, "gettempdir", always(str(tmp_path / "not-a-folder")))
    (tmp_path / "not-a-folder").touch()
    pin()


@pytest.mark.skipif(os.name != "posix", reason="replaces the lock of POSIX")
def test_no_core_is_taken_that_cannot_be_kept_from_the_other_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every worker of a machine would run on the first core."""
    monkeypatch.setattr(tempfile, "gettempdir", always(str(tmp_path)))
    monkeypatch.setattr(
        "fcntl.flock", Mock(side_effect=OSError(errno.ENOLCK, "No locks available"))
    )
    monkeypatch.setattr(executors, "use_one_core", forbidden("pinned"))
    pin()


def test_a_worker_leaves_no_core_dump(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray starts its process, without the command line, which forbids them: a crash wrote frames
    to disk.
    """
    forbid = Mock()
    monkeypatch.setattr(executors, "disable_core_dumps", forbid)
    monkeypatch.setattr(executors, "pin", Mock())
    monkeypatch.setitem(sys.modules, "ray", Mock(get=Mock(return_value=True)))

    assert executors.run_task(JOB, Mock()).state == "interrupted"
    assert forbid.called


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
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
