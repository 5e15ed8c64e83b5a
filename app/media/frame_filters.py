"""Filters of decoded frames: deinterlacing, and conversion of HDR and wide-gamut colours to BT.709.

Frames of interlaced video hold two half images, taken at different times, in alternating rows. Tables convert BT.2020
and P3 colours, also of HDR video, for standard displays.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Literal, TypeVar

import cv2
import numpy as np
from av.error import BlockingIOError, EOFError, FFmpegError
from av.filter import Graph
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from app.core.types import AlphaImage, BgrImage
from app.media.frame_converter import THREADS, FrameConverter
from app.media.headers import NO_CROP, Crop

log = logging.getLogger(__name__)


Transfer = Literal["pq", "hlg", "sdr"]
"""How the values of a video encode light: SMPTE ST 2084, ARIB STD-B67, or as BT.1886 displays show them."""
Values = NDArray[np.float64]

POINTS = 33
"""Of the table, per channel."""
PEAK_NITS, WHITE_NITS = 1000.0, 203.0
"""Brightest highlight that is kept, and the white of a standard display (ITU-R BT.2408)."""
GAMMA = 2.4
D65, DCI = (0.3127, 0.3290), (0.314, 0.351)
"""White points, (x, y)."""
P3 = (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)
BT709 = (0.640, 0.330), (0.300, 0.600), (0.150, 0.060), D65
BT2020_PRIMARIES = 9
PRIMARIES = {
    BT2020_PRIMARIES: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), D65),
    11: (*P3, DCI),
    12: (*P3, D65),
}
"""Red, green, blue and white, (x, y), of the wide gamuts by FFmpeg's numbers: BT.2020, DCI-P3, Display P3."""
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
"""From XYZ to the responses of the eye, in which white points are adapted."""


def to_xyz(points: tuple[tuple[float, float], ...]) -> Values:
    """Return the matrix from linear RGB of these primaries and white to XYZ."""
    x, y = np.array(points).T
    columns = np.stack([x / y, np.ones(4), (1 - x - y) / y])
    return np.asarray(columns[:, :3] * np.linalg.solve(columns[:, :3], columns[:, 3]))


def matrix_to_bt709(primaries: int) -> Values:
    """Return the matrix from linear RGB of a wide gamut to that of BT.709."""
    wide, standard = to_xyz(PRIMARIES[primaries]), to_xyz(BT709)
    adapted = adaptation(wide.sum(axis=1), standard.sum(axis=1))
    return np.asarray(np.linalg.inv(standard) @ adapted @ wide)


def adaptation(white: Values, other: Values) -> Values:
    """Return the matrix from XYZ seen under a white to XYZ that looks the same under another one, both XYZ."""
    scale = (BRADFORD @ other) / (BRADFORD @ white)
    return np.asarray(np.linalg.inv(BRADFORD) @ np.diag(scale) @ BRADFORD)


@contextmanager
def colour_table(transfer: Transfer, primaries: int) -> Iterator[str]:
    """Yield the name of a temporary .cube file for FFmpeg's filter lut3d, with its separators escaped."""
    steps = np.linspace(0, 1, POINTS)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    with tempfile.TemporaryDirectory(prefix="mattecam-") as folder:
        file = Path(folder) / "colours.cube"
        values = to_bt709(np.stack([red, green, blue], axis=-1), transfer, primaries).reshape(-1, 3)
        np.savetxt(file, values, fmt="%.5f", header=f"LUT_3D_SIZE {POINTS}", comments="")
        yield file.as_posix().replace("\\", "\\\\").replace(":", "\\:").replace("'", "\\'")


def to_bt709(rgb: Values, transfer: Transfer, primaries: int = BT2020_PRIMARIES) -> Values:
    """Convert RGB values (..., 3) in 0-1 of a wide gamut, by its number in `PRIMARIES`, to BT.709 values in 0-1."""
    if transfer == "sdr":
        light = rgb**GAMMA
    else:
        nits = pq_to_nits(rgb) if transfer == "pq" else _hlg_to_nits(rgb, to_xyz(PRIMARIES[primaries])[1])
        light = _compressed(nits) / WHITE_NITS
    return np.asarray(np.clip(light @ matrix_to_bt709(primaries).T, 0, 1) ** (1 / GAMMA))


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


