"""Samples with plates: people in rooms, and what the camera saw of the empty room before."""

from __future__ import annotations

import cv2
import numpy as np

from training.data import Sample, SampleSource
from training.degrade import Camera, ToneRange, random_tone
from training.framing import Pixels, Rng
from training.objects import with_objects

_EMPTY = 0.12
_MOVED_CAMERA = 0.3
"""Share of sequences whose camera moves a little after the plate was taken."""
_BROUGHT = 0.15
"""Share of samples with things that were brought into the room after the plate was taken."""
_GONE = 0.1
"""Share of plates with things that are gone."""
_SHIFTED = 0.6
_RELIT = 0.6
_NOISY = 0.4


class PlateSource(SampleSource):
    """Draws samples whose `src` has six channels: the frame and the plate, RGB."""

    def draw(self, index: int) -> Sample:
        """Return the sample with this index."""
        rng = np.random.default_rng([self.seed, index])
        room, path = self.room(rng, 0.003 if rng.random() < _MOVED_CAMERA else 0.0)
        before = room[0]
        if rng.random() < _EMPTY:
            alphas = [np.zeros((*frame.shape[:2], 1), np.uint8) for frame in room]
            frames = foregrounds = room
        else:
            (frames, alphas, foregrounds), furnished = self.people_in(rng, room, path)
            before = before if rng.random() < _BROUGHT else furnished
        camera = self.camera(rng)
        pictures = self.taken(camera, frames, rng)
        plates = np.broadcast_to(plate_of(before, camera, rng), pictures.shape)
        foreground = np.stack([camera.tone_of(f) for f in foregrounds])
        return Sample(
            np.concatenate([pictures, plates], 3), foreground, np.stack(alphas), np.stack(frames)
        )


def plate_of(room: Pixels, camera: Camera, rng: Rng) -> Pixels:
    """Return the plate of a room (H, W, 3): shifted, turned and lit a little differently, with
    noise.
    """
    if rng.random() < _GONE:
        room = with_objects(room, rng)
    if rng.random() < _SHIFTED:
        room = shifted(room, rng, 0.008)
    room = camera.tone_of(room)
    if rng.random() < _RELIT:
        room = random_tone(rng, ToneRange(gain=0.07, gamma=0.05, colour=0.025, offset=0.012))(room)
    if camera.blur > 0:
        room = np.asarray(cv2.GaussianBlur(room, (0, 0), camera.blur), np.uint8)
    if rng.random() < _NOISY:
        noise = rng.normal(0, abs(rng.normal(0, 3)), room.shape)
        room = np.clip(room + noise, 0, 255).astype(np.uint8)
    return room


def shifted(room: Pixels, rng: Rng, distance: float) -> Pixels:
    """Return the room as a camera sees it that was moved by about this fraction of the width."""
    height, width = room.shape[:2]
    angle, zoom = rng.normal(0, 0.006), 1 + rng.normal(0, 0.006)
    cosine, sine = zoom * np.cos(angle), zoom * np.sin(angle)
    centre = np.array([width / 2, height / 2])
    linear = np.array([[cosine, -sine], [sine, cosine]])
    shift = centre - linear @ centre + rng.normal(0, distance, 2) * width
    matrix = np.column_stack([linear, shift])
    warped = cv2.warpAffine(room, matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(warped, np.uint8)
