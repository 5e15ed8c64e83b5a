"""Baselines of OpenCV: GrabCut from a box, and background subtraction."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from training.metrics import Alpha

Pixels = npt.NDArray[np.uint8]

_BOX = (0.18, 0.06, 0.64, 0.94)
"""Usual position of a person at a webcam: x, y, width, height as fractions of the frame."""
_ROUNDS = 3
_SHRINK = 3


class GrabCut:
    """GrabCut (Rother et al. 2004), initialized with the box in which people usually sit, at a
    third of the size.
    """

    def reset(self) -> None:
        """Do nothing: there is no state."""

    def alpha(self, rgb: Pixels) -> Alpha:
        """Return alpha (0 or 1) of one frame, uint8 (H, W, 3)."""
        height, width = rgb.shape[:2]
        small = cv2.resize(rgb, (width // _SHRINK, height // _SHRINK), interpolation=cv2.INTER_AREA)
        x, y, w, h = (
            round(f * s) for f, s in zip(_BOX, (width, height, width, height), strict=True)
        )
        labels = np.zeros(small.shape[:2], np.uint8)
        models = np.zeros((1, 65)), np.zeros((1, 65))
        box = (x // _SHRINK, y // _SHRINK, w // _SHRINK, h // _SHRINK - 1)
        cv2.grabCut(small, labels, box, *models, _ROUNDS, cv2.GC_INIT_WITH_RECT)
        person = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
        return np.asarray(
            cv2.resize(person, (width, height), interpolation=cv2.INTER_LINEAR), np.float32
        )


class Mog2:
    """Mixture of Gaussians per pixel (Zivkovic 2004); detects motion."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Reset the background model."""
        self._model = cv2.createBackgroundSubtractorMOG2(history=60, detectShadows=False)

    def alpha(self, rgb: Pixels) -> Alpha:
        """Return alpha (0 or 1) of the next frame, uint8 (H, W, 3), with small holes closed."""
        moving = self._model.apply(rgb)
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
        closed = cv2.morphologyEx(cv2.medianBlur(moving, 5), cv2.MORPH_CLOSE, kernel)
        return np.asarray(closed, np.float32) / np.float32(255)
