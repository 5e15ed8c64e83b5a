"""A pipeline over fakes: every stage can be made to fail, what reached its outputs is kept, and tests wait for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn
from unittest.mock import Mock

import numpy as np
from numpy.typing import NDArray

from app.backgrounds import Background, open_background
from app.core.errors import (
    CameraAbsentError,
    MicrophoneError,
    SinkLostError,
    SinkOpenError,
    SourceLostError,
)
from app.core.settings import (
    BackgroundSettings,
    CaptureSettings,
    EngineSettings,
    FramingSettings,
    MattingSettings,
    OutputSettings,
)
from app.core.types import Backdrop, BgrImage, Frame, Picture, PictureKind
from app.output.table import SINKS
from app.runtime.context import PipelineParts, Timing
from app.runtime.pipeline import Pipeline
from app.runtime.status import Phase
from app.settings import Settings
from mattecam.testing import PERSON, FakeEngine, FakeSink, FakeSource, Faults, shows_room
from tests.backgrounds.files import flat, write
from tests.stand_ins import always
from tests.waiting import eventually


class ShapedSource(FakeSource):
    """Its frames show what the world makes of them."""

    def __init__(self, settings: CaptureSettings, world: FakeWorld) -> None:
        super().__init__(settings, world.faults, world.source_kind)
        self._world = world

    def read(self) -> Frame | None:
        self._pace.wait(self._world.pause_s)
        frame = super().read()
        return frame and replace(
            frame, image=self._world.shape(frame), synthetic=self.info.kind == "demo"
        )


class Hold:
    """A fault that holds the stage until `go_on` is set."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.go_on = threading.Event()

    def __call__(self) -> None:
        self.entered.set()
        self.go_on.wait(60)


class FakeRecorder(FakeSink):
    """A recording: the file exists after the end if it was given a picture. It takes no file that another one has."""

    def __init__(self, path: Path, faults: Faults, open_files: set[Path]) -> None:
        """open_files: those of all recordings of the world."""
        super().__init__("recorder", faults)
        if path in open_files or path.exists():
            raise SinkOpenError(f"The recording {path} cannot be started: the file exists.")
        self._path = path
        self._open_files = open_files
        open_files.add(path)

    def close(self) -> None:
        self._open_files.discard(self._path)
        super().close()
        if self.pictures and self._path.is_absolute():
            self._path.touch()


class FakeNode(FakeSink):
    """A PipeWire camera whose readers the test sets."""

    def __init__(self, world: FakeWorld) -> None:
        super().__init__("pipewire_camera", world.faults)
        self._world = world

    @property
    def readers(self) -> int:
        return self._world.node or 0


def unchanged(frame: Frame) -> BgrImage:
    return frame.image


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
        self.shape: Callable[[Frame], BgrImage] = unchanged
        """What the frames of its sources show."""
        self.pause_s = 0.0
        """Wait for each frame; as fast as they come otherwise, they would starve a window."""
        self.engine: type[FakeEngine] = FakeEngine
        self._recording_files: set[Path] = set()

    def parts(self) -> PipelineParts:
        """For `Pipeline(settings, parts=…)`."""
        return PipelineParts(
            open_source=self.open_source,
            build_engine=self._build_engine,
            open_background=self._background,
            sinks=[replace(spec, load=self._load) for spec in SINKS],
            open_microphone=self._microphone,
            watch_readers=always(Mock(readers=self._read)),
        ).with_sinks(
            virtual_camera=self._virtual_camera,
            pipewire=self._pipewire_camera,
            recording=self._recorder,
            recording_alpha=self._recorder,
        )

    def pictures(self) -> list[Picture]:
        """Everything that any output was given."""
        return [picture for sink in self.sinks for picture in sink.pictures]

    def newest(self) -> Picture:
        """The newest picture of the output opened last that was given any; waits for the first one."""
        eventually(self.pictures)
        return self.pictures()[-1]

    def has_sent(self, more_than: int) -> bool:
        """Whether the outputs were given more pictures than these."""
        return len(self.pictures()) > more_than

    def has_shown(self, kind: PictureKind) -> bool:
        """Whether any output was ever given a picture of this kind."""
        return kind in kinds(self)

    def shows(self, kind: PictureKind) -> bool:
        """Whether the newest picture is of this kind."""
        return self.newest().kind is kind

    def shows_person(self) -> bool:
        """Whether any pixel of the newest picture has the person's colour."""
        return shows_person(self.newest().image)

    def open_source(self, settings: CaptureSettings) -> FakeSource:
        """Open a source."""
        self.sources.append(ShapedSource(settings, self))
        return self.sources[-1]

    def _background(self, settings: BackgroundSettings) -> Background:
        self.faults.at("open_background")
        background = open_background(settings)
        real = background.backdrop

        def backdrop(width: int, height: int, time_s: float) -> Backdrop:
            self.faults.at("backdrop")
            return real(width, height, time_s)

        background.backdrop = backdrop  # type: ignore[method-assign]
        return background

    def _read(self) -> range | None:
        self.faults.at("count_readers")
        return None if self.readers is None else range(self.readers)

    def _build_engine(
        self, settings: EngineSettings, width: int, height: int, _framing: FramingSettings
    ) -> FakeEngine:
        return self.engine(settings, width, height, self.faults)

    def _load(self, _wanted: object) -> None:
        self.faults.at("load")

    def _virtual_camera(self, *_: object) -> FakeSink:
        return self.open_camera()

    def _pipewire_camera(self, *_: object) -> FakeNode:
        if self.node is None:
            raise SinkOpenError("PipeWire does not answer.")
        self.faults.at("open_pipewire_camera")
        sink = FakeNode(self)
        self.sinks.append(sink)
        return sink

    def open_camera(self) -> FakeSink:
        """Open the virtual camera."""
        camera = FakeSink("virtual_camera", self.faults)
        camera.device = "/dev/virtual_camera"
        self.sinks.append(camera)
        return camera

    def _microphone(self, name: str) -> NoReturn:
        raise MicrophoneError(f"There is no microphone {name}.")

    def _recorder(self, path: Path, *_: object) -> FakeSink:
        if path.name == "full.mp4":
            raise SinkLostError(f"The disk is full while recording {path}; free some space.")
        recorder = FakeRecorder(path, self.faults, self._recording_files)
        self.sinks.append(recorder)
        return recorder


