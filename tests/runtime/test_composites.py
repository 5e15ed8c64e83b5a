"""Composites reach the outputs, the preview and its listeners, from the start of a pipeline to its stop."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from app.core.errors import BackgroundError
from app.core.settings import Model
from app.core.types import Picture, PictureKind
from app.runtime.status import Phase
from app.testing.parts import PERSON, shows_room
from tests.fakes.world import FakeWorld
from tests.runtime.running import BASE, apply, composites, kinds, running
from tests.waiting import eventually


def test_composites_come_out_and_the_room_does_not(world: FakeWorld) -> None:
    world.faults.put("build_engine", lambda: eventually(lambda: PictureKind.STANDBY in kinds(world)))
    with running(world) as pipeline:
        composites(pipeline, 10)
        eventually(lambda: PictureKind.COMPOSITE in kinds(world))
        status = pipeline.status()
    pictures = world.pictures()
    assert pictures[0].kind is PictureKind.STANDBY, "the stand-by card comes before the first matte"
    assert not any(shows_room(picture.image) for picture in pictures)
    composite = next(picture for picture in pictures if picture.kind is PictureKind.COMPOSITE)
    assert tuple(composite.image[0, 0]) == (255, 0, 0)
    assert tuple(composite.image[30, 32]) == PERSON
    assert status.engine is not None and status.engine.executor == "fake"
    assert status.latency_ms.step.median > 0
    assert status.size == (64, 48)
    assert not status.problems


@pytest.mark.parametrize("background", ["opens", "does not open"])
def test_no_settings_are_made_for_a_frame(background: str, monkeypatch: pytest.MonkeyPatch, world: FakeWorld) -> None:
    """To validate them takes too long for each frame; capture did it, and matting until the background was open."""
    made: list[str] = []
    replace = Model.replace

    def noted(self: Model, **changes: Any) -> Model:
        made.append(f"{threading.current_thread().name}: {changes}")
        return replace(self, **changes)

    with running(world) as pipeline:
        composites(pipeline)
        if background == "does not open":
            world.faults.put("open_background", BackgroundError("The picture is missing."))
            apply(pipeline, BASE.replace(background=BASE.background.replace(colour="#010203")))
            eventually(lambda: bool(pipeline.status().problems))
        monkeypatch.setattr(Model, "replace", noted)
        composites(pipeline, 10)
        assert not made


def test_mirror_flips_the_output_alone(world: FakeWorld) -> None:
    previews: dict[int, Picture] = {}
    pairs: list[tuple[Picture, Picture]] = []

    def in_both() -> bool:
        preview = pipeline.preview.get(60)
        if preview is not None and preview.frame is not None:
            previews[preview.frame.index] = preview
        sent = [picture for picture in world.pictures() if picture.frame is not None]
        pairs.extend((each, previews[each.frame.index]) for each in sent if each.frame and each.frame.index in previews)
        return bool(pairs)

    with running(world, BASE.replace(output=BASE.output.replace(mirror=True))) as pipeline:
        composites(pipeline)
        eventually(in_both)
    assert all(preview.alpha is not None for _, preview in pairs)
    assert all(np.array_equal(sent.image[:, ::-1], preview.image) for sent, preview in pairs)


def test_the_foreground_is_made_only_when_asked_for(world: FakeWorld) -> None:
    with running(world) as pipeline:
        eventually(lambda: PictureKind.COMPOSITE in kinds(world))
        pipeline.demand.want_foreground = True
        eventually(lambda: (picture := pipeline.preview.get(60)) is not None and picture.foreground is not None)
    early = next(picture for picture in world.pictures() if picture.kind is PictureKind.COMPOSITE)
    assert early.foreground is None


def test_stop_before_anything_was_started_or_a_second_time_is_harmless(world: FakeWorld) -> None:
    with running(world) as pipeline:
        assert pipeline.stop()
    assert pipeline.status().phase is Phase.STOPPED
