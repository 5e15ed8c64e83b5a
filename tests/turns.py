"""Every way in which a camera may hang."""

from __future__ import annotations

from itertools import product
from typing import get_args

from app.core.types import Orientation, Rotation

TURNS = [Orientation(rotate, flip) for rotate, flip in product(get_args(Rotation), (False, True))]
