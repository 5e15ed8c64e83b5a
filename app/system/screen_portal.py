"""Screens and windows through the desktop's portal for screen casts (Linux, D-Bus, PipeWire), as Wayland requires."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import ClassVar

from app.core.errors import BackgroundError
from app.core.messages.media import ScreenText
from app.core.types import BgrImage
from app.system import portal
from app.system.pipewire.connection import Connection
from app.system.pipewire.reader import NodeReader, to_bgr
from app.system.pipewire.video_format import Layout
from app.system.portal import Portal, PortalError, PortalFault

INTERFACE = "org.freedesktop.portal.ScreenCast"
QUESTION_S = 12.0
"""Limit for the user's choice: the thread that opens backgrounds must be able to stop."""
FIRST_FRAME_S = 5.0
_MONITOR, _WINDOW = 1, 2
_LAYOUTS: tuple[tuple[Layout, ...], ...] = (("BGRx", "BGRA", "RGBA", "BGR", "RGB"),)
_PREFERRED = (1920, 1080), Fraction(15)
_FAULTS = {
    PortalFault.NO_PORTAL: ScreenText.NO_PORTAL,
    PortalFault.REFUSED: ScreenText.REFUSED,
    PortalFault.NO_ANSWER: ScreenText.NO_ANSWER,
}


class PortalGrabber:
    """Grabs what the user chooses in the desktop's dialog. May be made, used and closed on different threads."""

    moves: ClassVar[bool] = True
    screens: ClassVar[None] = None

    def __init__(self, target: str) -> None:
        """target: as of `ScreenGrabber`, but the desktop asks which screen or window, whatever number or title it has.

        Raises BackgroundError.
        """
        self._target = target
        self._image: BgrImage | None = None
        self._reader: NodeReader | None = None
        self._session = ""
        self._position: tuple[int, int] | None = None
        """Of the top left corner of the stream on the desktop."""
        self._size: tuple[int, int] | None = None
        """In the desktop's units, which differ from pixels where the screen is scaled."""
        try:
            self._bus = portal.connect()
        except PortalError as error:
            raise BackgroundError(_FAULTS[error.fault]()) from error
        self._portal = Portal(self._bus, INTERFACE, QUESTION_S)
        try:
            self._reader = self._read(self._ask())
            self.grab()
        except (PortalError, OSError) as error:
            self.close()
            fault = error.fault if isinstance(error, PortalError) else PortalFault.NO_PORTAL
            raise BackgroundError(_FAULTS[fault]()) from error
        except BackgroundError:
            self.close()
            raise

    def grab(self) -> BgrImage:
        """Return the newest image, (H, W, 3): the same object until the desktop sends another one.

        Raises BackgroundError if the desktop or the user has ended the capture.
        """
        assert self._reader is not None
        raw = self._reader.read(FIRST_FRAME_S if self._image is None else 0.0)
        image = None if raw is None else to_bgr(raw)
        if image is not None:
            self._image = self._part(image)
        if self._reader.lost or self._image is None:
            raise BackgroundError(ScreenText.CAST_ENDED(target=self._target))
        return self._image

    def close(self) -> None:
        """End the capture. Idempotent."""
        if self._reader is not None:
            self._reader.close()
        if self._session:
            self._portal.close_session(self._session)
            self._session = ""
        self._bus.close()

    def _ask(self) -> int:
        """Open a session, let the user choose, and return the node of the stream. Raises PortalError."""
        self._session = self._portal.open_session()
        kind = _WINDOW if self._target.startswith("window:") else _MONITOR
        self._portal.request("SelectSources", "o", (self._session,), types=("u", kind), multiple=("b", False))
        started = self._portal.request("Start", "os", (self._session, ""))
        streams = started.get("streams", ("", ()))[1]
        if not streams:
            raise PortalError(PortalFault.NO_ANSWER)
        node, properties = streams[0]
        self._position, self._size = (properties.get(name, (None, None))[1] for name in ("position", "size"))
        return int(node)

    def _read(self, node: int) -> NodeReader:
        """Connect to the stream. Raises PortalError or OSError."""
        connection = Connection(self._portal.open_remote("o", (self._session,)))
        return NodeReader(node, *_PREFERRED, layouts=_LAYOUTS, connection=connection, name="mattecam-screen")

    def _part(self, image: BgrImage) -> BgrImage:
        """Return the part of the screen that is asked for. Raises BackgroundError if there is none."""
        if not self._target.startswith("region:"):
            return image
        left, top, width, height = map(int, re.findall(r"-?\d+", self._target))
        rows, columns = image.shape[:2]
        across, down = self._size or (columns, rows)
        scales = columns / max(1, across), rows / max(1, down)
        across_desktop, down_desktop = self._position or (0, 0)
        x, y = left - across_desktop, top - down_desktop
        ends = [
            round((first + length) * scale)
            for first, length, scale in zip((x, y), (width, height), scales, strict=True)
        ]
        starts = [max(0, round(first * scale)) for first, scale in zip((x, y), scales, strict=True)]
        part = image[starts[1] : max(0, ends[1]), starts[0] : max(0, ends[0])]
        if not part.size:
            raise BackgroundError(ScreenText.OFF_SCREEN(target=self._target))
        return part
