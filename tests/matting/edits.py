"""Edits of mattes, and engines that take them."""

from __future__ import annotations

import numpy as np

from app.core.matte_edit import MatteEdit, Plane, View
from app.core.settings import EdgeSettings
from tests.matting.stubs import Case

OFF = EdgeSettings(strict="off")


class Fixed:
    """Gives every frame the same edit, and keeps what it was given."""

    def __init__(self, edit: MatteEdit) -> None:
        self._edit = edit
        self.seen: list[tuple[Plane, Plane]] = []

    def edit(self, small: Plane, alpha: Plane) -> MatteEdit:
        self.seen.append((small, alpha))
        return self._edit


def random_edit(case: Case) -> MatteEdit:
    rng, size = case.rng, (case.geometry.small_height, case.geometry.small_width)
    keep = np.where(rng.random(size) < 0.3, rng.random(size), 0).astype(np.float32)
    gain = (rng.choice([0, 0.5, 1], size) * (1 - keep)).astype(np.float32)
    view_size = rng.uniform(0.2, 1)
    left, top = rng.uniform(0, 1 - view_size, 2)
    return MatteEdit(gain, keep, View(left, top, view_size))
