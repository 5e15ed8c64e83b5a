"""Hostile video files: what is not a video is not opened, and what is too large is not decoded."""

from __future__ import annotations

import ast
import resource
import struct
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.capture.video_file import VideoFileSource
from app.compositing import open_background
from app.core.errors import MattecamError
from app.core.settings import BackgroundSettings
from app.media.encoders import AudioCopy
from app.media.headers import declares_too_much
from app.media.video_input import LIVE_MAX_PIXELS, MAX_PIXELS, VideoError, VideoInput
from app.media.video_reader import VideoReader
from tests.architecture.source import calls_of
from tests.clips import copy_into, write_clip, writing
from tests.offline.converting import run


def m3u8(folder: Path) -> str:
    write_clip(folder / "other.ts")
    return "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:0.4,\nother.ts\n#EXT-X-ENDLIST\n"


CONTENTS: dict[str, Callable[[Path], str]] = {
    "text": lambda folder: "The quick brown fox\n" * 400,
    "ffconcat": lambda folder: f"ffconcat version 1.0\nfile '{write_clip(folder / 'other.mkv')}'\n",
    "m3u8": m3u8,
    "terminal escapes": lambda folder: "\x1b[2J\x1b[31mansi",
}


def play_as_background(path: Path) -> None:
    open_background(BackgroundSettings(kind="video", path=path)).close()


def play_as_source(path: Path) -> None:
    VideoFileSource(path, realtime=False).close()


def convert_file(path: Path) -> None:
    run(path, path.with_name("out.mkv"))


def copy_audio(path: Path) -> None:
    with av.open(str(path.with_name("copy.mkv")), "w") as target:
        try:
            AudioCopy(path, target)
        except OSError as error:
            raise VideoError(str(error)) from error


CONSUMERS = [play_as_background, play_as_source, convert_file, copy_audio]


@pytest.mark.parametrize("use", CONSUMERS)
@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
@pytest.mark.parametrize("name", ["clip.mp4", "clip.txt", "clip.m3u8", "concat:clip.mp4"])
def test_only_videos_are_opened(
    tmp_path: Path, use: Callable[[Path], None], content: Callable[[Path], str], name: str
) -> None:
    path = tmp_path / name
    path.write_text(content(tmp_path))
    with pytest.raises(MattecamError, match=name):
        use(path)


