"""Ending a run in several processes: it writes a checkpoint and leaves no process behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.paths import ROOT
from tests.training.samples import make_cache

LIMIT_S = 90.0
pytestmark = [pytest.mark.long, pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")]


@contextmanager
def running(out: Path, cache: Path) -> Iterator[tuple[subprocess.Popen[bytes], list[psutil.Process]]]:
    """A run that has started to learn, and its processes, which are killed at the end."""
    command = [sys.executable, "-m", "training.train", "--out", str(out), "--cache", str(cache), "--processes", "2"]
    options = ["--size", "64x48", "--batch", "4", "--minutes", "60", "--save-minutes", "60"]
    process = subprocess.Popen([*command, *options], cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True)
    children: list[psutil.Process] = []
    try:
        _wait(lambda: (out / "log.jsonl").exists(), process)
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 2
        yield process, children
    finally:
        process.kill()
        process.wait()
        for child in children:
            if child.is_running():
                child.kill()


def _wait(done: object, process: subprocess.Popen[bytes]) -> None:
    deadline_s = time.monotonic() + LIMIT_S
    assert callable(done)
    while not done():
        assert process.poll() is None and time.monotonic() < deadline_s
        time.sleep(0.1)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_asked_to_end_it_keeps_its_checkpoint(tmp_path: Path, number: int) -> None:
    with running(tmp_path / "run", make_cache(tmp_path / "cache")) as (process, children):
        if number == signal.SIGINT:  # like Ctrl+C: to every process of the terminal
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        assert process.wait(LIMIT_S) == 130
        assert not psutil.wait_procs(children, timeout=60)[1]
    assert (tmp_path / "run/checkpoint.pt").exists()
    assert "check" in json.loads((tmp_path / "run/log.jsonl").read_text().splitlines()[-1])


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_its_processes_end_as_well(tmp_path: Path) -> None:
    with running(tmp_path / "run", make_cache(tmp_path / "cache")) as (process, children):
        process.kill()
        assert not psutil.wait_procs(children, timeout=LIMIT_S)[1]
