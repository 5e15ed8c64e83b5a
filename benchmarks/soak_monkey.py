"""What happens to the pipeline in a soak: stand-ins that run as fast as they can, and a monkey that
breaks them.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

import numpy as np

from app.backgrounds import Background, open_background
from app.core.errors import MattecamError, MicrophoneError, SinkOpenError
from app.core.settings import BackgroundSettings, CaptureSettings, EngineSettings
from app.core.types import BgrImage, Frame, Matte, Picture
from app.matting.interface import StepRequest
from app.output.base import FrameSink, SinkContext
from app.runtime.capture_worker import Preview
from app.runtime.context import PipelineParts, default_parts
from app.runtime.pipeline import Pipeline
from mattecam.testing import ROOM, FakeEngine, FakeSource, Fault, Faults, room_picture

FAULT_LASTS_S = 0.1
SCALE = 1 / 10
"""Frames of the stand-in are smaller than the settings say, so that many go through."""
ROOMS = {"auto": ROOM, "camera:0": ROOM, "camera:1": (211, 17, 140), "camera:2": (31, 57, 233)}
"""The colour of the room of each source. Nothing else has it: a pixel of it in an output shows that
room.
"""
STAGES = (
    "read",
    "step",
    "virtual_camera",
    "open_source",
    "build_engine",
    "open_background",
    "open_virtual_camera",
    "close_source",
    "reset",
)


class FastSource(FakeSource):
    """Gives the next frame as soon as the network took the last one: faster it would only starve
    the other threads.
    """

    def __init__(self, settings: CaptureSettings, world: SoakWorld) -> None:
        super().__init__(settings, world.faults, world.source_kind)
        self._taken = world.frame_taken
        width, height = round(settings.width * SCALE), round(settings.height * SCALE)
        self._image = room_picture(width, height)
        self._image[np.all(self._image == ROOM, axis=2)] = ROOMS[settings.source]
        self.info = replace(self.info, width=width, height=height)

    def read(self) -> Frame | None:
        self._taken.wait(0.01)
        self._taken.clear()
        self._faults.at("read")
        self._index += 1
        return Frame(self._image, self._index - 1, time.perf_counter())


class FastEngine(FakeEngine):
    """Tells the source that it took a frame."""

    def __init__(self, settings: EngineSettings, width: int, height: int, world: SoakWorld) -> None:
        super().__init__(settings, width, height, world.faults)
        self._taken = world.frame_taken

    def matte(self, step: StepRequest) -> Matte:
        self._taken.set()
        return super().matte(step)


class WatchedSink(FrameSink):
    """Looks at every picture and keeps none."""

    def __init__(self, world: SoakWorld) -> None:
        self.name = "virtual_camera"
        self.device = "/dev/video99"
        self._world = world

    def send(self, picture: Picture) -> None:
        self._world.faults.at("virtual_camera")
        self._world.sent += 1
        self._world.leaks.update(rooms_in(picture.image))

    def close(self) -> None:
        self._world.faults.at("close_virtual_camera")


def rooms_in(image: BgrImage) -> list[str]:
    """Return the sources whose room an output shows although nobody asked for it."""
    colours = image.astype(np.uint32) @ np.array((1 << 16, 1 << 8, 1), np.uint32)
    return [
        source
        for source, (blue, green, red) in ROOMS.items()
        if source != "auto" and np.any(colours == (blue << 16 | green << 8 | red))
    ]


class Readers:
    """As many readers of the virtual camera as the world says."""

    def __init__(self, world: SoakWorld) -> None:
        self._world = world

    def readers(self) -> range | None:
        return None if self._world.readers is None else range(self._world.readers)

    def close(self) -> None:
        pass


class SoakWorld:
    """Stand-ins for what differs between machines: devices and network; everything else is real."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.readers: int | None = None
        self.source_kind = "file"
        self.sent = 0
        self.leaks: Counter[str] = Counter()
        """Pictures with the room, by source."""
        self.frame_taken = threading.Event()

    def parts(self) -> PipelineParts:
        return replace(
            default_parts().with_sinks(
                virtual_camera=lambda choice, width, height, context: self._open_camera(),
                pipewire=_no_pipewire,
            ),
            open_source=lambda settings: FastSource(settings, self),
            build_engine=lambda settings, width, height, framing: FastEngine(
                settings, width, height, self
            ),
            open_background=self._open_background,
            open_microphone=_no_microphone,
            watch_readers=lambda device: Readers(self),
            self_test=lambda engine, width, height: None,
            preparation=None,
        )

    def _open_background(self, settings: BackgroundSettings) -> Background:
        self.faults.at("open_background")
        return open_background(settings)

    def _open_camera(self) -> WatchedSink:
        self.faults.at("open_virtual_camera")
        return WatchedSink(self)


class Monkey:
    """Does at random what drivers, disks and other programs do."""

    def __init__(self, pipeline: Pipeline, world: SoakWorld | None, seed: int) -> None:
        self._pipeline = pipeline
        self._world = world
        self._dice = random.Random(seed)
        self.acts: Counter[str] = Counter()

    def act(self) -> None:
        """One thing; undone, where it would stop the frames, at once or by the next."""
        deeds: list[tuple[str, Callable[[], None]]] = [("foreground", self._foreground)]
        if self._world is not None:
            world = self._world
            deeds += [("fault", lambda: self._fault(world)), ("world", lambda: self._change(world))]
        name, do = self._dice.choice(deeds)
        self.acts[name] += 1
        do()

    def _foreground(self) -> None:
        self._pipeline.demand.show_preview(Preview(with_foreground=self._dice.random() < 0.5))

    def _change(self, world: SoakWorld) -> None:
        world.readers = self._dice.choice((None, 0, 1))
        world.source_kind = self._dice.choice(("file", "camera"))

    def _fault(self, world: SoakWorld) -> None:
        stage, faults = self._dice.choice(STAGES), world.faults
        kinds: tuple[Fault, ...] = (
            MattecamError("The thing broke; mend it."),
            ValueError("not for users"),
            MemoryError(),
            lambda: faults.hang(FAULT_LASTS_S),
        )
        faults.release.clear()
        faults.put(stage, self._dice.choice(kinds))
        threading.Event().wait(FAULT_LASTS_S)
        faults.heal()
        self._pipeline.retry()


def _no_pipewire(choice: object, width: int, height: int, context: SinkContext) -> FrameSink:
    raise SinkOpenError("PipeWire does not answer.")


def _no_microphone(name: str) -> NoReturn:
    raise MicrophoneError(f"There is no microphone {name}.")
