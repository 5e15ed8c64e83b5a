"""Sound sources for tests: blocks at given times, in place of a device."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np

from app.core.errors import MicrophoneError, t
from app.output.sound import BLOCK_S, RATE, Microphone, Samples, SoundBlock

COUNT = round(BLOCK_S * RATE)


def tone(first: int, count: int) -> Samples:
    """Return `count` samples of 440 Hz from number `first` on."""
    return (8000 * np.sin(2 * np.pi * 440 * np.arange(first, first + count) / RATE)).astype(np.int16)


def clicks(at_s: list[float], start_s: float, seconds: float) -> list[SoundBlock]:
    """Return blocks from `start_s` on, silent but for a click of 5 ms at each of these times."""
    samples = np.zeros(round(seconds * RATE), np.int16)
    for time_s in at_s:
        first = round((time_s - start_s) * RATE)
        samples[first : first + round(0.005 * RATE)] = 20_000
    return [
        SoundBlock(samples[first : first + COUNT], start_s + first / RATE)
        for first in range(0, len(samples) - COUNT + 1, COUNT)
    ]


class Feed(Microphone):
    """Delivers prepared blocks `delay_s` after they were captured, by a clock that the test sets."""

    def __init__(self, blocks: list[SoundBlock], clock: Callable[[], float], delay_s: float = 0.03) -> None:
        self._prepared = list(blocks)
        self._clock = clock
        self._delay_s = delay_s
        self.closed = False

    def take(self) -> list[SoundBlock]:
        now_s = self._clock()
        ready = [block for block in self._prepared if block.captured_at_s + BLOCK_S + self._delay_s <= now_s]
        del self._prepared[: len(ready)]
        return ready

    def close(self) -> None:
        self.closed = True


class FakeDevice:
    """Sends a tone in real time. Each device checks that it stays on one thread."""

    opened: list[str]

    def __init__(self) -> None:
        self.opened = []
        self.open_now = 0
        self.fails_to_open = False
        self.lost = False

    def open(self, name: str) -> FakeStream:
        if self.fails_to_open:
            raise MicrophoneError(
                t(
                    "The microphone {device} cannot be opened, and the recording has no sound; connect it or choose "
                    "another one.",
                    device=name,
                )
            )
        self.opened.append(name)
        return FakeStream(self, name)


class FakeStream:
    """An open `FakeDevice`."""

    def __init__(self, device: FakeDevice, name: str) -> None:
        self._device = device
        self._name = name
        self._thread = threading.get_ident()
        self._count = 0
        self._start_s = time.perf_counter()
        device.open_now += 1

    def read(self) -> SoundBlock:
        assert threading.get_ident() == self._thread
        if self._device.lost:
            raise MicrophoneError(
                t(
                    "The microphone {device} was disconnected, and the recording goes on without sound; connect it "
                    "again.",
                    device=self._name,
                )
            )
        at_s = self._start_s + self._count / RATE
        time.sleep(max(0.0, at_s + BLOCK_S - time.perf_counter()))
        block = SoundBlock(tone(self._count, COUNT), at_s)
        self._count += COUNT
        return block

    def close(self) -> None:
        assert threading.get_ident() == self._thread
        self._device.open_now -= 1
