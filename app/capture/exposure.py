"""Holds a camera's exposure and white balance where they are."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import cv2

from app.capture.devices import SYSTEM

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Automatic:
    """Something a camera does by itself, and the value it does it with."""

    name: str
    switch: int
    value: int
    by_hand: float
    by_itself: float


# V4L2 counts its kinds of exposure, 1 by hand and 3 by the aperture; the other systems have halves.
_LINUX = SYSTEM == "Linux"
_EXPOSURE = _Automatic(
    "exposure",
    cv2.CAP_PROP_AUTO_EXPOSURE,
    cv2.CAP_PROP_EXPOSURE,
    by_hand=1 if _LINUX else 0.25,
    by_itself=3 if _LINUX else 0.75,
)
_WHITE_BALANCE = _Automatic("white balance", cv2.CAP_PROP_AUTO_WB, cv2.CAP_PROP_WB_TEMPERATURE, by_hand=0, by_itself=1)


class ExposureLock:
    """Sets exposure and white balance by hand to what they are, as far as the camera allows it, until `release`."""

    def __init__(self, capture: cv2.VideoCapture) -> None:
        """capture: an open camera whose automatic has settled. A camera without such controls is left as it is."""
        self._capture = capture
        self._held = [automatic for automatic in (_EXPOSURE, _WHITE_BALANCE) if self._hold(automatic)]
        log.info("The camera holds its %s.", " and ".join(held.name for held in self._held) or "settings by itself")

    def release(self) -> None:
        """Give the automatic back: cameras keep what was set for the next program."""
        for automatic in self._held:
            self._capture.set(automatic.switch, automatic.by_itself)
        self._held = []

    def _hold(self, automatic: _Automatic) -> bool:
        if self._capture.get(automatic.switch) != automatic.by_itself:
            return False  # There is no such control, or the user has set it by hand.
        settled = self._capture.get(automatic.value)
        self._capture.set(automatic.switch, automatic.by_hand)
        if self._capture.get(automatic.switch) != automatic.by_hand:
            return False
        # Many cameras go to a value of old when they are switched over.
        self._capture.set(automatic.value, settled)
        return True
