"""Workers of a batch: those that die, a stop, and the cores that they share."""

from __future__ import annotations

import errno
import signal
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from unittest.mock import Mock

import psutil
import pytest

from app.core.errors import MattecamError
from app.core.unfinished import TRIES
from app.offline.batch import MOST_TRIES, Event, StopRequest
from app.offline.executors import Processes, use_one_core
from app.offline.job import Job, JobResult
from app.offline.plan import MANIFEST
from tests.clips import names_in, write_clip
from tests.offline.batch.conftest import (
    DirectExecutor,
    jobs_of,
    records_in,
    run_batch,
    use_slow_engine,
)

POSIX = pytest.mark.posix("links, pipes and signals of this kind")


def test_a_worker_that_dies_after_its_film_is_in_place_is_followed_by_one_that_finds_it(
    clips: list[Path], out: Path
) -> None:
    class Dying(DirectExecutor):
        def submit(self, job: Job) -> Future[JobResult]:
            result = super().submit(job)
            if len(self.run) > 1:
                return result
            died: Future[JobResult] = Future()
            died.set_result(JobResult("died", error="signal 9"))
            return died

    assert run_batch(jobs_of(clips[:1], out, overwrite=False), out, Dying()) == {"done": 1}
    assert records_in(out)["a.mp4"].tries == 2


def test_a_clip_whose_worker_dies_is_tried_again_and_then_given_up(
    clips: list[Path], out: Path
) -> None:
    workers = DirectExecutor({"a.mp4": MOST_TRIES, "b.mp4": 1})
    stale = out / TRIES / "a.mp4-x"
    stale.mkdir(parents=True)
    (stale / "target.part.mp4").write_bytes(b"room")
    events: list[Event] = []
    report = run_batch(jobs_of(clips, out), out, workers, tell=events.append)
    assert report == {"done": 2, "failed": 1}
    assert workers.run == ["a.mp4"] * MOST_TRIES + ["b.mp4"] * 2 + ["c.mp4"]
    record = records_in(out)["a.mp4"]
    assert record.tries == MOST_TRIES
    assert "a.mp4 ended unexpectedly (signal 9)" in (record.error or "")
    assert [event.state for event in events if event.file == str(clips[1])] == ["started", "done"]
    assert not (out / TRIES).exists(), "what killed workers left"


def test_a_stop_request_before_the_start_converts_nothing(clips: list[Path], out: Path) -> None:
    stop = StopRequest(most=1)
    workers = DirectExecutor()
    stop()
    run_batch(jobs_of(clips, out), out, workers, stop=stop)
    assert workers.run == []
    with pytest.raises(KeyboardInterrupt):
        stop()
    assert stop.requests == 1


@pytest.mark.parametrize("requests", [1, 2])
def test_a_stop_interrupts_a_clip_whose_worker_dies_and_a_second_one_does_not_wait_for_it(
    clips: list[Path], out: Path, requests: int
) -> None:
    stop = StopRequest()
    result = Future[JobResult]()

    def news(*, stopping: bool) -> tuple[()]:
        assert stopping is (stop.requests > 0)
        if stop.requests < requests:
            stop()
        elif not result.done():
            result.set_result(JobResult("died"))
        return ()

    workers = Mock(count=1, submit=Mock(return_value=result), news=news)
    assert run_batch(jobs_of(clips, out), out, workers, stop=stop) == {"interrupted": 3}
    assert records_in(out)["a.mp4"].state == "interrupted"


def test_a_killed_worker_is_replaced(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 100)
    out = tmp_path / "out"
    killed: list[int] = []

    def kill_once(event: Event) -> None:
        if event.state == "progress" and not killed:
            for process in psutil.Process().children():
                if "spawn_main" in " ".join(process.cmdline()):
                    killed.append(process.pid)
                    process.kill()

    report = run_batch(jobs_of([clip], out), out, Processes(1, use_slow_engine), tell=kill_once)
    assert killed and report["done"] == 1
    assert records_in(out)["clip.mp4"].tries == 2
    assert names_in(out) == ["clip.mp4", MANIFEST]


def test_a_worker_that_cannot_start_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To end it failed with an AttributeError."""
    monkeypatch.setattr(
        "multiprocessing.context.SpawnProcess.start",
        Mock(side_effect=OSError(errno.EAGAIN, "busy")),
    )
    with pytest.raises(MattecamError, match=r"did not start .*busy.*; free memory"):
        run_batch(
            jobs_of([tmp_path / "clip.mp4"], tmp_path / "out"), tmp_path / "out", Processes(1)
        )


def test_the_second_stop_ends_the_workers_at_once(tmp_path: Path) -> None:
    clips = [write_clip(tmp_path / f"{name}.mp4", 100) for name in "abc"]
    out = tmp_path / "out"
    stop = StopRequest()

    def stop_twice(event: Event) -> None:
        if event.state == "progress":
            stop()
            stop()

    report = run_batch(
        jobs_of(clips, out), out, Processes(1, use_slow_engine), tell=stop_twice, stop=stop
    )
    assert report == {"interrupted": 3}
    assert names_in(out) == [MANIFEST]


@POSIX
def test_ctrl_c_while_a_worker_starts_is_for_the_command(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A terminal sends it to every process.

    The worker ended with a traceback of what it was importing.
    """
    (job,) = jobs_of([tmp_path / "missing.mp4"], tmp_path / "out")
    with closing(Processes(1)) as processes:
        before = psutil.Process().children()
        ended = processes.submit(job)
        (worker,) = (child for child in psutil.Process().children() if child not in before)
        worker.send_signal(signal.SIGINT)
        assert "There is no file or folder" in (ended.result(60.0).error or "")
    assert "Traceback" not in capfd.readouterr().err


REFUSALS = [
    pytest.param(psutil.AccessDenied(), id="no permission"),
    pytest.param(
        OSError(errno.ENOSYS, "Function not implemented"), id="a sandbox without the call"
    ),
    pytest.param(ValueError("invalid CPU"), id="a core that is taken away"),
]


@pytest.mark.parametrize("refusal", REFUSALS)
def test_workers_share_the_cores_where_the_system_pins_nothing(
    clips: list[Path],
    out: Path,
    refusal: Exception,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Every worker died at its start, three times for each clip."""

    def refuse(process: psutil.Process, cores: list[int] | None = None) -> list[int]:
        if cores is not None:
            raise refusal
        return [0, 1]

    monkeypatch.setattr(psutil.Process, "cpu_affinity", refuse, raising=False)

    executor = Processes(2, use_slow_engine)

    assert run_batch(jobs_of(clips[:2], out), out, executor) == {"done": 2}
    assert len(caplog.messages) == 1 and "lets no process choose its core" in caplog.messages[0]
    caplog.clear()


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_worker_goes_on_where_it_is_refused_its_core(
    refusal: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(psutil.Process, "cpu_affinity", Mock(side_effect=refusal), raising=False)

    use_one_core(1)

    assert (
        len(caplog.messages) == 1 and "does not let a worker have the core 1" in caplog.messages[0]
    )
    caplog.clear()
