"""An overlay over the output: a picture and a line of text, such as a logo and a name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.compositing.standby import TextBlock
from app.core.local_time import local_time
from app.core.settings import OverlayPlace, OverlaySettings
from app.core.types import BgrImage, Patch, Picture
from app.media.image_file import is_svg, read_image_with_alpha, render_svg

BgraImage = NDArray[np.uint8]
"""(H, W, 4) uint8, colours premultiplied by alpha."""

SAFE_MARGIN = 0.05
"""Width of the border that stays free, as a fraction of each side: title-safe."""
NOMINAL_HEIGHT = 720
"""Frame height at which a picture of 100 % is shown in its own size."""
TEXT_HEIGHT = 0.05
"""Font size of the text at 100 %, as a fraction of the frame's height."""
PLATE_ALPHA = 150
"""Opacity, of 255, of the dark plate behind the text."""
TIME, DATE = "{time}", "{date}"
"""Placeholders of the text: local time and date."""


@dataclass(frozen=True, slots=True)
class OverlayKey:
    """What a rendered overlay depends on."""

    settings: OverlaySettings
    width: int
    height: int
    """Of the frames, in pixels."""
    mirrored: bool
    """The outputs mirror the picture, so that the overlay is drawn mirrored."""
    minute: str = ""
    """The local time, where the text shows it."""


Overlay = tuple[Patch, ...]
"""A rendered overlay."""


def draw(overlay: Overlay, image: BgrImage) -> None:
    """Draw over an image of the size that the overlay was rendered for, in place.

    Pixels without overlay do not change.
    """
    for patch in overlay:
        height, width = patch.colours.shape[:2]
        region = image[patch.top : patch.top + height, patch.left : patch.left + width]
        region[:] = cv2.add(cv2.multiply(region, patch.remaining, scale=1 / 255), patch.colours)


def overlaid(picture: Picture, overlay: Overlay) -> Picture:
    """Draw an overlay over a picture whose pixels belong to the caller; return it."""
    draw(overlay, picture.image)
    return picture


def wanted_overlay(
    settings: OverlaySettings, width: int, height: int, mirrored: bool, now: Callable[[], datetime] = local_time
) -> OverlayKey | None:
    """Return what to render for frames of this size; None for nothing."""
    if settings.file is None and not settings.text.strip():
        return None
    ticks = TIME in settings.text or DATE in settings.text
    return OverlayKey(settings, width, height, mirrored, now().strftime("%Y-%m-%d %H:%M") if ticks else "")


def render_overlay(key: OverlayKey) -> Overlay:
    """Render an overlay. Raises BackgroundError if its file cannot be read."""
    settings = key.settings
    safe, patches = safe_size(key.width, key.height), []
    if settings.file is not None:
        scale = settings.size / 100 * key.height / NOMINAL_HEIGHT
        patches.append(_patch(_picture(settings.file, scale, safe), settings.place, key))
    text = shown_text(settings.text, key.minute)
    if text:
        plate = _plate(text, round(key.height * TEXT_HEIGHT * settings.size / 100), safe)
        patches.append(_patch(plate, settings.text_place, key))
    return tuple(patches)


def shown_text(text: str, minute: str) -> str:
    """Return the text with the placeholders replaced. minute: as in `OverlayKey`."""
    date, _, time = minute.partition(" ")
    return text.replace(TIME, time).replace(DATE, date).strip()


def safe_size(width: int, height: int) -> tuple[int, int]:
    """Return (width, height) of the safe area."""
    return max(1, round(width * (1 - 2 * SAFE_MARGIN))), max(1, round(height * (1 - 2 * SAFE_MARGIN)))


def _picture(file: Path, scale: float, safe: tuple[int, int]) -> BgraImage:
    """Return a file's picture, scaled and then shrunk to fit the safe area."""
    if is_svg(file):
        return render_svg(file, scale, safe)
    image = read_image_with_alpha(file)
    scale = min(scale, safe[0] / image.shape[1], safe[1] / image.shape[0])
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    return np.asarray(
        cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR), np.uint8
    )


def _plate(text: str, font_px: int, safe: tuple[int, int]) -> BgraImage:
    """Return a text in white on a dark plate."""
    padding = max(2, font_px // 2)
    block = TextBlock(text, max(1, safe[0] - 2 * padding), max(1, safe[1] - 2 * padding), font_px)
    width = min(block.width, safe[0] - 2 * padding)
    ink = np.zeros((block.height + padding, max(1, width) + 2 * padding, 3), np.uint8)
    block.draw(ink, ink.shape[1] // 2, padding // 2, (255, 255, 255))
    alpha = np.maximum(ink[..., :1], PLATE_ALPHA)
    return np.concatenate([ink, alpha], axis=2)


def _patch(item: BgraImage, place: OverlayPlace, key: OverlayKey) -> Patch:
    """Return an item, at most as large as the safe area, at its place in the frame."""
    height, width = item.shape[:2]
    free = key.height - height, key.width - width
    margins = round(key.height * SAFE_MARGIN), round(key.width * SAFE_MARGIN)
    ends = ("top", "bottom"), ("left", "right")
    top, left = (
        max(0, margin if first in place else space - margin if last in place else space // 2)
        for (first, last), space, margin in zip(ends, free, margins, strict=True)
    )
    if key.mirrored:
        item, left = item[:, ::-1], max(0, key.width - width - left)
    item = item[: key.height - top, : key.width - left]
    remaining = 255 - np.repeat(item[..., 3:], 3, axis=2)
    return Patch(top, left, np.ascontiguousarray(item[..., :3]), np.ascontiguousarray(remaining))
