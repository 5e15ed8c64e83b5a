"""Composites for recordings, a program that records, and what a file holds."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any
from unittest.mock import Mock

import av
import numpy as np
from av.error import InvalidDataError

from app.core.settings import CaptureSettings, OutputSettings, Settings
from app.core.types import BgrImage, Frame, Outgoing, Picture, PictureKind
from app.output.base import RecordingCounts, SinkContext
from app.output.recording import Recorder
from app.output.sound import Microphone
from app.testing.parts import FakeClock
from tests.paths import ROOT

RECORD = """
import sys, time
from pathlib import Path
from app.capture.demo import DemoSource
from app.core.types import Picture, PictureKind
from app.output.recording import Recorder
from app.output.sound import Microphone
from tests.output.recordings import context
from tests.output.sources import FakeDevice
path, fps, sound = Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
device = FakeDevice()
microphone = None if sound == "off" else lambda: Microphone(device.open, lambda: "default", lambda error: None)
source = DemoSource(320, 240, fps)
recorder = Recorder(path, 320, 240, context(fps, open_microphone=microphone))
started_s = time.perf_counter()
while True:
    recorder.send(Picture(source.read().image, PictureKind.COMPOSITE))
    seconds = time.perf_counter() - started_s
    device.lost = sound == "lost" and seconds > 1
    print(seconds, flush=True)
"""


def context(
    fps: float = 30,
    *,
    open_microphone: Callable[[], Microphone] | None = None,
    wait_for_gap: Callable[[float], object] = lambda timeout_s: None,
    **output: Any,
) -> SinkContext:
    """Return what a recorder is opened with under these settings of the output."""
    if open_microphone is not None:
        output["microphone"] = "default"
    settings = Settings(capture=CaptureSettings(fps=fps), output=OutputSettings(**output))
    return SinkContext(lambda: settings, open_microphone or Mock(side_effect=AssertionError), wait_for_gap=wait_for_gap)


@contextmanager
def recording_elsewhere(path: Path, fps: int = 30, microphone: str = "off") -> Iterator[IO[str]]:
    """Record the demo in another process, which is killed at the end; yield what it prints: the seconds recorded.

    microphone: `off`, `working`, or `lost` after a second.
    """
    command = [sys.executable, "-c", RECORD, str(path), str(fps), microphone]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout
        process.kill()


def kill_while_recording(path: Path, seconds: float, fps: int = 30, microphone: str = "off") -> float:
    """Record for more than these seconds in another process, kill it, and return the seconds recorded."""
    with recording_elsewhere(path, fps, microphone) as lines:
        recorded_s = next((float(line) for line in lines if float(line) > seconds), 0.0)
    assert recorded_s, "the process ended by itself"
    return recorded_s


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """Let the kernel reject writes beyond this file size, as on a full disk. Python ignores the signal of the limit."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def read(path: Path) -> tuple[list[BgrImage], list[float]]:
    """Return the frames and their times in seconds, up to where the file breaks off."""
    images: list[BgrImage] = []
    times = []
    with av.open(str(path)) as container, suppress(InvalidDataError):
        for frame in container.decode(video=0):
            images.append(frame.to_ndarray(format="bgr24").astype(np.uint8, copy=False))
            times.append(float(frame.time or 0))
    return images, times


def record(
    path: Path,
    sent: Iterable[tuple[float, Outgoing]],
    size: tuple[int, int] = (64, 48),
    alpha: bool = False,
    **output: Any,
) -> RecordingCounts:
    """Record pictures that are sent at these times, in seconds; return what was counted. output: its settings."""
    clock, shared = FakeClock(100.0), context(**output)
    recorder = Recorder(path, *size, shared, alpha=alpha, clock=clock)
    for clock.now_s, shown in sent:
        recorder.send(shown)
    recorder.close()
    return shared.counts


def composite(captured_at_s: float, number: int = 0) -> Outgoing:
    """Return a composite whose frame was captured at this time."""
    image = np.full((48, 64, 3), 20 * number % 256, np.uint8)
    return Outgoing(Picture(image, PictureKind.COMPOSITE, frame=Frame(image, number, captured_at_s)))
