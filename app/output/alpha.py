"""Layouts of a picture that carry its alpha, for programs that put the person over their own scene."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core import geometry
from app.core.types import AlphaImage, BgrImage, Picture


def person_on_black(picture: Picture) -> tuple[BgrImage, AlphaImage]:
    """Return the person's colours times alpha, and alpha. A picture without alpha, such as the card, is opaque.

    Colours are premultiplied, so that nothing of the room shows where alpha is 0.
    """
    colours, alpha = _person(picture)
    if picture.alpha is None:
        return colours, alpha
    weights = cv2.cvtColor(alpha, cv2.COLOR_GRAY2BGR)
    return np.asarray(cv2.multiply(colours, weights, scale=1 / 255), np.uint8), alpha


def to_bgra(picture: Picture, width: int, height: int) -> NDArray[np.uint8]:
    """Return (height, width, 4) uint8: blue, green, red and alpha. Bars of other shapes are clear.

    Colours are not premultiplied, because PipeWire cannot say so and readers such as OBS multiply them by alpha. They
    are derived from the premultiplied ones: clear pixels are black, and a reader that ignores alpha finds no more of
    the room in faint pixels than a composite would show.
    """
    person, alpha = person_on_black(picture)
    if picture.size != (width, height):
        person, alpha = geometry.letterbox(person, width, height), geometry.letterbox(alpha, width, height)
    colours = np.asarray(cv2.divide(person, cv2.cvtColor(alpha, cv2.COLOR_GRAY2BGR), scale=255), np.uint8)
    return np.dstack([colours, alpha])


def _person(picture: Picture) -> tuple[BgrImage, AlphaImage]:
    """Return the person's colours and alpha; all of a picture without alpha."""
    if picture.alpha is None:
        return picture.image, np.full(picture.image.shape[:2], 255, np.uint8)
    return picture.image if picture.foreground is None else picture.foreground, picture.alpha


def side_by_side(picture: Picture) -> Picture:
    """Return the person on black at the left, alpha as grey at the right; twice as wide."""
    person, alpha = person_on_black(picture)
    image = np.hstack([person, cv2.cvtColor(alpha, cv2.COLOR_GRAY2BGR)])
    return Picture(np.asarray(image, np.uint8), picture.kind, frame=picture.frame)
