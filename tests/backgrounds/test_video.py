"""Video backgrounds: rate, loop, no blocking, damaged files."""

from __future__ import annotations

import gc
import threading
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import closing
from fractions import Fraction
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import pytest
from PIL import Image

from app.backgrounds.kinds import VideoBackground
from app.core.geometry import Layout
from tests.backgrounds.files import COLOURS, colour_number, cut, flat, write_video
from tests.fresh_python import printed_by
from tests.waiting import eventually


def played(path: Path, *, realtime: bool = False, **video: Any) -> closing[VideoBackground]:
    """Open a new video, which waits for the exact frame of each time unless `realtime`."""
    return closing(VideoBackground(write_video(path / "a.mp4", **video), realtime=realtime))


@pytest.mark.parametrize(
    ("frames", "fps", "times_s", "expected"),
    [
        # asked 40 times a second from an odd start: every frame twice, the seventh is the first again
        (6, 20, [1000.01 + k / 40 for k in range(40)], [[0, 1, 2, 3, 0, 1][k // 2 % 6] for k in range(40)]),
        (8, 20, [k * 0.1001 for k in range(9)], [0, 2, 0, 2, 0, 2, 0, 2, 0]),
        (1, 20, range(5), [0] * 5),
        (4, Fraction(1, 20), [0, 1, 19.9, 20.1, 39.9, 40.1, 60.1, 79.9, 80.1, 99.9], [0, 0, 0, 1, 1, 2, 3, 3, 0, 0]),
        (6, 20, [0.01, 0.06, 3e7 + 0.11, 6e7 + 0.16], [0, 1, 2, 3]),
    ],
    ids=["its own rate", "a lower rate skips frames", "a single frame", "slides", "far ahead"],
)
def test_it_plays_at_its_own_rate_and_loops(
    tmp_path: Path, frames: int, fps: Fraction | int, times_s: Sequence[float], expected: list[int]
) -> None:
    """Slides that were saved as a video were played at five times their rate."""
    with played(tmp_path, frames=frames, fps=fps) as background:
        assert [colour_number(background.backdrop(64, 48, time_s)) for time_s in times_s] == expected
        assert background._decoded_s < 120, "a year of video must not be decoded"


def test_the_last_picture_of_a_round_lasts_as_long_as_it_says(tmp_path: Path) -> None:
    images = [Image.fromarray(flat(colour)) for colour in COLOURS[:3]]
    images[0].save(tmp_path / "a.gif", save_all=True, append_images=images[1:], duration=[100, 100, 1500], loop=0)
    with closing(VideoBackground(tmp_path / "a.gif", realtime=False)) as background:
        times_s = [0, 0.11, 0.21, 1.6, 1.71, 1.81, 1.91, 3.3]
        shown = [background.backdrop(64, 48, time_s) for time_s in times_s]
    same = [next(index for index, each in enumerate(shown) if np.array_equal(each, image)) for image in shown]
    assert same == [0, 1, 2, 2, 0, 1, 2, 2]


def test_real_time_playback_follows_the_clock(tmp_path: Path) -> None:
    with played(tmp_path, realtime=True, frames=80, fps=20) as background:
        background.backdrop(64, 48, 0.0)
        for number in range(1, 20):
            wanted = partial(background.backdrop, 64, 48, (number + 0.5) / 20)
            eventually(lambda: colour_number(wanted()) == number % len(COLOURS))  # noqa: B023 - called at once


def test_it_never_waits_for_the_decoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()

    def stuck(self: VideoBackground) -> Iterator[Any]:
        gate.wait(100)
        yield from ()

    monkeypatch.setattr(VideoBackground, "_frames", stuck)
    with played(tmp_path, realtime=True) as background:
        start = time.perf_counter()
        images = [background.backdrop(64, 48, k / 10) for k in range(100)]
        assert time.perf_counter() - start < 60
        assert all(image is images[0] for image in images)
        gate.set()


def test_playback_continues_after_a_long_pause(tmp_path: Path) -> None:
    with played(tmp_path, realtime=True, frames=40, fps=20) as background:
        background.backdrop(64, 48, 0.0)
        background.backdrop(64, 48, 3600.0)
        assert background._decoded_s < 60, "an hour of video must not be decoded to catch up"
        later_s, seen = count(3600, 0.01), set[int]()

        def plays() -> bool:
            seen.add(colour_number(background.backdrop(64, 48, next(later_s))))
            return len(seen) == len(COLOURS)

        eventually(plays)


def test_the_size_may_change_while_it_plays(tmp_path: Path) -> None:
    with played(tmp_path, frames=6, fps=20) as background:
        for k in range(24):
            width, height = ((64, 48), (90, 31), (160, 120))[k // 8]
            image = background.backdrop(width, height, k / 20)
            assert image.shape == (height, width, 3)
            assert colour_number(image) == [0, 1, 2, 3, 0, 1][k % 6]


def test_fit_shows_the_whole_frame(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", size=(64, 64), top_red=True)
    with closing(VideoBackground(path, Layout("fit"), realtime=False)) as background:
        image = background.backdrop(128, 64, 0.0)
    assert image[5, 64, 2] > 190 > 60 > image[5, 64, 0], "red above"
    assert image[58, 64, 0] > 190 > 60 > image[58, 64, 2], "blue below"
    assert image[5, 3, 2] < 150, "the bars are dimmed"


@pytest.mark.parametrize(
    ("rotation", "mirrored", "red_side"),
    [(90, False, "left"), (-90, False, "right"), (180, False, "bottom"), (0, True, "top"), (90, True, "right")],
)
def test_rotated_videos_are_upright(tmp_path: Path, rotation: int, mirrored: bool, red_side: str) -> None:
    """The file says how far it is turned counter-clockwise: a red top then lies on the left after 90 degrees."""
    size = (40, 80) if rotation % 180 else (80, 40)
    with played(tmp_path, size=(80, 40), rotation=rotation, mirrored=mirrored, top_red=True) as background:
        image = background.backdrop(*size, 0.0)
    height, width = image.shape[:2]
    spots = {"left": image[height // 2, 3], "right": image[height // 2, -4]}
    spots |= {"top": image[3, width // 2], "bottom": image[-4, width // 2]}
    assert spots[red_side][2] > 190 and spots[red_side][0] < 60


@pytest.mark.parametrize("height", [48, 720])
def test_unnamed_colour_matrices_are_inferred(tmp_path: Path, height: int) -> None:
    """A file that names no matrix means BT.709 in HD and BT.601 below."""
    from av import VideoFrame
    from av import open as open_container
    from av.video.reformatter import Colorspace

    image = flat((40, 180, 60), height * 4 // 3, height)
    with open_container(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "2", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = image.shape[1], height, "yuv444p"
        matrix = Colorspace.ITU709 if height >= 720 else Colorspace.ITU601
        frame = VideoFrame.from_ndarray(image, "bgr24").reformat(format="yuv444p", dst_colorspace=matrix)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with closing(VideoBackground(tmp_path / "a.mkv", realtime=False)) as background:
        shown = background.backdrop(image.shape[1], height, 0.0)
    assert np.abs(shown[height // 2, 10].astype(int) - (40, 180, 60)).max() <= 4


@pytest.mark.parametrize("size", [(2, 400), (400, 2)])
def test_an_extreme_aspect_ratio_is_cropped_before_scaling(tmp_path: Path, size: tuple[int, int]) -> None:
    """Covering 1280x720 with a strip means scaling it to 1280x256000 unless it is cut first."""
    with played(tmp_path, size=size) as background:
        tracemalloc.start()
        image = background.backdrop(1280, 720, 0.0)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert image.shape == (720, 1280, 3) and colour_number(image) == 0
    assert peak < 30_000_000


def test_a_truncated_video_plays_to_its_end(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "a.mkv", frames=40, size=(320, 240))
    with closing(VideoBackground(cut(whole, 0.6, tmp_path / "cut.mkv"), realtime=False)) as background:
        seen = {colour_number(background.backdrop(64, 48, k / 20)) for k in range(60)}
    assert len(seen) == len(COLOURS)


def test_an_unexpected_error_is_the_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with played(tmp_path, realtime=True) as background:
        background.backdrop(64, 48, 0.0)

        def fail(*_: object) -> None:
            raise cv2.error("no memory")

        monkeypatch.setattr(background._video, "picture", fail)
        background.backdrop(64, 48, 3600.0)  # wants frames that are not decoded yet
        eventually(lambda: background.problem is not None)
        assert "can no longer be read" in str(background.problem)


def test_no_thread_of_decoder_or_scaler_waits_for_the_garbage_collector(tmp_path: Path) -> None:
    """Saved states that were loaded in a loop, each with its video, came to hundreds of threads."""
    path = write_video(tmp_path / "a.mp4")
    gc.collect()
    gc.disable()
    try:
        before = psutil.Process().num_threads()
        for _ in range(4):
            with closing(VideoBackground(path, realtime=False)) as background:
                background.backdrop(64, 48, 0.0)
            del background
        # `join` returns a moment before the system has ended a thread; one that waits for a collection never ends.
        eventually(lambda: psutil.Process().num_threads() <= before)
    finally:
        gc.enable()


HANGS = """
import sys
import threading
from pathlib import Path
from app.cli import main
from app.backgrounds import kinds

def wait_for_ever(background):
    threading.Event().wait()
    yield

def hang(argv):
    kinds.END_S, kinds.VideoBackground._frames = 0.1, wait_for_ever
    kinds.VideoBackground(Path(sys.argv[1])).close()
    print("done")
    return 0

main.main = hang
main.run_to_exit([])
"""


def test_a_thread_that_reads_for_ever_does_not_keep_the_program_alive(tmp_path: Path) -> None:
    assert printed_by(HANGS, str(write_video(tmp_path / "a.mp4"))) == "done\n"
