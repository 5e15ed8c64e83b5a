"""Parts for tests of programs that use Mattecam.

No camera, no network, no device, and faults on demand.

A clock, faults, a room whose colour shows a leak, a source, a sink and an engine; `docs/api.md`
shows their use.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from app.core.errors import Text
from app.core.geometry import viewed
from app.core.settings import CaptureSettings, EngineSettings
from app.core.types import (
    AlphaImage,
    Backdrop,
    BgrImage,
    BlurredBackground,
    Frame,
    Matte,
    Picture,
    SourceInfo,
)
from app.matting.interface import EngineInfo, StepRequest

__all__ = [
    "PERSON",
    "ROOM",
    "FakeClock",
    "FakeEngine",
    "FakeSink",
    "FakeSource",
    "Faults",
    "room_picture",
    "shows_room",
]


class FakeClock:
    """Tells the time that the test has set; give it where a function takes `now` or `clock`."""

    def __init__(self, now_s: float = 0.0) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        """Return the seconds."""
        return self.now_s


# What happens: a call, or an error that is raised.
Fault = Callable[[], None] | BaseException


class Faults:
    """Called by every fake at every use under the name of the stage.

    Does what a test has put there.
    """

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}
        # Ends every hang.
        self.release = threading.Event()

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
        if isinstance(fault, BaseException):
            raise fault.with_traceback(None)  # not with those of the uses before
        if fault is not None:
            fault()

    def hang(self, seconds: float = 60.0) -> None:
        """Block like a driver that does not answer."""
        self.release.wait(seconds)


WIDTH = 64
HEIGHT = 48
# The colour of the fake room: no other part of a test uses it, so one such pixel in an output is a
# leak.
ROOM = (13, 201, 77)
PERSON = (90, 120, 200)


def room_picture(width: int = WIDTH, height: int = HEIGHT) -> BgrImage:
    """A person (the middle third) in a room."""
    image = np.empty((height, width, 3), np.uint8)
    image[:] = ROOM
    image[height // 4 :, width // 3 : 2 * width // 3] = PERSON
    return image


def shows_room(image: BgrImage) -> bool:
    """Whether any pixel has the room's colour."""
    return bool(np.any(np.all(image == np.array(ROOM, np.uint8), axis=2)))


class FakeSource:
    """Gives the room with the person at a high rate.

    Read and close it on the thread that made it.
    """

    is_live = True
    # As of `FrameSource`; set it at any time.
    warning: Text | None = None

    def __init__(
        self,
        settings: CaptureSettings | None = None,
        faults: Faults | None = None,
        kind: str = "file",
    ) -> None:
        """Faults are put at the stages `open_source`, `read` and `close_source`.

        kind: as in `SourceInfo`.
        """
        settings = settings or CaptureSettings()
        self._faults = faults or Faults()
        self._faults.at("open_source")
        self._index = 0
        self._pace = threading.Event()
        self.decoded = 0
        self.skipped = 0
        self.holds_exposure = False
        self.closed_on: int | None = None
        self._opened_on = threading.get_ident()
        self.info = SourceInfo(
            kind,
            settings.source,
            settings.source,
            WIDTH,
            HEIGHT,
            settings.fps,
            "",
        )

    def read(self) -> Frame | None:
        """Return the next frame."""
        assert threading.get_ident() == self._opened_on, "read on another thread than opened"
        self._pace.wait(0.004)
        self._faults.at("read")
        index = self._index
        self._index += 1
        self.decoded += 1
        image = room_picture()
        image[0, 0] = self._index % 251  # like the noise of a sensor: no two frames are equal
        return Frame(image, index, time.perf_counter())

    def skip(self) -> bool:
        """Take a frame without decoding it."""
        assert threading.get_ident() == self._opened_on, "skipped on another thread than opened"
        self._pace.wait(0.004)
        self._faults.at("read")
        self._index += 1
        self.skipped += 1
        return True

    def hold_exposure(self, wanted: bool) -> None:
        """Note whether the exposure is to be held."""
        assert threading.get_ident() == self._opened_on, "held on another thread than opened"
        self.holds_exposure = wanted

    def close(self) -> None:
        """Suffer the fault of `close_source`."""
        assert threading.get_ident() == self._opened_on, "closed on another thread than opened"
        self._faults.at("close_source")
        self.closed_on = threading.get_ident()


