"""Which clips a resumed batch leaves out, how often a clip is tried, and worker processes: the same bits as without."""

from __future__ import annotations

import os
import signal
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from app.core.errors import UsageError
from app.core.settings import BackgroundSettings, FramingSettings, PeopleSettings
from app.offline.batch import MOST_TRIES, Event, StopRequest
from app.offline.executors import Processes
from app.offline.job import TRIES, Job, JobResult, run_job
from app.offline.plan import MANIFEST, Manifest, Record, is_done, last_records, settings_hash
from tests.clips import names_in, write_clip
from tests.offline.batch.conftest import (
    SETTINGS,
    DirectExecutor,
    converted,
    jobs_of,
    records_in,
    run_batch,
    sequential_hashes,
    use_slow_engine,
    write_clips,
)


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    return [write_clip(tmp_path / f"{name}.mp4", 4) for name in "abc"]


def test_a_resumed_batch_leaves_out_what_is_done(tmp_path: Path, clips: list[Path]) -> None:
    target = tmp_path / "out"
    jobs = jobs_of(clips, target)
    converted(jobs, target)
    (target / "b.mp4").write_bytes(b"changed")
    os.utime(clips[2], (1, 1))
    assert converted(jobs, target) == (["b.mp4", "c.mp4"], {"done": 2, "skipped": 1})
    assert converted(jobs, target, resume=False)[0] == ["a.mp4", "b.mp4", "c.mp4"]
    blue = SETTINGS.replace(background=BackgroundSettings(kind="colour", colour="#0000ff"))
    assert converted(jobs_of(clips, target, blue), target)[0] == ["a.mp4", "b.mp4", "c.mp4"], "other settings"


def test_a_clip_is_done_also_under_another_spelling_of_its_path(
    tmp_path: Path, clips: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out"
    monkeypatch.chdir(tmp_path)
    converted(jobs_of([Path(clip.name) for clip in clips], target), target, {"c.mp4": MOST_TRIES})
    (target / "c.mp4").write_bytes(b"left by a crash")
    assert converted(jobs_of(clips, target, overwrite=False), target) == (["c.mp4"], {"done": 1, "skipped": 2})

    (tmp_path / "elsewhere").mkdir()
    other = write_clip(tmp_path / "elsewhere" / "a.mp4", 5)
    with pytest.raises(UsageError, match=r"a\.mp4 exists already"):
        converted(jobs_of([other], target, overwrite=False), target)


def test_a_folder_that_is_also_the_output_is_resumed(tmp_path: Path) -> None:
    for name in "ab":
        write_clip(tmp_path / f"{name}.avi", 4)
    converted(jobs_of([tmp_path], tmp_path, overwrite=False), tmp_path, {"b.avi": MOST_TRIES})
    assert converted(jobs_of([tmp_path], tmp_path, overwrite=False), tmp_path) == (["b.avi"], {"done": 1, "skipped": 1})
    with pytest.raises(UsageError, match="is the source"):
        jobs_of([tmp_path / "a.mp4"], tmp_path)


def test_a_clip_that_grows_while_it_is_converted_is_not_done(tmp_path: Path, clips: list[Path]) -> None:
    class Growing(DirectExecutor):
        def submit(self, job: Job) -> Future[JobResult]:
            ended = super().submit(job)
            with Path(job.source).open("ab") as file:
                file.write(b"the rest of a copy")
            return ended

    (job,) = jobs_of(clips[:1], tmp_path / "out")
    assert run_batch([job], tmp_path / "out", Growing())["done"] == 1
    assert not is_done(job, records_in(tmp_path / "out")["a.mp4"])


def test_a_batch_replaces_what_it_began_and_nothing_else(tmp_path: Path, clips: list[Path]) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "b.mp4").write_bytes(b"another film")
    jobs = jobs_of(clips, target, overwrite=False)
    idle = DirectExecutor()
    with pytest.raises(UsageError, match=r"b\.mp4 exists already; add --overwrite"):
        run_batch(jobs, target, idle)
    assert idle.run == []
    (target / "b.mp4").unlink()
    converted(jobs, target, {"a.mp4": MOST_TRIES})
    (target / "a.mp4").write_bytes(b"left by a crash")
    assert converted(jobs, target)[0] == ["a.mp4"]
    (target / "b.mp4").write_bytes(b"edited")
    with pytest.raises(UsageError, match=r"b\.mp4 exists already"):
        converted(jobs, target)
    assert (target / "b.mp4").read_bytes() == b"edited"


def test_a_file_that_appears_during_the_conversion_is_kept(tmp_path: Path, clips: list[Path]) -> None:
    (job,) = jobs_of(clips[:1], tmp_path / "out", overwrite=False)
    result = run_job(job, lambda done, total: not (tmp_path / "out" / "a.mp4").write_bytes(b"precious"))
    assert result.state == "failed" and "another file has got this name" in (result.error or "")
    assert (tmp_path / "out" / "a.mp4").read_bytes() == b"precious"


def test_a_clip_that_failed_replaces_no_file_when_resumed(tmp_path: Path) -> None:
    target, clip = tmp_path / "out", tmp_path / "a.mp4"
    clip.write_text("no video")
    assert converted(jobs_of([clip], target, overwrite=False), target)[1] == {"failed": 1}
    write_clip(clip, 5)
    (target / "a.mp4").write_bytes(b"made by other means")
    jobs = jobs_of([clip], target, overwrite=False)
    with pytest.raises(UsageError, match=r"a\.mp4 exists already; add --overwrite"):
        converted(jobs, target)
    assert (target / "a.mp4").read_bytes() == b"made by other means"
    (target / "a.mp4").unlink()
    assert converted(jobs, target)[1] == {"done": 1}


