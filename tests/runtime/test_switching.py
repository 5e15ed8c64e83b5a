"""Changes of the settings are atomic; in a running pipeline, what worked stays in use until the new one works."""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np

from app.core.errors import ModelError, SourceOpenError
from app.core.settings import BackgroundSettings, OverlaySettings, Settings
from app.core.stage import Stage
from app.core.types import AlphaImage
from app.runtime.pipeline import Pipeline
from app.runtime.shared import SettingsOwner, rebase
from app.testing.parts import HEIGHT, WIDTH, FakeEngine
from tests.fakes.world import FakeWorld
from tests.runtime.running import BASE, apply, composites, ignore, running
from tests.waiting import beside, eventually


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
    """It tried cameras and engines alone, so that *Try again* did nothing for an overlay or a card."""
    files = [tmp_path / f"{name}.png" for name in ("background", "overlay", "card")]
    settings = BASE.replace(
        background=BackgroundSettings(kind="image", path=files[0]),
        overlay=OverlaySettings(file=files[1], place="centre"),
        output=BASE.output.replace(standby_image=files[2]),
    )

    def shows(grey: int, row: int, column: int) -> bool:
        return tuple(world.newest().image[row, column]) == (grey,) * 3

    with running(world, settings) as pipeline:
        eventually(lambda: len(pipeline.status().problems) == 3)
        for file, grey in zip(files, (200, 100, 50), strict=True):
            cv2.imwrite(str(file), np.full((HEIGHT, WIDTH, 3), grey, np.uint8))
        pipeline.retry()
        eventually(lambda: not pipeline.status().problems and shows(200, 0, 0) and shows(100, 24, 32))
        apply(pipeline, settings.replace(paused=True))
        eventually(lambda: shows(50, 0, 0))
