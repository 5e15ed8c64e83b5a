"""Offline conversion: exact, at the source's times; odd names; what is interrupted or fails
keeps what it may.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock, patch

import cv2
import numpy as np
import psutil
import pytest
from PIL import Image

from app.cli import main
from app.core import EXIT_FAILED
from app.core.errors import (
    MattecamError,
    ModelError,
    PlateError,
    SinkError,
    SinkLostError,
    SinkOpenError,
    SourceOpenError,
    UsageError,
)
from app.core.files import free_name
from app.core.settings import BackgroundSettings, MattingSettings
from app.core.types import BgrImage, Matte, Orientation
from app.effects.zones import Zone
from app.matting.interface import ExecutorError, NotAMatteError, StepRequest
from app.media import image_file
from app.offline.convert import ConvertReport, convert_clip
from app.offline.plan import MANIFEST, clips_in, left_out
from app.settings import Settings
from mattecam.testing import PERSON, FakeEngine
from tests.clips import demo, names_in, number_of, numbered, pictures, write_clip, write_images
from tests.offline.batch.conftest import converted, jobs_of, records_in
from tests.offline.converting import GREEN, HalfEngine, run, times_of
from tests.output.recordings import full_disk
from tests.sources import TURNS


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A clip of five frames."""
    return write_clip(tmp_path / "in.mp4", 5)