def test_a_clip_that_was_cut_off_is_converted_again(tmp_path: Path) -> None:
    """Its film is kept and recorded as it was made, but it failed: the rest of the clip may be there by now."""
    clip, target = write_clip(tmp_path / "a.mkv", 40), tmp_path / "out"
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    for overwrite in (True, False):
        assert converted(jobs_of([clip], target, overwrite=overwrite), target) == (["a.mkv"], {"failed": 1})


@pytest.mark.parametrize(
    "line", [b'{"file": "b", "sta', b'{"file": [], "target": "b.mp4"}\n', b"[" * 100_000, b"\xff", b"null\n"]
)
def test_a_cut_or_damaged_line_of_the_manifest_is_left_out(line: bytes, tmp_path: Path) -> None:
    path = tmp_path / MANIFEST
    with closing(Manifest(path)) as manifest:
        manifest.add(Record(file="a", settings_hash="1", state="done", tries=1, sha256="x", target="a.mp4"))
    with path.open("ab") as file:
        file.write(line)
    assert set(last_records(path)) == {"a.mp4"}
    assert path.read_bytes().startswith(b'{"file": "a", '), "the clip comes first"
    with closing(Manifest(path)) as manifest:
        manifest.add(Record(file="c", settings_hash="1", state="failed", tries=1, target="c.mp4"))
    assert {film: record.state for film, record in last_records(path).items()} == {"a.mp4": "done", "c.mp4": "failed"}


def test_a_clip_whose_worker_dies_is_tried_again_and_then_given_up(tmp_path: Path, clips: list[Path]) -> None:
    target = tmp_path / "out"
    workers = DirectExecutor({"a.mp4": MOST_TRIES, "b.mp4": 1})
    events: list[Event] = []
    report = run_batch(jobs_of(clips, target), target, workers, tell=events.append)
    assert report == {"done": 2, "failed": 1}
    assert workers.run == ["a.mp4"] * MOST_TRIES + ["b.mp4"] * 2 + ["c.mp4"]
    record = records_in(target)["a.mp4"]
    assert record.tries == MOST_TRIES
    assert "a.mp4 ended unexpectedly (signal 9)" in (record.error or "")
    assert [event.state for event in events if event.file == str(clips[1])] == ["started", "done"]


def test_what_killed_workers_left_is_removed(tmp_path: Path, clips: list[Path]) -> None:
    stale = tmp_path / "out" / TRIES / "a.mp4-x"
    stale.mkdir(parents=True)
    (stale / "target.part.mp4").write_bytes(b"room")
    converted(jobs_of(clips, tmp_path / "out"), tmp_path / "out")
    assert not (tmp_path / "out" / TRIES).exists()


def test_a_stop_request_before_the_start_converts_nothing(tmp_path: Path, clips: list[Path]) -> None:
    stop, workers = StopRequest(most=1), DirectExecutor()
    stop()
    run_batch(jobs_of(clips, tmp_path / "out"), tmp_path / "out", workers, stop=stop)
    assert workers.run == []
    with pytest.raises(KeyboardInterrupt):
        stop()
    assert stop.requests == 1


def test_a_failed_try_leaves_nothing(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", 4)
    (job,) = jobs_of([clip], tmp_path / "out")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / TRIES).write_text("a file in the way")
    result = run_job(job, lambda done, total: False)
    assert result.state == "failed" and result.error
    assert result == JobResult("failed", error=result.error)


def test_clips_that_would_replace_each_other_are_refused(tmp_path: Path, clips: list[Path]) -> None:
    other = tmp_path / "other"
    other.mkdir()
    write_clip(other / "a.mp4", 2)
    with pytest.raises(UsageError, match=r"would both become a\.mp4"):
        jobs_of([*clips, other], tmp_path / "out")
    with pytest.raises(UsageError, match="is the source"):
        jobs_of(clips, tmp_path)
    with pytest.raises(UsageError, match="another output"):
        jobs_of(clips, tmp_path / "out", alpha=tmp_path / "out")
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="not a folder"):
        converted(jobs_of(clips, tmp_path / "x"), tmp_path / "file")


def test_names_that_differ_only_in_case_are_refused(tmp_path: Path, clips: list[Path]) -> None:
    """As on macOS and Windows, where the second film replaced the first one."""
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(UsageError, match=r"a\.mp4 and .*A\.mp4 would both become A\.mp4"):
        jobs_of([clips[0], write_clip(other / "A.mp4", 2)], tmp_path / "out")


def test_the_hash_covers_the_features_of_a_film_and_the_content_of_files(tmp_path: Path) -> None:
    room = tmp_path / "room.png"
    room.write_bytes(b"one")
    behind = SETTINGS.replaced_at(["background"], kind="image", path=room)
    before = settings_hash(behind)
    room.write_bytes(b"two")
    changed = (
        SETTINGS,
        behind,
        SETTINGS.replace(matting=SETTINGS.matting.replace(downsample_ratio=0.3)),
        SETTINGS.replace(framing=FramingSettings(zoom=2)),
        SETTINGS.replace(people=PeopleSettings(only_me=True)),
        SETTINGS.replace(selected=(0.5, 0.5)),
        SETTINGS.replaced_at(["capture"], rotate=90),
        SETTINGS.replaced_at(["capture"], flip=True),
    )
    assert len({before, *map(settings_hash, changed)}) == 1 + len(changed)


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
        ended = processes.submit(job)
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
