"""What a conversion leaves out, changes or refuses is told, and results lie where they belong."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from app.cli import main
from app.core.unfinished import is_unfinished
from app.media.encoders import file_encoder
from app.media.video_reader import VideoReader
from app.media.video_writer import VideoWriter
from tests.clips import names_in, numbered, write_clip, write_images
from tests.offline.converting import build_half

FAST = ("--model", "mattecam")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("app.offline.convert.build_engine", build_half)


@pytest.fixture
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches run in this process."""
    from tests.offline.batch.conftest import DirectExecutor

    monkeypatch.setattr("app.offline.executors.Processes", lambda count, begin: DirectExecutor())


def convert(*words: str) -> int:
    return main.main(["convert", *words, *FAST])


def clip(name: str, frames: int) -> None:
    """Write a clip, with the folder that holds it."""
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    write_clip(Path(name), frames)


def told(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().err.split())


def test_only_names_that_the_program_gives_are_those_of_unfinished_films() -> None:
    for name in ("talk.part.mp4", "talk.part2.mp4", "talk.part10.mp4", "talk.part999.mp4"):
        assert is_unfinished(Path(name)), name
    for name in ("talk.part1.mp4", "talk.part01.mp4", "talk.part1000.mp4", "depart.mp4"):
        assert not is_unfinished(Path(name)), name


@pytest.mark.usefixtures("direct")
def test_unfinished_films_are_named_and_first_parts_converted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The parts of a recording were left out without a word."""
    for number in (1, 2):
        clip(f"in/talk.part{number}.mp4", 2)

    assert convert("in", "out") == 0

    assert names_in(Path("out")) == ["manifest.jsonl", "talk.part1.mp4"]
    assert (
        "Unfinished films of earlier conversions in in were left out: 1 (talk.part2.mp4)"
        in told(capsys)
    )


def test_images_of_another_shape_in_a_film_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    write_images(Path("in"), "0.png", "1.png")
    cv2.imwrite("in/2.png", numbered(2, 48, 96))
    cv2.imwrite("in/3.png", numbered(3, 48, 24))

    assert convert("in", "out.mp4") == 0
    assert "another shape than the first one were given black bars: 1." in told(capsys)

    assert convert("in", "frames") == 0
    assert "black bars" not in told(capsys), "each keeps its shape"


def test_further_images_of_files_in_a_folder_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    write_images(Path("in"), "0.png")
    pages = [Image.fromarray(numbered(number)) for number in range(3)]
    pages[0].save("in/scan.tif", save_all=True, append_images=pages[1:])

    assert convert("in", "frames") == 0

    assert "first image of these files in in was converted: 1 (scan.tif); save them" in told(capsys)


def test_a_cut_out_that_is_scaled_has_no_dark_edge() -> None:
    """Colours of transparent pixels, which are black, were mixed into those of the edge."""
    image = np.zeros((96, 160, 4), np.uint8)
    image[25:71, 41:119] = (200, 220, 240, 255)
    encoder = file_encoder(4, ".mov", alpha=True)
    writer = VideoWriter(Path("cut.mov"), 80, 50, 25, encoder=encoder)
    writer.write(image)
    writer.close()

    frame = next(iter(VideoReader(Path("cut.mov"), with_alpha=True).frames()))[1]
    edge = (frame[..., 3] > 40) & (frame[..., 3] < 250)
    assert edge.sum() > 20
    assert np.abs(frame[edge][:, :3].astype(int) - (200, 220, 240)).max() <= 16


@pytest.mark.usefixtures("direct")
def test_a_folder_named_by_dots_has_its_name_in_the_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The images lay beside OUT, or in it, and a folder of tries stayed beside OUT."""
    write_images(Path("album/day"), "0.png")
    monkeypatch.chdir("album/day")

    assert convert(".", "../../results/one", "--jobs", "1") == 0
    Path("inner").mkdir()
    monkeypatch.chdir("inner")
    assert convert("..", "../../../results/two", "--jobs", "1") == 0

    assert names_in(tmp_path / "results") == ["one", "two"]
    for name in ("one", "two"):
        assert names_in(tmp_path / "results" / name) == ["day", "manifest.jsonl"]
        assert names_in(tmp_path / "results" / name / "day") == ["0.png"]


@pytest.mark.usefixtures("direct")
def test_films_that_a_batch_made_are_named_and_nothing_else_is_left_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A folder with nothing else ended as a defect of the program."""
    clip("clips/a.avi", 2)
    assert convert("clips", "clips") == 0
    capsys.readouterr()

    assert convert("clips", "clips", "--overwrite") == 0
    assert "Films in clips that an earlier conversion made were left out: 1 (a.mp4)" in told(capsys)

    Path("clips/a.avi").unlink()
    assert convert("clips", "clips") == 2
    assert "were made by an earlier conversion; name the clips to convert." in told(capsys)


@pytest.mark.usefixtures("direct")
def test_a_film_of_the_user_in_the_folder_for_mattes_is_not_passed_over(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The manifest named a film of this name, which was made without a matte."""
    clip("clips/a.mp4", 2)
    assert convert("clips", "out") == 0
    clip("mattes/a.mp4", 3)
    clip("mattes/b.avi", 3)

    assert convert("mattes", "out", "--alpha", "mattes", "--overwrite") == 2

    assert "mattes/a.mp4 cannot be written: it is the source" in told(capsys)


def test_a_single_matte_for_an_address_needs_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    """It lay in a folder called `s3:`."""
    clip("a.mp4", 2)

    assert convert("a.mp4", "out.mp4", "--alpha", "memory://bucket/a.mp4") == 2

    assert "out.mp4 is not a folder; several clips" in told(capsys)
    assert names_in(Path()) == ["a.mp4"]


@pytest.mark.skipif(sys.platform != "linux", reason="a file that nobody can read, also not root")
@pytest.mark.usefixtures("direct")
def test_a_background_that_cannot_be_read_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    clip("a.mp4", 2)

    assert convert("a.mp4", "out", "--jobs", "1", "--background", "/proc/self/mem") == 2

    assert "/proc/self/mem cannot be read: " in told(capsys)
    assert names_in(Path()) == ["a.mp4"]
