"""The microphones of this machine: of PulseAudio and PipeWire by libpulse-simple (Linux), else of FFmpeg."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from av.error import FFmpegError

from app.core.errors import MicrophoneError, t
from app.output.sound.microphone import BLOCK_S, RATE, SoundBlock, SoundSource

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


def microphones(run: Callable[[], str] | None = None, platform: str = sys.platform) -> tuple[MicrophoneName, ...]:
    """Return the microphones that the system lists; none if it cannot list them. Takes up to some seconds.

    run: returns the output of `LIST_COMMAND`; raises OSError or SubprocessError. For Linux.
    """
    if platform == "linux":
        try:
            return _sources((run or _list_sources)())
        except (OSError, subprocess.SubprocessError, ValueError):
            return ()
    return _ffmpeg_devices("dshow" if platform == "win32" else "avfoundation")


def open_microphone(name: str, platform: str = sys.platform) -> SoundSource:
    """Open `default` or a microphone by its name. Raises MicrophoneError."""
    if platform == "linux":
        return PulseMicrophone(name)
    if platform == "win32":
        first = next(iter(microphones(platform=platform)), None)
        device = first.name if name == "default" and first is not None else name
        return FFmpegMicrophone(name, f"audio={device}", "dshow", {"audio_buffer_size": "20"})
    return FFmpegMicrophone(name, f":{name}", "avfoundation", {})


def _list_sources() -> str:
    # PulseAudio 16 writes numbers as the language of the user does: with a comma they are no JSON.
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        LIST_COMMAND, capture_output=True, encoding="utf-8", env=environment, timeout=LIST_TIMEOUT_S, check=True
    )
    return done.stdout


def _sources(listing: str) -> tuple[MicrophoneName, ...]:
    """Return the sources that are no monitors of an output. Raises ValueError."""
    found = []
    for source in json.loads(listing):
        name = str(source.get("name", ""))
        if name and not name.endswith(".monitor"):
            found.append(MicrophoneName(name, str(source.get("description") or name)))
    return tuple(found)


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


class PulseMicrophone:
    """A recording stream of the sound server. See `SoundSource`."""

    def __init__(self, name: str, load: Callable[[str], Any] = ctypes.CDLL) -> None:
        """name: `default`, or the name of a source. load: loads the shared library; raises OSError."""
        self._name = name
        self._stream = None
        try:
            self._pulse = load(LIBRARY)
        except OSError as error:
            raise MicrophoneError(
                t(
                    "Sound cannot be recorded because the library of the sound server is missing; install it (package "
                    "libpulse0), or turn the microphone off."
                )
            ) from error
        pulse = self._pulse
        pulse.pa_simple_new.restype = ctypes.c_void_p
        pulse.pa_simple_get_latency.restype = ctypes.c_uint64
        self._error = ctypes.c_int(0)
        self._bytes = ctypes.create_string_buffer(round(BLOCK_S * RATE) * 2)
        device = None if name == "default" else name.encode()
        spec = _SampleSpec(_S16LE, RATE, 1)
        attributes = _BufferAttributes(_UNSET, _UNSET, _UNSET, _UNSET, len(self._bytes))
        self._stream = pulse.pa_simple_new(
            None,
            b"Mattecam",
            _RECORD,
            device,
            b"Recording",
            ctypes.byref(spec),
            None,
            ctypes.byref(attributes),
            ctypes.byref(self._error),
        )
        if not self._stream:
            raise _not_opened(name)

    def read(self) -> SoundBlock:
        """See `SoundSource`."""
        stream, error = ctypes.c_void_p(self._stream), ctypes.byref(self._error)
        if self._pulse.pa_simple_read(stream, self._bytes, ctypes.c_size_t(len(self._bytes)), error) < 0:
            raise _lost(self._name)
        now_s = time.perf_counter()
        self._error.value = 0
        latency_us = self._pulse.pa_simple_get_latency(stream, error)
        age_s = latency_us / 1e6 if self._error.value == 0 else 0.0
        return SoundBlock(np.frombuffer(self._bytes.raw, "<i2").astype(np.int16), now_s - age_s - BLOCK_S)

    def close(self) -> None:
        """See `SoundSource`."""
        stream, self._stream = self._stream, None
        if stream:
            self._pulse.pa_simple_free(ctypes.c_void_p(stream))


class FFmpegMicrophone:
    """An input device of FFmpeg. See `SoundSource`."""

    def __init__(self, name: str, address: str, device_format: str, options: Mapping[str, str]) -> None:
        """name: for messages. address, device_format, options: as FFmpeg's input device expects them."""
        self._name = name
        if device_format not in av.formats_available:
            raise MicrophoneError(
                t(
                    "The installed FFmpeg cannot read microphones, and the recording has no sound; turn the "
                    "microphone off."
                )
            )
        try:
            self._container = av.open(address, format=device_format, options=dict(options))
        except FFmpegError as error:
            raise _not_opened(name) from error
        if not self._container.streams.audio:
            self._container.close()
            raise _not_opened(name)
        self._frames = self._container.decode(audio=0)
        self._resampler = av.AudioResampler("s16", "mono", RATE)

    def read(self) -> SoundBlock:
        """See `SoundSource`."""
        try:
            frame = next(self._frames, None)
        except FFmpegError as error:
            raise _lost(self._name) from error
        if frame is None:
            raise _lost(self._name)
        now_s = time.perf_counter()
        parts = [part.to_ndarray()[0] for part in self._resampler.resample(frame)]
        samples = np.concatenate(parts).astype(np.int16) if parts else np.zeros(0, np.int16)
        return SoundBlock(samples, now_s - len(samples) / RATE)

    def close(self) -> None:
        """See `SoundSource`."""
        self._container.close()


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
