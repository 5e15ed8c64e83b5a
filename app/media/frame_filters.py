"""Filters of decoded frames.

Deinterlacing, conversion of HDR and wide-gamut colours to BT.709, of sizes and formats.

Frames of interlaced video hold two half images, taken at different times, in alternating rows.
Tables convert BT.2020 and P3 colours, also of HDR video, for standard displays.
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
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from app.core import geometry
from app.core.types import AlphaImage, BgrImage
from app.media.headers import NO_CROP, Crop

log = logging.getLogger(__name__)


# How values encode light: SMPTE ST 2084, ARIB STD-B67, or as displays of BT.1886 show them.
Transfer = Literal["pq", "hlg", "sdr"]
Values = NDArray[np.float64]

# Of the table, per channel; the usual size of tables for grading, between whose points FFmpeg
# interpolates.
POINTS = 33
# Brightest highlight that is kept.
PEAK_NITS = 1000.0
# The white of a standard display beside HDR (ITU-R BT.2408).
WHITE_NITS = 203.0
GAMMA = 2.4
# Constants of PQ, by their names in SMPTE ST 2084.
PQ_PEAK_NITS = 10_000
PQ_M1 = 1305 / 8192
PQ_M2 = 2523 / 32
PQ_C1 = 3424 / 4096
PQ_C2 = 2413 / 128
PQ_C3 = 2392 / 128
# White points and primaries, (x, y).
D65 = (0.3127, 0.3290)
DCI = (0.314, 0.351)
P3 = (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)
BT709 = (0.640, 0.330), (0.300, 0.600), (0.150, 0.060), D65
BT2020_PRIMARIES = 9
# Red, green, blue and white of the wide gamuts by FFmpeg's numbers: BT.2020, DCI-P3, Display P3.
PRIMARIES = {
    BT2020_PRIMARIES: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), D65),
    11: (*P3, DCI),
    12: (*P3, D65),
}
# From XYZ to the responses of the eye, in which white points are adapted.
BRADFORD = np.array(
    [
        [0.8951, 0.2664, -0.1614],
        [-0.7502, 1.7135, 0.0367],
        [0.0389, -0.0685, 1.0296],
    ]
)


def to_xyz(points: tuple[tuple[float, float], ...]) -> Values:
    """Return the matrix from linear RGB of these primaries and white to XYZ."""
    x, y = np.array(points).T
    columns = np.stack([x / y, np.ones(4), (1 - x - y) / y])
    return np.asarray(columns[:, :3] * np.linalg.solve(columns[:, :3], columns[:, 3]))


def matrix_to_bt709(primaries: int) -> Values:
    """Return the matrix from linear RGB of a wide gamut to that of BT.709."""
    wide = to_xyz(PRIMARIES[primaries])
    standard = to_xyz(BT709)
    adapted = adaptation(wide.sum(axis=1), standard.sum(axis=1))
    return np.asarray(np.linalg.inv(standard) @ adapted @ wide)


def adaptation(white: Values, other: Values) -> Values:
    """Return the matrix from XYZ seen under a white to XYZ that looks the same under another."""
    scale = (BRADFORD @ other) / (BRADFORD @ white)
    return np.asarray(np.linalg.inv(BRADFORD) @ np.diag(scale) @ BRADFORD)


@contextmanager
def colour_table(transfer: Transfer, primaries: int) -> Iterator[str]:
    """Yield the name of a temporary .cube file, escaped for FFmpeg's filter lut3d."""
    steps = np.linspace(0, 1, POINTS)
    # A .cube file counts red fastest.
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    rgb = np.stack([red, green, blue], axis=-1)
    values = to_bt709(rgb, transfer, primaries).reshape(-1, 3)
    with tempfile.TemporaryDirectory(prefix="mattecam-") as folder:
        file = Path(folder) / "colours.cube"
        np.savetxt(file, values, fmt="%.5f", header=f"LUT_3D_SIZE {POINTS}", comments="")
        # What separates options of a filter, above all the colon behind a drive of Windows.
        yield file.as_posix().replace("\\", "\\\\").replace(":", "\\:").replace("'", "\\'")