def test_every_frame_is_converted_once_in_order(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", 20)
    engine = HalfEngine()
    seen = []
    report = run(
        source,
        tmp_path / "out.mp4",
        engine=engine,
        alpha=tmp_path / "alpha.mp4",
        foreground=tmp_path / "fg.mp4",
        progress=lambda done, total: seen.append((done, total)),
    )
    assert report == ConvertReport(tmp_path / "out.mp4", 20, True, (), expected_frames=20)
    assert (engine.steps, engine.closed) == (20, True)
    assert seen == [*((n, 20) for n in range(1, 21)), (20, 20)]
    out = pictures(tmp_path / "out.mp4")
    alpha = pictures(tmp_path / "alpha.mp4")
    assert [number_of(image) >> 3 for image in out] == [number >> 3 for number in range(20)]
    for number, (image, matte) in enumerate(zip(out, alpha, strict=True)):
        expected = numbered(number)
        assert np.abs(image[:, :40].astype(int) - expected[:, :40]).mean() < 12
        assert image[24, 80, 1] > 200 > 60 > image[24, 80, 0]
        assert matte[24, 10].min() > 250 and matte[24, 80].max() < 5
    assert len(pictures(tmp_path / "fg.mp4")) == 20
    assert names_in(tmp_path) == ["alpha.mp4", "fg.mp4", "in.mp4", "out.mp4"]


class LeakyEngine(HalfEngine):
    """Returns as foreground the frame with its colours altered, as networks do where alpha is 0."""

    def matte(self, step: StepRequest) -> Matte:
        matte = super().matte(step)
        soft = matte.alpha.copy()
        soft[:, 40:48] = 128
        composite = matte.composite.copy()
        composite[:, 40:48] = np.asarray(step.backdrop)[
            :, 40:48
        ]  # within the bound that alpha sets
        return replace(matte, composite=composite, alpha=soft, foreground=255 - step.frame)


def test_the_foreground_is_black_where_the_matte_is_zero(tmp_path: Path) -> None:
    source = write_images(tmp_path / "in")
    frame = np.random.default_rng(3).integers(0, 200, (48, 96, 3), np.uint8)
    cv2.imwrite(str(source / "1.png"), frame)
    run(source, tmp_path / "out", engine=LeakyEngine(), foreground=tmp_path / "fg")
    written = np.asarray(cv2.imread(str(tmp_path / "fg" / "1.png")))
    assert not written[:, 48:].any()
    assert np.array_equal(written[:, :40], 255 - frame[:, :40])
    assert np.abs(written[:, 40:48] - (255 - frame[:, 40:48]) * (128 / 255)).max() <= 0.51


@pytest.mark.parametrize("orientation", TURNS[1:], ids=str)
def test_a_film_is_turned_before_matting(tmp_path: Path, orientation: Orientation) -> None:
    """The engine mattes the left half of what it is given, which is turned, also beyond what the
    film asks for.
    """
    source = write_clip(tmp_path / "in.mp4", 3, rotation=90)
    plain = pictures(
        run(
            source, tmp_path / "plain.mkv", Settings(background=BackgroundSettings(kind="none"))
        ).target
    )
    settings = GREEN.replaced_at(["capture"], rotate=orientation.rotate, flip=orientation.flip)
    made = pictures(
        run(source, tmp_path / "out.mkv", settings, alpha=tmp_path / "alpha.mkv").target
    )
    assert len(made) == 3
    for before, after, matte in zip(plain, made, pictures(tmp_path / "alpha.mkv"), strict=True):
        upright = orientation.upright(before)
        middle = after.shape[1] // 2
        assert after.shape == matte.shape == upright.shape
        assert np.abs(after[:, : middle - 2].astype(int) - upright[:, : middle - 2]).mean() < 12
        assert (np.abs(after[:, middle + 2 :].astype(int) - (0, 255, 0)) < 12).all()


def test_photos_are_turned_and_zones_with_them(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "in", "1.png", "2.png")
    drop = Zone(points=((0, 0), (1, 0), (1, 0.5), (0, 0.5)), radius=0, filled=True)
    settings = GREEN.replace(people=Settings().people.replace(zones=(drop,))).replaced_at(
        ["capture"], rotate=90
    )
    with patch(
        "app.offline.convert.build_engine", lambda *_: FakeEngine(MattingSettings(), 48, 96)
    ):
        for name in ("1.png", "2.png"):
            cv2.imwrite(str(folder / name), np.full((48, 96, 3), PERSON, np.uint8))
        report = convert_clip(folder, tmp_path / "out", settings=settings)
    assert (report.frames, report.complete) == (2, True)
    image = np.asarray(cv2.imread(str(tmp_path / "out" / "1.png")))
    assert image.shape == (96, 48, 3)
    assert (image[:, 24:] == (0, 255, 0)).all(), (
        "the upper half of the photo is the right one of the turned one"
    )
    assert (image[:, :14] == PERSON).all()


def test_frames_of_one_time_move_no_later_frame(tmp_path: Path) -> None:
    """Programs that record the screen write some; the sound would be early for the rest of the
    film.
    """
    source = write_clip(
        tmp_path / "in.mkv", 10, times_s=[0, 0.04, 0.04, 0.12, 0.12, 0.2, 0.24, 0.24, 0.32, 0.36]
    )
    run(source, tmp_path / "out.mp4")
    assert times_of(tmp_path / "out.mp4") == [
        0,
        0.04,
        0.041,
        0.12,
        0.121,
        0.2,
        0.24,
        0.241,
        0.32,
        0.36,
    ]


def test_a_folder_of_pictures_to_a_folder(tmp_path: Path) -> None:
    source = write_images(tmp_path / "in", "p1.png", "p2.png", "p10.png", "p11.jpg")
    (source / "notes.txt").write_text("no picture")
    (source / "p3.png").write_bytes(b"broken")
    report = run(source, tmp_path / "out", alpha=tmp_path / "alpha")
    assert report.frames == 4 and report.problems == (
        f"Unreadable or unsuitable images in {source} were left out: 1 (p3.png).",
        f"Files in {source} that are neither images nor videos were left out: 1 (notes.txt).",
    )
    assert (
        names_in(tmp_path / "out")
        == names_in(tmp_path / "alpha")
        == ["p1.png", "p10.png", "p11.png", "p2.png"]
    )
    image, matte = (
        cv2.imread(str(tmp_path / name / "p2.png"), cv2.IMREAD_UNCHANGED)
        for name in ("out", "alpha")
    )
    assert image is not None and np.array_equal(image[:, :48], numbered(1)[:, :48])
    assert matte is not None and matte.shape == (48, 96)


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.tif"])
def test_an_animation_with_the_name_of_an_image_gives_its_first_frame_and_says_so(
    tmp_path: Path, name: str
) -> None:
    images = [Image.fromarray(numbered(number)[:, :, ::-1]) for number in range(3)]
    images[0].save(
        tmp_path / name, save_all=True, append_images=images[1:], duration=100, lossless=True
    )
    report = run(tmp_path / name, tmp_path / "out.png")
    assert report.frames == 1
    assert report.problems == (
        f"Only the first of the 3 frames of {tmp_path / name} is used; save it as a video or GIF to use them all.",
    )
    if name == "a.png":
        film = run((tmp_path / name).rename(tmp_path / "a.apng"), tmp_path / "out.mp4")
        assert film.frames == 3 and times_of(tmp_path / "out.mp4") == pytest.approx([0, 0.1, 0.2])


EMPTY = demo(320, 180, range(1), empty_scene_s=60)[0]


@pytest.mark.parametrize("name", ["p0", "p2"])
@pytest.mark.parametrize(
    ("with_plate", "unsuitable", "why"),
    [
        (False, EMPTY[:3, :3], "A frame of 3×3 "),
        (True, EMPTY[:, 40:], "The picture of the empty room "),
    ],
    ids=["too small for the network", "of another shape than the plate"],
)
def test_an_unsuitable_image_is_named_and_left_out(
    tmp_path: Path,
    with_plate: bool,
    unsuitable: BgrImage,
    why: str,
    name: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """With a plate, the conversion ended at the image, and did not say at which."""
    room = tmp_path / "in"
    plate = tmp_path / "plate.png"
    room.mkdir()
    for file, image in (
        ("plate", EMPTY),
        ("in/p1", EMPTY),
        ("in/p3", EMPTY),
        (f"in/{name}", unsuitable),
    ):
        cv2.imwrite(str(tmp_path / f"{file}.png"), image)
    matting = MattingSettings(model="mattecam-plate", plate=plate) if with_plate else GREEN.matting
    report = convert_clip(room, tmp_path / "out", settings=GREEN.replace(matting=matting))
    assert report.problems == (
        f"Unreadable or unsuitable images in {room} were left out: 1 ({name}.png).",
    )
    assert names_in(tmp_path / "out") == ["p1.png", "p3.png"]
    (warning,) = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert warning.startswith(f"{room / name}.png: {why}")
    caplog.clear()


def test_the_image_that_does_not_match_the_plate_is_named(tmp_path: Path) -> None:
    """Of hundreds of images, the error said nothing about which one."""
    room = tmp_path / "in"
    plate = tmp_path / "plate.png"
    room.mkdir()
    for file, image in ((plate, EMPTY), (room / "p1.png", 255 - EMPTY), (room / "p2.png", EMPTY)):
        cv2.imwrite(str(file), image)
    settings = GREEN.replace(matting=MattingSettings(model="mattecam-plate", plate=plate))
    with pytest.raises(
        PlateError,
        match=f"^Image p1 of {re.escape(str(room))}: The light or the camera has changed",
    ):
        convert_clip(room, tmp_path / "out", settings=settings)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["a.png", "a.jpg", "b.png"], ["a.jpg.png", "a.png.png", "b.png"]),
        (["x.png", "x.jpg", "x.png.png"], ["x.jpg.png", "x.png.png", "x.png.png.png"]),
        (["x.png", "X.jpg"], ["X.jpg.png", "x.png.png"]),
    ],
)
def test_no_picture_replaces_another(tmp_path: Path, given: list[str], expected: list[str]) -> None:
    assert run(write_images(tmp_path / "in", *given), tmp_path / "out").frames == len(given)
    assert names_in(tmp_path / "out") == expected


