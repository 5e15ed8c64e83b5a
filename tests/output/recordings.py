"""Composites and sound for recordings, a program that records, and what a file holds."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import av
import numpy as np
from av.error import InvalidDataError

from app.capture.demo import DemoSource
from app.core.errors import MicrophoneError
from app.core.settings import CaptureSettings, OutputSettings
from app.core.types import BgrImage, Frame, Outgoing, Picture, PictureKind
from app.output.base import RecordingProgress, SinkContext
from app.output.recording import EncoderThread, Recorder
from app.output.sound import BLOCK_S, RATE, Microphone, Samples, SoundBlock
from app.settings import Settings
from mattecam.testing import FakeClock
from tests.paths import ROOT
from tests.stand_ins import always
from tests.waiting import eventually

COUNT = round(BLOCK_S * RATE)


def context(
    fps: float = 30,
    *,
    open_microphone: Callable[[], Microphone] | None = None,
    wait_for_gap: Callable[[float], object] = always(None),
    **output: Any,
) -> SinkContext:
    """Return what a recorder is opened with under these settings of the output."""
    if open_microphone is not None:
        output["microphone"] = "default"
    settings = Settings(capture=CaptureSettings(fps=fps), output=OutputSettings(**output))
    return SinkContext(
        always(settings),
        open_microphone or Mock(side_effect=AssertionError),
        wait_for_gap=wait_for_gap,
    )


def kill_while_recording(
    path: Path, seconds: float, fps: int, microphone: str
) -> tuple[float, int]:
    """Record for more than these seconds, and as many frames as belong to them, in another process,
    and kill it.

    Not within a second after a pause. microphone: `off`, `working`, or `lost` after a second.
    Return the seconds and frames recorded.
    """
    command = [sys.executable, "-m", "tests.output.recordings", str(path), str(fps), microphone]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        before_s = steady_from_s = 0.0
        for recorded_s, frames in (
            (float(word), int(other)) for word, other in map(str.split, process.stdout)
        ):
            steady_from_s = steady_from_s if recorded_s < before_s + 1 / fps + 0.1 else recorded_s
            before_s = recorded_s
            if recorded_s > max(seconds, steady_from_s + 1) and frames > seconds * fps:
                process.kill()
                return recorded_s, frames
    raise AssertionError("the process ended by itself")


def record_the_demo(path: Path, fps: float, sound: str) -> None:
    """Print the seconds and frames so far.

    It waits for the encoder, so that a busy machine drops nothing.
    """
    device = FakeDevice()
    source = DemoSource(320, 240, fps)
    shared = context(fps, open_microphone=None if sound == "off" else device.microphone)
    recorder = Recorder(path, 320, 240, shared)
    started_s = 0.0
    for sent in itertools.count(1):
        frame = source.read()
        assert frame is not None
        recorder.send(Outgoing(Picture(frame.image, PictureKind.COMPOSITE)))
        started_s = started_s or time.perf_counter()
        eventually(has_encoded, shared.recordings[0], sent - 2)
        seconds = time.perf_counter() - started_s
        device.lost = sound == "lost" and seconds > 1
        print(seconds, sent, flush=True)  # noqa: T201 - read by the test


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """Let the kernel reject writes beyond this file size, as on a full disk.

    Python ignores the signal of the limit.
    For tests that are marked `posix`.
    """
    import resource

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
) -> tuple[list[BgrImage], list[float], RecordingProgress]:
    """Record pictures that are sent at these times, in seconds. output: its settings.

    Return what `read` finds, and what was counted.
    """
    clock = FakeClock(100.0)
    shared = context(**output)
    recorder = Recorder(path, *size, shared, alpha=alpha, clock=clock)
    for clock.now_s, shown in sent:
        recorder.send(shown)
    recorder.close()
    return *read(path), shared.recordings[0]


def has_encoded(counts: RecordingProgress, frames: int) -> bool:
    return counts.encoded >= frames


def has_failed_or_encoded(thread: EncoderThread, frames: int) -> bool:
    return thread.error is not None or has_encoded(thread.recording, frames)


def send_slowly(
    recorder: Recorder, clock: FakeClock, sent: Iterable[tuple[float, Outgoing]], *, one_in: int = 1
) -> None:
    """Send pictures at these times, each once the one before is encoded; `one_in` so many is."""
    for number, (clock.now_s, shown) in enumerate(sent):
        recorder.send(shown)
        thread = recorder._thread  # noqa: SLF001
        least = 1 + number // one_in
        eventually(has_failed_or_encoded, thread, least)


def composite(captured_at_s: float, number: int = 0) -> Outgoing:
    """Return a composite whose frame was captured at this time."""
    image = np.full((48, 64, 3), 20 * number % 256, np.uint8)
    return Outgoing(
        Picture(image, PictureKind.COMPOSITE, frame=Frame(image, number, captured_at_s))
    )


def tone(first: int, count: int) -> Samples:
    """Return `count` samples of 440 Hz from number `first` on."""
    return (8000 * np.sin(2 * np.pi * 440 * np.arange(first, first + count) / RATE)).astype(
        np.int16
    )


class FakeDevice:
    """Sends a tone in real time. Each device checks that it stays on one thread."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.open_now = 0
        self.timely = 0  # blocks that did not come late
        self.fails_to_open = False
        self.lost = False
        self.is_silent = False
        self.empty = 0  # blocks without samples
        # What `microphone` opens, and what it reported.
        self.wanted: str | None = "default"
        self.reports: list[Exception | None] = []

    def microphone(self) -> Microphone:
        return Microphone(self._open_now, self.wanted_now, self.reports.append, retry_s=0.02)

    def _open_now(self, name: str) -> Generator[SoundBlock, None, None]:
        """Open it as tests have set `open` by then."""
        return self.open(name)

    def wanted_now(self) -> str | None:
        return self.wanted

    def is_open(self) -> bool:
        return self.open_now > 0

    def last_report(self) -> Exception | None:
        return self.reports[-1]

    def open(self, name: str) -> Generator[SoundBlock, None, None]:
        if self.fails_to_open:
            raise MicrophoneError(f"{name} cannot be opened.")
        self.opened.append(name)
        thread = threading.get_ident()
        start_s = time.perf_counter()
        count = 0
        self.open_now += 1
        try:
            while not self.lost:
                at_s = start_s + count / RATE
                time.sleep(max(0.0, at_s + BLOCK_S - time.perf_counter()))
                if self.is_silent:
                    self.empty += 1
                    yield SoundBlock(tone(0, 0), at_s)
                    continue
                self.timely += time.perf_counter() < at_s + 5 * BLOCK_S
                yield SoundBlock(tone(count, COUNT), at_s)
                assert threading.get_ident() == thread
                count += COUNT
        finally:
            self.open_now -= 1
        raise MicrophoneError(f"{name} was disconnected.")


if __name__ == "__main__":
    record_the_demo(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3])
