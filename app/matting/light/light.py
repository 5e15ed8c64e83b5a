"""The light controls over a stream: measures each frame, smooths over time, and relights finished composites."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from app.core.types import AlphaImage, BgrImage, Floats, Matte
from app.matting.base.edges import EdgePlan
from app.matting.base.interface import StateArrays, saved
from app.matting.light.maps import (
    Head,
    Tone,
    found_head,
    grid_size,
    is_flat,
    key_light,
    measured_tone,
    relighting,
)

TONE_RATE = 0.06
"""Fraction of a change that the light match follows per frame: half of it within 0.4 s at 30 fps."""
HEAD_RATE = 0.15


class Light:
    """Remembers the smoothed measurements of a stream; used on one thread."""

    def __init__(self) -> None:
        self._tone: Floats | None = None
        self._head: Floats | None = None
        self._backdrop: tuple[BgrImage, Floats] | None = None
        """The last backdrop and its grid."""

    def reset(self) -> None:
        """Forget the stream."""
        self._tone = self._head = self._backdrop = None

    def state(self) -> StateArrays:
        """Return copies of what the next frame depends on."""
        kept = {"tone": self._tone, "head": self._head}
        return {name: array.copy() for name, array in kept.items() if array is not None}

    def load_state(self, arrays: StateArrays) -> None:
        """Restore the state. Raises ValueError or TypeError if it does not fit."""
        self._tone = saved(arrays, "tone", (6,), np.float32)
        self._head = saved(arrays, "head", (3,), np.float32)

    def maps(self, small: Floats, alpha: Floats, backdrop: BgrImage, own: bool, plan: EdgePlan) -> Floats:
        """Return gains (3) and biases (3), RGB, (6, h, w), for the next frame.

        small: (3, H, W) RGB and alpha: (H, W), in 0..1. backdrop: what is shown behind the person, of any size. own:
        whether it is the person's own background, whose light the person already has.
        """
        width, height = grid_size(alpha.shape[1], alpha.shape[0])
        image = np.dstack([_shrunk(plane, width, height) for plane in small])
        return self.maps_of_grid(image, _shrunk(alpha, width, height), backdrop, own, plan)

    def maps_of_grid(self, image: Floats, alpha: Floats, backdrop: BgrImage, own: bool, plan: EdgePlan) -> Floats:
        """Return the same for an image (h, w, 3) RGB and alpha (h, w) that have the size of the grid."""
        height, width = alpha.shape
        backdrop_light = self._light_of(backdrop, width, height)
        found = measured_tone(image, alpha, None if own or is_flat(backdrop_light) else backdrop_light)
        self._tone = followed(self._tone, None if found is None else found.array(), TONE_RATE)
        tone = Tone(np.zeros(3, np.float32), 0.0, 0.5, 0.5) if self._tone is None else Tone.of(self._tone)
        key = None
        if plan.portrait_light > 0:
            head = found_head(alpha)
            self._head = followed(self._head, None if head is None else head.array(), HEAD_RATE)
            if self._head is not None:
                key = key_light(Head(*map(float, self._head)), width, height)
        return relighting(tone, plan.light_match, key, plan.portrait_light, (height, width))

    def _light_of(self, backdrop: BgrImage, width: int, height: int) -> Floats:
        """Return the backdrop on the grid (h, w, 3), RGB in 0..1."""
        if self._backdrop is None or self._backdrop[0] is not backdrop or self._backdrop[1].shape[1] != width:
            self._backdrop = backdrop, on_grid(backdrop, width, height)
        return self._backdrop[1]


def on_grid(image: BgrImage, width: int, height: int) -> Floats:
    """Return an image (H, W, 3) uint8 BGR sampled to (height, width, 3) float32 RGB in 0..1."""
    sampled = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR))
    grid: Floats = np.ascontiguousarray(sampled[..., ::-1]) / np.float32(255)
    return grid


def _shrunk(plane: Floats, width: int, height: int) -> Floats:
    return np.asarray(cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def followed(last: Floats | None, found: Floats | None, rate: float) -> Floats | None:
    """Return a measurement smoothed over the frames of a stream. last: until now; found: in this frame, None: nothing.

    rate: share of the difference by which it moves; the first one counts in full.
    """
    if last is None or found is None:
        return last if found is None else found
    moved: Floats = last + np.float32(rate) * (found - last)
    return moved


UNSEEN = 0.02
"""Cells with less mean alpha than this show the background."""
LEAST_WEIGHT = 1e-6


def relit(light: Light, matte: Matte, backdrop: BgrImage | None, own: bool, plan: EdgePlan, foreground: bool) -> Matte:
    """Return the matte, whose foreground must be present, with foreground and composite relit, in new arrays.

    For networks whose coefficients cannot carry the light.

    light: of the stream. backdrop, own: as for `Light.maps`; None: what the composite shows of the blurred background.
    foreground: whether it is kept. A composite a·F + (1-a)·B changes by a·(F' - F): pixels without alpha stay the same.
    """
    assert matte.foreground is not None
    height, width = matte.alpha.shape
    columns, rows = grid_size(width, height)
    alpha = _alpha_grid(matte.alpha, columns, rows)
    backdrop_image = _blurred_background(matte.composite, alpha, columns, rows) if backdrop is None else backdrop
    maps = light.maps_of_grid(on_grid(matte.foreground, columns, rows), alpha, backdrop_image, own, plan)
    composite, person = (np.array(image, order="C") for image in (matte.composite, matte.foreground))
    rows_of = person.reshape(height, -1), np.ascontiguousarray(matte.alpha), maps, composite.reshape(height, -1)
    from app.matting.kernels.full_size import relight_composite_rows

    relight_composite_rows(*rows_of, 0, height)
    return replace(matte, composite=composite, foreground=person if foreground else None)


def _alpha_grid(alpha: AlphaImage, width: int, height: int) -> Floats:
    grid: Floats = np.asarray(cv2.resize(alpha, (width, height), interpolation=cv2.INTER_AREA)) / np.float32(255)
    return grid


def _blurred_background(composite: BgrImage, alpha: Floats, width: int, height: int) -> BgrImage:
    """Return what the composite shows of the blurred background, continued behind the person; (height, width, 3)."""
    seen = (alpha < UNSEEN).astype(np.float32)[..., None]
    shown = on_grid(composite, width, height) * seen
    sigma = max(height / 8, 1.0)
    spread = (np.asarray(cv2.GaussianBlur(part, (0, 0), sigma)).reshape(height, width, -1) for part in (shown, seen))
    colours, weight = spread
    background = np.clip(colours / (weight + LEAST_WEIGHT) * 255 + 0.5, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(background[..., ::-1])
