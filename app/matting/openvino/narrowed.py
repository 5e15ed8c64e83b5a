"""A recurrent network before a live camera: it looks at the columns around people, and at all of them now and then."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

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

    def __init__(self, whole: RecurrentNetwork, make: Callable[[int], RecurrentNetwork] | None) -> None:
        """whole: sees all columns. make: returns the same network for so many columns; None: all are always seen.

        It is made beside the first frames, which need all columns, and again when other windows suffice.
        """
        self._whole, self._make = whole, make
        self._columns = ColumnTracker(whole.small.shape[2])
        self._pool = ThreadPoolExecutor(
            1, thread_name_prefix="compiler", initializer=name_thread, initargs=("compiler",)
        )
        self._narrow: RecurrentNetwork | None = None
        """The network for fewer columns."""
        self._made: Future[RecurrentNetwork] | None = None
        """The next one."""
        self.at: int | None = None
        """First column of the window that was looked at last, and that has the memory; None: all columns."""
        self._begin_making()

    def _begin_making(self) -> None:
        if self._make is not None:
            self._made = self._pool.submit(self._make, self._columns.wanted)

    def _adopt(self) -> None:
        """Use the network for fewer columns that was made, or begin to make another one where it is wanted."""
        if self._made is None:
            if self._columns.wanted != self._columns.window:
                self._begin_making()
            return
        if not self._made.done():
            return
        made, self._made = self._made, None
        error = made.exception()
        if error is not None:  # it only spares time
            _log.warning("The network for fewer columns could not be made.", exc_info=error)
            self._make = None
            return
        self._hand_over(None)
        old, self._narrow = self._narrow, made.result()
        self._columns.use(self._narrow.small.shape[2])
        if old is not None:
            self._pool.submit(old.close)

    def run(self, frame: BgrImage, ratios: Ratios, steady: bool) -> Coefficients:
        """Return the coefficients of a frame; see `RecurrentNetwork.run`."""
        self._adopt()
        small, narrow = self._whole.shrink(frame, ratios), self._narrow
        first = None if narrow is None else self._columns.choose(small)
        self._hand_over(first)
        if narrow is not None and first is not None:
            np.copyto(narrow.small, small[:, :, first : first + self._columns.window])
            part = narrow.step(steady)
            if not self._columns.is_too_narrow(part.coarse):
                return self._on_frame(part, first)
            self._hand_over(None)
        return self._whole.step(steady)

    def follow(self, alpha: Floats) -> None:
        """Choose the window for the next frame. alpha: (h, w) of this one, as it is shown."""
        if self._narrow is not None:
            self._columns.follow(alpha)

    @property
    def window(self) -> slice | None:
        """The columns that were looked at last; None: all."""
        return None if self.at is None else slice(self.at, self.at + self._columns.window)

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
        made = self._made.result() if self._made is not None and self._made.exception() is None else None
        for network in (self._whole, self._narrow, made):
            if network is not None:
                network.close()

    def _hand_over(self, first: int | None) -> None:
        """Carry the memory to the window that begins at column `first`, or to the whole frame."""
        narrow = self._narrow
        if first == self.at or narrow is None:
            return
        if self.at is not None:
            self._whole.take_memory(narrow, self.at, 0, self._columns.window)
        if first is not None:
            narrow.take_memory(self._whole, 0, first, self._columns.window)
        self.at = first

    def _on_frame(self, part: Coefficients, first: int) -> Coefficients:
        """Return coefficients of the frame, in which nobody is beside the window."""
        slope, offset, _ = self._whole.coefficients
        coarse, end = np.empty(slope.shape[1:], np.float32), first + self._columns.window
        for planes, window in ((slope, part.slope), (offset, part.offset), (coarse, part.coarse)):
            planes[..., :first] = planes[..., end:] = 0
            planes[..., first:end] = window
        return Coefficients(self._whole.small, slope, offset, coarse)
