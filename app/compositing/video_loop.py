"""Decoding a video in a loop, on one time line that never ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame

from app.core import geometry
from app.core.errors import BackgroundError
from app.core.geometry import Layout
from app.core.messages.media import VideoText
from app.core.types import BgrImage
from app.media.video_input import LIVE_MAX_PIXELS, VideoError, VideoInput, colour_matrix

_FALLBACK_RATE = 25.0
_SHORTEST_STEP_S, _LONGEST_STEP_S = 1 / 240, 10.0
"""A shorter or longer interval between two frames is a broken time stamp."""
_THREADS = 2
"""Of the decoder: the network needs the other cores."""


@dataclass(frozen=True, slots=True)
class TimedFrame:
    """A decoded frame and its presentation time, in seconds since the first frame of the first round."""

    at_s: float
    frame: VideoFrame


class LoopingVideo:
    """The frames of a video file, round after round."""

    def __init__(self, path: Path) -> None:
        """Raises BackgroundError for a file without a single readable frame."""
        try:
            self._video = VideoInput(path, max_pixels=LIVE_MAX_PIXELS, threads=_THREADS)
        except VideoError as error:
            raise BackgroundError(error.text) from error
        interval_s = 1.0 / float(self._video.stream.average_rate or _FALLBACK_RATE)
        self.interval_s = min(max(interval_s, _SHORTEST_STEP_S), _LONGEST_STEP_S)
        self._round = self._video.frames()
        first = next(self._round, None)
        if first is None:
            self._video.close()
            raise BackgroundError(VideoText.NO_FRAME(file=path))
        self.first: VideoFrame = first
        self.round_s: float | None = None
        """Duration of a round; None until the first one has been decoded."""

    def frames(self) -> Iterator[TimedFrame]:
        """Yield every frame after the first, in an endless loop; ends only if no frame can be read any more."""
        at_s = 0.0
        previous_s: float | None = self.first.time
        while True:
            count = 0
            for frame in self._round:
                step_s = self.interval_s
                if frame.time is not None and previous_s is not None:
                    stamped_s = frame.time - previous_s
                    step_s = stamped_s if _SHORTEST_STEP_S <= stamped_s <= _LONGEST_STEP_S else step_s
                at_s, previous_s, count = at_s + step_s, frame.time, count + 1
                yield TimedFrame(at_s, frame)
            if count == 0 or not self._video.rewind():
                return
            self.round_s = self.round_s or at_s + self.interval_s
            self._round = self._video.frames()
            previous_s = None  # the first frame of a round follows the last one of the previous round

    def picture(self, frame: VideoFrame, layout: Layout, width: int, height: int) -> BgrImage:
        """Return the frame upright, with square pixels, scaled to this size: (height, width, 3) uint8 BGR."""
        quarter_turns = round(frame.rotation / 90) % 4  # counter-clockwise
        shape = max(1, round(frame.width * self._video.pixel_aspect)), frame.height
        size = (width, height) if quarter_turns % 2 == 0 else (height, width)
        covering = (geometry.cover_size if layout.fit == "fill" else geometry.contain_size)(*shape, *size)
        wanted = round(covering[0] * layout.zoom), round(covering[1] * layout.zoom)
        # downscale during the conversion, so that the full size never exists in BGR; upscale only after the crop
        new_size = min(shape, wanted, key=lambda side: side[0] * side[1])
        small = frame.reformat(*new_size, "bgr24", src_colorspace=colour_matrix(frame), interpolation="AREA")
        image = np.ascontiguousarray(np.rot90(small.to_ndarray(), quarter_turns)).astype(np.uint8, copy=False)
        return geometry.lay_out(image, layout, width, height)

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._video.close()
