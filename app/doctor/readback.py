"""An ordinary reader for the proof: OpenCV, as many programs use it."""

from __future__ import annotations

import sys

import cv2
import numpy as np

from app.core.types import BgrImage


class OpenCvReader:
    """Reads a camera by node or index."""

    def __init__(self, capture: cv2.VideoCapture) -> None:
        self._capture = capture

    def read(self) -> BgrImage | None:
        """The next picture; None when none came."""
        good, image = self._capture.read()
        return np.asarray(image, np.uint8) if good and image is not None else None

    def close(self) -> None:
        """Release the camera."""
        self._capture.release()


def open_opencv(device: str | int) -> OpenCvReader | None:
    """Open a node (`/dev/video10`) or an index; None where it cannot be opened."""
    backend = {"linux": cv2.CAP_V4L2, "win32": cv2.CAP_DSHOW, "darwin": cv2.CAP_AVFOUNDATION}.get(sys.platform, 0)
    if isinstance(device, str) and device.startswith("/dev/video"):
        device = int(device.removeprefix("/dev/video"))
    capture = cv2.VideoCapture(device, backend)
    if not capture.isOpened():
        capture.release()
        return None
    return OpenCvReader(capture)
