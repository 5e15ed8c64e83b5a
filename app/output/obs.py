"""Sends frames to the virtual camera of OBS Studio on Windows without pyvirtualcam.

Installers cannot include pyvirtualcam, whose GPL version 2 is incompatible with this program's
version 3 (docs/licences.md). The camera is a filter of OBS that reads a shared memory with a fixed
name: a header, and three frames that are written in turn. The program that creates this memory is
the only sender until it closes it.
"""

from __future__ import annotations

import errno
import struct
import time
from multiprocessing.shared_memory import SharedMemory

import numpy as np
from numpy.typing import NDArray

from app.media.yuv import YuvLayout

DEVICE = "OBS Virtual Camera"
NAME = "OBSVirtualCamVideo"
FRAMES = 3
# Before each frame: when it was made, in nanoseconds, and unused bytes.
FRAME_HEADER_BYTES = 32
# The filter reads frames at multiples of this.
ALIGNMENT = 32
# Write index and read index, both of which the sender sets to the number of its last frame; state;
# offset of each frame; kind, width, height; the time between frames in units of 100 ns.
HEADER = struct.Struct("<9I4xQ")
# Words at the end of the header that have no meaning yet.
RESERVED_BYTES = 32
# Values of the state.
READY = 2
STOPPING = 3
# The only kind.
VIDEO = 0
# The filter scales rows in words of four bytes.
WIDTH_MULTIPLE = 4


def frame_offsets(width: int, height: int) -> tuple[list[int], int]:
    """Return where each frame begins, and the size of the whole memory, in bytes."""
    at = _aligned(HEADER.size + RESERVED_BYTES)
    offsets = []
    for _ in range(FRAMES):
        offsets.append(at)
        at = _aligned(at + FRAME_HEADER_BYTES + width * height * 3 // 2)
    return offsets, at


class FrameQueue:
    """Writes frames into memory, laid out for the filter."""

    def __init__(self, memory: memoryview, width: int, height: int, fps: float) -> None:
        """memory: writable, of the size that `frame_offsets` returns. width, height: even, in
        pixels.
        """
        self._memory = memory
        self._size = (width, height)
        self._interval_100ns = round(1e7 / fps)
        self._offsets, _ = frame_offsets(width, height)
        self._number = 0

    def write(self, frame: NDArray[np.uint8], made_ns: int) -> None:
        """Write a frame (height * 3 / 2, width) in layout I420; the filter takes NV12.

        made_ns: when it was made, by time.perf_counter_ns().
        """
        width, height = self._size
        pixels = width * height
        self._number += 1
        begin = self._offsets[self._number % FRAMES]
        struct.pack_into("<Q", self._memory, begin, made_ns)
        planes = np.frombuffer(self._memory, np.uint8, pixels * 3 // 2, begin + FRAME_HEADER_BYTES)
        flat = frame.reshape(-1)
        planes[:pixels] = flat[:pixels]
        # I420 has U and then V, NV12 has them side by side.
        planes[pixels::2] = flat[pixels : pixels + pixels // 4]
        planes[pixels + 1 :: 2] = flat[pixels + pixels // 4 :]
        # Last, so that the filter reads only whole frames: it takes the one that the header names.
        self._write_header(READY)

    def stop(self) -> None:
        """Tell the filter that no further frame comes: it shows the placeholder of OBS."""
        self._write_header(STOPPING)

    def _write_header(self, state: int) -> None:
        HEADER.pack_into(
            self._memory,
            0,
            self._number,
            self._number,
            state,
            *self._offsets,
            VIDEO,
            *self._size,
            self._interval_100ns,
        )


class ObsWriter:
    """Sends frames to OBS's camera. It has the part of pyvirtualcam's interface that
    `VirtualCamera` uses.

    Opened, used and closed on the thread of that sink.
    """

    LAYOUT: YuvLayout = "I420"

    def __init__(self, width: int, height: int, fps: float) -> None:
        """width, height: even, in pixels; the width becomes a multiple of four. Raises OSError."""
        self.width = max(WIDTH_MULTIPLE, width // WIDTH_MULTIPLE * WIDTH_MULTIPLE)
        self.height = height
        _, size = frame_offsets(self.width, self.height)
        try:
            # It exists while another program sends: OBS itself does while its virtual camera is
            # started.
            self._memory = SharedMemory(NAME, create=True, size=size)
        except FileExistsError as error:
            raise OSError(errno.EBUSY, "another program sends to it") from error
        memory = self._memory.buf
        assert memory is not None, "it has just been opened"
        self._queue: FrameQueue | None = FrameQueue(memory, self.width, self.height, fps)

    def send(self, frame: NDArray[np.uint8]) -> None:
        """Show a frame (height * 3 / 2, width) in layout I420, of this object's size. Raises
        OSError after `close`.
        """
        if self._queue is None:
            raise OSError(errno.ENXIO, "the camera is closed")
        # The clock that OBS reads as well; the other one counts steps of 16 ms on Windows.
        self._queue.write(frame, time.perf_counter_ns())

    def close(self) -> None:
        """Leave the camera to the next program. Idempotent."""
        queue = self._queue
        self._queue = None
        if queue is not None:
            queue.stop()
            self._memory.close()
            self._memory.unlink()


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