def to_bt709(rgb: Values, transfer: Transfer, primaries: int = BT2020_PRIMARIES) -> Values:
    """Convert RGB values (..., 3) in 0-1 of a wide gamut to BT.709 values in 0-1.

    primaries: of the gamut, by its number in `PRIMARIES`.
    """
    if transfer == "sdr":
        light = rgb**GAMMA
    elif transfer == "pq":
        light = _compressed(pq_to_nits(rgb)) / WHITE_NITS
    else:
        luminance = to_xyz(PRIMARIES[primaries])[1]
        light = _compressed(_hlg_to_nits(rgb, luminance)) / WHITE_NITS
    # What BT.709 cannot show is clipped, in linear light.
    standard_light = np.clip(light @ matrix_to_bt709(primaries).T, 0, 1)
    return np.asarray(standard_light ** (1 / GAMMA))


def pq_to_nits(values: Values) -> Values:
    """Return the light that PQ values encode, in candela per square metre (the EOTF of ST 2084)."""
    power = np.maximum(values, 0) ** (1 / PQ_M2)
    ratio = np.maximum(power - PQ_C1, 0) / (PQ_C2 - PQ_C3 * power)
    return np.asarray(PQ_PEAK_NITS * ratio ** (1 / PQ_M1))


def nits_to_pq(nits: Values) -> Values:
    """Return the PQ values of an amount of light (the inverse EOTF of ST 2084)."""
    power = (np.maximum(nits, 0) / PQ_PEAK_NITS) ** PQ_M1
    return np.asarray(((PQ_C1 + PQ_C2 * power) / (1 + PQ_C3 * power)) ** PQ_M2)


def _hlg_to_nits(values: Values, luminance: Values) -> Values:
    """Return the light that a display of PEAK_NITS shows for HLG values (ITU-R BT.2100).

    luminance: of each primary.
    """
    # Constants of the inverse OETF, and the system gamma of a display of 1000 nits, less one.
    a = 0.17883277
    b = 0.28466892
    c = 0.55991073
    gamma = 0.2
    scene = np.where(values <= 0.5, values**2 / 3, (np.exp((values - c) / a) + b) / 12)
    scene_luminance = (scene @ luminance)[..., None]
    return np.asarray(PEAK_NITS * scene_luminance**gamma * scene)


def _compressed(nits: Values) -> Values:
    """Compress highlights up to PEAK_NITS below WHITE_NITS and keep darker light and hues.

    By the curve of ITU-R BT.2390, section 5.4: a Hermite spline above the knee, in PQ.
    """
    peak = float(nits_to_pq(np.array(PEAK_NITS)))
    white = float(nits_to_pq(np.array(WHITE_NITS))) / peak
    knee = 1.5 * white - 0.5
    # All channels are scaled by what the brightest one needs, which keeps the hue.
    brightest = nits.max(axis=-1, keepdims=True)
    value = np.minimum(nits_to_pq(brightest) / peak, 1)
    t = np.maximum(value - knee, 0) / (1 - knee)
    from_knee = (2 * t**3 - 3 * t**2 + 1) * knee
    by_slope = (t**3 - 2 * t**2 + t) * (1 - knee)
    to_white = (3 * t**2 - 2 * t**3) * white
    curve = from_knee + by_slope + to_white
    target = pq_to_nits(np.where(value < knee, value, curve) * peak)
    return np.asarray(nits * (target / np.maximum(brightest, 1e-6)))


T = TypeVar("T")
# One frame for each, in the field order that it names; progressive frames pass unchanged.
DEINTERLACE = "mode=send_frame:parity=auto:deint=interlaced"
# FFmpeg's numbers of matrices and transfer functions are those of ITU-T H.273.
UNSPECIFIED = 2
BT709_MATRIX = 1
BT2020_MATRIX = 9
TRANSFERS: dict[int, Transfer] = {16: "pq", 18: "hlg"}
# Of 12 bits: with 8, dark parts of HDR would show steps.
RGB = "gbrp12le"
RGB_ALPHA = "gbrap12le"
# What a graph is built for: width, height, format and unit of the times.
Shape = tuple[int, int, str, Fraction | None]


def deinterlaced(frames: Iterable[VideoFrame]) -> Iterator[VideoFrame]:
    """Yield every frame at its time, interlaced ones deinterlaced.

    Video without interlaced frames passes unchanged.
    """
    graph: Graph | None = None
    # Of the frames that the present graph takes; without one, of those that no graph takes.
    shape = None
    for frame in frames:
        if graph is not None and shape != _shape(frame):
            # The filter holds frames back, which come first.
            yield from _pushed(graph, None)
            graph = None
        if graph is None and frame.interlaced_frame and shape != _shape(frame):
            # FFmpeg converts formats that the filter does not take, with the threads of the graph.
            graph = _graph(frame, THREADS, ("bwdif", DEINTERLACE))
            shape = _shape(frame)
        if graph is None:
            yield frame
        else:
            yield from _pushed(graph, frame)
    if graph is not None:
        yield from _pushed(graph, None)


