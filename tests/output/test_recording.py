"""Recordings: pictures, times and sound that are written, and an encoder that never holds up the
frames.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
from collections import deque
from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path
from unittest.mock import Mock

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from app.core.errors import SinkLostError
from app.core.types import Outgoing, Picture, PictureKind
from app.media.encoders import live_encoder
from app.media.recording_writer import RecordingWriter
from app.output import recording as recorder_module
from app.output.interrupted import kept_after_crash
from app.output.recording import CAPACITY, ENCODER_NICENESS, EncoderThread, Recorder
from app.output.sound import BLOCK_S, RATE, SoundBlock
from mattecam.testing import FakeClock
from tests.clips import length_of
from tests.offline.converting import times_of
from tests.output.pictures import picture
from tests.output.recordings import (
    COUNT,
    composite,
    context,
    has_encoded,
    kill_while_recording,
    read,
    record,
    send_slowly,
)
from tests.stand_ins import always
from tests.waiting import eventually, scheduled

# Numbers of composites.
BRIGHT = 11
DARK = 1
FLASHES_S = [100.5, 101.3, 102.4]


def test_the_matte_is_written_in_grey_and_black_if_missing(tmp_path: Path) -> None:
    half = np.zeros((48, 64), np.uint8)
    half[:, 32:] = 255
    (matte, none), *_ = record(
        tmp_path / "a.mp4", [(100, picture(alpha=half)), (101, picture())], alpha=True
    )

    assert matte[:, :28].max() <= 6 and matte[:, 36:].min() >= 249
    assert none.max() <= 6


def card(width: int = 64, height: int = 48) -> Outgoing:
    return Outgoing(Picture(np.full((height, width, 3), 40, np.uint8), PictureKind.STANDBY))


@pytest.mark.parametrize("rate", ["variable", "constant"])
@pytest.mark.parametrize("cards", [0, 1, 12])
def test_the_size_is_that_of_the_first_composite(tmp_path: Path, rate: str, cards: int) -> None:
    """The recorder is opened with the card, before it is known that the camera has another
    shape.
    """
    shown = card(128, 72)
    sent = [
        *((100 + number / 30, shown) for number in range(cards)),
        (101.0, picture(64, 48, grey=200)),
    ]
    images, times, _ = record(
        tmp_path / "a.mp4", [*sent, (101.1, shown)], (128, 72), record_rate=rate
    )

    assert {image.shape for image in images} == {(48, 64, 3)}
    assert images[0].min() > 190, "the composite has no bars"
    assert times[0] == 0 and times[-1] == pytest.approx(0.1, abs=0.04)
    assert images[-1][0].max() < 20 < images[-1][24].min(), "a later card is letterboxed"
    assert [file.name for file in tmp_path.iterdir()] == ["a.mp4"]


def test_cards_are_kept_where_no_composite_has_another_size(tmp_path: Path) -> None:
    images, times, _ = record(
        tmp_path / "a.mp4", [(100, card(64, 48)), (101, picture(64, 48, grey=200))]
    )
    assert images[0].max() < 60 and images[-1].min() > 190
    assert times[-1] == pytest.approx(1, abs=0.04)
    images, *_ = record(
        tmp_path / "b.mp4", [(100, card(128, 72)), (100.1, card(128, 72))], (128, 72)
    )
    assert {image.shape for image in images} == {(72, 128, 3)}


def test_a_recording_that_cannot_begin_in_another_size_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    microphone = Mock(take=list)
    recorder = Recorder(tmp_path / "a.mp4", 128, 72, context(open_microphone=always(microphone)))
    recorder.send(card(128, 72))
    monkeypatch.setattr(
        recorder_module, "RecordingWriter", Mock(side_effect=OSError(errno.ENOSPC, "full"))
    )
    with pytest.raises(SinkLostError, match="disk is full"):
        recorder.send(picture())
    assert microphone.close.called
    recorder.close()
    assert not list(tmp_path.iterdir())


def test_a_recording_is_finished_although_its_microphone_cannot_be_closed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It stayed `.recording.mkv`."""
    microphone = Mock(take=list, close=Mock(side_effect=OSError(errno.EIO, "Input/output error")))
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, context(open_microphone=always(microphone)))
    recorder.send(picture())

    recorder.close()

    assert [file.name for file in tmp_path.iterdir()] == ["a.mp4"]
    assert "could not be closed" in caplog.text


def test_each_new_composite_is_written_once_at_the_time_of_its_frame(tmp_path: Path) -> None:
    captured_s = [100.0, 100.041, 100.067, 100.12, 100.133]
    shown = [composite(at_s, number) for number, at_s in enumerate(captured_s)]
    sent = [
        (at_s + late_s, each)
        for at_s, each in zip(captured_s, shown, strict=True)
        for late_s in (0.05, 0.06)
    ]
    images, times, counts = record(tmp_path / "a.mp4", sent)

    assert times == pytest.approx([at_s - 100 for at_s in captured_s], abs=1e-4)
    assert [int(image[20, 20, 0]) for image in images] == pytest.approx(
        [20 * n for n in range(5)], abs=4
    )
    assert (counts.encoded, counts.dropped) == (5, 0)


