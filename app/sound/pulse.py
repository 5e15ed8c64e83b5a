"""Microphones of PulseAudio and PipeWire, through the system's libpulse-simple (Linux)."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from app.core.errors import MicrophoneError
from app.core.messages.output import MicrophoneText
from app.sound.base import BLOCK_S, RATE, SoundBlock

LIBRARY = "libpulse-simple.so.0"
_RECORD = 2
_S16LE = 3
_UNSET = 0xFFFFFFFF


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
            raise MicrophoneError(MicrophoneText.NO_LIBRARY()) from error
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
            raise MicrophoneError(MicrophoneText.NOT_OPENED(device=name))

    def read(self) -> SoundBlock:
        """See `SoundSource`."""
        stream, error = ctypes.c_void_p(self._stream), ctypes.byref(self._error)
        if self._pulse.pa_simple_read(stream, self._bytes, ctypes.c_size_t(len(self._bytes)), error) < 0:
            raise MicrophoneError(MicrophoneText.LOST(device=self._name))
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