def cropped(
    frames: Iterable[VideoFrame],
    crop: Crop,
    size: tuple[int, int],
) -> Iterator[VideoFrame]:
    """Yield every frame without the pixels at its edges that are not shown.

    size: (width, height) of the frames that the crop is of, and which it leaves a pixel; others
    pass unchanged.
    """
    width, height = crop.size_of(*size)
    graph: Graph | None = None
    shape = None
    for frame in frames:
        if (frame.width, frame.height) != size or crop == NO_CROP:
            yield frame
            continue
        if shape != _shape(frame):
            # exact: not rounded to pixels of the chroma.
            options = f"{width}:{height}:{crop.left}:{crop.top}:exact=1"
            graph = _graph(frame, THREADS, ("crop", options))
            shape = _shape(frame)
        if graph is None:
            yield frame
        else:
            yield from _pushed(graph, frame)


def in_bt709(frames: Iterable[VideoFrame], threads: int = 0) -> Iterator[VideoFrame]:
    """Yield every frame at its time; HDR (PQ, HLG) and wide gamuts as RGB with BT.709 colours.

    threads: of the filter of colours, 0 for one per core.
    """
    converter = FrameConverter()
    graph: Graph | None = None
    kind_of_graph = None
    for frame in frames:
        colours = _colours(frame)
        if colours is None:
            yield frame
            continue
        transfer, primaries = colours
        matrix = None  # the one that the frame names
        if frame.colorspace == UNSPECIFIED:
            matrix = BT2020_MATRIX if primaries == BT2020_PRIMARIES else BT709_MATRIX
        rgb_format = RGB_ALPHA if has_alpha(frame) else RGB
        rgb = converter.in_format(frame, rgb_format, matrix=matrix)
        kind = (colours, _shape(frame))
        if kind != kind_of_graph:
            # The filter reads the file of the table when the graph is made.
            with colour_table(transfer, primaries) as table:
                graph = _graph(rgb, threads, ("lut3d", f"file={table}"))
            kind_of_graph = kind
        if graph is None:
            yield frame
        else:
            yield from _pushed(graph, rgb)


def _colours(frame: VideoFrame) -> tuple[Transfer, int] | None:
    """Return the transfer function and primaries of colours that need conversion, else None."""
    primaries = int(frame.color_primaries)
    is_wide = primaries in PRIMARIES
    if frame.color_trc in TRANSFERS:
        if not is_wide:
            # HDR video has the gamut of BT.2020 unless it names another one.
            primaries = BT2020_PRIMARIES
        return TRANSFERS[frame.color_trc], primaries
    if is_wide:
        return "sdr", primaries
    return None


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


# A pixel aspect is measured in parts of this; it divides by the numbers of all usual ones.
ASPECT_STEPS = 720
CORNER_WIDENED = (
    ("crop", "2:2:0:0"),
    ("scale", f"w='clip(round(sar*{ASPECT_STEPS}),1,65535)':h=2:eval=frame:flags=neighbor"),
)


class AspectMeter:
    """Measures the pixel aspect of decoded frames, which PyAV does not name: FFmpeg widens a corner
    by it.

    The decoder names only that of the newest packet, which may belong to a frame that is shown
    later.
    """

    def __init__(self) -> None:
        self._graph: Graph | None = None
        self._shape: Shape | None = None

    def aspect_of(self, frame: VideoFrame) -> float | None:
        """Return the width of a pixel over its height, 1 where none is named; None where it
        cannot be measured.
        """
        if self._shape != _shape(frame):
            self._graph = _graph(frame, THREADS, *CORNER_WIDENED)
            self._shape = _shape(frame)
        if self._graph is None:
            return None
        for corner in _pushed(self._graph, frame):
            return corner.width / ASPECT_STEPS
        return None


BgraImage = NDArray[np.uint8]
"""(height, width, 4): blue, green, red and alpha."""
BLACK = (0, 0, 0)
# From here on a film keeps the colours of a pixel; below, those of its surroundings count as well.
SURE_ALPHA = 8


def has_alpha(frame: VideoFrame) -> bool:
    """Return whether the format of a frame has alpha."""
    return any(component.is_alpha for component in frame.format.components)


