"""When a picture is written: the time of its frame, repetitions, gaps, keyframes, and what a crash leaves."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from app.core.types import Outgoing, Picture, PictureKind
from app.output.recorder import Recorder
from app.output.recording import RecordingCounts, RecordingOptions
from app.testing.clock import FakeClock
from tests.output.pictures import picture
from tests.output.recordings import composite, read
from tests.waiting import eventually


def test_each_new_composite_is_written_once_at_the_time_of_its_frame(tmp_path: Path) -> None:
    clock = FakeClock(100.0)
    counts = RecordingCounts()
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, RecordingOptions(30, counts=counts), clock)
    captured_s = [100.0, 100.041, 100.067, 100.12, 100.133]
    for number, at_s in enumerate(captured_s):
        shown = composite(at_s, number)
        for sent_s in (0.05, 0.06):
            clock.now_s = at_s + sent_s
            recorder.send(shown)
    recorder.close()
    images, times = read(tmp_path / "a.mp4")
    assert times == pytest.approx([at_s - 100 for at_s in captured_s], abs=1e-4)
    assert [int(image[20, 20, 0]) for image in images] == pytest.approx([20 * n for n in range(5)], abs=4)
    assert (counts.encoded, counts.dropped) == (5, 0)


def test_an_unchanged_picture_is_repeated_four_times_a_second_and_lasts_to_the_end(tmp_path: Path) -> None:
    clock = FakeClock(100.0)
    counts = RecordingCounts()
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, RecordingOptions(30, counts=counts), clock)
    still = picture()
    for number in range(45):
        clock.now_s = 100 + number / 30
        recorder.send(still)
    recorder.close()
    _, times = read(tmp_path / "a.mp4")
    assert times == pytest.approx([0, 0.25, 0.5, 0.75, 1.0, 1.25, 43 / 30], abs=0.1)
    with av.open(str(tmp_path / "a.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.duration is not None and stream.time_base is not None
        assert float(stream.duration * stream.time_base) == pytest.approx(44 / 30, abs=0.02)


def test_a_card_and_a_composite_captured_before_it_stay_in_order(tmp_path: Path) -> None:
    clock = FakeClock(100.0)
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, RecordingOptions(30), clock)
    recorder.send(Outgoing(Picture(picture().image, PictureKind.STANDBY)))
    clock.now_s += 0.01
    recorder.send(composite(clock.now_s - 0.08))
    clock.now_s += 0.2
    recorder.send(composite(clock.now_s - 0.05))
    recorder.close()
    _, times = read(tmp_path / "a.mp4")
    assert times == pytest.approx([0, 0.001, 0.16], abs=1e-4)


def test_a_constant_rate_repeats_pictures_and_fills_gaps(tmp_path: Path) -> None:
    clock = FakeClock(100.0)
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, RecordingOptions(30, constant_rate=True), clock)
    still = picture()
    for number in (0, 1.2, 1.9, 3.1, 7, 8, 9, 10):
        clock.now_s = 100 + number / 30
        recorder.send(still)
    recorder.close()
    _, times = read(tmp_path / "a.mp4")
    assert times == pytest.approx([number / 30 for number in range(11)], abs=1e-4)
    with av.open(str(tmp_path / "a.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.average_rate == stream.base_rate == 30


def test_a_long_gap_is_not_filled(tmp_path: Path) -> None:
    clock = FakeClock(100.0)
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, RecordingOptions(30, constant_rate=True), clock)
    recorder.send(picture())
    clock.now_s += 3600
    recorder.send(picture())
    recorder.close()
    assert read(tmp_path / "a.mp4")[1] == pytest.approx([0, 3600], abs=1e-3)


def test_keyframes_come_by_time_however_rarely_frames_do(tmp_path: Path) -> None:
    clock = FakeClock(100.0)
    counts = RecordingCounts()
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, RecordingOptions(30, counts=counts), clock)
    still = picture()
    for number in range(24):
        clock.now_s = 100 + number / 2
        recorder.send(still)
        eventually(lambda expected=number + 1: counts.encoded == expected)  # type: ignore[misc]
    recorder.close()
    with av.open(str(tmp_path / "a.mp4")) as container:
        packets = list(container.demux(video=0))
        keys = [float((packet.pts or 0) * packet.time_base) for packet in packets if packet.is_keyframe]
    assert keys == pytest.approx([0, 2, 4, 6, 8, 10], abs=0.01)


def test_what_was_recorded_a_second_ago_is_in_the_file(tmp_path: Path) -> None:
    """A crash must not lose more, also while the picture does not change."""
    clock = FakeClock(100.0)
    counts = RecordingCounts()
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, RecordingOptions(30, counts=counts), clock)
    still = picture()
    for number in range(300):
        clock.now_s = 100 + number / 30
        recorder.send(still)
        eventually(lambda expected=1 + number // 8: counts.encoded >= expected)  # type: ignore[misc]
    (part,) = tmp_path.iterdir()
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(part.read_bytes())
    _, times = read(copy)
    assert times[-1] >= 299 / 30 - 1.05
    recorder.close()
