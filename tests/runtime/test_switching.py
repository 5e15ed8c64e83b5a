"""Changes of a running pipeline: what worked stays in use until the new one works."""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np

from app.core.errors import ModelError, SourceOpenError
from app.core.settings import BackgroundSettings, MattingSettings, OverlaySettings
from app.core.stage import Stage
from app.core.types import AlphaImage
from app.runtime.pipeline import Pipeline
from app.testing.parts import HEIGHT, WIDTH, FakeEngine
from tests.fakes.world import FakeWorld
from tests.runtime.running import BASE, apply, composites, ignore, running
from tests.waiting import eventually


def test_a_failing_switch_keeps_what_worked() -> None:
    world = FakeWorld()

    with running(world) as pipeline:
        composites(pipeline)
        world.faults.put("build_engine", ModelError("The model does not fit; choose another."))
        apply(pipeline, BASE.replace(matting=MattingSettings(model="rvm-resnet50")))
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


def test_a_new_ratio_is_built_beside_the_running_engine() -> None:
    world = FakeWorld()
    with running(world) as pipeline:
        composites(pipeline)
        gate = threading.Event()
        world.faults.put("build_engine", lambda: ignore(gate.wait(60)))
        apply(pipeline, BASE.replace(matting=MattingSettings(downsample_ratio=0.25)))
        eventually(lambda: pipeline.status().busy == "the model")
        composites(pipeline, 5)
        gate.set()
        eventually(lambda: ratio_of(pipeline) == 0.25)
        assert not world.faults.release.is_set()


def ratio_of(pipeline: Pipeline) -> float | None:
    """The ratio in use."""
    engine = pipeline.status().engine
    return engine.downsample_ratio if engine else None


def test_a_new_engine_is_told_who_is_in_the_picture() -> None:
    known: list[bool] = []

    class Engine(FakeEngine):
        def reset(self, seen: AlphaImage | None = None) -> None:
            known.append(seen is not None and bool(seen.any()))

    world = FakeWorld()
    world.engine = Engine
    with running(world) as pipeline:
        composites(pipeline)
        assert known[-1] is False, "the first engine of a stream knows nobody"
        pipeline.change(lambda settings: settings.replace(matting=settings.matting.replace(downsample_ratio=0.25)))
        eventually(lambda: known[-1])


def test_a_retry_reads_the_files_again_that_were_missing(tmp_path: Path) -> None:
    """It tried cameras and engines alone, so that *Try again* did nothing for an overlay or a card."""
    files = [tmp_path / f"{name}.png" for name in ("background", "overlay", "card")]
    settings = BASE.replace(
        background=BackgroundSettings(kind="image", path=files[0]),
        overlay=OverlaySettings(file=files[1], place="centre"),
        output=BASE.output.replace(standby_image=files[2]),
    )
    world = FakeWorld()

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
