"""Sound of a recording: microphones of the system, blocks on a thread, and their place in the track."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NoReturn
from unittest.mock import Mock

import av
import numpy as np
import pytest

from app.core.errors import MicrophoneError
from app.output import sound
from app.output.sound import (
    BLOCK_S,
    LATEST_S,
    RATE,
    SoundBlock,
    SoundTrack,
    ffmpeg_blocks,
    microphones,
    open_microphone,
    pulse_blocks,
)
from tests.fakes.world import Hold
from tests.output.recordings import COUNT, FakeDevice, tone
from tests.waiting import eventually

ORIGIN_S = 100.0
P = ctypes.c_void_p


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
        eventually(lambda: microphone.level > 0)
        device.wanted = None
        muted_s = time.perf_counter()
        eventually(lambda: device.open_now == 0)
        before = microphone.take()
        assert all(block.captured_at_s < muted_s for block in before)
        time.sleep(0.1)
        assert microphone.take() == [] and microphone.level == 0
        resumed_s = time.perf_counter()
        device.wanted = "usb"
        eventually(lambda: device.opened == ["default", "usb"] and microphone.level > 0)
        assert all(block.captured_at_s >= resumed_s for block in microphone.take())


def test_a_lost_microphone_is_reported_and_tried_again() -> None:
    device = FakeDevice()
    with closing(device.microphone()) as microphone:
        eventually(lambda: microphone.level > 0)
        device.fails_to_open, device.lost = True, True
        eventually(lambda: len(device.reports) > 2)
        for report, words in zip(device.reports[1:3], ("default was disconnected", "cannot be opened"), strict=True):
            assert isinstance(report, MicrophoneError) and words in report.text
        assert device.open_now == 0 and microphone.level == 0
        device.lost = device.fails_to_open = False
        eventually(lambda: device.reports[-1] is None)
        device.open, device.wanted = Mock(side_effect=ZeroDivisionError), "of a driver with a defect"  # type: ignore[method-assign]
        eventually(lambda: isinstance(device.reports[-1], ZeroDivisionError))
    assert device.reports[-1] is None, "a closed microphone has no failure"


def test_a_driver_that_fails_after_the_end_reports_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its failure stayed in the status of a program that recorded no more."""
    monkeypatch.setattr(sound, "CLOSE_TIMEOUT_S", 0.0)
    device, hang = FakeDevice(), Hold()

    def fail(name: str) -> NoReturn:
        hang()
        raise ZeroDivisionError

    device.open = fail  # type: ignore[method-assign]
    with closing(device.microphone()):
        assert hang.entered.wait(60)
    hang.go_on.set()
    eventually(lambda: "microphone" not in [thread.name for thread in threading.enumerate()])
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
    assert not samples[960 : round(0.12 * RATE)].any() and samples[round(0.12 * RATE) :].min() == 1000


def test_without_sound_silence_follows_the_frames() -> None:
    track = SoundTrack(ORIGIN_S)
    samples = np.concatenate([track.add([], number / 30) for number in range(61)])
    assert len(samples) == round((2 - LATEST_S) * RATE) and not samples.any()
    again = track.add([block(2.0)], 2.1)
    assert not again[: round(LATEST_S * RATE)].any() and again[round(LATEST_S * RATE) :].min() == 1000


@pytest.mark.parametrize("length", [RATE, COUNT])
def test_the_sound_ends_with_the_file(length: int) -> None:
    assert len(SoundTrack(ORIGIN_S).add([block(0.0, length)], 0.5, final=True)) == RATE // 2


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


@pytest.fixture
def pactl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a shell script in the place of pactl, for a user who writes numbers with a comma."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setattr(sound, "LIST_TIMEOUT_S", 60.0)

    def write(script: str) -> None:
        (tmp_path / "pactl").write_text(f"#!/bin/sh\n{script}\n", "utf-8")
        (tmp_path / "pactl").chmod(0o700)

    return write


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
def test_the_list_leaves_out_what_plays(pactl: Callable[[str], None]) -> None:
    """Of a pactl that writes numbers as the user does, as that of PulseAudio 16."""
    pactl("""
        case "$LC_ALL" in C*) point=. ;; *) point=, ;; esac
        printf '[{"name": "alsa_output.pci.monitor", "description": "Monitor of the speakers"},
                 {"name": "alsa_input.usb", "description": "Gerät", "balance": 0%s00},
                 {"name": "bluez_input.1", "description": null}]' "$point"
    """)
    found = [(microphone.name, microphone.title) for microphone in microphones("linux")]
    assert found == [("alsa_input.usb", "Gerät"), ("bluez_input.1", "bluez_input.1")]


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
@pytest.mark.parametrize("script", ["exit 1", "exec sleep 60", "echo not JSON", "printf '\\377'"])
def test_no_list_leaves_the_default_only(
    pactl: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str
) -> None:
    monkeypatch.setattr(sound, "LIST_TIMEOUT_S", 0.5)
    pactl(script)
    assert microphones("linux") == ()
    monkeypatch.setattr(sound, "LIST_COMMAND", (str(tmp_path / "absent"),))
    assert microphones("linux") == ()