def test_an_unchanged_picture_is_repeated_four_times_a_second_and_lasts_to_the_end(
    tmp_path: Path,
) -> None:
    still = picture()
    _, times, _ = record(tmp_path / "a.mp4", [(100 + number / 30, still) for number in range(45)])

    assert times == pytest.approx([0, 0.25, 0.5, 0.75, 1.0, 1.25, 43 / 30], abs=0.1)
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert float(length_of(container.streams.video[0])) == pytest.approx(44 / 30, abs=0.02)


def test_a_card_and_a_composite_captured_before_it_stay_in_order(tmp_path: Path) -> None:
    sent = [(100, card()), (100.01, composite(99.93)), (100.21, composite(100.16))]
    _, times, _ = record(tmp_path / "a.mp4", sent)

    assert times == pytest.approx([0, 0.001, 0.16], abs=1e-4)


@pytest.mark.parametrize(
    ("ticks", "written"),
    [((0, 1.2, 1.9, 3.1, 7, 8, 9, 10), range(11)), ((0, 30 * 3600), (0, 30 * 3600))],
)
def test_a_constant_rate_has_no_short_gaps(
    tmp_path: Path, ticks: Sequence[float], written: Sequence[int]
) -> None:
    still = picture()
    _, times, _ = record(
        tmp_path / "a.mp4", [(100 + tick / 30, still) for tick in ticks], record_rate="constant"
    )

    assert times == pytest.approx([tick / 30 for tick in written], abs=1e-3)
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert len(ticks) == 2 or container.streams.video[0].base_rate == 30
        assert not container.streams.audio, "there is no microphone"


def test_what_was_recorded_a_second_ago_is_in_the_file(tmp_path: Path) -> None:
    """A crash must not lose more, also while the picture does not change."""
    clock = FakeClock()
    still = picture()
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, context(), clock=clock)
    send_slowly(recorder, clock, ((number / 30, still) for number in range(300)), one_in=8)
    (part,) = tmp_path.iterdir()
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(part.read_bytes())
    _, times = read(copy)
    assert times[-1] >= 299 / 30 - 1.05
    recorder.close()


class SlowWriter(RecordingWriter):
    """Encodes only while `allowed` is set."""

    allowed = threading.Event()

    def write(self, image: NDArray[np.uint8], pts_s: Fraction | float | None = None) -> None:
        self.allowed.wait(60)
        super().write(image, pts_s)


def test_an_encoder_that_is_too_slow_drops_the_oldest_frames_and_never_blocks(
    tmp_path: Path,
) -> None:
    shared = context()
    SlowWriter.allowed.clear()
    thread = EncoderThread(
        partial(SlowWriter, tmp_path / "a.mp4", 64, 48, 30), lambda shown: shown.image, shared
    )
    counts = thread.recording
    for number in range(40):
        thread.put(composite(0.0, number), number / 30)
    SlowWriter.allowed.set()
    thread.finish()
    thread.writer.close()
    _, times = read(tmp_path / "a.mp4")

    assert len(times) == counts.encoded and CAPACITY <= counts.encoded <= CAPACITY + 1
    assert counts.dropped == 40 - counts.encoded
    assert times[-CAPACITY:] == pytest.approx(
        [number / 30 for number in range(40 - CAPACITY, 40)], abs=2e-3
    )


def is_called(function: Mock) -> bool:
    return bool(function.called)


def test_frames_are_encoded_between_the_steps_unless_many_wait(tmp_path: Path) -> None:
    step_ended = threading.Event()

    def wait_for_step(_timeout_s: float) -> bool:
        return step_ended.wait(60)

    wait_for_gap = Mock(side_effect=wait_for_step)
    shared = context(wait_for_gap=wait_for_gap)
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, shared)
    counts = shared.recordings[0]
    recorder.send(composite(100.0))
    eventually(is_called, wait_for_gap)
    for number in range(1, 6):
        recorder.send(composite(100 + number / 30, number))
    assert counts.encoded == 0
    step_ended.set()
    eventually(has_encoded, counts, 6)
    assert wait_for_gap.call_count == 5, "one frame did not wait, while four others waited"
    assert 0 < wait_for_gap.call_args.args[0] < 1
    recorder.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only there a thread has a niceness of its own")
