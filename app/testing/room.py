"""A room with a person, in colours that show at once whether the room has leaked."""

from __future__ import annotations

import numpy as np

from app.core.types import BgrImage

WIDTH, HEIGHT = 64, 48
ROOM = (13, 201, 77)
"""The colour of the fake room: no other part of a test uses it, so one such pixel in an output is a leak."""
PERSON = (90, 120, 200)


def room_picture(width: int = WIDTH, height: int = HEIGHT) -> BgrImage:
    """A person (the middle third) in a room."""
    image = np.empty((height, width, 3), np.uint8)
    image[:] = ROOM
    image[height // 4 :, width // 3 : 2 * width // 3] = PERSON
    return image


def shows_room(image: BgrImage) -> bool:
    """Whether any pixel has the room's colour."""
    return bool(np.any(np.all(image == np.array(ROOM, np.uint8), axis=2)))
