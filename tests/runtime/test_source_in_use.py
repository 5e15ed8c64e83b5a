"""What a running pipeline asks of its source, and what it says of a silent one."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.errors import PlateError
from app.core.settings import CaptureSettings, PeopleSettings, Zone
from app.core.types import PictureKind, SourceInfo
from app.matting.selection.governor import GovernorTiming
from app.runtime.timing import Timing
from app.testing.parts import FakeSource, shows_room
from tests.fakes.world import FakeWorld
from tests.runtime.running import BASE, apply, composites, running
from tests.waiting import eventually


def test_frames_that_the_governor_skips_are_not_decoded() -> None:
    world = FakeWorld()
    world.faults.put("step", lambda: time.sleep(0.01))  # the source gives a frame every 4 ms
    pinned = BASE.matting.replace(model="mattecam", downsample_ratio=0.5)
    slow = BASE.replace(matting=pinned, capture=BASE.capture.replace(fps=240))
    timing = Timing(governor=GovernorTiming(window_s=0.2, settle_s=0.05))
    with running(world, slow, timing) as pipeline:
        eventually(lambda: pipeline.status().lowered is not None)
        (source,) = world.sources
        skipped = source.skipped
        composites(pipeline, 30)
        assert source.skipped >= skipped + 5
        assert not pipeline.status().problems
    assert not any(shows_room(picture.image) for picture in world.pictures())


def test_the_camera_holds_its_light_while_it_is_compared_with_a_plate(tmp_path: Path) -> None:
    world = FakeWorld()
    plate = BASE.matting.replace(plate=tmp_path / "plate.png")
    with running(world) as pipeline:
        composites(pipeline)
        (source,) = world.sources
        assert not source.holds_exposure
        for model in ("bgmv2-mobilenetv2", "mattecam", "bgmv2-resnet50"):
            apply(pipeline, BASE.replace(matting=plate.replace(model=model)))
            eventually(lambda: source.holds_exposure == model.startswith("bgmv2"))  # noqa: B023 - called at once
        world.faults.put("step", PlateError("The room has changed."))
        eventually(lambda: any("has changed" in problem.message for problem in pipeline.status().problems))
        world.faults.heal()
        eventually(lambda: not source.holds_exposure)
        apply(pipeline, BASE.replace(capture=BASE.capture.replace(lock_exposure=True)))
        eventually(lambda: source.holds_exposure)
    assert world.sources == [source], "for that, no camera is opened anew"


@pytest.mark.parametrize(("is_virtual", "blamed"), [(False, "check its cable"), (True, "The program that sends to")])
def test_a_silent_source_names_what_to_check(is_virtual: bool, blamed: str, caplog: pytest.LogCaptureFixture) -> None:
    world = FakeWorld()

    class Silent(FakeSource):
        def read(self) -> None:
            self._pace.wait(0.004)

    def opened(settings: CaptureSettings) -> Silent:
        source = Silent(settings, world.faults, "camera")
        source.info = replace(source.info, is_virtual=is_virtual)
        return source

    with running(world, BASE, Timing(source_timeout_s=0.1), parts=replace(world.parts(), open_source=opened)):
        eventually(lambda: blamed in caplog.text)


class Second(FakeSource):
    """Delivers nothing."""

    def read(self) -> None:
        self._pace.wait(0.02)


def test_a_switch_of_the_camera_shapes_each_frame_by_the_zones_of_its_own_camera() -> None:
    """The last frames of the first camera were shaped by the zones of the second one, and showed the room."""
    world = FakeWorld()

    def opened(settings: CaptureSettings) -> FakeSource:
        return (Second if settings.source == "second" else FakeSource)(settings, world.faults, "camera")

    first = BASE.replace(capture=BASE.capture.replace(source="first"))
    keep = Zone(kind="keep", camera="second", filled=True, points=((0, 0), (0.3, 0), (0.3, 1), (0, 1)))
    with running(world, first, parts=replace(world.parts(), open_source=opened)) as pipeline:
        composites(pipeline)
        entered, go_on = threading.Event(), threading.Event()

        def hold() -> None:
            entered.set()
            go_on.wait(10)

        world.faults.put("step", hold)
        assert entered.wait(10)
        eventually(lambda: pipeline.status().frames_dropped > 0)  # a frame of the first camera waits
        second = first.capture.replace(source="second")
        pipeline.change(lambda now: now.replace(capture=second, people=PeopleSettings(zones=(keep,))))
        eventually(lambda: (pipeline.status().source or SourceInfo("", "", "", 0, 0, 0, "")).id == "second")
        assert pipeline.newest_frame is not None and pipeline.newest_frame.camera == "first"
        before = len(world.pictures())
        go_on.set()
        world.faults.heal()
        eventually(lambda: len(world.pictures()) > before + 20)
        after = [picture for picture in world.pictures()[before:] if picture.kind is PictureKind.COMPOSITE]
        assert not any(shows_room(picture.image) for picture in after)
