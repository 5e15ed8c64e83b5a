"""Parts of the service without a network."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from app.api import EdgeSettings, Matting
from app.core.threads import cpu_share, usable_cores
from service.server.limits import streams_for
from service.server.matting import Output, SentFrame, StreamMatting, fitted
from service.server.offer import count_candidates, usable_candidates
from service.server.pacing import RETURN_S, RateGuard
from service.tests.server.service import passes, room_and_person
from service.webrtc.marks import COUNT, MIN_WIDTH, STRIP_PX, mark_strip, read_mark
from tests.matting.networks import frames

STREAMS = 4


def stream(output: Output = Output.COMPOSITE) -> StreamMatting:
    def make() -> Matting:
        return Matting("mattecam", background="green", edges=EdgeSettings(strict="off"))

    return StreamMatting(make, passes, output)


@pytest.mark.timeout(300)
def test_the_states_of_streams_never_cross() -> None:
    """Streams on many threads give the bits that each gives alone."""
    people = room_and_person(3, (160, 96))
    given = [[np.roll(frame, index * 5, axis=1) ^ np.uint8(index) for frame in people] for index in range(STREAMS)]

    def alone(index: int) -> list[SentFrame]:
        one = stream()
        try:
            return [one.step(frame) for frame in given[index]]
        finally:
            one.park()

    with ThreadPoolExecutor(STREAMS) as threads:
        together = list(threads.map(alone, range(STREAMS)))
    for index in range(STREAMS):
        for mine, expected in zip(together[index], alone(index), strict=True):
            assert mine.matted and expected.matted
            np.testing.assert_array_equal(mine.yuv, expected.yuv)
    assert len({outgoing[-1].yuv.tobytes() for outgoing in together}) == STREAMS


def test_a_parked_stream_begins_anew() -> None:
    given = frames(96, 64, 3)
    one = stream()
    first = [one.step(frame).yuv for frame in given]
    one.park()
    assert not one.active
    for frame, expected in zip(given, first, strict=True):
        np.testing.assert_array_equal(one.step(frame).yuv, expected)
    one.park()


def test_a_matte_carries_the_mark_of_its_frame_and_needs_one() -> None:
    one = stream(Output.MATTE)
    (frame,) = frames(192, 96, 1)
    strip = np.repeat(mark_strip(1234, 192)[..., None], 3, axis=2)
    outgoing = one.step(np.vstack([frame, strip]))
    assert outgoing.matted
    assert outgoing.yuv.shape == ((96 + STRIP_PX) * 3 // 2, 192)
    assert read_mark(outgoing.yuv[96 : 96 + STRIP_PX]) == 1234
    unmarked = one.step(np.vstack([frame, np.zeros_like(strip)]))
    assert not unmarked.matted
    assert not unmarked.yuv[: 96 + STRIP_PX].any()
    one.park()


@pytest.mark.parametrize("width", [MIN_WIDTH, 320, 641])
def test_marks_are_read_back_through_noise(width: int) -> None:
    rng = np.random.default_rng(1)
    for number in (0, 1, 5, 2047, COUNT - 1, COUNT + 7):
        noisy = mark_strip(number, width) + rng.normal(0, 40, (STRIP_PX, width))
        assert read_mark(noisy.clip(0, 255).astype(np.uint8)) == number % COUNT
    assert read_mark(np.zeros((STRIP_PX, width), np.uint8)) is None
    assert read_mark(np.full((STRIP_PX, width), 255, np.uint8)) is None
    assert read_mark(mark_strip(3, width)[:8]) is None


def test_frames_get_even_sides_and_are_scaled_down() -> None:
    assert fitted(np.zeros((91, 161, 3), np.uint8), 10**6, Output.COMPOSITE).shape == (90, 160, 3)
    small = fitted(np.zeros((1080, 1920, 3), np.uint8), 1280 * 720, Output.COMPOSITE)
    assert small.shape[0] * small.shape[1] <= 1280 * 720
    assert fitted(np.zeros((1080, 1920, 3), np.uint8), 1280 * 720, Output.MATTE).shape == (1080, 1920, 3)


def drive(guard: RateGuard, start_s: float, seconds: float, step_s: float) -> tuple[float, int]:
    """Send frames at 30 fps whose steps take `step_s`; return the time and how many were matted."""
    now_s, matted = start_s, 0
    while now_s < start_s + seconds:
        now_s += 1 / 30
        if guard.admits(now_s):
            matted += 1
            guard.note(step_s, now_s)
    return now_s, matted


def test_slow_steps_lower_the_rate_evenly_and_fast_ones_restore_it() -> None:
    guard = RateGuard()
    now_s, matted = drive(guard, 0.0, 1.5, 0.045)
    assert matted == 45, "not lowered yet"
    now_s, _ = drive(guard, now_s, 6.0, 0.045)
    assert guard.share == Fraction(7, 10), "21 fps is the highest rate for steps of 45 ms"
    skipped = [index for index in range(60) if not guard.admits(now_s + index / 30)]
    assert {after - before for before, after in pairwise(skipped)} == {3, 4}, "evenly"
    now_s, _ = drive(guard, now_s + 2.0, 4.0, 0.080)
    assert guard.share == Fraction(1, 2)
    now_s, _ = drive(guard, now_s, 2 * RETURN_S, 0.010)
    now_s, matted = drive(guard, now_s, 1.0, 0.010)
    assert matted >= 30


def test_a_rate_that_failed_is_tried_later_each_time() -> None:
    guard, now_s, tried_s = RateGuard(), 0.0, []
    while now_s < 200.0:
        before = guard.share
        now_s, _ = drive(guard, now_s, 0.1, 0.080 if guard.share > Fraction(1, 2) else 0.010)
        if guard.share > before:
            tried_s.append(now_s)
    waits_s = [after - before for before, after in pairwise(tried_s)]
    assert len(waits_s) >= 3
    assert all(after > before for before, after in pairwise(waits_s))


def test_the_rate_returns_soon_after_other_streams_have_started() -> None:
    """The engines of four streams are built at once; the steps of all are slow for some seconds."""
    guard = RateGuard()
    now_s, _ = drive(guard, 0.0, 4.0, 0.120)
    assert guard.share == Fraction(1, 2)
    drive(guard, now_s, 5.0, 0.015)
    assert guard.share == 1


def test_steps_that_fit_a_rate_above_20_fps_do_not_lower_it_to_20() -> None:
    """Four streams on two cores share the time for about 22 frames per second each."""
    guard = RateGuard()
    now_s, _ = drive(guard, 0.0, 10.0, 1 / 22.6)
    _, matted = drive(guard, now_s, 10.0, 1 / 22.6)
    assert 220 <= matted <= 226


def test_one_long_step_is_not_taken_for_slowness() -> None:
    guard = RateGuard()
    guard.note(4.0, 4.0)
    _, matted = drive(guard, 4.0, 10.0, 0.020)
    assert matted >= 300


def test_an_offer_keeps_only_addresses_that_can_be_used() -> None:
    lines = [
        "m=video 9 UDP/TLS/RTP/SAVPF 96",
        "a=candidate:0 1 UDP 2122 192.0.2.3 53995 typ host",
        "a=candidate:1 1 udp 2122 2001:db8::1 53995 typ host",
        "a=candidate:2 1 UDP 2122 a6dfef72-d32c-4989-b4a7-7d29997e5a1a.local 53995 typ host",
        "a=candidate:3 1 TCP 2105 192.0.2.3 9 typ host tcptype active",
        "a=candidate:4",
        "a=end-of-candidates",
        "a=mid:0",
    ]
    sdp = "\r\n".join(lines) + "\r\n"
    assert count_candidates(sdp) == 5
    assert usable_candidates(sdp).split("\r\n") == [*lines[:3], lines[-1], ""]


def test_a_burst_of_frames_is_not_taken_for_the_rate() -> None:
    guard = RateGuard()
    for index in range(5):
        guard.admits(index * 0.0005)
    now_s, _ = drive(guard, 0.1, 5.0, 0.020)
    _, matted = drive(guard, now_s, 1.0, 0.020)
    assert matted >= 30


def test_the_number_of_streams_follows_the_cores() -> None:
    assert [streams_for(cores) for cores in (0.5, 1, 2, 4, 16)] == [1, 1, 2, 4, 18]


def test_a_quota_of_a_container_counts_like_cores(tmp_path: Path) -> None:
    assert cpu_share(tmp_path) == usable_cores()
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert cpu_share(tmp_path) == usable_cores()
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    assert cpu_share(tmp_path) == 0.5
    (tmp_path / "cpu.max").unlink()
    (tmp_path / "cpu").mkdir()
    for quota, expected in (
        ("-1", usable_cores()),
        ("25000", 0.25),
        ("99000000", usable_cores()),
        ("?", usable_cores()),
    ):
        (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(f"{quota}\n")
        (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
        assert cpu_share(tmp_path) == expected
