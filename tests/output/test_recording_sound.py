"""Recordings with sound: click and flash together, pauses, lost devices, and files that a crash cuts off."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from app.output.recorder import Recorder
from app.output.sound.microphone import RATE, SoundBlock
from app.testing.parts import FakeClock
from tests.output.recordings import composite, context, kill_while_recording
from tests.output.recordings import record as record_pictures
from tests.output.sound.sources import Feed, clicks
from tests.waiting import eventually

BRIGHT, DARK = 11, 1
"""Numbers of composites."""
FLASHES_S = [100.5, 101.3, 102.4]
SUFFIXES = ["mp4", "mov", "mkv"]


def sound_of(path: Path) -> tuple[NDArray[np.float32], float]:
    """Return the samples, scaled to -1..1, and the time of the first."""
    parts: list[NDArray[np.int16]] = []
    start_s: float | None = None
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("s16", "mono", RATE)
        for frame in container.decode(audio=0):
            start_s = float(frame.time or 0) if start_s is None else start_s
            parts += [part.to_ndarray()[0].astype(np.int16) for part in resampler.resample(frame)]
    assert start_s is not None
    return (np.concatenate(parts) / 32768).astype(np.float32), start_s


def flashes_of(path: Path) -> list[float]:
    """Return the times at which the picture turns bright."""
    times: list[float] = []
    bright = False
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            now = frame.to_ndarray(format="gray").mean() > 120
            if now and not bright:
                times.append(float(frame.time or 0))
            bright = now
    return times


def clicks_of(path: Path) -> list[float]:
    """Return the times at which the sound turns loud."""
    samples, start_s = sound_of(path)
    loud = np.flatnonzero(np.abs(samples) > 0.2)
    first = loud[np.diff(loud, prepend=-RATE) > RATE // 5]
    return [start_s + float(number) / RATE for number in first]


def record(path: Path, blocks: list[SoundBlock], *, latency_s: float = 0.15, constant: bool = False) -> Feed:
    """Record three seconds with flashes whose frames leave the matting `latency_s` after their capture."""
    clock = FakeClock(100.0)
    feed = Feed(blocks, clock)
    rate = "constant" if constant else "variable"
    shared = context(open_microphone=lambda: feed, record_rate=rate, encoder="x264")
    recorder = Recorder(path, 64, 48, shared, clock=clock)
    for number in range(90):
        captured_s = 100 + number / 30
        bright = any(0 <= captured_s - at_s < 0.1 for at_s in FLASHES_S)
        clock.now_s = captured_s + latency_s
        recorder.send(composite(captured_s, BRIGHT if bright else DARK))
        eventually(lambda: shared.counts.encoded > number)  # noqa: B023 - waited for in the same round
    recorder.close()
    return feed


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    ("constant", "latency_s"),
    [
        (False, 0.02),
        (True, 0.3),
        *(pytest.param(*each, marks=pytest.mark.long) for each in ((False, 0.3), (True, 0.02))),
    ],
)
def test_clicks_and_flashes_are_together(tmp_path: Path, suffix: str, constant: bool, latency_s: float) -> None:
    path = tmp_path / f"a.{suffix}"
    feed = record(path, clicks(FLASHES_S, 99.7, 4), latency_s=latency_s, constant=constant)
    assert feed.closed
    flashes, heard = flashes_of(path), clicks_of(path)
    assert len(flashes) == len(heard) == len(FLASHES_S)
    assert max(abs(a - b) for a, b in zip(flashes, heard, strict=True)) <= 0.04


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_recording_goes_on_where_the_sound_ends(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    record(path, clicks(FLASHES_S, 99.7, 1.2))
    assert len(flashes_of(path)) == 3
    (heard,) = clicks_of(path)
    assert heard == pytest.approx(0.5, abs=0.04)
    samples, start_s = sound_of(path)
    assert start_s + len(samples) / RATE == pytest.approx(3.0, abs=0.06), "silence up to the end"


def test_without_a_microphone_there_is_no_sound_track(tmp_path: Path) -> None:
    record_pictures(tmp_path / "a.mp4", [(100.0, composite(100.0))])
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert not container.streams.audio


def test_a_recording_without_frames_releases_the_microphone_and_leaves_no_file(tmp_path: Path) -> None:
    feed = Feed([], lambda: 0.0)
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, context(open_microphone=lambda: feed))
    recorder.close()
    assert feed.closed and not list(tmp_path.iterdir())


@pytest.mark.long
@pytest.mark.parametrize(("suffix", "microphone"), [("mp4", "working"), ("mkv", "lost")])
def test_a_killed_recording_with_sound_plays_to_its_last_second(tmp_path: Path, suffix: str, microphone: str) -> None:
    seconds = kill_while_recording(tmp_path / f"a.{suffix}", 4.0, microphone=microphone)
    path = tmp_path / "a.recording.mkv"
    with av.open(str(path)) as container:
        last_s = max(float(frame.time or 0) for frame in container.decode(video=0))
    assert last_s > seconds - 1
    samples, start_s = sound_of(path)
    assert start_s + len(samples) / RATE > seconds - 1.3
    assert np.abs(samples[: RATE // 2]).max() > 0.1
