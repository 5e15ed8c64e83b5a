"""The command line: inputs that are refused, weights, the running program, terminals, and commands of the README."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from unittest.mock import Mock

import pytest
from rich.progress import TaskProgressColumn

from app.cli import main
from app.cli.ctl import status_line
from app.cli.terminal import Output, console, progress_bar, protect_outputs
from app.config.scenes import default_path
from app.control.commands import Command
from app.core import paths
from models.errors import DownloadError
from models.table import NETWORKS
from tests.clips import write_clip
from tests.control.conftest import Recorder, serving
from tests.paths import ROOT
from tests.stand_ins import always


def test_the_list_is_tab_separated_and_verify_fails_where_a_file_is_not_the_published_one(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATTECAM_WEIGHTS_DIR", str(tmp_path))
    assert main.main(["weights", "verify"]) == 0
    capsys.readouterr()
    assert main.main(["weights", "list"]) == 0
    header, *rows = (line.split("\t") for line in capsys.readouterr().out.splitlines())
    assert header == ["model", "state", "size", "licence", "what it is"]
    assert [row[0] for row in rows] == list(NETWORKS)
    assert "107.9 MB" in next(row for row in rows if row[0] == "rvm-resnet50")
    trusted = [
        row[0]
        for row in rows
        if row[-1].endswith("; no published checksum, trusted on first download")
    ]
    assert trusted == ["bgmv2-resnet101", "u2net-human-seg"]
    path = tmp_path / "u2netp.pth"
    path.write_bytes(b"something else")
    assert main.main(["weights", "verify"]) == 1
    told = capsys.readouterr()
    assert f"u2netp\tnot the published file\t{path}" in told.out.splitlines()
    assert str(path) in told.err and "Traceback" not in told.err


def test_download_prints_the_file_alone(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fetched(name: str, progress: object, *, again: bool) -> Path:
        return Path(f"/models/{name}{again}")

    monkeypatch.setattr("models.download.download", fetched)
    assert main.main(["weights", "download", "u2net", "bgmv2-resnet101", "--again"]) == 0
    output = capsys.readouterr()
    assert output.out.splitlines() == [
        str(Path("/models/u2netTrue")),
        str(Path("/models/bgmv2-resnet101True")),
    ]
    assert "No checksum of bgmv2-resnet101 is published" in output.err
    assert main.main(["weights", "download", "student"]) != 0


def test_a_download_shows_a_bar_only_once_data_arrives(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich then treats the output as a terminal
    sent: list[tuple[int, int | None]] = []

    def broken(name: str, progress: Callable[[int, int | None], None], *, again: bool) -> Path:
        for received in sent:
            progress(*received)
        raise DownloadError("The weights of {model} could not be downloaded.", model=name)

    monkeypatch.setattr("models.download.download", broken)
    assert main.main(["weights", "download", "u2net"]) == 1
    assert capsys.readouterr() == ("", "mattecam: The weights of u2net could not be downloaded.\n")
    sent.append((500_000, 1_000_000))
    assert main.main(["weights", "download", "u2net"]) == 1
    assert "0.5/1.0 MB" in capsys.readouterr().err


@pytest.fixture
def running() -> Iterator[Recorder]:
    """Yield the recorder behind a listening control server."""
    controller = Recorder()
    with serving(controller=controller):
        yield controller


def test_commands_reach_the_running_program_with_absolute_paths(
    running: Recorder,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "beach.png").write_bytes(b"")
    for folder in "mountains", "green", "1":
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path)
    for home in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(home, str(tmp_path))
    here = tmp_path
    sent = (
        ("scene Büro am Meer", "Büro am Meer"),
        ("background beach.png", f"{here / 'beach.png'}"),
        ("background mountains", "mountains"),
        ("background green", "green"),
        ("background 1", "1"),
        ("background -1", "-1"),
        ("set framing.pan_x -0.5", "framing.pan_x -0.5"),
        ("record a.mp4", f"{here / 'a.mp4'}"),
        ("record stop", "stop"),
        ("snapshot a.png", f"{here / 'a.png'}"),
        ("snapshot ~no-such-user/a.png", f"{here / '~no-such-user/a.png'}"),
        ("set output.standby-image beach.png", f"output.standby-image {here / 'beach.png'}"),
        ("set output.standby-image none", "output.standby-image none"),
        ("set capture.source demo", "capture.source demo"),
        ("set output.standby-text beach.png", "output.standby-text beach.png"),
        ("set capture.source ~/beach.png", f"capture.source {here / 'beach.png'}"),
        ("set matting.plate ~/beach.png", f"matting.plate {here / 'beach.png'}"),
        (f"background {'x' * 300}", "x" * 300),
        ("record-alpha b.mp4", f"{here / 'b.mp4'}"),
        ("set people.zones none", "people.zones none"),
        ("set people.zones beach.json", f"people.zones {here / 'beach.json'}"),
    )

    for words, _ in sent:
        assert main.main(["ctl", *words.split()]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "scene done"
    assert running.commands == [Command(words.split()[0], argument) for words, argument in sent]


@pytest.mark.usefixtures("running")
def test_the_state_of_the_running_program_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main.main(["ctl", "status"]) == 0
    shown = (
        "background blur:50, no virtual camera, recording to a.mp4, recording the matte to b.mkv"
    )
    assert capsys.readouterr().out == f"frozen, mattecam, 30 fps, {shown}\n"
    assert main.main(["ctl", "status", "--json"]) == 0
    changed = {**json.loads(capsys.readouterr().out), "paused": True, "model": None}
    assert status_line(changed).startswith("paused, no model, 30 fps, ")


@pytest.mark.skipif(
    sys.platform != "linux", reason="Windows and macOS have a home folder for every user"
)
@pytest.mark.parametrize("words", [["weights", "list"], ["convert", "a.mp4", "b.mp4"], ["doctor"]])
def test_a_user_without_a_home_folder_is_told(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [
        name for name in os.environ if name == "HOME" or name.startswith(("XDG_", "MATTECAM_"))
    ]:
        monkeypatch.delenv(name)
    monkeypatch.setattr("pwd.getpwuid", lambda number: {}[number])
    assert main.main(words) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert "has no home folder" in said


def test_an_error_that_speaks_of_a_home_directory_is_no_lack_of_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The words of any error decided what the user was told."""
    monkeypatch.setattr(
        main,
        "_command",
        Mock(side_effect=RuntimeError("no codec in the home directory")),
    )

    with pytest.raises(RuntimeError, match="no codec"):
        main.main(["doctor"])


