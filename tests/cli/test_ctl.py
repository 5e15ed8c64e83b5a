"""The command `ctl` against a listening server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cli import main
from app.cli.ctl import status_line
from app.control.commands import Command, JsonValue
from tests.control.recorder import Recorder, serving


@pytest.fixture
def running() -> Iterator[Recorder]:
    """Yield the recorder behind a listening control server."""
    controller = Recorder()
    with serving(controller=controller):
        yield controller


def test_commands_reach_the_running_program_with_absolute_paths(
    running: Recorder, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "beach.png").write_bytes(b"")
    (tmp_path / "token").write_bytes(b"")
    for folder in "mountains", "green", "1":
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    here = tmp_path
    sent = (
        ("scene Work call", "Work call"),
        ("background beach.png", f"{here / 'beach.png'}"),
        ("background mountains", "mountains"),
        ("background green", "green"),
        ("background 1", "1"),
        ("background -1", "-1"),
        ("framing 1.5 -0.5,0", "1.5 -0.5,0"),
        ("record a.mp4", f"{here / 'a.mp4'}"),
        ("record stop", "stop"),
        ("snapshot a.png", f"{here / 'a.png'}"),
        ("snapshot ~no-such-user/a.png", f"{here / '~no-such-user/a.png'}"),
        ("set output.standby-image beach.png", f"output.standby-image {here / 'beach.png'}"),
        ("set output.standby-image none", "output.standby-image none"),
        ("set capture.source demo", "capture.source demo"),
        ("set output.standby-text beach.png", "output.standby-text beach.png"),
        ("set capture.source ~/beach.png", f"capture.source {here / 'beach.png'}"),
        ("plate ~/beach.png", f"{here / 'beach.png'}"),
        ("plate drop", "drop"),
        (f"plate {'x' * 300}", "x" * 300),
        ("record-alpha b.mp4", f"{here / 'b.mp4'}"),
    )
    for words, _ in sent:
        assert main.main(["ctl", *words.split()]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "scene done"
    assert running.commands == [Command(words.split()[0], argument) for words, argument in sent]


def test_the_status_says_that_the_program_is_paused(running: Recorder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["ctl", "status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["paused"] is True
    assert main.main(["ctl", "status"]) == 0
    assert capsys.readouterr().out.startswith("paused, mattecam, ")


def test_the_status_line_names_state_background_and_recording() -> None:
    status: dict[str, JsonValue] = {
        "phase": "running",
        "frozen": True,
        "fps_out": 30,
        "background": "blur:50",
        "recording": "a.mp4",
        "recording_alpha": "b.mkv",
    }
    words = "background blur:50, no virtual camera, recording to a.mp4, recording the matte to b.mkv"
    assert status_line(status) == f"frozen, no model, 30 fps, {words}"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["scene", "nowhere"], 1, "There is no scene 'nowhere'"),
        (["scene", "unknown"], 2, "There is no scene unknown"),
    ],
)
def test_failures(
    running: Recorder, capsys: pytest.CaptureFixture[str], words: list[str], code: int, message: str
) -> None:
    assert main.main(["ctl", *words]) == code
    assert message in capsys.readouterr().err
