"""Small stand-ins for the parts of the pipeline, with switches for every fault."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.compositing import Background, open_background
from app.compositing.overlay import render_overlay
from app.core.errors import MicrophoneError, SinkLostError, SinkOpenError
from app.core.placement import area_of
from app.core.settings import BackgroundSettings, CaptureSettings, EdgeSettings, EngineSettings, PlacementSettings
from app.core.shaping import viewed
from app.core.types import AlphaImage, Backdrop, BgrImage, BlurredBackground, Frame, Matte, Picture, SourceInfo
from app.matting.base import EngineInfo, MatteShaper
from app.runtime.parts import Parts
from app.sound.base import SoundSource
from tests.waiting import eventually

WIDTH, HEIGHT = 64, 48
ROOM = (13, 201, 77)
"""The colour of the fake room: no other part of a test uses it, so one such pixel in an output is a leak."""
PERSON = (90, 120, 200)
Fault = Callable[[], None]


def room_picture(width: int = WIDTH, height: int = HEIGHT) -> BgrImage:
    """A person (the middle third) in a room."""
    image = np.empty((height, width, 3), np.uint8)
    image[:] = ROOM
    image[height // 4 :, width // 3 : 2 * width // 3] = PERSON
    return image


def shows_room(image: BgrImage) -> bool:
    """Whether any pixel has the room's colour."""
    return bool(np.any(np.all(image == np.array(ROOM, np.uint8), axis=2)))


class Faults:
    """Called by every fake at every use under the name of the stage; does what a test has put there."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}
        self.release = threading.Event()
        """Ends every hang."""

    def put(self, stage: str, fault: Fault) -> None:
        """From now on `stage` suffers `fault`."""
        self._faults[stage] = fault

    def heal(self) -> None:
        """All well again."""
        self._faults.clear()
        self.release.set()

    def at(self, stage: str) -> None:
        """Suffer what was put at `stage`."""
        fault = self._faults.get(stage)
        if fault is not None:
            fault()

    def hang(self, seconds: float = 10.0) -> None:
        """Block like a driver that does not answer."""
        self.release.wait(seconds)


class FakeSource:
    """Gives the room at a high rate."""

    def __init__(self, settings: CaptureSettings, faults: Faults, kind: str) -> None:
        faults.at("open_source")
        self._faults = faults
        self._index = 0
        self._pace = threading.Event()
        self.decoded = self.skipped = 0
        self.holds_exposure = False
        self.closed_on: int | None = None
        self._opened_on = threading.get_ident()
        self.info = SourceInfo(kind, settings.source, settings.source, WIDTH, HEIGHT, settings.fps, "")

    def read(self) -> Frame | None:
        assert threading.get_ident() == self._opened_on, "read on another thread than opened"
        self._pace.wait(0.004)
        self._faults.at("read")
        self._index += 1
        self.decoded += 1
        image = room_picture()
        image[0, 0] = self._index % 251  # like the noise of a sensor: no two frames are equal
        return Frame(image, self._index - 1, time.perf_counter())

    def skip(self) -> bool:
        assert threading.get_ident() == self._opened_on, "skipped on another thread than opened"
        self._pace.wait(0.004)
        self._faults.at("read")
        self._index += 1
        self.skipped += 1
        return True

    def hold_exposure(self, wanted: bool) -> None:
        assert threading.get_ident() == self._opened_on, "held on another thread than opened"
        self.holds_exposure = wanted

    def close(self) -> None:
        assert threading.get_ident() == self._opened_on, "closed on another thread than opened"
        self._faults.at("close_source")
        self.closed_on = threading.get_ident()


class FakeEngine:
    """Cuts out exactly the pixels with the person's colour."""

    live = 0
    """Engines that were built and not closed."""

    def __init__(self, settings: EngineSettings, width: int, height: int, faults: Faults) -> None:
        faults.at("build_engine")
        self._faults = faults
        self._closed = False
        ratio = settings.downsample_ratio or 0.5
        self.info = EngineInfo(
            settings.model, "fake", "float32", "cpu", ratio, (int(width * ratio), int(height * ratio))
        )
        FakeEngine.live += 1

    def step(self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, *, want_foreground: bool = False) -> Matte:
        self._faults.at("step")
        return _composited(frame, _alpha(frame), backdrop, want_foreground)

    def step_shaped(
        self,
        frame: BgrImage,
        backdrop: Backdrop,
        edges: EdgeSettings,
        shaper: MatteShaper | None,
        *,
        want_foreground: bool = False,
    ) -> Matte:
        if shaper is None:
            return self.step(frame, backdrop, edges, want_foreground=want_foreground)
        self._faults.at("step")
        alpha = (_alpha(frame) / 255).astype(np.float32)
        small = (frame[..., ::-1].transpose(2, 0, 1) / 255).astype(np.float32)
        shape = shaper.shape(small, alpha)
        alpha = alpha * (1 if shape.gain is None else shape.gain) + (0 if shape.keep is None else shape.keep)
        shown = frame
        if shape.view is not None:
            shown, alpha = viewed(frame, shape.view), viewed(np.asarray(alpha, np.float32), shape.view)
        levels = (alpha * 255).astype(np.uint8)
        if shape.placement is not None:
            moved, levels = _moved(shown, shape.placement), _moved(levels, shape.placement)
            placed = _composited(moved, levels, backdrop, want_foreground)
            return replace(placed, frame=None if shown is frame else shown)
        matte = _composited(shown, levels, backdrop, want_foreground)
        return matte if shown is frame else replace(matte, frame=shown)

    def reset(self, seen: AlphaImage | None = None) -> None:
        self._faults.at("reset")

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            FakeEngine.live -= 1