def test_the_threads_of_the_encoder_have_a_low_priority(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.mp4", 1920, 1080, context(60))
    recorder.send(picture(1920, 1080))
    started = [
        (niceness, policy) for name, niceness, policy in scheduled() if name == "encoder-pool"
    ]
    assert len(started) >= 2
    assert set(started) == {
        (min(19, os.getpriority(os.PRIO_PROCESS, 0) + ENCODER_NICENESS), os.SCHED_BATCH)
    }
    recorder.close()


def test_an_encoder_that_does_not_work_at_the_even_size_is_replaced_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = Mock(wraps=live_encoder)
    monkeypatch.setattr(recorder_module, "live_encoder", chosen)
    (image,), *_ = record(
        tmp_path / "a.mp4", [(100, picture(65, 49, grey=90))], (65, 49), encoder="vaapi"
    )

    assert chosen.call_args.args[:3] == ("vaapi", 66, 50)
    assert image.shape == (50, 66, 3) and np.abs(image.astype(int) - 90).max() <= 4
    assert (
        "The encoder vaapi does not work on this computer; the recording uses x264." in caplog.text
    )


def sound_of(path: Path) -> tuple[NDArray[np.float32], float]:
    """Return the samples, -1..1, and the time of the first."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]), float(frames[0].time or 0)


def flashes_of(path: Path) -> list[float]:
    """Return the times at which the picture turns bright."""
    images, times = read(path)
    bright = [image.mean() > 120 for image in images]
    return [
        time_s
        for time_s, now, before in zip(times, bright, [False, *bright], strict=False)
        if now > before
    ]


def clicking(clock: FakeClock, seconds: float) -> Mock:
    """Return a microphone with a click at each flash, whose sound ends after so many seconds."""
    samples = np.zeros(round(seconds * RATE), np.int16)
    start_s = 99.7
    for flash_s in FLASHES_S:
        first = round((flash_s - start_s) * RATE)
        samples[first : first + RATE // 200] = 20_000
    starts = range(0, len(samples) - COUNT + 1, COUNT)
    waiting = deque(
        SoundBlock(samples[first : first + COUNT], start_s + first / RATE) for first in starts
    )

    def take() -> list[SoundBlock]:
        """What was captured 30 ms ago."""
        due_s = clock() - BLOCK_S - 0.03
        return [waiting.popleft() for block in tuple(waiting) if block.captured_at_s <= due_s]

    return Mock(take=take)


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize(
    ("rate", "latency_s", "sound_s", "heard"),
    [("variable", 0.02, 4, 3), ("constant", 0.3, 4, 3), ("variable", 0.15, 1.2, 1)]
    + [
        pytest.param(*each, 4, 3, marks=pytest.mark.long)
        for each in (("variable", 0.3), ("constant", 0.02))
    ],
)
def test_clicks_and_flashes_are_together_until_the_sound_ends(
    tmp_path: Path, suffix: str, rate: str, latency_s: float, sound_s: float, heard: int
) -> None:
    """latency_s: of the matting; sound does not wait for it, and may end later.

    Silence follows what was heard.
    """
    path = tmp_path / f"a.{suffix}"
    clock = FakeClock(99.8)
    microphone = clicking(clock, sound_s)
    shared = context(open_microphone=always(microphone), record_rate=rate, encoder="x264")
    recorder = Recorder(path, 128, 72, shared, clock=clock)
    send_slowly(recorder, clock, [(99.8, card(128, 72))])  # left out, and the sound until then
    sent = []
    for number in range(90):
        at_s = 100 + number / 30
        bright = any(0 <= at_s - flash_s < 0.1 for flash_s in FLASHES_S)
        sent.append((at_s + latency_s, composite(at_s, BRIGHT if bright else DARK)))
    send_slowly(recorder, clock, sent)
    recorder.close()
    assert microphone.close.called
    samples, start_s = sound_of(path)
    assert 2.94 < start_s + len(samples) / RATE < 3.06 + latency_s
    loud = np.flatnonzero(np.abs(samples) > 0.2)
    clicks_s = start_s + loud[np.diff(loud, prepend=-RATE) > RATE // 5] / RATE
    flashes_s = flashes_of(path)
    assert (len(flashes_s), len(clicks_s)) == (len(FLASHES_S), heard)
    assert np.abs(clicks_s - flashes_s[:heard]).max() <= 0.04


def test_a_recording_without_frames_releases_the_microphone_and_leaves_no_file(
    tmp_path: Path,
) -> None:
    feed = Mock()
    Recorder(tmp_path / "a.mp4", 64, 48, context(open_microphone=always(feed))).close()

    assert feed.close.called and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("suffix", "fps", "microphone"),
    [("mp4", 30, "off"), ("mkv", 5, "off")]
    + [
        pytest.param(*each, marks=pytest.mark.long)
        for each in (("mp4", 30, "working"), ("mkv", 30, "lost"))
    ],
)
def test_a_killed_recording_plays_from_its_first_to_its_last_second(
    tmp_path: Path, suffix: str, fps: int, microphone: str
) -> None:
    seconds, sent = kill_while_recording(tmp_path / f"a.{suffix}", 3.0, fps, microphone)
    (left,) = tmp_path.iterdir()
    assert left.name == "a.recording.mkv"
    assert str(left) in str(kept_after_crash())
    times = times_of(left)
    assert times[0] == 0 and times[-1] + 1 / fps > seconds - 1
    assert len(times) >= sent - fps, "all frames but those of the last second"
    assert len(read(left)[0]) == len(times)
    if microphone != "off":
        samples, start_s = sound_of(left)
        assert start_s + len(samples) / RATE > seconds - 1.3
        assert np.abs(samples[: RATE // 2]).max() > 0.1
