"""The command line: its commands, what a terminal shows, and the commands of the README."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from configparser import ConfigParser
from dataclasses import replace
from io import StringIO
from pathlib import Path
from unittest.mock import Mock

import av
import pytest
from rich.progress import TaskProgressColumn

from app.cli import headless, main
from app.cli.terminal import Output, console, progress_bar, protect_outputs
from app.config import settings_file
from app.config.scenes import default_path
from app.control.commands import Answer, Command
from app.control.transport import SOCKET_FILE, ask, default_address
from app.core import paths
from app.core.errors import MattecamError
from app.core.files import write_object
from app.core.settings import BackgroundSettings, PeopleSettings, Settings, Zone
from app.runtime.context import default_parts
from mattecam.testing import FakeEngine
from tests.clips import write_clip
from tests.paths import ROOT
from tests.waiting import accepts, beside, eventually

SMALL = ["--source", "demo", "--size", "320x240", "--virtual-camera", "off", "--model", "mattecam"]


def one_sentence(capsys: pytest.CaptureFixture[str]) -> str:
    """Return what the program says on standard error, without its start; assert that it is a single line."""
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("mattecam: ")]
    lines = [line for line in said if "Preparing for this computer" not in line and ": Using " not in line]
    assert len(lines) == 1, lines
    return lines[0]


@pytest.fixture
def fake_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs without a window build an engine without a network."""
    parts = replace(
        default_parts(),
        build_engine=lambda settings, width, height, framing: FakeEngine(settings, width, height),
        self_test=lambda engine, width, height: None,
    )
    monkeypatch.setattr(headless, "default_parts", lambda: parts)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--source", "missing.mp4"], "missing.mp4"),
        (["--source", "camera:87"], "87"),
        (["--weights", "missing.pth", "--model", "rvm-mobilenetv3"], "missing.pth"),
        (["--plate", ".", "--model", "mattecam-plate"], "cannot be read (it is a folder)"),
        (["--background", "missing.png"], "missing.png"),
        (["--record", "no/such/folder/out.mp4"], "no/such/folder"),
        (["--virtual-camera", "/dev/video87"], "There is no virtual camera"),
    ],
)
def test_a_start_that_fails_is_1_and_names_the_thing(
    words: list[str], named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("monkeypatch").chdir(tmp_path)
    if words[0] not in ("--weights", "--plate"):  # so fast that a frame leaves before an output has failed to open
        request.getfixturevalue("fake_engine")
    record = [] if "--virtual-camera" in words else ["--record", str(tmp_path / "out.mp4")]
    assert main.main(["headless", *SMALL, "--seconds", "20", *record, *words]) == 1
    assert named in one_sentence(capsys)


@pytest.mark.skipif(sys.platform != "linux", reason="Windows and macOS have a home folder for every user")
@pytest.mark.parametrize("words", [["weights", "list"], ["convert", "a.mp4", "b.mp4"], ["doctor"]])
def test_a_user_without_a_home_folder_is_told(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in os.environ if name == "HOME" or name.startswith(("XDG_", "MATTECAM_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setattr("pwd.getpwuid", lambda number: {}[number])
    assert main.main(words) == 1
    assert "has no home folder" in one_sentence(capsys)


def test_a_lack_of_memory_is_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main, "_command", Mock(side_effect=MemoryError))
    assert main.main(["devices"]) == 1
    assert one_sentence(capsys).startswith("mattecam: There is not enough memory; close other programs, or raise")


@pytest.mark.usefixtures("fake_engine")
def test_a_missing_microphone_does_not_end_a_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.mp4"
    files = ["--record", str(out), "--microphone", "no-such-microphone"]
    assert main.main(["headless", *SMALL, "--background", "#00b140", "--frames", "20", *files]) == 0
    assert "without sound" in (said := capsys.readouterr().err) or "no sound" in said or "Sound cannot" in said
    with av.open(str(out)) as container:
        assert container.streams.audio and container.streams.video[0].frames >= 10


def test_a_run_records_and_writes_its_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, alpha, status = tmp_path / "out.mp4", tmp_path / "alpha.mp4", tmp_path / "status.json"
    files = ["--record", str(out), "--record-alpha", str(alpha), "--status-json", str(status)]
    assert main.main(["headless", *SMALL, "--background", "#00b140", "--frames", "20", *files]) == 0
    told = capsys.readouterr()
    recorded, matte, summary = told.out.splitlines()
    assert (recorded, matte) == (f"Recorded {out}", f"Recorded {alpha}")
    assert "frames in" in summary
    assert told.err.startswith("mattecam: Using the default settings.\nmattecam: Demo 320x240 at 30 fps, mattecam on")
    fields = json.loads(status.read_text())
    expected = {"size": [320, 240], "model": "mattecam", "background": "#00b140", "errors": []}
    assert {name: fields[name] for name in expected} == expected and fields["frames_out"] >= 20
    assert 0 < fields["cpu_percent"] <= 100 * (os.cpu_count() or 1)
    assert set(fields["latency_ms"]) == {"capture", "step", "output", "end_to_end"}
    assert fields["latency_ms"]["step"]["median"] > 0
    for path in (out, alpha):
        with av.open(str(path)) as video:
            assert (video.streams.video[0].width, video.streams.video[0].height) == (320, 240)


@pytest.mark.usefixtures("fake_engine")
def test_a_status_that_cannot_be_written_hides_no_summary(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(headless, "write_status", Mock(side_effect=MattecamError("The disk is full.")))
    words = ["--background", "#00b140", "--frames", "3", "--status-json", str(tmp_path / "status.json")]
    assert main.main(["headless", *SMALL, *words]) == 1
    told = capsys.readouterr()
    assert "frames in" in told.out and "The disk is full." in told.err


AUTOMATIC = [*SMALL[:4], "--virtual-camera", "auto", "--model", "mattecam"]


@pytest.fixture
def without_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.output.table.list_virtual_cameras", lambda probe: [])
    monkeypatch.setattr(headless, "PROOF_S", 0.3)


@pytest.mark.parametrize("source", ["demo", "auto"])
@pytest.mark.usefixtures("without_outputs")
def test_without_outputs_the_demonstration_makes_a_proof(
    source: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a camera as well: the first `python3 run.py` on any machine shows a real result."""
    monkeypatch.setattr("app.capture.table.list_cameras", tuple)
    assert main.main(["headless", *AUTOMATIC, "--source", source]) == 0
    told = capsys.readouterr()
    clip, picture, summary = told.out.splitlines()
    assert min(Path(clip).stat().st_size, Path(picture).stat().st_size) > 1000 and "mattecam" in summary
    said = "No camera was found, so the sample shows the demonstration." in told.err
    assert said == (source == "auto")


@pytest.mark.usefixtures("without_outputs", "fake_engine")
def test_a_service_makes_no_sample_and_waits(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.capture.table.list_cameras", tuple)
    recordings: list[object] = []

    def commanded() -> Answer:
        eventually(lambda: accepts(default_address().folder / SOCKET_FILE))
        eventually(lambda: (ask(Command("status")).status or {})["phase"] == "no_camera")
        recordings.append((ask(Command("status")).status or {})["recording"])
        return ask(Command("quit"))

    answer, unit = beside(commanded), ConfigParser(strict=False)
    unit.read(ROOT / "deploy/mattecam.service")
    assert unit["Unit"]["StartLimitIntervalSec"] == "0", "systemd gives up after five starts"
    command, *words = unit["Service"]["ExecStart"].split()
    assert command == "/usr/bin/mattecam", "as the Debian package installs it"
    assert main.main([*words, *AUTOMATIC, "--source", "auto"]) == 0
    assert answer.result(60).done and recordings == [None]
    assert not (paths.data_dir() / "proof").exists()
    assert "No camera was found" in capsys.readouterr().err


@pytest.mark.usefixtures("without_outputs", "fake_engine")
def test_the_proof_of_a_users_source_is_the_composite_clip_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_clip(tmp_path / "in.mp4", 30, size=(320, 240))
    assert main.main(["headless", *AUTOMATIC, "--source", str(source), "--background", "#00b140"]) == 0
    clip, _ = capsys.readouterr().out.splitlines()
    assert [path.name for path in Path(clip).parent.iterdir()] == ["proof.mp4"]


@pytest.mark.usefixtures("without_outputs", "fake_engine")
def test_no_command_changes_what_a_proof_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = Mock(side_effect=AssertionError("a control server listens"))
    monkeypatch.setattr(headless, "ControlServer", refused)
    assert main.main(["headless", *AUTOMATIC]) == 0
    with pytest.raises(AssertionError, match="listens"):
        main.main(["headless", *SMALL, "--frames", "1"])


@pytest.mark.usefixtures("fake_engine")
@pytest.mark.parametrize("of_the_film", [True, False])
def test_a_film_is_told_that_zones_of_a_camera_are_not_used(
    of_the_film: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, config = write_clip(tmp_path / "in.mp4", 30, size=(320, 240)), tmp_path / "settings.json"
    zone = Zone(points=((0, 0),), camera=str(source.resolve()) if of_the_film else "usb-1")
    settings_file.save(config, Settings(people=PeopleSettings(zones=(zone,))))
    words = ["--source", str(source), "--config", str(config), "--background", "green", "--frames", "3"]
    assert main.main(["headless", *SMALL, *words]) == 0
    assert ("painted for a camera are not used" in capsys.readouterr().err) == (not of_the_film)


@pytest.mark.usefixtures("without_outputs", "fake_engine")
def test_a_measurement_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    for limit in (["--seconds", "0.1"], ["--frames", "3"]):
        assert main.main(["headless", *AUTOMATIC, *limit]) == 0
        assert len(capsys.readouterr().out.splitlines()) == 1
    assert not (paths.data_dir() / "proof").exists()


@pytest.mark.parametrize("words", [["--seconds", "1"], ["--frames", "3"], ["--record", "out.mp4"], None])
@pytest.mark.usefixtures("without_outputs")
def test_neither_a_proof_nor_a_limited_run_shows_the_room_unnamed(
    words: list[str] | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings_file.save(tmp_path / "none.json", Settings(background=BackgroundSettings(kind="none")))
    if words is None:
        words = [*AUTOMATIC, "--background", "none"]
    else:
        words = [*SMALL, "--config", str(tmp_path / "none.json"), *words]
    assert main.main(["headless", *words]) == 2
    assert ("--record" if "--background" in words else "--background none") in one_sentence(capsys)
    assert not (paths.data_dir() / "proof").exists()


EVIL = "a\x1b]0;title\x07\x1b[2J\x9b1m\u202e\x7f\r"
SHOWN = r"a\u001b]0;title\u0007\u001b[2J\u009b1m\u202e\u007f\u000d"


def test_control_characters_do_not_reach_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Those in names of scenes and files, and in progress, tables and JSON."""
    scenes = default_path()
    scenes.parent.mkdir(parents=True)
    write_object(scenes, {"version": 1, "scenes": {EVIL: {}}})
    protect_outputs()  # those that are captured
    for words in (("headless", "--profile", "missing"), ("convert", str(tmp_path / f"{EVIL}.mp4"), "out.mp4")):
        assert main.main(words) in (1, 2)
        told = capsys.readouterr().err
        assert SHOWN in told and not set(told) & set("\x1b\x07\x9b\u202e\x7f\r"), words
    with progress_bar(f"[final]\n{EVIL}", TaskProgressColumn()) as show:
        show(1, 2)
    sys.stdout.write(f"{EVIL}\n")
    sys.stdout.write(json.dumps({"name": EVIL}, ensure_ascii=False))
    assert console(stderr=True).file is not sys.stderr, "the codes of its colours must pass"
    line, data = (output := capsys.readouterr()).out.splitlines()
    assert r"[final] a\u001b]0;title" in output.err and line == SHOWN and json.loads(data) == {"name": EVIL}


def test_a_progress_bar_that_cannot_be_written_ends_no_conversion(monkeypatch: pytest.MonkeyPatch) -> None:
    """One on a full disk or for a program that has ended did."""
    closed = Mock(wraps=StringIO(), encoding="utf-8", flush=Mock(side_effect=BrokenPipeError))
    monkeypatch.setattr(sys, "stderr", Output(closed, OSError))
    with progress_bar("film", TaskProgressColumn()) as show:
        show(1, 2)


@pytest.mark.long
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_unicode_shows_similar_characters(encoding: str, tmp_path: Path) -> None:
    """Quotation marks came as question marks or numbers; results in JSON lost letters."""
    photo = tmp_path / "Frühstück “今🎥”.png"

    def said(*words: object) -> tuple[bytes, bytes]:
        command = [sys.executable, "-m", "mattecam", *map(str, words)]
        environment = {**os.environ, "PYTHONIOENCODING": encoding}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True)
        assert done.returncode in (0, 1, 2) and b"Traceback" not in done.stderr, done.stderr
        return done.stdout, done.stderr

    assert said("--size", "wide", "--virtual-camera", "off")[1].startswith(b'mattecam: --size: "wide" is not possible;')
    assert said("doctor")[0].startswith((b"+", b"!", b"x"))
    assert said("headless", "--help")[0].startswith(b"Usage: ")
    assert json.loads(said("doctor", "--json")[0])["findings"]
    assert json.loads(said("devices", "--json")[0])
    assert b'Fr?hst?ck "??".png' in said("convert", photo, "out.png")[1].replace(b"\xfc", b"?")


README = (ROOT / "README.md").read_text("utf-8")
LINES = [line.strip() for line in re.findall(r"^    python3 run\.py(.*?)(?: #.*)?$", README, re.MULTILINE)]
MORE = {
    "": ["--help"],  # opens the window
    "doctor --fix": ["--help"],  # asks for the password of root
    "weights download rvm-mobilenetv3": ["--help"],  # goes online
    "headless --background blur": ["--source", "demo", "--virtual-camera", "off", "--frames", "3"],  # opens a camera
}
"""What is added to the commands that need more than files."""


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("resource_tracker")
@pytest.mark.parametrize("line", [line for line in LINES if line != "test"])
def test_each_command_runs(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(MORE) < set(LINES) and any("convert" in line for line in LINES)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recordings").mkdir()
    for name in ("talk.mp4", "recordings/monday.mp4", "recordings/friday.mp4"):
        write_clip(tmp_path / name, 2)
    for name in ("photo.jpg", "beach.jpg"):
        shutil.copy(paths.assets_dir() / "astronaut.png", tmp_path / name)
    assert main.main([*shlex.split(line), *MORE.get(line, [])]) == 0
