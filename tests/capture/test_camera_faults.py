"""Cameras with a fake driver: streams that do not start or fail, silence at the end, inputs without a signal."""

from __future__ import annotations

import logging
import math
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from app.capture import camera
from app.capture.camera import CameraTiming
from app.core.errors import SourceLostError, SourceOpenError
from app.core.worker import Worker
from mattecam.testing import FakeClock
from tests.capture.conftest import (
    PATIENT,
    WEBCAM,
    Driver,
    FakeCapture,
    lost,
    picture,
    played_time,
)
from tests.stand_ins import always

# A driver that takes longer for a failure is silent.
FAILS_AT_ONCE_S = CameraTiming().failing_s


class Failing(FakeCapture):
    """A driver of played time that fails at once, until a moment; opening it takes a moment too."""

    clock: FakeClock
    fails_until_s: float

    def open(self, path: str, backend: int) -> bool:
        self.clock.now_s += 0.1
        # A stream whose start has failed does not start later: OpenCV keeps its buffers queued.
        self.has_failed = False
        return super().open(path, backend)

    def grab(self) -> bool:
        if self.clock.now_s < self.fails_until_s:
            self.has_failed = True
        return super().grab() and not self.has_failed


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> type[Failing]:
    node = tmp_path / "video0"
    node.touch()
    monkeypatch.setattr(camera, "SYSTEM", "Linux")
    Failing.clock = played_time(monkeypatch, camera)
    Failing.device = replace(WEBCAM, path=str(node))
    Failing.fails_until_s = 0.0
    Failing.made = []
    Failing.undecoded = []
    Failing.shows = {"MJPG": picture(), "YUYV": picture()}
    return Failing


@pytest.mark.parametrize(
    ("fault_s", "back_s"), [(0.0, 0.5), (0.5, 0.5), (1.0, 0.5), (1.4, 1.9), (2.5, 1.9), (3.5, 1.9)]
)
def test_a_stream_that_does_not_start_starts_soon_after_the_end_of_its_fault(
    fault_s: float, back_s: float, failing: type[Failing]
) -> None:
    """The first failure of a start held the camera for four seconds, and cost it its best format."""
    clock = failing.clock
    failing.fails_until_s = clock.now_s + fault_s

    with failing.source(CameraTiming()) as source:
        assert clock.now_s - failing.fails_until_s < back_s
        assert source.info.pixel_format == "MJPG"
    assert all(capture.released for capture in failing.made)


@pytest.mark.parametrize("needed_s", [0.2, 0.5, 1.0, 1.4])
def test_a_camera_that_fails_for_a_while_after_each_opening_is_waited_for(
    needed_s: float, failing: type[Failing]
) -> None:
    """It was opened anew after 0.3 s, and at last refused."""
    clock = failing.clock

    class Slow(failing):  # type: ignore[misc, valid-type]
        def open(self, path: str, backend: int) -> bool:
            self.works_at_s = clock.now_s + needed_s
            return bool(super().open(path, backend))

        def grab(self) -> bool:
            return clock.now_s >= self.works_at_s and bool(super().grab())

    began_s = clock.now_s
    with Slow.source(CameraTiming()) as source:
        assert source.read()
        assert source.info.pixel_format == "MJPG"

    assert clock.now_s - began_s < 3.5


