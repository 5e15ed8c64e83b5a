"""Sources on a computer where no program sends to a virtual camera, and every way in which a camera may hang."""

from __future__ import annotations

from itertools import product
from typing import get_args

from app.capture import SourceOpener
from app.capture.base import FrameSource
from app.core.settings import CaptureSettings
from app.core.types import Orientation, Rotation
from tests.stand_ins import always


def new_opener() -> SourceOpener:
    return SourceOpener(always(False))


def open_source(settings: CaptureSettings) -> FrameSource:
    return new_opener()(settings)


TURNS = [Orientation(rotate, flip) for rotate, flip in product(get_args(Rotation), (False, True))]
