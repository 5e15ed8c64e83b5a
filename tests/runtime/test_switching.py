"""A running pipeline: what reaches outputs, preview and listeners, and changes of the settings meanwhile."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from app.core.errors import BackgroundError, ModelError, SourceOpenError
from app.core.settings import BackgroundSettings, Model, Settings
from app.core.stage import Stage
from app.core.types import AlphaImage, Picture, PictureKind
from app.runtime.pipeline import Pipeline
from app.runtime.shared import SettingsOwner, rebase
from app.runtime.status import Phase
from app.testing.parts import HEIGHT, PERSON, WIDTH, FakeEngine, shows_room
from tests.fakes.world import BASE, FakeWorld, apply, composites, ignore, kinds, running
from tests.waiting import beside, eventually


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


def test_a_change_returns_the_new_settings_and_an_equal_one_notifies_nobody() -> None:
    owner = SettingsOwner(BASE)
    notified: list[bool] = []
    owner.listen(lambda: notified.append(owner.current.paused))
    assert owner.change(lambda settings: settings.replace(paused=True)).paused
    assert owner.change(lambda settings: settings.replace(paused=True)) is owner.current
    assert notified == [True], "an equal value is no change"


def test_no_change_of_several_threads_is_lost() -> None:
    owner = SettingsOwner(BASE)

    def rise(settings: Settings) -> Settings:
        return settings.replace(capture=settings.capture.replace(width=settings.capture.width + 1))

    for rises in [beside(lambda: [owner.change(rise) for _ in range(50)]) for _ in range(4)]:
        rises.result(60)
    assert owner.current.capture.width == BASE.capture.width + 200


def test_a_stale_snapshot_cannot_undo_a_privacy_command() -> None:
    """The window edits what it saw before `pause` and before "none" was left."""
    seen = BASE.replace(background=BASE.background.replace(kind="none"))
    owner = SettingsOwner(seen)
    edited = seen.replace(
        matting=seen.matting.replace(downsample_ratio=0.3), background=seen.background.replace(blur_strength=10)
    )
    owner.change(lambda settings: settings.replace(paused=True))
    owner.change(lambda settings: settings.replace(background=settings.background.replace(kind="blur")))
    merged = owner.change(lambda settings: rebase(settings, seen, edited))
    assert merged.paused
    assert merged.background.kind == "blur"
    assert merged.background.blur_strength == 10
    assert merged.matting.downsample_ratio == 0.3


def test_a_failing_switch_keeps_what_worked(world: FakeWorld, pipeline: Pipeline) -> None:

    world.faults.put("build_engine", ModelError("The model does not fit; choose another."))
    apply(pipeline, BASE.replace(matting=BASE.matting.replace(model="rvm-resnet50")))
    eventually(lambda: any(problem.stage is Stage.MATTING for problem in pipeline.status().problems))
    composites(pipeline)
    engine = pipeline.status().engine
    assert engine is not None and engine.model == "auto"
    world.faults.put("open_source", SourceOpenError("There is no camera 7; plug it in."))
    apply(pipeline, BASE.replace(capture=BASE.capture.replace(source="camera:7")))
    eventually(lambda: any(problem.stage is Stage.CAPTURE for problem in pipeline.status().problems))
    composites(pipeline)
    source = pipeline.status().source
    assert source is not None and source.name == "fake"
    assert "There is no camera 7; plug it in." in pipeline.status().errors


def test_a_new_ratio_is_built_beside_the_running_engine(world: FakeWorld, pipeline: Pipeline) -> None:
    gate = threading.Event()
    world.faults.put("build_engine", lambda: ignore(gate.wait(60)))
    apply(pipeline, BASE.replace(matting=BASE.matting.replace(downsample_ratio=0.25)))
    eventually(lambda: pipeline.status().busy == "the model")
    composites(pipeline, 5)
    gate.set()
    eventually(lambda: ratio_of(pipeline) == 0.25)
    assert not world.faults.release.is_set()


def ratio_of(pipeline: Pipeline) -> float | None:
    """The ratio in use."""
    engine = pipeline.status().engine
    return engine.downsample_ratio if engine else None


def test_a_new_engine_is_told_who_is_in_the_picture(world: FakeWorld) -> None:
    known: list[bool] = []

    class Engine(FakeEngine):
        def reset(self, seen: AlphaImage | None = None) -> None:
            known.append(seen is not None and bool(seen.any()))

    world.engine = Engine
    with running(world) as pipeline:
        composites(pipeline)
        assert known[-1] is False, "the first engine of a stream knows nobody"
        pipeline.change(lambda settings: settings.replace(matting=settings.matting.replace(downsample_ratio=0.25)))
        eventually(lambda: known[-1])


def test_a_retry_reads_the_files_again_that_were_missing(tmp_path: Path, world: FakeWorld) -> None:
    """It tried cameras and engines alone, so that *Try again* did nothing for a card."""
    files = [tmp_path / f"{name}.png" for name in ("background", "card")]
    settings = BASE.replace(
        background=BackgroundSettings(kind="image", path=files[0]),
        output=BASE.output.replace(standby_image=files[1]),
    )

    def shows(grey: int, row: int, column: int) -> bool:
        return tuple(world.newest().image[row, column]) == (grey,) * 3

    with running(world, settings) as pipeline:
        eventually(lambda: len(pipeline.status().problems) == 2)
        for file, grey in zip(files, (200, 50), strict=True):
            cv2.imwrite(str(file), np.full((HEIGHT, WIDTH, 3), grey, np.uint8))
        pipeline.retry()
        eventually(lambda: not pipeline.status().problems and shows(200, 0, 0))
        apply(pipeline, settings.replace(paused=True))
        eventually(lambda: shows(50, 0, 0))
