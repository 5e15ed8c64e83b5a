"""Starts a pipeline with replaceable parts, and waits for what comes out of it and for what its preview shows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from app.core.settings import (
    BackgroundSettings,
    CaptureSettings,
    MattingSettings,
    OutputSettings,
    Settings,
)
from app.core.types import Frame, Picture, PictureKind
from app.runtime.parts import Parts
from app.runtime.pipeline import Pipeline
from app.runtime.status import Phase
from app.runtime.timing import Timing
from app.testing.parts import PERSON, FakeEngine
from tests.fakes.server import SERVER
from tests.fakes.world import FakeWorld
from tests.waiting import eventually

BASE = Settings(
    capture=CaptureSettings(source="fake", width=64, height=48, fps=120),
    matting=MattingSettings(governor=False),  # a busy machine misses the frame rate
    background=BackgroundSettings(kind="colour", colour="#0000ff"),
    output=OutputSettings(virtual_camera="fake"),
)


NONE = BASE.replace(background=BackgroundSettings(kind="none"))


@contextmanager
def running(
    world: FakeWorld, settings: Settings = BASE, timing: Timing | None = None, *, parts: Parts | None = None
) -> Iterator[Pipeline]:
    """Run a pipeline with the parts of the world, or with others; end what hangs and stop at the end."""
    pipeline = Pipeline(settings, parts=parts or world.parts(), timing=timing)
    pipeline.start()
    try:
        yield pipeline
    finally:
        world.faults.release.set()
        assert pipeline.stop(), "a thread did not end"
        assert FakeEngine.live == 0, "an engine was not closed"


def apply(pipeline: Pipeline, settings: Settings) -> None:
    """Replace all settings."""
    pipeline.change(lambda _: settings)


def composites(pipeline: Pipeline, more: int = 3) -> None:
    """Wait for some more composites."""
    goal = pipeline.status().frames_out + more
    eventually(lambda: pipeline.status().frames_out >= goal and pipeline.status().phase is Phase.RUNNING)


def stands_still(pipeline: Pipeline, world: FakeWorld) -> bool:
    """Whether the same picture is sent again and again, and no new one is made."""
    frames, pictures = pipeline.status().frames_out, len(world.pictures())
    eventually(lambda: len(world.pictures()) > pictures + 10)
    sent = world.pictures()[pictures:]
    return pipeline.status().frames_out == frames and all(picture is sent[0] for picture in sent)


def ignore(result: object) -> None:
    """Turns a call with a result into one without."""


def kinds(world: FakeWorld) -> set[PictureKind]:
    return {picture.kind for picture in world.pictures()}


IMPATIENT = Timing(stale_s=0.2, source_retry_s=0.05, engine_retry_s=0.05, sink_retry_s=0.05)


REMOTE = BASE.replace(matting=BASE.matting.replace(location="remote", server=SERVER))


def shown(pipeline: Pipeline) -> Picture:
    """The next picture that is no stand-by card."""
    while True:
        picture = pipeline.preview.get(60)
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
