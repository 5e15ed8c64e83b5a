"""Filters of decoded frames: deinterlacing, and conversion of HDR and wide-gamut colours to BT.709.

Frames of interlaced video hold two half images, taken at different times, in alternating rows. Tables convert BT.2020
colours, also of HDR video, for standard displays.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
from av.error import BlockingIOError, EOFError, FFmpegError
from av.filter import Graph
from av.video.frame import VideoFrame
from numpy.typing import NDArray

Transfer = Literal["pq", "hlg", "sdr"]
"""How the values of a video encode light: SMPTE ST 2084, ARIB STD-B67, or as BT.1886 displays show them."""
Values = NDArray[np.float64]

POINTS = 33
"""Of the table, per channel."""
PEAK_NITS, WHITE_NITS = 1000.0, 203.0
"""Brightest highlight that is kept, and the white of a standard display (ITU-R BT.2408)."""
GAMMA = 2.4
TO_BT709 = np.array(
    [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]]
)
"""ITU-R BT.2087."""
LUMINANCE = np.array([0.2627, 0.6780, 0.0593])


@contextmanager
def colour_table(transfer: Transfer) -> Iterator[str]:
    """Yield the name of a temporary .cube file for FFmpeg's filter lut3d, with its separators escaped."""
    steps = np.linspace(0, 1, POINTS)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    with tempfile.TemporaryDirectory(prefix="mattecam-") as folder:
        file = Path(folder) / "colours.cube"
        values = to_bt709(np.stack([red, green, blue], axis=-1), transfer).reshape(-1, 3)
        np.savetxt(file, values, fmt="%.5f", header=f"LUT_3D_SIZE {POINTS}", comments="")
        yield file.as_posix().replace("\\", "\\\\").replace(":", "\\:").replace("'", "\\'")


def to_bt709(rgb: Values, transfer: Transfer) -> Values:
    """Convert BT.2020 RGB values (..., 3) in 0-1 to BT.709 values in 0-1."""
    if transfer == "sdr":
        light = rgb**GAMMA
    else:
        light = _compressed(pq_to_nits(rgb) if transfer == "pq" else _hlg_to_nits(rgb)) / WHITE_NITS
    return np.asarray(np.clip(light @ TO_BT709.T, 0, 1) ** (1 / GAMMA))


def pq_to_nits(values: Values) -> Values:
    """Return the light that PQ values encode, in candela per square metre."""
    power = np.maximum(values, 0) ** (32 / 2523)
    return np.asarray(
        10_000 * (np.maximum(power - 3424 / 4096, 0) / (2413 / 128 - 2392 / 128 * power)) ** (8192 / 1305)
    )


def nits_to_pq(nits: Values) -> Values:
    """Return the PQ values of an amount of light."""
    power = (np.maximum(nits, 0) / 10_000) ** (1305 / 8192)
    return np.asarray(((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32))


def _hlg_to_nits(values: Values) -> Values:
    """Return the light that a display of PEAK_NITS shows for HLG values (ITU-R BT.2100)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(values <= 0.5, values**2 / 3, (np.exp((values - c) / a) + b) / 12)
    return np.asarray(PEAK_NITS * (scene @ LUMINANCE)[..., None] ** 0.2 * scene)


def _compressed(nits: Values) -> Values:
    """Compress highlights up to PEAK_NITS below WHITE_NITS and keep darker light and hues (ITU-R BT.2390)."""
    peak = float(nits_to_pq(np.array(PEAK_NITS)))
    white = float(nits_to_pq(np.array(WHITE_NITS))) / peak
    knee = 1.5 * white - 0.5
    brightest = nits.max(axis=-1, keepdims=True)
    value = np.minimum(nits_to_pq(brightest) / peak, 1)
    t = np.maximum(value - knee, 0) / (1 - knee)
    curve = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * white
    target = pq_to_nits(np.where(value < knee, value, curve) * peak)
    return np.asarray(nits * (target / np.maximum(brightest, 1e-6)))


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