class FakePulse:
    """The functions of libpulse-simple that are used, with their C signatures."""

    def __init__(self, *, opens: bool = True) -> None:
        self.freed: list[int | None] = []
        self.device: bytes | None = None
        self.reads_left = 2
        self.pa_simple_new = ctypes.CFUNCTYPE(P, P, P, ctypes.c_int, ctypes.c_char_p, P, P, P, P, P)(
            lambda server, name, direction, device, *rest: self._opened(direction, device, opens)
        )
        self.pa_simple_read = ctypes.CFUNCTYPE(ctypes.c_int, P, P, ctypes.c_size_t, P)(self._read)
        self.pa_simple_get_latency = ctypes.CFUNCTYPE(ctypes.c_uint64, P, P)(lambda stream, error: 30_000)
        self.pa_simple_free = ctypes.CFUNCTYPE(None, P)(self.freed.append)

    def _opened(self, direction: int, device: bytes | None, opens: bool) -> int:
        assert direction == 2, "records"
        self.device = device
        return 4242 if opens else 0

    def _read(self, stream: int, target: int, size: int, error: int) -> int:
        assert stream == 4242
        self.reads_left -= 1
        if self.reads_left < 0:
            return -1
        ctypes.memmove(target, np.arange(size // 2, dtype="<i2").tobytes(), size)
        return 0


def test_pulse_blocks_carry_the_time_of_their_capture() -> None:
    pulse = FakePulse()
    blocks = pulse_blocks("usb", lambda _name: pulse)
    before_s = time.perf_counter()
    block = next(blocks)
    assert pulse.device == b"usb"
    after_s = time.perf_counter()
    assert np.array_equal(block.samples, np.arange(COUNT))
    assert before_s <= block.captured_at_s + 0.03 + BLOCK_S <= after_s
    next(blocks)
    with pytest.raises(MicrophoneError, match="usb was disconnected"):
        next(blocks)
    assert pulse.freed == [4242]
    pulse.reads_left = 1
    with closing(pulse_blocks("default", lambda _name: pulse)) as blocks:
        next(blocks)
    assert pulse.freed == [4242, 4242]
    assert pulse.device is None, "the default has no name"


def test_pulse_failures_name_the_device() -> None:
    with pytest.raises(MicrophoneError, match="usb cannot be opened"):
        next(pulse_blocks("usb", lambda _name: FakePulse(opens=False)))
    with pytest.raises(MicrophoneError, match="libpulse0"):
        next(pulse_blocks("default", Mock(side_effect=OSError("libpulse-simple.so.0"))))


def test_an_input_of_ffmpeg_is_resampled_and_its_end_reported() -> None:
    parts = []
    with pytest.raises(MicrophoneError, match="test was disconnected"):
        for block in ffmpeg_blocks("test", "sine=frequency=440:sample_rate=44100:duration=0.5", "lavfi", {}):
            parts.append(block.samples)  # noqa: PERF401 - the end raises
    samples = np.concatenate(parts)
    assert len(samples) == pytest.approx(RATE / 2, abs=RATE / 50)
    assert np.argmax(np.abs(np.fft.rfft(samples))) * RATE / len(samples) == pytest.approx(440, abs=4)


@pytest.mark.parametrize("device_format", ["no-such-format", "lavfi"])
def test_inputs_that_ffmpeg_lacks_or_cannot_open_are_named(device_format: str) -> None:
    with pytest.raises(MicrophoneError, match="x cannot be opened"):
        next(ffmpeg_blocks("x", "nonsense=1", device_format, {}))


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_without_its_input_device_ffmpeg_has_no_microphones(platform: str) -> None:
    if {"dshow", "avfoundation"} & av.formats_available:
        pytest.skip("this FFmpeg reads microphones")
    assert microphones(platform=platform) == ()
    with pytest.raises(MicrophoneError, match="default cannot be opened"):
        next(open_microphone("default", platform))
