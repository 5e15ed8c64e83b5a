"""Pipelines in which a stage fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path

import pytest

from app.core.errors import MattecamError
from app.core.types import PictureKind
from app.runtime.pipeline import Pipeline
from app.testing.parts import FakeEngine, Fault, shows_room
from tests.fakes.world import FakeWorld
from tests.runtime.running import BASE, IMPATIENT, apply, composites
from tests.waiting import eventually

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
