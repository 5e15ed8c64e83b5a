"""The matting of one stream: engine, checks and stand-by card. What it returns may leave the service."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from app.api import Matting
from app.compositing.standby import StandbyCard
from app.core.settings import Settings
from app.core.threads import limited_threads
from app.core.types import BgrImage, Frame, Matte, Picture, PictureKind
from app.matting.base.interface import MattingEngine
from app.privacy.gate import may_leave
from app.privacy.plausibility import MatteCheck
from service.webrtc.marks import STRIP_PX, mark_strip, read_mark

RETRY_S = 1.0
"""Wait before an engine is built again after a failure."""
SETTINGS = Settings()
"""The gate's: no stream may show its background."""

Yuv = NDArray[np.uint8]
"""(H * 3 / 2, W) uint8, planar YUV 4:2:0."""


class Output(Enum):
    """What a client gets back."""

    COMPOSITE = "composite"
    MATTE = "matte"
    """Alpha as brightness, with the mark of its frame below: the client composites its own frame."""


class SentFrame(NamedTuple):
    """A frame that may leave: a composite, a matte, or the stand-by card."""

    yuv: Yuv
    matted: bool
    """False for the card."""


class StreamMatting:
    """Mattes the frames of one connection, in their order and on one thread."""

    def __init__(
        self,
        make_matting: Callable[[], Matting],
        self_test: Callable[[MattingEngine, int, int], None],
        output: Output = Output.COMPOSITE,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """self_test: raises MattecamError unless the engine finds a person in a known frame of this size."""
        self._make_matting = make_matting
        self._self_test = self_test
        self._output = output
        self._now = now
        self._matting: Matting | None = None
        self._tested: tuple[int, int] | None = None
        self._generation = 0
        self._index = 0
        self._retry_at_s = float("-inf")
        self._card = StandbyCard()
        self._mattes = MatteCheck()
        self.failures = 0

    @property
    def active(self) -> bool:
        """Whether it holds an engine and a state."""
        return self._matting is not None

    def step(self, image: BgrImage) -> SentFrame:
        """Return what may be shown for the next frame, (H, W, 3) with even sides: its composite, or the card.

        Never raises for a failing network, and never returns the frame.
        """
        mark = None
        if self._output is Output.MATTE:
            image, strip = image[:-STRIP_PX], image[-STRIP_PX:]
            mark = read_mark(np.ascontiguousarray(strip[..., 1]))
        matte = self._matte(np.ascontiguousarray(image))
        if matte is None or (self._output is Output.MATTE and mark is None):
            height, width = image.shape[:2]
            return self.card(width, height)
        if mark is not None:
            return SentFrame(_matte_yuv(matte, mark), matted=True)
        picture = Picture(matte.composite, PictureKind.COMPOSITE)
        if not may_leave(picture, SETTINGS):
            return self.card(*picture.size)
        return SentFrame(_yuv(picture.image), matted=True)

    def card(self, width: int, height: int) -> SentFrame:
        """Return the stand-by card; for a client that composites, an empty matte without a mark."""
        if self._output is Output.MATTE:
            black = np.zeros(((height + STRIP_PX) * 3 // 2, width), np.uint8)
            black[height + STRIP_PX :] = 128
            return SentFrame(black, matted=False)
        return SentFrame(_yuv(self._card.image(width, height)), matted=False)

    def park(self) -> None:
        """Forget the stream and release the engine; the next frame begins anew."""
        matting, self._matting, self._tested = self._matting, None, None
        if matting is not None:
            matting.reset()
            matting.close()

    def _matte(self, image: BgrImage) -> Matte | None:
        if self._now() < self._retry_at_s:
            return None
        try:
            with limited_threads(1):
                return self._checked(image)
        except Exception:  # noqa: BLE001 - the stream shows the card; nothing of it is logged
            self.failures += 1
            self._retry_at_s = self._now() + RETRY_S
            self._discard()
            return None

    def _checked(self, image: BgrImage) -> Matte | None:
        """Return the matte, or None if its alpha is suspicious. Raises if the engine fails."""
        height, width = image.shape[:2]
        if self._matting is None:
            self._matting = self._make_matting()
        matting = self._matting
        engine, backdrop = matting.prepare(image, self._now())
        if self._tested != (width, height):
            self._generation += 1
            self._self_test(engine, width, height)
            self._tested = width, height
        matte = engine.step(image, backdrop, matting.edges).result()
        self._index += 1
        shown = self._mattes.permits(
            matte,
            Frame(image, self._index, time.perf_counter()),
            backdrop,
            self._now(),
            (self._generation, 0),
            lambda: self._self_test(engine, width, height),
        )
        return matte if shown else None

    def _discard(self) -> None:
        try:
            self.park()
        except Exception:  # noqa: BLE001 - a device that is lost refuses even that
            self._matting = None


def _yuv(image: BgrImage) -> Yuv:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420), np.uint8)


def _matte_yuv(matte: Matte, mark: int) -> Yuv:
    """Return alpha as brightness over the strip with the number of its frame."""
    height, width = matte.alpha.shape
    yuv = np.full(((height + STRIP_PX) * 3 // 2, width), 128, np.uint8)
    yuv[:height] = matte.alpha
    yuv[height : height + STRIP_PX] = mark_strip(mark, width)
    return yuv


def fitted(image: BgrImage, max_pixels: int, output: Output) -> BgrImage:
    """Return the image with even sides and at most `max_pixels`. A matte's image is never scaled: it has a mark."""
    height, width = image.shape[:2]
    if width * height > max_pixels and output is Output.COMPOSITE:
        scale = (max_pixels / (width * height)) ** 0.5
        width, height = int(width * scale), int(height * scale)
        image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    return np.ascontiguousarray(image[: height // 2 * 2, : width // 2 * 2])
