"""A batch on Ray on this machine: the same bits as worker processes, retries, resume, nothing left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from app.offline.job import TRIES
from app.offline.plan import MANIFEST
from tests.clips import names_in, write_clip
from tests.offline.batch.conftest import jobs_of, records_in, sequential_hashes, write_clips
from tests.paths import ROOT

pytest.importorskip("ray", reason="requirements-cluster.txt is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
    pytest.mark.timeout(300),
]
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
