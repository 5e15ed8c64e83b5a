"""Camera degradation: exposure, colour, blur, noise, compression.

Images are uint8 (H, W, 3) RGB.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from importlib.util import find_spec
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import av

Pixels = npt.NDArray[np.uint8]
Rng = np.random.Generator

_NOISE_BANK = np.random.default_rng(0).standard_normal((600, 800, 3)).astype(np.float32)
_GREY = np.full((3, 3), 1 / 3)
_TURN = 0.35
"""Standard deviation of the turn of the hues, in radians."""
_SATURATION = 0.4
"""Standard deviation of the logarithm of the saturation."""
_LEVELS = np.arange(256, dtype=np.float32) / 255


@dataclass(frozen=True)
class Tone:
    """A change of exposure and colour as a look-up table: (256, 1, 3) uint8."""

    table: Pixels

    def __call__(self, image: Pixels) -> Pixels:
        """Return the image with this tone."""
        return np.asarray(cv2.LUT(image, self.table), np.uint8)


@dataclass(frozen=True)
class ToneRange:
    """Range of tones: standard deviations of the logarithms of gain, gamma and colour gains, and of
    the offset.
    """

    gain: float = 0.15
    gamma: float = 0.16
    colour: float = 0.05
    offset: float = 0.03


def random_tone(rng: Rng, spread: ToneRange) -> Tone:
    """Return a random exposure, contrast and white balance."""
    gamma = np.exp(rng.normal(0, spread.gamma))
    gains = np.exp(rng.normal(0, spread.gain) + rng.normal(0, spread.colour, 3))
    table = (_LEVELS[:, None] ** gamma) * gains + rng.normal(0, spread.offset)
    return Tone(np.rint(np.clip(table, 0, 1) * 255).astype(np.uint8)[:, None])


@dataclass(frozen=True)
class Dye:
    """Other hues and another saturation, with the same brightness: a matrix (3, 3) for RGB."""

    matrix: npt.NDArray[np.float32]

    def __call__(self, image: Pixels) -> Pixels:
        """Return the image in these colours."""
        return np.asarray(cv2.transform(image, self.matrix), np.uint8)


def random_dye(rng: Rng) -> Dye:
    """Return a random turn of the hues and change of the saturation: clothes and rooms of other
    colours.
    """
    turn, saturation = rng.normal(0, _TURN), np.exp(rng.normal(0, _SATURATION))
    chroma = np.eye(3) - _GREY
    # Rodrigues' formula for a rotation about the grey axis.
    across = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
    turned = (np.cos(turn) * np.eye(3) + np.sin(turn) * across) @ chroma
    return Dye((_GREY + saturation * turned).astype(np.float32))


@dataclass(frozen=True)
class Camera:
    """Degradation parameters of one camera; zero disables a part."""

    tone: Tone
    flicker: float
    """Standard deviation of the exposure from frame to frame, in levels of 255."""
    noise: float
    """Standard deviation of the sensor's noise, in levels of 255."""
    blur: float
    """Sigma of the lens' blur, in pixels."""
    smear: tuple[float, float]
    """Motion during the exposure, in pixels (x, y)."""
    shrink: float
    """Factor by which the image is downscaled and upscaled again."""
    jpeg: int
    """JPEG quality, 0 for none."""
    grey: bool
    h264: int
    """Constant rate factor of H.264, 0 for none; sequences only."""

    def tone_of(self, image: Pixels) -> Pixels:
        """Return the image with the camera's exposure and colour only, for the reference
        foreground.
        """
        image = self.tone(image)
        if self.grey:
            image = cv2.cvtColor(
                cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB
            ).astype(np.uint8)
        return image

    def picture(self, image: Pixels, rng: Rng) -> Pixels:
        """Return the image as this camera delivers it."""
        image = self.tone_of(image)
        height, width = image.shape[:2]
        if self.shrink < 1:
            small = (max(8, round(width * self.shrink)), max(8, round(height * self.shrink)))
            image = cv2.resize(
                cv2.resize(image, small, interpolation=cv2.INTER_AREA), (width, height)
            ).astype(np.uint8)
        if self.blur > 0:
            image = cv2.GaussianBlur(image, (0, 0), self.blur).astype(np.uint8)
        if self.smear != (0.0, 0.0):
            image = cv2.filter2D(image, -1, _line(self.smear)).astype(np.uint8)
        if self.noise > 0 or self.flicker > 0:
            y, x = rng.integers(0, 600 - height + 1), rng.integers(0, 800 - width + 1)
            noise = _NOISE_BANK[y : y + height, x : x + width] * self.noise
            shifted = image + noise + rng.normal(0, self.flicker)
            image = np.clip(shifted, 0, 255).astype(np.uint8)
        if self.jpeg:
            _, code = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, self.jpeg])
            image = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.uint8)
        return image


