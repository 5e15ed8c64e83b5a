"""What commands print besides results."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from rich.progress import TaskProgressColumn

from app.cli.main import main
from app.cli.terminal import console, progress_bar, visible_output
from app.config.scenes import default_path
from app.core.files.json_file import write_object

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
        ("recover", str(tmp_path / f"{EVIL}.part.mp4")),
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
