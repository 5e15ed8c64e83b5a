"""A recurrent network before a live camera: it looks at the columns around people, and at all of them now and then."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from app.core.threads import name_thread
from app.core.types import BgrImage, Floats
from app.matting.cpu.compositor import Coefficients
from app.matting.cpu.strips import Ratios
from app.matting.openvino.recurrent import RecurrentNetwork
from app.matting.region.columns import ColumnTracker

_log = logging.getLogger(__name__)


class NarrowedNetwork:
    """Runs a network on a window of the frame's columns where that is enough, and gives coefficients of the frame.

    Nobody is beside the window. What the network remembers is carried from the frame to the window and back; beside
    the window it stays.
    """

    def __init__(self, whole: RecurrentNetwork, width: int, make: Callable[[], RecurrentNetwork] | None) -> None:
        """whole: sees all columns. make: returns the same network for `width` columns; None: all are always seen.

        It is made beside the first frames, which need all columns.
        """
        self._whole, self._width = whole, width
        self._columns = ColumnTracker(whole.small.shape[2], width)
        self._pool = ThreadPoolExecutor(
            1, thread_name_prefix="compiler", initializer=name_thread, initargs=("compiler",)
        )
        self._made = None if make is None else self._pool.submit(make)
        self.at: int | None = None
        """First column of the window that was looked at last, and that has the memory; None: all columns."""

    @property
    def _narrow(self) -> RecurrentNetwork | None:
        """The network for fewer columns, once it is made; None for good if that fails: it only spares time."""
        if self._made is None or not self._made.done():
            return None
        error = self._made.exception()
        if error is None:
            return self._made.result()
        _log.warning("The network for fewer columns could not be made.", exc_info=error)
        self._made = None
        return None

    def run(self, frame: BgrImage, ratios: Ratios, steady: bool) -> Coefficients:
        """Return the coefficients of a frame; see `RecurrentNetwork.run`."""
        small, narrow = self._whole.shrink(frame, ratios), self._narrow
        first = None if narrow is None else self._columns.choose(small)
        self._hand_over(first)
        if narrow is not None and first is not None:
            np.copyto(narrow.small, small[:, :, first : first + self._width])
            part = narrow.step(steady)
            if not self._columns.is_too_narrow(part.coarse):
                return self._on_frame(part, first)
            self._hand_over(None)
        return self._whole.step(steady)

    def follow(self, alpha: Floats) -> None:
        """Choose the window for the next frame. alpha: (h, w) of this one, as it is shown."""
        if self._narrow is not None:
            self._columns.follow(alpha)

    def leave(self) -> None:
        """Look at all columns of the next frame, with the memory of this one."""
        self._hand_over(None)
        self._columns.reset()

    def reset(self) -> None:
        """Forget the stream."""
        self.at = None
        self._whole.reset()
        self._columns.reset()

    def close(self) -> None:
        """Release the requests of both networks. Idempotent."""
        self._pool.shutdown()
        self._whole.close()
        if self._narrow is not None:
            self._narrow.close()

    def _hand_over(self, first: int | None) -> None:
        """Carry the memory to the window that begins at column `first`, or to the whole frame."""
        narrow = self._narrow
        if first == self.at or narrow is None:
            return
        if self.at is not None:
            self._whole.take_memory(narrow, self.at, 0, self._width)
        if first is not None:
            narrow.take_memory(self._whole, 0, first, self._width)
        self.at = first

    def _on_frame(self, part: Coefficients, first: int) -> Coefficients:
        """Return coefficients of the frame, in which nobody is beside the window."""
        slope, offset, _ = self._whole.coefficients
        coarse = np.empty(slope.shape[1:], np.float32)
        for planes, window in ((slope, part.slope), (offset, part.offset), (coarse, part.coarse)):
            planes[..., :first] = planes[..., first + self._width :] = 0
            planes[..., first : first + self._width] = window
        return Coefficients(self._whole.small, slope, offset, coarse)
