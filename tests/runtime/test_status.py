"""Open problems, latencies and rates of the last seconds, and the file of `--status-json`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from app.core.errors import MattecamError, SourceOpenError
from app.core.stage import Stage
from app.runtime.board import LATENCY_SPAN_S, Meter, StatusBoard
from app.runtime.status import Latency, PipelineStatus, write_status
from app.testing.parts import FakeClock


def _open(board: StatusBoard) -> list[str]:
    return [problem.message for problem in board.read().problems]


def test_two_parts_of_a_stage_have_a_problem_each() -> None:
    board = StatusBoard()
    board.report(Stage.BACKGROUND, SourceOpenError("The film is damaged."), "film")
    board.report(Stage.BACKGROUND, SourceOpenError("The picture is missing."), "card")
    assert _open(board) == ["The film is damaged.", "The picture is missing."]
    board.report(Stage.BACKGROUND, None, "card")
    assert _open(board) == ["The film is damaged."], "the older problem is still there"
    board.report(Stage.BACKGROUND, None, "film")
    assert not _open(board)


def test_a_part_has_one_problem() -> None:
    board = StatusBoard()
    board.report(Stage.CAPTURE, "The camera is busy.")
    board.report(Stage.CAPTURE, "The camera is gone.")
    board.report(Stage.CAPTURE, "The camera is gone.")
    assert _open(board) == ["The camera is gone."]
    board.report(Stage.CAPTURE, None, "another part")
    assert _open(board) == ["The camera is gone."]
    board.report(Stage.CAPTURE, None)
    assert not _open(board)
    errors = board.read().errors
    assert errors == ("The camera is busy.", "The camera is gone.")


def test_the_log_has_what_began_and_what_is_over(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "app.runtime.board")
    board = StatusBoard()
    board.report(Stage.CAPTURE, "The camera is gone.")
    for _ in range(2):
        board.report(Stage.CAPTURE, None)
    assert caplog.messages == [
        "The camera is gone.",
        "Over: The camera is gone.",
    ]


def test_latency_is_that_of_the_last_seconds() -> None:
    clock = FakeClock()
    meter = Meter(span_s=0.2, now=clock)
    meter.add(0.5)
    assert meter.latency() == Latency(500.0, 500.0)
    clock.now_s += 0.25
    assert meter.latency() == Latency()
    meter.add(0.01)
    assert meter.latency() == Latency(10.0, 10.0)


def test_latency_figures() -> None:
    meter = Meter(LATENCY_SPAN_S)
    assert meter.latency().median == 0
    for milliseconds in range(1, 101):
        meter.add(milliseconds / 1e3)
    figures = meter.latency()
    assert abs(figures.median - 51) < 1.5
    assert abs(figures.p95 - 96) < 1.5


def test_the_rate_falls_when_nothing_comes() -> None:
    clock = FakeClock()
    meter = Meter(span_s=0.5, now=clock)
    for _ in range(20):
        meter.add()
        clock.now_s += 0.005
    busy = meter.per_second()
    assert busy == pytest.approx(200, rel=0.06)
    clock.now_s += 0.2
    assert busy > meter.per_second() > 0
    clock.now_s += 0.4
    assert meter.per_second() == 0
    assert meter.count == 20


posix = pytest.mark.skipif(os.name != "posix", reason="needs links and file modes")


@posix
def test_a_link_is_replaced_and_its_target_kept(tmp_path: Path) -> None:
    notes, path = tmp_path / "notes", tmp_path / "status.json"
    notes.write_text("mine")
    path.symlink_to(notes)
    write_status(path, PipelineStatus())
    assert notes.read_text() == "mine"
    assert json.loads(path.read_text())["frames_in"] == 0
    assert not path.is_symlink() and path.stat().st_mode & 0o777 == 0o600


@posix
def test_a_device_is_written_to_and_stays() -> None:
    write_status(Path(os.devnull), PipelineStatus())
    assert not Path(os.devnull).is_file()


@posix
@pytest.mark.timeout(60)
def test_a_pipe_is_written_to_while_a_program_reads(tmp_path: Path) -> None:
    """Without a reader the program waited for one without a word."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(MattecamError, match="pipe cannot be written: no program reads from it; start one that does"):
        write_status(pipe, PipelineStatus())
    with os.fdopen(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), "rb") as reader:
        write_status(pipe, PipelineStatus())
        assert json.loads(reader.read())["frames_in"] == 0
