"""The command `ctl` against a listening server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cli import main
from app.cli.ctl import status_line
from app.control.commands import Command, JsonValue
from app.control.server import ControlServer
from tests.control.recorder import Recorder


@pytest.fixture
def running() -> Iterator[Recorder]:
    """Yield the recorder behind a listening control server."""
    controller = Recorder()
    server = ControlServer(controller)
    server.start()
    yield controller
    assert server.stop()


def test_commands_reach_the_running_program_with_absolute_paths(
    running: Recorder, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "beach.png").write_bytes(b"")
    (tmp_path / "token").write_bytes(b"")
    for folder in "slides dir", "green", "1":
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path)
    for words in (
        ["scene", "Work", "call"],
        ["background", "beach.png"],
        ["background", "mountains"],
        ["background", "slides dir"],
        ["background", "."],
        ["background", "green"],
        ["background", "1"],
        ["background", "-1"],
        ["place", "-0.2,0"],
        ["framing", "1.5", "-0.5,0"],
        ["record", "a.mp4"],
        ["record", "stop"],
        ["snapshot", "a.png"],
        ["set", "output.standby-image", "beach.png"],
        ["set", "output.standby-image", "none"],
        ["set", "capture.source", "demo"],
        ["set", "overlay.text", "beach.png"],
        ["record-alpha", "b.mp4"],
        ["server", "token", "token"],
        ["server", "ca", "none"],
        ["server", "https://matting.example"],
    ):
        assert main.main(["ctl", *words]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "scene done"
    assert running.commands == [
        Command("scene", "Work call"),
        Command("background", str(tmp_path / "beach.png")),
        Command("background", "mountains"),
        Command("background", str(tmp_path / "slides dir")),
        Command("background", str(tmp_path)),
        Command("background", "green"),
        Command("background", "1"),
        Command("background", "-1"),
        Command("place", "-0.2,0"),
        Command("framing", "1.5 -0.5,0"),
        Command("record", str(tmp_path / "a.mp4")),
        Command("record", "stop"),
        Command("snapshot", str(tmp_path / "a.png")),
        Command("set", f"output.standby-image {tmp_path / 'beach.png'}"),
        Command("set", "output.standby-image none"),
        Command("set", "capture.source demo"),
        Command("set", "overlay.text beach.png"),
        Command("record-alpha", str(tmp_path / "b.mp4")),
        Command("server", f"token {tmp_path / 'token'}"),
        Command("server", "ca none"),
        Command("server", "https://matting.example"),
    ]


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
    ("server", "words"),
    [
        ({"server_state": "connected", "round_trip_ms": 27.3}, "round trip 27.3 ms"),
        ({"server_state": "connecting", "round_trip_ms": None}, "connecting to the server"),
        ({"server_state": "local", "round_trip_ms": None}, "server failed, matting on this computer"),
    ],
)
def test_the_status_line_names_the_server(server: dict[str, JsonValue], words: str) -> None:
    assert f"mattecam, {words}, 30 fps" in status_line({"model": "mattecam", "fps_out": 30, **server})


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["scene", "nowhere"], 1, "There is no scene 'nowhere'"),
        (["scene", "unknown"], 2, "There is no scene unknown"),
        (["dance"], 2, "There is no command “dance”; the commands are autostart, background"),
        ([], 2, "COMMAND is missing"),
    ],
)
def test_failures(
    running: Recorder, capsys: pytest.CaptureFixture[str], words: list[str], code: int, message: str
) -> None:
    assert main.main(["ctl", *words]) == code
    assert message in capsys.readouterr().err


def test_without_a_running_program(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["ctl", "pause"]) == 1
    assert "not running" in capsys.readouterr().err
