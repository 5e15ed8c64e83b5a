"""Conversion of decoded frames between sizes and pixel formats."""

from __future__ import annotations

from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

# Several threads of FFmpeg's scaler convert a slice of rows each, and write up to 8 pixels beyond
# the end of a row. With more than one, they overwrite the start of a row that another has finished.
# Frames with alpha, and those of more than 8 bits, have no padding there unless the width is a
# multiple of 16.
THREADS = 1


class FrameConverter:
    """Converts frames on the calling thread alone: the same frame becomes the same bytes each time.

    Every conversion between formats takes this way. One object serves all frames of a film: a frame
    would keep a scaler of its own until it is collected.
    """

    def __init__(self) -> None:
        self._scaler = VideoReformatter()

    def convert(
        self,
        frame: VideoFrame,
        pixel_format: str,
        size: tuple[int, int] | None = None,
        *,
        matrix: int | None = None,
        to_matrix: int | None = None,
        to_range: int | None = None,
        interpolation: str | None = None,
    ) -> VideoFrame:
        """Return a frame in this format, or the same one if nothing is to be done.

        size: (width, height); None for that of the frame. matrix, to_matrix: `Colorspace` of YUV
        before and after; None for what the frame names. to_range: `ColorRange`. interpolation: name
        of an `Interpolation`; None for bilinear. Raises FFmpegError or ValueError.
        """
        width, height = size or (frame.width, frame.height)
        return self._scaler.reformat(
            frame,
            width,
            height,
            pixel_format,
            src_colorspace=matrix,
            dst_colorspace=to_matrix,
            dst_color_range=to_range,
            interpolation=interpolation,
            threads=THREADS,
        )
