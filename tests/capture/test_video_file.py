"""Video files as a source, intact and damaged."""

from __future__ import annotations

import os
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import ExifTags, Image

from app.capture import video_file
from app.capture.video_file import VideoFileSource
from app.core.errors import SourceLostError, SourceOpenError
from app.testing.parts import FakeClock
from tests.capture.played_time import played_time
from tests.clips import number_of, numbered, write_clip, write_images


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_an_image_is_a_still_source(tmp_path: Path, suffix: str) -> None:
    write_images(tmp_path / "pics", f"1.{suffix}")
    with closing(VideoFileSource(tmp_path / "pics" / f"1.{suffix}", realtime=False)) as source:
        assert (source.info.width, source.info.height) == (96, 48)
        assert numbers(source, 3) == [0, 0, 0]


def test_an_animation_that_is_not_played_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Its first frame was shown without a word."""
    first, second = (Image.fromarray(numbered(number)) for number in range(2))
    path = tmp_path / "a.tif"
    first.save(path, save_all=True, append_images=[second])
    with closing(VideoFileSource(path, realtime=False)):
        assert f"Only the first of the 2 frames of {path} is used; save it as a video or GIF" in caplog.text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("folder", r"folder is a folder; choose a video or an image in it"),
        ("broken.jpg", r"image .*broken\.jpg is damaged"),
        ("broken.mp4", r"broken\.mp4 is not a readable video"),
        ("photo.heic", r"photo\.heic is not a readable image"),
        ("absent.jpg", r"image .*absent\.jpg does not exist"),
    ],
)
def test_what_is_no_video_is_called_what_it_is(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0broken")
    (tmp_path / "broken.mp4").write_bytes(b"broken")
    (tmp_path / "photo.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    with pytest.raises(SourceOpenError, match=words):
        VideoFileSource(tmp_path / name)


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
def test_every_frame_once_in_order_then_the_loop(tmp_path: Path, suffix: str) -> None:
    source = VideoFileSource(write_clip(tmp_path / f"clip.{suffix}", 10), realtime=False)
    assert numbers(source, 25) == [*range(10), *range(10), *range(5)]
    source.close()


def test_a_deleted_file_is_a_lost_source(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", 3)
    source = VideoFileSource(path, realtime=False)
    assert numbers(source, 3) == [0, 1, 2]
    path.unlink()
    with pytest.raises(SourceLostError, match=r"clip\.mp4"):
        source.read()
    source.close()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    return played_time(monkeypatch, video_file)


def times(source: VideoFileSource, count: int) -> list[float]:
    with closing(source):
        return [frame.captured_at_s - 100 for frame in (source.read() for _ in range(count)) if frame is not None]


def test_the_rate_is_kept_across_the_loop(tmp_path: Path, clock: FakeClock) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 5, fps=50)
    assert times(VideoFileSource(clip), 16) == pytest.approx([number / 50 for number in range(16)])


def test_variable_frame_times_are_kept(tmp_path: Path, clock: FakeClock) -> None:
    clip = write_clip(tmp_path / "clip.mkv", 3, times_s=(0, 0.04, 0.24))
    assert times(VideoFileSource(clip), 3) == pytest.approx([0, 0.04, 0.24])


def test_the_last_frame_of_a_round_lasts_as_long_as_it_says(tmp_path: Path, clock: FakeClock) -> None:
    images = [Image.fromarray(numbered(number)) for number in range(3)]
    images[0].save(tmp_path / "a.gif", save_all=True, append_images=images[1:], duration=[100, 100, 700], loop=0)
    assert times(VideoFileSource(tmp_path / "a.gif"), 6) == pytest.approx([0, 0.1, 0.2, 0.9, 1.0, 1.1])


def test_a_leap_of_the_clock_is_no_pause(tmp_path: Path, clock: FakeClock) -> None:
    """Recorders of transport streams count on while they do not record."""
    clip = write_clip(tmp_path / "clip.ts", 4, times_s=(0, 0.04, 3600, 3600.04))
    assert times(VideoFileSource(clip), 4) == pytest.approx([0, 0.04, 0.08, 0.12])


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


def test_pixel_aspect_is_applied(tmp_path: Path) -> None:
    source = VideoFileSource(write_clip(tmp_path / "clip.mp4", pixel_aspect=Fraction(4, 3)), realtime=False)
    frame = source.read()
    source.close()
    assert frame is not None
    assert frame.size == (128, 48)


def test_info_describes_the_file(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", fps=20)
    source = VideoFileSource(path)
    source.close()
    assert (source.info.kind, source.info.name, source.info.pixel_format) == ("file", "clip.mp4", "h264")
    assert source.info.fps == pytest.approx(20)


def broken(folder: Path, kind: str) -> Path:
    """Write a file that is not a readable video."""
    path = folder / "broken.mp4"
    if kind == "noise":
        path.write_bytes(np.random.default_rng(0).bytes(50_000))
    elif kind == "cut before its index":
        good = write_clip(folder / "good.mp4").read_bytes()
        path.write_bytes(good[: len(good) // 2])
    elif kind == "sound only":
        with av.open(str(path), "w") as container:
            stream = container.add_stream("aac", rate=16_000, layout="mono")
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 16_000), np.int16), "s16", "mono")
            frame.sample_rate = 16_000
            container.mux([*stream.encode(frame), *stream.encode(None)])
    elif kind == "no frames":
        with av.open(str(path), "w") as container:
            video = container.add_stream("libx264", rate=25)
            video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
            container.start_encoding()
    return path


@pytest.mark.parametrize("kind", ["noise", "cut before its index", "sound only", "no frames", "missing"])
def test_a_file_that_is_not_a_video_is_reported(tmp_path: Path, kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    path = broken(tmp_path, kind)
    with pytest.raises(SourceOpenError) as failure:
        VideoFileSource(path)
    assert str(path) in str(failure.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["a" * 5000, "no\0name", "file/below/nothing"])
def test_impossible_names(name: str) -> None:
    with pytest.raises(SourceOpenError):
        VideoFileSource(Path(name))


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a user whom permissions bind")
def test_a_file_without_read_permission(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4")
    path.chmod(0)
    with pytest.raises(SourceOpenError, match="permission"):
        VideoFileSource(path)


def test_damaged_frames_are_skipped(tmp_path: Path) -> None:
    whole = bytearray(write_clip(tmp_path / "whole.ts", 40).read_bytes())
    middle = len(whole) // 2
    whole[middle : middle + 3000] = bytes(3000)
    path = tmp_path / "hole.ts"
    path.write_bytes(whole)
    source = VideoFileSource(path, realtime=False)
    seen = numbers(source, 60)
    source.close()
    assert len(seen) == 60
    assert {0, 1, 2, 38, 39} <= set(seen)
