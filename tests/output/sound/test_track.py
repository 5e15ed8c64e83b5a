"""The sound track: gaps, overlaps, late sound and drifting clocks."""

from __future__ import annotations

import numpy as np
import pytest

from app.output.sound.microphone import RATE, SoundBlock
from app.output.sound.track import LATEST_S, SoundTrack
from tests.output.sound.sources import COUNT, tone

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
