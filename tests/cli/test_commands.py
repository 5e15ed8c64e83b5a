"""Every command explains itself and runs once; `.ci/run` runs this with the oldest Python as well."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
import typer
from PIL import Image
from typer.core import TyperGroup

from app import __version__
from app.cli import main
from app.cli.options import GROUPS
from app.control.commands import SYNTAX
from app.core import paths
from tests.control.recorder import serving
from tests.fresh_python import printed_by
from tests.paths import ROOT

SMALL = ["--source", "demo", "--size", "320x240", "--virtual-camera", "off", "--model", "mattecam"]
RUNS: dict[str, list[str]] = {
    "headless": [*SMALL, "--frames", "3", "--record", "recorded.mkv", "--status-json", "status.json"],
    "convert": ["person.png", "matted.png", "--background", "#00b140", "--model", "mattecam"],
    "devices": ["--json"],
    "ctl": ["status", "--json"],
    "doctor": ["--json"],
    "plate": ["--source", "demo:empty", "--size", "320x240", "--countdown", "0", "--output", "plate.png"],
    "bench": ["--json", "--seconds", "0.1", "--size", "320x240", "--model", "mattecam"],
    "version": [],
    "weights list": [],
    "weights verify": [],
}
"""Arguments of one run of each command, in a folder with the picture `person.png`."""


def commands(group: TyperGroup, above: str = "") -> Iterator[str]:
    """Yield the words of every command, without groups."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, f"{above}{name} ")
        else:
            yield above + name


def test_no_command_is_left_out() -> None:
    group = typer.main.get_command(main.app)
    assert isinstance(group, TyperGroup)
    assert set(commands(group)) == {*RUNS, "weights download"}, "the last goes online; its refusals are tested"


def helped(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main.main([*words, "--help"]) == 0
    output = capsys.readouterr()
    assert output.err == ""
    return output.out


@pytest.mark.parametrize("command", [*RUNS, "weights download"])
def test_it_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In words of the user, not in types of Python such as `<float range>` and `<list[str]>`."""
    told = helped(capsys, *command.split())
    assert told.startswith("Usage: ")
    assert not re.search(r"<[a-z]|\.\.\.\S*\.\.\.", told)


@pytest.mark.parametrize("command", [pytest.param(name, marks=[pytest.mark.long] * (name == "bench")) for name in RUNS])
def test_it_runs(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`convert` lost its arguments on Python 3.10."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(paths.assets_dir() / "astronaut.png", "person.png")
    with serving():
        code = main.main([*command.split(), *RUNS[command]])
    output = capsys.readouterr()
    assert code == 0 or (command == "doctor" and code == 1), output.err
    if "--json" in RUNS[command]:
        assert json.loads(output.out)
        assert command != "devices" or set(json.loads(output.out)) == {"cameras", "virtual_cameras"}
    match command:
        case "headless":
            assert json.loads(Path("status.json").read_text())["frames_out"] > 0
            with av.open("recorded.mkv") as film:
                assert next(film.decode(video=0)).width == 320
        case "convert":
            with Image.open("matted.png") as picture:
                assert picture.convert("RGB").getpixel((3, 3)) == (0x00, 0xB1, 0x40)
        case "plate":
            assert Path("plate.png").exists()
        case _:
            assert output.out + output.err


@pytest.mark.long
def test_the_window_opens(tmp_path: Path) -> None:
    status = tmp_path / "status.json"
    words = [*SMALL, "--frames", "3", "--status-json", str(status)]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "MATTECAM_DATA_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "mattecam", *words], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(status.read_text())["frames_out"] > 0


@pytest.mark.parametrize("word", ["--version", "version"])
def test_the_version(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([word]) == 0
    assert capsys.readouterr().out == f"{__version__}\n"


def test_the_help_has_commands_first_and_options_in_groups(capsys: pytest.CaptureFixture[str]) -> None:
    lines = helped(capsys).splitlines()
    titles = [line for line in lines if line.endswith(":") and not line.startswith((" ", "Usage"))]
    assert titles[0] == "Commands:"
    assert [title for title in titles if title[:-1] in GROUPS] == [f"{title}:" for title in GROUPS]
    commands = lines[lines.index("Commands:") + 1 : lines.index(titles[1])]
    named = {line.split()[0] for line in commands if line.startswith("  ") and line[2] != " "}
    assert named >= {"headless", "convert", "ctl", "doctor", "weights"}


def test_the_help_of_a_group_cuts_no_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert "..." not in helped(capsys, "weights").partition("Commands:")[2]


def test_the_help_of_ctl_lists_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    lines = helped(capsys, "ctl").splitlines()
    begin = lines.index("Commands for the running program:")
    named = {line.split()[0] for line in lines[begin + 1 :] if line.startswith("  ") and line[2] != " "}
    assert named >= set(SYNTAX)
    assert all(syntax.description.endswith(".") for syntax in SYNTAX.values())


def test_a_command_starts_without_what_only_others_need() -> None:
    """`ctl`, which keys of the desktop start, loaded FFmpeg and the choice of networks."""
    loaded = printed_by("import sys, app.cli.main; print(*sys.modules)").split()
    assert not {"app.matting", "av", "openvino", "torch"} & set(loaded)
