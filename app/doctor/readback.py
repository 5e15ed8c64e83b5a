"""Read a camera with OpenCV, as many programs do."""

from __future__ import annotations

import sys

import cv2
import numpy as np

from app.core.types import BgrImage


class OpenCvReader:
    """Reads frames of an open camera."""

    def __init__(self, capture: cv2.VideoCapture) -> None:
        self._capture = capture

    def read(self) -> BgrImage | None:
        """Return the next frame as (H, W, 3) uint8 BGR; None if none was delivered."""
        good, image = self._capture.read()
        return np.asarray(image, np.uint8) if good and image is not None else None

    def close(self) -> None:
        """Release the camera."""
        self._capture.release()


def open_opencv(device: str | int) -> OpenCvReader | None:
    """Open a node (`/dev/video10`) or an index; return None if that fails."""
    backend = {"linux": cv2.CAP_V4L2, "win32": cv2.CAP_DSHOW, "darwin": cv2.CAP_AVFOUNDATION}.get(sys.platform, 0)
    if isinstance(device, str) and device.startswith("/dev/video"):
        device = int(device.removeprefix("/dev/video"))
    capture = cv2.VideoCapture(device, backend)
    if not capture.isOpened():
        capture.release()
        return None
    return OpenCvReader(capture)
