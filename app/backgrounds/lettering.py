"""Letters of any script, drawn without a display: OpenCV's own font, or fonts of the system with shaping by Pillow.

OpenCV draws Latin, Greek, Cyrillic and Chinese, Japanese and Korean letters on any computer, but neither joins Arabic
letters nor turns right-to-left lines. Those, Indic and Thai letters, and emoji are drawn with fonts of the system.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple, Protocol

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont, features

from app.core.errors import Text, t
from app.core.types import BgrImage

Colour = tuple[int, int, int]
"""Blue, green, red."""
_WEIGHT = 400
JOINERS = "\u200c\u200d"
"""They join and part letters, and make one emoji of several; they have no shape of their own."""
_VARIATION = "\ufe0e\ufe0f"
_EMOJI = range(0x1F000, 0x1FB00)
_RIGHT_TO_LEFT = ("R", "AL")
_MEASURED_PX = 100
"""Size at which lines are measured: their width grows with the size."""
_BITMAP_PX = 109
"""The one size of colour emoji that are stored as bitmaps, as in Noto Color Emoji."""
_MATCH_TIMEOUT_S = 10
_KNOWN_FONTS: dict[str, tuple[str, ...]] = {
    "win32": ("segoeui.ttf", "Nirmala.ttc", "Nirmala.ttf", "LeelawUI.ttf", "seguiemj.ttf", "seguisym.ttf"),
    "darwin": ("Supplemental/Arial Unicode.ttf", "Apple Color Emoji.ttc"),
}
"""Files in the folder of fonts of systems without fontconfig, of which together have most scripts."""
_FOLDERS = {"win32": Path("C:/Windows/Fonts"), "darwin": Path("/System/Library/Fonts")}


class Lettering(Protocol):
    """Measures and draws lines of one text."""

    def width(self, line: str, size_px: int) -> int:
        """Return the width of a line in pixels."""

    def draw(self, image: BgrImage, line: str, left: int, baseline: int, size_px: int, colour: Colour) -> None:
        """Draw a line into an image."""


def lettering_of(text: str) -> Lettering:
    """Return what draws the lines of a text."""
    return _BuiltIn() if all(map(_is_built_in, text)) else _Shaped(text)


def missing_letters(text: str) -> Text | None:
    """Return the sentence that names the letters of a stand-by text that nothing on this computer can draw."""
    letters = unicodedata.normalize("NFC", text)
    if all(map(_is_built_in, letters)):
        return None
    fonts = _fonts_for(letters)
    missing = dict.fromkeys(
        letter
        for letter in letters
        if _is_visible(letter) and not _is_built_in(letter) and _font_of(letter, fonts) is None
    )
    if not missing:
        return None
    return t(
        "No font of this computer has the letters {letters} of the stand-by text; install one or leave them out.",
        letters=" ".join(missing),
    )


class _BuiltIn:
    """Draws with the font inside OpenCV, letter by letter from left to right."""

    def __init__(self) -> None:
        self._font = cv2.FontFace("sans")

    def width(self, line: str, size_px: int) -> int:
        # a wide range for wrapping: OpenCV would break the line at the edge of the image
        return int(cv2.getTextSize((0, 0), line, (0, 0), self._font, size_px, _WEIGHT, 0, (0, 1 << 20))[2])

    def draw(self, image: BgrImage, line: str, left: int, baseline: int, size_px: int, colour: Colour) -> None:
        cv2.putText(image, line, (left, baseline), colour, self._font, size_px, _WEIGHT)


@cache
def _is_built_in(letter: str) -> bool:
    """Return whether OpenCV draws a letter right, without regard to those beside it."""
    if letter in "\n ?":
        return True
    if letter in JOINERS + _VARIATION or _needs_shaping(letter):
        return False
    return not np.array_equal(_drawn_by_opencv(letter), _drawn_by_opencv("?"))  # as it draws what it lacks


def _drawn_by_opencv(letter: str) -> BgrImage:
    size_px = 32
    image = np.zeros((2 * size_px, 3 * size_px, 3), np.uint8)
    _BuiltIn().draw(image, letter, size_px, round(1.5 * size_px), size_px, (255, 255, 255))
    return image


def _needs_shaping(letter: str) -> bool:
    """Return whether the shape or place of a letter depends on others: right to left, or a sign on another letter."""
    is_sign = unicodedata.category(letter) in ("Mn", "Mc") and letter not in _VARIATION
    return is_sign or unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT


def _is_visible(letter: str) -> bool:
    return letter not in JOINERS + _VARIATION and not letter.isspace()


class _Font(NamedTuple):
    """A font of the system at the size in which it is measured and drawn."""

    loaded: ImageFont.FreeTypeFont
    size_px: int
    """`_MEASURED_PX`, or the only one it has."""

    def has(self, letter: str) -> bool:
        """Return whether the font has a letter: what it lacks is drawn as the same box as a code point of nobody."""
        drawn, missing = self._bits(letter), self._bits("\U0010fffe")
        return bool(drawn) and drawn != missing

    def _bits(self, letter: str) -> bytes:
        """Return the pixels of a letter; empty where it has none."""
        sheet = Image.new("RGBA", (3 * self.size_px, 3 * self.size_px))
        place = (self.size_px, 2 * self.size_px)
        ImageDraw.Draw(sheet).text(place, letter, "white", self.loaded, anchor="ls", embedded_color=True)
        return sheet.tobytes() if sheet.getbbox() is not None else b""

    def sized(self, size_px: int) -> _Font:
        """Return the font at a size, if it has more than one."""
        return self if self.size_px == _BITMAP_PX else _Font(self.loaded.font_variant(size=size_px), size_px)


@cache
def _load(path: str) -> _Font | None:
    with contextlib.suppress(OSError):
        return _Font(ImageFont.truetype(path, _MEASURED_PX), _MEASURED_PX)
    with contextlib.suppress(OSError):  # another format
        return _Font(ImageFont.truetype(path, _BITMAP_PX), _BITMAP_PX)
    return None


def _fonts_for(text: str) -> tuple[_Font, ...]:
    """Return fonts that together have the letters of a text, as far as this computer has them."""
    letters = frozenset(filter(_is_visible, text))
    if not features.check("raqm"):  # Pillow without it draws letters side by side, as OpenCV does
        letters = frozenset(letter for letter in letters if not _needs_shaping(letter))
    return _search_fonts(letters)


@cache
def _search_fonts(letters: frozenset[str]) -> tuple[_Font, ...]:
    emoji = frozenset(filter(_is_emoji, letters))
    return (*_covering("sans", letters - emoji), *_covering("emoji", emoji))


def _covering(family: str, letters: frozenset[str]) -> list[_Font]:
    """Return as few fonts as have some letters, of those that the system proposes for them."""
    fonts: list[_Font] = []
    left = set(letters)
    proposed = _proposed_files(family, letters) if left else []
    for path in proposed:
        if not left:
            break
        font = _load(path)
        found = {letter for letter in left if font is not None and font.has(letter)}
        if font is not None and found:
            fonts.append(font)
            left -= found
    return fonts


def _is_emoji(letter: str) -> bool:
    is_symbol = unicodedata.category(letter) in ("So", "Sk") and not _is_built_in(letter)
    return ord(letter) in _EMOJI or is_symbol


def _proposed_files(family: str, letters: frozenset[str]) -> Sequence[str]:
    """Return files of fonts, the best for some letters first."""
    if sys.platform in _KNOWN_FONTS:
        return [str(_FOLDERS[sys.platform] / name) for name in _KNOWN_FONTS[sys.platform]]
    matcher = shutil.which("fc-match")
    if matcher is None:
        return []
    code_points = " ".join(f"{ord(letter):x}" for letter in sorted(letters))
    # Sorted, it also lists the fonts for letters that the first one lacks.
    line = [matcher, "--sort", "--format", "%{file}\n", f"{family}:charset={code_points}"]
    try:
        done = subprocess.run(line, capture_output=True, text=True, timeout=_MATCH_TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return done.stdout.splitlines()


def _font_of(letter: str, fonts: Sequence[_Font]) -> _Font | None:
    if _needs_shaping(letter) and not features.check("raqm"):
        return None
    return next((font for font in fonts if font.has(letter)), None)


class _Shaped:
    """Draws with fonts of the system: runs of letters of one font, in the order in which they are read."""

    def __init__(self, text: str) -> None:
        self._fonts = _fonts_for(unicodedata.normalize("NFC", text))
        self._built_in = _BuiltIn()

    def width(self, line: str, size_px: int) -> int:
        direction = _direction_of(line)
        return sum(self._width_of(run, font, direction, size_px) for run, font in self._runs(line))

    def draw(self, image: BgrImage, line: str, left: int, baseline: int, size_px: int, colour: Colour) -> None:
        direction = _direction_of(line)
        runs = self._runs(line)
        if direction == "rtl":
            runs.reverse()
        for run, font in runs:
            if font is None:
                self._built_in.draw(image, run, left, baseline, size_px, colour)
            else:
                _draw_run(image, run, font.sized(size_px), direction, left, baseline, size_px, colour)
            left += self._width_of(run, font, direction, size_px)

    def _width_of(self, run: str, font: _Font | None, direction: str, size_px: int) -> int:
        if font is None:
            return self._built_in.width(run, size_px)
        return round(_length(run, font, direction) * size_px / font.size_px)

    def _runs(self, line: str) -> list[tuple[str, _Font | None]]:
        """Return the parts of a line with their fonts, None for OpenCV's, without letters that neither has."""
        runs: list[tuple[str, _Font | None]] = []
        font: _Font | None
        for letter in unicodedata.normalize("NFC", line):
            before = runs[-1][1] if runs else None
            after_emoji = before is not None and before.size_px == _BITMAP_PX
            if letter in _VARIATION and not after_emoji:
                continue
            if letter.isspace() and after_emoji:  # which are twice as wide there
                font = self._fonts[0]
            elif _is_visible(letter) or not runs:
                font = self._preferred(letter, before)
            else:
                font = before
            if font is None and not _is_built_in(letter):
                continue
            if runs and font is before:
                runs[-1] = runs[-1][0] + letter, font
            else:
                runs.append((letter, font))
        return runs

    def _preferred(self, letter: str, before: _Font | None) -> _Font | None:
        """Return the font of a letter: the one of the letter before it, so that marks and digits join their word."""
        if before is not None and before.has(letter) and (before.size_px != _BITMAP_PX or _is_emoji(letter)):
            return before
        return _font_of(letter, self._fonts)


