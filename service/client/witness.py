"""Checks the mattes of a server with the bundled network here, so that a server cannot show the background."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.errors import ModelError
from app.core.messages.remote import RemoteText
from app.core.settings import EdgeSettings, EngineSettings
from app.core.types import AlphaImage, BgrImage
from app.matting.base.interface import MattingEngine
from models.table import bundled

LOOK_INTERVAL_S = 1.0
LOOKS = 2
"""Steps of the recurrent network on the same frame."""
SATURATED = 0.9
"""Mean alpha (0..1) that hides nothing: the coding leaves about 0.92 of 1."""
JUMP = 0.6
"""Rise of the mean alpha between two mattes that no person can cause."""
SHOWN, UNSEEN = 128, 26
"""A pixel with more alpha than SHOWN (of 255) is shown; with less than UNSEEN the bundled network sees no person."""
REACH = 0.06
"""Networks may differ by this fraction of the short side around a person."""
MAX_EXCESS = 0.1
"""Share of the frame that the server may show beyond that."""

Mask = NDArray[np.bool_]
Look = Callable[[BgrImage], AlphaImage]
Build = Callable[[EngineSettings, int, int], MattingEngine]


class _Seen(NamedTuple):
    """What one look found."""

    unseen: Mask
    """Where the bundled network sees no person near."""
    excess: float
    """See `_excess`, for the alpha that was looked at."""


class Witness:
    """Follows the mattes of one server. Used on one thread, which waits for the looks that a matte must pass first."""

    def __init__(self, server: str, look: Look | None = None, now: Callable[[], float] = time.monotonic) -> None:
        """server: named in errors. look: returns the alpha of a frame (h, w, 3), of any size; None for the bundled
        network.
        """
        self._server = server
        self._bundled = BundledLook()
        self._look = look or self._bundled
        self._now = now
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="witness")
        self._pending: Future[_Seen] | None = None
        self._unseen: Mask | None = None
        """As of the last look; None until the first one of a scene."""
        self._looked_at_s = 0.0
        self._last_share: float | None = None

    def check(self, frame: BgrImage, alpha: AlphaImage) -> None:
        """Raise ModelError for an alpha that is saturated, rises suddenly, or covers much more than the people.

        frame: (H, W, 3), which `alpha` belongs to. An alpha that shows much where the last look saw nobody waits for
        another look.
        """
        share = float(cv2.mean(alpha)[0]) / 255
        jumps = self._last_share is not None and share - self._last_share >= JUMP
        self._last_share = share
        if share >= SATURATED or jumps:
            self._refuse()
        if self._pending is not None and self._pending.done():
            self._judge_pending()
        if self._unseen is None or _excess(alpha, self._unseen) > MAX_EXCESS:
            self._judge_pending()
            self._pending = self._pool.submit(self._look_at, frame, alpha)
            self._looked_at_s = self._now()
            self._judge_pending()
        elif self._pending is None and self._now() - self._looked_at_s >= LOOK_INTERVAL_S:
            self._looked_at_s = self._now()
            self._pending = self._pool.submit(self._look_at, frame.copy(), alpha.copy())

    def reset(self) -> None:
        """Expect another scene: the next matte may be any, but is looked at before it is shown."""
        self._last_share = self._unseen = None

    def close(self) -> None:
        """Stop the thread and release the network. Idempotent."""
        self._pool.shutdown(cancel_futures=True)
        self._bundled.close()

    def _judge_pending(self) -> None:
        """Wait for the look that was begun, if any; raise ModelError if it found too much."""
        if self._pending is None:
            return
        seen, self._pending = self._pending.result(), None
        if seen.excess > MAX_EXCESS:
            self._refuse()
        self._unseen = seen.unseen

    def _refuse(self) -> None:
        raise ModelError(RemoteText.SHOWS_ROOM(server=self._server))

    def _look_at(self, frame: BgrImage, alpha: AlphaImage) -> _Seen:
        """Called on the thread of the pool."""
        small = cv2.resize(frame, alpha.shape[::-1], interpolation=cv2.INTER_AREA)
        seen = np.asarray(self._look(np.ascontiguousarray(small, np.uint8)), np.uint8)
        reach = 2 * round(REACH * min(alpha.shape)) + 1
        unseen = cv2.dilate(cv2.resize(seen, alpha.shape[::-1]), np.ones((reach, reach), np.uint8)) < UNSEEN
        return _Seen(unseen, _excess(alpha, unseen))


def _excess(alpha: AlphaImage, unseen: Mask) -> float:
    """Return the share of the frame that alpha shows where nobody was seen; 1 for an alpha of another size."""
    return float(np.mean((alpha > SHOWN) & unseen)) if alpha.shape == unseen.shape else 1.0


class BundledLook:
    """Returns the bundled network's alpha of single frames. Builds the network once for each size. Not thread-safe."""

    def __init__(self, build: Build | None = None) -> None:
        """build: returns the engine for a size; None for that of `app.matting`."""
        self._build = build
        self._engine: MattingEngine | None = None
        self._shape: tuple[int, ...] = ()

    def __call__(self, frame: BgrImage) -> AlphaImage:
        """Return the alpha (h, w) of a frame (h, w, 3). Raises ModelError if the network cannot run."""
        engine = self._fitting(frame.shape)
        engine.reset()  # the frame before was a second ago
        backdrop, edges = np.zeros_like(frame), EdgeSettings(strict="off")
        return [engine.step(frame, backdrop, edges).result().alpha for _ in range(LOOKS)][-1].copy()

    def close(self) -> None:
        """Release the network; another look builds it again. Idempotent."""
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()

    def _fitting(self, shape: tuple[int, ...]) -> MattingEngine:
        if self._engine is None or shape != self._shape:
            self.close()
            if self._build is None:
                from app.matting import build_engine  # loads OpenVINO

                self._build = build_engine
            settings = EngineSettings(model=bundled().name, device="cpu")
            self._engine, self._shape = self._build(settings, shape[1], shape[0]), shape
        return self._engine
