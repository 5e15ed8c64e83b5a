"""Contract of all backgrounds, their files and settings, videos and other moving ones."""

from __future__ import annotations

import gc
import logging
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import av
import cv2
import numpy as np
import psutil
import pytest
from av.video.reformatter import Colorspace
from numpy.typing import NDArray
from PIL import Image

from app.backgrounds import Background, bundled_backgrounds, kinds, open_background
from app.backgrounds.kinds import VideoBackground, VideoLoop, own_backgrounds
from app.config.setting import parse_background
from app.core import paths
from app.core.errors import BackgroundError
from app.core.settings import BackgroundSettings
from app.core.types import BlurredBackground, check_bgr
from app.media.encoders import file_encoder
from app.media.image_file import kind_of_file
from app.media.video_input import VideoInput
from app.media.video_writer import VideoWriter
from tests.backgrounds.files import COLOURS, colour_number, cut, flat, photo, write, write_video
from tests.fresh_python import printed_by
from tests.paths import ROOT
from tests.stand_ins import always
from tests.waiting import eventually, eventually_is, no_longer

COLOUR = BackgroundSettings(kind="colour", colour="#c8640a")
BLUR = BackgroundSettings(kind="blur", blur_strength=30)


def made_image(folder: Path) -> BackgroundSettings:
    return BackgroundSettings(kind="image", path=write(folder / "a.png", photo()))


def made_fitted(folder: Path) -> BackgroundSettings:
    return BackgroundSettings(kind="image", path=write(folder / "a.jpg", photo()), fit="fit")


def made_video(folder: Path) -> BackgroundSettings:
    return BackgroundSettings(kind="video", path=write_video(folder / "a.mp4"))


MAKERS: dict[str, Callable[[Path], BackgroundSettings]] = {
    "image": made_image,
    "fitted": made_fitted,
    "video": made_video,
    "colour": always(COLOUR),
    "blur": always(BLUR),
}


def test_own_backgrounds_are_listed_by_name() -> None:
    folder = paths.backgrounds_dir()
    folder.mkdir(parents=True)
    for name in ("beach 2.png", "Beach.jpg", "alps.mp4"):
        (folder / name).touch()

    assert [path.name for path, _ in own_backgrounds()] == ["alps.mp4", "Beach.jpg", "beach 2.png"]


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_contract(make: Callable[[Path], BackgroundSettings], tmp_path: Path) -> None:
    threads = threading.active_count()
    background: Background = open_background(make(tmp_path))
    for width, height in ((320, 180), (33, 77), (2, 2), (320, 180)):
        backdrop = background.backdrop(width, height, 0.0)
        if not isinstance(backdrop, BlurredBackground):
            check_bgr(backdrop)
            assert backdrop.shape == (height, width, 3) and backdrop.flags.c_contiguous
        assert background.backdrop(width, height, 0.0) is backdrop, (
            "the same picture must be the same object"
        )
    background.close()
    background.close()
    assert threading.active_count() == threads


def test_colour_and_blur_match_the_settings(tmp_path: Path) -> None:
    clear = write(tmp_path / "a.png", np.zeros((8, 8, 4), np.uint8))
    for wanted in (
        COLOUR,
        COLOUR.replace(kind="image", path=clear),
    ):  # which is seen through the image
        image = open_background(wanted).backdrop(4, 4, 0)
        assert isinstance(image, np.ndarray) and (image == (10, 100, 200)).all()
    assert open_background(BLUR).backdrop(4, 4, 0) == BlurredBackground(30)


