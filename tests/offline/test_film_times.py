"""Times of converted films: constant rates stay constant, variable times and the last frame's duration are kept."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import pytest
from PIL import Image

from app.core.settings import BackgroundSettings, Settings
from tests.clips import numbered, read_numbers, write_clip
from tests.offline.converting import run

NONE = Settings(background=BackgroundSettings(kind="none"))
MS = Fraction(1, 1000)
NTSC = Fraction(1001, 24000)


class Times(NamedTuple):
    """What a file says of its frames."""

    starts_s: list[Fraction]
    rate: Fraction | None
    """Mean frame rate."""
    base_rate: Fraction | None
    length_s: Fraction
    """From the first frame to the end of the last."""
    packets_s: Fraction
    """Sum of the durations of the packets."""


def times_of(path: Path) -> Times:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        unit = stream.time_base
        packets = [packet for packet in container.demux(stream) if packet.pts is not None]
        assert unit is not None
        starts = sorted(packet.pts or 0 for packet in packets)
        if stream.duration is None:  # Matroska names the end
            hours, minutes, seconds = stream.metadata["DURATION"].split(":")
            length_s = 3600 * int(hours) + 60 * int(minutes) + Fraction(seconds) - starts[0] * unit
        else:
            length_s = stream.duration * unit
        packets_s = sum((packet.duration or 0) for packet in packets) * unit
        return Times(
            [start * unit for start in starts], stream.average_rate, stream.base_rate, length_s, Fraction(packets_s)
        )


def write_timed(
    path: Path,
    stamps: Sequence[int],
    unit: Fraction,
    *,
    rate: Fraction | int = 30,
    last: int | None = None,
    b_frames: int = 0,
    audio: str = "",
) -> Path:
    """Write a clip of numbered frames at these times, in units. last: duration of the last frame."""
    with av.open(str(path), "w") as container:
        options = {"crf": "20", "preset": "ultrafast", "x264-params": f"bframes={b_frames}:b-adapt=0:scenecut=0"}
        stream = container.add_stream("libx264", rate=rate, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 96, 48, "yuv420p"
        stream.time_base = stream.codec_context.time_base = unit
        sound = container.add_stream(audio, rate=48_000, layout="mono") if audio else None
        for number, stamp in enumerate(stamps):
            frame = av.VideoFrame.from_ndarray(numbered(number % 64), "bgr24")
            frame.pts, frame.time_base = stamp, unit
            container.mux(stream.encode(frame))
        flushed = stream.encode(None)
        for packet in flushed:
            if packet.pts == stamps[-1] and last is not None:
                packet.duration = last
        container.mux(flushed)
        if isinstance(sound, av.AudioStream):
            samples = av.AudioFrame.from_ndarray(np.zeros((1, 48_000), np.int16), "s16", "mono")
            samples.sample_rate = 48_000
            container.mux([*sound.encode(samples), *sound.encode(None)])
    return path


def converted(source: Path, suffix: str) -> list[Times]:
    """Convert a clip into a film, a matte and a foreground, and return the times of each."""
    outputs = [source.with_name(f"{name}.{suffix}") for name in ("film", "alpha", "foreground")]
    report = run(source, outputs[0], NONE, alpha=outputs[1], foreground=outputs[2])
    assert report.complete and not report.source_cut and not report.problems
    return [times_of(output) for output in outputs]


@pytest.mark.parametrize("b_frames", [0, 3])
@pytest.mark.parametrize(
    "rate",
    [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(25), Fraction(60000, 1001), Fraction(60), Fraction(7)],
)
@pytest.mark.parametrize(("source", "unit"), [("in.mkv", MS), ("in.mp4", None), ("in.ts", Fraction(1, 90_000))])
@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_a_constant_rate_stays_exactly_constant(
    tmp_path: Path, source: str, unit: Fraction | None, rate: Fraction, b_frames: int, suffix: str
) -> None:
    """Matroska rounds times to milliseconds; in MP4 the frame coded last may be one that is shown earlier."""
    unit = unit or 1 / rate / 512
    clip = write_timed(
        tmp_path / source, [round(n / rate / unit) for n in range(48)], unit, rate=rate, b_frames=b_frames
    )
    for times in converted(clip, suffix):
        assert times.starts_s == [times.starts_s[0] + n / rate for n in range(48)]
        assert times.starts_s[0] < 0.1
        assert times.rate == times.base_rate == rate
        assert times.length_s == times.packets_s == 48 / rate


def test_a_constant_rate_in_matroska_is_rounded_once(tmp_path: Path) -> None:
    clip = write_timed(tmp_path / "in.mkv", [round(n * NTSC / MS) for n in range(100)], MS, rate=1 / NTSC)
    for times in converted(clip, "mkv"):
        assert all(abs(start_s - n * NTSC) <= MS / 2 for n, start_s in enumerate(times.starts_s))
        assert times.rate == 1 / NTSC
        assert times.length_s == pytest.approx(float(100 * NTSC), abs=0.001)


@pytest.mark.parametrize("rounded", [round, int])
@pytest.mark.parametrize("named", [1000, 25])
def test_a_constant_rate_is_found_whatever_the_header_names(tmp_path: Path, rounded: type[int], named: int) -> None:
    """Recorders of browsers name the clock in place of the rate, and some truncate the times."""
    clip = write_timed(tmp_path / "in.mkv", [rounded(n * NTSC / MS) for n in range(100)], MS, rate=named)
    (film, *_) = converted(clip, "mp4")
    assert film.rate == 1 / NTSC
    assert np.ptp(np.diff([float(start_s) for start_s in film.starts_s])) < 1e-9


def test_times_that_a_copy_took_over_from_milliseconds_count_as_rounded_to_them(tmp_path: Path) -> None:
    unit = Fraction(1, 16_000)
    clip = write_timed(tmp_path / "in.mp4", [16 * round(n * NTSC / MS) for n in range(48)], unit, rate=1 / NTSC)
    for times in converted(clip, "mp4"):
        assert times.starts_s == [n * NTSC for n in range(48)]
        assert times.length_s == 48 * NTSC


@pytest.mark.parametrize("rounded", [round, int])
def test_times_in_600ths_of_a_second_count_as_rounded_to_them(tmp_path: Path, rounded: type[int]) -> None:
    """The unit of QuickTime, in which 29.97 frames per second have no exact times."""
    rate, unit = Fraction(30000, 1001), Fraction(1, 600)
    clip = write_timed(tmp_path / "in.mov", [rounded(n / rate / unit) for n in range(90)], unit, rate=rate)
    for times in converted(clip, "mov"):
        assert times.starts_s == [n / rate for n in range(90)]
        assert (times.rate, times.length_s) == (rate, 90 / rate)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm"])
def test_the_priming_of_sound_does_not_delay_the_film(tmp_path: Path, suffix: str) -> None:
    """Matroska has no times before the start, where encoders of AAC begin."""
    clip = write_timed(tmp_path / "in.mp4", range(25), Fraction(1, 25), rate=25, audio="aac")
    film, matte, _ = converted(clip, suffix)
    assert film.starts_s == matte.starts_s == [Fraction(number, 25) for number in range(25)]
    with av.open(str(tmp_path / f"film.{suffix}")) as container:
        assert next(container.decode(audio=0)).time == pytest.approx(0, abs=0.025)


def test_film_and_sound_that_begin_apart_keep_their_distance(tmp_path: Path) -> None:
    clip = write_timed(tmp_path / "in.mkv", [21 + round(n * 1000 / 30) for n in range(30)], MS, audio="pcm_s16le")
    (film, *_) = converted(clip, "mp4")
    assert film.starts_s == [Fraction(21, 1000) + Fraction(n, 30) for n in range(30)]


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_a_variable_rate_keeps_its_times(tmp_path: Path, suffix: str) -> None:
    stamps = [0, 33, 67, 200, 233, 1500, 1533, 1571, 1600, 1690, 1702, 1750]
    for times in converted(write_timed(tmp_path / "in.mkv", stamps, MS, b_frames=3), suffix):
        assert times.starts_s == [stamp * MS for stamp in stamps]


def test_frames_that_a_recorder_dropped_leave_exact_times(tmp_path: Path) -> None:
    numbers = [n for n in range(90) if n % 7 not in (3, 4)]
    clip = write_timed(tmp_path / "in.mkv", [round(n * 1000 / 30) for n in numbers], MS, rate=30)
    for times in converted(clip, "mp4"):
        assert times.starts_s == [Fraction(n, 30) for n in numbers]
        assert times.length_s == times.packets_s == Fraction(numbers[-1] + 1, 30)


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize("source", ["in.mp4", "in.mkv"])
def test_the_last_frame_lasts_as_long_as_in_the_source(tmp_path: Path, source: str, b_frames: int, suffix: str) -> None:
    clip = write_timed(tmp_path / source, [n * 20 for n in range(20)], Fraction(1, 600), last=1800, b_frames=b_frames)
    for times in converted(clip, suffix):
        assert times.starts_s[-1] == pytest.approx(19 / 30, abs=0.001)
        assert times.length_s == pytest.approx(19 / 30 + 3, abs=0.002)


@pytest.mark.parametrize("suffix", ["gif", "apng"])
@pytest.mark.parametrize("durations_ms", [[100, 100, 100, 2500], [100, 100, 50, 20], [700, 20, 40, 1300]])
def test_every_frame_of_an_animation_lasts_as_long_as_in_the_source(
    tmp_path: Path, suffix: str, durations_ms: list[int]
) -> None:
    images = [Image.fromarray(numbered(number)) for number in range(len(durations_ms))]
    path = tmp_path / f"in.{suffix}"
    images[0].save(path, format="PNG" if suffix == "apng" else "GIF", save_all=True, append_images=images[1:],
                   duration=durations_ms, loop=0)  # fmt: skip
    for times in converted(path, "mp4"):
        assert times.starts_s == [sum(durations_ms[:number]) * MS for number in range(len(images))]
        assert times.length_s == sum(durations_ms) * MS


def written_twice(tmp_path: Path, gap_s: int, *, audio: str = "") -> Path:
    """Write two transport streams, of which the second begins `gap_s` after the first, into one file."""
    path = tmp_path / "in.ts"
    with av.open(str(path), "w") as target:
        first = write_clip(tmp_path / "part.ts", 20, 25, audio=audio)
        with av.open(str(first)) as part:
            streams = {stream.index: target.add_stream_from_template(stream) for stream in part.streams}
        for number in range(2):
            with av.open(str(first)) as part:
                for packet in part.demux():
                    if packet.dts is None or packet.pts is None:
                        continue
                    packet.pts += number * gap_s * 90_000
                    packet.dts += number * gap_s * 90_000
                    packet.stream = streams[packet.stream.index]
                    target.mux_one(packet)
    return path


@pytest.mark.parametrize("audio", ["", "mp2"])
@pytest.mark.parametrize("gap_s", [15, 3600, 20_000])
def test_a_leap_of_the_clock_is_joined(tmp_path: Path, gap_s: int, audio: str) -> None:
    """Recorders restart and count on, so that an hour of a frozen frame would follow."""
    source = written_twice(tmp_path, gap_s, audio=audio)
    run(source, tmp_path / "film.mp4", NONE)
    times = times_of(tmp_path / "film.mp4")
    assert times.starts_s == [Fraction(n, 25) for n in range(40)]
    assert read_numbers(tmp_path / "film.mp4") == [*range(20), *range(20)]
    with av.open(str(tmp_path / "film.mp4")) as container:
        ends = [float((stream.duration or 0) * (stream.time_base or 0)) for stream in container.streams]
    assert ends == pytest.approx([1.6] * len(ends), abs=0.15)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov"])
def test_a_frame_is_held_in_formats_whose_clock_does_not_leap(tmp_path: Path, suffix: str) -> None:
    source = write_timed(tmp_path / f"in.{suffix}", [0, 40, 80, 20_000, 20_040, 60_000], MS, rate=25)
    (film, *_) = converted(source, "mp4")
    assert film.starts_s == [stamp * MS for stamp in (0, 40, 80, 20_000, 20_040, 60_000)]
