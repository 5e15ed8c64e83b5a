"""`ctl record` and `ctl record-alpha` against a running pipeline with replaceable parts."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from app.control.changes import CommandError
from app.core.errors import MattecamError, SinkLostError, UsageError
from tests.control.conftest import Program
from tests.waiting import eventually


@pytest.mark.parametrize("command", ["record", "record-alpha"])
def test_a_recording_starts_and_stops(program: Program, tmp_path: Path, command: str) -> None:
    path, name = tmp_path / "a.mp4", command.replace("record", "recording").replace("-", "_")
    with pytest.raises(CommandError, match="Nothing is being recorded"):
        program.run(f"{command} stop")
    assert program.run(f"{command} {path}") == f"Recording to {path}."
    assert program.controller.status()[name] is not None
    with pytest.raises(CommandError, match="is running; stop it first"):
        program.run(f"{command} {tmp_path / 'b.mp4'}")
    assert program.run(f"{command} stop") == f"Recorded to {path}."
    assert program.controller.status()[name] is None


def test_output_and_matte_are_not_recorded_to_one_file(program: Program, tmp_path: Path) -> None:
    program.run(f"record {tmp_path / 'a.mp4'}")
    with pytest.raises(UsageError, match="also another output"):
        program.run(f"record-alpha {tmp_path / '.' / 'a.mp4'}")
    program.run(f"record-alpha {tmp_path / 'b.mp4'}")
    program.run("record stop")


def test_a_recording_that_fails_is_an_error(program: Program, tmp_path: Path) -> None:
    with pytest.raises(MattecamError, match="disk is full"):
        program.run(f"record {tmp_path / 'full.mp4'}")
    assert program.settings.output.record is None
    assert program.run(f"record {tmp_path / 'a.mp4'}") == f"Recording to {tmp_path / 'a.mp4'}."
    program.run("record stop")
    for command, name in (("record", "there.mp4"), ("snapshot", "there.png")):
        (tmp_path / name).touch()
        with pytest.raises(UsageError, match="already exists"):
            program.run(f"{command} {tmp_path / name}")


@pytest.mark.parametrize("command", ["record", "record-alpha"])
def test_a_recording_of_a_program_that_waits_is_not_confirmed(tmp_path: Path, command: str) -> None:
    """`ctl record stop` named a file that did not exist."""
    program, path = Program(tmp_path), tmp_path / "a.mp4"
    program.pipeline.change(lambda settings: settings.replace(paused=True))
    program.pipeline.start()
    try:
        assert "starts with the first matted frame" in program.run(f"{command} {path}")
        with pytest.raises(MattecamError, match=r"Nothing was recorded to .*a\.mp4"):
            program.run(f"{command} stop")
        assert program.settings.output.record is program.settings.output.record_alpha is None
    finally:
        assert program.pipeline.stop()


@pytest.mark.parametrize("command", ["record", "record-alpha"])
def test_a_recording_that_fails_late_is_an_error(program: Program, tmp_path: Path, command: str) -> None:
    def fail_slowly() -> None:
        time.sleep(0.5)
        raise SinkLostError("The disk is full.")

    program.world.faults.put("open_recorder", fail_slowly)
    with pytest.raises(MattecamError, match="disk is full"):
        program.run(f"{command} {tmp_path / 'slow.mp4'}")
    assert program.settings.output.record is program.settings.output.record_alpha is None


@pytest.mark.parametrize(
    ("failed", "other"), [("record_alpha", "record"), ("record", "record-alpha"), ("record", "record")]
)
def test_a_recording_starts_beside_or_after_one_that_failed(
    program: Program, tmp_path: Path, failed: str, other: str
) -> None:
    """`ctl record` failed with the problem of the matte's recording.

    The window and the command line keep the file of the one that failed in the settings.
    """
    output = program.settings.output.replace(**{failed: tmp_path / "full.mp4"})
    program.pipeline.change(lambda settings: settings.replace(output=output))
    eventually(lambda: program.controller.status()["problems"] != [])
    assert program.run(f"{other} {tmp_path / 'a.mp4'}") == f"Recording to {tmp_path / 'a.mp4'}."
    assert program.run(f"{other} stop") == f"Recorded to {tmp_path / 'a.mp4'}."
    if other.replace("-", "_") != failed:
        assert getattr(program.settings.output, failed) is not None, "the window still offers what helps"


def test_a_recording_is_confirmed_when_its_file_is_finished(program: Program, tmp_path: Path) -> None:
    finished = threading.Event()

    def finish_slowly() -> None:
        time.sleep(0.5)
        finished.set()

    program.run(f"record {tmp_path / 'a.mp4'}")
    program.world.faults.put("close_recorder", finish_slowly)
    assert "Recorded to" in program.run("record stop")
    assert finished.is_set()


def test_a_recording_that_cannot_be_finished_is_an_error(program: Program, tmp_path: Path) -> None:
    program.run(f"record {tmp_path / 'a.mp4'}")
    program.world.faults.put("close_recorder", SinkLostError("The disk is full."))
    with pytest.raises(MattecamError, match="disk is full"):
        program.run("record stop")