class FakeSink:
    """Keeps every picture; suffers faults under the name of its stage."""

    device: str | None = None
    notice: Text | None = None

    @property
    def readers(self) -> int | None:
        """Nobody counts them."""
        return None

    def __init__(self, stage: str = "virtual_camera", faults: Faults | None = None) -> None:
        """stage: what the faults of its use are put at; those of open and close at `open_…` and
        `close_…`.
        """
        self._faults = faults or Faults()
        self._faults.at(f"open_{stage}")
        self.name = stage
        self.pictures: list[Picture] = []

    def send(self, picture: Picture) -> None:
        """Keep a picture."""
        self._faults.at(self.name)
        self.pictures.append(picture)

    def close(self) -> None:
        """Suffer the fault of `close_…`."""
        self._faults.at(f"close_{self.name}")


class ImmediateEngine(ABC):
    """Base of engines in tests without state and resources.

    A subclass returns the matte of a step.
    """

    def step(self, request: StepRequest) -> Matte:
        """Run one step."""
        return self.matte(request)

    @abstractmethod
    def matte(self, step: StepRequest) -> Matte:
        """Return the matte of a step."""

    def reset(self, seen: AlphaImage | None = None) -> None:  # noqa: B027 - a default
        """There is nothing to forget."""

    def close(self) -> None:  # noqa: B027 - a default
        """There is nothing to release."""


class FakeEngine(ImmediateEngine):
    """Cuts out exactly the pixels with the person's colour."""

    # Engines that were built and not closed.
    live = 0

    def __init__(
        self,
        settings: EngineSettings,
        width: int,
        height: int,
        faults: Faults | None = None,
    ) -> None:
        """Faults are put at the stages `build_engine`, `step` and `reset`."""
        self._faults = faults or Faults()
        self._faults.at("build_engine")
        self._closed = False
        ratio = settings.downsample_ratio or 0.5
        small_size = (int(width * ratio), int(height * ratio))
        self.info = EngineInfo(settings.model, "fake", "float32", "cpu", ratio, small_size)
        FakeEngine.live += 1

    def matte(self, step: StepRequest) -> Matte:
        """Cut out the person's colour; the edge controls change nothing."""
        frame = step.frame
        self._faults.at("step")
        if step.edit is None:
            return _composited(frame, _alpha(frame), step.backdrop, step.want_foreground)
        alpha = (_alpha(frame) / 255).astype(np.float32)
        small = (frame[..., ::-1].transpose(2, 0, 1) / 255).astype(np.float32)
        change = step.edit.edit(small, alpha)
        if change.gain is not None:
            alpha = alpha * change.gain
        for light in change.lights:
            whole = cv2.resize(light.transpose(1, 2, 0), step.frame.shape[1::-1])
            gains, biases = np.split(whole, 2, axis=2)
            lit = gains[..., ::-1] * frame + 255 * biases[..., ::-1]
            frame = np.asarray(np.clip(lit, 0, 255), np.uint8)
        shown = frame
        if change.view is not None:
            shown = viewed(frame, change.view)
            alpha = viewed(np.asarray(alpha, np.float32), change.view)
        levels = (alpha * 255).astype(np.uint8)
        matte = _composited(shown, levels, step.backdrop, step.want_foreground)
        if change.view is None:
            return matte
        return replace(matte, frame=viewed(step.frame, change.view))

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Suffer the fault of `reset`; there is nothing to forget."""
        self._faults.at("reset")

    def close(self) -> None:
        """Count down `live`. Idempotent."""
        if not self._closed:
            self._closed = True
            FakeEngine.live -= 1


def _alpha(frame: BgrImage) -> AlphaImage:
    return np.where(np.all(frame == np.array(PERSON, np.uint8), axis=2), 255, 0).astype(np.uint8)


def _composited(
    frame: BgrImage,
    alpha: AlphaImage,
    backdrop: Backdrop,
    want_foreground: bool,
) -> Matte:
    # In place of the blurred room one grey: its colour would be a leak.
    behind = np.full_like(frame, 40) if isinstance(backdrop, BlurredBackground) else backdrop
    weight = (alpha / np.float32(255))[..., None]
    composite = np.round(frame * weight + behind * (1 - weight)).astype(np.uint8)
    return Matte(composite, alpha, composite.copy() if want_foreground else None)
