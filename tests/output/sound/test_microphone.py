"""The microphone's thread: muting, changing, losing and closing the device."""

from __future__ import annotations

import time
from contextlib import closing

import numpy as np

from app.core.errors import MicrophoneError
from app.output.sound.microphone import Microphone, SoundBlock
from tests.output.sound.sources import FakeDevice
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
        assert 0 <= time.perf_counter() - blocks[-1].captured_at_s < 10
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
