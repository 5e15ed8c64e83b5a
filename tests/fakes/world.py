"""The parts of a pipeline whose every stage can be made to fail, and what reached its outputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from app.compositing import Background, open_background
from app.compositing.overlay import render_overlay
from app.core.errors import MicrophoneError, SinkLostError, SinkOpenError
from app.core.settings import BackgroundSettings, CaptureSettings
from app.core.types import Backdrop, BgrImage, Frame, Picture
from app.output.sound.microphone import SoundSource
from app.output.table import SINKS
from app.runtime.parts import Parts
from app.testing.parts import FakeEngine, FakeSink, FakeSource, Faults
from tests.waiting import eventually


class ShapedSource(FakeSource):
    """Its frames show what the world makes of them."""

    def __init__(self, settings: CaptureSettings, world: FakeWorld) -> None:
        super().__init__(settings, world.faults, world.source_kind)
        self._world = world

    def read(self) -> Frame | None:
        frame = super().read()
        return frame and replace(frame, image=self._world.shape(frame))


def still() -> Callable[[Frame], BgrImage]:
    """For `FakeWorld.shape`: each frame shows what the first one did."""
    first: list[BgrImage] = []

    def shape(frame: Frame) -> BgrImage:
        first.append(frame.image)
        return first[0].copy()

    return shape


class FakeCamera(FakeSink):
    """A virtual camera."""

    device = "/dev/virtual_camera"


class FakeRecorder(FakeSink):
    """A recording: the file exists after the end if it was given a picture."""

    def __init__(self, path: Path, faults: Faults) -> None:
        super().__init__("recorder", faults)
        self._path = path

    def close(self) -> None:
        super().close()
        if self.pictures and self._path.is_absolute():
            self._path.touch()


class FakeBackground:
    """A real background that can be made to fail."""

    def __init__(self, background: Background, faults: Faults) -> None:
        self._background = background
        self._faults = faults
        self.problem = background.problem

    def backdrop(self, width: int, height: int, time_s: float) -> Backdrop:
        self._faults.at("backdrop")
        return self._background.backdrop(width, height, time_s)

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
        self.shape: Callable[[Frame], BgrImage] = lambda frame: frame.image
        """What the frames of its sources show."""
        self.engine: type[FakeEngine] = FakeEngine

    def parts(self) -> Parts:
        """For `Pipeline(settings, parts=…)`."""
        return Parts(
            open_source=self._source,
            build_engine=lambda settings, width, height, framing: self.engine(settings, width, height, self.faults),
            open_background=self._background,
            render_overlay=render_overlay,
            sinks=SINKS,
            open_microphone=self._microphone,
            watch_readers=lambda device: FakeCounter(self),
        ).with_sinks(
            virtual_camera=lambda choice, width, height, context: self.open_camera(),
            pipewire=lambda choice, width, height, context: self._pipewire_camera(),
            recording=lambda path, width, height, context: self._recorder(path),
            recording_alpha=lambda path, width, height, context: self._recorder(path),
        )

    def pictures(self) -> list[Picture]:
        """Everything that any output was given."""
        return [picture for sink in self.sinks for picture in sink.pictures]

    def newest(self) -> Picture:
        """The newest picture of the output opened last that was given any; waits for the first one."""
        eventually(lambda: bool(self.pictures()))
        return self.pictures()[-1]

    def _source(self, settings: CaptureSettings) -> FakeSource:
        self.sources.append(ShapedSource(settings, self))
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

    def open_camera(self) -> FakeCamera:
        """Open the virtual camera."""
        camera = FakeCamera("virtual_camera", self.faults)
        self.sinks.append(camera)
        return camera

    def _microphone(self, name: str) -> SoundSource:
        raise MicrophoneError(f"There is no microphone {name}.")

    def _recorder(self, path: Path) -> FakeSink:
        if path.name == "full.mp4":
            raise SinkLostError(f"The disk is full while recording {path}; free some space.")
        recorder = FakeRecorder(path, self.faults)
        self.sinks.append(recorder)
        return recorder
