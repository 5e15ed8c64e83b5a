"""Sound of the microphone for recordings: the devices, the thread that reads one, and the track without gaps."""

from __future__ import annotations

import ctypes
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeAlias

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from app.core.errors import MicrophoneError, t
from app.core.threads import name_thread

log = logging.getLogger(__name__)


RATE = 48_000
"""Samples per second of every block."""
BLOCK_S = 0.02
"""Length of a block where the source can be asked for one."""
Samples: TypeAlias = NDArray[np.int16]
"""(count,) int16, mono."""


@dataclass(frozen=True, slots=True)
class SoundBlock:
    """Consecutive samples."""

    samples: Samples
    captured_at_s: float
    """Time at which the first sample was captured, on the clock of the frames (`time.perf_counter`)."""


OpenMicrophone: TypeAlias = Callable[[str], Generator[SoundBlock, None, None]]
"""Opens `default` or a microphone by its name, yields its blocks, and releases it when it is closed.

Used on one thread. Raises MicrophoneError if the microphone does not open or is lost.
"""


RETRY_S = 2.0
"""Wait before a microphone that failed is opened again."""
POLL_S = 0.02
"""Interval at which `wanted` is asked while no device is open."""
MAX_BLOCKS = round(30 / BLOCK_S)
"""Blocks that are kept at most; beyond it the oldest is dropped."""
CLOSE_TIMEOUT_S = 2.0


class Microphone:
    """Opens the microphone that is wanted, and reads it until `close`.

    Muting releases it: while `wanted` returns None, nothing is captured. One that fails is reported and retried.
    """

    def __init__(
        self,
        open_microphone: OpenMicrophone,
        wanted: Callable[[], str | None],
        report: Callable[[Exception | None], None],
        retry_s: float = RETRY_S,
    ) -> None:
        """wanted: the microphone, None to mute it. report: called with an error, and with None once sound arrives and
        after `close`. Both are called on the microphone's thread, but for the last report.
        """
        self._open = open_microphone
        self._wanted = wanted
        self._report = report
        self._retry_s = retry_s
        self._blocks: deque[SoundBlock] = deque(maxlen=MAX_BLOCKS)
        self.level = 0.0
        """Peak of the last block, from 0 to 1; 0 while muted. Readable on any thread."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="microphone", daemon=True)
        self._thread.start()

    def take(self) -> list[SoundBlock]:
        """Return the blocks that arrived since the last call, without waiting. Used on one thread."""
        return [self._blocks.popleft() for _ in range(len(self._blocks))]

    def request_stop(self) -> None:
        """Let the thread release the device and end, without waiting for it."""
        self._stop.set()

    def close(self) -> None:
        """Release the device; no failure stays reported. Idempotent."""
        self._stop.set()
        self._thread.join(CLOSE_TIMEOUT_S)
        if self._thread.is_alive():
            log.warning("The microphone's driver does not answer; its thread is left behind.")
        self._report(None)

    def _run(self) -> None:
        name_thread("microphone")
        while not self._stop.is_set():
            name = self._wanted()
            if name is None:
                self._stop.wait(POLL_S)
                continue
            try:
                self._listen(name)
            except Exception as error:  # noqa: BLE001 - carried to the status
                if self._stop.is_set():
                    return  # `close` did not wait for a driver that hung: nobody would take the report back
                self._report(error)
                self._stop.wait(self._retry_s)

    def _listen(self, name: str) -> None:
        """Read the device until another one, or none, is wanted."""
        heard = False
        with closing(self._open(name)) as blocks:
            try:
                for block in blocks:
                    if self._wanted() != name:  # muted in the meantime: what was just captured is discarded
                        return
                    if not heard:
                        heard = True
                        self._report(None)
                    self._blocks.append(block)
                    self.level = min(1.0, float(np.abs(block.samples.astype(np.int32)).max(initial=0)) / 32767)
                    if self._stop.is_set():
                        return
            finally:
                self.level = 0.0


TOLERANCE = round(0.02 * RATE)
"""Deviation in samples from which a block is moved at once; smaller ones are corrected by resampling."""
SMOOTHING = 0.1
"""Weight of a block's deviation in the running mean, because capture times jitter."""
GAIN = 0.02
"""Share of the mean deviation that one block corrects."""
MOST_STRETCH = 0.005
"""Largest change of a block's length, as a fraction."""
LATEST_S = 0.3
"""Sound that arrives later than this after its frame is replaced by silence, so that no frame waits for it."""


