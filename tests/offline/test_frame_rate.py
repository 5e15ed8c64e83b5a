"""The frame rate of a folder of images: option, Python interface, and what is refused."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from unittest.mock import patch

import av
import pytest

import mattecam
from app.cli import main
from app.core.errors import UsageError
from app.offline.batch.plan import plan_jobs
from app.offline.targets import frame_rate
from tests.clips import read_numbers, write_clip, write_images
from tests.offline.converting import GREEN, build_half, run

RATES = {
    "24": Fraction(24),
    "29.97": Fraction(30000, 1001),
    "23.976": Fraction(24000, 1001),
    "23.98": Fraction(24000, 1001),
    "59.94": Fraction(60000, 1001),
    "24000/1001": Fraction(24000, 1001),
    "12.5": Fraction(25, 2),
    "0.5": Fraction(1, 2),
    " 240 ": Fraction(240),
}
NO_RATES = ["", "fast", "0", "-24", "24/0", "1e9", "nan", "inf", "25 fps", math.nan, math.inf, 0.0]


@pytest.mark.parametrize(("value", "rate"), RATES.items())
def test_a_rate_is_written_as_people_write_it(value: str, rate: Fraction) -> None:
    assert frame_rate(value) == rate


@pytest.mark.parametrize("value", NO_RATES)
def test_what_is_no_rate_is_refused(value: str | float) -> None:
    with pytest.raises(UsageError, match=r"is no frame rate; write a number from 0\.01 to 1000"):
        frame_rate(value)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return write_images(tmp_path / "in", *(f"{number}.png" for number in range(12)))


def assert_film(path: Path, rate: Fraction) -> None:
    assert read_numbers(path) == list(range(12))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.average_rate == stream.base_rate == rate
        assert stream.duration is not None and stream.time_base is not None
        assert stream.duration * stream.time_base == 12 / rate


@pytest.mark.parametrize("given", [None, "24", 24, 23.976, Fraction(25, 2), "30000/1001"])
def test_images_become_a_film_of_the_rate(images: Path, tmp_path: Path, given: str | float | Fraction | None) -> None:
    with patch("app.offline.convert.build_engine", build_half):
        target, alpha = tmp_path / "out.mp4", tmp_path / "alpha.mp4"
        mattecam.convert(images, target, background="none", alpha=alpha, fps=given)
    assert_film(target, Fraction(30) if given is None else frame_rate(given))
    with av.open(str(target)) as film, av.open(str(alpha)) as matte:
        assert [frame.time for frame in film.decode(video=0)] == [frame.time for frame in matte.decode(video=0)]


def test_the_command_takes_a_rate(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.offline.convert.build_engine", build_half)
    words = ["convert", str(images), str(tmp_path / "out.mov"), "--fps", "24000/1001", "--background", "none"]
    assert main.main(words) == 0
    assert_film(tmp_path / "out.mov", Fraction(24000, 1001))


def test_the_command_refuses_what_is_no_rate(images: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["convert", str(images), "out.mp4", "--fps", "fast"]) == 2
    assert "“fast” is no frame rate" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["clip.mp4", "photo.png"])
def test_what_has_a_rate_of_its_own_takes_no_other(tmp_path: Path, name: str) -> None:
    source = write_clip(tmp_path / name, 3) if name == "clip.mp4" else write_images(tmp_path / "in", name) / name
    with pytest.raises(UsageError, match=f"{name} is no folder of images, whose frame rate"):
        run(source, tmp_path / "out.mp4" if name == "clip.mp4" else tmp_path / "out.png", fps=Fraction(24))
    assert not (tmp_path / "out.mp4").exists()


def test_the_rate_of_many_is_that_of_the_folders_of_images(images: Path, tmp_path: Path) -> None:
    clip = str(write_clip(tmp_path / "clip.mp4", 3))
    sources, target = [clip, str(images)], str(tmp_path / "out")
    jobs = plan_jobs(sources, target, GREEN, alpha=None, foreground=None, fps=Fraction(24))
    others = plan_jobs(sources, target, GREEN, alpha=None, foreground=None)
    assert [job.fps for job in jobs if job.is_folder] == [24]
    assert jobs[0].settings_hash != others[0].settings_hash, "--resume converts again"
    with pytest.raises(UsageError, match=r"clip\.mp4 is no folder of images"):
        plan_jobs([clip], target, GREEN, alpha=None, foreground=None, fps=Fraction(24))
