"""A batch on worker processes: same bits as one after the other, and no clip stops another."""

from __future__ import annotations

import hashlib
import os
import signal
from contextlib import closing
from pathlib import Path

import av
import psutil
import pytest

from app.core.errors import UsageError
from app.offline.batch.manifest import MANIFEST, last_records
from app.offline.batch.pool import Pool
from app.offline.batch.run import BatchReport, Event, StopRequest
from tests.clips import write_clip
from tests.offline.batch.clips import jobs_of, run_pool, sequential_hashes, write_clips


def packets_of(film: Path) -> list[tuple[str, int | None, str]]:
    """Kind, time and SHA-256 of every packet."""
    with av.open(str(film)) as container:
        return [
            (packet.stream.type, packet.pts, hashlib.sha256(bytes(packet)).hexdigest()[:12])
            for packet in container.demux()
            if packet.size
        ]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.long
def test_a_pool_writes_the_bits_of_one_after_the_other(tmp_path: Path) -> None:
    source = write_clips(tmp_path / "in")
    events: list[Event] = []
    jobs = jobs_of([source], tmp_path / "out")
    report = run_pool(jobs, tmp_path / "out", 2, tell=events.append)

    assert report == BatchReport(done=2, skipped=0, failed=2, interrupted=0)
    assert names(tmp_path / "out") == ["a.mp4", "b.mkv", "cut.mkv", MANIFEST]
    records = {Path(file).name: record for file, record in last_records(tmp_path / "out" / MANIFEST).items()}
    expected = sequential_hashes(jobs_of([source], tmp_path / "sequential"))
    for name in ("a.mp4", "b.mkv"):  # tells more about a difference than the hashes do
        assert packets_of(tmp_path / "out" / name) == packets_of(tmp_path / "sequential" / name)
    assert {name: record.sha256 for name, record in records.items()} == {
        Path(file).name: sha256 for file, sha256 in expected.items()
    }
    assert (records["a.mp4"].state, records["a.mp4"].frames, records["a.mp4"].tries) == ("done", 12, 1)
    assert records["poison.mp4"].state == records["cut.mkv"].state == "failed"
    assert "poison.mp4" in (records["poison.mp4"].error or "")
    assert f"{records['cut.mkv'].frames} of 40 frames" in (records["cut.mkv"].error or "")
    ended = {Path(event.file).name: event.state for event in events if event.state != "progress"}
    assert ended == {"a.mp4": "done", "b.mkv": "done", "poison.mp4": "failed", "cut.mkv": "failed"}


@pytest.mark.long
def test_a_killed_worker_is_replaced_and_the_clip_has_the_same_hash(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 300, size=(192, 96))
    killed: list[int] = []

    def kill_once(event: Event) -> None:
        if event.state == "progress" and not killed:
            for process in psutil.Process().children():
                if "spawn_main" in " ".join(process.cmdline()):
                    killed.append(process.pid)
                    os.kill(process.pid, signal.SIGKILL)

    jobs = jobs_of([clip], tmp_path / "out")
    report = run_pool(jobs, tmp_path / "out", 1, tell=kill_once)

    assert killed
    assert report.done == 1
    record = last_records(tmp_path / "out" / MANIFEST)[str(clip)]
    assert record.tries == 2
    assert record.sha256 == sequential_hashes(jobs_of([clip], tmp_path / "sequential"))[str(clip)]
    assert names(tmp_path / "out") == ["clip.mp4", MANIFEST]


@pytest.mark.long
def test_the_second_stop_ends_the_workers_at_once(tmp_path: Path) -> None:
    clips = [write_clip(tmp_path / f"{name}.mp4", 300, size=(192, 96)) for name in "abc"]
    stop = StopRequest()

    def stop_twice(event: Event) -> None:
        if event.state == "progress":
            stop()
            stop()

    report = run_pool(jobs_of(clips, tmp_path / "out"), tmp_path / "out", 1, tell=stop_twice, stop=stop)
    assert report == BatchReport(done=0, skipped=0, failed=0, interrupted=3)
    assert names(tmp_path / "out") == [MANIFEST]


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_ctrl_c_while_a_worker_starts_is_for_the_command(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A terminal sends it to every process. The worker ended with a traceback of what it was importing."""
    (job,) = jobs_of([tmp_path / "missing.mp4"], tmp_path / "out")
    with closing(Pool(1)) as pool:
        before = psutil.Process().children()
        pool.start(0, job)
        (worker,) = (child for child in psutil.Process().children() if child not in before)
        worker.send_signal(signal.SIGINT)
        (report,) = pool.wait(60.0)
    assert report.result is not None and "There is no file or folder" in (report.result.error or "")
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.long
def test_only_one_batch_writes_to_a_folder(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 4)
    jobs = jobs_of([clip], tmp_path / "out")
    refused: list[str] = []

    def start_another(event: Event) -> None:
        if event.state == "started":
            with pytest.raises(UsageError) as failure:
                run_pool(jobs, tmp_path / "out", 1)
            refused.append(str(failure.value))

    assert run_pool(jobs, tmp_path / "out", 1, tell=start_another).done == 1
    assert len(refused) == 1 and "Another conversion" in refused[0]
