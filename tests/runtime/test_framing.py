"""Framing in the running pipeline: what leaves, and that a plate is compared with the same crop only."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np

from app.core.framing import framed
from app.core.settings import EngineSettings, FramingSettings, MattingSettings
from app.core.types import BgrImage, BlurredBackground, Frame, Matte
from app.matting.base.interface import MattingEngine
from app.runtime.pipeline import Pipeline
from app.testing.parts import PERSON, FakeEngine, FakeSource, StepInput, room_picture, shows_room
from tests.fakes.world import FakeWorld
from tests.runtime.previewed import newest
from tests.runtime.running import BASE, apply, composites, running
from tests.waiting import eventually

CLOSE_UP = FramingSettings(zoom=4, pan_y=1)
"""Shows the person only."""


def shows_only_the_person(pipeline: Pipeline) -> bool:
    picture = pipeline.preview.get(0.1)
    return picture is not None and bool(np.all(picture.image == np.array(PERSON, np.uint8)))


def test_the_outputs_show_the_part_and_the_plate_sees_the_whole() -> None:
    world = FakeWorld()
    with running(world) as pipeline:
        composites(pipeline)
        apply(pipeline, BASE.replace(framing=CLOSE_UP))
        eventually(lambda: shows_only_the_person(pipeline))
        whole = newest(pipeline).whole
        assert whole is not None
        np.testing.assert_array_equal(whole[1:], room_picture()[1:])
        apply(pipeline, BASE.replace(framing=CLOSE_UP, background=BASE.background.replace(kind="none")))
        eventually(lambda: pipeline.status().unmatted and shows_only_the_person(pipeline))
        apply(pipeline, BASE)
        eventually(lambda: not shows_only_the_person(pipeline))
    assert not any(shows_room(picture.image) for picture in world.pictures() if picture.kind.name == "COMPOSITE")


def empty_room(width: int, height: int) -> BgrImage:
    """No two columns alike."""
    image = np.empty((height, width, 3), np.uint8)
    image[:] = np.linspace(20, 120, width, dtype=np.uint8)[None, :, None]
    return image


class EmptyRoom(FakeSource):
    """Nobody is there."""

    def read(self) -> Frame | None:
        frame = super().read()
        return frame and replace(frame, image=empty_room(*frame.size))


class PlateLikeEngine(FakeEngine):
    """Checks that its frames show the same crop as its plate."""

    def __init__(self, settings: EngineSettings, size: tuple[int, int], framing: FramingSettings, world: FakeWorld):
        super().__init__(settings, *size, world.faults)
        self.plate = framed(empty_room(*size), framing) if settings.plate is not None else None

    def matte(self, step: StepInput) -> Matte:
        assert isinstance(step.backdrop, np.ndarray)
        assert self.plate is None or np.array_equal(step.frame, self.plate), "another part of the room than the plate's"
        return Matte(step.backdrop.copy(), np.zeros(step.frame.shape[:2], np.uint8))


def test_with_a_plate_the_framing_changes_together_with_the_engine(tmp_path: Path) -> None:
    world = FakeWorld()
    gate = threading.Event()

    def build(settings: EngineSettings, width: int, height: int, framing: FramingSettings) -> MattingEngine:
        if framing.zoom == 2:
            assert gate.wait(10)
        return PlateLikeEngine(settings, (width, height), framing, world)

    parts = replace(
        world.parts(),
        build_engine=build,
        open_source=lambda settings: EmptyRoom(settings, world.faults, "file"),
    )
    base = BASE.replace(matting=MattingSettings(model="bgmv2-mobilenetv2", plate=tmp_path / "plate.png"))
    with running(world, base, parts=parts) as pipeline:
        composites(pipeline)
        apply(pipeline, base.replace(framing=FramingSettings(zoom=2, pan_x=0.5)))
        eventually(lambda: pipeline.status().busy == "the model")
        composites(pipeline)
        assert newest(pipeline).whole is None, "the engine in use knows the whole room only"
        gate.set()
        eventually(lambda: newest(pipeline).whole is not None)
        composites(pipeline)
        apply(pipeline, base.replace(matting=MattingSettings(), framing=FramingSettings(zoom=2)))
        composites(pipeline)
        assert not pipeline.status().errors


def test_the_engine_learns_how_far_the_frame_is_magnified() -> None:
    class Noting(FakeEngine):
        def matte(self, step: StepInput) -> Matte:
            if isinstance(step.backdrop, BlurredBackground):
                zooms.add(step.backdrop.zoom)
            return super().matte(replace(step, backdrop=np.zeros_like(step.frame)))

    world, zooms = FakeWorld(), set[float]()
    blurred = BASE.replace(background=BASE.background.replace(kind="blur"), framing=CLOSE_UP)
    parts = replace(
        world.parts(),
        build_engine=lambda settings, width, height, framing: Noting(settings, width, height, world.faults),
    )
    with running(world, blurred, parts=parts) as pipeline:
        composites(pipeline)
        assert zooms == {CLOSE_UP.zoom}
