"""Cameras through the desktop's camera portal.

Those that only PipeWire offers, and all of them in a sandbox (Linux).

The portal asks the user for permission once. Without a portal, the cameras are opened through
PipeWire directly.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from fractions import Fraction
from pathlib import Path

import numpy as np

from app.capture.base import PIPEWIRE, FrameSource, several_cameras
from app.capture.colours import (
    BT601,
    JPEG,
    NAMED,
    RawConverter,
    declared_in_pipewire,
    reinterpreted,
    takes_raw,
)
from app.capture.delivered import FrameShaper
from app.core import camera_names
from app.core.errors import CameraAbsentError, SourceLostError, SourceOpenError, t
from app.core.settings import CaptureSettings
from app.core.types import BgrImage, Frame, SourceInfo
from app.media.jpeg import MjpgDecoder
from app.system.pipewire.connection import Connection, ListedCamera, list_cameras
from app.system.pipewire.stream import NodeReader
from app.system.pipewire.video_format import (
    RAW_LAYOUTS,
    PixelLayout,
    RawFrame,
    VideoFormat,
    to_bgr,
    to_pixels,
)
from app.system.portal import PortalError, PortalFault, open_cameras

FIRST_FRAME_S = 5.0
# Limit for the answer to the desktop's question: the capture thread must be able to stop.
# It is asked again then.
QUESTION_S = 12.0
READ_TIMEOUT_S = 1.0
# Layouts of YUV, as V4L2 calls them.
FOURCCS: dict[PixelLayout, str] = {"YUY2": "YUYV", "UYVY": "UYVY", "NV12": "NV12", "I420": "YU12"}


class PortalSource(FrameSource):
    """Reads a camera that the user allows through the portal."""

    is_live = True

    def __init__(self, wanted: str, settings: CaptureSettings) -> None:
        """wanted: the name or title of a camera; empty for the first one.
        Raises SourceOpenError.
        """
        self._decoder = MjpgDecoder()
        self._shaper = FrameShaper(settings)
        # None: those that the camera declares.
        self._chosen_colours = NAMED.get(settings.colours)
        # Converts frames of a format that OpenCV would show in wrong colours.
        self._converter: RawConverter | None = None
        self._converter_for: VideoFormat | None = None
        self._index = 0
        self._reader: NodeReader | None = None
        layouts: tuple[tuple[PixelLayout, ...], ...] = (RAW_LAYOUTS,)
        if settings.pixel_format == "MJPG":
            layouts = (("MJPG",),)
        elif settings.pixel_format == "auto":
            # MJPG first, as of other cameras: most have their high rates only there.
            layouts = (("MJPG",), RAW_LAYOUTS)
        size = (settings.width, settings.height)
        rate = Fraction(settings.fps).limit_denominator(1001)
        try:
            with ExitStack() as unused:
                connection = unused.enter_context(closing(_connect()))
                self._camera = _choose(_offered(connection, wanted), wanted)
                self._reader = NodeReader(
                    self._camera.serial,
                    size,
                    rate,
                    layouts=layouts,
                    connection=connection,
                    name="mattecam-source",
                )
                unused.pop_all()  # the reader closes the connection
            first = self._reader.read(FIRST_FRAME_S)
        except (PortalError, OSError) as error:
            self.close()
            fault = PortalFault.NO_PORTAL
            if isinstance(error, PortalError):
                fault = error.fault
            raise SourceOpenError(fault.value) from error
        if first is None:
            self.close()
            raise SourceOpenError(
                t(
                    "The camera {camera} of the portal delivers no frames; close the programs that "
                    "use it.",
                    camera=self._camera.title,
                )
            )
        image = self._decode(first)
        # The negotiated format, and the size of the frames.
        self.info = self._describe(first, image)
        # Until it is read; None also if it was damaged.
        self._first_frame = image

    def read(self) -> Frame | None:
        """Return the next frame, or None if none arrives within about a second.

        Raises SourceLostError.
        """
        image = self._first_frame
        self._first_frame = None
        if image is None:
            raw = self._next()
            image = None if raw is None else self._decode(raw)
            if raw is None or image is None:
                return None
            if (image.shape[1], image.shape[0]) != (self.info.width, self.info.height):
                self.info = self._describe(raw, image)
        frame = Frame(image, self._index, time.perf_counter())
        self._index += 1
        return frame

    def skip(self) -> bool:
        """See `FrameSource`."""
        is_first = self._first_frame is not None
        self._first_frame = None
        if not is_first and self._next() is None:
            return False
        self._shaper.skip()
        self._index += 1
        return True

    def close(self) -> None:
        """Release the camera. Idempotent."""
        reader = self._reader
        self._reader = None
        if reader is not None:
            reader.close()

    def _next(self) -> RawFrame | None:
        """Return the next frame as it arrives, or None if none does in time.

        Raises SourceLostError.
        """
        if self._reader is None:
            return None
        raw = self._reader.read(READ_TIMEOUT_S)
        if raw is None and self._reader.lost:
            raise SourceLostError(
                t(
                    "The camera {camera} of the portal is gone; connect it again.",
                    camera=self._camera.title,
                )
            )
        return raw

    def _decode(self, raw: RawFrame) -> BgrImage | None:
        """Return a frame in its colours and the wanted size; None if it is damaged."""
        image = self._mjpg(raw) if raw.video.layout == "MJPG" else self._yuv(raw)
        if image is None:
            return None
        return self._shaper.shape(image)

    def _mjpg(self, raw: RawFrame) -> BgrImage | None:
        image = self._decoder.decode(np.frombuffer(raw.data, np.uint8))
        if image is None:
            return None
        return reinterpreted(image, JPEG, self._chosen_colours or JPEG)

    def _yuv(self, raw: RawFrame) -> BgrImage | None:
        video = raw.video
        fourcc = FOURCCS.get(video.layout, "")
        colours = self._chosen_colours
        if colours is None:
            colours = declared_in_pipewire(video.colour_matrix, video.colour_range)
        # OpenCV converts every YUV format as this kind, and shows the others in wrong colours.
        if colours == BT601 or not takes_raw(fourcc):
            return to_bgr(raw)
        if self._converter is None or self._converter_for != video:
            self._converter = RawConverter(fourcc, colours)
            self._converter_for = video
        pixels = to_pixels(raw)
        if pixels is None:
            return None
        return self._converter.to_bgr(pixels)

    def _describe(self, raw: RawFrame, image: BgrImage | None) -> SourceInfo:
        video = raw.video
        name = f"{PIPEWIRE}{self._camera.name}"
        width = video.width
        height = video.height
        if image is not None:
            height, width = image.shape[:2]
        return SourceInfo(
            "camera",
            self._camera.title,
            name,
            width,
            height,
            float(video.fps),
            video.layout,
        )


def cameras_without_device() -> list[ListedCamera]:
    """Return the cameras that PipeWire offers and no device file does. Asks the user nothing.

    In a sandbox that shows no PipeWire but by the portal there are none: the user is asked when
    `portal` is chosen.
    """
    try:
        with closing(Connection()) as connection:
            return _offered(connection)
    except OSError:
        return []


def _connect() -> Connection:
    """Return a connection that shows the cameras that the user allows.

    All of them where there is no portal.

    Raises PortalError or OSError.
    """
    try:
        return Connection(open_cameras(QUESTION_S))
    except PortalError as error:
        if error.fault is not PortalFault.NO_PORTAL:
            raise
        return Connection()


def _offered(connection: Connection, wanted: str = "") -> list[ListedCamera]:
    """Return the cameras of other programs; those of device files only where these are not visible.

    Raises OSError.

    wanted: the name or title of a camera that is waited for; empty for any one.
    """

    def has_wanted(cameras: Sequence[ListedCamera]) -> bool:
        return bool(_named(_of_others(cameras), wanted))

    return _of_others(list_cameras(connection, has_wanted))


def _of_others(cameras: Sequence[ListedCamera]) -> list[ListedCamera]:
    others = [camera for camera in cameras if not camera_names.is_own(camera.title)]
    # What has a device file that can be seen here is opened by it.
    return [camera for camera in others if not camera.device or not Path(camera.device).exists()]


def _named(cameras: list[ListedCamera], wanted: str) -> list[ListedCamera]:
    """Return the cameras of this name or title; all for an empty one."""
    if not wanted:
        return cameras
    return [camera for camera in cameras if wanted in (camera.name, camera.title)]


def _choose(others: list[ListedCamera], wanted: str) -> ListedCamera:
    """Return the camera that is asked for. Raises SourceOpenError."""
    if not others:
        raise CameraAbsentError(
            t("PipeWire offers no camera; connect one or choose another source."),
        )
    found = _named(others, wanted)
    if wanted and len(found) > 1:
        raise several_cameras(wanted, [f"{PIPEWIRE}{camera.name}" for camera in found])
    if not found:
        raise CameraAbsentError(
            t(
                "PipeWire offers no camera {camera}; choose one of {cameras}.",
                camera=wanted,
                cameras=[camera.title for camera in others],
            )
        )
    return found[0]