def test_a_video_background_runs_at_its_own_rate(tmp_path: Path) -> None:
    behind = write_clip(tmp_path / "behind.mkv", 10, fps=10)
    source = write_clip(tmp_path / "in.mkv", 20, fps=20)
    settings = Settings(background=BackgroundSettings(kind="video", path=behind))
    run(source, tmp_path / "out.mkv", settings)
    right = [image[24, 56:].mean(axis=1) > 127 for image in pictures(tmp_path / "out.mkv")]
    expected = [numbered(number // 2)[24, 56:].mean(axis=1) > 127 for number in range(20)]
    agree = [np.mean(a == b) > 0.8 for a, b in zip(right, expected, strict=True)]
    assert sum(agree) >= 18


def test_memory_stays_flat(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", 63, fps=30, size=(640, 360))
    process = psutil.Process()
    seen = []
    run(source, tmp_path / "out.mp4", progress=lambda *_: seen.append(process.memory_info().rss))
    # 30 pictures of this size are 20 MB: queues of the codecs fill at first, then nothing may grow
    assert seen[-1] - seen[40] < 8e6


def test_a_stopped_conversion_leaves_nothing(tmp_path: Path) -> None:
    engine = HalfEngine()
    source = write_clip(tmp_path / "in.mp4", 25, audio="aac")
    report = run(source, tmp_path / "out.mp4", engine=engine, should_stop=lambda: engine.steps >= 7)
    assert (report.frames, report.complete) == (7, False)
    assert names_in(tmp_path) == ["in.mp4"]


def failed() -> ModelError:
    return ModelError("The network failed.")


@pytest.mark.parametrize(
    ("target", "fails", "error"),
    [
        ("out.mp4", lambda: HalfEngine(3, KeyboardInterrupt()), KeyboardInterrupt),
        ("out", lambda: HalfEngine(3, KeyboardInterrupt()), KeyboardInterrupt),
        ("out.mp4", lambda: HalfEngine(0, failed()), ModelError),
        ("out", lambda: HalfEngine(0, failed()), ModelError),
        ("out.mp4", Mock(side_effect=failed()), ModelError),
        ("out.txt", HalfEngine, SinkError),
        ("nowhere/out.mp4", HalfEngine, SinkError),
        ("in.mp4/out.mp4", HalfEngine, SinkError),
    ],
    ids=[
        "ctrl-c",
        "ctrl-c-images",
        "first-frame",
        "first-image",
        "no-network",
        "suffix",
        "folder",
        "file-as-folder",
    ],
)
def test_what_cannot_go_on_leaves_nothing(
    tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch, target: str, fails: Callable[[], HalfEngine],
    error: type[BaseException],
) -> None:  # fmt: skip
    monkeypatch.setattr("app.offline.convert.build_engine", lambda *_: fails())
    with pytest.raises(error):
        convert_clip(clip, tmp_path / target, settings=GREEN)
    assert names_in(tmp_path) == ["in.mp4"]


@pytest.mark.parametrize("target", ["out.mp4", "out"])
@pytest.mark.parametrize("frames", [0, 2])
def test_an_interrupted_conversion_leaves_what_an_earlier_one_made(
    tmp_path: Path, clip: Path, target: str, frames: int
) -> None:
    made = tmp_path / target
    other = Settings(background=BackgroundSettings(kind="colour", colour="#0000ff"))

    def contents() -> list[bytes]:
        return [path.read_bytes() for path in (sorted(made.iterdir()) if made.is_dir() else [made])]

    run(clip, made)
    before = contents()
    with pytest.raises(KeyboardInterrupt):
        run(clip, made, other, HalfEngine(frames, KeyboardInterrupt()), overwrite=True)
    assert contents() == before and len(before) == (1 if made.suffix else 5)
    run(clip, made, other, overwrite=True)
    assert contents()[0] != before[0] and len(contents()) == len(before)


def test_no_frame_of_a_longer_film_is_left_among_those_of_a_new_one(
    tmp_path: Path, clip: Path
) -> None:
    run(clip, tmp_path / "out")
    (tmp_path / "out" / "notes.txt").write_text("kept")
    run(write_images(tmp_path / "in", "000001.png"), tmp_path / "out", overwrite=True)
    assert len(list((tmp_path / "out").iterdir())) == 6, (
        "images under names of their own replace only these"
    )
    run(write_clip(tmp_path / "short.mp4", 2), tmp_path / "out", overwrite=True)
    assert names_in(tmp_path / "out") == ["000000.png", "000001.png", "notes.txt"]


def test_the_second_of_two_conversions_into_one_new_folder_is_kept_beside_it(
    tmp_path: Path, clip: Path
) -> None:
    target = tmp_path / "out"
    with pytest.raises(
        SinkLostError, match=r"another file has got this name.*What was written is in .*out\.part\."
    ):
        run(clip, target, progress=lambda *_: target.is_dir() or write_images(target, "000000.png"))
    assert len(list((tmp_path / "out.part").iterdir())) == 5


@pytest.mark.parametrize(
    ("error", "keep", "left"),
    [
        (ValueError, True, 3),
        (ValueError, False, 0),
        (SystemExit, True, 0),
        (BrokenPipeError, True, 0),
    ],
)
def test_an_error_of_the_caller_keeps_what_was_asked_for(
    tmp_path: Path,
    clip: Path,
    caplog: pytest.LogCaptureFixture,
    error: type[BaseException],
    keep: bool,
    left: int,
) -> None:
    """An end of the program, and nobody who reads the progress, are interruptions."""
    with pytest.raises(error):
        run(
            clip, tmp_path / "out", progress=Mock(side_effect=[None, None, error]), keep_failed=keep
        )
    part = tmp_path / "out.part"
    assert part.exists() == (left > 0) and len(list(part.glob("*"))) == left
    assert caplog.messages == ([f"Frames kept in {part}: the first 3."] if left else [])
    caplog.clear()


@pytest.mark.parametrize("exists", [True, False])
def test_a_matte_goes_into_a_folder_within_that_of_the_frames(
    tmp_path: Path, clip: Path, exists: bool
) -> None:
    out = tmp_path / "out"
    if exists:
        out.mkdir()
    run(clip, out, alpha=out / "alpha")
    frames = [f"{number:06}.png" for number in range(5)]
    assert names_in(out) == [*frames, "alpha"] and names_in(out / "alpha") == frames


# What a network raises in the middle of a film, the error of the film, and words of its text.
FAILURES = [
    pytest.param(
        RuntimeError("bad"), ExecutorError, "failed on the device cpu", id="an executor that fails"
    ),
    pytest.param(
        RuntimeError("CUDA out of memory"),
        ExecutorError,
        "ran out of memory",
        id="a full graphics card",
    ),
    pytest.param(MemoryError(), ExecutorError, "ran out of memory", id="a full memory"),
    pytest.param(
        NotAMatteError(),
        ExecutorError,
        "values that are not numbers",
        id="values that are not numbers",
    ),
    pytest.param(
        ModelError("It failed."), ModelError, "It failed", id="another error of the model"
    ),
]


@pytest.mark.parametrize(("raised", "kind", "words"), FAILURES)
def test_a_failing_network_keeps_the_frames_so_far(
    tmp_path: Path, clip: Path, raised: Exception, kind: type[Exception], words: str
) -> None:
    """The error was built again by its type alone, which failed by a traceback and did not name
    the frames.
    """
    engine = HalfEngine(3, raised)

    with pytest.raises(kind, match=rf"{words}.* Frames kept in .*out\.part\.mp4: the first 3\.$"):
        run(clip, tmp_path / "out.mp4", engine=engine)

    assert engine.closed
    assert len(pictures(tmp_path / "out.part.mp4")) == 3
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize(("raised", "kind", "words"), FAILURES)
def test_the_command_line_names_the_frames_of_a_network_that_fails(
    tmp_path: Path,
    clip: Path,
    capsys: pytest.CaptureFixture[str],
    raised: Exception,
    kind: type[Exception],
    words: str,
) -> None:
    words_of_command = [
        "convert",
        str(clip),
        str(tmp_path / "out.mp4"),
        "--background",
        "green",
        "--json",
    ]
    words_of_command += ["--strict", "off"]  # one step a frame

    with patch("app.offline.convert.build_engine", lambda *_: HalfEngine(3, raised)):
        code = main.main(words_of_command)

    output = capsys.readouterr()
    last = json.loads(output.out.splitlines()[-1])
    assert code == EXIT_FAILED
    assert (
        words in output.err
        and f"Frames kept in {tmp_path / 'out.part.mp4'}: the first 3." in output.err
    )
    assert last["state"] == "failed" and "the first 3." in last["error"]


def test_memory_that_runs_out_beside_the_network_is_a_sentence_with_the_frames(
    tmp_path: Path, clip: Path
) -> None:
    with pytest.raises(
        MattecamError, match=r"not enough memory; .*Frames kept in .*out\.part\.mp4: the first 3\."
    ):
        run(clip, tmp_path / "out.mp4", progress=Mock(side_effect=[None, None, MemoryError]))


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize(("target", "last_step"), [("out.mp4", "replace"), ("out", "rename")])
def test_a_disk_that_is_full_at_the_end_is_named(
    tmp_path: Path,
    clip: Path,
    monkeypatch: pytest.MonkeyPatch,
    target: str,
    last_step: str,
    keep: bool,
) -> None:
    monkeypatch.setattr(
        Path, last_step, Mock(side_effect=OSError(errno.ENOSPC, "No space left on device", target))
    )
    with pytest.raises(SinkLostError, match="could not be completed: the disk is full") as failure:
        run(clip, tmp_path / target, keep_failed=keep)
    left = {path.name for path in tmp_path.iterdir()} - {"in.mp4"}
    if keep:
        (name,) = left
        assert str(failure.value).endswith(f"What was written is in {tmp_path / name}.")
    else:
        assert not left and "What was written" not in str(failure.value)


def test_a_folder_that_cannot_be_read_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse = Mock(side_effect=PermissionError(errno.EACCES, "Permission denied", str(tmp_path)))
    monkeypatch.setattr(Path, "iterdir", refuse)
    for read in (lambda: run(tmp_path, tmp_path / "out"), lambda: clips_in(str(tmp_path))):
        with pytest.raises(
            SourceOpenError, match="no permission to read it; check its name and permissions"
        ):
            read()


@pytest.mark.posix("limits of the size of a file")
def test_a_full_disk_is_reported_once_and_the_frames_are_kept(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (120, 96, 192, 3), np.uint8)
    source = write_clip(
        tmp_path / "in.mkv", 120, 50, size=(192, 96), image=lambda number: noise[number]
    )
    too_large = "the file has become too large for this disk"
    with full_disk(400_000), pytest.raises(SinkLostError, match=too_large) as failure:
        run(source, tmp_path / "out.mp4")
    assert "could not be completed" not in str(failure.value), "the disk is named once"
    assert str(failure.value).endswith(f"What was written is in {tmp_path / 'out.part.mp4'}.")
    # What is kept ends with a whole fragment; one takes about a quarter of this disk.
    assert (tmp_path / "out.part.mp4").stat().st_size > 150_000
    assert not (tmp_path / "out.mp4").exists()


NO_UTF8 = os.fsdecode(b"caf\xe9")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_is_no_utf8_is_converted_and_left_out_when_resumed(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", "1.png", "2.png").rename(tmp_path / NO_UTF8)
    (images / "1.png").rename(images / f"{NO_UTF8}.png")
    clips = [write_clip(tmp_path / f"{NO_UTF8}.mp4", 3), images]
    for expected in ([clip.name for clip in clips], []):
        assert converted(clips, tmp_path / "out")[0] == expected
    assert {record.state for record in records_in(tmp_path / "out").values()} == {"done"}
    (tmp_path / "out" / MANIFEST).read_text("utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_that_lead_nowhere_are_kept_and_those_in_a_circle_are_no_defect(
    tmp_path: Path, clip: Path
) -> None:
    """The film replaced a link to a disk that was not connected."""
    circle = tmp_path / "circle.mp4"
    link = tmp_path / "out.mp4"
    circle.symlink_to(circle)
    link.symlink_to(tmp_path / "disk" / "film.mp4")
    with pytest.raises(UsageError, match="exists already"):
        run(clip, link)
    assert link.is_symlink() and free_name(link) == tmp_path / "out (2).mp4"
    with pytest.raises(SourceOpenError, match=r"There is no file or folder .*circle\.mp4"):
        run(circle, tmp_path / "film.mp4")
    assert len(jobs_of([clip, circle], tmp_path / "out")) == 2
    assert run(clip, circle, overwrite=True).complete


NO_LONG_NAMES = pytest.mark.skipif(
    sys.platform == "win32", reason="a path has a limit of 260 characters there"
)


def name_of(length: int, suffix: str) -> str:
    """Return a name of so many bytes, of characters of four bytes as far as possible."""
    smileys, rest = divmod(length - len(suffix), 4)
    return "🙂" * smileys + "x" * rest + suffix


@NO_LONG_NAMES
@pytest.mark.parametrize("length", [251, 252, 253, 254, 255])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".png", ""])
def test_an_output_may_have_the_longest_name(tmp_path: Path, suffix: str, length: int) -> None:
    """With the suffix of unfinished files it was too long."""
    name = name_of(length, suffix)
    source = write_images(tmp_path / "in", "1.png")
    if suffix == ".png":
        source /= "1.png"
    target = tmp_path / "out" / name
    target.parent.mkdir()

    for overwrite in (False, True):
        assert run(source, target, overwrite=overwrite).complete

    assert names_in(target.parent) == [name]


@NO_LONG_NAMES
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".png", ""])
def test_a_name_that_no_file_can_have_is_refused_before_the_first_frame(
    tmp_path: Path, clip: Path, suffix: str
) -> None:
    source = write_images(tmp_path / "pics", "1.png") / "1.png" if suffix == ".png" else clip

    with pytest.raises(SinkOpenError, match="the name is too long; choose a shorter one"):
        run(
            source,
            tmp_path / name_of(256, suffix),
            progress=lambda *_: pytest.fail("a frame was converted"),
        )

    assert not list(tmp_path.glob("x*")) + list(tmp_path.glob("🙂*"))