@pytest.mark.parametrize(
    ("name", "left_out"), [("a.webp", False), ("a.tif", True), ("a.png", False), ("a.gif", False)]
)
def test_an_animation_that_cannot_be_played_says_so(
    name: str, left_out: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first, *others = (Image.new("RGB", (64, 48), colour) for colour in ("red", "green", "blue"))
    first.save(tmp_path / name, save_all=True, append_images=others)
    with (
        caplog.at_level(logging.WARNING),
        closing(open_background(parse_background(tmp_path / name))) as background,
    ):
        assert background.backdrop(64, 48, 0.0).shape == (48, 64, 3)  # type: ignore[union-attr]
    assert [record.getMessage() for record in caplog.records] == left_out * [
        f"Only the first of the 3 frames of {tmp_path / name} is used; save it as a video or GIF to use them all."
    ]
    caplog.clear()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_a_video_with_the_name_of_an_image_is_a_video(tmp_path: Path, suffix: str) -> None:
    assert (
        kind_of_file(write_video(tmp_path / f"a{suffix}").rename(tmp_path / "video.png")) == "video"
    )


@pytest.mark.parametrize("kind", ["image", "video"])
@pytest.mark.parametrize(
    "what",
    [
        "nothing chosen",
        "missing",
        "refused",
        "text",
        "folder",
        "empty",
        "cut short",
        "other kind",
        "sound",
    ],
)
def test_bad_files_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, what: str
) -> None:
    path = tmp_path / "bad file"
    is_image = kind == "image"
    if what == "text":
        path.write_text("neither picture nor video\n" * 100)
    elif what == "folder":
        path.mkdir()
    elif what == "empty":
        path.touch()
    elif what == "cut short":
        cut(
            write(tmp_path / "a.png", photo()) if is_image else write_video(tmp_path / "a.mp4"),
            0.4,
            path,
        )
    elif what == "other kind":
        path = (
            write_video(tmp_path / "a.mp4")
            if is_image
            else cut(write(tmp_path / "a.png", photo()), 0.02, path)
        )
    elif what == "sound":
        path.write_bytes(
            b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\x08\0data\0\0\0\0"
        )
    elif what == "refused":
        path.touch()
        for opener in ("image_file.Image.open", "container.av.open"):
            monkeypatch.setattr(
                f"app.media.{opener}", Mock(side_effect=PermissionError(13, "Permission denied"))
            )
    threads = threading.active_count()

    with pytest.raises(BackgroundError) as caught:
        open_background(
            BackgroundSettings(kind=kind, path=None if what == "nothing chosen" else path)
        )

    assert what == "nothing chosen" or str(path) in str(caught.value)
    assert str(caught.value).startswith("You have no permission to read the") == (what == "refused")
    assert threading.active_count() == threads


def test_bundled_backgrounds_are_small_full_hd_pictures_and_reproducible() -> None:
    from tools.backgrounds.paint import to_bytes
    from tools.backgrounds.scenes import SCENES

    images = {path.stem: cv2.imread(str(path)) for path in bundled_backgrounds()}
    assert set(images) == set(SCENES) and len(images) >= 6
    for name, image in images.items():
        assert image is not None and image.shape == (1080, 1920, 3)
        assert image.std() > 5, f"{name} is an empty picture"
    assert max(path.stat().st_size for path in bundled_backgrounds()) <= 350_000
    painted = to_bytes(SCENES["1-soft-studio"](), 0.004, 1)
    assert np.abs(painted.astype(int) - images["1-soft-studio"]).mean() < 2


BEHIND = "#2050c0"
BGR = (0xC0, 0x50, 0x20)
SHADES = [(200, 40, 40), (40, 200, 40), (40, 40, 200)]


SAVED: dict[str, dict[str, Any]] = {
    ".gif": {"disposal": 2},
    ".png": {"disposal": 1},
    ".apng": {"disposal": 1, "format": "PNG"},
    ".webp": {"lossless": True, "exact": True},
}


def write_moving(path: Path) -> Path:
    """Write pictures whose left half is clear and hides red."""
    pictures = np.zeros((len(SHADES), 48, 64, 4), np.uint8)
    pictures[:, :, :32] = 255, 0, 0, 0
    for picture, shade in zip(pictures, SHADES, strict=True):
        picture[:, 32:] = *shade, 255
    if path.suffix in SAVED:
        first, *others = map(Image.fromarray, pictures)
        first.save(path, save_all=True, append_images=others, duration=100, **SAVED[path.suffix])
    else:
        writer = VideoWriter(path, 64, 48, 10, encoder=file_encoder(4, path.suffix, alpha=True))
        for picture in pictures:
            writer.write(np.ascontiguousarray(picture[..., [2, 1, 0, 3]]))
        writer.close()
    return path


