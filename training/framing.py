"""Placement of photos and cut-out people in a frame."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from training.limbs import limbs
from training.motion import Placement

Pixels = npt.NDArray[np.uint8]
Rng = np.random.Generator
Size = tuple[int, int]
"""(width, height) in pixels."""

_HANGING = 0.4
"""Share of limbs that hang in the frame; the others are cut by its border."""
_ARMS = 0.6
"""Arms of people who are whole in the photo end above this fraction of their height; what is thin
below are legs.
"""
_VISIBLE = 0.2, 0.7
"""Least and largest share of a bystander within the frame."""
_FARTHER = 0.5, 1.0
"""Size of bystanders beside that of other people."""
_EDGE = 2
"""Rows or columns at the border of a photo: the photo ends at a person whom one of them shows."""
_ROUND = 0.02
"""Contact with the border of a photo, as a fraction of the frame's width, that is the top of a
round head: no cut.
"""


def framed(
    rng: Rng,
    source: Size,
    size: Size,
    *,
    pad: bool = True,
    head: int | None = None,
    zooms: float = 0.15,
) -> tuple[Placement, bool]:
    """Return a random placement of a whole image, and whether it is padded: mostly it fills the
    frame.

    head: row of the source at which a head begins; the crop begins there or slightly above. zooms:
    spread of the logarithm of the zoom beyond filling the frame.
    """
    fill = max(size[0] / source[0], size[1] / source[1])
    stretch = float(np.exp(rng.normal(0, 0.06)))
    kind = rng.random()
    padded = False
    turn = rng.normal(0, 3) if rng.random() < 0.2 else 0.0
    if kind < 0.12:
        across, down = size[0] / source[0], size[1] / source[1]
        zoom = rng.uniform(1.0, 1.15)
        scale = (across * zoom, down * zoom)
    elif pad and kind < 0.27:
        fit = min(size[0] / source[0], size[1] / source[1])
        zoom = float(np.exp(rng.uniform(np.log(fit), np.log(fill * 1.01))))
        scale, padded = (zoom * stretch, zoom / stretch), True
    else:
        zoom = fill * (1 + 0.04 * abs(turn)) * float(np.exp(abs(rng.normal(0, zooms))))
        scale = (zoom * max(stretch, 1.0), zoom * max(1 / stretch, 1.0))
    anchor = []
    for axis in (0, 1):
        room = size[axis] / scale[axis] / 2
        low, high = min(room, source[axis] - room), max(room, source[axis] - room)
        if axis == 1 and head is not None:
            anchor.append(float(np.clip(head + room * (1 - 2 * rng.uniform(0, 0.3)), low, high)))
            continue
        # Faces are in the upper half, so prefer the top of tall images.
        place = rng.beta(1.0, 2.5) if axis == 1 else rng.beta(2, 2)
        anchor.append(low + (high - low) * place)
    mirrored = bool(rng.random() < 0.5)
    return Placement(
        (anchor[0], anchor[1]), (size[0] / 2, size[1] / 2), scale, turn, mirrored
    ), padded


def placed(rng: Rng, alpha: Pixels, size: Size, small: bool) -> Placement:
    """Return a random placement of a cut-out person (alpha (H, W)); edges at which the photo ends
    stay out of view.
    """
    height, width = alpha.shape
    rows, columns = np.flatnonzero(alpha.max(1) > 127), np.flatnonzero(alpha.max(0) > 127)
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    cut_below = bottom >= height - 2
    cut_aside = left <= 1 or right >= width - 1
    tall = bottom - top
    if cut_below:
        visible = (
            rng.uniform(0.55, 1.0) if cut_aside or rng.random() < 0.7 else rng.uniform(0.3, 0.6)
        )
        visible = visible * (0.8 if small else 1.0)
        scale = visible * size[1] / tall
        if cut_aside:
            scale = max(scale, rng.uniform(0.5, 1.0) * size[0] / width)
        scale *= float(np.exp(abs(rng.normal(0, 0.2))))
        base = size[1] + rng.uniform(0, 0.15) * scale * tall
        centre_y, anchor_y = base, float(bottom)
    else:
        shown = rng.uniform(0.35, 0.95) if rng.random() < 0.15 else rng.uniform(1.0, 3.2)
        scale = shown * size[1] / tall
        centre_y, anchor_y = rng.uniform(0.02, 0.3) * size[1], float(top)
        if shown < 1:
            centre_y = size[1] * rng.uniform(0.02, 1.0 - 0.9 * shown)
    spread = 0.22 if rng.random() < 0.8 and not small else 0.45
    centre_x = size[0] * (0.5 + rng.uniform(-spread, spread))
    stretch = float(np.exp(rng.normal(0, 0.05)))
    turn = rng.normal(0, 4) if rng.random() < 0.3 and not cut_below else 0.0
    mirrored = bool(rng.random() < 0.5)
    anchor, centre = ((left + right) / 2, anchor_y), (centre_x, centre_y)
    return _filled(
        Placement(anchor, centre, (scale * stretch, scale / stretch), turn, mirrored), alpha, size
    )


def _filled(usual: Placement, alpha: Pixels, size: Size) -> Placement:
    """Return a placement shifted until edges at which the photo ends are out of the frame, and
    enlarged if need be.
    """
    corners = np.array([(x - 0.5, y - 0.5) for x in (0, size[0]) for y in (0, size[1])])
    # In pixels of the photo, from the anchor.
    window = (corners - usual.centre) @ np.linalg.inv(usual.matrix()[:, :2]).T
    low, high = window.min(0), window.max(0)
    ends = _ends(alpha, _ROUND * size[0] / usual.scale[0])
    last = alpha.shape[1] - 1 - _EDGE, alpha.shape[0] - 1 - _EDGE
    zoom = max(
        [
            1.0,
            *(
                (high[axis] - low[axis]) / (last[axis] - _EDGE)
                for axis in (0, 1)
                if all(ends[axis])
            ),
        ]
    )
    # Who is enlarged keeps the row at the upper border: a head in view stays there.
    anchor = [usual.anchor[0], usual.anchor[1] + (low[1] - low[1] / zoom)]
    for axis, (before, after) in enumerate(ends):
        least = _EDGE - low[axis] / zoom if before else -np.inf
        most = last[axis] - high[axis] / zoom if after else np.inf
        anchor[axis] = min(max(anchor[axis], least), most)
    scale = usual.scale[0] * zoom, usual.scale[1] * zoom
    return Placement((anchor[0], anchor[1]), usual.centre, scale, usual.turn, usual.mirrored)


def at_limb(rng: Rng, alpha: Pixels, usual: Placement, size: Size) -> Placement:
    """Return a placement of a person (alpha (H, W)) of whom a limb hangs in the frame or is cut by
    its border.

    Without limbs, or if little else of the person or an edge of the photo would be in view, it is
    the usual one.
    """
    rows, columns = np.nonzero(limbs(alpha))
    ends = _ends(alpha)
    if not ends[1][1]:
        tall = np.flatnonzero(alpha.max(1) > 127)
        arms = rows < tall[0] + _ARMS * len(tall)
        rows, columns = rows[arms], columns[arms]
    if not len(rows):
        return usual
    chosen = rng.integers(len(rows))
    point = columns[chosen], rows[chosen]
    total = alpha.sum(dtype=np.float64)
    middle = [float(alpha.sum(axis) @ np.arange(alpha.shape[1 - axis]) / total) for axis in (0, 1)]
    places = [rng.uniform(0.1, 0.9), rng.uniform(0.4, 0.95)]
    if rng.random() > _HANGING:
        # The rest of the person is above the lower border, or inwards from the other ones.
        places = (
            [places[0], 1.0] if rng.random() < 0.5 else [float(point[0] > middle[0]), places[1]]
        )
    anchor = []
    for axis, (first, last) in enumerate(ends):
        extent, window = alpha.shape[1 - axis], size[axis] / usual.scale[axis]
        low, high = (0.0 if first else -np.inf), (extent - window if last else np.inf)
        start = min(max(point[axis] - places[axis] * window, low), high)
        if start < low or not all(
            start <= shown[axis] <= start + window for shown in (point, middle)
        ):
            return usual
        anchor.append(start + window / 2)
    return Placement(
        (anchor[0], anchor[1]), (size[0] / 2, size[1] / 2), usual.scale, mirrored=usual.mirrored
    )


def cut_aside(rng: Rng, alpha: Pixels, size: Size) -> Placement | None:
    """Return a placement of a farther person (alpha (H, W)) who is cut by the left or right border
    of the frame.

    None if the photo ends at the person's head or at both sides.
    """
    sides, (above, _) = _ends(alpha)
    if above or all(sides):
        return None
    usual = placed(rng, alpha, size, small=True)
    left = not sides[0] and (sides[1] or bool(rng.random() < 0.5))
    columns = np.cumsum(alpha.sum(0, dtype=np.float64))
    visible, farther = rng.uniform(*_VISIBLE), rng.uniform(*_FARTHER)
    cut = float(np.searchsorted(columns, columns[-1] * (visible if left else 1 - visible)))
    # The left part of a person is in view at the right border, mirrored at the left one.
    centre = float(size[0]) if left != usual.mirrored else 0.0, usual.centre[1]
    scale = usual.scale[0] * farther, usual.scale[1] * farther
    return Placement((cut, usual.anchor[1]), centre, scale, mirrored=usual.mirrored)


def _ends(alpha: Pixels, least: float = 1) -> tuple[tuple[bool, bool], tuple[bool, bool]]:
    """Return whether the photo ends at the person, for at least so many pixels: left and right,
    above and below.
    """
    person = alpha > 127
    sides = (
        person[:, :_EDGE].any(1),
        person[:, -_EDGE:].any(1),
        person[:_EDGE].any(0),
        person[-_EDGE:].any(0),
    )
    left, right, above, below = (bool(side.sum() >= least) for side in sides)
    return (left, right), (above, below)