@NO_LONG_NAMES
def test_frames_of_a_film_of_the_longest_name_are_kept(tmp_path: Path, clip: Path) -> None:
    target = tmp_path / name_of(255, ".mp4")

    with pytest.raises(ModelError, match=r"Frames kept in .*\.part\.mp4: the first 3\."):
        run(clip, target, engine=HalfEngine(3, failed()))

    (kept,) = tmp_path.glob("*.part.mp4")
    assert len(pictures(kept)) == 3
    assert clips_in(str(tmp_path)) == [str(clip)], "what is unfinished is no clip"


@NO_LONG_NAMES
@pytest.mark.parametrize("suffix", [".mp4", ".ts", ".png", ".mpeg", "", ".images"])
def test_a_source_may_have_the_longest_name(tmp_path: Path, suffix: str) -> None:
    """The film of one whose suffix is shorter than .mp4 has a shorter stem."""
    name = name_of(255, suffix)
    source = tmp_path / "in" / name
    source.parent.mkdir()
    if suffix == ".images":
        write_images(source, "1.png")
    elif suffix in (".png", ""):
        Image.fromarray(numbered(1)).save(source, "PNG")
    else:
        write_clip(tmp_path / f"clip{suffix}", 3).rename(source)
    films = tmp_path / "films"

    assert converted([source], films)[1] == {"done": 1}

    assert converted([source], films)[1] == {"skipped": 1}
    (made,) = (each for each in names_in(films) if each != MANIFEST)
    assert made[:61] == name[:61] and len(os.fsencode(made)) <= 255


