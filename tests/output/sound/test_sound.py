"""Sound of a recording: microphones of the system, blocks on a thread, and their place in the track."""

from __future__ import annotations

import time
from contextlib import closing

import numpy as np
import pytest

from app.core.errors import MicrophoneError
from app.output.sound.microphone import LATEST_S, RATE, Microphone, SoundBlock, SoundTrack
from tests.output.sound.sources import COUNT, FakeDevice, tone
from tests.waiting import eventually


class Wanted:
    """The choice of the settings, and what was reported."""

    def __init__(self) -> None:
        self.name: str | None = "default"
        self.reports: list[Exception | None] = []

    def __call__(self) -> str | None:
        return self.name


def test_sound_arrives_with_its_capture_times_and_its_level() -> None:
    device, wanted = FakeDevice(), Wanted()
    with closing(Microphone(device.open, wanted, wanted.reports.append)) as microphone:
        blocks: list[SoundBlock] = []

        def has_sound() -> bool:
            blocks.extend(microphone.take())
            return len(blocks) >= 3 and microphone.level > 0.2

        eventually(has_sound)
        assert np.abs(blocks[0].samples).max() > 7000
        assert 0 <= time.perf_counter() - blocks[-1].captured_at_s < 60
        assert wanted.reports == [None]
    microphone.close()
    assert device.open_now == 0 and microphone.level == 0


def test_a_muted_microphone_is_closed_and_captures_nothing() -> None:
    device, wanted = FakeDevice(), Wanted()
    with closing(Microphone(device.open, wanted, wanted.reports.append)) as microphone:
        eventually(lambda: microphone.level > 0)
        wanted.name = None
        muted_s = time.perf_counter()
        eventually(lambda: device.open_now == 0)
        before = microphone.take()
        assert all(block.captured_at_s < muted_s for block in before)
        time.sleep(0.1)
        assert microphone.take() == [] and microphone.level == 0
        resumed_s = time.perf_counter()
        wanted.name = "usb"
        eventually(lambda: device.opened == ["default", "usb"] and microphone.level > 0)
        assert all(block.captured_at_s >= resumed_s for block in microphone.take())


def test_a_lost_microphone_is_reported_and_tried_again() -> None:
    device, wanted = FakeDevice(), Wanted()
    with closing(Microphone(device.open, wanted, wanted.reports.append, retry_s=0.02)) as microphone:
        eventually(lambda: microphone.level > 0)
        device.lost, device.fails_to_open = True, True
        eventually(lambda: len(wanted.reports) > 2)
        first = wanted.reports[1]
        assert isinstance(first, MicrophoneError) and "default was disconnected" in first.text
        second = wanted.reports[2]
        assert isinstance(second, MicrophoneError) and "cannot be opened" in second.text
        assert device.open_now == 0 and microphone.level == 0
        device.lost = device.fails_to_open = False
        eventually(lambda: wanted.reports[-1] is None)


def test_a_defect_of_the_driver_is_reported() -> None:
    wanted = Wanted()

    def open_broken(name: str) -> FakeDevice:
        raise ZeroDivisionError

    with closing(Microphone(open_broken, wanted, wanted.reports.append)):  # type: ignore[arg-type]
        eventually(lambda: len(wanted.reports) > 0)
        assert isinstance(wanted.reports[0], ZeroDivisionError)
    assert wanted.reports[-1] is None, "a closed microphone has no failure"


ORIGIN_S = 100.0


def block(at_s: float, count: int = COUNT, value: int = 1000) -> SoundBlock:
    return SoundBlock(np.full(count, value, np.int16), ORIGIN_S + at_s)


def test_sound_before_the_first_frame_is_cut_and_a_late_start_is_silence() -> None:
    early = SoundTrack(ORIGIN_S).add([block(-0.01, 960)], 0.0)
    assert len(early) == 480 and early.min() == 1000
    late = SoundTrack(ORIGIN_S).add([block(0.05, 960)], 0.0)
    assert len(late) == 2400 + 960 and not late[:2400].any() and late[2400:].min() == 1000


def test_a_gap_becomes_silence_and_an_overlap_is_cut() -> None:
    track = SoundTrack(ORIGIN_S)
    samples = track.add([block(0.0), block(0.12), block(0.09)], 0.0)
    assert len(samples) == round(0.14 * RATE)
    assert not samples[960 : round(0.12 * RATE)].any() and samples[round(0.12 * RATE) :].min() == 1000


def test_without_sound_silence_follows_the_frames() -> None:
    track = SoundTrack(ORIGIN_S)
    samples = np.concatenate([track.add([], number / 30) for number in range(61)])
    assert len(samples) == round((2 - LATEST_S) * RATE) and not samples.any()
    again = track.add([block(2.0)], 2.1)
    assert not again[: round(LATEST_S * RATE)].any() and again[round(LATEST_S * RATE) :].min() == 1000


def test_the_sound_ends_with_the_file() -> None:
    track = SoundTrack(ORIGIN_S)
    assert len(track.add([block(0.0, RATE)], 0.5, final=True)) == RATE // 2
    longer = SoundTrack(ORIGIN_S)
    assert len(longer.add([block(0.0)], 0.5, final=True)) == RATE // 2


@pytest.mark.parametrize("drift", [-300e-6, 300e-6])
def test_a_drifting_sound_card_stays_aligned(drift: float) -> None:
    """A clock that is wrong by 300 ppm and capture times that jitter by 5 ms: off by 45 ms after 150 s."""
    track, jitter, seconds = SoundTrack(ORIGIN_S), np.random.default_rng(1), 150
    length, worst = 0, 0.0
    for number in range(seconds * 50):
        captured_s = number * COUNT / RATE * (1 + drift)
        stamped_s = ORIGIN_S + captured_s + jitter.uniform(0, 5e-3)
        samples = track.add([SoundBlock(tone(number * COUNT, COUNT), stamped_s)], 0)
        if number:
            worst = max(worst, abs(length / RATE - captured_s))
            assert abs(len(samples) - COUNT) <= 6, "no silence, no cut"
        length += len(samples)
    assert worst < 0.01
