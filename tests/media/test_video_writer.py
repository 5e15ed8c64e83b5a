"""The video writer: what it writes can be read back, nothing half-done bears the file's name;
its encoders.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import av
import cv2
import numpy as np
import pytest

from app.media.encoders import HARDWARE, VideoEncoder, encodes, file_encoder, live_encoder
from app.media.video_writer import VideoWriter
from tests.clips import frames_of, lengths_of, names_in, numbered, write_clip, write_film
from tests.stand_ins import always


def write_numbers(path: Path, count: int = 12, fps: Fraction | float = 25, **options: Any) -> None:
    write_film(path, map(numbered, range(count)), fps, **options)


def test_named_only_when_finished(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    writer = VideoWriter(path, 96, 48, 25)
    writer.write(numbered(1))
    assert not path.exists()
    assert writer.temporary_path.exists()
    writer.close()
    writer.close()
    assert names_in(tmp_path) == ["out.mp4"]


@pytest.mark.parametrize("size", [(97, 49), (97, 48), (96, 49)])
def test_odd_sizes_grow_by_a_copy_of_the_edge(tmp_path: Path, size: tuple[int, int]) -> None:
    image = np.full((size[1], size[0], 3), 40, np.uint8)
    image[-1] = 220
    image[:, -1] = 220
    path = tmp_path / "out.mp4"
    write_film(path, [image], 25, encoder=file_encoder(0))
    frame = frames_of(path)[0].to_ndarray(format="gray8")

    assert frame.shape == (size[1] + size[1] % 2, size[0] + size[0] % 2)
    assert frame[-1].min() > 200
    assert frame[:, -1].min() > 200


@pytest.mark.parametrize(
    ("size", "matrix", "pixel_format"),
    [((640, 360), 6, "yuv420p"), ((1280, 720), 1, "yuv420p"), ((1280, 720), 1, "nv12")],
)
def test_colours_come_back(
    tmp_path: Path, size: tuple[int, int], matrix: int, pixel_format: str
) -> None:
    colours = np.array(
        [(200, 30, 30), (30, 200, 30), (30, 30, 200), (220, 220, 220), (20, 20, 20)], np.uint8
    )
    bars = cv2.resize(colours[None], size, interpolation=cv2.INTER_NEAREST).astype(np.uint8)
    path = tmp_path / "out.mp4"
    write_film(path, [bars] * 3, 30, encoder=VideoEncoder("x264", "libx264", {}, pixel_format))
    frame = frames_of(path)[0]
    assert (frame.colorspace, frame.color_range) == (matrix, 1)
    back = frame.to_ndarray(format="bgr24").astype(int)
    step = size[0] // len(colours)
    for number, colour in enumerate(colours):
        assert np.abs(back[size[1] // 2, number * step + step // 2] - colour).max() <= 6


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_reproducible_bytes_do_not_depend_on_the_processor(tmp_path: Path, suffix: str) -> None:
    """With AVX-512, they differed from run to run as well: under load, one film in 70."""
    steps = np.random.default_rng(0).normal(0, 3, (96, 400, 3)).cumsum(1)
    wide = ((steps - steps.min()) / np.ptp(steps) * 255).astype(np.uint8)
    files = []
    for instructions in ("auto", "0"):  # with those of the processor, and without
        encoder = file_encoder()
        options = {
            **encoder.options,
            "x264-params": f"{encoder.options['x264-params']}:asm={instructions}",
        }
        path = tmp_path / f"{instructions}.{suffix}"
        panned = (
            np.ascontiguousarray(wide[:, 3 * number : 3 * number + 192]) for number in range(40)
        )
        write_film(
            path, panned, encoder=VideoEncoder("x264", "libx264", options), reproducible=True
        )
        files.append(path.read_bytes())

    assert files[0] == files[1]


def test_times_are_kept_and_always_rise(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    writer = VideoWriter(path, 96, 48, 30, time_base=Fraction(1, 1000))
    for time_s in (0, 0.033, 0.067, 0.067, 0.05, Fraction(1, 2), 2.0):
        writer.write(numbered(1), time_s)
    writer.close()

    assert [round((frame.time or 0) * 1000) for frame in frames_of(path)] == [
        0,
        33,
        67,
        68,
        69,
        500,
        2000,
    ]


@pytest.mark.parametrize("suffix", ["mp4", "mov"])
@pytest.mark.parametrize("rate", [Fraction(24), Fraction(30000, 1001), Fraction(25, 2)])
def test_every_frame_of_a_constant_rate_is_shown(
    tmp_path: Path, rate: Fraction, suffix: str
) -> None:
    """Frames are encoded out of order; the edit list of a fragmented file may end before the
    last one.
    """
    random = np.random.default_rng(1)
    for count in (*range(1, 26), 61):
        path = tmp_path / f"{count}.{suffix}"
        writer = VideoWriter(path, 64, 48, rate, is_constant=True)
        for number in range(count):
            writer.write(random.integers(0, 255, (48, 64, 3), np.uint8), number / rate)
        writer.close()
        assert lengths_of(path) == [count / rate]
        assert len(frames_of(path)) == count


@pytest.mark.parametrize("duration_s", [2, 1500, 3600])
def test_a_frame_may_last_an_hour(tmp_path: Path, duration_s: int) -> None:
    """The film of a talk or of music may have one picture."""
    path = tmp_path / "out.mp4"
    write_numbers(path, 1, Fraction(1, duration_s), time_base=Fraction(1, 1000))

    assert lengths_of(path) == [duration_s]


@pytest.mark.parametrize(
    ("source", "codec", "layout", "target", "kept"),
    [
        ("in.mp4", "aac", "mono", "mp4", "aac"),
        ("in.mkv", "pcm_s16le", "mono", "mp4", "aac"),
        ("in.ts", "aac", "mono", "mp4", "aac"),
        ("in.avi", "adpcm_ms", "mono", "mp4", "aac"),
        ("in.mkv", "pcm_f32le", "stereo", "mov", "aac"),
        ("in.mkv", "pcm_f32le", "stereo", "mkv", "pcm_f32le"),
        ("in.avi", "pcm_s16le", "stereo", "mp4", "aac"),
        ("in.avi", "pcm_s16le", "stereo", "mkv", "pcm_s16le"),
        ("in.mkv", "libopus", "stereo", "mov", "aac"),
        ("in.mkv", "libopus", "stereo", "mp4", "aac"),
        ("in.mkv", "libopus", "stereo", "mkv", "opus"),
        ("in.avi", "libmp3lame", "stereo", "m4v", "aac"),
        ("in.mp4", "libmp3lame", "stereo", "mp4", "aac"),
        ("in.mkv", "ac3", "stereo", "mp4", "ac3"),
        ("in.mov", "alac", "stereo", "mp4", "alac"),
        ("in.mp4", "aac", "stereo", "webm", "opus"),
    ],
)
def test_sound_is_copied_or_encoded(
    tmp_path: Path, source: str, codec: str, layout: str, target: str, kept: str
) -> None:
    """Players of MP4 are silent on what the format permits; channels without names once ended a
    film with an error.
    """
    channels, rate = (1, 16_000) if layout == "mono" else (2, 48_000)
    clip = write_clip(tmp_path / source, 25, audio=codec, layout=layout, audio_rate=rate)
    path = tmp_path / f"out.{target}"
    write_numbers(path, 25, audio_from=clip, encoder=file_encoder(suffix=path.suffix))
    with av.open(str(path)) as container:
        track = container.streams.audio[0]
        assert (track.codec_context.name, track.layout.nb_channels) == (kept, channels)
        starts = [
            (stream.start_time or 0) * stream.time_base
            for stream in container.streams
            if stream.time_base
        ]
        frames = list(container.decode(audio=0))
    assert max(starts) < 0.1
    sound = np.concatenate(
        [frame.to_ndarray().astype(float).T.reshape(frame.samples, -1)[:, 0] for frame in frames]
    )
    assert sound.size == pytest.approx(track.rate, rel=0.15)
    part = sound[track.rate // 8 : track.rate * 7 // 8]
    assert np.abs(np.fft.rfft(part)).argmax() * track.rate / part.size == pytest.approx(440, abs=5)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("layout", ["mono", "stereo"])
@pytest.mark.parametrize("codec", ["aac", "mp2"])
def test_the_sound_of_joined_recordings_goes_on(
    tmp_path: Path, codec: str, layout: str, suffix: str
) -> None:
    """The clock of a transport stream is set back where another recording follows, which may
    have other channels.
    """
    parts = [
        write_clip(tmp_path / f"{kind}.ts", 25, audio=codec, layout=kind)
        for kind in ("mono", layout)
    ]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(parts[0].read_bytes() + parts[-1].read_bytes())
    path = tmp_path / f"out.{suffix}"
    write_numbers(path, 50, audio_from=joined)
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    starts = [float(frame.time or 0) for frame in frames]
    assert starts == sorted(starts) and starts[-1] == pytest.approx(2, abs=0.25)
    assert max(np.diff(starts)) < 0.1
    loudness = [np.abs(frame.to_ndarray().astype(float)).max() for frame in frames]
    assert np.percentile(loudness, 20) > max(loudness) / 3  # quiet where an encoder began and ended


def test_sound_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.mkv", audio="aac")
    clip.write_bytes(clip.read_bytes().replace(b"A_AAC", b"A_NEW"))

    with pytest.raises(OSError, match="its sound cannot be decoded"):
        VideoWriter(tmp_path / "out.mp4", 96, 48, 25, audio_from=clip)

    assert names_in(tmp_path) == ["in.mkv"]


RATE = Fraction(30)


@pytest.mark.parametrize(
    ("wanted", "working", "tried"),
    [
        *(("auto", name, [*HARDWARE][: [*HARDWARE].index(name) + 1]) for name in HARDWARE),
        ("auto", "", [*HARDWARE]),
        ("x264", "", []),
        ("nvenc", "", ["nvenc"]),
    ],
)
def test_auto_takes_the_first_hardware_encoder_that_works_else_x264(
    wanted: str, working: str, tried: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    works = Mock(side_effect=lambda encoder, width, height: encoder.name == working)
    monkeypatch.setattr("app.media.encoders.encodes", works)
    chosen = live_encoder(wanted, 1280, 720, RATE)

    assert chosen.codec == (f"h264_{working}" if working else "libx264") and chosen.live
    assert [call.args[0].name for call in works.call_args_list] == tried


def test_threads_are_bounded_and_follow_the_pixel_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.media.encoders.usable_cores", always(64))

    def threads(width: int, height: int, rate: int) -> str:
        options = live_encoder("x264", width, height, Fraction(rate)).options
        return options["x264-params"].rpartition("threads=")[2]

    assert [threads(1280, 720, 30), threads(1920, 1080, 30), threads(3840, 2160, 60)] == [
        "2",
        "2",
        "4",
    ]


def test_an_encoder_must_encode_a_frame_to_count_as_working() -> None:
    assert encodes(live_encoder("x264", 64, 48, RATE), 64, 48)
    assert encodes(file_encoder(), 64, 48)
    assert not encodes(VideoEncoder("none", "h264_of_nobody"), 64, 48)
    assert not encodes(VideoEncoder("x264", "libx264", pixel_format="rgb24"), 64, 48)