def test_a_lack_of_memory_is_told(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(main, "_command", Mock(side_effect=MemoryError))
    assert main.main(["devices"]) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("mattecam: There is not enough memory; close other programs, or raise")


EVIL = "a\x1b]0;title\x07\x1b[2J\x9b1m\u202e\x7f\r"
SHOWN = r"a\u001b]0;title\u0007\u001b[2J\u009b1m\u202e\u007f\u000d"


def test_control_characters_do_not_reach_the_terminal(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Those in names of scenes and files, and in progress, tables and JSON."""
    scenes = default_path()
    scenes.parent.mkdir(parents=True)
    scenes.write_text(json.dumps({"version": 1, "scenes": {EVIL: {}}}))
    protect_outputs()  # those that are captured
    for words in (
        ("headless", "--profile", "missing"),
        ("convert", str(tmp_path / f"{EVIL}.mp4"), "out.mp4"),
    ):
        assert main.main(words) in (1, 2)
        said = capsys.readouterr().err
        assert SHOWN in said and not set(said) & set("\x1b\x07\x9b\u202e\x7f\r"), words
    with progress_bar(f"[final]\n{EVIL}", TaskProgressColumn()) as show:
        show(1, 2)
    sys.stdout.write(f"{EVIL}\n")
    sys.stdout.write(json.dumps({"name": EVIL}, ensure_ascii=False))
    assert console(stderr=True).file is not sys.stderr, "the codes of its colours must pass"
    told = capsys.readouterr()
    line, data = told.out.splitlines()
    assert (
        r"[final] a\u001b]0;title" in told.err
        and line == SHOWN
        and json.loads(data) == {"name": EVIL}
    )


def test_a_progress_bar_that_cannot_be_written_ends_no_conversion(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
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

    assert said("--size", "wide", "--virtual-camera", "off")[1].startswith(
        b'mattecam: --size: "wide" is not possible;'
    )
    assert said("doctor")[0].startswith((b"+", b"!", b"x"))
    assert said("headless", "--help")[0].startswith(b"Usage: ")
    assert json.loads(said("doctor", "--json")[0])["findings"]
    assert json.loads(said("devices", "--json")[0])
    assert b'Fr?hst?ck "??".png' in said("convert", photo, "out.png")[1].replace(b"\xfc", b"?")


README = (ROOT / "README.md").read_text("utf-8")
LINES = [
    line.strip()
    for line in re.findall(r"^    python3 run\.py(.*?)(?: #.*)?$", README, re.MULTILINE)
]
# What is added to the commands that need more than files.
MORE = {
    "": ["--help"],  # opens the window
    "weights download rvm-mobilenetv3": ["--help"],  # goes online
    "headless --background blur": [
        "--source",
        "demo",
        "--virtual-camera",
        "off",
        "--frames",
        "3",
    ],  # opens a camera
}


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


@pytest.mark.parametrize(
    ("installed", "converts", "words", "count"),
    [
        (True, True, ["headless", "--help"], 1),
        (True, False, ["headless", "--help"], 0),  # without PyTorch, which converts it
        (True, True, ["--no-models", "headless", "--help"], 0),
        (True, True, ["devices", "--help"], 0),
        (False, True, ["headless", "--help"], 0),
    ],
)
def test_an_installed_copy_downloads_the_network_beside_its_first_start(
    installed: bool, converts: bool, words: list[str], count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sources do this in their set-up."""
    calls: list[object] = []
    monkeypatch.setattr(
        main,
        "program_command",
        lambda: "mattecam" if installed else "python3 run.py",
    )
    monkeypatch.setattr(main, "converts", always(converts))
    monkeypatch.setattr("models.download.download_at_set_up", calls.append)

    main.main(words)

    for thread in threading.enumerate():
        if thread.name == "set-up":
            thread.join(60)
    assert len(calls) == count
