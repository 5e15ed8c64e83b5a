"""How tall letters in the room must be to be read through the blurred background, after
deconvolution.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.matting.blur import blurred_background, strength_sigma
from app.matting.interface import StepGeometry

Floats = NDArray[np.float64]
SIZE = (1280, 720)
FRAMES = 30
"""Frames that the attacker averages; sensor noise makes the rounding to 8 bits average out as well.
"""
NOISE_SIGMA = 2.5
CAP_HEIGHTS = (15, 20, 30, 40, 50, 60, 80, 100, 120, 160)
NOISE_POWERS = (1e-3, 1e-4, 1e-5, 1e-6)
"""Ratios of noise to signal that the Wiener filter is tried with; the best result counts."""
READABLE = 0.5
"""Share of the letters that must be recognized; guessing gets 1 in 26."""


@dataclass(frozen=True, slots=True)
class Readability:
    """The result for one strength."""

    strength: float
    zoom: int
    sigma_px: float
    """Of the Gaussian, in pixels of a 720p frame."""
    recognized: dict[int, float]
    """Share of the letters by cap height in pixels of the camera, at 720p."""

    @property
    def cap_height_px(self) -> int | None:
        """The smallest cap height from which on all are readable; None where none is."""
        smallest = None
        for height in sorted(self.recognized, reverse=True):
            if self.recognized[height] < READABLE:
                break
            smallest = height
        return smallest


def readability(
    strength: float, small_height: int, heights: Sequence[int] = CAP_HEIGHTS, zoom: int = 1
) -> Readability:
    """Blur pages of random letters as the program does on a CPU, deconvolve them and read them.

    zoom: of the camera's frame, which magnifies the letters.
    """
    geometry = StepGeometry(*SIZE, small_height / SIZE[1])
    sigma = (
        strength_sigma(strength, geometry.blur_short_side, zoom)
        * SIZE[1]
        / geometry.blur_short_side
    )
    results = {}
    for height in heights:
        page, letters = _page(height * zoom)
        seen = _seen(page, strength, geometry, zoom)
        guesses = (
            _read(_wiener(seen, sigma, power), letters, height * zoom) for power in NOISE_POWERS
        )
        results[height] = max(guesses)
    return Readability(strength, zoom, sigma, results)


def _page(cap_height: int) -> tuple[NDArray[np.uint8], list[tuple[str, int, int]]]:
    """Black letters on white, and each letter with the centre of its cell."""
    random = np.random.default_rng(cap_height)
    page = np.full(SIZE[::-1], 235, np.uint8)
    pitch_x, pitch_y = round(1.25 * cap_height), round(1.6 * cap_height)
    letters = []
    for y in range(pitch_y, SIZE[1] - pitch_y + 1, pitch_y):
        for x in range(pitch_x, SIZE[0] - pitch_x + 1, pitch_x):
            letter = str(random.choice(list(string.ascii_uppercase)))
            glyph = _glyph(letter, cap_height)
            top, left = y - glyph.shape[0] // 2, x - glyph.shape[1] // 2
            part = page[top : top + glyph.shape[0], left : left + glyph.shape[1]]
            part[:] = np.minimum(part, 255 - glyph[: part.shape[0], : part.shape[1]])
            letters.append((letter, x, y))
    return page, letters[:: max(1, len(letters) // 120)]


def _glyph(letter: str, cap_height: int) -> NDArray[np.uint8]:
    """A letter as ink (h, w), 0..235, in a box a little larger than the cap height."""
    scale, thickness = cap_height / 21.0, max(1, round(cap_height / 8))
    (width, height), _ = cv2.getTextSize(letter, cv2.FONT_HERSHEY_SIMPLEX, scale, thickness)
    box = np.zeros((height + 2 * thickness, max(width, cap_height) + 2 * thickness), np.uint8)
    left = (box.shape[1] - width) // 2
    cv2.putText(
        box,
        letter,
        (left, height + thickness),
        cv2.FONT_HERSHEY_SIMPLEX,
        scale,
        (235,),
        thickness,
        cv2.LINE_AA,
    )
    return box


def _seen(page: NDArray[np.uint8], strength: float, geometry: StepGeometry, zoom: int) -> Floats:
    """The mean of what leaves the program over FRAMES frames."""
    random = np.random.default_rng(1)
    size = geometry.small_width, geometry.small_height
    nobody = np.zeros(size[::-1], np.float32)
    mean = np.zeros(page.shape)
    for _ in range(FRAMES):
        noisy = np.clip(page + random.normal(0, NOISE_SIGMA, page.shape), 0, 255).astype(np.float32)
        small = (
            np.asarray(cv2.resize(noisy, size, interpolation=cv2.INTER_LINEAR), np.float32) / 255
        )
        planes = np.repeat(small[None], 3, 0).astype(np.float32)
        mean += blurred_background(
            planes, nobody, strength, geometry.blur_factor, *SIZE, zoom=zoom
        )[..., 1]
    return mean / FRAMES


def _wiener(image: Floats, sigma: float, noise_power: float) -> Floats:
    """Undo a Gaussian of known sigma; borders are mirrored."""
    margin = int(3 * sigma)
    padded = np.pad(image - image.mean(), margin, "symmetric")
    rows, columns = np.fft.fftfreq(padded.shape[0]), np.fft.rfftfreq(padded.shape[1])
    transfer = np.exp(-2 * (np.pi * sigma) ** 2 * (rows[:, None] ** 2 + columns**2))
    spectrum = np.fft.rfft2(padded) * transfer / (transfer**2 + noise_power)
    sharp = np.fft.irfft2(spectrum, padded.shape)
    return sharp[margin:-margin, margin:-margin] if margin else sharp


def _read(image: Floats, letters: Sequence[tuple[str, int, int]], cap_height: int) -> float:
    """Share of the letters whose own template correlates best; positions and font are known to the
    attacker.
    """
    templates = {
        letter: _glyph(letter, cap_height).astype(np.float32) for letter in string.ascii_uppercase
    }
    blurred = {
        letter: _unit(-np.asarray(cv2.GaussianBlur(ink, (0, 0), cap_height / 10), np.float64))
        for letter, ink in templates.items()
    }
    right = 0
    for letter, x, y in letters:
        scores = {other: _correlation(image, ink, x, y) for other, ink in blurred.items()}
        right += max(scores, key=lambda other: scores[other]) == letter
    return right / len(letters)


def _correlation(image: Floats, template: Floats, x: int, y: int) -> float:
    height, width = template.shape
    top, left = y - height // 2, x - width // 2
    window = image[max(top, 0) : top + height, max(left, 0) : left + width]
    if window.shape != template.shape:
        return 0.0
    return float((_unit(window) * template).sum())


def _unit(image: Floats) -> Floats:
    """Mean 0 and norm 1."""
    centred = image - image.mean()
    unit: Floats = centred / (np.linalg.norm(centred) + 1e-9)
    return unit
