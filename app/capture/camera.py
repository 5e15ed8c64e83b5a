"""Cameras, through OpenCV."""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.capture.devices import SYSTEM, CameraDevice, find_camera
from app.capture.exposure import ExposureLock
from app.capture.mjpg import MjpgDecoder
from app.core.errors import SourceLostError, SourceOpenError
from app.core.messages.capture import CameraText
from app.core.settings import CaptureSettings
from app.core.text import Text
from app.core.types import BgrImage, Frame, SourceInfo

log = logging.getLogger(__name__)

START_TIMEOUT_S = 4.0
"""Some cameras take seconds to their first picture."""
SILENCE_S = 2.0
"""A camera that gives nothing for so long counts as lost."""
READ_TIMEOUT_S = 1.0
SETTLE_S = 1.5
"""So long after its first picture a camera has found its exposure, which can then be held."""
RETRY_S = 0.02
"""An unplugged camera fails at once, over and over."""
AUTO_FORMATS = ("MJPG", "YUYV")
"""MJPG first: most cameras have their high rates only there."""

# OpenCV waits 10 s for a frame of a V4L2 camera unless told otherwise; it looks when the first camera is opened.
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(round(READ_TIMEOUT_S)))
# On Windows opening a camera can take half a minute while OpenCV looks for hardware that converts pictures.
os.environ.setdefault("OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS", "0")


@dataclass(frozen=True, slots=True)
class Picture:
    """What one look at the camera gave."""

    image: BgrImage | None
    """None: nothing, or a blank picture."""
    blank: CameraText | None = None
    """BLACK or GREEN if the frame has no other colour: a closed shutter, or a format that the driver gets wrong."""


class CameraSource:
    """One camera; the device is found anew by its stable name whenever a source is opened."""

    def __init__(self, wanted: str, settings: CaptureSettings) -> None:
        """wanted: a number, device file, stable id or name. Size, rate and format are wishes: `info` tells what came.

        Raises SourceOpenError: absent, busy, no permission, no picture. Takes up to some seconds.
        """
        # a camera that cannot be opened is reported in words of our own
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        self._device = find_camera(wanted) or _unlisted(wanted)
        self._settings = settings
        self._closed = threading.Event()
        self._index = 0
        self._blank: CameraText | None = None
        self._lock: ExposureLock | None = None
        self._mjpg = MjpgDecoder()
        self._is_raw_mjpg = False
        """The driver delivers undecoded JPEG frames."""
        self._grabbed_s = self._last_s = time.perf_counter()
        self._info = SourceInfo("camera", self._device.name, self._device.id, 0, 0, settings.fps, "")
        try:
            self._capture = self._open()
        except BaseException:
            self._mjpg.close()
            raise
        self._settled_at_s = self._last_s + SETTLE_S
        self._hold_at_s = math.inf
        self.hold_exposure(settings.lock_exposure)

    @property
    def info(self) -> SourceInfo:
        """Size, rate and format as read back from the camera."""
        return self._info

    def read(self) -> Frame | None:
        """The next picture, not waiting longer than about a second. Raises SourceLostError after two without one."""
        picture = self._look(self._capture, READ_TIMEOUT_S)
        now = time.perf_counter()
        if picture.image is None:
            self._blank = picture.blank
            if not self._closed.is_set() and (now - self._last_s > SILENCE_S or self._is_gone()):
                raise SourceLostError(self._why_lost())
            return None
        height, width = picture.image.shape[:2]
        if (width, height) != (self._info.width, self._info.height):
            self._info = replace(self._info, width=width, height=height)
        self._last_s = self._grabbed_s
        if now >= self._hold_at_s:
            self._hold_at_s = math.inf
            self._lock = ExposureLock(self._capture)
        frame = Frame(picture.image, self._index, self._grabbed_s)
        self._index += 1
        return frame

    def hold_exposure(self, wanted: bool) -> None:
        """See `HoldsExposure`; a camera without such controls stays as it is."""
        if wanted:
            if self._lock is None:
                self._hold_at_s = self._settled_at_s
            return
        self._hold_at_s = math.inf
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def close(self) -> None:
        """Release the camera; a second call does nothing."""
        self._closed.set()
        self.hold_exposure(False)
        self._capture.release()
        self._mjpg.close()

    def _open(self) -> cv2.VideoCapture:
        """The camera in the first format that gives a picture. Sets `info`."""
        blank: CameraText | None = None
        for pixel_format in self._formats():
            capture = cv2.VideoCapture()
            if not _open_device(capture, self._device):
                raise SourceOpenError(CameraText.CANNOT_OPEN(camera=self._name(), reason=self._why_not()))
            self._negotiate(capture, pixel_format)
            picture = self._look(capture, START_TIMEOUT_S)
            if picture.image is not None:
                self._info = self._read_back(capture, picture.image)
                self._last_s = self._grabbed_s
                return capture
            blank = picture.blank or blank
            capture.release()
            log.info("%s gives no picture in the format %s", self._device.name, pixel_format)
        if blank is not None:
            raise SourceOpenError(blank(camera=self._name()))
        raise SourceOpenError(CameraText.NO_FRAMES(camera=self._name(), reason=self._why_not()))

    def _formats(self) -> tuple[str, ...]:
        """The formats to try, in turn."""
        if self._settings.pixel_format != "auto":
            return (self._settings.pixel_format,)
        offered = self._device.formats
        return tuple(f for f in AUTO_FORMATS if not offered or f in offered) or offered[:1]

    def _negotiate(self, capture: cv2.VideoCapture, pixel_format: str) -> None:
        # set() says yes even where it did nothing; what came of it is read back later
        if len(pixel_format) == 4 and pixel_format.isascii():
            capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*pixel_format))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, self._settings.width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self._settings.height)
        capture.set(cv2.CAP_PROP_FPS, self._settings.fps)
        # OpenCV's own decoder fills the gaps of damaged frames; elsewhere than on Linux the system decodes
        self._is_raw_mjpg = SYSTEM == "Linux" and _fourcc(capture) == "MJPG"
        if self._is_raw_mjpg:
            self._is_raw_mjpg = bool(capture.set(cv2.CAP_PROP_CONVERT_RGB, 0))

    def _read_back(self, capture: cv2.VideoCapture, image: BgrImage) -> SourceInfo:
        fps = capture.get(cv2.CAP_PROP_FPS)
        return replace(
            self._info,
            width=image.shape[1],
            height=image.shape[0],
            fps=fps if math.isfinite(fps) and 0 < fps <= 1000 else self._settings.fps,
            pixel_format=_fourcc(capture),
        )

    def _look(self, capture: cv2.VideoCapture, timeout_s: float) -> Picture:
        """The next picture that is not blank, within the time."""
        end_s = time.perf_counter() + timeout_s
        blank: CameraText | None = None
        while not self._closed.is_set():
            if capture.grab():
                self._grabbed_s = time.perf_counter()
                done, raw = capture.retrieve()
                image = self._decoded(np.asarray(raw, np.uint8)) if done and raw is not None and raw.size else None
                if image is not None:
                    blank = blank_fault(image)
                    if blank is None:
                        return Picture(image)
            elif self._is_gone():
                break
            else:
                self._closed.wait(RETRY_S)
            if time.perf_counter() >= end_s:
                break
        return Picture(None, blank)

    def _decoded(self, raw: NDArray[np.uint8]) -> BgrImage | None:
        """Return a frame from what the driver delivers; None if it is damaged."""
        if self._is_raw_mjpg and (raw.ndim == 1 or raw.shape[-1] != 3):
            return self._mjpg.decode(np.ascontiguousarray(raw).reshape(-1))
        return _as_bgr(raw)

    def _is_gone(self) -> bool:
        return SYSTEM == "Linux" and not Path(self._device.path).exists()

    def _why_not(self) -> Text:
        if SYSTEM == "Linux":
            from app.capture import v4l2

            return v4l2.why_not(self._device.path)
        return CameraText.REASON_UNKNOWN()

    def _why_lost(self) -> Text:
        if self._is_gone():
            return CameraText.DISCONNECTED(camera=self._name())
        if self._blank is not None:
            return self._blank(camera=self._name())
        if self._mjpg.last_damage:
            return CameraText.DAMAGED(camera=self._name())
        self._capture.release()  # so that this program itself is not reported as the user of the camera
        return CameraText.SILENT(camera=self._name(), seconds=f"{SILENCE_S:.0f}", reason=self._why_not())

    def _name(self) -> str:
        name, path = self._device.name, self._device.path
        return CameraText.NAME(name=name, device=path) if path and path != name else name