class Desk(FakeWorld):
    """A computer to which a camera can be connected while the pipeline runs."""

    def __init__(self) -> None:
        super().__init__()
        self.camera = False
        self.demonstrations = 0

    def open_source(self, settings: CaptureSettings) -> FakeSource:
        """Open the demonstration, a film or the camera."""
        if settings.source == "demo":
            self.source_kind = "demo"
            self.demonstrations += 1
        elif settings.source.endswith(".mp4"):
            self.source_kind = "file"
        elif self.camera:
            self.source_kind = "camera"
        else:
            raise CameraAbsentError("No camera was found; connect one.")
        return super().open_source(settings)

    def unplug(self) -> None:
        """Remove the camera."""

        def lost() -> None:
            self.faults.heal()  # other sources can be read
            raise SourceLostError("The camera is gone.")

        self.camera = False
        self.faults.put("read", lost)


BASE = Settings(
    capture=CaptureSettings(source="fake", width=64, height=48, fps=120),
    matting=MattingSettings(governor=False),  # a busy machine misses the frame rate
    background=BackgroundSettings(kind="colour", colour="#0000ff"),
    output=OutputSettings(virtual_camera="fake"),
)
NONE = BASE.replace(background=BackgroundSettings(kind="none"))


def with_wall(folder: Path) -> Settings:
    """Return `BASE` with a file as the background, which a thread opens; it has the colour of `BASE`."""
    return BASE.replace(
        background=BackgroundSettings(
            kind="image", path=write(folder / "wall.png", flat((255, 0, 0)))
        )
    )


@contextmanager
def running(
    world: FakeWorld,
    settings: Settings = BASE,
    timing: Timing | None = None,
    *,
    parts: PipelineParts | None = None,
) -> Iterator[Pipeline]:
    """Run a pipeline with the parts of the world, or with others; end what hangs and stop at the end.

    No output may have shown the room, unless unmatted while "none" was among the chosen backgrounds.
    """
    pipeline = Pipeline(settings, parts=parts or world.parts(), timing=timing)
    backgrounds = {settings.background.kind}

    def note_background() -> None:
        backgrounds.add(pipeline.settings.background.kind)

    pipeline.owner.listen(note_background)
    pipeline.start()
    try:
        yield pipeline
    finally:
        world.faults.release.set()
        assert pipeline.stop(), "a thread did not end"
        assert FakeEngine.live == 0, "an engine was not closed"
        leaks = {picture.kind for picture in world.pictures() if shows_room(picture.image)}
        assert leaks <= ({PictureKind.UNMATTED} if "none" in backgrounds else set()), (
            "the room was shown"
        )


def apply(pipeline: Pipeline, settings: Settings) -> None:
    """Replace all settings."""
    pipeline.change(always(settings))


def composites(pipeline: Pipeline, more: int = 3) -> None:
    """Wait for some more composites."""
    goal = pipeline.status().frames_out + more

    def have_passed() -> bool:
        status = pipeline.status()
        return status.frames_out >= goal and status.phase is Phase.RUNNING

    eventually(have_passed)


@contextmanager
def live(
    world: FakeWorld,
    settings: Settings = BASE,
    timing: Timing | None = None,
    *,
    parts: PipelineParts | None = None,
) -> Iterator[Pipeline]:
    """As `running`, from the first composites on."""
    with running(world, settings, timing, parts=parts) as pipeline:
        composites(pipeline)
        yield pipeline


def ignore(result: object) -> None:
    """Turns a call with a result into one without."""


def kinds(world: FakeWorld) -> set[PictureKind]:
    return {picture.kind for picture in world.pictures()}


IMPATIENT = Timing(stale_s=0.2, source_retry_s=0.05, engine_retry_s=0.05, sink_retry_s=0.05)


def shown(pipeline: Pipeline) -> Picture:
    """The next picture that is no stand-by card."""
    while True:
        picture = pipeline.preview.get(60)
        assert picture is not None
        if picture.frame is not None:
            return picture


def newest(pipeline: Pipeline) -> Frame:
    """The frame of the next picture that is no stand-by card."""
    frame = shown(pipeline).frame
    assert frame is not None
    return frame


def person_in(image: BgrImage) -> NDArray[np.bool_]:
    """Which pixels have the person's colour."""
    return np.asarray(np.all(image == np.array(PERSON, np.uint8), axis=2))


def shows_person(image: BgrImage) -> bool:
    """Whether any pixel has the person's colour."""
    return bool(person_in(image).any())
