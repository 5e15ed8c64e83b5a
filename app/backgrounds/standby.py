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
        printable = "".join(map(_printed_letter, clean))
        paragraphs = printable.split("\n")
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
            middle = (number + 0.5) * self.size_px * _LINE_HEIGHT
            baseline = top + round(middle + self.size_px * 0.35)
            left = centre_x - self._width(line) // 2
            self._lettering.draw(image, line, left, baseline, self.size_px, colour)

    def _width(self, line: str) -> int:
        return self._lettering.width(line, self.size_px)

    def _broken(self, paragraphs: list[str], width: int) -> list[str]:
        """Return the lines of all paragraphs, as long as the width permits."""
        lines: list[str] = []
        for paragraph in paragraphs:
            letters = len(paragraph)
            broken = [paragraph]
            while letters > 1:
                widest = max(map(self._width, broken))
                if widest <= width:
                    break
                # As many as fit if all letters are as wide as those, but fewer each time.
                letters = max(1, min(letters - 1, letters * width // widest))
                broken = textwrap.wrap(paragraph, letters) or [""]
            lines += broken
        return lines


def _printed_letter(letter: str) -> str:
    """Return a letter, or a space for one that cannot be printed."""
    if letter == "\n" or letter.isprintable() or letter in JOINERS:
        return letter
    return " "


DEFAULT_TEXT = "One moment, please"
NO_CAMERA_TEXT = "No camera"

# Colours of the gradient: blue, green, red.
_TOP = (84, 58, 44)
_BOTTOM = (46, 28, 22)
_GLOW = (112, 86, 62)
_RING = (176, 148, 118)
_FIGURE = (150, 122, 94)
_TEXT = (240, 234, 228)
# The figure is drawn so many times as large, and scaled down: its edges become smooth.
_SUPERSAMPLING = 4


def draw_card(text: str, image_path: Path | None, width: int, height: int) -> BgrImage:
    """Draw a card without camera content, (height, width, 3): the user's image, or a figure on a
    gradient, with a text.

    text: empty for the default text, or for no text with an image. Raises BackgroundError if the
    image cannot be read.
    """
    text = text.strip()
    if not text and image_path is None:
        text = DEFAULT_TEXT
    largest_px = min(width // 20, height // 14)
    block = TextBlock(text, round(width * 0.8), round(height * 0.3), largest_px)
    if image_path is not None:
        card = geometry.fill(read_image(image_path), width, height).copy()
        if text:
            _draw_below(card, block)
        return card
    card = _gradient(width, height)
    side = max(8, round(min(width, height) * 0.34))
    gap = round(side * 0.18)
    top = max(0, (height - side - gap - block.height) // 2)
    _draw_figure(card, (width - side) // 2, top, side)
    block.draw(card, width // 2, top + side + gap, _TEXT)
    return card


def _draw_below(card: BgrImage, block: TextBlock) -> None:
    """Draw a text at the bottom of an image, which is darkened there: it is legible on any."""
    height, width = card.shape[:2]
    top = height - block.height - round(height * 0.08)
    rows = np.arange(height, dtype=np.float32)[:, None, None]
    darkening = ((rows - top + block.size_px) / (block.size_px * 2)).clip(0, 1)
    card[:] = (card * (1 - 0.65 * darkening)).astype(np.uint8)
    block.draw(card, width // 2, top, _TEXT)


def _gradient(width: int, height: int) -> BgrImage:
    """Return a dark vertical gradient with a glow behind the figure.

    It is dithered against banding in coded video.
    """
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    across = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None]
    distance = np.hypot(across, (down - 0.4) * 2)
    glow = np.exp(-1.8 * distance**2) * 0.55
    gradient = np.array(_TOP, np.float32) * (1 - down) + np.array(_BOTTOM, np.float32) * down
    colours = gradient * (1 - glow) + np.array(_GLOW, np.float32) * glow
    colours += np.random.default_rng(0).random((height, width, 1), np.float32) - 0.5
    picture: BgrImage = np.rint(colours, out=colours).clip(0, 255, out=colours).astype(np.uint8)
    return picture


def _draw_figure(card: BgrImage, left: int, top: int, side: int) -> None:
    """Draw a head and shoulders inside a ring. side: the ring's diameter in pixels."""
    size = side * _SUPERSAMPLING
    middle = size // 2
    figure = np.zeros((size, size), np.uint8)
    head = (middle, round(size * 0.40))
    cv2.circle(figure, head, round(size * 0.155), 255, -1)
    shoulders = (round(size * 0.31), round(size * 0.39))
    cv2.ellipse(figure, (middle, size), shoulders, 0, 180, 360, 255, -1)
    inside = np.zeros_like(figure)
    cv2.circle(inside, (middle, middle), round(size * 0.445), 255, -1)
    ring = np.zeros_like(figure)
    line_width = max(1, round(size * 0.018))
    cv2.circle(ring, (middle, middle), round(size * 0.485), 255, line_width)
    area = card[top : top + side, left : left + side]
    for mask, colour in ((figure & inside, _FIGURE), (ring, _RING)):
        smooth = cv2.resize(mask, (side, side), interpolation=cv2.INTER_AREA)
        weight = smooth[: area.shape[0], : area.shape[1], None] / 255
        area[:] = np.rint(area * (1 - weight) + np.array(colour) * weight)
