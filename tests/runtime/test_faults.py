"""Every stage fails in every way at every moment: the room never shows, and the pipeline recovers or stops."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from app.core.settings import EngineSettings, FramingSettings
from app.testing.parts import FakeEngine
from tests.fakes.world import BASE, IMPATIENT, FakeWorld, check_the_room_never_shows, composites, each_failure, running

STAGES = (
    "open_source",
    "read",
    "close_source",
    "build_engine",
    "reset",
    "step",
    "open_background",
    "backdrop",
    "open_virtual_camera",
    "virtual_camera",
    "open_pipewire_camera",
    "pipewire_camera",
    "open_recorder",
    "recorder",
)


@each_failure(STAGES, ["start", "middle", "switch", "shutdown"])
def test_the_room_never_shows(stage: str, kind: str, moment: str, tmp_path: Path, world: FakeWorld) -> None:
    world.node = 1
    check_the_room_never_shows(world, stage, kind, moment, tmp_path)


def test_out_of_memory_on_a_gpu_falls_back_to_a_smaller_ratio_and_then_the_cpu(world: FakeWorld) -> None:
    tried: list[tuple[str, float | None]] = []

    def build(settings: EngineSettings, width: int, height: int, framing: FramingSettings) -> FakeEngine:
        tried.append((settings.device, settings.downsample_ratio))
        if settings.device != "cpu":
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
        return FakeEngine(settings, width, height, world.faults)

    settings = BASE.replace(matting=BASE.matting.replace(device="cuda", downsample_ratio=0.4))
    with running(world, settings, IMPATIENT, parts=replace(world.parts(), build_engine=build)) as pipeline:
        composites(pipeline, 5)
    assert tried == [("cuda", 0.4), ("cuda", 0.2), ("cuda", 0.1), ("cpu", None)]