def over_colour(
    frame: VideoFrame,
    converter: FrameConverter,
    matrix: int | None,
    colour: tuple[int, int, int] = BLACK,
) -> VideoFrame:
    """Return a frame with a colour behind its transparent parts; one without alpha as it is.

    matrix: that of its YUV; None for the one that the frame names. The result has no side data.
    """
    if not has_alpha(frame):
        return frame
    image = np.asarray(converter.in_format(frame, "bgra", matrix=matrix).to_ndarray(), np.uint8)
    shown = premultiplied(image[..., :3], image[..., 3])
    if any(colour):
        behind = premultiplied(np.full_like(shown, colour), 255 - image[..., 3])
        shown = np.asarray(cv2.add(shown, behind), np.uint8)
    return VideoFrame.from_ndarray(shown, "bgr24")


def premultiplied(foreground: BgrImage, alpha: AlphaImage) -> BgrImage:
    """Return the foreground over black: foreground * alpha / 255, rounded.

    Exactly black where alpha is 0. The foreground that a network estimates is defined only where
    alpha is above 0. Elsewhere it still holds the frame with altered colours, so that writing it as
    it is would write the background of the user.
    foreground: (height, width, 3) uint8 BGR. alpha: (height, width) uint8.
    """
    weights = cv2.cvtColor(alpha, cv2.COLOR_GRAY2BGR)
    return np.asarray(cv2.multiply(foreground, weights, scale=1 / 255), np.uint8)


def straight(premultiplied: BgrImage, alpha: AlphaImage) -> BgrImage:
    """Return the colours of premultiplied ones, and black where alpha is 0.

    They tell no more of what lies behind a faint pixel than the picture over black does.
    """
    weights = cv2.cvtColor(alpha, cv2.COLOR_GRAY2BGR)
    return np.asarray(cv2.divide(premultiplied, weights, scale=255), np.uint8)


def resampled(image: BgraImage, change: Callable[[BgraImage], BgraImage]) -> BgraImage:
    """Return what `change`, which averages neighbouring pixels, makes of an image.

    Colours with alpha, which is straight, are premultiplied meanwhile: those of transparent pixels
    mean nothing, and would darken the edge. image: (H, W), (H, W, 3) or (H, W, 4), uint8.
    """
    if image.ndim == 2 or image.shape[2] == 3:
        return change(image)
    alpha = change(np.ascontiguousarray(image[..., 3]))
    colours = change(premultiplied(image[..., :3], image[..., 3]))
    return np.dstack([straight(colours, alpha), alpha])


def letterboxed(image: BgraImage, width: int, height: int) -> BgraImage:
    """Return the picture scaled to fit inside the size and centred on black, which is transparent
    in one with alpha.
    """
    if image.shape[:2] == (height, width):
        return image
    return resampled(image, lambda each: geometry.letterbox(each, width, height))


def extended(image: BgraImage) -> BgraImage:
    """Return the picture with the colours of its opaque parts continued into the transparent ones.

    Codecs of video mix the colours of neighbours, so that black beside the person would darken the
    edge.
    """
    own_colours = image[..., :3]
    alpha = image[..., 3].astype(np.float32)
    sure = np.maximum(alpha - SURE_ALPHA, 0) * np.float32(1 / (255 - SURE_ALPHA))
    continued = _continued(np.dstack([own_colours * sure[..., None], sure]))
    own_share = np.minimum(alpha * np.float32(1 / SURE_ALPHA), 1)[..., None]
    mixed = own_colours * own_share + continued[..., :3] * (1 - own_share)
    return np.dstack([np.rint(mixed).clip(0, 255).astype(np.uint8), image[..., 3]])


def _continued(weighted: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the colours of weighted ones; where the weight is below 1, also those around.

    weighted: (H, W, 4) with the weight last. Each halving reaches twice as far (pull-push).
    """
    height, width = weighted.shape[:2]
    weight = weighted[..., 3:]
    if max(height, width) <= 1:
        return np.asarray(weighted / np.maximum(weight, np.float32(1e-6)), np.float32)
    half_size = ((width + 1) // 2, (height + 1) // 2)
    half = np.asarray(cv2.resize(weighted, half_size, interpolation=cv2.INTER_AREA), np.float32)
    around = cv2.resize(_continued(half), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(weighted + (1 - weight) * around, np.float32)


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

    def in_format(
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
