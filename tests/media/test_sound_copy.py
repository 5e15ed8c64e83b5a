"""Sound of films: its packets are even, gaps and edits are kept, and what the target cannot hold
is told.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from app.core.settings import BackgroundSettings
from app.media.film_clock import SoundClock
from app.media.headers import read_header
from app.settings import Settings
from tests.clips import length_of, numbered, writing
from tests.offline.converting import run
from tests.paths import ROOT

NONE = Settings(background=BackgroundSettings(kind="none"))
FIELD = ROOT / "tests" / "field"
RATE = 48_000
LOUD = 0.2
CHUNK = 960
APART_S = 0.15

# Takes the time of a packet and returns the one that the file gets; None to leave the packet out.
Times = Callable[[float], float | None]


def unchanged(time_s: float) -> float:
    return time_s


def write_beeps(
    path: Path,
    codec: str,
    beeps_s: list[float],
    *,
    rate: int = RATE,
    layout: str = "mono",
    length_s: float = 2.0,
    times: Times = unchanged,
) -> Path:
    """Write a film of this length with a beep of 1 kHz and 40 ms at each time, in every channel."""
    channels = av.AudioLayout(layout).nb_channels
    clock_s = np.arange(round(length_s * rate)) / rate
    wave = np.zeros(len(clock_s))
    for start_s in beeps_s:
        sounds = (clock_s >= start_s) & (clock_s < start_s + 0.04)
        wave[sounds] = np.sin(2 * np.pi * 1000 * (clock_s[sounds] - start_s)) * 0.9
    samples = np.repeat((wave * 32_000).astype(np.int16), channels)[None]
    video_codec = "libvpx" if path.suffix == ".webm" else "libx264"
    with writing(
        path, video_codec, 30, options={"deadline": "realtime", "preset": "ultrafast"}
    ) as (container, stream):
        sound = container.add_stream(codec, rate=rate, layout=layout)
        assert isinstance(sound, AudioStream)
        for number in range(round(length_s * 30)):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(number % 60), "bgr24")))
        packets = []
        for start in range(0, len(clock_s), CHUNK):
            part = np.ascontiguousarray(samples[:, start * channels : (start + CHUNK) * channels])
            frame = av.AudioFrame.from_ndarray(part, "s16", layout)
            frame.sample_rate = rate
            frame.pts = start
            frame.time_base = Fraction(1, rate)
            packets += sound.encode(frame)
        for packet in [*packets, *sound.encode(None)]:
            assert packet.pts is not None
            time_s = times(float(packet.pts * packet.time_base))
            if time_s is None:
                continue
            packet.pts = packet.dts = round(time_s / packet.time_base)
            container.mux(packet)
    return path


def heard(path: Path) -> NDArray[np.float32]:
    """Return the sound of a file by its times, (channels, samples) at 48 kHz; silent where it
    has none.
    """
    with av.open(str(path)) as container:
        track = container.streams.audio[0]
        channels = track.codec_context.channels
        sound = np.zeros((channels, RATE * 8), np.float32)
        resampler = av.AudioResampler("flt", track.codec_context.layout, RATE)
        for decoded in container.decode(track):
            start = round((decoded.time or 0) * RATE)
            for frame in resampler.resample(decoded):
                values = frame.to_ndarray().reshape(-1, channels).T[:, max(0, -start) :]
                start = max(start, 0)
                sound[:, start : start + values.shape[1]] = values
                start += values.shape[1]
    return sound


def beeps_in(path: Path) -> list[float]:
    """Return the times at which the sound of a file becomes loud, in seconds."""
    times_s = np.flatnonzero(np.abs(heard(path)[0]) > LOUD) / RATE
    starts = np.diff(times_s, prepend=-1) > APART_S
    return [float(time_s) for time_s in times_s[starts]]


def packet_lengths(path: Path) -> set[int]:
    """Return how many samples lie between the packets of sound of an MP4 or MOV file."""
    with av.open(str(path)) as container:
        track = container.streams.audio[0]
        starts = [packet.pts for packet in container.demux(track) if packet.pts is not None]
        unit_s = track.time_base
        rate = track.codec_context.sample_rate
        assert unit_s is not None
    return {round(int(step) * unit_s * rate) for step in np.diff(starts)}


def made(source: Path, suffix: str) -> Path:
    """Convert a film, without matting it, and return the new one."""
    report = run(source, source.with_name(f"made.{suffix}"), NONE)
    assert report.complete and not report.problems
    return report.target


@pytest.mark.parametrize("suffix", ["mp4", "mov"])
@pytest.mark.parametrize(
    ("source", "codec", "rate", "samples"),
    [
        ("in.mkv", "aac", 48_000, 1024),
        ("in.mkv", "aac", 44_100, 1024),
        ("in.flv", "aac", 44_100, 1024),
        ("in.mkv", "ac3", 48_000, 1536),
        ("in.mkv", "alac", 48_000, 4096),
        ("in.ts", "ac3", 44_100, 1536),
        ("in.mkv", "libopus", 48_000, 1024),
        ("in.webm", "libopus", 48_000, 1024),
    ],
)
def test_packets_of_sound_are_even_whatever_rounded_their_times(
    source: str, codec: str, rate: int, samples: int, suffix: str, tmp_path: Path
) -> None:
    """Matroska and FLV have milliseconds; what is no AAC, AC-3 or ALAC is encoded as AAC."""
    clip = write_beeps(tmp_path / source, codec, [0.5, 1.5], rate=rate)

    film = made(clip, suffix)

    assert packet_lengths(film) == {samples}
    assert beeps_in(film) == pytest.approx([0.5, 1.5], abs=0.03)


@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_packets_of_a_recording_of_obs_are_even(suffix: str, tmp_path: Path) -> None:
    source = FIELD / "sound_in_milliseconds_aac_obs_like.mkv"

    run(source, tmp_path / f"out.{suffix}", NONE)

    assert packet_lengths(tmp_path / f"out.{suffix}") == {1024}
    assert beeps_in(tmp_path / f"out.{suffix}") == pytest.approx(beeps_in(source), abs=0.003)


def lost_from_half_a_second(time_s: float) -> float | None:
    return None if 0.5 <= time_s < 1.0 else time_s


def every_tenth_early_or_late(time_s: float) -> float:
    """Move single packets by up to three quarters of one, as live streams do."""
    return time_s + (0, 0, 0.016, 0, 0, 0, -0.016, 0, 0, 0)[round(time_s * 50) % 10]


def fast_by_a_twentieth(time_s: float) -> float:
    """Give the packets the times of a sound card that delivers 5 % too many samples."""
    return time_s / 1.05


@pytest.mark.parametrize(
    ("source", "codec"), [("in.mkv", "aac"), ("in.mkv", "libopus"), ("in.flv", "libmp3lame")]
)
def test_a_gap_keeps_its_length(source: str, codec: str, tmp_path: Path) -> None:
    clip = write_beeps(tmp_path / source, codec, [0.2, 0.7, 1.5], rate=44_100 if codec == "libmp3lame" else RATE,
                       times=lost_from_half_a_second)  # fmt: skip

    film = made(clip, "mp4")

    assert beeps_in(film) == pytest.approx([0.2, 1.5], abs=0.04)
    if codec != "aac":
        assert packet_lengths(film) == {1024}, "where sound is encoded, the gap is silence"


@pytest.mark.parametrize("codec", ["aac", "pcm_s16le"])
def test_single_packets_that_come_early_or_late_move_nothing(codec: str, tmp_path: Path) -> None:
    clip = write_beeps(tmp_path / "in.mkv", codec, [0.5, 1.5], times=every_tenth_early_or_late)

    film = made(clip, "mp4")

    assert packet_lengths(film) == {1024}
    assert beeps_in(film) == pytest.approx([0.5, 1.5], abs=0.03)


@pytest.mark.parametrize("codec", ["aac", "pcm_s16le"])
def test_sound_of_a_card_that_runs_fast_stays_with_the_film(codec: str, tmp_path: Path) -> None:
    clip = write_beeps(
        tmp_path / "in.mkv", codec, [0.5, 3.5], length_s=4, times=fast_by_a_twentieth
    )

    film = made(clip, "mp4")

    assert packet_lengths(film) == {1024}
    assert beeps_in(film) == pytest.approx([0.5 / 1.05, 3.5 / 1.05], abs=0.05)


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "webm"])
def test_sound_that_edits_leave_out_is_left_out(suffix: str, tmp_path: Path) -> None:
    """The film has two edits, of half a second each; all of its sound was kept."""
    film = tmp_path / f"out.{suffix}"

    run(FIELD / "two_edits_with_sound.mp4", film, NONE)

    assert beeps_in(film) == pytest.approx([0.10, 0.70], abs=0.01)
    with av.open(str(film)) as container:
        assert container.duration is not None
        assert container.duration / 1e6 == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_sound_before_the_only_edit_is_left_out(suffix: str, tmp_path: Path) -> None:
    """As where a film was trimmed without encoding it again."""
    clip = write_beeps(tmp_path / "in.mp4", "aac", [0.3, 1.3])
    data = bytearray(clip.read_bytes())
    ticks_per_s = 1000
    for box, rate in ((b"vmhd", 15_360), (b"smhd", RATE)):
        at = data.rindex(b"elst", 0, data.index(box))
        struct.pack_into(">Ii", data, at + 12, ticks_per_s, rate)
    clip.write_bytes(data)

    film = made(clip, suffix)

    assert beeps_in(film) == pytest.approx([0.3], abs=0.03)


def test_pauses_of_an_edit_list_are_no_edits(tmp_path: Path) -> None:
    clip = write_beeps(tmp_path / "in.mp4", "aac", [0.3])
    assert read_header(clip).sound_edits(0) == 1
    assert read_header(FIELD / "two_edits_with_sound.mp4").sound_edits(0) == 2


@pytest.mark.parametrize("codec", ["pcm_s16le", "pcm_s24le", "pcm_s16be", "pcm_f32le"])
@pytest.mark.parametrize("layout", ["stereo", "4.0", "quad", "7.1"])
def test_uncompressed_sound_of_mov_stays_so_in_mov(codec: str, layout: str, tmp_path: Path) -> None:
    clip = write_beeps(tmp_path / "in.mov", codec, [0.2], layout=layout, length_s=0.5)

    film = made(clip, "mov")

    with av.open(str(film)) as container:
        track = container.streams.audio[0]
        assert (track.codec_context.name, track.codec_context.channels) == (
            codec,
            av.AudioLayout(layout).nb_channels,
        )
        assert length_of(track) == Fraction(1, 2)
    assert np.array_equal(heard(film), heard(clip))


@pytest.mark.parametrize(
    ("layout", "suffix", "kept"),
    [
        ("4.0", "mp4", "4.0"),
        ("5.1", "mp4", "5.1"),
        ("quad", "webm", "quad"),
        ("quad", "mp4", "stereo"),
        ("4.0", "webm", "stereo"),
        ("7.1", "mp4", "stereo"),
        ("4 channels", "mp4", "stereo"),
    ],
)
def test_channels_are_kept_or_told_and_never_clipped(
    layout: str, suffix: str, kept: str, tmp_path: Path
) -> None:
    clip = write_beeps(tmp_path / "in.mov", "pcm_s16le", [0.2], layout=layout, length_s=0.5)

    report = run(clip, tmp_path / f"out.{suffix}", NONE)

    with av.open(str(report.target)) as container:
        assert container.streams.audio[0].codec_context.layout.name == kept
    assert np.abs(heard(report.target)).max() < 1
    told = [problem for problem in report.problems if "mixed to stereo" in problem]
    assert len(told) == (kept == "stereo")
    assert all(f"The sound of {clip} has" in problem for problem in told)


Placed = list[Any]


def placed(stamps: list[float], lasts: int = 20) -> Placed:
    """Return where pieces of this length start; stamps and times in milliseconds."""
    clock = SoundClock()
    starts = (
        clock.place(Fraction(stamp) / 1000, Fraction(lasts, 1000), Fraction(1, 1000))
        for stamp in stamps
    )
    return [None if start is None else float(start * 1000) for start in starts]


@pytest.mark.parametrize(
    ("stamps", "starts"),
    [
        pytest.param([5, 25, 44, 66, 85], [5, 25, 45, 65, 85], id="rounded"),
        pytest.param([0, 20, 55, 60, 80], [0, 20, 40, 60, 80], id="one late"),
        pytest.param([0, 20, 60, 80, 100, 120, 140], [0, 20, 40, 60, 80, 120, 140], id="one lost"),
        pytest.param([0, 20, 400, 420], [0, 20, 400, 420], id="a gap"),
        pytest.param([0, 20, 20, 40], [0, 20, None, 40], id="one twice"),
    ],
)
def test_only_real_gaps_move_the_clock_of_sound(stamps: list[float], starts: Placed) -> None:
    assert placed(stamps) == starts
