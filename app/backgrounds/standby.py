"""The stand-by card: shown at the start, while paused, and after a failure."""

from __future__ import annotations

import textwrap
from pathlib import Path

import cv2
import numpy as np

from app.backgrounds.lettering import JOINERS, lettering_of
from app.core import geometry
from app.core.types import BgrImage
from app.media.image_file import read_image

_LINE_HEIGHT = 1.4
_SMALLEST_PX = 7


class TextBlock:
    """A text wrapped into a box, in the largest font size up to a limit."""

    def __init__(self, text: str, width: int, height: int, largest_px: int) -> None:
        """width, height: the box in pixels. largest_px: upper limit of the font size."""
        clean = text.encode("utf-8", "replace").decode("utf-8")
        paragraphs = ["".join(map(_printed, line)) for line in clean.split("\n")]
        self._lettering = lettering_of("\n".join(paragraphs))
        self.size_px = max(_SMALLEST_PX, largest_px)
        self.lines = self._broken(paragraphs, width)
        while self.size_px > _SMALLEST_PX and self.height > height:
            self.size_px = max(_SMALLEST_PX, int(self.size_px * 0.9))
            self.lines = self._broken(paragraphs, width)

    @property
    def height(self) -> int:
        """Height of all lines, in pixels."""
        return round(len(self.lines) * self.size_px * _LINE_HEIGHT)

    def draw(self, image: BgrImage, centre_x: int, top: int, colour: tuple[int, int, int]) -> None:
        """Draw into `image`; colour: blue, green, red."""
        for number, line in enumerate(self.lines):
            baseline = top + round((number + 0.5) * self.size_px * _LINE_HEIGHT + self.size_px * 0.35)
            left = centre_x - self._width(line) // 2
            self._lettering.draw(image, line, left, baseline, self.size_px, colour)

    def _width(self, line: str) -> int:
        return self._lettering.width(line, self.size_px)

    def _broken(self, paragraphs: list[str], width: int) -> list[str]:
        """Return the lines of all paragraphs, each with as many letters as make no line too wide."""
        lines: list[str] = []
        for paragraph in paragraphs:
            letters, broken = len(paragraph), [paragraph]
            while letters > 1 and (widest := max(map(self._width, broken))) > width:
                letters = max(1, min(letters - 1, letters * width // widest))
                broken = textwrap.wrap(paragraph, letters) or [""]
            lines += broken
        return lines


def _printed(letter: str) -> str:
    """Return a letter, or a space for one that cannot be printed."""
    return letter if letter.isprintable() or letter in JOINERS else " "


DEFAULT_TEXT = "One moment, please"
NO_CAMERA_TEXT = "No camera"

_TOP, _BOTTOM = (84, 58, 44), (46, 28, 22)
"""Colours of the gradient: blue, green, red."""
_GLOW = (112, 86, 62)
_RING, _FIGURE, _TEXT = (176, 148, 118), (150, 122, 94), (240, 234, 228)
_FINER = 4
"""Supersampling factor of the figure."""


def draw_card(text: str, image_path: Path | None, width: int, height: int) -> BgrImage:
    """Draw a card without camera content, (height, width, 3): the user's image, or a figure on a gradient, with a text.

    text: empty for the default text, or for no text with an image. Raises BackgroundError if the image cannot be read.
    """
    text = text.strip() or ("" if image_path else DEFAULT_TEXT)
    block = TextBlock(text, round(width * 0.8), round(height * 0.3), min(width // 20, height // 14))
    if image_path is not None:
        card = geometry.fill(read_image(image_path), width, height).copy()
        if text:
            top = height - block.height - round(height * 0.08)
            # Darker towards the bottom, so that light text is legible on any image.
            rows = np.arange(height, dtype=np.float32)[:, None, None]
            below = ((rows - top + block.size_px) / (block.size_px * 2)).clip(0, 1)
            card[:] = (card * (1 - 0.65 * below)).astype(np.uint8)
            block.draw(card, width // 2, top, _TEXT)
        return card
    card = _gradient(width, height)
    side = max(8, round(min(width, height) * 0.34))
    gap = round(side * 0.18)
    top = max(0, (height - side - gap - block.height) // 2)
    _draw_figure(card, (width - side) // 2, top, side)
    block.draw(card, width // 2, top + side + gap, _TEXT)
    return card


def _gradient(width: int, height: int) -> BgrImage:
    """Return a dark vertical gradient with a glow behind the figure, dithered against banding in coded video."""
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    across = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None]
    distance = np.hypot(across, (down - 0.4) * 2)
    glow = np.exp(-1.8 * distance**2) * 0.55
    first, last, light = (np.array(colour, np.float32) for colour in (_TOP, _BOTTOM, _GLOW))
    colours = (first * (1 - down) + last * down) * (1 - glow) + light * glow
    colours += np.random.default_rng(0).random((height, width, 1), np.float32) - 0.5
    picture: BgrImage = np.rint(colours, out=colours).clip(0, 255, out=colours).astype(np.uint8)
    return picture


def _draw_figure(card: BgrImage, left: int, top: int, side: int) -> None:
    """Draw a head and shoulders inside a ring. side: the ring's diameter in pixels."""
    size = side * _FINER
    middle = size // 2
    ring = np.zeros((size, size), np.uint8)
    figure = np.zeros_like(ring)
    cv2.circle(figure, (middle, round(size * 0.40)), round(size * 0.155), 255, -1)
    cv2.ellipse(figure, (middle, size), (round(size * 0.31), round(size * 0.39)), 0, 180, 360, 255, -1)
    inside = np.zeros_like(ring)
    cv2.circle(inside, (middle, middle), round(size * 0.445), 255, -1)
    cv2.circle(ring, (middle, middle), round(size * 0.485), 255, max(1, round(size * 0.018)))
    area = card[top : top + side, left : left + side]
    for mask, colour in ((figure & inside, _FIGURE), (ring, _RING)):
        smooth = cv2.resize(mask, (side, side), interpolation=cv2.INTER_AREA)
        weight = smooth[: area.shape[0], : area.shape[1], None] / 255
        area[:] = np.rint(area * (1 - weight) + np.array(colour) * weight)
