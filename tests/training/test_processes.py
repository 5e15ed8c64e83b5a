"""The processes of a run: waiting for them, and their end by signals with a checkpoint."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import resource_tracker
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from app.core.exit_codes import EXIT_DONE, EXIT_FAILED
from tests.paths import ROOT
from tests.training.failing import fail_or_work
from tests.training.samples import make_cache
from training import train

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")


@pytest.fixture(scope="module", autouse=True)
def _tracker() -> None:
    """Start a process of multiprocessing that outlives the test which needs it first."""
    resource_tracker.ensure_running()


class EndsMeanwhile:
    """A process that is alive when it is asked first, and has ended when it is asked again."""

    pid, exitcode, sentinel = None, 0, 7

    def __init__(self, **_: object) -> None:
        self._answers = iter([True])

    def start(self) -> None:
        """Do nothing."""

    def is_alive(self) -> bool:
        return next(self._answers, False)


def test_processes_that_end_while_they_are_counted_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[Sequence[int]] = []

    def wait(sentinels: Sequence[int]) -> None:
        assert sentinels, "waits for ever"
        waited.append(sentinels)

    monkeypatch.setattr(multiprocessing, "get_context", lambda _: SimpleNamespace(Process=EndsMeanwhile))
    monkeypatch.setattr(train, "_end_on_signals", lambda _: None)
    monkeypatch.setattr(train, "wait", wait)
    assert train.run_processes(lambda rank, _: None, lambda _: "", 1) == EXIT_DONE
    assert waited == [[EndsMeanwhile.sentinel]]


@posix
def test_when_one_process_fails_the_others_end() -> None:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    began_s, before = time.monotonic(), psutil.Process().children()
    assert train.run_processes(fail_or_work, lambda _: 300.0, 2) == EXIT_FAILED
    assert time.monotonic() - began_s < 200
    for number, handler in handlers.items():
        signal.signal(number, handler)
    left = [child for child in psutil.Process().children() if child not in before]
    assert not [child for child in left if "spawn_main" in " ".join(child.cmdline())]


LIMIT_S = 90.0


@contextmanager
def started(out: Path, cache: Path) -> Iterator[tuple[subprocess.Popen[bytes], list[psutil.Process]]]:
    """A run that has started to learn, and its processes, which are killed at the end."""
    command = [sys.executable, "-m", "training.train", "--out", str(out), "--cache", str(cache), "--processes", "2"]
    options = ["--size", "64x48", "--batch", "4", "--minutes", "60", "--save-minutes", "60"]
    process = subprocess.Popen([*command, *options], cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True)
    children: list[psutil.Process] = []
    try:
        wait_for(lambda: (out / "log.jsonl").exists(), process)
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 2
        yield process, children
    finally:
        process.kill()
        process.wait()
        for child in children:
            if child.is_running():
                child.kill()


def wait_for(done: object, process: subprocess.Popen[bytes]) -> None:
    deadline_s = time.monotonic() + LIMIT_S
    assert callable(done)
    while not done():
        assert process.poll() is None and time.monotonic() < deadline_s
        time.sleep(0.1)


@posix
@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_asked_to_end_it_keeps_its_checkpoint(tmp_path: Path, number: int) -> None:
    with started(tmp_path / "run", make_cache(tmp_path / "cache")) as (process, children):
        if number == signal.SIGINT:  # like Ctrl+C: to every process of the terminal
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        assert process.wait(LIMIT_S) == 130
        assert not psutil.wait_procs(children, timeout=60)[1]
    assert (tmp_path / "run/checkpoint.pt").exists()
    assert "check" in json.loads((tmp_path / "run/log.jsonl").read_text().splitlines()[-1])


@posix
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_its_processes_end_as_well(tmp_path: Path) -> None:
    with started(tmp_path / "run", make_cache(tmp_path / "cache")) as (process, children):
        process.kill()
        assert not psutil.wait_procs(children, timeout=LIMIT_S)[1]