class SoundTrack:
    """Places blocks on the time line of the file. Gaps are filled with silence, overlaps are cut.

    The clock of a sound card drifts against that of the frames: blocks are stretched or shortened to follow it.
    """

    def __init__(self, origin_s: float) -> None:
        """origin_s: capture time at which the file begins."""
        self._origin_s = origin_s
        self._length = 0
        """Samples returned so far."""
        self._deviation = 0.0
        self._aligned = False

    def add(self, blocks: Sequence[SoundBlock], frame_s: float, *, final: bool = False) -> Samples:
        """Return the samples that follow the previous ones.

        frame_s: time of the frame in the file. final: this frame is the last one. Samples that earlier calls returned
        can extend past it by up to the matting latency; they stay in the file.
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
        samples, parts = block.samples, []
        deviation = round((block.captured_at_s - self._origin_s) * RATE) - self._length
        if not self._aligned or abs(deviation) > TOLERANCE:
            if deviation > 0:
                parts.append(self._silence(deviation))
            samples = samples[max(0, -deviation) :]
            self._aligned, self._deviation = len(samples) > 0, 0.0
        else:
            self._deviation += (deviation - self._deviation) * SMOOTHING
            most = len(samples) * MOST_STRETCH
            samples = _stretched(samples, round(np.clip(self._deviation * GAIN, -most, most)))
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


LIBRARY = "libpulse-simple.so.0"
_RECORD = 2
_S16LE = 3
_UNSET = 0xFFFFFFFF
LIST_COMMAND = ("pactl", "--format=json", "list", "sources")
LIST_TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True)
class MicrophoneName:
    """A microphone that can be chosen."""

    name: str
    """What `--microphone` takes."""
    title: str
    """What the system shows."""


def microphones(platform: str = sys.platform) -> tuple[MicrophoneName, ...]:
    """Return the microphones that the system lists; none if it cannot list them. Takes up to some seconds."""
    if platform != "linux":
        return _ffmpeg_devices("dshow" if platform == "win32" else "avfoundation")
    # PulseAudio 16 writes numbers as the language of the user does: with a comma they are no JSON.
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(
            LIST_COMMAND, capture_output=True, encoding="utf-8", env=environment, timeout=LIST_TIMEOUT_S, check=True
        )
        sources = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return ()
    titles = {str(source.get("name", "")): source.get("description") for source in sources}
    return tuple(
        MicrophoneName(name, str(title or name))
        for name, title in titles.items()
        if name and not name.endswith(".monitor")  # what a loudspeaker plays
    )


def open_microphone(name: str, platform: str = sys.platform) -> Generator[SoundBlock, None, None]:
    """See `OpenMicrophone`."""
    if platform == "linux":
        return pulse_blocks(name)
    if platform == "win32":
        first = next(iter(microphones(platform=platform)), None)
        device = first.name if name == "default" and first is not None else name
        return ffmpeg_blocks(name, f"audio={device}", "dshow", {"audio_buffer_size": "20"})
    return ffmpeg_blocks(name, f":{name}", "avfoundation", {})


def _ffmpeg_devices(device_format: str) -> tuple[MicrophoneName, ...]:
    try:
        devices = av.enumerate_input_devices(device_format)
    except (ValueError, FFmpegError):
        return ()
    titles = [device.description for device in devices if "audio" in device.media_types]
    return tuple(MicrophoneName(title, title) for title in titles)


class _SampleSpec(ctypes.Structure):
    _fields_ = (("format", ctypes.c_int), ("rate", ctypes.c_uint32), ("channels", ctypes.c_uint8))


class _BufferAttributes(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_uint32) for name in ("maxlength", "tlength", "prebuf", "minreq", "fragsize"))


def pulse_blocks(name: str, load: Callable[[str], Any] = ctypes.CDLL) -> Generator[SoundBlock, None, None]:
    """Read a recording stream of the sound server. See `OpenMicrophone`. load: loads the library; raises OSError."""
    try:
        pulse = load(LIBRARY)
    except OSError as error:
        raise MicrophoneError(
            t(
                "Sound cannot be recorded because the library of the sound server is missing; install it (package "
                "libpulse0), or turn the microphone off."
            )
        ) from error
    pulse.pa_simple_new.restype = ctypes.c_void_p
    pulse.pa_simple_get_latency.restype = ctypes.c_uint64
    number = ctypes.c_int(0)
    error_number = ctypes.byref(number)
    block = ctypes.create_string_buffer(round(BLOCK_S * RATE) * 2)
    device = None if name == "default" else name.encode()
    spec = ctypes.byref(_SampleSpec(_S16LE, RATE, 1))
    attributes = ctypes.byref(_BufferAttributes(_UNSET, _UNSET, _UNSET, _UNSET, len(block)))
    stream = ctypes.c_void_p(
        pulse.pa_simple_new(None, b"Mattecam", _RECORD, device, b"Recording", spec, None, attributes, error_number)
    )
    if not stream:
        raise _not_opened(name)
    try:
        while pulse.pa_simple_read(stream, block, ctypes.c_size_t(len(block)), error_number) >= 0:
            now_s = time.perf_counter()
            number.value = 0
            latency_us = pulse.pa_simple_get_latency(stream, error_number)
            age_s = latency_us / 1e6 if number.value == 0 else 0.0
            yield SoundBlock(np.frombuffer(block.raw, "<i2").astype(np.int16), now_s - age_s - BLOCK_S)
    finally:
        pulse.pa_simple_free(stream)
    raise _lost(name)


def ffmpeg_blocks(
    name: str, address: str, device_format: str, options: dict[str, str]
) -> Generator[SoundBlock, None, None]:
    """Read an input device of FFmpeg. See `OpenMicrophone`.

    name: for messages. address, device_format, options: as FFmpeg's input device expects them.
    """
    try:
        container = av.open(address, format=device_format, options=options)
    except (FFmpegError, ValueError) as error:  # ValueError: this FFmpeg has no such device
        raise _not_opened(name) from error
    with container:
        if not container.streams.audio:
            raise _not_opened(name)
        resampler = av.AudioResampler("s16", "mono", RATE)
        try:
            for frame in container.decode(audio=0):
                now_s = time.perf_counter()
                parts = [part.to_ndarray()[0] for part in resampler.resample(frame)]
                samples = np.concatenate(parts).astype(np.int16) if parts else np.zeros(0, np.int16)
                yield SoundBlock(samples, now_s - len(samples) / RATE)
        except FFmpegError as error:
            raise _lost(name) from error
    raise _lost(name)


def _not_opened(name: str) -> MicrophoneError:
    return MicrophoneError(
        t(
            "The microphone {device} cannot be opened, and the recording has no sound; connect it or choose another "
            "one.",
            device=name,
        )
    )


def _lost(name: str) -> MicrophoneError:
    return MicrophoneError(
        t(
            "The microphone {device} was disconnected, and the recording goes on without sound; connect it again.",
            device=name,
        )
    )