def _hlg_to_nits(values: Values, luminance: Values) -> Values:
    """Return the light that a display of PEAK_NITS shows for HLG values (ITU-R BT.2100). luminance: of each primary."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(values <= 0.5, values**2 / 3, (np.exp((values - c) / a) + b) / 12)
    return np.asarray(PEAK_NITS * (scene @ luminance)[..., None] ** 0.2 * scene)


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


T = TypeVar("T")
DEINTERLACE = "mode=send_frame:parity=auto:deint=interlaced"
"""One frame for each, in the field order that it names; progressive frames pass unchanged."""
UNSPECIFIED, BT709_MATRIX, BT2020_MATRIX = 2, 1, 9
"""FFmpeg's numbers, which are those of ITU-T H.273."""
TRANSFERS: dict[int, Transfer] = {16: "pq", 18: "hlg"}
RGB, RGB_ALPHA = "gbrp12le", "gbrap12le"
Shape = tuple[int, int, str, Fraction | None]
"""What a graph is built for: width, height, format and unit of the times."""


def deinterlaced(frames: Iterable[VideoFrame]) -> Iterator[VideoFrame]:
    """Yield every frame at its time, interlaced ones deinterlaced. Video without interlaced frames passes unchanged."""
    graph: Graph | None = None
    shape = None
    """Of the frames that the present graph takes, or that none takes."""
    for frame in frames:
        if graph is not None and shape != _shape(frame):
            yield from _pushed(graph, None)
            graph = None
        if graph is None and frame.interlaced_frame and shape != _shape(frame):
            # FFmpeg converts formats that the filter does not take, with as many threads as the graph has
            graph = _graph(frame, THREADS, ("bwdif", DEINTERLACE))
            shape = _shape(frame)
        if graph is None:
            yield frame
        else:
            yield from _pushed(graph, frame)
    if graph is not None:
        yield from _pushed(graph, None)


def cropped(frames: Iterable[VideoFrame], crop: Crop, size: tuple[int, int]) -> Iterator[VideoFrame]:
    """Yield every frame without the pixels at its edges that are not shown.

    size: (width, height) of the frames that the crop is of, and which it leaves a pixel; others pass unchanged.
    """
    width, height = crop.size_of(*size)
    graph: Graph | None = None
    shape = None
    for frame in frames:
        if (frame.width, frame.height) != size or crop == NO_CROP:
            yield frame
            continue
        if shape != _shape(frame):
            # exact: not rounded to pixels of the chroma
            graph = _graph(frame, THREADS, ("crop", f"{width}:{height}:{crop.left}:{crop.top}:exact=1"))
            shape = _shape(frame)
        if graph is None:
            yield frame
        else:
            yield from _pushed(graph, frame)


def in_bt709(frames: Iterable[VideoFrame], threads: int = 0) -> Iterator[VideoFrame]:
    """Yield every frame at its time; HDR (PQ, HLG) and other video of a wide gamut as RGB with BT.709 colours.

    threads: of the filter of colours, 0 for one per core.
    """
    converter = FrameConverter()
    graph: Graph | None = None
    kind = None
    for frame in frames:
        colours = _colours(frame)
        if colours is None:
            yield frame
            continue
        usual = BT2020_MATRIX if colours[1] == BT2020_PRIMARIES else BT709_MATRIX
        matrix = usual if frame.colorspace == UNSPECIFIED else None
        rgb = converter.convert(frame, RGB_ALPHA if has_alpha(frame) else RGB, matrix=matrix)
        if kind != (colours, _shape(frame)):
            with colour_table(*colours) as table:
                graph, kind = _graph(rgb, threads, ("lut3d", f"file={table}")), (colours, _shape(frame))
        if graph is None:
            yield frame
        else:
            yield from _pushed(graph, rgb)


def _colours(frame: VideoFrame) -> tuple[Transfer, int] | None:
    """Return the transfer function and the primaries of a frame with colours that need conversion, else None."""
    primaries = int(frame.color_primaries)
    if frame.color_trc in TRANSFERS:
        return TRANSFERS[frame.color_trc], primaries if primaries in PRIMARIES else BT2020_PRIMARIES
    return ("sdr", primaries) if primaries in PRIMARIES else None


def _shape(frame: VideoFrame) -> Shape:
    return frame.width, frame.height, frame.format.name, frame.time_base


def _graph(frame: VideoFrame, threads: int, *filters: tuple[str, str]) -> Graph | None:
    """Return a graph for frames like this one; None if it does not take their size or format.

    filters: name and options of each, in their order.
    """
    graph = Graph()
    graph.threads = threads
    try:
        source = graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
        )
        added = [graph.add(name, options) for name, options in filters]
        graph.link_nodes(source, *added, graph.add("buffersink")).configure()
    except (FFmpegError, ValueError) as error:
        log.warning("frames cannot be filtered with %s: %s", filters[0][0], error)
        return None
    return graph


def _pushed(graph: Graph, frame: VideoFrame | None) -> Iterator[VideoFrame]:
    """Push a frame, or None at the end, and yield what is finished."""
    graph.vpush(frame)
    yield from pulled(graph.vpull)


def pulled(pull: Callable[[], T]) -> Iterator[T]:
    """Yield what a graph has finished. pull: its method for one of it."""
    with suppress(BlockingIOError, EOFError):
        while True:
            yield pull()


