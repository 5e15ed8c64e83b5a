"""The crop of the frames changes while mattes of a server far away are on their way: the real engine in a pipeline."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from app.core.settings import FramingSettings, PeopleSettings, Zone
from app.core.types import AlphaImage, BgrImage, Picture, PictureKind
from app.runtime.pipeline import Pipeline
from app.testing.parts import PERSON
from service.client.engine import RemoteEngine
from service.client.link import Received
from tests.fakes.server import SERVER
from tests.fakes.world import FakeWorld
from tests.runtime.running import REMOTE, composites, running
from tests.waiting import eventually

DELAY = 8
"""The mattes are so many frames late."""
CLOSE = FramingSettings(zoom=2.6)
"""It shows so much more of the person that the server would be suspected without a change of the crop."""
TOP = np.s_[2, 32]
"""A pixel that shows the person in the close view alone."""


def person(image: BgrImage) -> AlphaImage:
    near = np.abs(image.astype(int) - PERSON).max(axis=2) < 60
    return np.where(near, 255, 0).astype(np.uint8)


class FarLink:
    """Answers each frame `DELAY` frames later."""

    server = SERVER

    def __init__(self) -> None:
        self._sent: list[tuple[int, AlphaImage]] = []

    def exchange(self, image: NDArray[np.uint8], number: int, after: int | None, timeout_s: float) -> Received:
        self._sent.append((number, person(image)))
        return Received(*self._sent[-1 - DELAY if len(self._sent) > DELAY else 0])

    def close(self) -> None:
        self._sent.clear()


def of_close_view(world: FakeWorld, pipeline: Pipeline) -> list[Picture]:
    """Return what left as pictures of the settings in force."""
    hides = pipeline.settings.hides
    return [each for each in world.pictures() if each.kind is PictureKind.COMPOSITE and each.hides == hides]


@pytest.mark.parametrize("edited", [False, True], ids=["plain", "edited"])
def test_a_freeze_after_a_zoom_keeps_no_wider_view(edited: bool) -> None:
    """The frozen picture was one of the frames that had been sent before the zoom, taken for one of the new view."""
    world = FakeWorld()
    zone = Zone(kind="drop", points=((0.9, 0.9),))
    settings = REMOTE.replace(people=PeopleSettings(zones=(zone,) if edited else ()))
    parts = replace(
        world.parts(), build_engine=lambda _, width, height, __: RemoteEngine(FarLink(), width, height, look=person)
    )
    with running(world, settings, parts=parts) as pipeline:
        composites(pipeline, 2 * DELAY)
        pipeline.change(lambda now: now.replace(framing=CLOSE))
        eventually(lambda: bool(of_close_view(world, pipeline)))
        pipeline.change(lambda now: now.replace(frozen=True))
        sent = len(world.pictures())
        eventually(lambda: len(world.pictures()) > sent + 10)
        assert not pipeline.status().problems
        assert all(np.abs(each.image[TOP].astype(int) - PERSON).max() < 60 for each in of_close_view(world, pipeline))