def shown(path: Path, times_s: list[float]) -> list[NDArray[np.uint8]]:
    settings = parse_background(path, BackgroundSettings(colour=BEHIND))
    assert settings.kind == "video"
    with closing(open_background(settings, realtime=False)) as background:
        return [np.asarray(background.backdrop(64, 48, time_s)).copy() for time_s in times_s]


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.apng", "a.webp", "a.webm", "a.mov"])
def test_clear_parts_show_the_background_colour_and_the_others_play(
    name: str, tmp_path: Path
) -> None:
    pictures = shown(write_moving(tmp_path / name), [0.0, 0.1, 0.2, 0.35])
    for picture, shade in zip(pictures, [*SHADES, SHADES[0]], strict=True):
        assert np.abs(picture[24, 8].astype(int) - BGR).max() <= 4
        assert np.abs(picture[24, 56].astype(int) - shade[::-1]).max() <= 8


@pytest.mark.parametrize("name", ["animated-transparent.gif", "vp9-alpha-hidden-red.webm"])
def test_what_a_clear_part_hides_does_not_show(name: str) -> None:
    for picture in shown(ROOT / "tests" / "field" / f"live-background-{name}", [0.0, 0.3, 1.0]):
        blue, green, red = (picture[..., channel].astype(int) for channel in range(3))
        assert not ((red > 200) & (green < 60) & (blue < 60)).any()
        assert (np.abs(picture.astype(int) - BGR).max(axis=2) <= 6).mean() > 0.2


def test_an_animated_webp_that_declares_too_much_is_refused(tmp_path: Path) -> None:
    images = [Image.new("RGB", (3000, 2000), (number % 2 * 255, number, 0)) for number in range(30)]
    images[0].save(
        tmp_path / "a.webp", save_all=True, append_images=images[1:], lossless=True, method=0
    )
    with pytest.raises(BackgroundError, match=r"a\.webp"):
        open_background(parse_background(tmp_path / "a.webp"))


def played(path: Path, *, realtime: bool = False, **video: Any) -> closing[VideoBackground]:
    """Open a new video, which waits for the exact frame of each time unless `realtime`."""
    return closing(VideoBackground(write_video(path / "a.mp4", **video), realtime=realtime))


