"""Listing and opening microphones without a sound server."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from app.core.errors import MicrophoneError
from app.output.sound.devices import FFmpegMicrophone, PulseMicrophone, microphones, open_microphone
from app.output.sound.microphone import BLOCK_S, RATE
from tests.output.sound.sources import COUNT

P = ctypes.c_void_p


def test_the_list_leaves_out_what_plays() -> None:
    sources = [
        {"name": "alsa_output.pci.monitor", "description": "Monitor of the speakers"},
        {"name": "alsa_input.usb", "description": "USB Microphone"},
        {"name": "bluez_input.1", "description": None},
    ]
    found = microphones(lambda: json.dumps(sources), "linux")
    assert [microphone.name for microphone in found] == ["alsa_input.usb", "bluez_input.1"]
    assert [microphone.title for microphone in found] == ["USB Microphone", "bluez_input.1"]


@pytest.mark.parametrize("error", [FileNotFoundError(), subprocess.TimeoutExpired("pactl", 3), ValueError()])
def test_no_list_leaves_the_default_only(error: Exception) -> None:
    def run() -> str:
        raise error

    assert microphones(run, "linux") == ()
    assert microphones(lambda: "not JSON", "linux") == ()


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
def test_the_list_of_a_system_that_writes_numbers_with_a_comma(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As pactl of PulseAudio 16 does."""
    (tmp_path / "pactl").write_text(
        """#!/bin/sh
        case "$LC_ALL" in C*) point=. ;; *) point=, ;; esac
        printf '[{"name": "usb", "description": "Gerät", "balance": 0%s00}]' "$point"
        """,
        "utf-8",
    )
    (tmp_path / "pactl").chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert [microphone.title for microphone in microphones(platform="linux")] == ["Gerät"]


class FakePulse:
    """The functions of libpulse-simple that are used, with their C signatures."""

    def __init__(self, *, opens: bool = True, latency_us: int = 30_000) -> None:
        self.freed: list[int | None] = []
        self.device: bytes | None = None
        self.reads_left = 2
        self.pa_simple_new = ctypes.CFUNCTYPE(P, P, P, ctypes.c_int, ctypes.c_char_p, P, P, P, P, P)(
            lambda server, name, direction, device, *rest: self._opened(direction, device, opens)
        )
        self.pa_simple_read = ctypes.CFUNCTYPE(ctypes.c_int, P, P, ctypes.c_size_t, P)(self._read)
        self.pa_simple_get_latency = ctypes.CFUNCTYPE(ctypes.c_uint64, P, P)(lambda stream, error: latency_us)
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
    microphone = PulseMicrophone("usb", lambda _name: pulse)
    assert pulse.device == b"usb"
    before_s = time.perf_counter()
    block = microphone.read()
    after_s = time.perf_counter()
    assert np.array_equal(block.samples, np.arange(COUNT))
    assert before_s <= block.captured_at_s + 0.03 + BLOCK_S <= after_s
    microphone.read()
    with pytest.raises(MicrophoneError, match="usb was disconnected"):
        microphone.read()
    microphone.close()
    microphone.close()
    assert pulse.freed == [4242]
    PulseMicrophone("default", lambda _name: pulse).close()
    assert pulse.device is None, "the default has no name"


def test_pulse_failures_name_the_device() -> None:
    with pytest.raises(MicrophoneError, match="usb cannot be opened"):
        PulseMicrophone("usb", lambda _name: FakePulse(opens=False))

    def missing(name: str) -> Any:
        raise OSError(name)

    with pytest.raises(MicrophoneError, match="libpulse0"):
        PulseMicrophone("default", missing)


def test_an_input_of_ffmpeg_is_resampled_and_its_end_reported() -> None:
    microphone = FFmpegMicrophone("test", "sine=frequency=440:sample_rate=44100:duration=0.5", "lavfi", {})
    parts = []
    with pytest.raises(MicrophoneError, match="test was disconnected"):
        while True:
            parts.append(microphone.read().samples)
    microphone.close()
    samples = np.concatenate(parts)
    assert len(samples) == pytest.approx(RATE / 2, abs=RATE / 50)
    assert np.argmax(np.abs(np.fft.rfft(samples))) * RATE / len(samples) == pytest.approx(440, abs=4)


def test_inputs_that_ffmpeg_lacks_or_cannot_open_are_named() -> None:
    with pytest.raises(MicrophoneError, match="FFmpeg cannot read microphones"):
        FFmpegMicrophone("x", "x", "no-such-format", {})
    with pytest.raises(MicrophoneError, match="x cannot be opened"):
        FFmpegMicrophone("x", "nonsense=1", "lavfi", {})


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_without_its_input_device_ffmpeg_has_no_microphones(platform: str) -> None:
    if {"dshow", "avfoundation"} & av.formats_available:
        pytest.skip("this FFmpeg reads microphones")
    assert microphones(platform=platform) == ()
    with pytest.raises(MicrophoneError, match="FFmpeg cannot read microphones"):
        open_microphone("default", platform)
