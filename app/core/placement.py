"""Position and scale of the person over the background: geometry, and changes while the user drags or scales."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from app.core.matte_edit import View
from app.core.settings import MAX_SCALE, MIN_SCALE, PlacementSettings

IN_PLACE = PlacementSettings()
CORNER_SCALE = 0.35
"""Scale of a person who presents in a corner."""

Corner = Literal["top-left", "top-right", "bottom-left", "bottom-right"]
CORNERS: tuple[Corner, ...] = get_args(Corner)


@dataclass(frozen=True, slots=True)
class Area:
    """Where the moved frame lies in the output, in pixels; it may overhang."""

    left: int
    top: int
    width: int
    height: int


def area_of(placement: PlacementSettings, width: int, height: int) -> Area:
    """Return where the frame lies in an output of this size."""
    moved = max(1, round(width * placement.scale)), max(1, round(height * placement.scale))
    left, top = width * (0.5 + placement.x) - moved[0] / 2, height * (0.5 + placement.y) - moved[1] / 2
    return Area(round(left), round(top), *moved)


def in_corner(corner: Corner, scale: float = CORNER_SCALE) -> PlacementSettings:
    """Return the placement whose frame touches a corner of the output."""
    free = (1 - scale) / 2
    return PlacementSettings(
        x=free if corner.endswith("right") else -free, y=free if corner.startswith("bottom") else -free, scale=scale
    )


def move_by(placement: PlacementSettings, right: float, down: float) -> PlacementSettings:
    """Return the placement moved by (right, down), as fractions of the output's size."""
    return placement.replace(x=_limited(placement.x + right), y=_limited(placement.y + down))


def scale_at(placement: PlacementSettings, factor: float, x: float = 0.5, y: float = 0.5) -> PlacementSettings:
    """Return the placement scaled by `factor`; the part of the person at (x, y), fractions of the output, stays."""
    scale = min(MAX_SCALE, max(MIN_SCALE, placement.scale * factor))
    grown = scale / placement.scale
    return placement.replace(
        scale=scale,
        x=_limited(x - 0.5 + (placement.x - (x - 0.5)) * grown),
        y=_limited(y - 0.5 + (placement.y - (y - 0.5)) * grown),
    )


def view_through(placement: PlacementSettings, shown: View) -> View:
    """Return the part of the frame that the output covers. shown: the part of the frame that was moved."""
    size = 1 / placement.scale
    left, top = 0.5 - (0.5 + placement.x) * size, 0.5 - (0.5 + placement.y) * size
    return View(*shown.to_frame(left, top), shown.size * size)


def _limited(value: float) -> float:
    return min(1.0, max(-1.0, value))