def _fourcc(capture: cv2.VideoCapture) -> str:
    """Return the pixel format that the driver has accepted; empty if unknown."""
    code = int(capture.get(cv2.CAP_PROP_FOURCC))
    return code.to_bytes(4, "little").decode("ascii", "replace").strip("\0 ") if code > 0 else ""


def blank_fault(image: BgrImage) -> CameraText | None:
    """Return BLACK or GREEN (all planes zero in a YUV format) if the frame has no other colour, else None.

    image: (height, width, 3) uint8 BGR.
    """
    sample = image[::8, ::8].reshape(-1, 3)
    low, high = sample.min(axis=0), sample.max(axis=0)
    if int((high - low).max()) > 2:
        return None
    blue, green, red = (int(value) for value in high)
    if max(blue, green, red) <= 2:
        return CameraText.BLACK
    return CameraText.GREEN if max(blue, red) <= 8 and 100 <= green <= 170 else None


def _unlisted(wanted: str) -> CameraDevice:
    """A camera that the system does not list: by number or device file it can be tried all the same."""
    linux = SYSTEM == "Linux"
    path = os.path.realpath(f"/dev/video{wanted}" if wanted.isdecimal() else wanted) if linux else ""
    if linux and path.startswith("/dev/"):
        return CameraDevice(path, path, path, -1)
    if not linux and wanted.isdecimal():
        return CameraDevice(wanted, wanted, "", int(wanted))
    raise SourceOpenError(CameraText.UNKNOWN(name=wanted))


def _open_device(capture: cv2.VideoCapture, device: CameraDevice) -> bool:
    if SYSTEM == "Linux":
        return bool(capture.open(device.path, cv2.CAP_V4L2))
    if SYSTEM == "Darwin":
        return bool(capture.open(device.index, cv2.CAP_AVFOUNDATION))
    return bool(capture.open(device.index, cv2.CAP_MSMF)) or bool(capture.open(device.index, cv2.CAP_DSHOW))


def _as_bgr(image: BgrImage) -> BgrImage:
    """What drivers give, as (height, width, 3) BGR."""
    if image.ndim == 2 or image.shape[2] == 1:
        image = np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8)
    return np.ascontiguousarray(image[:, :, :3])
