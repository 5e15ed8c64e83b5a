"""Decoding the MJPG frames of a camera; damaged frames are dropped."""

from __future__ import annotations

import logging
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.types import BgrImage
from app.system.threads import name_thread

log = logging.getLogger(__name__)

HABIT_FRAMES = 8
"""A camera that appends surplus bytes to this many frames in a row always does; its frames are intact."""
LOG_INTERVAL = 100


class MjpgDecoder:
    """Decodes JPEG frames. Used on one thread."""

    def __init__(self) -> None:
        self.damaged = 0
        """Frames dropped so far."""
        self.last_damage = ""
        """What was wrong with the last frame; empty if nothing was."""
        self._surplus: deque[bool] = deque(maxlen=HABIT_FRAMES)
        # the check runs beside the decoder, which takes longer; both release the interpreter lock
        self._pool = ThreadPoolExecutor(
            1, thread_name_prefix="jpeg-check", initializer=name_thread, initargs=("jpeg-check",)
        )

    def decode(self, data: NDArray[np.uint8]) -> BgrImage | None:
        """Return the frame as (height, width, 3) uint8 BGR, or None if it is damaged. data: (n,) uint8, contiguous."""
        from app.media.jpeg import damage  # imports Numba, which other formats do not need

        check = self._pool.submit(damage, data)
        image = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION) if data.size else None
        # on a busy machine the check may not have started yet: do not wait for its thread
        found = damage(data) if check.cancel() else check.result()
        self.last_damage = self._judge(found, decoded=image is not None)
        if not self.last_damage:
            return np.asarray(image, np.uint8)
        if self.damaged % LOG_INTERVAL == 0:
            log.warning("The camera sends damaged frames (%s); they are dropped. Check its cable.", self.last_damage)
        self.damaged += 1
        return None

    def close(self) -> None:
        """End the thread of the check. Idempotent."""
        self._pool.shutdown()

    def _judge(self, found: str, *, decoded: bool) -> str:
        from app.media.jpeg import SURPLUS_DATA

        self._surplus.append(found == SURPLUS_DATA)
        if found == SURPLUS_DATA and len(self._surplus) == HABIT_FRAMES and all(self._surplus):
            found = ""
        return found or ("" if decoded else "it cannot be decoded")