@NO_LONG_NAMES
def test_images_whose_names_are_too_long_for_png_get_shorter_ones(tmp_path: Path) -> None:
    """Known by their content, they have no suffix that .png could replace."""
    source = tmp_path / "in"
    source.mkdir()
    for ending in ("a", "b", "c"):
        Image.fromarray(numbered(1)).save(source / f"{'x' * 254}{ending}", "PNG")

    assert run(source, tmp_path / "out").frames == 3

    assert names_in(tmp_path / "out") == [
        f"{'x' * 247} (2).png",
        f"{'x' * 247} (3).png",
        f"{'x' * 251}.png",
    ]


@pytest.mark.skipif(os.name != "posix", reason="needs file modes")
@pytest.mark.parametrize(
    ("umask", "file_mode", "folder_mode"), [(0o022, 0o644, 0o755), (0o077, 0o600, 0o700)]
)
@pytest.mark.parametrize("target", ["out.mp4", "out.mkv", "out", "there"])
def test_what_is_converted_has_the_mode_of_the_umask(
    tmp_path: Path, clip: Path, umask: int, file_mode: int, folder_mode: int, target: str
) -> None:
    """Nobody else could read the film that was asked for."""
    (tmp_path / "there").mkdir(mode=0o700)
    before = os.umask(umask)
    try:
        run(clip, tmp_path / target, alpha=tmp_path / "alpha.mp4")
    finally:
        os.umask(before)

    made = tmp_path / target
    if made.is_dir():
        assert made.stat().st_mode & 0o777 == (0o700 if target == "there" else folder_mode)
    files = [tmp_path / "alpha.mp4", *(made.iterdir() if made.is_dir() else [made])]
    assert {file.stat().st_mode & 0o777 for file in files} == {file_mode}


