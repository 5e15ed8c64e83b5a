"""The virtual camera sink, through pyvirtualcam, which is imported when the first one is opened,
V4L2, or the memory of OBS Studio's camera.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.core.errors import SinkLostError, SinkOpenError, t
from app.core.process import LINUX, holders
from app.core.types import Picture
from app.media.yuv import YuvLayout
from app.output import v4l2
from app.output.base import FrameSink, Packer, SinkContext, sendable
from app.output.camera_list import (
    VirtualCameraDevice,
    explain,
    is_automatic,
    is_busy,
    list_virtual_cameras,
    no_own_camera,
    no_virtual_camera,
    titles,
)
from app.output.obs import DEVICE as OBS_CAMERA
from app.output.obs import ObsWriter
from app.settings import Settings

log = logging.getLogger(__name__)

# By their FOURCC, those that this program can send.
_LAYOUTS: dict[str, YuvLayout] = {"YU12": "I420", "YUYV": "YUYV", "UYVY": "UYVY"}
# Every reader takes this layout, whose name is its FOURCC too; OBS takes no I420 through the camera
# portal.
_PREFERRED: YuvLayout = "YUYV"
# What pyvirtualcam and drivers raise.
_ERRORS = (RuntimeError, OSError, ValueError, TypeError, KeyError, ZeroDivisionError, ImportError)


class Driver(Protocol):
    """What a backend opens: pyvirtualcam's Camera, a LoopbackWriter or an ObsWriter."""

    width: int
    height: int

    def send(self, frame: NDArray[np.uint8]) -> None:
        """Show a frame in the layout of the driver."""
        ...

    def close(self) -> None:
        """Release the device."""
        ...


@dataclass(frozen=True, slots=True)
class CameraChoice:
    """The virtual camera that the settings ask for."""

    device: str  # `auto`, a device or its label
    # `auto` (pyvirtualcam, else V4L2 or OBS's memory), `pyvirtualcam` or `v4l2`
    backend: str = "auto"


