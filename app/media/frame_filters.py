"""Filters of decoded frames: deinterlacing, and conversion of HDR and wide-gamut colours to BT.709.

Frames of interlaced video hold two half images, taken at different times, in alternating rows.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from fractions import Fraction

from av.error import BlockingIOError, EOFError, FFmpegError
from av.filter import Graph
from av.video.frame import VideoFrame

from app.media.colour_table import Transfer, colour_table

log = logging.getLogger(__name__)

DEINTERLACE = "mode=send_frame:parity=auto:deint=interlaced"
"""One frame for each, in the field order that it names; progressive frames pass unchanged."""
UNSPECIFIED, BT2020_PRIMARIES, BT2020_MATRIX = 2, 9, 9
"""FFmpeg's numbers, which are those of ITU-T H.273."""
TRANSFERS: dict[int, Transfer] = {16: "pq", 18: "hlg"}
RGB = "gbrp12le"
Shape = tuple[int, int, str, Fraction | None]
"""What a graph is built for: width, height, format and unit of the times."""


def deinterlaced(frames: Iterable[VideoFrame], threads: int = 0) -> Iterator[VideoFrame]:
    """Yield every frame at its time, interlaced ones deinterlaced. Video without interlaced frames passes unchanged.

    threads: of the filter, 0 for one per core.
    """
    graph: Graph | None = None
    shape = None
    """Of the frames that the present graph takes, or that none takes."""
    for frame in frames:
        if graph is not None and shape != _shape(frame):
            yield from _pushed(graph, None)
            graph = None
        if graph is None and frame.interlaced_frame and shape != _shape(frame):
            graph, shape = _graph(frame, threads, "bwdif", DEINTERLACE), _shape(frame)
        if graph is None:
            yield frame
        else:
            yield from _pushed(graph, frame)
    if graph is not None:
        yield from _pushed(graph, None)


def in_bt709(frames: Iterable[VideoFrame], threads: int = 0) -> Iterator[VideoFrame]:
    """Yield every frame at its time; HDR (PQ, HLG) and other BT.2020 video as RGB with BT.709 colours.

    threads: of the filter, 0 for one per core.
    """
    graph: Graph | None = None
    kind = None
    for frame in frames:
        transfer = _transfer(frame)
        if transfer is None:
            yield frame
            continue
        matrix = BT2020_MATRIX if frame.colorspace == UNSPECIFIED else None
        rgb = frame.reformat(format=RGB, src_colorspace=matrix)
        if kind != (transfer, _shape(frame)):
            with colour_table(transfer) as table:
                graph, kind = _graph(rgb, threads, "lut3d", f"file={table}"), (transfer, _shape(frame))
        if graph is None:
            yield frame
        else:
            yield from _pushed(graph, rgb)


def _transfer(frame: VideoFrame) -> Transfer | None:
    """Return the transfer function of a frame with colours that need conversion, else None."""
    if frame.color_trc in TRANSFERS:
        return TRANSFERS[frame.color_trc]
    return "sdr" if frame.color_primaries == BT2020_PRIMARIES else None


def _shape(frame: VideoFrame) -> Shape:
    return frame.width, frame.height, frame.format.name, frame.time_base


def _graph(frame: VideoFrame, threads: int, name: str, options: str) -> Graph | None:
    """Return a graph of one filter for frames like this one; None if it does not take their size or format."""
    graph = Graph()
    graph.threads = threads
    try:
        source = graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
        )
        graph.link_nodes(source, graph.add(name, options), graph.add("buffersink")).configure()
    except (FFmpegError, ValueError) as error:
        log.warning("frames cannot be filtered with %s: %s", name, error)
        return None
    return graph


def _pushed(graph: Graph, frame: VideoFrame | None) -> Iterator[VideoFrame]:
    """Push a frame, or None at the end, and yield what is finished."""
    graph.vpush(frame)
    with suppress(BlockingIOError, EOFError):
        while True:
            yield graph.vpull()