@pytest.mark.skipif(os.name != "posix", reason="needs file modes")
def test_what_a_batch_writes_has_the_mode_of_the_umask(tmp_path: Path, clip: Path) -> None:
    images = write_images(tmp_path / "pics", "1.png")
    photo = write_images(tmp_path / "photos", "photo.png") / "photo.png"
    before = os.umask(0o022)
    try:
        converted([clip, images, photo], tmp_path / "out", alpha=tmp_path / "alpha")
    finally:
        os.umask(before)

    for folder in (tmp_path / "out", tmp_path / "alpha"):
        made = [*folder.rglob("*")]
        assert len(made) >= 4
        assert {path.stat().st_mode & 0o777 for path in made if path.is_file()} == {0o644}
        assert {path.stat().st_mode & 0o777 for path in made if path.is_dir()} == {0o755}


def touched_clips(folder: Path) -> list[str]:
    """Make films, unfinished ones and what macOS leaves; return those that are clips."""
    clips = [
        str(folder / name)
        for name in ("a.mp4", "b.MXF", "c.vob", "lecture.part.1.mp4", "take.partial.mov")
    ]
    others = [str(folder / name) for name in ("._a.mp4", "a.part.mp4", "a.part2.mp4", "a.txt")]
    for clip in (*clips, *others):
        Path(clip).touch()
    return clips


