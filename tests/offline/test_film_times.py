"""Times of converted films: rates, variable times, the last frame, timecode."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import av
import pytest
from PIL import Image

import mattecam
from app.cli import main
from app.core.errors import UsageError
from app.core.settings import BackgroundSettings
from app.media.video_reader import VideoReader
from app.offline.files import frame_rate
from app.offline.job import run_job
from app.offline.plan import plan_jobs
from app.settings import Settings
from tests.clips import (
    copy_into,
    lengths_of,
    numbered,
    read_numbers,
    write_clip,
    write_images,
    write_sound,
    writing,
)
from tests.offline.converting import GREEN, build_half, run
from tests.stand_ins import always

NONE = Settings(background=BackgroundSettings(kind="none"))
MS = Fraction(1, 1000)
NTSC = Fraction(1001, 24000)


class Times(NamedTuple):
    """What a file says of its frames."""

    starts_s: list[Fraction]
    # Mean frame rate.
    rate: Fraction | None
    base_rate: Fraction | None
    # From the first frame to the end of the last.
    length_s: Fraction
    # Sum of the durations of the packets.
    packets_s: Fraction


def times_of(path: Path) -> Times:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        unit = stream.time_base
        packets = [packet for packet in container.demux(stream) if packet.pts is not None]
        assert unit is not None
        starts = sorted(packet.pts or 0 for packet in packets)
        if stream.duration is None:  # Matroska names the end
            length_s = Fraction(container.duration or 0, av.time_base) - starts[0] * unit
        else:
            length_s = stream.duration * unit
        packets_s = Fraction(sum((packet.duration or 0) for packet in packets) * unit)
        return Times(
            [start * unit for start in starts],
            stream.average_rate,
            stream.base_rate,
            length_s,
            packets_s,
        )


def converted(source: Path, suffix: str) -> list[Times]:
    """Convert a clip into a film, a matte and a foreground, and return the times of each."""
    outputs = [source.with_name(f"{name}.{suffix}") for name in ("film", "alpha", "foreground")]
    report = run(source, outputs[0], NONE, alpha=outputs[1], foreground=outputs[2])
    assert report.complete and not report.source_cut and not report.problems
    return [times_of(output) for output in outputs]


@pytest.mark.parametrize("b_frames", [0, 3])
@pytest.mark.parametrize(
    ("rate", "suffix"),
    [
        (Fraction(24000, 1001), "mp4"), (Fraction(30000, 1001), "mov"), (Fraction(25), "mp4"),
        (Fraction(60000, 1001), "mp4"), (Fraction(60), "mov"), (Fraction(7), "mp4"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("source", "unit"), [("in.mkv", MS), ("in.mp4", None), ("in.ts", Fraction(1, 90_000))]
)
def test_a_constant_rate_stays_exactly_constant(
    tmp_path: Path, source: str, unit: Fraction | None, rate: Fraction, b_frames: int, suffix: str
) -> None:
    """Matroska rounds times to milliseconds; in MP4 the frame coded last may be one that is
    shown earlier.
    """
    unit = unit or 1 / rate / 512
    clip = write_clip(tmp_path / source, 48, rate, unit_s=unit, b_frames=b_frames)

    for times in converted(clip, suffix):
        assert times.starts_s == [times.starts_s[0] + n / rate for n in range(48)]
        assert times.starts_s[0] < 0.1
        assert times.rate == times.base_rate == rate
        assert times.length_s == times.packets_s == 48 / rate


def test_a_constant_rate_in_matroska_is_rounded_once(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.mkv", 100, 1 / NTSC)
    for times in converted(clip, "mkv"):
        assert all(abs(start_s - n * NTSC) <= MS / 2 for n, start_s in enumerate(times.starts_s))
        assert times.rate == 1 / NTSC
        assert times.length_s == pytest.approx(float(100 * NTSC), abs=0.001)


FILM_S = [n * NTSC for n in range(100)]
VIDEO_S = [n * Fraction(1001, 30_000) for n in range(90)]
DROPPED_S = [Fraction(n, 30) for n in range(90) if n % 7 not in (3, 4)]
VARIABLE_S = [
    stamp * MS for stamp in (0, 33, 67, 200, 233, 1500, 1533, 1571, 1600, 1690, 1702, 1750)
]
HELD_S = [stamp * MS for stamp in (0, 40, 80, 20_000, 20_040, 60_000)]


@pytest.mark.parametrize(
    ("source", "unit", "rounded", "named", "times_s", "last_s", "target"),
    [
        *(
            ("mkv", MS, rounded, named, FILM_S, NTSC, "mp4")
            for rounded in (round, int)
            for named in (1000, 25)
        ),
        (
            "mp4",
            Fraction(1, 16_000),
            lambda stamp: 16 * round(stamp / 16),
            1 / NTSC,
            FILM_S,
            NTSC,
            "mp4",
        ),
        *(
            ("mov", Fraction(1, 600), rounded, 30, VIDEO_S, VIDEO_S[1], "mov")
            for rounded in (round, int)
        ),
        ("mkv", MS, round, 30, DROPPED_S, Fraction(1, 30), "mp4"),
        *(("mkv", MS, round, 30, VARIABLE_S, None, target) for target in ("mp4", "mov", "mkv")),
        *((source, MS, round, 25, HELD_S, None, "mp4") for source in ("mp4", "mkv", "mov")),
    ],
)
def test_times_are_exact_whatever_rounded_them_and_whatever_rate_the_header_names(
    tmp_path: Path, source: str, unit: Fraction, rounded: Callable[[Fraction], int], named: Fraction | int,
    times_s: list[Fraction], last_s: Fraction | None, target: str,
) -> None:  # fmt: skip
    """Recorders of browsers name the clock in place of the rate, and some truncate the times;
    others drop frames.
    """
    stamps_s = [rounded(time_s / unit) * unit for time_s in times_s]
    clip = write_clip(tmp_path / f"in.{source}", len(times_s), named, times_s=stamps_s, unit_s=unit)
    for times in converted(clip, target):
        assert times.starts_s == times_s
        if last_s is not None:
            assert times.length_s == times.packets_s == times_s[-1] + last_s
            assert times.rate == len(times_s) / times.length_s


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm"])
def test_the_priming_of_sound_does_not_delay_the_film(tmp_path: Path, suffix: str) -> None:
    """Matroska has no times before the start, where encoders of AAC begin."""
    clip = write_clip(tmp_path / "in.mp4", 25, audio="aac", audio_rate=48_000)
    film, matte, _ = converted(clip, suffix)

    assert film.starts_s == matte.starts_s == [Fraction(number, 25) for number in range(25)]
    with av.open(str(tmp_path / f"film.{suffix}")) as container:
        assert next(container.decode(audio=0)).time == pytest.approx(0, abs=0.025)


FIELD_S = Fraction(1001, 60_000)
PAL_FIELD_S = Fraction(1, 50)


def after(field_s: Fraction, fields: list[int]) -> list[Fraction]:
    """Return the times of frames that last so many fields each."""
    return [sum(fields[:number]) * field_s for number in range(len(fields))]


@pytest.mark.parametrize(
    ("field_s", "fields", "rate"),
    [
        pytest.param(FIELD_S, [3, 2] * 24, 1 / NTSC, id="3 and 2 fields in turn"),
        pytest.param(FIELD_S, [2, 3] * 24, 1 / NTSC, id="2 and 3 fields in turn"),
        pytest.param(
            FIELD_S, [3, 2] * 12 + [2, 3] * 12, 1 / NTSC, id="joined where the turn changes"
        ),
        pytest.param(
            PAL_FIELD_S, ([2] * 11 + [3]) * 4, Fraction(24), id="3 in place of 2 every half second"
        ),
    ],
)
@pytest.mark.parametrize(("source", "unit"), [("in.ts", Fraction(1, 90_000)), ("in.mkv", MS)])
def test_a_film_that_repeats_fields_for_television_has_the_rate_of_cinema(
    source: str,
    unit: Fraction,
    field_s: Fraction,
    fields: list[int],
    rate: Fraction,
    tmp_path: Path,
) -> None:
    """As on DVDs. Its frames were 33 and 50 milliseconds long in turn."""
    clip = write_clip(
        tmp_path / source, len(fields), 1 / field_s / 2, times_s=after(field_s, fields), unit_s=unit
    )

    (film, *_) = converted(clip, "mp4")

    assert film.starts_s == [number / rate for number in range(len(fields))]
    assert film.rate == film.base_rate == rate
    assert film.length_s == len(fields) / rate


def test_a_film_that_is_partly_of_cinema_and_partly_of_television_keeps_its_times(
    tmp_path: Path,
) -> None:
    times_s = after(FIELD_S, [2] * 24 + [3, 2] * 12)
    clip = write_clip(
        tmp_path / "in.ts",
        len(times_s),
        1 / FIELD_S / 2,
        times_s=times_s,
        unit_s=Fraction(1, 90_000),
    )

    (film, *_) = converted(clip, "mp4")

    assert [float(start_s) for start_s in film.starts_s] == pytest.approx(
        list(map(float, times_s)), abs=0.0001
    )


def test_film_and_sound_that_begin_apart_keep_their_distance(tmp_path: Path) -> None:
    times_s = [21 * MS + Fraction(n, 30) for n in range(30)]
    (film, *_) = converted(
        write_clip(tmp_path / "in.mkv", 30, 30, times_s=times_s, audio="pcm_s16le"), "mp4"
    )

    assert film.starts_s == times_s


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize("source", ["in.mp4", "in.mkv"])
def test_the_last_frame_lasts_as_long_as_in_the_source(
    tmp_path: Path, source: str, b_frames: int, suffix: str
) -> None:
    clip = write_clip(
        tmp_path / source, 18, 30, unit_s=Fraction(1, 600), last_s=3, b_frames=b_frames
    )
    for times in converted(clip, suffix):
        assert times.starts_s[-1] == pytest.approx(17 / 30, abs=0.001)
        assert times.length_s == pytest.approx(17 / 30 + 3, abs=0.002)


@pytest.mark.parametrize("suffix", ["gif", "apng"])
@pytest.mark.parametrize(
    "durations_ms", [[100, 100, 100, 2500], [100, 100, 50, 20], [700, 20, 40, 1300]]
)
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


@pytest.mark.parametrize("audio", ["", "mp2"])
@pytest.mark.parametrize("gap_s", [15, 3600, 20_000])
def test_a_leap_of_the_clock_is_joined(tmp_path: Path, gap_s: int, audio: str) -> None:
    """Recorders restart and count on, so that an hour of a frozen frame would follow."""
    part = write_clip(tmp_path / "part.ts", 20, 25, audio=audio)
    source = copy_into(
        tmp_path / "in.ts", (part, 0), (part, gap_s * 90_000)
    )  # two streams, the second after a gap
    run(source, tmp_path / "film.mp4", NONE)
    times = times_of(tmp_path / "film.mp4")
    assert times.starts_s == [Fraction(n, 25) for n in range(40)]
    assert read_numbers(tmp_path / "film.mp4") == [*range(20), *range(20)]
    ends = list(map(float, lengths_of(tmp_path / "film.mp4")))
    assert ends == pytest.approx([1.6] * len(ends), abs=0.15)


NEEDS_TAGS_OF_FRAMES = pytest.mark.skipif(
    not hasattr(av.VideoFrame, "metadata"),
    reason="PyAV of Python 3.10 reads no timecode of a frame",
)


def write_coded(
    path: Path, timecode: str, rate: Fraction, *, codec: str = "libx264", on_file: bool = False
) -> Path:
    """Write ten frames with a timecode. on_file: named for the whole file in place of the track."""
    with writing(path, codec, rate) as (container, stream):
        if codec == "mpeg2video":
            stream.options = {"gop_timecode": timecode}
        else:
            (container if on_file else stream).metadata["timecode"] = timecode
        for number in range(10):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(number), "bgr24")))
    return path


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize(
    ("source", "timecode", "rate", "codec", "on_file"),
    [
        ("in.mov", "01:02:03:04", Fraction(25), "libx264", False),
        ("in.mov", "01:02:03;04", Fraction(30000, 1001), "libx264", False),
        ("in.mp4", "23:59:59:23", Fraction(24), "libx264", False),
        ("in.mkv", "10:00:00:00", Fraction(24000, 1001), "libx264", True),
        ("in.mkv", "10:00:00:12", Fraction(50), "libx264", False),
        ("in.mxf", "00:00:00:00", Fraction(25), "mpeg2video", True),
        pytest.param(
            "in.mpg", "10:00:00:12", Fraction(25), "mpeg2video", False, marks=NEEDS_TAGS_OF_FRAMES
        ),
    ],
)
def test_films_have_the_timecode_of_their_source(
    tmp_path: Path,
    source: str,
    timecode: str,
    rate: Fraction,
    codec: str,
    on_file: bool,
    suffix: str,
) -> None:
    path = write_coded(tmp_path / source, timecode, rate, codec=codec, on_file=on_file)
    outputs = [tmp_path / f"{name}.{suffix}" for name in ("film", "alpha", "foreground")]
    report = run(path, outputs[0], alpha=outputs[1], foreground=outputs[2])
    assert (report.frames, report.problems) == (10, ())
    for output in outputs:
        assert VideoReader(output).labels.timecode == timecode
        with av.open(str(output)) as container:
            named = [container.metadata, *(stream.metadata for stream in container.streams)]
            assert timecode in [tags.get("timecode", tags.get("TIMECODE")) for tags in named]
            assert len(container.streams.video) == 1


@pytest.mark.parametrize("timecode", ["no timecode", "1:2:3:4", "", "99:99:99:99x", "01:02:03;04"])
def test_a_timecode_that_is_none_is_left_out(tmp_path: Path, timecode: str) -> None:
    """The last one drops frames, at a rate without that."""
    assert run(
        write_coded(tmp_path / "in.mkv", timecode, Fraction(25), on_file=True), tmp_path / "out.mov"
    ).complete
    assert VideoReader(tmp_path / "out.mov").labels.timecode is None
    begun_at_zero = write_coded(
        tmp_path / "in.mpg", "00:00:00:00", Fraction(25), codec="mpeg2video"
    )
    assert VideoReader(begun_at_zero).labels.timecode is None


CHAPTERS_S = [(0.0, 0.2, "One"), (0.2, 0.9, "Two"), (5.0, 9.0, "Of the whole film")]


def write_labelled(path: Path) -> Path:
    """Write a film of half a second with a title and three chapters, of which one is behind its
    end.
    """
    with writing(path, "libvpx" if path.suffix == ".webm" else "libx264") as (container, stream):
        container.metadata["title"] = "Ein schöner Tag"
        container.set_chapters(
            [
                {
                    "id": number,
                    "start": round(start_s * 1000),
                    "end": round(end_s * 1000),
                    "time_base": MS,
                    "metadata": {"title": title},
                }
                for number, (start_s, end_s, title) in enumerate(CHAPTERS_S)
            ]
        )
        sound = container.add_stream(
            "libopus" if path.suffix == ".webm" else "aac", rate=48_000, layout="mono"
        )
        for number in range(12):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(number), "bgr24")))
        write_sound(container, sound, 0.48)
    return path


@pytest.mark.parametrize("target", ["mp4", "m4v", "mov", "mkv", "webm"])
@pytest.mark.parametrize("source", ["in.mp4", "in.mov", "in.mkv", "in.webm"])
def test_films_have_the_title_and_the_chapters_of_their_source(
    source: str, target: str, tmp_path: Path
) -> None:
    clip = write_labelled(tmp_path / source)

    report = run(clip, tmp_path / f"out.{target}")

    assert report.problems == ()
    with av.open(str(report.target)) as container:
        found = [
            (float(each["start"] * (each["time_base"] or 0)), each["metadata"]["title"])
            for each in container.chapters()
        ]
        assert container.metadata["title"] == "Ein schöner Tag"
        assert container.duration is not None
        assert container.duration / 1e6 < 0.6, "no chapter lasts longer than the film"
    assert found == [(0.0, "One"), (0.2, "Two")]
    assert len(read_numbers(report.target)) == 12


RATES = {
    "24": 24,
    "29.97": Fraction(30000, 1001),
    "59.94": Fraction(60000, 1001),
    "12.5": 12.5,
    "0.5": 0.5,
    " 240 ": 240,
    **dict.fromkeys(("23.976", "23.98", "24000/1001"), Fraction(24000, 1001)),
}
NO_RATES: list[str | float] = [
    "",
    "fast",
    "0",
    "-24",
    "24/0",
    "1e9",
    "1e99999999",
    "nan",
    "inf",
    "25 fps",
    math.nan,
    math.inf,
    0.0,
]


def test_a_rate_is_written_as_people_write_it() -> None:
    assert {value: frame_rate(value) for value in RATES} == RATES
    for value in NO_RATES:
        with pytest.raises(
            UsageError, match=r"is no frame rate; write a number from 0\.01 to 1000"
        ):
            frame_rate(value)


@pytest.mark.parametrize("given", [None, "24", 24, 23.976, Fraction(25, 2), "30000/1001"])
def test_images_become_a_film_of_the_rate(
    tmp_path: Path, given: str | float | Fraction | None
) -> None:
    images = write_images(tmp_path / "in", *(f"{number}.png" for number in range(12)))
    target = tmp_path / "out.mp4"
    alpha = tmp_path / "alpha.mp4"
    told = tmp_path / "told.mp4"
    rate = Fraction(30) if given is None else frame_rate(given)
    with patch("app.offline.convert.build_engine", build_half):
        mattecam.convert(images, target, background="none", alpha=alpha, fps=given)
    assert (
        main.main(["convert", str(images), str(told), "--fps", str(rate), "--background", "none"])
        == 0
    )
    for film in (target, alpha, told):
        assert film == alpha or read_numbers(film) == list(range(12))
        times = times_of(film)
        assert times.rate == times.base_rate == rate and times.length_s == 12 / rate


def test_what_has_a_rate_of_its_own_takes_no_other_but_folders_of_images_do(tmp_path: Path) -> None:
    images = write_images(tmp_path / "in", "0.png")
    for source in (write_clip(tmp_path / "clip.mp4", 3), images / "0.png"):
        with pytest.raises(
            UsageError, match=f"{source.name} is no folder of images, whose frame rate"
        ):
            run(source, tmp_path / f"out{source.suffix}", fps=Fraction(24))
    assert not list(tmp_path.glob("out*"))
    clip = str(tmp_path / "clip.mp4")
    sources = [clip, str(images)]
    target = str(tmp_path / "out")
    jobs = plan_jobs(sources, target, GREEN, alpha=None, foreground=None, fps=Fraction(24))
    others = plan_jobs(sources, target, GREEN, alpha=None, foreground=None)
    assert [job.fps for job in jobs if job.is_folder] == [24]
    with patch("app.offline.convert.build_engine", build_half):
        assert run_job(jobs[0], always(False)).state == "done", (
            "the clip beside a folder keeps its rate"
        )
    assert jobs[0].settings_hash != others[0].settings_hash, "--resume converts again"
    with pytest.raises(UsageError, match=r"clip\.mp4 is no folder of images"):
        plan_jobs([clip], target, GREEN, alpha=None, foreground=None, fps=Fraction(24))


@pytest.mark.parametrize(
    ("suffix", "codec"), [("h264", "libx264"), ("hevc", "libx265"), ("m2v", "mpeg2video")]
)
@pytest.mark.parametrize("rate", [Fraction(30), Fraction(24000, 1001), Fraction(50)])
def test_a_bare_stream_has_the_rate_that_it_names(
    tmp_path: Path, suffix: str, codec: str, rate: Fraction
) -> None:
    """FFmpeg assumes 25 frames per second of every such file."""
    source = tmp_path / f"in.{suffix}"
    with writing(source, codec, rate, size=(96, 64)) as (container, written):
        for number in range(40):
            container.mux(
                written.encode(av.VideoFrame.from_ndarray(numbered(number, height=64), "bgr24"))
            )
    report = run(source, tmp_path / "out.mp4")
    assert (report.frames, report.expected_frames, report.problems) == (40, 40, ())
    times = times_of(tmp_path / "out.mp4")
    assert (times.rate, times.length_s) == (rate, 40 / rate)


def test_the_clock_of_a_file_is_not_its_frame_rate(tmp_path: Path) -> None:
    """Browsers record WebM without a frame rate: the only one to be found is that of its clock,
    in milliseconds.
    """
    source = write_clip(
        tmp_path / "in.mkv", 40, fps=1000, times_s=[number * 0.034 for number in range(40)]
    )
    report = run(source, tmp_path / "out.mp4")
    assert report.frames == 40
    assert report.expected_frames is not None and 30 < report.expected_frames < 50
    with av.open(str(tmp_path / "out.mp4")) as container:
        header = container.streams.video[0].codec_context.extradata
    assert header is not None and header[3] == 10, (
        "the level of H.264, at which players refuse films"
    )