FLAWLESS = Camera(
    tone=Tone(np.arange(256, dtype=np.uint8)[:, None, None].repeat(3, 2)),
    flicker=0,
    noise=0,
    blur=0,
    smear=(0, 0),
    shrink=1,
    jpeg=0,
    grey=False,
    h264=0,
)
"""A camera without degradation."""


def through_h264(images: list[Pixels], crf: int) -> list[Pixels]:
    """Return frames, uint8 (H, W, 3) with even sides, after H.264 compression at this constant rate
    factor.

    Without PyAV the frames are returned as they are.
    """
    if find_spec("av") is None:
        return images
    import av

    height, width = images[0].shape[:2]
    encoder = av.VideoCodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 30), Fraction(30)
    encoder.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "crf": str(crf),
        "threads": "1",
    }
    decoder = av.VideoCodecContext.create("h264", "r")
    decoded: list[Pixels] = []
    frames: list[av.VideoFrame | None] = [
        av.VideoFrame.from_ndarray(image, format="rgb24") for image in images
    ]
    for frame in [*frames, None]:
        for packet in encoder.encode(frame):
            decoded.extend(_pixels(f) for f in decoder.decode(packet))
    decoded.extend(_pixels(f) for f in decoder.decode(None))
    return decoded


def _pixels(frame: av.VideoFrame) -> Pixels:
    return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def _line(smear: tuple[float, float]) -> npt.NDArray[np.float32]:
    """Return the kernel of linear motion blur."""
    reach = int(np.ceil(max(abs(smear[0]), abs(smear[1])) / 2)) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    ends = [
        (round(16 * (reach + sign * smear[0] / 2)), round(16 * (reach + sign * smear[1] / 2)))
        for sign in (-1, 1)
    ]
    cv2.line(kernel, ends[0], ends[1], (1.0,), 1, cv2.LINE_AA, 4)
    return np.asarray(kernel / kernel.sum(), np.float32)


def random_camera(rng: Rng) -> Camera:
    """Return a random camera between flawless and bad; one in seventeen is in low light."""
    dark = rng.random() < 0.06
    spread = ToneRange()
    tone = random_tone(rng, spread)
    if dark:
        darkening = np.rint(255 * _LEVELS ** rng.uniform(1.0, 1.5) * rng.uniform(0.25, 0.6)).astype(
            np.uint8
        )
        tone = Tone(darkening[tone.table])
    noise = rng.uniform(4, 14) if dark else abs(rng.normal(0, 5)) * (rng.random() < 0.5)
    return Camera(
        tone=tone,
        flicker=abs(rng.normal(0, 2)) * (rng.random() < 0.3),
        noise=float(noise),
        blur=rng.uniform(0.4, 1.2) if rng.random() < 0.15 else 0.0,
        smear=(rng.normal(0, 3), rng.normal(0, 1.5)) if rng.random() < 0.08 else (0.0, 0.0),
        shrink=rng.uniform(0.35, 0.8) if rng.random() < 0.08 else 1.0,
        jpeg=int(rng.integers(25, 90)) if rng.random() < 0.25 else 0,
        grey=bool(rng.random() < 0.03),
        h264=int(rng.integers(26, 40)) if rng.random() < 0.15 else 0,
    )