def _alpha(frame: BgrImage) -> AlphaImage:
    return np.where(np.all(frame == np.array(PERSON, np.uint8), axis=2), 255, 0).astype(np.uint8)


def _moved(image: NDArray[np.uint8], placement: PlacementSettings) -> NDArray[np.uint8]:
    """Return the image where its placement shows it, black beside it: each pixel is the nearest one."""
    height, width = image.shape[:2]
    area = area_of(placement, width, height)
    rows = ((np.arange(height) - area.top + 0.5) * height / area.height).astype(int)
    columns = ((np.arange(width) - area.left + 0.5) * width / area.width).astype(int)
    moved: NDArray[np.uint8] = image[rows.clip(0, height - 1)][:, columns.clip(0, width - 1)].copy()
    moved[(rows < 0) | (rows >= height)] = 0
    moved[:, (columns < 0) | (columns >= width)] = 0
    return moved


def _composited(frame: BgrImage, alpha: AlphaImage, backdrop: Backdrop, want_foreground: bool) -> Matte:
    behind = np.full_like(frame, 40) if isinstance(backdrop, BlurredBackground) else backdrop
    weight = (alpha / np.float32(255))[..., None]
    composite = np.round(frame * weight + behind * (1 - weight)).astype(np.uint8)
    return Matte(composite, alpha, composite.copy() if want_foreground else None)


class FakeSink:
    """Keeps every picture; suffers faults under the name of its stage."""

    def __init__(self, stage: str, faults: Faults) -> None:
        faults.at(f"open_{stage}")
        self.name = stage
        self.device = f"/dev/{stage}"
        self.pictures: list[Picture] = []
        self._faults = faults

    def send(self, picture: Picture) -> None:
        self._faults.at(self.name)
        self.pictures.append(picture)

    def close(self) -> None:
        self._faults.at(f"close_{self.name}")


class FakeBackground:
    """A real background that can be made to fail."""

    def __init__(self, background: Background, faults: Faults) -> None:
        self._background = background
        self._faults = faults
        self.name = background.name

    def backdrop(self, width: int, height: int, time_s: float) -> Backdrop:
        self._faults.at("backdrop")
        return self._background.backdrop(width, height, time_s)

    @property
    def slides(self) -> int:
        return self._background.slides

    def follow(self, settings: BackgroundSettings) -> None:
        self._background.follow(settings)

    def close(self) -> None:
        self._background.close()


class FakeCounter:
    """As many readers as the world says."""

    def __init__(self, world: FakeWorld) -> None:
        self._world = world

    def readers(self) -> range | None:
        return None if self._world.readers is None else range(self._world.readers)

    def close(self) -> None:
        pass


class FakeNode(FakeSink):
    """A PipeWire camera whose readers the test sets."""

    def __init__(self, world: FakeWorld) -> None:
        super().__init__("pipewire_camera", world.faults)
        self._world = world

    @property
    def readers(self) -> int:
        return self._world.node or 0


class FakeWorld:
    """The parts of a pipeline whose every stage can be made to fail, and what reached its outputs."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.sources: list[FakeSource] = []
        self.sinks: list[FakeSink] = []
        self.readers: int | None = None
        self.node: int | None = None
        """The number of readers of the PipeWire camera; None while PipeWire does not run."""
        self.source_kind = "file"
        self.engine: type[FakeEngine] = FakeEngine

    def parts(self) -> Parts:
        """For `Pipeline(settings, parts=…)`."""
        return Parts(
            open_source=self._source,
            build_engine=lambda settings, width, height, framing: self.engine(settings, width, height, self.faults),
            open_background=self._background,
            render_overlay=render_overlay,
            open_virtual_camera=lambda device, width, height, fps: self._sink("virtual_camera"),
            open_pipewire_camera=lambda width, height, fps, alpha: self._pipewire_camera(),
            open_recorder=lambda path, width, height, options: self._recorder(path),
            open_microphone=self._microphone,
            watch_readers=lambda device: FakeCounter(self),
        )

    def pictures(self) -> list[Picture]:
        """Everything that any output was given."""
        return [picture for sink in self.sinks for picture in sink.pictures]

    def newest(self) -> Picture:
        """The newest picture of the output opened last that was given any; waits for the first one."""
        eventually(lambda: bool(self.pictures()))
        return self.pictures()[-1]

    def _source(self, settings: CaptureSettings) -> FakeSource:
        self.sources.append(FakeSource(settings, self.faults, self.source_kind))
        return self.sources[-1]

    def _background(self, settings: BackgroundSettings) -> Background:
        self.faults.at("open_background")
        return FakeBackground(open_background(settings), self.faults)

    def _pipewire_camera(self) -> FakeNode:
        if self.node is None:
            raise SinkOpenError("PipeWire does not answer.")
        self.faults.at("open_pipewire_camera")
        sink = FakeNode(self)
        self.sinks.append(sink)
        return sink

    def _sink(self, stage: str) -> FakeSink:
        sink = FakeSink(stage, self.faults)
        self.sinks.append(sink)
        return sink

    def _microphone(self, name: str) -> SoundSource:
        raise MicrophoneError(f"There is no microphone {name}.")

    def _recorder(self, path: Path) -> FakeSink:
        if path.name == "full.mp4":
            raise SinkLostError(f"The disk is full while recording {path}; free some space.")
        return self._sink("recorder")
