"""What happens to the pipeline in a soak: stand-ins that run as fast as they can, and a monkey that changes things."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from app.core.errors import MattecamError
from app.core.settings import CaptureSettings, EdgeSettings, EngineSettings
from app.core.types import Backdrop, BgrImage, Frame, Matte, Picture
from app.media.video_writer import VideoWriter
from app.output.recorder import Recorder
from app.runtime.parts import Parts
from app.runtime.pipeline import Pipeline
from tests.fakes.engine import FakeEngine
from tests.fakes.room import HEIGHT, WIDTH, room_picture, shows_room
from tests.fakes.source import FakeSource
from tests.fakes.world import FakeWorld

FAULT_LASTS_S = 0.1
KEPT = 3
"""Newest recordings that are kept; older ones are removed, so that they do not fill the disk."""
STAGES = (
    "read",
    "step",
    "backdrop",
    "virtual_camera",
    "open_source",
    "build_engine",
    "open_background",
    "open_virtual_camera",
    "close_source",
    "reset",
)


class FastSource(FakeSource):
    """Gives the next frame as soon as the network took the last one: faster it would only starve the other threads."""

    def __init__(self, settings: CaptureSettings, world: SoakWorld) -> None:
        super().__init__(settings, world.faults, world.source_kind)
        self._taken = world.frame_taken
        self._image = room_picture()

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

    def step(self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, *, want_foreground: bool = False) -> Matte:
        self._taken.set()
        return super().step(frame, backdrop, edges, want_foreground=want_foreground)


class WatchedSink:
    """Looks at every picture and keeps none."""

    def __init__(self, world: SoakWorld) -> None:
        self.name = "virtual_camera"
        self.device = "/dev/video99"
        self._world = world

    def send(self, picture: Picture) -> None:
        self._world.faults.at("virtual_camera")
        self._world.sent += 1
        self._world.leaks += shows_room(picture.image)

    def close(self) -> None:
        self._world.faults.at("close_virtual_camera")


class SoakWorld(FakeWorld):
    """Stand-ins for source, network and virtual camera; everything else is real."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = 0
        self.leaks = 0
        self.frame_taken = threading.Event()

    def parts(self) -> Parts:
        return replace(
            super().parts(),
            open_source=lambda settings: FastSource(settings, self),
            build_engine=lambda settings, width, height, framing: FastEngine(settings, width, height, self),
            open_virtual_camera=lambda device, width, height, fps: self._open_camera(),
            open_recorder=Recorder,
        )

    def _open_camera(self) -> WatchedSink:
        self.faults.at("open_virtual_camera")
        return WatchedSink(self)


class Monkey:
    """Does at random what users, drivers and disks do."""

    def __init__(self, pipeline: Pipeline, world: SoakWorld | None, folder: Path, seed: int) -> None:
        self._pipeline = pipeline
        self._world = world
        self._folder = folder
        self._dice = random.Random(seed)
        self._recordings = 0
        self.acts: Counter[str] = Counter()
        self._backgrounds = _background_files(folder)

    def act(self) -> None:
        """One thing; undone, where it would stop the frames, by the next."""
        name, do = self._dice.choice(self._deeds())
        self.acts[name] += 1
        do()

    def _deeds(self) -> list[tuple[str, Callable[[], None]]]:
        deeds = [
            ("background", self._background),
            ("background", self._background),
            ("edges", self._edges),
            ("ratio", self._ratio),
            ("source", self._source),
            ("output", self._output),
            ("record", self.record),
            ("pause", self._pause),
            ("retry", self._pipeline.retry),
            ("foreground", self._foreground),
        ]
        if self._world is not None:
            deeds += [("fault", self._fault), ("readers", self._readers)]
        return deeds

    def _change(self, **parts: dict[str, object] | bool) -> None:
        settings = self._pipeline.settings
        changes: dict[str, object] = {"paused": False, "frozen": False}
        for name, value in parts.items():
            changes[name] = getattr(settings, name).replace(**value) if isinstance(value, dict) else value
        self._pipeline.change(lambda now: now.replace(**changes))

    def _background(self) -> None:
        kind = self._dice.choice(("blur", "image", "video", "colour", "missing"))
        if kind == "missing":
            self._change(background={"kind": "image", "path": self._folder / "not-there.png"})
        elif kind in ("image", "video"):
            self._change(background={"kind": kind, "path": self._dice.choice(self._backgrounds[kind])})
        else:
            self._change(background={"kind": kind, "blur_strength": self._dice.uniform(0, 100)})

    def _edges(self) -> None:
        dice = self._dice
        edges = {"contrast": dice.random(), "grow_px": dice.randint(-5, 5), "feather_px": dice.randint(0, 8),
                 "temporal_smoothing": dice.random(), "despill": dice.random()}  # fmt: skip
        matting = self._pipeline.settings.matting
        self._change(matting={"edges": matting.edges.replace(**edges)})

    def _ratio(self) -> None:
        self._change(matting={"downsample_ratio": self._dice.choice((None, 0.25, 0.5, 1.0))})

    def _source(self) -> None:
        if self._world is not None:
            self._world.source_kind = self._dice.choice(("file", "camera"))
            self._change(capture={"source": f"camera:{self._dice.randrange(3)}"})

    def _output(self) -> None:
        camera = self._dice.choice(("auto", "/dev/video10")) if self._world is not None else "off"
        self._change(output={"virtual_camera": camera, "mirror": self._dice.random() < 0.5})

    def record(self) -> None:
        """Begin a recording, or end the one in progress."""
        settings = self._pipeline.settings
        if settings.output.record is not None:
            self._change(output={"record": None, "record_alpha": None})
            return
        self._recordings += 1
        old = self._recordings - KEPT
        # By their names: the pipeline renames files meanwhile.
        for path in (*self._folder.glob(f"{old}.*mp4"), *self._folder.glob(f"{old}-alpha.*mp4")):
            path.unlink(missing_ok=True)
        record = self._folder / f"{self._recordings}.mp4"
        self._change(output={"record": record, "record_alpha": record.with_name(f"{self._recordings}-alpha.mp4")})

    def _pause(self) -> None:
        self._change(**{self._dice.choice(("paused", "frozen")): True})

    def _foreground(self) -> None:
        self._pipeline.want_foreground = self._dice.random() < 0.5

    def _readers(self) -> None:
        assert self._world is not None
        self._world.readers = self._dice.choice((None, 0, 1))

    def _fault(self) -> None:
        assert self._world is not None
        stage, faults = self._dice.choice(STAGES), self._world.faults
        fault = self._dice.choice((_named, _unnamed, _memory, lambda: faults.hang(FAULT_LASTS_S)))
        faults.release.clear()
        faults.put(stage, fault)
        threading.Event().wait(FAULT_LASTS_S)
        faults.heal()
        self._pipeline.retry()


def _named() -> None:
    raise MattecamError("The thing broke; mend it.")


def _unnamed() -> None:
    raise ValueError("not for users")


def _memory() -> None:
    raise MemoryError


def _background_files(folder: Path) -> dict[str, list[Path]]:
    dice = np.random.default_rng(1)
    images = [folder / f"background{number}.png" for number in range(3)]
    for path in images:
        cv2.imwrite(str(path), dice.integers(0, 12, (90, 160, 3), np.uint8))
    video = folder / "background.mp4"
    writer = VideoWriter(video, WIDTH, HEIGHT, 25.0)
    for shade in range(30):
        writer.write(np.full((HEIGHT, WIDTH, 3), shade, np.uint8))
    writer.close()
    return {"image": images, "video": [video]}