@pytest.mark.parametrize(
    ("frames", "fps", "times_s", "expected"),
    [
        # asked 40 times a second from an odd start: every frame twice, the seventh is the first again
        (
            6,
            20,
            [1000.01 + k / 40 for k in range(40)],
            [[0, 1, 2, 3, 0, 1][k // 2 % 6] for k in range(40)],
        ),
        (8, 20, [k * 0.1001 for k in range(9)], [0, 2, 0, 2, 0, 2, 0, 2, 0]),
        (1, 20, range(5), [0] * 5),
        (
            4,
            Fraction(1, 20),
            [0, 1, 19.9, 20.1, 39.9, 40.1, 60.1, 79.9, 80.1, 99.9],
            [0, 0, 0, 1, 1, 2, 3, 3, 0, 0],
        ),
        (6, 20, [0.01, 0.06, 3e7 + 0.11, 6e7 + 0.16], [0, 1, 2, 3]),
    ],
    ids=["its own rate", "a lower rate skips frames", "a single frame", "slides", "far ahead"],
)
def test_it_plays_at_its_own_rate_and_loops(
    tmp_path: Path, frames: int, fps: Fraction | int, times_s: Sequence[float], expected: list[int]
) -> None:
    """Slides that were saved as a video were played at five times their rate."""
    with played(tmp_path, frames=frames, fps=fps) as background:
        assert [
            colour_number(background.backdrop(64, 48, time_s)) for time_s in times_s
        ] == expected
        assert background._playback.decoded_s < 1000, "five slides ahead, but not a year of video"


def test_the_last_picture_of_a_round_lasts_as_long_as_it_says(tmp_path: Path) -> None:
    images = [Image.fromarray(flat(colour)) for colour in COLOURS[:3]]
    images[0].save(
        tmp_path / "a.gif",
        save_all=True,
        append_images=images[1:],
        duration=[100, 100, 1500],
        loop=0,
    )
    with closing(VideoBackground(tmp_path / "a.gif", realtime=False)) as background:
        times_s = [0, 0.11, 0.21, 1.6, 1.71, 1.81, 1.91, 3.3]
        shown = [background.backdrop(64, 48, time_s) for time_s in times_s]
    same = [
        next(index for index, each in enumerate(shown) if np.array_equal(each, image))
        for image in shown
    ]

    assert same == [0, 1, 2, 2, 0, 1, 2, 2]


def shown_colour(background: VideoBackground, time_s: float) -> int:
    return colour_number(background.backdrop(64, 48, time_s))


def test_it_never_waits_for_the_decoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()

    def stuck(self: VideoLoop) -> Iterator[Any]:
        gate.wait(100)
        yield from ()

    monkeypatch.setattr(VideoLoop, "frames_after_first", stuck)
    with played(tmp_path, realtime=True) as background:
        start = time.perf_counter()
        images = [background.backdrop(64, 48, k / 10) for k in range(100)]
        assert time.perf_counter() - start < 60
        assert all(image is images[0] for image in images)
        gate.set()


def test_real_time_playback_follows_the_clock_and_continues_after_a_long_pause(
    tmp_path: Path,
) -> None:
    with played(tmp_path, realtime=True, frames=40, fps=20) as background:
        background.backdrop(64, 48, 0.0)
        for number in range(1, 20):
            time_s = (number + 0.5) / 20
            eventually_is(number % len(COLOURS), shown_colour, background, time_s)
        background.backdrop(64, 48, 3600.0)
        assert background._playback.decoded_s < 60, (
            "an hour of video must not be decoded to catch up"
        )
        later_s = count(3600, 0.01)
        seen = set[int]()

        def plays() -> bool:
            seen.add(colour_number(background.backdrop(64, 48, next(later_s))))
            return len(seen) == len(COLOURS)

        eventually(plays)


@pytest.mark.parametrize(
    ("rotation", "mirrored", "red_side"),
    [
        (90, False, "left"),
        (-90, False, "right"),
        (180, False, "bottom"),
        (0, True, "top"),
        (90, True, "right"),
    ],
)
def test_rotated_videos_are_upright(
    tmp_path: Path, rotation: int, mirrored: bool, red_side: str
) -> None:
    """The file says how far it is turned counter-clockwise: a red top then lies on the left after 90 degrees."""
    size = (40, 80) if rotation % 180 else (80, 40)
    with played(
        tmp_path, size=(80, 40), rotation=rotation, mirrored=mirrored, top_red=True
    ) as background:
        image = background.backdrop(*size, 0.0)
    height, width = image.shape[:2]
    spots = {"left": image[height // 2, 3], "right": image[height // 2, -4]}
    spots |= {"top": image[3, width // 2], "bottom": image[-4, width // 2]}

    assert spots[red_side][2] > 190 and spots[red_side][0] < 60


@pytest.mark.parametrize(("height", "matrix"), [(48, Colorspace.ITU601), (720, Colorspace.ITU709)])
def test_unnamed_colour_matrices_are_inferred(
    tmp_path: Path, height: int, matrix: Colorspace
) -> None:
    """A file that names no matrix means BT.709 in HD and BT.601 below."""
    image = flat((40, 180, 60), height * 4 // 3, height)
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream(
            "libx264", rate=10, options={"crf": "2", "preset": "ultrafast"}
        )
        stream.width = image.shape[1]
        stream.height = height
        stream.pix_fmt = "yuv444p"
        frame = av.VideoFrame.from_ndarray(image, "bgr24").reformat(
            format="yuv444p", dst_colorspace=matrix
        )
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with closing(VideoBackground(tmp_path / "a.mkv", realtime=False)) as background:
        shown = background.backdrop(image.shape[1], height, 0.0)

    assert np.abs(shown[height // 2, 10].astype(int) - (40, 180, 60)).max() <= 4


@pytest.mark.parametrize("size", [(2, 400), (400, 2)])
def test_an_extreme_aspect_ratio_is_cropped_before_scaling(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    """Covering 1280x720 with a strip means scaling it to 1280x256000 unless it is cut first."""
    with played(tmp_path, size=size) as background:
        tracemalloc.start()
        image = background.backdrop(1280, 720, 0.0)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert image.shape == (720, 1280, 3) and colour_number(image) == 0
    assert peak < 30_000_000


def test_a_disk_that_stands_still_while_a_video_plays_is_named_until_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()
    read = VideoInput.timed_frames

    def read_and_stand_still(video: VideoInput) -> Iterator[tuple[Fraction, av.VideoFrame]]:
        frames = read(video)
        yield next(frames)  # opened
        yield next(frames)
        answers.wait(60)
        yield from frames

    monkeypatch.setattr(kinds, "FILE_LIMIT_S", 0.05)
    monkeypatch.setattr(VideoInput, "timed_frames", read_and_stand_still)
    with closing(VideoBackground(write_video(tmp_path / "a.mp4"))) as background:

        def problem() -> str:
            background.backdrop(64, 48, 0.0)
            return str(background.problem or "")

        def does_not_answer() -> bool:
            return "a.mp4 does not answer" in problem()

        eventually(does_not_answer)
        named = background.problem
        assert problem() and background.problem is named  # one error, which is reported once

        answers.set()
        eventually_is("", problem)


def test_a_truncated_video_plays_to_its_end(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "a.mkv", frames=40, size=(320, 240))
    with closing(
        VideoBackground(cut(whole, 0.6, tmp_path / "cut.mkv"), realtime=False)
    ) as background:
        seen = {colour_number(background.backdrop(64, 48, k / 20)) for k in range(60)}

    assert len(seen) == len(COLOURS)


def test_no_thread_of_decoder_or_scaler_waits_for_the_garbage_collector(tmp_path: Path) -> None:
    """Saved states that were loaded in a loop, each with its video, came to hundreds of threads."""
    path = write_video(tmp_path / "a.mp4")
    gc.collect()
    gc.disable()
    try:
        before = psutil.Process().num_threads()

        def has_more_threads() -> bool:
            return psutil.Process().num_threads() > before

        for _ in range(4):
            with closing(VideoBackground(path, realtime=False)) as background:
                background.backdrop(64, 48, 0.0)
            del background
        # `join` returns a moment before the system has ended a thread; one that waits for a collection never ends.
        no_longer(has_more_threads)
    finally:
        gc.enable()


HANGS = """
import sys
import threading
from pathlib import Path
from app.cli import main
from app.backgrounds import kinds

def wait_for_ever(loop):
    threading.Event().wait()
    yield

def hang(argv):
    kinds.END_S = 0.1
    kinds.VideoLoop.frames_after_first = wait_for_ever
    kinds.VideoBackground(Path(sys.argv[1])).close()
    print("done")
    return 0

main.main = hang
main.run_to_exit([])
"""


def test_a_thread_that_reads_for_ever_does_not_keep_the_program_alive(tmp_path: Path) -> None:
    assert printed_by(HANGS, str(write_video(tmp_path / "a.mp4"))) == "done\n"


def test_the_only_frame_of_a_video_follows_its_layout(tmp_path: Path) -> None:
    """Zoom and pan had no effect, as they begin with the next frame that is decoded."""
    image = np.zeros((60, 80, 3), np.uint8)
    image[:, :40] = 200
    film = tmp_path / "a.gif"
    Image.fromarray(image).save(film)
    chosen = BackgroundSettings(kind="video", path=film)

    with closing(open_background(chosen)) as background:
        assert np.asarray(background.backdrop(80, 60, 0.0))[30, 5].min() > 150
        background.apply_layout(chosen.replace(zoom=2.0, pan_x=1.0))
        times = count()

        def is_black_at_the_left() -> bool:
            shown = np.asarray(background.backdrop(80, 60, next(times) / 50))
            return bool(shown[30, 5].max() < 50)

        eventually(is_black_at_the_left)

        background.apply_layout(chosen)
        first = np.asarray(background.backdrop(80, 60, 9.0)).copy()
        background.backdrop(16, 12, 9.1)
        again = np.asarray(background.backdrop(80, 60, 9.2))
        assert np.array_equal(again, first), "not scaled from a copy"