ASPECT_STEPS = 720
"""A pixel aspect is measured in parts of this; it divides by the numbers of all usual ones."""
CORNER_WIDENED = (
    ("crop", "2:2:0:0"),
    ("scale", f"w='clip(round(sar*{ASPECT_STEPS}),1,65535)':h=2:eval=frame:flags=neighbor"),
)


class AspectMeter:
    """Measures the pixel aspect of decoded frames, which PyAV does not name: FFmpeg widens a corner by it.

    The decoder names only that of the newest packet, which may belong to a frame that is shown later.
    """

    def __init__(self) -> None:
        self._graph: Graph | None = None
        self._shape: Shape | None = None

    def aspect_of(self, frame: VideoFrame) -> float | None:
        """Return the width of a pixel over its height, 1 where none is named; None where it cannot be measured."""
        if self._shape != _shape(frame):
            self._graph = _graph(frame, THREADS, *CORNER_WIDENED)
            self._shape = _shape(frame)
        if self._graph is None:
            return None
        return next((corner.width / ASPECT_STEPS for corner in _pushed(self._graph, frame)), None)


BgraImage = NDArray[np.uint8]
"""(height, width, 4): blue, green, red and alpha."""
BLACK = (0, 0, 0)
SURE_ALPHA = 8
"""From here on a film keeps the colours of a pixel; below, those of its surroundings count as well."""


def has_alpha(frame: VideoFrame) -> bool:
    """Return whether the format of a frame has alpha."""
    return any(component.is_alpha for component in frame.format.components)


def over_colour(
    frame: VideoFrame, converter: FrameConverter, matrix: int | None, colour: tuple[int, int, int] = BLACK
) -> VideoFrame:
    """Return a frame with a colour behind its transparent parts; one without alpha as it is.

    matrix: that of its YUV; None for the one that the frame names. The result has no side data.
    """
    if not has_alpha(frame):
        return frame
    image = np.asarray(converter.convert(frame, "bgra", matrix=matrix).to_ndarray(), np.uint8)
    shown = premultiplied(image[..., :3], image[..., 3])
    if any(colour):
        behind = np.full_like(shown, colour)
        shown = np.asarray(cv2.add(shown, premultiplied(behind, 255 - image[..., 3])), np.uint8)
    return VideoFrame.from_ndarray(shown, "bgr24")


def premultiplied(foreground: BgrImage, alpha: AlphaImage) -> BgrImage:
    """Return the foreground over black: foreground * alpha / 255, rounded. Exactly black where alpha is 0.

    The foreground that a network estimates is defined only where alpha is above 0. Elsewhere it still holds the frame
    with altered colours, so that writing it as it is would write the background of the user.
    foreground: (height, width, 3) uint8 BGR. alpha: (height, width) uint8.
    """
    weights = cv2.cvtColor(alpha, cv2.COLOR_GRAY2BGR)
    return np.asarray(cv2.multiply(foreground, weights, scale=1 / 255), np.uint8)


def straight(premultiplied: BgrImage, alpha: AlphaImage) -> BgrImage:
    """Return the colours of premultiplied ones, and black where alpha is 0.

    They tell no more of what lies behind a faint pixel than the picture over black does.
    """
    return np.asarray(cv2.divide(premultiplied, cv2.cvtColor(alpha, cv2.COLOR_GRAY2BGR), scale=255), np.uint8)


def extended(image: BgraImage) -> BgraImage:
    """Return the picture with the colours of its opaque parts continued into the transparent ones.

    Codecs of video mix the colours of neighbours, so that black beside the person would darken the edge.
    """
    sure = np.maximum(image[..., 3].astype(np.float32) - SURE_ALPHA, 0) * np.float32(1 / (255 - SURE_ALPHA))
    colours = _continued(np.dstack([image[..., :3] * sure[..., None], sure]))
    share = np.minimum(image[..., 3].astype(np.float32) * np.float32(1 / SURE_ALPHA), 1)[..., None]
    mixed = image[..., :3] * share + colours[..., :3] * (1 - share)
    return np.dstack([np.rint(mixed).clip(0, 255).astype(np.uint8), image[..., 3]])


def _continued(weighted: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the colours of weighted ones, (H, W, 4) with the weight last; where it is below 1, also those around."""
    height, width = weighted.shape[:2]
    if max(height, width) <= 1:
        return np.asarray(weighted / np.maximum(weighted[..., 3:], np.float32(1e-6)), np.float32)
    half = cv2.resize(weighted, ((width + 1) // 2, (height + 1) // 2), interpolation=cv2.INTER_AREA)
    around = cv2.resize(_continued(np.asarray(half)), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(weighted + (1 - weighted[..., 3:]) * around, np.float32)
