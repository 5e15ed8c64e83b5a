"""An engine whose network runs on a server: it sends small frames, receives alpha, and composites on this machine.

The server never learns the background, the edge controls or the full frame, and the composite has the full resolution.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.errors import RemoteError
from app.core.messages.remote import RemoteText
from app.core.settings import EdgeSettings
from app.core.types import AlphaImage, Backdrop, BgrImage, check_bgr
from app.matting.base.interface import EngineInfo, MatteEditor, Pending, StepGeometry, auto_ratio
from app.matting.cpu.compositor import Coefficients
from app.matting.cpu.cpu_backend import CpuBackend, guided_filter, shrink
from app.matting.engine.frame_engine import FrameEngine
from models.rules import FastFilterWeights
from service.client.link import Received
from service.client.witness import Look, Witness
from service.webrtc.marks import COUNT

SHORT_SIDE = 360
"""Of the frames that are sent."""
SILENCE_S = 2.0
"""Without a matte for this long, the stream is given up."""
FIRST_MATTE_S = 20.0
"""The server may have to build its engine first."""
MAX_IN_FLIGHT = 60
NOISE = 20
"""Alpha up to this, of 255, is noise of the video coding; the range between is stretched."""
FILTER = FastFilterWeights(epsilon=1e-4, renormalize_borders=True)
SMOOTHING = 0.1


class Link(Protocol):
    """What the engine needs of a `ServerLink`."""

    @property
    def server(self) -> str:
        """The address of the server."""
        ...

    def exchange(self, image: NDArray[np.uint8], number: int, after: int | None, timeout_s: float) -> Received | None:
        """Send a frame; return the first matte newer than that of frame `after`, None after the timeout."""
        ...

    def close(self) -> None:
        """End the connection. Idempotent."""
        ...


class _Sent(NamedTuple):
    frame: BgrImage
    at_s: float


class AlphaBackend(CpuBackend):
    """Composites with an alpha that was computed elsewhere, refined to the full size by the guided filter."""

    def __init__(self, geometry: StepGeometry, alpha: Callable[[], AlphaImage]) -> None:
        """alpha: returns that of the next frame, (h, w), of about the small size."""
        super().__init__(geometry, "float32")
        self._ratios = geometry.ratio, geometry.ratio
        self._alpha = alpha
        height, width = geometry.small_height, geometry.small_width
        self._small = np.zeros((3, height, width), np.float32)
        self._filter_input = np.zeros((4, height, width), np.float32)
        self._outputs = (
            np.zeros((4, height, width), np.float32),
            np.zeros((4, height, width), np.float32),
            np.zeros((1, height, width), np.float32),
        )

    def infer(self, frame: BgrImage, region: bool, steady: bool = False) -> Coefficients:
        """Return coefficients that give the alpha, along the edges of the frame."""
        alpha, (height, width) = self._alpha(), self._small.shape[1:]
        if alpha.shape != (height, width):
            alpha = np.asarray(cv2.resize(alpha, (width, height)), np.uint8)
        np.clip((alpha.astype(np.float32) - NOISE) / (255 - 2 * NOISE), 0, 1, out=self._filter_input[3])
        shrink(self._strips, frame, self._ratios, self._small)
        guided_filter(self._strips, FILTER, self._filter_input, self._small, self._outputs)
        slope, offset, coarse = self._outputs
        return Coefficients(self._small, slope, offset, coarse[0])


class RemoteEngine:
    """Implements `MattingEngine`. The matte that a step returns may belong to an earlier frame, which it names.

    Reset it when the crop of the frames changes: zones and blur fit frames of their own crop alone.
    """

    def __init__(
        self,
        link: Link,
        width: int,
        height: int,
        *,
        silence_s: float = SILENCE_S,
        look: Look | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """link: is closed with the engine. silence_s: without a matte for this long, a step raises RemoteError. look:
        as in `Witness`.
        """
        self._link = link
        self._silence_s = silence_s
        self._now = now
        self._number = 0
        self._last: int | None = None
        self._sent: OrderedDict[int, _Sent] = OrderedDict()
        self._round_trip_s: float | None = None
        self._size = width, height
        self._alpha: AlphaImage = np.zeros((2, 2), np.uint8)
        self._witness = Witness(link.server, look)
        self._compositing = FrameEngine(
            "remote", lambda geometry: AlphaBackend(geometry, lambda: self._alpha), _geometry, width, height
        )

    @property
    def info(self) -> EngineInfo:
        """Describe the server as the device, with the round trip of the newest frames."""
        trip_ms = None if self._round_trip_s is None else round(self._round_trip_s * 1e3, 1)
        return replace(self._compositing.info, executor="webrtc", device=self._link.server, round_trip_ms=trip_ms)

    overlaps = False

    def step(
        self,
        frame: BgrImage,
        backdrop: Backdrop,
        edges: EdgeSettings,
        edit: MatteEditor | None = None,
        *,
        want_foreground: bool = False,
    ) -> Pending:
        """Send the frame; return the newest matte, composited with the frame that it belongs to.

        Waits for a matte that is newer than the last one: with a round trip of less than a frame interval it is that of
        the given frame. Raises RemoteError if none comes, ModelError if it shows more than people.
        """
        check_bgr(frame)
        size = frame.shape[1], frame.shape[0]
        if size != self._size:
            self._sent.clear()
            self._size = size
        self._number = (self._number + 1) % COUNT
        self._sent[self._number] = _Sent(frame, self._now())
        while len(self._sent) > MAX_IN_FLIGHT:
            self._sent.popitem(last=False)
        sent, alpha = self._exchange(frame)
        matted = sent.frame
        self._witness.check(matted, alpha)
        self._alpha = alpha
        matte = self._compositing.step(matted, backdrop, edges, edit, want_foreground=want_foreground).result()
        if matted is not frame and matte.frame is None:
            matte = replace(matte, frame=matted)
        return Pending(lambda: matte)

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Forget the frames in flight; the server notices a cut by itself."""
        self._sent.clear()
        self._witness.reset()
        self._compositing.reset(seen)

    def close(self) -> None:
        """End the stream. Idempotent."""
        self._link.close()
        self._witness.close()
        self._compositing.close()

    def _exchange(self, frame: BgrImage) -> tuple[_Sent, AlphaImage]:
        """Return a frame that was sent and its alpha. Raises RemoteError after the silence."""
        limit_s = self._silence_s if self._last is not None else max(self._silence_s, FIRST_MATTE_S)
        deadline_s = self._now() + limit_s
        geometry = _geometry(*self._size)
        sides = geometry.small_width // 2 * 2, geometry.small_height // 2 * 2
        small = np.asarray(cv2.resize(frame, sides, interpolation=cv2.INTER_AREA), np.uint8)
        while True:
            received = self._link.exchange(small, self._number, self._last, max(0.0, deadline_s - self._now()))
            late = self._now() > deadline_s
            if received is None or (late and received.number not in self._sent):
                raise RemoteError(RemoteText.NO_FRAMES(server=self._link.server))
            self._last = received.number
            sent = self._sent.get(received.number)
            if sent is not None:
                break
        self._note_round_trip(self._now() - sent.at_s)
        while next(iter(self._sent)) != received.number:
            self._sent.popitem(last=False)
        return sent, received.alpha

    def _note_round_trip(self, trip_s: float) -> None:
        known_s = self._round_trip_s
        self._round_trip_s = trip_s if known_s is None else known_s + SMOOTHING * (trip_s - known_s)


def _geometry(width: int, height: int) -> StepGeometry:
    return StepGeometry(width, height, auto_ratio(width, height, SHORT_SIDE))
