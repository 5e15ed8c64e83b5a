"""Gaps: background that a person encloses, or that lies in a narrow bay, as between arm and body.

Networks of little resolution take it for a part of the person.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

_PERSON = 127
_BACKGROUND = 12
"""Largest alpha, of 255, in a gap: soft edges are none."""
_REACH = 0.05
"""Half of the width of the widest bay, as a fraction of the frame's height."""
_LEAST_BAY = 1.0
"""Smallest bay, in squares of that half width. The corner between head and shoulder is none."""
_LEAST_HOLE = 0.1
"""The same of what a person encloses. Spaces between strands of hair are none."""
_NARROWEST_PX = 3


def gaps(alpha: Pixels) -> npt.NDArray[np.bool_]:
    """Return where the true alpha (H, W), 0 to 255, has gaps, (H, W)."""
    person = (alpha > _PERSON).astype(np.uint8)
    reach = max(1, round(_REACH * alpha.shape[0]))
    around = cv2.copyMakeBorder(person, *(4 * (reach,)), cv2.BORDER_REPLICATE)
    closed = cv2.morphologyEx(around, cv2.MORPH_CLOSE, _disc(reach))[reach:-reach, reach:-reach]
    background, inside = np.asarray(alpha <= _BACKGROUND), enclosed(person)
    bays = large((closed > 0) & ~inside & background, _LEAST_BAY * reach**2)
    return bays | large(inside & background, _LEAST_HOLE * reach**2)


def large(places: npt.NDArray[np.bool_], least: float) -> npt.NDArray[np.bool_]:
    """Return the connected places of at least this area."""
    opened = cv2.morphologyEx(places.astype(np.uint8), cv2.MORPH_OPEN, _disc(_NARROWEST_PX // 2))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    large = stats[:, cv2.CC_STAT_AREA] >= least
    large[0] = False
    return np.asarray(large[labels], np.bool_)


def enclosed(person: Pixels) -> npt.NDArray[np.bool_]:
    """Return the background (H, W) of a person, 1 or 0, that does not reach the border of the
    frame.
    """
    _, labels = cv2.connectedComponents(1 - person, connectivity=4)
    outer = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    return np.asarray((person == 0) & ~np.isin(labels, outer))


def _disc(radius: int) -> Pixels:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2), np.uint8)
