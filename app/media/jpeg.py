"""Strict decoding of JPEG frames: what libjpeg-turbo would repair with a warning is refused.

A camera on a bad cable loses parts of its MJPG frames. Decoders fill the gap with whatever follows,
so that blocks of the background appear in the wrong place. Bytes that are too many do no harm:
`jpeg_surplus` proves that they are all.
"""

from __future__ import annotations

import logging
import re
from collections import deque
from dataclasses import dataclass
from typing import Literal

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from app.core.types import BgrImage
from app.media.jpeg_surplus import END, SURPLUS, has_restart_markers, tidy, without_leading_bytes

log = logging.getLogger(__name__)

# A header that promises more is a damaged one; the decoder would fill gigabytes.
MAX_PIXELS = 8192 * 8192
# Warnings of libjpeg-turbo that need not mean lost data. It reports only the first one of a frame.
PERHAPS_HARMLESS = re.compile(
    SURPLUS.pattern + "|found marker 0x.. instead of RST"  # surplus bytes can look like a marker
    "|unknown JFIF revision|Unknown Adobe color transform|bad ICC marker|Invalid SOS parameters"
)
# Webcams are known for up to 9 bytes in one place. Lost packets rarely leave so few: they have 512
# bytes or more.
SMALL_SURPLUS_BYTES = 16
# A camera with this many frames that have surplus bytes, and few damaged ones, always sends them.
HABIT_FRAMES = 8
# How many of the last conspicuous frames decide about that.
JUDGED_FRAMES = 64
# A cable that loses data leaves a few frames with surplus bytes too, but many more that are cut
# off.
SURPLUS_PER_DAMAGE = 4
LOG_INTERVAL = 100


class DamagedJpegError(Exception):
    """A JPEG frame is damaged; the text says how, in libjpeg-turbo's words."""


@dataclass(frozen=True, slots=True)
class DecodedJpeg:
    """A JPEG frame of which no data is missing."""

    image: NDArray[np.uint8]
    """(height, width, channels) uint8."""
    # The largest number of bytes in one place that do not belong to the frame; 0 for most cameras.
    surplus_bytes: int


def decode_jpeg(
    data: NDArray[np.uint8],
    colours: Literal["BGR", "GRAY"] = "BGR",
    *,
    expects_surplus: bool = False,
) -> DecodedJpeg:
    """Decode a JPEG to (height, width, 3) uint8 BGR; with "GRAY", which is faster, to
    (height, width, 1).

    data: (n,) uint8. What precedes the start marker or follows the end marker is ignored: drivers
    pad their buffers. expects_surplus: saves a decoding in vain where the frame before had surplus
    bytes. Raises DamagedJpegError.
    """
    file = without_leading_bytes(data)
    if file[-2:].tobytes() != END:
        # Some drivers leave out the end marker; a second one does no harm.
        file = np.frombuffer(file.tobytes() + END, np.uint8)
    fault = "surplus bytes"
    if not expects_surplus:
        attempt = _decode(file, colours)
        if attempt.fault is None:
            return DecodedJpeg(attempt.decoded(), 0)
        if attempt.surplus_at_end_bytes and not has_restart_markers(file):
            # They are the only fault: behind them nothing is left that another could be in.
            return DecodedJpeg(attempt.decoded(), attempt.surplus_at_end_bytes)
        fault = attempt.fault
        if not PERHAPS_HARMLESS.search(fault):
            raise DamagedJpegError(fault)
    tidied = tidy(file)
    if tidied is None:
        raise DamagedJpegError(fault)
    attempt = _decode(tidied.file, colours)
    if attempt.fault is not None and not attempt.surplus_at_end_bytes:
        raise DamagedJpegError(attempt.fault)
    surplus_bytes = max(tidied.surplus_bytes, attempt.surplus_at_end_bytes)
    return DecodedJpeg(attempt.decoded(), surplus_bytes)


