"""`run.py convert`: what the names on the command line stand for."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from app.cli import main
from tests.clips import numbered, write_inputs
from tests.offline.converting import build_half

FAST = ("--model", "mattecam")


@pytest.fixture(autouse=True)
def clips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.offline.convert.build_engine", build_half)
    monkeypatch.chdir(tmp_path)
    write_inputs(tmp_path)


def files(folder: str) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


@pytest.mark.parametrize("out", ["o", "o/", "new/", "new/er/"])
def test_a_video_goes_into_a_folder_under_its_name(out: str) -> None:
    Path("o").mkdir()
    assert main.main(["convert", "base.avi", out, *FAST]) == 0
    assert files(out) == ["base.mp4"]


def test_frames_go_into_a_new_folder_and_replace_others_only_where_asked(capsys: pytest.CaptureFixture[str]) -> None:
    for options, code in (([], 0), ([], 2), (["--overwrite"], 0)):
        assert main.main(["convert", "one.mp4", "frames", *FAST, *options]) == code
        assert files("frames") == ["000000.png", "000001.png"]
        assert capsys.readouterr().out == ("" if code else "frames: 2 frames\n")


def test_a_finished_film_is_replaced_only_where_asked() -> None:
    before = Path("one.mp4").read_bytes()
    assert main.main(["convert", "base.avi", "one.mp4", *FAST, "--overwrite"]) == 0
    assert Path("one.mp4").read_bytes() != before
    Path("empty.mp4").touch()
    assert main.main(["convert", "base.avi", "empty.mp4", *FAST]) == 0
    assert Path("empty.mp4").stat().st_size > 0


def test_a_photo_becomes_a_photo(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["convert", "photo.jpg", "out.png", "--alpha", "matte.jpg", *FAST]) == 0
    assert capsys.readouterr().out == "out.png: 1 frame\n"
    composite, matte = cv2.imread("out.png"), cv2.imread("matte.jpg")
    assert composite is not None and matte is not None
    assert composite.shape == matte.shape == numbered(1).shape
    assert Path("matte.jpg").read_bytes()[:2] == b"\xff\xd8"


def test_images_go_into_a_folder_that_exists(capsys: pytest.CaptureFixture[str]) -> None:
    Path("o").mkdir()
    assert main.main(["convert", "pics", "o/", *FAST]) == 0
    assert files("o") == ["1.png"]
    assert capsys.readouterr().out == "o: 1 frame\n"
