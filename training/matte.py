"""Checks and corrections of the teacher's mattes."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

DISAGREE = 0.5
"""Overlap with a person's mask below which a matte belongs to another person."""
_AGREE = 0.85
_OUTLINE_REACH = 0.06
"""Reach of hair and motion blur from the outline, as a fraction of the longer side."""


def overlap(one: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_]) -> float:
    """Return the intersection over union of two masks (H, W); 1 if both are empty."""
    union = int((one | other).sum())
    return int((one & other).sum()) / union if union else 1.0


def corrected(alpha: Pixels, mask: Pixels) -> tuple[Pixels, float]:
    """Return the teacher's alpha (H, W), corrected by a person's mask if they disagree, and their
    agreement.

    The agreement is the intersection over union at 0.5. If it is low, alpha well outside the mask
    becomes 0 and well inside it 255. Returns uint8 (H, W, 1) and 0..1.
    """
    height, width = alpha.shape
    inside = cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR) > 127
    person = alpha > 127
    agreement = overlap(inside, person)
    if agreement < _AGREE:
        reach = max(3, round(0.03 * max(height, width))) | 1
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
        core = cv2.erode(inside.astype(np.uint8), kernel) > 0
        near = cv2.dilate(inside.astype(np.uint8), kernel) > 0
        alpha = np.where(core, np.uint8(255), np.where(near, alpha, np.uint8(0)))
    return alpha[..., None], agreement


def decided(alpha: Pixels) -> Pixels:
    """Return the alpha, uint8 (H, W, 1), with undecided values far from the outline set to 0 or
    255.

    Half-transparent regions of the teacher are wrong; a student would learn to be undecided from
    them.
    """
    person = (alpha[..., 0] > 127).astype(np.uint8)
    reach = max(4, round(_OUTLINE_REACH * max(alpha.shape[:2])))
    distance = cv2.distanceTransform(person, cv2.DIST_L2, 3) + cv2.distanceTransform(
        1 - person, cv2.DIST_L2, 3
    )
    far = distance > reach
    return np.where(far, np.uint8(255) * person, alpha[..., 0])[..., None]


def judge(alpha: Pixels) -> tuple[bool, bool]:
    """Return (usable as it is, good enough to cut out) for the teacher's alpha, uint8 (H, W).

    Not usable: no person, much of the person half transparent, or many fragments.
    """
    person = (alpha > 127).astype(np.uint8)
    area = int(person.sum())
    if area < 0.02 * alpha.size:
        return False, False
    value = alpha.astype(np.float32) / 255
    doubt = float((value * (1 - value)).sum()) * 4 / area
    _, _, stats, _ = cv2.connectedComponentsWithStats(person, connectivity=4)
    largest = int(stats[1:, cv2.CC_STAT_AREA].max()) / area
    return doubt < 0.25 and largest > 0.6, doubt < 0.12 and largest > 0.9
