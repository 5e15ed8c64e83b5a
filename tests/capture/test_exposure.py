"""Locking exposure and white balance, with a fake camera."""

from __future__ import annotations

import cv2
import pytest

from app.capture import camera, exposure
from app.capture.camera import CameraSource, CameraTiming
from app.capture.exposure import ExposureLock
from app.core.errors import SourceLostError
from app.core.settings import CaptureSettings
from tests.capture.played_camera import WEBCAM, FakeCapture, picture
from tests.capture.played_time import played_time

AUTO_EXPOSURE, EXPOSURE = cv2.CAP_PROP_AUTO_EXPOSURE, cv2.CAP_PROP_EXPOSURE
AUTO_WB, TEMPERATURE = cv2.CAP_PROP_AUTO_WB, cv2.CAP_PROP_WB_TEMPERATURE
MANUAL, AUTOMATIC = exposure.EXPOSURE.manual, exposure.EXPOSURE.automatic
STALE = 77.0


class Controls(FakeCapture):
    """A camera that goes to a stale value when it is switched to manual, as many do."""

    made: list[FakeCapture] = []  # noqa: RUF012

    def __init__(self, *missing: int) -> None:
        super().__init__()
        self.values = {AUTO_EXPOSURE: AUTOMATIC, EXPOSURE: 156.0, AUTO_WB: 1.0, TEMPERATURE: 4600.0}
        for control in missing:
            del self.values[control]
        self.shows, self.undecoded = {"MJPG": picture()}, []

    def get(self, key: int) -> float:
        return super().get(key) if key in self.asked else self.values.get(key, -1.0)

    def set(self, key: int, value: float) -> bool:
        if key not in self.values:
            return super().set(key, value)
        if not self.released:
            self.values[key] = value
            if (key, value) in ((AUTO_EXPOSURE, MANUAL), (AUTO_WB, 0)):
                self.values[EXPOSURE if key == AUTO_EXPOSURE else TEMPERATURE] = STALE
        return True


@pytest.mark.parametrize("missing", [(), (AUTO_EXPOSURE, EXPOSURE)], ids=["all-controls", "no-exposure"])
def test_settled_values_of_the_controls_there_are_are_locked_and_released(missing: tuple[int, ...]) -> None:
    device = Controls(*missing)
    before = dict(device.values)
    lock = ExposureLock(device)  # type: ignore[arg-type]
    locked = {AUTO_EXPOSURE: MANUAL, EXPOSURE: 156.0, AUTO_WB: 0.0, TEMPERATURE: 4600.0}
    assert device.values == {control: locked[control] for control in before}
    lock.release()
    assert device.values == before


def test_manual_settings_of_the_user_are_kept() -> None:
    device = Controls()
    device.values[AUTO_EXPOSURE] = MANUAL
    device.values[AUTO_WB] = 0.0
    ExposureLock(device).release()  # type: ignore[arg-type]
    assert device.values == {AUTO_EXPOSURE: MANUAL, EXPOSURE: 156.0, AUTO_WB: 0.0, TEMPERATURE: 4600.0}


def plug_in(monkeypatch: pytest.MonkeyPatch) -> Controls:
    device = Controls()
    monkeypatch.setattr(cv2, "VideoCapture", lambda: device)
    monkeypatch.setattr(camera, "find_camera", lambda _: WEBCAM)
    return device


@pytest.mark.parametrize("wanted", [True, False])
def test_a_source_locks_exposure_once_it_has_settled(monkeypatch: pytest.MonkeyPatch, wanted: bool) -> None:
    clock = played_time(monkeypatch, camera)
    device = plug_in(monkeypatch)
    source = CameraSource("0", CaptureSettings(lock_exposure=wanted), CameraTiming(settle_s=0.2))
    source.read()
    assert device.values[AUTO_EXPOSURE] == AUTOMATIC
    clock.now_s += 0.25
    source.read()
    assert device.values[AUTO_EXPOSURE] == (MANUAL if wanted else AUTOMATIC)
    assert device.values[EXPOSURE] == 156.0
    source.close()
    assert device.values[AUTO_EXPOSURE] == AUTOMATIC


def test_a_running_source_locks_and_releases_exposure(monkeypatch: pytest.MonkeyPatch) -> None:
    device = plug_in(monkeypatch)
    source = CameraSource("0", CaptureSettings(), CameraTiming(settle_s=0))
    for wanted in (False, True, True, False, True):
        source.hold_exposure(wanted)
        source.read()
        assert device.values[AUTO_EXPOSURE] == (MANUAL if wanted else AUTOMATIC)
    source.close()
    assert device.values[AUTO_EXPOSURE] == AUTOMATIC


def test_a_camera_that_falls_silent_gets_automatic_exposure_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the camera would keep it for every program, and this one take it for the user's."""
    device = plug_in(monkeypatch)
    source = CameraSource("0", CaptureSettings(lock_exposure=True), CameraTiming(read_s=0, silence_s=0, settle_s=0))
    source.read()
    assert device.values[AUTO_EXPOSURE] == MANUAL
    device.shows = {}
    with pytest.raises(SourceLostError):
        source.read()
    source.close()
    assert device.values[AUTO_EXPOSURE] == AUTOMATIC
