"""`run.py convert`: what the names on the command line stand for."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from app.cli import main
from tests.clips import numbered, write_clip

FAST = ("--model", "student")


@pytest.fixture(autouse=True)
def clips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """one.mp4, the folder `one` with it, base.avi, and the folder `pics` with an image."""
    monkeypatch.chdir(tmp_path)
    for name in ("one", "pics"):
        Path(name).mkdir()
    write_clip(Path("one.mp4"), 2)
    write_clip(Path("base.avi"), 2)
    write_clip(Path("one/one.mp4"), 2)
    cv2.imwrite("pics/1.png", numbered(1))


def files(folder: str) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["one.mp4"], "OUT is missing"),
        (["one.mp4", ""], "A name is empty"),
        (["", "out.mp4"], "A name is empty"),
        (["one.mp4", "out.mp4", "--alpha", ""], "A name is empty"),
        (["one", "out.mp4"], "out.mp4 is not a folder"),
        (["one.mp4", "base.avi", "out.webm"], "out.webm is not a folder"),
        (["one.mp4", "out.mp4", "--jobs", "1"], "out.mp4 is not a folder"),
        (["one", "out", "--alpha", "alpha.mp4"], "alpha.mp4 is not a folder"),
        (["one", "out", "--keep-partial"], "--keep-partial is for a single clip"),
        (["one.mp4", "x.webm"], "a name without a suffix makes a folder of PNG images"),
        (["one.mp4", "out.mp4", "--foreground", "x.txt"], "x.txt cannot be written"),
        (["pics", "x.webm"], "x.webm cannot be written"),
    ],
)
def test_impossible_names_are_wrong_usage(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.offline.convert.build_engine", lambda *_: pytest.fail("an engine was built"))
    before = files(".")
    assert main.main(["convert", *arguments, *FAST]) == 2
    assert sentence in capsys.readouterr().err
    assert files(".") == before


@pytest.mark.parametrize("out", ["o", "o/", "new/", "new/er/"])
def test_a_video_goes_into_a_folder_under_its_name(out: str) -> None:
    Path("o").mkdir()
    assert main.main(["convert", "base.avi", out, *FAST]) == 0
    assert files(out) == ["base.mp4"]


def test_no_folder_is_made_for_a_missing_clip(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["convert", "missing.mp4", "new/", *FAST]) == 1
    assert "no file or folder missing.mp4" in capsys.readouterr().err
    assert not Path("new").exists()


def test_frames_go_into_a_new_folder_and_replace_those_of_an_earlier_conversion(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for _ in range(2):
        assert main.main(["convert", "one.mp4", "frames", *FAST]) == 0
        assert files("frames") == ["000000.png", "000001.png"]
        assert capsys.readouterr().out == "frames: 2 frames\n"


def test_images_go_into_a_folder_that_exists(capsys: pytest.CaptureFixture[str]) -> None:
    Path("o").mkdir()
    assert main.main(["convert", "pics", "o/", *FAST]) == 0
    assert files("o") == ["1.png"]
    assert capsys.readouterr().out == "o: 1 frame\n"
