"""The virtual camera sink, through pyvirtualcam or V4L2; each is imported when the first camera is opened."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.core import geometry
from app.core.errors import SinkLostError, SinkOpenError
from app.core.messages.output import VirtualCameraText
from app.core.types import BgrImage, Picture
from app.media.yuv import Layout, YuvConverter
from app.output.camera_errors import explain, no_virtual_camera
from app.output.camera_list import OUR_LABEL, VirtualCameraDevice, is_busy, list_virtual_cameras
from app.system.device_holders import LINUX, holders

log = logging.getLogger(__name__)

__all__ = ["OUR_LABEL", "VirtualCamera", "VirtualCameraDevice", "list_virtual_cameras"]

MAX_SIZE = 7680, 4320
"""Larger frames are downscaled: drivers do not reject them, but fail in other ways."""
_LAYOUTS: dict[str, Layout] = {"YU12": "I420", "YUYV": "YUYV", "UYVY": "UYVY"}
"""FOURCCs of the layouts that this program sends."""
_ASKED: Layout = "YUYV"
"""The layout that is asked for, and its FOURCC: every reader takes it. OBS takes no I420 through the camera portal."""
_ERRORS = (RuntimeError, OSError, ValueError, TypeError, KeyError, ZeroDivisionError, ImportError)
"""Exceptions of the backends."""


class Driver(Protocol):
    """What a backend opens: pyvirtualcam's Camera or a LoopbackWriter."""

    width: int
    height: int

    def send(self, frame: NDArray[np.uint8]) -> None:
        """Show a frame in the layout of the driver."""
        ...

    def close(self) -> None:
        """Release the device."""
        ...