def test_every_video_in_a_folder_is_a_clip_but_temporary_files(tmp_path: Path) -> None:
    """Parts of a lecture have names like those of unfinished films; cameras write MXF, macOS
    leaves `._` files.
    """
    clips = touched_clips(tmp_path)

    assert clips_in(str(tmp_path)) == clips


@pytest.mark.torch
def test_the_evaluation_takes_all_films_but_those_of_macos(tmp_path: Path) -> None:
    from training.evaluate import find_clips  # ends the program where PyTorch is missing

    clips = touched_clips(tmp_path)

    assert len(find_clips(tmp_path)) == len(clips) + 2


def test_a_file_where_a_folder_of_frames_should_be_is_refused_before_the_first(
    tmp_path: Path, clip: Path
) -> None:
    target = tmp_path / "frames"
    target.write_text("precious")
    with pytest.raises(UsageError, match="exists already"):
        run(clip, target)
    with pytest.raises(SinkOpenError, match="a file is where the folder should be"):
        run(clip, target, overwrite=True, progress=lambda *_: pytest.fail("a frame was converted"))
    assert names_in(tmp_path) == ["frames", "in.mp4"]
    assert target.read_text() == "precious"


def test_nothing_is_said_to_be_left_in_a_folder_that_was_removed(
    tmp_path: Path, clip: Path
) -> None:
    target = tmp_path / "out" / "a.mp4"
    target.parent.mkdir()
    with pytest.raises(SinkLostError, match="could not be completed") as failure:
        run(clip, target, progress=lambda *_: shutil.rmtree(target.parent, ignore_errors=True))
    assert "What was written" not in str(failure.value)


def test_planning_reads_each_film_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each was opened six times, before the first frame of thousands of clips on a slow share."""
    films = tmp_path / "films"
    films.mkdir()
    clips = [write_clip(films / f"{name}.mp4", 2) for name in "ab"]
    kind = Mock(return_value="video")
    monkeypatch.setattr(image_file, "kind_of_file", kind)
    assert not list(left_out(str(films), [])) and clips_in(str(films)) == [
        str(clip) for clip in clips
    ]
    assert [job.source for job in jobs_of([films], tmp_path / "out")] == [
        str(clip) for clip in clips
    ]
    assert sorted(call.args for call in kind.call_args_list) == [(clip,) for clip in clips]
