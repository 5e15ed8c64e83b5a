"""Names of sources, the contract of all sources, the demo, and video files, intact and damaged."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image

from app.capture import SourceName, parse_source, table, video_file
from app.capture import demo as demo_source
from app.capture.base import FrameSource
from app.capture.camera import CameraSource
from app.capture.demo import DemoSource
from app.capture.video_file import VideoFileSource
from app.core.errors import SourceLostError, SourceOpenError, UsageError
from app.core.settings import CaptureSettings, EdgeSettings, EngineSettings
from app.core.types import BgrImage, BlurredBackground, check_bgr
from app.matting.build import build_engine
from app.matting.interface import StepRequest
from app.matting.strict.rules import WAIT_FRAMES
from mattecam.testing import FakeClock
from tests.capture.conftest import PATIENT, Driver, played_time
from tests.clips import number_of, numbered, write_clip, write_images, writing
from tests.sources import open_source

LOOPED_S = [number / 50 for number in range(16)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("auto", SourceName("auto")),
        ("demo", SourceName("demo")),
        ("camera:0", SourceName("camera", "0")),
        ("camera:/dev/video2", SourceName("camera", "/dev/video2")),
        ("0", SourceName("camera", "0")),
        ("./0", SourceName("file", "./0")),
        ("/dev/video2", SourceName("camera", "/dev/video2")),
        ("/dev/v4l/by-id/usb-046d_HD", SourceName("camera", "/dev/v4l/by-id/usb-046d_HD")),
        ("camera:usb-046d_HD-video-index0", SourceName("camera", "usb-046d_HD-video-index0")),
        ("camera:platform:vivid-000", SourceName("camera", "platform:vivid-000")),
        ("clips/a film.mp4", SourceName("file", "clips/a film.mp4")),
        ("C:\\clips\\film.mp4", SourceName("file", "C:\\clips\\film.mp4")),
    ],
)
def test_names_of_the_command_line(text: str, name: SourceName) -> None:
    assert parse_source(text) == name


@pytest.mark.parametrize("text", ["", "  ", "camera:", "camera:  ", "a\0b", "rtsp://10.0.0.2/live"])
def test_invalid_names(text: str) -> None:
    with pytest.raises(UsageError):
        parse_source(text)
    with pytest.raises(SourceOpenError):
        open_source(CaptureSettings(source=text))


@given(st.text())
def test_any_text_is_parsed_or_a_usage_error(text: str) -> None:
    try:
        name = parse_source(text)
    except UsageError:
        assert (
            not text.strip()
            or "\0" in text
            or "://" in text
            or not text.removeprefix("camera:").strip()
        )
        return
    assert bool(name.value) == (name.kind in ("camera", "file"))


Make = Callable[[pytest.FixtureRequest, Path], FrameSource]


def camera(request: pytest.FixtureRequest, _folder: Path) -> FrameSource:
    driver: Driver = request.getfixturevalue("driver")
    return CameraSource(driver.device, CaptureSettings(), PATIENT, driver)  # type: ignore[arg-type]


def portal_camera(request: pytest.FixtureRequest, _folder: Path) -> FrameSource:
    return pytest.skip(
        "tests/capture/test_pipewire_cameras.py has its contract, with a session of PipeWire"
    )


def demo(_request: pytest.FixtureRequest, _folder: Path) -> FrameSource:
    return DemoSource(160, 120, 60)


def fast_demo(_request: pytest.FixtureRequest, _folder: Path) -> FrameSource:
    return DemoSource(161, 91, realtime=False)


def demo_with_an_empty_scene(_request: pytest.FixtureRequest, _folder: Path) -> FrameSource:
    return DemoSource(160, 90, 60, empty_scene_s=0.05)


def film(_request: pytest.FixtureRequest, folder: Path) -> FrameSource:
    return VideoFileSource(write_clip(folder / "clip.mp4", fps=50))


def film_of_an_odd_size(_request: pytest.FixtureRequest, folder: Path) -> FrameSource:
    return VideoFileSource(write_clip(folder / "clip.mkv", fps=50, size=(97, 49)))


def turned_film(_request: pytest.FixtureRequest, folder: Path) -> FrameSource:
    return VideoFileSource(write_clip(folder / "clip.mp4", fps=50, rotation=90))


def fast_film(_request: pytest.FixtureRequest, folder: Path) -> FrameSource:
    return VideoFileSource(write_clip(folder / "clip.mp4"), realtime=False)


MAKERS: dict[str, dict[str, Make]] = {
    "demo": {
        "demo": demo,
        "demo as fast as it goes": fast_demo,
        "demo with an empty scene": demo_with_an_empty_scene,
    },
    "camera": {"camera": camera},
    "portal": {"camera of the portal": portal_camera},
    "file": {
        "file": film,
        "file of an odd size": film_of_an_odd_size,
        "turned file": turned_film,
        "file as fast as it goes": fast_film,
    },
}
"""Sources of each row of `app/capture/table.py`, where a row without one fails here, and of files."""
CONTRACT = {
    name: made
    for row in (*(spec.name for spec in table.SOURCES), table.FILE)
    for name, made in MAKERS[row].items()
}


@pytest.mark.parametrize("kind", CONTRACT)
def test_frames_come_in_order_in_the_size_of_info_and_are_not_written_to(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    source = CONTRACT[kind](request, tmp_path)
    info = source.info
    last_index = -1
    last_s = 0.0
    assert info.kind in kind and info.name and info.id and info.fps > 0
    seen: list[tuple[BgrImage, BgrImage]] = []
    for _ in range(15):
        frame = source.read()
        assert frame is not None
        check_bgr(frame.image)
        assert frame.size == (info.width, info.height) and frame.image.flags.c_contiguous
        assert frame.index > last_index and last_s < frame.captured_at_s <= time.perf_counter()
        last_index = frame.index
        last_s = frame.captured_at_s
        seen.append((frame.image, frame.image.copy()))
    assert all(np.array_equal(image, copy) for image, copy in seen)
    threads = threading.active_count()
    for _ in range(2):
        source.close()
        assert source.read() is None
    assert threading.active_count() <= threads


def suit_share(image: BgrImage) -> float:
    """Return the share of the frame with the colour of the suit."""
    blue, green, red = (image[..., channel].astype(int) for channel in range(3))
    return float(
        ((red > 150) & (green > 40) & (green < 140) & (blue < 90) & (red - blue > 110)).mean()
    )


@pytest.mark.parametrize("size", [(1280, 720), (640, 480), (360, 640), (500, 500)])
def test_the_person_is_visible_in_frames_that_depend_on_their_number_only(
    size: tuple[int, int],
) -> None:
    demo = DemoSource(*size, realtime=False)
    for index in (0, 100, 500):
        image = demo.render(index)
        assert np.array_equal(image, DemoSource(*size).render(index))
        assert not np.array_equal(image, demo.render(index + 1))
        assert (
            suit_share(image) > 0.01
        )  # the lowest share is that of 16:9, where the view ends below the collar
        middle = image[:, size[0] // 4 : 3 * size[0] // 4]
        assert suit_share(middle) > 0.6 * suit_share(image)


def test_the_person_appears_later_if_requested_before_the_same_background() -> None:
    demo = DemoSource(320, 180, 10, empty_scene_s=1.0, motion=0, realtime=False)
    images = [frame.image for frame in (demo.read() for _ in range(20)) if frame]
    shares = [suit_share(image) for image in images]
    assert max(shares[:10]) < 0.001
    assert min(shares[10:]) > 0.01
    change = np.abs(np.mean(images[:10], axis=0) - np.mean(images[10:], axis=0))
    assert change[:60, 200:].mean() < 4, "the wall"
    assert change[100:, 120:180].mean() > 40


def test_frames_follow_the_clock_and_a_slow_reader_misses_some(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = played_time(monkeypatch, demo_source)
    demo = DemoSource(64, 48, 50)
    frames = [frame for frame in (demo.read() for _ in range(40)) if frame is not None]
    assert [frame.index for frame in frames] == list(range(40))
    assert [frame.captured_at_s - 100 for frame in frames] == pytest.approx(
        [number / 50 for number in range(40)]
    )
    clock.now_s += 0.21
    late = demo.read()
    assert late is not None and late.index == 39 + 10


def test_a_waiting_read_ends_with_close() -> None:
    demo = DemoSource(64, 48, 0.005)
    demo.read()
    closer = threading.Timer(0.1, demo.close)
    closer.start()
    started_s = time.perf_counter()
    assert demo.read() is None
    assert time.perf_counter() - started_s < 60
    closer.join()


def test_the_demonstration_shows_the_person_on_a_machine_that_mattes_two_frames_a_second() -> None:
    demo = open_source(CaptureSettings(source="demo", width=640, height=360))
    assert isinstance(demo, DemoSource)
    engine = build_engine(EngineSettings(model="mattecam"), 640, 360)
    shares = []
    for index in range(0, 12 * 15, 15):
        matte = engine.step(
            StepRequest(demo.render(index), BlurredBackground(70), EdgeSettings(), "balanced")
        )
        shares.append(float((matte.alpha > 127).mean()))
    demo.close()
    engine.close()
    assert min(shares[WAIT_FRAMES:]) > 0.2, "strict mode hides the first frames of a stream only"


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_an_image_is_a_still_source(tmp_path: Path, suffix: str) -> None:
    write_images(tmp_path / "pics", f"1.{suffix}")
    with closing(VideoFileSource(tmp_path / "pics" / f"1.{suffix}", realtime=False)) as source:
        assert (source.info.width, source.info.height) == (96, 48)
        assert numbers(source, 3) == [0, 0, 0]


def test_an_animation_that_is_not_played_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its first frame was shown without a word."""
    first, second = (Image.fromarray(numbered(number)) for number in range(2))
    path = tmp_path / "a.tif"
    first.save(path, save_all=True, append_images=[second])

    with closing(VideoFileSource(path, realtime=False)):
        assert (
            f"Only the first of the 2 frames of {path} is used; save it as a video or GIF"
            in caplog.text
        )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("folder", r"folder is a folder; choose a video or an image in it"),
        ("broken.jpg", r"image .*broken\.jpg is damaged"),
        ("broken.mp4", r"broken\.mp4 is not a readable video"),
        ("empty.mp4", r"empty\.mp4"),
        ("absent.jpg", r"image .*absent\.jpg does not exist"),
        ("a" * 5000, r"\.$"),
        ("no\0name", r"\.$"),
        ("folder/below/nothing", r"\.$"),
    ],
)
def test_what_is_no_video_is_named(
    tmp_path: Path, name: str, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0broken")
    (tmp_path / "broken.mp4").write_bytes(b"broken")
    with writing(tmp_path / "empty.mp4"):
        pass

    with pytest.raises(SourceOpenError, match=words):
        VideoFileSource(tmp_path / name)

    assert capfd.readouterr() == ("", "")


def test_frames_with_side_data_that_pyav_does_not_know_are_read(tmp_path: Path) -> None:
    """It does not know EXIF."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Camera"
    Image.fromarray(numbered(0)).save(tmp_path / "1.jpg", exif=exif)
    (tmp_path / "clip.mjpeg").write_bytes((tmp_path / "1.jpg").read_bytes() * 3)

    with closing(VideoFileSource(tmp_path / "clip.mjpeg", realtime=False)) as source:
        assert source.read() is not None


def numbers(source: VideoFileSource, count: int) -> list[int]:
    frames = [source.read() for _ in range(count)]
    return [number_of(frame.image) for frame in frames if frame is not None]


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov", "ts", "avi"])
def test_every_frame_comes_once_in_order_and_then_the_loop(tmp_path: Path, suffix: str) -> None:
    path = write_clip(tmp_path / f"clip.{suffix}", 10)

    with closing(VideoFileSource(path, realtime=False)) as source:
        assert numbers(source, 20) == [*range(10), *range(10)]


@pytest.mark.posix("removal of files that are open")
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov", "ts", "avi"])
def test_a_file_that_is_gone_ends_the_loop(tmp_path: Path, suffix: str) -> None:
    path = write_clip(tmp_path / f"clip.{suffix}", 10)
    with closing(VideoFileSource(path, realtime=False)) as source:
        numbers(source, 10)

        path.unlink()

        with pytest.raises(SourceLostError, match=path.name):
            source.read()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    return played_time(monkeypatch, video_file)


def times(path: Path, count: int) -> list[float]:
    with closing(VideoFileSource(path)) as source:
        return [
            frame.captured_at_s - 100
            for frame in (source.read() for _ in range(count))
            if frame is not None
        ]


@pytest.mark.parametrize(
    ("suffix", "written_s", "played_s"),
    [
        ("mp4", LOOPED_S[:5], LOOPED_S),
        ("mkv", [0, 0.04, 0.24], [0, 0.04, 0.24]),
        ("ts", [0, 0.04, 3600, 3600.04], [0, 0.04, 0.08, 0.12]),
    ],
    ids=["loop", "variable rate", "a leap, as of recorders that count on while they do not record"],
)
def test_times_are_kept(
    tmp_path: Path, clock: FakeClock, suffix: str, written_s: list[float], played_s: list[float]
) -> None:
    clip = write_clip(tmp_path / f"clip.{suffix}", len(written_s), fps=50, times_s=written_s)
    assert times(clip, len(played_s)) == pytest.approx(played_s)


def test_the_last_frame_of_a_round_lasts_as_long_as_it_says(
    tmp_path: Path, clock: FakeClock
) -> None:
    images = [Image.fromarray(numbered(number)) for number in range(3)]
    images[0].save(
        tmp_path / "a.gif",
        save_all=True,
        append_images=images[1:],
        duration=[100, 100, 700],
        loop=0,
    )

    assert times(tmp_path / "a.gif", 6) == pytest.approx([0, 0.1, 0.2, 0.9, 1.0, 1.1])


def test_playback_that_is_late_goes_on_at_its_rate(tmp_path: Path, clock: FakeClock) -> None:
    """Without a new start of its clock it would play the frames that it missed all at once."""
    source = VideoFileSource(write_clip(tmp_path / "clip.mkv", 3, times_s=(0, 2, 4)))
    assert numbers(source, 2) == [0, 0], "the second is due after two seconds"
    clock.now_s = 150
    assert numbers(source, 2) == [1, 1], "the third is due after two more"
    clock.now_s = 152
    assert numbers(source, 1) == [2]
    source.close()


def test_a_long_pause_shows_the_last_frame(tmp_path: Path, clock: FakeClock) -> None:
    """A recording of a screen without a change for two seconds counted as lost and began again, for ever."""
    with closing(VideoFileSource(write_clip(tmp_path / "long.mkv", 2, times_s=(0, 60)))) as source:
        assert numbers(source, 2) == [0, 0]
        assert clock.now_s == 100 + video_file.READ_TIMEOUT_S
        assert numbers(source, 59) == [*[0] * 58, 1]
