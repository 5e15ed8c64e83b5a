"""The light controls on finished composites, for networks whose coefficients cannot carry them."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from app.core.types import AlphaImage, BgrImage, Floats, Matte
from app.matting.base.edges import LightPlan
from app.matting.light.light import Light, on_grid
from app.matting.light.maps import grid_size

UNSEEN = 0.02
"""Cells with less mean alpha than this show the background."""
LEAST_WEIGHT = 1e-6


def relit(light: Light, matte: Matte, backdrop: BgrImage | None, own: bool, plan: LightPlan, foreground: bool) -> Matte:
    """Return the matte, whose foreground must be present, with foreground and composite relit, in new arrays.

    light: of the stream. backdrop, own: as for `Light.maps`; None: what the composite shows of the blurred background.
    foreground: whether it is kept. A composite a·F + (1-a)·B changes by a·(F' - F): pixels without alpha stay the same.
    """
    assert matte.foreground is not None
    height, width = matte.alpha.shape
    shown = matte.foreground  # lies where alpha does, also where the person was moved
    columns, rows = grid_size(width, height)
    alpha = _alpha_grid(matte.alpha, columns, rows)
    backdrop_image = _blurred_background(matte.composite, alpha, columns, rows) if backdrop is None else backdrop
    maps = light.maps_of_grid(on_grid(shown, columns, rows), alpha, backdrop_image, own, plan)
    composite, person = (np.array(image, order="C") for image in (matte.composite, matte.foreground))
    rows_of = person.reshape(height, -1), np.ascontiguousarray(matte.alpha), maps, composite.reshape(height, -1)
    from app.matting.kernels.relight import relight_composite_rows

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
