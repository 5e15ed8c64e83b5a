"""Offline conversion: each frame once, exact, at the source's times; which files are clips."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock, patch

import cv2
import numpy as np
import psutil
import pytest
from PIL import Image

from app.core.errors import (
    PlateError,
)
from app.core.settings import BackgroundSettings, MattingSettings
from app.core.types import BgrImage, Matte, Orientation
from app.effects.zones import Zone
from app.matting.interface import StepRequest
from app.media import image_file
from app.offline.convert import ConvertReport, convert_clip
from app.offline.plan import clips_in, left_out
from app.settings import Settings
from mattecam.testing import PERSON, FakeEngine
from tests.clips import demo, names_in, number_of, numbered, pictures, write_clip, write_images
from tests.offline.batch.conftest import jobs_of
from tests.offline.converting import GREEN, HalfEngine, run, times_of
from tests.sources import TURNS


def test_every_frame_is_converted_once_in_order(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", 20)
    engine = HalfEngine()
    seen = []

    def note(done: int, total: int) -> None:
        seen.append((done, total))

    report = run(
        source,
        tmp_path / "out.mp4",
        engine=engine,
        alpha=tmp_path / "alpha.mp4",
        foreground=tmp_path / "fg.mp4",
        progress=note,
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

    def note_memory(*_: object) -> None:
        seen.append(process.memory_info().rss)

    run(source, tmp_path / "out.mp4", progress=note_memory)

    # 30 pictures of this size are 20 MB: queues of the codecs fill at first, then nothing may grow
    assert seen[-1] - seen[40] < 8e6


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


def test_planning_reads_each_film_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each was opened six times, before the first frame of thousands of clips on a slow share."""
    films = tmp_path / "films"
    films.mkdir()
    clips = [write_clip(films / f"{name}.mp4", 2) for name in "ab"]
    kind = Mock(return_value="video")
    monkeypatch.setattr(image_file, "kind_of_file", kind)

    assert not list(left_out(str(films), {"target": "out"})) and clips_in(str(films)) == [
        str(clip) for clip in clips
    ]
    assert [job.source for job in jobs_of([films], tmp_path / "out")] == [
        str(clip) for clip in clips
    ]
    assert sorted(call.args for call in kind.call_args_list) == [(clip,) for clip in clips]
