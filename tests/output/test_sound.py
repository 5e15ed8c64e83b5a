"""Sound of a recording: blocks of a microphone on a thread, and their place in the track."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from typing import NoReturn
from unittest.mock import Mock

import numpy as np
import pytest

from app.core.errors import MicrophoneError
from app.output import sound
from app.output.sound import LATEST_S, RATE, Microphone, SoundBlock, SoundTrack
from tests.fakes.world import Hold
from tests.output.recordings import COUNT, FakeDevice, tone
from tests.waiting import eventually, eventually_is, no_longer

ORIGIN_S = 100.0


def is_heard(microphone: Microphone) -> bool:
    return microphone.level > 0


def has_reported(device: FakeDevice, times: int) -> bool:
    return len(device.reports) >= times


def reports_a_defect(device: FakeDevice) -> bool:
    return isinstance(device.reports[-1], ZeroDivisionError)


def has_sent_empty_blocks(device: FakeDevice) -> bool:
    return device.empty > 3


def has_thread(name: str) -> bool:
    return name in [thread.name for thread in threading.enumerate()]


def test_sound_arrives_with_its_capture_times_and_its_level() -> None:
    device = FakeDevice()
    with closing(device.microphone()) as microphone:
        blocks: list[SoundBlock] = []

        def has_sound() -> bool:
            blocks.extend(microphone.take())
            return len(blocks) >= 3 and microphone.level > 0.2

        eventually(has_sound)
        assert np.abs(blocks[0].samples).max() > 7000
        assert 0 <= time.perf_counter() - blocks[-1].captured_at_s < 60
        assert device.reports == [None]
    microphone.close()
    assert device.open_now == 0 and microphone.level == 0


def test_a_muted_microphone_is_closed_and_captures_nothing() -> None:
    device = FakeDevice()
    with closing(device.microphone()) as microphone:
        eventually(is_heard, microphone)
        device.wanted = None
        muted_s = time.perf_counter()
        no_longer(device.is_open)
        before = microphone.take()
        assert all(block.captured_at_s < muted_s for block in before)
        time.sleep(0.1)
        assert microphone.take() == [] and microphone.level == 0
        resumed_s = time.perf_counter()
        device.wanted = "usb"
        eventually_is(["default", "usb"], list, device.opened)
        eventually(is_heard, microphone)
        assert all(block.captured_at_s >= resumed_s for block in microphone.take())


def test_a_lost_microphone_is_reported_and_tried_again() -> None:
    device = FakeDevice()
    with closing(device.microphone()) as microphone:
        eventually(is_heard, microphone)
        device.fails_to_open = True
        device.lost = True
        eventually(has_reported, device, 3)
        for report, words in zip(
            device.reports[1:3], ("default was disconnected", "cannot be opened"), strict=True
        ):
            assert isinstance(report, MicrophoneError) and words in report.text
        assert device.open_now == 0 and microphone.level == 0
        device.lost = device.fails_to_open = False
        eventually_is(None, device.last_report)
        device.open = Mock(side_effect=ZeroDivisionError)  # type: ignore[method-assign]
        device.wanted = "of a driver with a defect"
        eventually(reports_a_defect, device)
    assert device.reports[-1] is None, "a closed microphone has no failure"


def test_the_failure_of_a_microphone_that_is_muted_is_over() -> None:
    device = FakeDevice()
    device.fails_to_open = True
    with closing(device.microphone()):
        eventually(has_reported, device, 1)

        device.wanted = None

        eventually_is(None, device.last_report)


def test_blocks_without_samples_are_no_sound() -> None:
    device = FakeDevice()
    device.is_silent = True
    with closing(device.microphone()) as microphone:
        eventually(has_sent_empty_blocks, device)
        assert microphone.take() == [] and device.reports == []

        device.is_silent = False

        eventually_is([None], list, device.reports)


def test_a_driver_that_fails_after_the_end_reports_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its failure stayed in the status of a program that recorded no more."""
    monkeypatch.setattr(sound, "CLOSE_TIMEOUT_S", 0.0)
    device = FakeDevice()
    hang = Hold()

    def fail(name: str) -> NoReturn:
        hang()
        raise ZeroDivisionError

    device.open = fail  # type: ignore[method-assign]
    with closing(device.microphone()):
        assert hang.entered.wait(60)
    hang.go_on.set()
    no_longer(has_thread, "microphone")
    assert device.reports == [None]


def block(at_s: float, count: int = COUNT) -> SoundBlock:
    return SoundBlock(np.full(count, 1000, np.int16), ORIGIN_S + at_s)


def test_sound_before_the_first_frame_is_cut_and_gaps_become_silence() -> None:
    early = SoundTrack(ORIGIN_S).add([block(-0.01, 960)], 0.0)
    assert len(early) == 480 and early.min() == 1000
    late = SoundTrack(ORIGIN_S).add([block(0.05, 960)], 0.0)
    assert len(late) == 2400 + 960 and not late[:2400].any() and late[2400:].min() == 1000
    samples = SoundTrack(ORIGIN_S).add([block(0.0), block(0.12), block(0.09)], 0.0)
    assert len(samples) == round(0.14 * RATE), "an overlap is cut"
    assert (
        not samples[960 : round(0.12 * RATE)].any() and samples[round(0.12 * RATE) :].min() == 1000
    )


def test_without_sound_silence_follows_the_frames() -> None:
    track = SoundTrack(ORIGIN_S)
    samples = np.concatenate([track.add([], number / 30) for number in range(61)])
    assert len(samples) == round((2 - LATEST_S) * RATE) and not samples.any()
    again = track.add([block(2.0)], 2.1)
    assert (
        not again[: round(LATEST_S * RATE)].any() and again[round(LATEST_S * RATE) :].min() == 1000
    )


@pytest.mark.parametrize("length", [RATE, COUNT])
def test_the_sound_ends_with_the_file(length: int) -> None:
    assert len(SoundTrack(ORIGIN_S).add([block(0.0, length)], 0.5, final=True)) == RATE // 2


@pytest.mark.parametrize("drift", [-300e-6, 300e-6])
def test_a_drifting_sound_card_stays_aligned(drift: float) -> None:
    """A clock that is wrong by 300 ppm and capture times that jitter by 5 ms: off by 45 ms after
    150 s.
    """
    track = SoundTrack(ORIGIN_S)
    jitter = np.random.default_rng(1)
    seconds = 150
    length = 0
    worst = 0.0
    for number in range(seconds * 50):
        captured_s = number * COUNT / RATE * (1 + drift)
        stamped_s = ORIGIN_S + captured_s + jitter.uniform(0, 5e-3)
        samples = track.add([SoundBlock(tone(number * COUNT, COUNT), stamped_s)], 0)
        if number:
            worst = max(worst, abs(length / RATE - captured_s))
            assert abs(len(samples) - COUNT) <= 6, "no silence, no cut"
        length += len(samples)
    assert worst < 0.01