def test_a_name_that_looks_like_a_protocol_is_a_file(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mkv", 3).rename(tmp_path / "http:clip%03d.mkv")
    assert len(list(VideoReader(path).frames())) == 3


def test_media_files_are_opened_in_one_place() -> None:
    opened = calls_of("av.open")
    reading = {name for name, call in opened if [ast.unparse(mode) for mode in call.args[1:]] != ["'w'"]}
    # the microphone opens an input device, by a format of the program's own choice, and never a file
    # the recording writer reads what it has just written, to copy it into the type that was asked for
    assert reading == {"app.media.video_input", "app.media.recording_writer", "app.output.sound.devices"}
    devices = [call for name, call in opened if name == "app.output.sound.devices"]
    assert devices and all("format" in {keyword.arg for keyword in call.keywords} for call in devices)


def enlarged(path: Path, width: int, height: int) -> Path:
    """Write a small AVI whose headers claim frames of another size."""
    with writing(path, "rawvideo", size=(64, 48)) as (container, stream):
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
    path.write_bytes(path.read_bytes().replace(struct.pack("<II", 64, 48), struct.pack("<II", width, height)))
    return path


@pytest.mark.parametrize(("use", "limit"), [(play_as_background, LIVE_MAX_PIXELS), (play_as_source, LIVE_MAX_PIXELS),
                                            (convert_file, MAX_PIXELS)])  # fmt: skip
def test_a_small_file_with_huge_frames_is_refused_at_once(
    tmp_path: Path, use: Callable[[Path], None], limit: int
) -> None:
    height = 4800
    path = enlarged(tmp_path / "huge.avi", limit // height + 2, height)
    started_s = time.process_time()
    with pytest.raises(MattecamError, match="too large"):
        use(path)
    assert time.process_time() - started_s < 10


def with_table(path: Path, box: bytes, at: int, *values: int) -> Path:
    """Overwrite 32-bit numbers in a table of an MP4 file, `at` bytes after its name."""
    data = bytearray(path.read_bytes())
    struct.pack_into(f">{len(values)}I", data, data.index(box) + 4 + at, *values)
    path.write_bytes(data)
    return path


MANY = 80_000_000


def many_samples(path: Path) -> Path:
    """A size of one byte for every sample needs no table."""
    return with_table(with_table(path, b"stsz", 4, 1, MANY), b"stsc", 12, MANY)


def many_samples_as_sound(path: Path) -> Path:
    """Only uncompressed sound has so many samples: FFmpeg takes a thousand of them for one entry."""
    return with_table(many_samples(path), b"hdlr", 8, int.from_bytes(b"soun", "big"))


def many_edits(path: Path) -> Path:
    return with_table(path, b"elst", 4, MANY)


def hidden(path: Path) -> Path:
    """FFmpeg looks for lost headers in free space."""
    path = many_samples(path)
    path.write_bytes(path.read_bytes().replace(b"moov", b"hoov"))
    return path


@pytest.mark.parametrize("forge", [many_samples, many_samples_as_sound, many_edits, hidden])
@pytest.mark.parametrize("use", CONSUMERS)
def test_a_small_file_that_declares_millions_of_frames_is_refused(
    tmp_path: Path, use: Callable[[Path], None], forge: Callable[[Path], Path]
) -> None:
    """FFmpeg took 4.8 GB and 27 s for an index of the frames that a file of 4 KB declares."""
    path = forge(write_clip(tmp_path / "clip.mp4", 10))
    before_kb, started_s = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with pytest.raises(MattecamError, match="not a readable video"):
        use(path)
    assert time.process_time() - started_s < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 50_000


def test_fragments_that_declare_millions_of_frames_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    fragment = struct.pack(">I4sIIII", 24, b"trun", 0, 3_000_000, 0, 0)
    for name in (b"traf", b"moof"):
        fragment = struct.pack(">I4s", 8 + len(fragment), name) + fragment
    path.write_bytes(fragment)
    assert not declares_too_much(path)
    path.write_bytes(fragment * 2)
    assert declares_too_much(path)


def test_hours_of_uncompressed_sound_are_permitted(tmp_path: Path) -> None:
    path, hours = tmp_path / "clip.mov", 3 * 3600 * 48_000
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=48_000)
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame(format="s16", layout="stereo", samples=48_000)
        frame.sample_rate = 48_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert not declares_too_much(path)
    assert not declares_too_much(with_table(path, b"stsz", 8, hours))


@given(st.data())
def test_arbitrary_boxes_never_crash(data: st.DataObject) -> None:
    names = st.sampled_from([b"moov", b"trak", b"stbl", b"stsz", b"stsc", b"stco", b"stts", b"elst", b"trun", b"hdlr"])
    sizes = st.integers(0, 80) | st.sampled_from([1, 2**31, 2**32 - 1])
    parts = data.draw(st.lists(st.tuples(sizes, names, st.binary(max_size=40)), max_size=12))
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        file.write(b"".join(struct.pack(">I4s", size, name) + content for size, name, content in parts))
        file.flush()
        assert declares_too_much(Path(file.name)) in (False, True)


@pytest.mark.parametrize("kind", ["stsz", "stsc", "stco", "stts", "elst", "trun", "hdlr"])
def test_a_table_without_content_declares_nothing(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "empty.mp4"
    path.write_bytes(struct.pack(">I4s", 0, kind.encode()))
    assert not declares_too_much(path)


def test_a_size_that_grows_within_the_file_is_not_decoded(tmp_path: Path) -> None:
    small = write_clip(tmp_path / "small.ts", 60, size=(96, 48))
    large = write_clip(tmp_path / "large.ts", 3, size=(384, 192))
    path = copy_into(tmp_path / "joined.mkv", (small, 0), (large, 900_000))
    with closing(VideoInput(path)) as video:
        assert {(frame.width, frame.height) for frame in video.frames()} == {(96, 48), (384, 192)}
    with closing(VideoInput(path, max_pixels=96 * 48)) as video:
        assert {(frame.width, frame.height) for frame in video.frames()} == {(96, 48)}
        assert video.damaged


def test_decoding_without_a_frame_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.media.video_input.FRAME_TIMEOUT_S", 0)
    with closing(VideoInput(write_clip(tmp_path / "clip.mkv", 30))) as video:
        assert list(video.frames()) == []
        assert video.damaged == 1


def test_implausible_pixels_are_square(tmp_path: Path) -> None:
    for aspect, expected in ((Fraction(16, 11), Fraction(16, 11)), (Fraction(200, 1), Fraction(1))):
        path = write_clip(tmp_path / "clip.mkv", 2, pixel_aspect=aspect)
        with closing(VideoInput(path)) as video:
            assert video.pixel_aspect == expected
