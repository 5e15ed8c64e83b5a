"""Limbs: arms, hands and legs, which are thin beside the rest of a person."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from training.gaps import large

Pixels = npt.NDArray[np.uint8]

_PERSON = 127
_THIN = 0.09
"""Radius of the largest disc that fits into no arm, as a fraction of the side of a square as large
as the person.
"""
_ROUND = 1.1
"""Corners are left over beside discs of exactly this radius."""


def limbs(alpha: Pixels) -> npt.NDArray[np.bool_]:
    """Return where a person of this alpha (H, W), 0 to 255, is thin, (H, W): what no disc covers
    that fits into it.
    """
    person = np.asarray(alpha > _PERSON)
    radius = _THIN * float(np.sqrt(person.sum()))
    # Without background there is no distance to it.
    thick = _distance(person) > radius if not person.all() else person
    if not thick.any():
        return np.zeros_like(person)
    return large(person & (_distance(~thick) > _ROUND * radius), radius**2)


def _distance(places: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """Return the distance of each place to the nearest other one, in pixels."""
    return np.asarray(cv2.distanceTransform(places.astype(np.uint8), cv2.DIST_L2, 5), np.float32)
