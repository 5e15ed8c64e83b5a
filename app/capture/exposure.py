"""Locking a camera's exposure and white balance."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import cv2

from app.capture.devices import SYSTEM

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AutomaticControl:
    """An automatic control of a camera and the value that it sets."""

    name: str
    switch: int
    value: int
    manual: float
    automatic: float


# V4L2 uses 1 for manual and 3 for aperture-priority exposure; the other systems use 0.25 and 0.75.
_LINUX = SYSTEM == "Linux"
EXPOSURE = AutomaticControl(
    "exposure",
    cv2.CAP_PROP_AUTO_EXPOSURE,
    cv2.CAP_PROP_EXPOSURE,
    manual=1 if _LINUX else 0.25,
    automatic=3 if _LINUX else 0.75,
)
WHITE_BALANCE = AutomaticControl(
    "white balance", cv2.CAP_PROP_AUTO_WB, cv2.CAP_PROP_WB_TEMPERATURE, manual=0, automatic=1
)


class ExposureLock:
    """Fixes exposure and white balance at their current values until `release`, as far as the camera supports it."""

    def __init__(self, capture: cv2.VideoCapture) -> None:
        """capture: an open camera whose automatic control has settled. Missing controls are skipped."""
        self._capture = capture
        self._locked = [control for control in (EXPOSURE, WHITE_BALANCE) if self._lock(control)]
        log.info("Locked camera controls: %s.", ", ".join(control.name for control in self._locked) or "none")

    def release(self) -> None:
        """Restore automatic control: cameras keep their settings for the next program."""
        for control in self._locked:
            self._capture.set(control.switch, control.automatic)
        self._locked = []

    def _lock(self, control: AutomaticControl) -> bool:
        if self._capture.get(control.switch) != control.automatic:
            return False  # the control is missing, or the user has set it to manual
        settled = self._capture.get(control.value)
        self._capture.set(control.switch, control.manual)
        if self._capture.get(control.switch) != control.manual:
            return False
        # many cameras return to an old value when they are switched to manual
        self._capture.set(control.value, settled)
        return True
