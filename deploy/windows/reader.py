"""Read what a program sends to the virtual camera of OBS Studio on Windows, from the memory that
its filter reads.

`python reader.py SECONDS IMAGE` saves the last frame, prints the size and how many frames came, and
fails without one. The seconds count from when a program sends; it is waited for.
"""

from __future__ import annotations

import ctypes
import struct
import sys
import time
from ctypes import wintypes

import cv2
import numpy as np

NAME = "OBSVirtualCamVideo"
READ_ACCESS = 4
READY = 2
"""State of the memory: frames are written to it."""
FRAMES = 3
"""Frames that it holds, which are written in turn."""
FRAME_HEADER_BYTES = 32
POLL_S = 0.005
START_LIMIT_S = 480.0
HEADER = struct.Struct("<9I")
"""Number of the frame that is written and read, state, where each frame begins, kind, width,
height.
"""


def opened(end_s: float) -> int:
    """Return the address of the shared memory; wait for it until this time."""
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined, unused-ignore]
    kernel.OpenFileMappingW.restype = wintypes.HANDLE
    kernel.MapViewOfFile.restype = ctypes.c_void_p
    kernel.MapViewOfFile.argtypes = [
        wintypes.HANDLE,
        wintypes.DWORD,
        wintypes.DWORD,
        wintypes.DWORD,
        ctypes.c_size_t,
    ]
    while time.monotonic() < end_s:
        mapping = kernel.OpenFileMappingW(READ_ACCESS, False, NAME)
        if mapping:
            return int(kernel.MapViewOfFile(mapping, READ_ACCESS, 0, 0, 0))
        time.sleep(POLL_S)
    sys.exit("Nobody sends to the virtual camera of OBS.")


def main(seconds: float, image: str) -> None:
    """Read frames for a time, and save the last one."""
    address = opened(time.monotonic() + START_LIMIT_S)
    end_s = time.monotonic() + seconds
    numbers: set[int] = set()
    frame = None
    while time.monotonic() < end_s:
        _, number, state, *begins, _, width, height = HEADER.unpack(
            ctypes.string_at(address, HEADER.size)
        )
        if state == READY and number not in numbers:
            numbers.add(number)
            begin = address + begins[number % FRAMES] + FRAME_HEADER_BYTES
            rows = height * 3 // 2
            nv12 = np.frombuffer(ctypes.string_at(begin, rows * width), np.uint8).reshape(
                rows, width
            )
            frame = cv2.cvtColor(nv12, cv2.COLOR_YUV2BGR_NV12)
        time.sleep(POLL_S)
    if frame is None:
        sys.exit("No frame came through the virtual camera of OBS.")
    cv2.imwrite(image, frame)
    print(f"{width}x{height}, {len(numbers)} frames")  # noqa: T201 - the result


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2])
