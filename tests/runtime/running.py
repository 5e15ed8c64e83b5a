"""Starts a pipeline with replaceable parts, waits for what comes out of it, and lets a stage of it fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from app.core.errors import MattecamError
from app.core.settings import (
    BackgroundSettings,
    CaptureSettings,
    MattingSettings,
    OutputSettings,
    Settings,
)
from app.core.types import BgrImage, Frame, Picture, PictureKind
from app.runtime.parts import Parts
from app.runtime.pipeline import Pipeline
from app.runtime.status import Phase
from app.runtime.timing import Timing
from app.testing.parts import PERSON, FakeEngine, Fault, shows_room
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


def shows_person(image: BgrImage) -> bool:
    """Whether any pixel has the person's colour."""
    return bool(np.any(np.all(image == np.array(PERSON, np.uint8), axis=2)))


def person_share(pipeline: Pipeline) -> float:
    """Return the share of the next composite that shows the person."""
    return float(np.mean(np.all(shown(pipeline).image == np.array(PERSON, np.uint8), axis=2)))


def shown_in(pipeline: Pipeline, colour: tuple[int, int, int]) -> set[int]:
    """Return the columns of the next composite that hold this colour."""
    picture = shown(pipeline)
    return set(np.flatnonzero(np.all(picture.image == np.array(colour, np.uint8), axis=2).any(0)).tolist())


ERRORS: dict[str, Callable[[], Exception]] = {
    "named": lambda: MattecamError("The thing broke; mend it."),
    "unnamed": lambda: ValueError("not for users"),
    "memory": MemoryError,
}
ENGINE = ("build_engine", "reset", "step", "finish")


def each_failure(stages: Sequence[str], moments: Sequence[str]) -> pytest.MarkDecorator:
    """Run a test for each stage, kind and moment; of the errors, one is not `long`.

    A lack of memory is told from other errors of an engine alone.
    """
    cases = []
    for (number, moment), (index, stage) in product(enumerate(moments), enumerate(stages)):
        errors = [kind for kind in ERRORS if kind != "memory" or stage in ENGINE]
        now = errors[(number + index) % len(errors)]
        marks = dict.fromkeys(errors, (pytest.mark.long,)) | {now: (), "hang": ()}
        cases += [pytest.param(stage, kind, moment, marks=each) for kind, each in marks.items()]
    return pytest.mark.parametrize(("stage", "kind", "moment"), cases)


def _shown(world: FakeWorld) -> bool:
    """Whether a composite has reached an output."""
    return any(picture.kind is PictureKind.COMPOSITE for picture in world.pictures())


def check_the_room_never_shows(world: FakeWorld, stage: str, kind: str, moment: str, folder: Path) -> None:
    """Run a pipeline in which a stage fails. folder: for its recordings."""
    settings = BASE.replace(output=BASE.output.replace(record=folder / "a.mp4"))
    running = Pipeline(settings, parts=world.parts(), timing=IMPATIENT)
    fault: Fault = world.faults.hang if kind == "hang" else ERRORS[kind]()
    if moment == "start":
        world.faults.put(stage, fault)
    running.start()
    try:
        if moment != "start":
            composites(running, 5)
            eventually(lambda: _shown(world))
            world.faults.put(stage, fault)
        if moment == "switch":
            apply(
                running,
                settings.replace(
                    capture=settings.capture.replace(source="another"),
                    matting=settings.matting.replace(downsample_ratio=0.3),
                    background=settings.background.replace(colour="#102030"),
                    output=settings.output.replace(virtual_camera="another", pipewire="on", record=folder / "b.mp4"),
                ),
            )
        if moment != "shutdown":
            if kind != "hang" or "virtual_camera" not in stage:
                eventually(lambda: len(world.pictures()) > 10)
            world.faults.heal()
            composites(running, 5)
            eventually(lambda: _shown(world))
    finally:
        if moment == "shutdown" and kind == "hang":
            # A driver that answers late: the stop waits for it.
            world.faults.release.set()
        assert running.stop(), "a thread did not end"
    assert FakeEngine.live == 0
    assert not any(shows_room(picture.image) for picture in world.pictures())