def intact_file(data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a JPEG of which no data is missing as a file that every decoder reads, (n,) uint8.

    Other decoders than libjpeg-turbo take surplus bytes before a restart marker for blocks of the
    image. Raises DamagedJpegError.
    """
    decode_jpeg(data, "GRAY")
    file = without_leading_bytes(data)
    if not has_restart_markers(file):
        return file
    tidied = tidy(file)
    if tidied is None:
        return file
    return tidied.file


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What libjpeg-turbo makes of a file, and the first fault that it reports."""

    image: NDArray[np.uint8] | None
    fault: str | None
    # Surplus bytes before the end marker, if they are the first fault.
    surplus_at_end_bytes: int = 0

    def decoded(self) -> NDArray[np.uint8]:
        """Return the image of an attempt that has one."""
        assert self.image is not None
        return self.image


def _decode(file: NDArray[np.uint8], colours: Literal["BGR", "GRAY"]) -> _Attempt:
    image = None
    try:
        height, width, *_ = simplejpeg.decode_jpeg_header(file)
        if height * width > MAX_PIXELS:
            return _Attempt(None, f"{width}x{height} pixels")
        channels = 3 if colours == "BGR" else 1
        image = np.empty((height, width, channels), np.uint8)
        # The colours of a pair of pixels are repeated, not interpolated, in a tenth less time:
        # outputs join them again.
        simplejpeg.decode_jpeg(
            file,
            colorspace=colours,
            strict=True,
            buffer=image,
            fastupsample=True,
        )
    except ValueError as error:
        fault = str(error)
        surplus = SURPLUS.search(fault)
        if image is None or surplus is None or int(surplus[2], 16) != END[1]:
            return _Attempt(image, fault)
        return _Attempt(image, fault, int(surplus[1]))
    return _Attempt(image, None)


class MjpgDecoder:
    """Decodes the JPEG frames of a camera, and counts those that are damaged.

    Used on one thread.
    """

    def __init__(self) -> None:
        self.damaged = 0  # frames dropped so far
        self.last_damage = ""  # of the last frame, if it was dropped
        self._cut_frames = 0  # of the dropped ones, those of which data is missing
        # One entry for each of the last frames with surplus bytes or damage.
        self._were_damaged = deque[bool](maxlen=JUDGED_FRAMES)
        self._expects_surplus = False

    def decode(self, data: NDArray[np.uint8]) -> BgrImage | None:
        """Return the frame as (height, width, 3) uint8 BGR, or None if it is damaged.

        data: (n,) uint8. A few surplus bytes are what webcams send. Many, or any of a camera that
        loses data, are damage until they are a habit.
        """
        try:
            frame = decode_jpeg(data, expects_surplus=self._expects_surplus)
        except DamagedJpegError as error:
            self._expects_surplus = False
            self._were_damaged.append(True)
            self._drop(str(error))
            self._cut_frames += 1
            if self._cut_frames % LOG_INTERVAL == 1:
                log.warning(
                    "The camera sends damaged frames (%s); they are dropped. Check its cable.",
                    error,
                )
            return None
        self._expects_surplus = frame.surplus_bytes > 0
        if frame.surplus_bytes:
            self._were_damaged.append(False)
            if not self._is_harmless(frame.surplus_bytes):
                self._drop(f"{frame.surplus_bytes} surplus bytes")
                return None
        self.last_damage = ""
        return frame.image

    def _is_harmless(self, surplus_bytes: int) -> bool:
        damaged_frames = sum(self._were_damaged)
        if damaged_frames == 0 and surplus_bytes <= SMALL_SURPLUS_BYTES:
            return True
        surplus_frames = len(self._were_damaged) - damaged_frames
        return surplus_frames >= max(HABIT_FRAMES, SURPLUS_PER_DAMAGE * damaged_frames)

    def _drop(self, damage: str) -> None:
        self.last_damage = damage
        self.damaged += 1
