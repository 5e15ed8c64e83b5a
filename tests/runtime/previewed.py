"""What the preview of a running pipeline shows."""

from __future__ import annotations

import numpy as np

from app.core.types import Frame, Picture
from app.runtime.pipeline import Pipeline
from app.testing.parts import PERSON


def shown(pipeline: Pipeline) -> Picture:
    """The next picture that is no stand-by card."""
    while True:
        picture = pipeline.preview.get(30)
        assert picture is not None
        if picture.frame is not None:
            return picture


def newest(pipeline: Pipeline) -> Frame:
    """The frame of the next picture that is no stand-by card."""
    frame = shown(pipeline).frame
    assert frame is not None
    return frame


def person_share(pipeline: Pipeline) -> float:
    """Return the share of the next composite that shows the person."""
    return float(np.mean(np.all(shown(pipeline).image == np.array(PERSON, np.uint8), axis=2)))


def shown_in(pipeline: Pipeline, colour: tuple[int, int, int]) -> set[int]:
    """Return the columns of the next composite that hold this colour."""
    picture = shown(pipeline)
    return set(np.flatnonzero(np.all(picture.image == np.array(colour, np.uint8), axis=2).any(0)).tolist())
