"""A batch on worker processes: same bits as one after the other, and no clip stops another."""

from __future__ import annotations

import os
import signal
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from app.core.errors import UsageError
from app.offline.batch.manifest import MANIFEST
from app.offline.batch.processes import Processes
from app.offline.batch.run import Event, StopRequest
from tests.clips import names_in, write_clip
from tests.offline.batch.conftest import (
    DirectExecutor,
    jobs_of,
    records_in,
    run_batch,
    sequential_hashes,
    use_slow_engine,
    write_clips,
)


@pytest.mark.long
def test_processes_write_the_bits_of_one_after_the_other(tmp_path: Path) -> None:
    source, out = write_clips(tmp_path / "in"), tmp_path / "out"
    events: list[Event] = []
    report = run_batch(jobs_of([source], out), out, Processes(2), tell=events.append)

    assert report == {"done": 2, "failed": 2}
    assert names_in(out) == ["a.mp4", "b.mkv", "cut.mkv", MANIFEST]
    records = records_in(out)
    expected = sequential_hashes(jobs_of([source], tmp_path / "sequential"))
    assert {name: record.sha256 for name, record in records.items()} == expected
    assert (records["a.mp4"].state, records["a.mp4"].frames, records["a.mp4"].tries) == ("done", 12, 1)
    assert records["poison.mp4"].state == records["cut.mkv"].state == "failed"
    assert "poison.mp4" in (records["poison.mp4"].error or "")
    assert f"{records['cut.mkv'].frames} of 40 frames" in (records["cut.mkv"].error or "")
    ended = {Path(event.file).name: event.state for event in events if event.state != "progress"}
    assert ended == {"a.mp4": "done", "b.mkv": "done", "poison.mp4": "failed", "cut.mkv": "failed"}


def test_a_killed_worker_is_replaced(tmp_path: Path) -> None:
    clip, out = write_clip(tmp_path / "clip.mp4", 100), tmp_path / "out"
    killed: list[int] = []

    def kill_once(event: Event) -> None:
        if event.state == "progress" and not killed:
            for process in psutil.Process().children():
                if "spawn_main" in " ".join(process.cmdline()):
                    killed.append(process.pid)
                    os.kill(process.pid, signal.SIGKILL)

    report = run_batch(jobs_of([clip], out), out, Processes(1, use_slow_engine), tell=kill_once)
    assert killed and report["done"] == 1
    assert records_in(out)["clip.mp4"].tries == 2
    assert names_in(out) == ["clip.mp4", MANIFEST]


def test_the_second_stop_ends_the_workers_at_once(tmp_path: Path) -> None:
    clips, out = [write_clip(tmp_path / f"{name}.mp4", 100) for name in "abc"], tmp_path / "out"
    stop = StopRequest()

    def stop_twice(event: Event) -> None:
        if event.state == "progress":
            stop()
            stop()

    report = run_batch(jobs_of(clips, out), out, Processes(1, use_slow_engine), tell=stop_twice, stop=stop)
    assert report == {"interrupted": 3}
    assert names_in(out) == [MANIFEST]


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_ctrl_c_while_a_worker_starts_is_for_the_command(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A terminal sends it to every process. The worker ended with a traceback of what it was importing."""
    (job,) = jobs_of([tmp_path / "missing.mp4"], tmp_path / "out")
    with closing(Processes(1)) as processes:
        before = psutil.Process().children()
        ended = processes.submit(0, job)
        (worker,) = (child for child in psutil.Process().children() if child not in before)
        worker.send_signal(signal.SIGINT)
        assert "There is no file or folder" in (ended.result(60.0).error or "")
    assert "Traceback" not in capfd.readouterr().err


def test_only_one_batch_writes_to_a_folder(tmp_path: Path) -> None:
    out = tmp_path / "out"
    jobs = jobs_of([write_clip(tmp_path / "clip.mp4", 4)], out)

    def start_another(event: Event) -> None:
        if event.state == "started":
            with pytest.raises(UsageError, match="Another conversion"):
                run_batch(jobs, out, DirectExecutor())

    assert run_batch(jobs, out, DirectExecutor(), tell=start_another)["done"] == 1