class VirtualCamera(FrameSink):
    """Presents frames to other programs as a camera.

    The size does not change while a program reads it (readers would receive garbage): frames of
    other sizes are letterboxed. Without readers the camera is reopened for a new size.
    """

    def __init__(
        self,
        device_or_label: str,
        width: int,
        height: int,
        fps: float,
        *,
        backend: str = "auto",
        avoided: Callable[[], Collection[str]] = tuple,
    ) -> None:
        """device_or_label: `auto`, a device such as `/dev/video10`, or a label.

        width, height: pixels, rounded down to even. backend: `auto` (pyvirtualcam, or V4L2 where
        that is not installed or fails), `pyvirtualcam` or `v4l2`. avoided: returns the devices that
        are never opened, because they are the source; it queries the cameras. Raises SinkOpenError.
        """
        if backend == "v4l2" and not LINUX:
            raise SinkOpenError(
                t(
                    "The virtual-camera backend v4l2 exists on Linux only; choose `auto` or "
                    "`pyvirtualcam`.",
                ),
            )
        self._backend = backend
        self._fps = max(1.0, fps)
        self._size_of_last_picture = (width, height)
        self._driver: Driver | None = None  # none once it is closed
        chosen = self._open_first(_candidates(device_or_label, avoided))
        self.name = chosen.label
        if chosen.label != chosen.id:
            self.name = f"{chosen.label} ({chosen.id})"

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels, as readers see it."""
        return self._packer.size

    def send(self, picture: Picture) -> None:
        """Send a frame. Raises SinkLostError.

        A frame for which the camera is reopened is not sent: that takes time, in which the user may
        have paused.
        """
        if self._driver is None:
            raise SinkLostError(
                t("The virtual camera {device} is closed; open it again.", device=self.device),
            )
        if picture.size != self._size_of_last_picture:
            self._size_of_last_picture = picture.size
            if self._resized():
                return
        packed = self._packer.pack(picture, self._layout or "BGR")
        try:
            self._driver.send(packed)
        except _ERRORS as error:
            raise SinkLostError(explain(error, self.device)) from error

    def close(self) -> None:
        """Release the device so that the next program can use it. Idempotent."""
        driver = self._driver
        self._driver = None
        if driver is None:
            return
        try:
            driver.close()
        finally:
            if LINUX:
                with suppress(OSError):
                    v4l2.revive(self.device)

    def _resized(self) -> bool:
        """Reopen with the new size if there is no reader; otherwise frames are letterboxed from
        now on.
        """
        if not LINUX or self.size == sendable(*self._size_of_last_picture):
            return False
        if any(holder.pid != os.getpid() for holder in holders(self.device)):
            return False
        self.close()
        try:
            self._open(self.device)
        except SinkOpenError as error:
            raise SinkLostError(error.text) from error
        return True

    def _open_first(self, candidates: list[VirtualCameraDevice]) -> VirtualCameraDevice:
        """Open the first candidate that can be opened; otherwise raise the error of the first
        candidate.
        """
        first, *others = candidates
        try:
            self._open(first.id)
        except SinkOpenError:
            for other in others:
                with suppress(SinkOpenError):
                    self._open(other.id)
                    return other
            raise
        return first

    def _open(self, device: str) -> None:
        """Open the device in its actual size: the driver clamps sizes and keeps them while there
        is a reader.
        """
        size = sendable(*self._size_of_last_picture)
        refused = None
        try:
            self._open_as(device, size, _PREFERRED if LINUX else None)
        except SinkOpenError as error:
            # v4l2loopback 0.13 refuses other formats than the one that a reader holds.
            refused = error
        real = v4l2.current_format(device) if LINUX else None
        if real is None or (real.width, real.height, real.fourcc) == (*size, _PREFERRED):
            if refused is not None:
                raise refused
            return
        self.close()
        is_even = real.width % 2 == 0 and real.height % 2 == 0
        if is_even and real.fourcc in _LAYOUTS:
            log.info("%s keeps %dx%d %s", device, real.width, real.height, real.fourcc)
            self._open_as(device, (real.width, real.height), _LAYOUTS[real.fourcc])
            if v4l2.current_format(device) == real:
                return
            self.close()
        raise refused or SinkOpenError(
            t(
                "The virtual camera {device} is held in a format that cannot be sent "
                "({width}×{height} {format}); close the programs that use it and try again.",
                device=device,
                width=real.width,
                height=real.height,
                format=real.fourcc,
            )
        )

    def _open_as(self, device: str, size: tuple[int, int], layout: YuvLayout | None) -> None:
        """Open the device in a size and layout; None: the driver converts BGR itself.

        Raises SinkOpenError.
        """
        self.device: str = device
        self._layout = layout
        try:
            if LINUX:
                # Not all drivers reject a second program.
                if is_busy(device):
                    raise OSError(errno.EBUSY, "another program sends to it")
                if not v4l2.takes_output(device):
                    v4l2.revive(device)
            self._driver = _driver(self._backend, device, size, self._fps, layout)
            if isinstance(self._driver, ObsWriter):
                self._layout = ObsWriter.LAYOUT
        except _ERRORS as error:
            raise SinkOpenError(explain(error, device)) from error
        self._packer = Packer((self._driver.width, self._driver.height))


def _candidates(
    device_or_label: str,
    avoided: Callable[[], Collection[str]],
) -> list[VirtualCameraDevice]:
    """Return the virtual cameras to try, in order of preference.

    Raises SinkOpenError if there are none.
    """
    cameras = list_virtual_cameras(probe=False)  # opening reports which are busy
    if device_or_label.startswith("/dev/"):
        device_or_label = os.path.realpath(device_or_label)
        is_listed = any(camera.path == device_or_label for camera in cameras)
        if not is_listed and Path(device_or_label).exists():
            error = OSError(errno.ENOTTY, "no virtual camera")
            raise SinkOpenError(explain(error, device_or_label))
    if not cameras:
        raise SinkOpenError(no_virtual_camera())
    sources = avoided()
    no_sources = [camera for camera in cameras if camera.id not in sources]
    if device_or_label == "auto":
        named = [camera for camera in cameras if is_automatic(camera.label)]
        if not named:
            raise SinkOpenError(no_own_camera(cameras))
    else:
        named = [camera for camera in cameras if _is_named(camera, device_or_label)]
    if not named:
        raise SinkOpenError(
            t(
                "There is no virtual camera {device}; choose one of {devices}.",
                device=device_or_label,
                devices=titles(no_sources),
            )
        )
    free = [camera for camera in named if camera in no_sources]
    if not free:
        raise SinkOpenError(
            t(
                "{device} is the camera that the picture comes from; choose another virtual camera "
                "or another source.",
                device=named[0].id,
            )
        )
    return free


def _is_named(camera: VirtualCameraDevice, name: str) -> bool:
    """Return whether a name means this camera: its device, its label or its number."""
    number = camera.path.removeprefix("/dev/video")
    return name in (camera.id, camera.label, number)


def _driver(
    backend: str,
    device: str,
    size: tuple[int, int],
    fps: float,
    layout: YuvLayout | None,
) -> Driver:
    if backend != "v4l2":
        try:
            import pyvirtualcam

            pixel_format = pyvirtualcam.PixelFormat[layout or "BGR"]
            driver: Driver = pyvirtualcam.Camera(*size, fps, device=device, fmt=pixel_format)
            return driver
        except _ERRORS as error:
            # Packages cannot contain it.
            is_missing = isinstance(error, ImportError) and backend == "auto"
            if is_missing and sys.platform == "win32" and device == OBS_CAMERA:
                return ObsWriter(*size, fps)
            if backend != "auto" or layout is None:
                raise
            log.info("pyvirtualcam does not open %s: %s", device, error)
    assert layout is not None
    return v4l2.LoopbackWriter(*size, fps, device=device, layout=layout)


def wanted_camera(settings: Settings) -> CameraChoice | None:
    """Return the virtual camera that the settings ask for."""
    output = settings.output
    if output.virtual_camera == "off":
        return None
    return CameraChoice(output.virtual_camera, output.virtual_camera_backend)


def takes_device_of(choice: CameraChoice, in_use: FrameSink) -> bool:
    """Return whether opening this camera may take the device of the one in use, by any name."""
    try:
        candidates = _candidates(choice.device, tuple)
    except SinkOpenError:
        # Opening reports why.
        return False
    return any(candidate.id == in_use.device for candidate in candidates)


def open_virtual_camera(
    choice: CameraChoice,
    width: int,
    height: int,
    context: SinkContext,
) -> VirtualCamera:
    """Open the virtual camera that is asked for. Raises SinkOpenError."""
    return VirtualCamera(
        choice.device,
        width,
        height,
        context.fps,
        backend=choice.backend,
        avoided=context.source_devices,
    )