class VirtualCamera:
    """Presents frames to other programs as a camera.

    The size does not change while a program reads it (readers would receive garbage): frames of other sizes are
    letterboxed. Without readers the camera is reopened for a new size.
    """

    def __init__(self, device_or_label: str, width: int, height: int, fps: float, *, backend: str = "auto") -> None:
        """device_or_label: `auto`, a device such as `/dev/video10`, or a label. width, height: pixels, rounded down to
        even. backend: `auto` (pyvirtualcam, or V4L2 where that is not installed or fails), `pyvirtualcam` or `v4l2`.
        Raises SinkOpenError.
        """
        if backend == "v4l2" and not LINUX:
            raise SinkOpenError(VirtualCameraText.V4L2_ON_LINUX_ONLY())
        self._opener = _Opener(backend)
        self._fps = max(1.0, fps)
        self._wanted = _sendable(width, height)
        self._feed, chosen = self._opener.open_first(_candidates(device_or_label), self._wanted, self._fps)
        self.device = chosen.id
        """The device file, or the name if there is none."""
        self.name = chosen.label if chosen.label == chosen.id else f"{chosen.label} ({chosen.id})"

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels, as readers see it."""
        return self._feed.size

    def send(self, picture: Picture) -> None:
        """Send a frame. Raises SinkLostError.

        A frame for which the camera is reopened is not sent: that takes time, in which the user may have paused.
        """
        wanted = _sendable(*picture.size)
        if wanted != self._wanted and not self._feed.closed:
            self._wanted = wanted
            if self._resized():
                return
        self._feed.send(picture.image)

    def close(self) -> None:
        """Release the device so that the next program can use it. Idempotent."""
        self._feed.close()

    def _resized(self) -> bool:
        """Reopen with the new size if there is no reader; otherwise frames are letterboxed from now on."""
        if not LINUX or self.size == self._wanted or _others_hold(self.device):
            return False
        self._feed.close()
        try:
            self._feed = self._opener.open(self.device, self._wanted, self._fps)
        except SinkOpenError as error:
            raise SinkLostError(error.text) from error
        return True


class _Feed:
    """An open device of one size and layout."""

    def __init__(self, camera: Driver, device: str, layout: Layout | None) -> None:
        """layout: None for a driver that converts BGR itself."""
        self.size: tuple[int, int] = (camera.width, camera.height)
        self._camera = camera
        self._device = device
        self._converter = None if layout is None else YuvConverter(layout, *self.size)
        self._packed: NDArray[np.uint8] | None = None
        self._shown: BgrImage | None = None
        self.closed = False

    def send(self, image: BgrImage) -> None:
        if self.closed:
            raise SinkLostError(VirtualCameraText.CLOSED(device=self._device))
        if self._packed is None or image is not self._shown:  # the clock repeats frames
            fitted = geometry.letterbox(image, *self.size)
            self._packed = fitted if self._converter is None else self._converter.convert(fitted)
            self._shown = image
        try:
            self._camera.send(self._packed)
        except _ERRORS as error:
            raise SinkLostError(explain(error, self._device)) from error

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        self._camera.close()
        if LINUX:
            from app.output import v4l2

            with suppress(OSError):
                v4l2.revive(self._device)


def _sendable(width: int, height: int) -> tuple[int, int]:
    if width > MAX_SIZE[0] or height > MAX_SIZE[1]:
        width, height = geometry.contain_size(width, height, *MAX_SIZE)
    return geometry.even_size(width, height)


def _candidates(device_or_label: str) -> list[VirtualCameraDevice]:
    """Return the virtual cameras to try, in order of preference. Raises SinkOpenError if there are none."""
    known = list(list_virtual_cameras(probe=False))  # opening reports which are busy
    if device_or_label.startswith("/dev/"):
        device_or_label = os.path.realpath(device_or_label)
        if device_or_label not in (one.path for one in known) and Path(device_or_label).exists():
            raise SinkOpenError(VirtualCameraText.NOT_AN_OUTPUT(device=device_or_label))
    if not known:
        raise SinkOpenError(no_virtual_camera(LINUX))
    if device_or_label == "auto":
        return known
    named = [one for one in known if device_or_label in (one.id, one.label, one.path.removeprefix("/dev/video"))]
    if named:
        return named
    devices = [f"{one.id} ({one.label})" for one in known]
    raise SinkOpenError(VirtualCameraText.ABSENT_AMONG(device=device_or_label, devices=devices))


class _Opener:
    """Opens devices with one backend."""

    def __init__(self, backend: str) -> None:
        self._backend = backend

    def open_first(
        self, candidates: list[VirtualCameraDevice], size: tuple[int, int], fps: float
    ) -> tuple[_Feed, VirtualCameraDevice]:
        """Open the first candidate that can be opened; otherwise raise the error of the first candidate."""
        first, *others = candidates
        try:
            return self.open(first.id, size, fps), first
        except SinkOpenError:
            for other in others:
                with suppress(SinkOpenError):
                    return self.open(other.id, size, fps), other
            raise

    def open(self, device: str, size: tuple[int, int], fps: float) -> _Feed:
        if LINUX:
            return self._open_loopback(device, size, fps)
        return self._make(device, size, fps, None)

    def _open_loopback(self, device: str, size: tuple[int, int], fps: float) -> _Feed:
        """Open the node in its actual size: the driver clamps sizes and keeps them while there is a reader."""
        from app.output import v4l2  # ioctls: Linux only

        refused: SinkOpenError | None = None
        try:
            feed = self._make(device, size, fps, _ASKED)
        except SinkOpenError as error:  # v4l2loopback 0.13 refuses other formats than the one that a reader holds
            refused = error
        real = v4l2.current_format(device)
        if real is None or (real.width, real.height, real.fourcc) == (*size, _ASKED):
            if refused is not None:
                raise refused
            return feed
        if refused is None:
            feed.close()
        if real.fourcc in _LAYOUTS and real.width % 2 == real.height % 2 == 0:
            log.info("%s keeps %dx%d %s", device, real.width, real.height, real.fourcc)
            feed = self._make(device, (real.width, real.height), fps, _LAYOUTS[real.fourcc])
            if v4l2.current_format(device) == real:
                return feed
            feed.close()
        raise refused or SinkOpenError(
            VirtualCameraText.FORMAT(device=device, width=real.width, height=real.height, format=real.fourcc)
        )

    def _make(self, device: str, size: tuple[int, int], fps: float, layout: Layout | None) -> _Feed:
        if LINUX:
            _make_ready(device)
        try:
            return _Feed(self._driver(device, size, fps, layout), device, layout)
        except _ERRORS as error:
            raise SinkOpenError(explain(error, device)) from error

    def _driver(self, device: str, size: tuple[int, int], fps: float, layout: Layout | None) -> Driver:
        if self._backend == "v4l2" and layout is not None:
            return _v4l2_driver(device, size, fps, layout)
        try:
            import pyvirtualcam

            camera: Driver = pyvirtualcam.Camera(
                *size, fps, device=device, fmt=pyvirtualcam.PixelFormat[layout or "BGR"]
            )
            return camera
        except _ERRORS as error:
            if self._backend != "auto" or layout is None:
                raise
            failed = error
        try:
            return _v4l2_driver(device, size, fps, layout)
        except _ERRORS:
            if isinstance(failed, ImportError):
                raise
            raise failed from None


def _v4l2_driver(device: str, size: tuple[int, int], fps: float, layout: Layout) -> Driver:
    from app.output.v4l2_writer import LoopbackWriter

    return LoopbackWriter(*size, fps, device=device, layout=layout)


def _make_ready(device: str) -> None:
    """Reject a node that another program sends to (not all drivers do), and revive one whose producer has closed."""
    from app.output import v4l2

    if is_busy(device):
        raise SinkOpenError(VirtualCameraText.BUSY(device=device))
    try:
        if not v4l2.takes_output(device):
            v4l2.revive(device)
    except OSError as error:
        raise SinkOpenError(explain(error, device)) from error


def _others_hold(device: str) -> bool:
    return any(holder.pid != os.getpid() for holder in holders(device) or ())