def _direction_of(line: str) -> str:
    """Return the direction of a line: that of its first letter."""
    strong = (unicodedata.bidirectional(letter) for letter in line)
    first = next((each for each in strong if each in ("L", *_RIGHT_TO_LEFT)), "L")
    return "ltr" if first == "L" else "rtl"


def _length(run: str, font: _Font, direction: str) -> float:
    return font.loaded.getlength(run, direction=direction if features.check("raqm") else None)


def _draw_run(
    image: BgrImage, run: str, font: _Font, direction: str, left: int, baseline: int, size_px: int, colour: Colour
) -> None:
    """Blend a run of letters into an image."""
    ascent, descent = font.loaded.getmetrics()
    margin = font.size_px  # signs reach beyond the letter that they stand on
    width = round(_length(run, font, direction)) + 2 * margin
    sheet = Image.new("RGBA", (width, ascent + descent + 2 * margin), (*colour[::-1], 0))
    shaping = direction if features.check("raqm") else None
    ImageDraw.Draw(sheet).text(
        (margin, margin + ascent), run, (*colour[::-1], 255), font.loaded, anchor="ls", direction=shaping,
        embedded_color=True,
    )  # fmt: skip
    scale = size_px / font.size_px
    if scale != 1:
        sheet = sheet.resize((max(1, round(width * scale)), max(1, round(sheet.height * scale))))
    top = baseline - round((margin + ascent) * scale)
    _blend(image, np.asarray(sheet), left - round(margin * scale), top)


def _blend(image: BgrImage, drawn: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], left: int, top: int) -> None:
    """Lay an RGBA image over a part of another, where both have pixels."""
    height, width = image.shape[:2]
    rows = slice(max(0, top), max(0, min(height, top + drawn.shape[0])))
    columns = slice(max(0, left), max(0, min(width, left + drawn.shape[1])))
    area = image[rows, columns]
    part = drawn[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    if area.size == 0:
        return
    weight = part[..., 3:].astype(np.float32) / 255
    area[:] = np.rint(area * (1 - weight) + part[..., 2::-1] * weight)