def test_a_stream_that_never_starts_is_opened_twice_a_second_at_most(
    failing: type[Failing], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    clock = failing.clock
    failing.fails_until_s = math.inf
    began_s = clock.now_s

    with pytest.raises(SourceOpenError, match="delivers no frames"):
        failing.source(CameraTiming())

    took_s = clock.now_s - began_s
    assert took_s < 4.6, "the formats after the first one have no seconds of their own"
    assert len(failing.made) <= took_s * 2 + 1
    assert all(capture.released for capture in failing.made)
    assert not caplog.records, "a camera that stays broken would fill the log"


@pytest.mark.parametrize("skips", [False, True])
def test_a_stream_that_fails_is_lost_at_once_and_back_with_the_next_opening(
    failing: type[Failing], skips: bool
) -> None:
    clock = failing.clock
    with failing.source(CameraTiming()) as source:
        read = source.skip if skips else source.read
        assert read()
        failing.fails_until_s = clock.now_s + 0.1
        began_s = clock.now_s
        with pytest.raises(SourceLostError, match=r"Webcam .*delivers no frames: "):
            read()
    with failing.source(CameraTiming()) as again:
        assert again.read()
    assert clock.now_s - began_s < 1


def test_a_driver_that_waits_for_frames_is_silent_and_has_not_failed(
    failing: type[Failing],
) -> None:
    clock = failing.clock

    def wait_in_vain() -> bool:
        clock.now_s += camera.READ_TIMEOUT_S
        return False

    with failing.source(CameraTiming()) as source:
        assert source.read()
        began_s = clock.now_s
        failing.made[-1].grab = wait_in_vain  # type: ignore[method-assign]
        lost(source.read, "delivered no frame for 2 seconds")
    assert clock.now_s - began_s > CameraTiming().silence_s


def test_a_virtual_camera_fails_until_its_sender_begins(failing: type[Failing]) -> None:
    """A relay begins to send once it is read: opened anew all the time, it would never begin."""
    failing.device = replace(failing.device, is_virtual=True)
    failing.fails_until_s = math.inf

    with pytest.raises(SourceOpenError, match="delivers no frames"):
        failing.source(CameraTiming())

    assert [capture.format for capture in failing.made] == ["MJPG", "YUYV"]


def test_the_end_waits_for_no_silent_camera_that_is_being_opened(driver: Driver) -> None:
    """It waited for nine seconds."""
    asked = threading.Event()

    class Silent(driver):  # type: ignore[misc, valid-type]
        def grab(self) -> bool:
            asked.set()
            threading.Event().wait(FAILS_AT_ONCE_S)
            return False

    def open_camera(_stop: threading.Event) -> None:
        with pytest.raises(SourceOpenError, match="delivers no frames"):
            Silent.source(PATIENT)

    opening = Worker("capture", open_camera)
    opening.start()
    assert asked.wait(60)

    assert opening.stop(20)
    assert opening.error is None
    assert [capture.released for capture in driver.made] == [True]


@pytest.mark.parametrize("skips", [False, True])
def test_an_input_without_a_signal_is_named_while_its_frames_arrive(
    skips: bool, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Grabbers go on with noise, or a blue picture, and the program said nothing."""
    clock = played_time(monkeypatch, camera)
    driver.has_signal = True
    with driver.source(CameraTiming()) as source:
        read = source.skip if skips else source.read
        warnings = []
        for driver.has_signal in (True, False, True):
            assert read(), "the frames go on"
            warnings.append(source.warning or "")
            clock.now_s += 1.1

    assert "its input has no signal; switch on" in warnings[1]
    assert warnings == ["", warnings[1], ""]


def test_a_question_that_fails_once_leaves_the_warning_of_a_missing_signal(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = played_time(monkeypatch, camera)
    warnings = []
    driver.has_signal = False
    with driver.source(CameraTiming()) as source:
        for driver.has_signal in (False, None, False, True):
            assert source.read()
            warnings.append(source.warning is not None)
            clock.now_s += 1.1

    assert warnings == [True, True, True, False]


def test_a_driver_is_asked_for_a_signal_once_a_second(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = played_time(monkeypatch, camera)
    driver.has_signal = True
    with driver.source(CameraTiming()) as source:
        for _ in range(100):
            clock.now_s += 0.04
            assert source.read()

    assert 3 <= driver.signal_asked <= 5


@pytest.mark.parametrize(
    ("is_virtual", "times"), [(False, 1), (True, 0)], ids=["a webcam", "a loopback"]
)
def test_a_driver_that_does_not_say_whether_it_has_a_signal_is_not_asked_again(
    is_virtual: bool, times: int, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = played_time(monkeypatch, camera)
    monkeypatch.setattr(camera, "holders", always(()))
    driver.device = replace(WEBCAM, is_virtual=is_virtual)
    with driver.source(CameraTiming()) as source:
        for _ in range(3):
            clock.now_s += 2.0
            assert source.read()
        assert source.warning is None

    assert driver.signal_asked == times
