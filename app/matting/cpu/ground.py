"""Where the person touches the floor or the desk, and how far each row of the background lies from there.

On a plane seen from above, a lens blurs in proportion to the distance in rows from the row in focus. The row in focus
is that of the contact, and the blur is full at the height of the head, where the plane ends for a camera at eye level.
"""

from __future__ import annotations

import cv2
import numpy as np

from app.core.types import Floats
from app.matting.base.state import StateArrays

PERSON_ALPHA = 0.5
NARROWEST = 0.02
"""Rows with less of the person than this share of the width do not count."""
FOLLOW = 0.08
"""Share of the difference by which contact and head move per frame, against a jumping blur."""
LEAST_REACH = 0.25
"""Least distance from contact to full blur, as a fraction of the height."""
NOBODY = (1.0, 0.25)
"""Contact and head, as fractions of the height, until somebody was seen."""


class Ground:
    """Follows the rows of contact and head over the frames."""

    def __init__(self) -> None:
        self._rows: Floats | None = None

    def reset(self) -> None:
        """Forget the stream."""
        self._rows = None

    def state(self) -> StateArrays:
        """Return a copy of the rows, if somebody was seen."""
        return {} if self._rows is None else {"rows": self._rows.copy()}

    def load_state(self, arrays: StateArrays) -> None:
        """Restore the rows."""
        rows = arrays.get("rows")
        self._rows = None if rows is None else np.asarray(rows, np.float32).copy()

    def follow(self, alpha: Floats) -> Ground:
        """Look at the person in the matte (h, w) of the next frame, in 0..1; return self."""
        found = _rows_of(alpha)
        if found is not None:
            self._rows = found if self._rows is None else self._rows + np.float32(FOLLOW) * (found - self._rows)
        return self

    def distance(self, height: int) -> Floats:
        """Return how far each of `height` rows lies from the contact, (height,) in 0..1; 1 is full blur."""
        contact, head = NOBODY if self._rows is None else (float(row) for row in self._rows)
        reach = max(contact - head, LEAST_REACH)
        rows = (np.arange(height, dtype=np.float32) + 0.5) / height
        distance: Floats = np.minimum(np.abs(rows - np.float32(contact)) / np.float32(reach), 1).astype(np.float32)
        return distance


def _rows_of(alpha: Floats) -> Floats | None:
    """Return the rows of contact and head as fractions of the height, (2,); None for nobody."""
    height = alpha.shape[0]
    person = (alpha > np.float32(PERSON_ALPHA)).astype(np.uint8)
    share = np.asarray(cv2.reduce(person, 1, cv2.REDUCE_AVG, dtype=cv2.CV_32F), np.float32)[:, 0]
    rows = np.flatnonzero(share >= NARROWEST)
    if rows.size == 0:
        return None
    return np.array([(rows[-1] + 1) / height, rows[0] / height], np.float32)
