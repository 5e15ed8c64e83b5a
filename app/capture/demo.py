"""The demo source: a portrait as a camera would see it, for machines without a camera and for
measurements.
"""

from __future__ import annotations

import math
import threading
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.capture.base import FrameSource
from app.core.errors import Remedy, SourceOpenError, t
from app.core.types import BgrImage, Frame, SourceInfo

ASSETS = Path(__file__).resolve().parent.parent / "assets"
PORTRAIT = "astronaut.png"
EMPTY_SCENE = "astronaut_empty.png"

# In pixels of the photo. The empty scene extends beyond the photo, to be wide enough for 16:9.
MARGIN_X = 90
MARGIN_Y = 45
# The largest view; its shape is that of the frame.
VIEW_WIDTH = 488.0
VIEW_HEIGHT = 470.0
VIEW_TOP = -16.0
VIEW_LEFT = 2.0
VIEW_RIGHT = 510.0
FACE_X = 228.0
FACE_Y = 126.0
# Limit of the scale from photo to canvas, which has the resolution of the frame.
MAX_SCALE = 3.0

NOISE_SIGMA = 2.5
NOISE_TILE = 1000
# The noise image exceeds the frame by this in both directions; each frame uses another crop.
NOISE_SHIFT = 96


class DemoSource(FrameSource):
    """A photo of a person as seen by a hand-held webcam.

    Pan, tilt, roll, zoom, exposure flicker, sensor noise.

    A frame depends on size, rate and index only. With `realtime`, frames follow a clock and a slow
    reader misses some, as with a camera; otherwise they are delivered as fast as they are read.
    """

    def __init__(
        self,
        width: int = 1280,
        height: int = 720,
        fps: float = 30.0,
        *,
        realtime: bool = True,
        empty_scene_s: float = 0.0,
        motion: float = 1.0,
    ) -> None:
        """empty_scene_s: time before the person appears.
        motion: 1 for a hand-held camera, 0 for a tripod.

        Raises SourceOpenError if the photo is missing.
        """
        # The requested size and rate.
        self.info = SourceInfo("demo", "Demo", "demo", width, height, fps, "")
        self._realtime = realtime
        self._empty_frames = math.ceil(empty_scene_s * fps)
        self._motion = motion
        self._phases = np.random.default_rng(0).uniform(0, 2 * math.pi, 10)
        self._closed = threading.Event()
        self._start_s: float | None = None
        self._next_index = 0
        self._view_size = _view_size(width, height)
        self._scale = min(MAX_SCALE, width / self._view_size[0])
        scene = _load(EMPTY_SCENE)
        portrait = scene.copy()
        portrait[MARGIN_Y:-MARGIN_Y, MARGIN_X:-MARGIN_X] = _load(PORTRAIT)
        self._portrait = _enlarged(portrait, self._scale)
        self._scene = _enlarged(scene, self._scale) if self._empty_frames else self._portrait
        self._noise = _noise(width + NOISE_SHIFT, height + NOISE_SHIFT)

    def read(self) -> Frame | None:
        """Return the next frame at its time; None after `close`."""
        if self._closed.is_set():
            return None
        index = self._next_index
        if not self._realtime:
            self._next_index += 1
            return Frame(self.render(index), index, time.perf_counter(), synthetic=True)
        now = time.perf_counter()
        if self._start_s is None:
            self._start_s = now
        index = max(index, math.floor((now - self._start_s) * self.info.fps))
        image = self.render(index)
        wait_s = self._start_s + index / self.info.fps - time.perf_counter()
        if wait_s > 0 and self._closed.wait(wait_s):
            return None
        self._next_index = index + 1
        return Frame(image, index, time.perf_counter(), synthetic=True)

    def close(self) -> None:
        """End a waiting `read`. Idempotent."""
        self._closed.set()

    def render(self, index: int) -> BgrImage:
        """Return frame `index`: (height, width, 3) uint8 BGR."""
        matrix, gain = self._view(index / self.info.fps)
        canvas = self._scene if index < self._empty_frames else self._portrait
        width = self.info.width
        height = self.info.height
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        image = cv2.warpAffine(
            canvas,
            matrix,
            (width, height),
            flags=flags,
            borderMode=cv2.BORDER_REFLECT,
        )
        shift = np.random.default_rng((0, index)).integers(0, NOISE_SHIFT, 2)
        noise = self._noise[shift[0] : shift[0] + height, shift[1] : shift[1] + width]
        return np.asarray(cv2.addWeighted(image, gain, noise, 1.0, -128.0, dst=image), np.uint8)

    def _view(self, time_s: float) -> tuple[NDArray[np.float64], float]:
        """Return the (2, 3) transform from frame to canvas pixels, and the exposure, about 1."""
        p = self._phases
        motion = self._motion

        def wave(period_s: float, phase: float) -> float:
            return math.sin(2 * math.pi * time_s / period_s + phase)

        pan_px = motion * (9 * wave(7.3, p[0]) + 3 * wave(2.9, p[1]) + 0.4 * wave(0.37, p[2]))
        tilt_px = motion * (5 * wave(5.9, p[3]) + 2 * wave(2.3, p[4]) + 0.4 * wave(0.31, p[5]))
        roll = math.radians(motion * (0.7 * wave(8.7, p[6]) + 0.2 * wave(1.7, p[7])))
        zoom = 1 + motion * 0.03 * wave(11.0, p[8])
        gain = 1 + 0.015 * wave(4.1, p[9]) + 0.006 * wave(0.083, 0.0)
        width = self.info.width
        height = self.info.height
        view_width, view_height = self._view_size
        x = min(max(FACE_X, VIEW_LEFT + view_width / 2), VIEW_RIGHT - view_width / 2)
        y = max(FACE_Y, VIEW_TOP + view_height / 2)
        x = (MARGIN_X + x + pan_px) * self._scale
        y = (MARGIN_Y + y + tilt_px) * self._scale
        step = view_width / width * self._scale / zoom
        cos = math.cos(roll) * step
        sin = math.sin(roll) * step
        half_x = (width - 1) / 2
        half_y = (height - 1) / 2
        rows = [
            [cos, -sin, x - cos * half_x + sin * half_y],
            [sin, cos, y - sin * half_x - cos * half_y],
        ]
        return np.array(rows), gain


def _view_size(width: int, height: int) -> tuple[float, float]:
    """Return the size of the visible part of the photo, in its pixels, in the shape of the
    frame.
    """
    view_width = min(VIEW_WIDTH, VIEW_HEIGHT * width / height)
    return view_width, view_width * height / width


def _load(name: str) -> BgrImage:
    path = ASSETS / name
    image = None
    # cv2.imread finds no file on Windows whose path has an umlaut.
    if path.is_file():
        image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise SourceOpenError(
            t("The demo image {file} is missing or damaged; reinstall the program.", file=path),
            Remedy.SOURCE,
        )
    return np.asarray(image, np.uint8)


def _enlarged(image: BgrImage, scale: float) -> BgrImage:
    return np.asarray(
        cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC),
        np.uint8,
    )


def _noise(width: int, height: int) -> BgrImage:
    """Return sensor noise about 128; larger images repeat a tile."""
    tile = min(height, NOISE_TILE), min(width, NOISE_TILE), 3
    noise = np.random.default_rng(0).standard_normal(tile, np.float32) * NOISE_SIGMA + 128.5
    return np.tile(noise.astype(np.uint8), (-(-height // tile[0]), -(-width // tile[1]), 1))
