"""What commands print besides results."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.progress import TaskProgressColumn

from app.cli.main import main
from app.cli.terminal import console, progress_bar, visible_output
from app.config.scenes import default_path
from app.core.files.json_file import write_object
from tests.paths import ROOT

EVIL = "a\x1b]0;title\x07\x1b[2J\x9b1m\u202e\x7f\r"
SHOWN = r"a\u001b]0;title\u0007\u001b[2J\u009b1m\u202e\u007f\u000d"
CONTROLS = set("\x1b\x07\x9b\u202e\x7f\r")


def test_control_characters_of_names_do_not_reach_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenes = default_path()
    scenes.parent.mkdir(parents=True)
    write_object(scenes, {"version": 1, "scenes": {EVIL: {}}})
    for words in (
        ("headless", "--profile", "missing"),
        ("convert", str(tmp_path / f"{EVIL}.mp4"), str(tmp_path / "out.mp4")),
    ):
        assert main(words) in (1, 2)
        told = capsys.readouterr().err
        assert SHOWN in told and not set(told) & set(EVIL) & CONTROLS, words


def test_progress_and_tables_show_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    with visible_output():
        with progress_bar(f"[final]\n{EVIL}", TaskProgressColumn()) as show:
            show(1, 2)
        sys.stdout.write(f"{EVIL}\n")
        assert console(stderr=True).file is not sys.stderr, "the codes of its colours must pass"
    told = capsys.readouterr()
    assert r"[final] a\u001b]0;title" in told.err and told.out == f"{SHOWN}\n"


def test_json_with_control_characters_stays_json(capsys: pytest.CaptureFixture[str]) -> None:
    with visible_output():
        sys.stdout.write(json.dumps({"name": EVIL}, ensure_ascii=False))
    assert json.loads(capsys.readouterr().out) == {"name": EVIL}


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

    assert said("--size", "wide", "--virtual-camera", "off")[1].startswith(b'mattecam: "wide" is not a size;')
    assert said("doctor")[0].startswith((b"+", b"!", b"x"))
    assert said("headless", "--help")[0].startswith(b"Usage: ")
    assert json.loads(said("doctor", "--json")[0])["findings"]
    assert json.loads(said("devices", "--json")[0])
    assert b'Fr?hst?ck "??".png' in said("convert", photo, "out.png")[1].replace(b"\xfc", b"?")
