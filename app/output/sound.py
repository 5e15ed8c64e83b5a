"""Sound for recordings: blocks of a microphone, the thread that reads them, and the track
without gaps.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from app.core.errors import Stage
from app.core.worker import Worker

log = logging.getLogger(__name__)


# Samples per second of every block.
RATE = 48_000
# Length of a block, where the source can be asked for one.
BLOCK_S = 0.02
Samples: TypeAlias = NDArray[np.int16]
"""(count,) int16, mono."""


@dataclass(frozen=True, slots=True)
class SoundBlock:
    """Consecutive samples."""

    samples: Samples
    # Time at which the first sample was captured, on the clock of the frames (`time.perf_counter`).
    captured_at_s: float


# Opens `default` or a microphone by its name, yields its blocks, and releases it when it is closed.
# Never yields blocks of another source in place of the named one. A block without samples says that
# none have come yet. Used on one thread. Raises MicrophoneError if the microphone does not open or
# is lost; ends without an error if it must be opened again.
OpenMicrophone: TypeAlias = Callable[[str], Generator[SoundBlock, None, None]]


# Wait before a microphone that failed is opened again.
RETRY_S = 2.0
# Interval at which `wanted` is asked while no device is open.
POLL_S = 0.02
# Blocks that are kept at most; beyond it the oldest is dropped.
MAX_BLOCKS = round(30 / BLOCK_S)
CLOSE_TIMEOUT_S = 2.0


class Microphone:
    """Opens the microphone that is wanted, and reads it until `close`.

    Muting releases it: while `wanted` returns None, nothing is captured. One that fails is reported
    and retried.
    """

    def __init__(
        self,
        open_microphone: OpenMicrophone,
        wanted: Callable[[], str | None],
        report: Callable[[Exception | None], None],
        retry_s: float = RETRY_S,
    ) -> None:
        """wanted: the microphone, None to mute it.

        report: called with an error, and with None once sound arrives and after `close`. Both are
        called on the microphone's thread, but for the last report.
        """
        self._open = open_microphone
        self._wanted = wanted
        self._report = report
        self._retry_s = retry_s
        self._blocks: deque[SoundBlock] = deque(maxlen=MAX_BLOCKS)
        self.level = 0.0
        """Peak of the last block, from 0 to 1; 0 while muted. Readable on any thread."""
        self._reports_failure = False
        self._worker = Worker("microphone", self._run, Stage.MICROPHONE)
        self._worker.start()

    def take(self) -> list[SoundBlock]:
        """Return the blocks that arrived since the last call, without waiting.

        Used on one thread.
        """
        return [self._blocks.popleft() for _ in range(len(self._blocks))]

    def request_stop(self) -> None:
        """Let the thread release the device and end, without waiting for it."""
        self._worker.request_stop()

    def close(self) -> None:
        """Release the device; no failure stays reported. Idempotent."""
        if not self._worker.stop(CLOSE_TIMEOUT_S):
            log.warning("The microphone's driver does not answer; its thread is left behind.")
        self._report(None)

    def _run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            name = self._wanted()
            if name is None:
                if self._reports_failure:
                    # Of a microphone that nobody wants any more.
                    self._tell(None)
                stop.wait(POLL_S)
                continue
            try:
                self._listen(name, stop)
            except Exception as error:  # noqa: BLE001 - carried to the status
                if stop.is_set():
                    # `close` did not wait for a driver that hung: nobody would take the report
                    # back.
                    return
                self._tell(error)
                stop.wait(self._retry_s)

    def _tell(self, problem: Exception | None) -> None:
        self._reports_failure = problem is not None
        self._report(problem)

    def _listen(self, name: str, stop: threading.Event) -> None:
        """Read the device until another one is wanted, or none, or until it must be opened
        again.
        """
        has_begun = False
        with closing(self._open(name)) as blocks:
            try:
                for block in blocks:
                    if self._wanted() != name:
                        # Muted in the meantime: what was just captured is discarded.
                        return
                    if len(block.samples) > 0:
                        if not has_begun:
                            has_begun = True
                            self._tell(None)
                        self._blocks.append(block)
                    self.level = _peak(block.samples)
                    if stop.is_set():
                        return
            finally:
                self.level = 0.0


def _peak(samples: Samples) -> float:
    # In 32 bits: the absolute value of the lowest int16 is none.
    largest = np.abs(samples.astype(np.int32)).max(initial=0)
    return min(1.0, float(largest) / 32767)


# Deviation in samples from which a block is moved at once; smaller ones are corrected by
# resampling.
TOLERANCE = round(0.02 * RATE)
# Weight of a block's deviation in the running mean, because capture times jitter.
SMOOTHING = 0.1
# Share of the mean deviation that one block corrects.
GAIN = 0.02
# Largest change of a block's length, as a fraction.
MOST_STRETCH = 0.005
# Sound that arrives later than this after its frame is replaced by silence, so that no frame waits
# for it.
LATEST_S = 0.3


class SoundTrack:
    """Places blocks on the time line of the file. Gaps are filled with silence, overlaps are cut.

    The clock of a sound card drifts against that of the frames: blocks are stretched or shortened
    to follow it.
    """

    def __init__(self, origin_s: float) -> None:
        """origin_s: capture time at which the file begins."""
        self._origin_s = origin_s
        self._length = 0  # samples returned so far
        self._mean_deviation = 0.0
        # Whether the last block lies at its time, so that the next one only follows it.
        self._aligned = False

    def add(self, blocks: Sequence[SoundBlock], frame_s: float, *, final: bool = False) -> Samples:
        """Return the samples that follow the previous ones.

        frame_s: time of the frame in the file. final: this frame is the last one. Samples that
        earlier calls returned can extend past it by up to the matting latency; they stay in the
        file.
        """
        start = self._length
        parts = [part for block in blocks for part in self._placed(block)]
        due = round(frame_s * RATE) if final else round((frame_s - LATEST_S) * RATE)
        if due > self._length:
            parts.append(self._silence(due - self._length))
            self._aligned = False
        samples = np.concatenate(parts) if parts else np.zeros(0, np.int16)
        if final and self._length > due:
            samples = samples[: max(0, due - start)]
        return samples

    def _placed(self, block: SoundBlock) -> list[Samples]:
        samples = block.samples
        parts = []
        deviation = round((block.captured_at_s - self._origin_s) * RATE) - self._length
        if not self._aligned or abs(deviation) > TOLERANCE:
            if deviation > 0:
                parts.append(self._silence(deviation))
            samples = samples[max(0, -deviation) :]
            self._aligned = len(samples) > 0
            self._mean_deviation = 0.0
        else:
            self._mean_deviation += (deviation - self._mean_deviation) * SMOOTHING
            most = len(samples) * MOST_STRETCH
            correction = np.clip(self._mean_deviation * GAIN, -most, most)
            samples = _stretched(samples, round(correction))
        self._length += len(samples)
        return [*parts, samples]

    def _silence(self, count: int) -> Samples:
        self._length += count
        return np.zeros(count, np.int16)


def _stretched(samples: Samples, more: int) -> Samples:
    """Return the samples, linearly resampled to `more` samples more."""
    if more == 0:
        return samples
    places = np.linspace(0, len(samples) - 1, len(samples) + more)
    return np.rint(np.interp(places, np.arange(len(samples)), samples)).astype(np.int16)
