"""Centred text in any script, drawn into an image with OpenCV's built-in font (Rubik, SIL Open Font License)."""

from __future__ import annotations

import cv2

from app.core.types import BgrImage

_WEIGHT = 400
_LINE_HEIGHT = 1.4
_SMALLEST_PX = 7


class TextBlock:
    """A text wrapped into a box, in the largest font size up to a limit."""

    def __init__(self, text: str, width: int, height: int, largest_px: int) -> None:
        """width, height: the box in pixels. largest_px: upper limit of the font size."""
        self._font = cv2.FontFace("sans")
        clean = text.encode("utf-8", "replace").decode("utf-8")
        paragraphs = ["".join(c if c.isprintable() else " " for c in line) for line in clean.split("\n")]
        self.size_px = max(_SMALLEST_PX, largest_px)
        self.lines = self._broken(paragraphs, width)
        while self.size_px > _SMALLEST_PX and self.height > height:
            self.size_px = max(_SMALLEST_PX, int(self.size_px * 0.9))
            self.lines = self._broken(paragraphs, width)

    @property
    def height(self) -> int:
        """Height of all lines, in pixels."""
        return round(len(self.lines) * self.size_px * _LINE_HEIGHT)

    @property
    def width(self) -> int:
        """Width of the longest line, in pixels."""
        return max((self._width(line) for line in self.lines), default=0)

    def draw(self, image: BgrImage, centre_x: int, top: int, colour: tuple[int, int, int]) -> None:
        """Draw into `image`; colour: blue, green, red."""
        for number, line in enumerate(self.lines):
            baseline = top + round((number + 0.5) * self.size_px * _LINE_HEIGHT + self.size_px * 0.35)
            start = centre_x - self._width(line) // 2, baseline
            cv2.putText(image, line, start, colour, self._font, self.size_px, _WEIGHT)

    def _width(self, line: str) -> int:
        # a wide range for wrapping: OpenCV would break the line at the edge of the image
        return int(cv2.getTextSize((0, 0), line, (0, 0), self._font, self.size_px, _WEIGHT, 0, (0, 1 << 20))[2])

    def _broken(self, paragraphs: list[str], width: int) -> list[str]:
        lines: list[str] = []
        for paragraph in paragraphs:
            line = ""
            for word in paragraph.split():
                longer = f"{line} {word}" if line else word
                if self._width(longer) <= width:
                    line = longer
                    continue
                if line:
                    lines.append(line)
                *full, line = self._pieces(word, width)
                lines += full
            lines.append(line)
        return lines

    def _pieces(self, word: str, width: int) -> list[str]:
        """Split a word that is longer than a line."""
        pieces = [""]
        for letter in word:
            if pieces[-1] and self._width(pieces[-1] + letter) > width:
                pieces.append("")
            pieces[-1] += letter
        return pieces
