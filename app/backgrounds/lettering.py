"""Letters of any script, drawn without a display: OpenCV's own font, or fonts of the system with
shaping by Pillow.

OpenCV draws Latin, Greek, Cyrillic and Chinese, Japanese and Korean letters on any computer, but
neither joins Arabic letters nor turns right-to-left lines. Those, Indic and Thai letters, and emoji
are drawn with fonts of the system.
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
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, features

from app.core.errors import Text, t
from app.core.types import BgrImage

Colour = tuple[int, int, int]
"""(blue, green, red)"""
_WEIGHT = 400
# They join and part letters, and make one emoji of several; they have no shape of their own.
JOINERS = "\u200c\u200d"
_VARIATION = "\ufe0e\ufe0f"
_EMOJI = range(0x1F000, 0x1FB00)
_RIGHT_TO_LEFT = ("R", "AL")
# Size at which lines are measured: their width grows with the size.
_MEASURED_PX = 100
# The one size of colour emoji that are stored as bitmaps, as in Noto Color Emoji.
_BITMAP_PX = 109
_MATCH_TIMEOUT_S = 10
# Of systems without fontconfig: files that together have most scripts.
_KNOWN_FONTS: dict[str, tuple[str, ...]] = {
    "win32": (
        "segoeui.ttf",
        "Nirmala.ttc",
        "Nirmala.ttf",
        "LeelawUI.ttf",
        "seguiemj.ttf",
        "seguisym.ttf",
    ),
    "darwin": ("Supplemental/Arial Unicode.ttf", "Apple Color Emoji.ttc"),
}
_FOLDERS = {"win32": Path("C:/Windows/Fonts"), "darwin": Path("/System/Library/Fonts")}


class Lettering(Protocol):
    """Measures and draws lines of one text."""

    def width(self, line: str, size_px: int) -> int:
        """Return the width of a line in pixels."""

    def draw(
        self,
        image: BgrImage,
        line: str,
        left: int,
        baseline: int,
        size_px: int,
        colour: Colour,
    ) -> None:
        """Draw a line into an image."""


def lettering_of(text: str) -> Lettering:
    """Return what draws the lines of a text."""
    if all(map(_is_built_in, text)):
        return _BuiltIn()
    return _Shaped(text)


def missing_letters(text: str) -> Text | None:
    """Return the sentence on the letters of a stand-by text that this computer cannot draw."""
    letters = unicodedata.normalize("NFC", text)
    if all(map(_is_built_in, letters)):
        return None
    fonts = _fonts_for(letters)
    missing: list[str] = []
    for letter in letters:
        if letter in missing or not _is_visible(letter) or _is_built_in(letter):
            continue
        if _font_of(letter, fonts) is None:
            missing.append(letter)
    if not missing:
        return None
    return t(
        "No font of this computer has the letters {letters} of the stand-by text; install one or "
        "leave them out.",
        letters=" ".join(missing),
    )


class _BuiltIn:
    """Draws with the font inside OpenCV, letter by letter from left to right."""

    def __init__(self) -> None:
        self._font = cv2.FontFace("sans")

    def width(self, line: str, size_px: int) -> int:
        # A wide range for wrapping: OpenCV would break the line at the edge of the image.
        wrapped_at = (0, 1 << 20)
        box = cv2.getTextSize((0, 0), line, (0, 0), self._font, size_px, _WEIGHT, 0, wrapped_at)
        return int(box[2])

    def draw(
        self,
        image: BgrImage,
        line: str,
        left: int,
        baseline: int,
        size_px: int,
        colour: Colour,
    ) -> None:
        cv2.putText(image, line, (left, baseline), colour, self._font, size_px, _WEIGHT)


@cache
def _is_built_in(letter: str) -> bool:
    """Return whether OpenCV draws a letter right, without regard to those beside it."""
    if letter in "\n ?":
        return True
    if letter in JOINERS + _VARIATION or _needs_shaping(letter):
        return False
    # OpenCV draws what it lacks as a question mark.
    return not np.array_equal(_drawn_by_opencv(letter), _drawn_by_opencv("?"))


def _drawn_by_opencv(letter: str) -> BgrImage:
    size_px = 32
    image = np.zeros((2 * size_px, 3 * size_px, 3), np.uint8)
    _BuiltIn().draw(image, letter, size_px, round(1.5 * size_px), size_px, (255, 255, 255))
    return image


def _needs_shaping(letter: str) -> bool:
    """Return whether a letter runs right to left, or is a sign on another letter."""
    is_sign = unicodedata.category(letter) in ("Mn", "Mc") and letter not in _VARIATION
    return is_sign or unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT


def _is_visible(letter: str) -> bool:
    return letter not in JOINERS + _VARIATION and not letter.isspace()


class _Font(NamedTuple):
    """A font of the system at the size in which it is measured and drawn."""

    loaded: ImageFont.FreeTypeFont
    # `_MEASURED_PX`, or the only one it has.
    size_px: int

    def has(self, letter: str) -> bool:
        """Return whether the font has a letter."""
        drawn = self._bits(letter)
        # What it lacks is drawn as the same box as a code point of nobody.
        box_of_missing = self._bits("\U0010fffe")
        return bool(drawn) and drawn != box_of_missing

    def _bits(self, letter: str) -> bytes:
        """Return the pixels of a letter; empty where it has none."""
        sheet = Image.new("RGBA", (3 * self.size_px, 3 * self.size_px))
        place = (self.size_px, 2 * self.size_px)
        ImageDraw.Draw(sheet).text(
            place,
            letter,
            "white",
            self.loaded,
            anchor="ls",
            embedded_color=True,
        )
        if sheet.getbbox() is None:
            return b""
        return sheet.tobytes()

    def sized(self, size_px: int) -> _Font:
        """Return the font at a size, if it has more than one."""
        if self.size_px == _BITMAP_PX:
            return self
        return _Font(self.loaded.font_variant(size=size_px), size_px)


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
    if not features.check("raqm"):
        # Pillow without it draws letters side by side, as OpenCV does.
        letters = frozenset(letter for letter in letters if not _needs_shaping(letter))
    return _search_fonts(letters)


@cache
def _search_fonts(letters: frozenset[str]) -> tuple[_Font, ...]:
    emoji = frozenset(filter(_is_emoji, letters))
    return (*_covering("sans", letters - emoji), *_covering("emoji", emoji))


def _covering(family: str, letters: frozenset[str]) -> list[_Font]:
    """Return as few fonts as have some letters, of those that the system proposes for them."""
    fonts: list[_Font] = []
    if not letters:
        return fonts
    missing = set(letters)
    for path in _proposed_files(family, letters):
        font = _load(path)
        if font is None:
            continue
        covered = {letter for letter in missing if font.has(letter)}
        if covered:
            fonts.append(font)
            missing -= covered
        if not missing:
            break
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
        finished = subprocess.run(
            line,
            capture_output=True,
            text=True,
            timeout=_MATCH_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return finished.stdout.splitlines()


def _font_of(letter: str, fonts: Sequence[_Font]) -> _Font | None:
    if _needs_shaping(letter) and not features.check("raqm"):
        return None
    for font in fonts:
        if font.has(letter):
            return font
    return None


class _Shaped:
    """Draws with fonts of the system: runs of letters of one font, in the order in which they
    are read.
    """

    def __init__(self, text: str) -> None:
        self._fonts = _fonts_for(unicodedata.normalize("NFC", text))
        self._built_in = _BuiltIn()

    def width(self, line: str, size_px: int) -> int:
        direction = _direction_of(line)
        return sum(self._width_of(run, font, direction, size_px) for run, font in self._runs(line))

    def draw(
        self,
        image: BgrImage,
        line: str,
        left: int,
        baseline: int,
        size_px: int,
        colour: Colour,
    ) -> None:
        direction = _direction_of(line)
        runs = self._runs(line)
        if direction == "rtl":
            runs.reverse()
        for run, font in runs:
            if font is None:
                self._built_in.draw(image, run, left, baseline, size_px, colour)
            else:
                _draw_run(
                    image,
                    run,
                    font.sized(size_px),
                    direction,
                    left,
                    baseline,
                    size_px,
                    colour,
                )
            left += self._width_of(run, font, direction, size_px)

    def _width_of(self, run: str, font: _Font | None, direction: str, size_px: int) -> int:
        if font is None:
            return self._built_in.width(run, size_px)
        return round(_length(run, font, direction) * size_px / font.size_px)

    def _runs(self, line: str) -> list[tuple[str, _Font | None]]:
        """Return the parts of a line with their fonts, None for OpenCV's, without letters that
        neither has.
        """
        runs: list[tuple[str, _Font | None]] = []
        font: _Font | None
        for letter in unicodedata.normalize("NFC", line):
            before = runs[-1][1] if runs else None
            after_emoji = before is not None and before.size_px == _BITMAP_PX
            if letter in _VARIATION and not after_emoji:
                continue
            if letter.isspace() and after_emoji:
                # Spaces are twice as wide in the font of emoji.
                font = self._fonts[0]
            elif _is_visible(letter) or not runs:
                font = self._preferred(letter, before)
            else:
                font = before
            if font is None and not _is_built_in(letter):
                continue
            if runs and font is before:
                run, _ = runs[-1]
                runs[-1] = (run + letter, font)
            else:
                runs.append((letter, font))
        return runs

    def _preferred(self, letter: str, before: _Font | None) -> _Font | None:
        """Return the font of a letter. before: that of the letter before it."""
        if before is None or not before.has(letter):
            return _font_of(letter, self._fonts)
        if before.size_px == _BITMAP_PX and not _is_emoji(letter):
            # A font of emoji has digits too, which look like emoji.
            return _font_of(letter, self._fonts)
        # Marks and digits join their word.
        return before


def _direction_of(line: str) -> str:
    """Return the direction of a line: that of its first letter."""
    for letter in line:
        kind = unicodedata.bidirectional(letter)
        if kind == "L":
            return "ltr"
        if kind in _RIGHT_TO_LEFT:
            return "rtl"
    return "ltr"


def _length(run: str, font: _Font, direction: str) -> float:
    shaping = direction if features.check("raqm") else None
    return font.loaded.getlength(run, direction=shaping)


def _draw_run(
    image: BgrImage,
    run: str,
    font: _Font,
    direction: str,
    left: int,
    baseline: int,
    size_px: int,
    colour: Colour,
) -> None:
    """Blend a run of letters into an image."""
    ascent, descent = font.loaded.getmetrics()
    margin = font.size_px  # signs reach beyond the letter that they stand on
    width = round(_length(run, font, direction)) + 2 * margin
    sheet = Image.new("RGBA", (width, ascent + descent + 2 * margin), (*colour[::-1], 0))
    shaping = direction if features.check("raqm") else None
    ImageDraw.Draw(sheet).text(
        (margin, margin + ascent),
        run,
        (*colour[::-1], 255),
        font.loaded,
        anchor="ls",
        direction=shaping,
        embedded_color=True,
    )
    scale = size_px / font.size_px
    if scale != 1:
        scaled_width = max(1, round(width * scale))
        scaled_height = max(1, round(sheet.height * scale))
        sheet = sheet.resize((scaled_width, scaled_height))
    top = baseline - round((margin + ascent) * scale)
    _blend(image, np.asarray(sheet), left - round(margin * scale), top)


def _blend(image: BgrImage, drawn: NDArray[np.uint8], left: int, top: int) -> None:
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
