"""Microphones through FFmpeg's input devices (Windows, macOS)."""

from __future__ import annotations

import time
from collections.abc import Mapping

import av
import numpy as np
from av.error import FFmpegError

from app.core.errors import MicrophoneError
from app.core.messages.output import MicrophoneText
from app.sound.base import RATE, SoundBlock


class FFmpegMicrophone:
    """An input device of FFmpeg. See `SoundSource`."""

    def __init__(self, name: str, address: str, device_format: str, options: Mapping[str, str]) -> None:
        """name: for messages. address, device_format, options: as FFmpeg's input device expects them."""
        self._name = name
        if device_format not in av.formats_available:
            raise MicrophoneError(MicrophoneText.NOT_SUPPORTED())
        try:
            self._container = av.open(address, format=device_format, options=dict(options))
        except FFmpegError as error:
            raise MicrophoneError(MicrophoneText.NOT_OPENED(device=name)) from error
        if not self._container.streams.audio:
            self._container.close()
            raise MicrophoneError(MicrophoneText.NOT_OPENED(device=name))
        self._frames = self._container.decode(audio=0)
        self._resampler = av.AudioResampler("s16", "mono", RATE)

    def read(self) -> SoundBlock:
        """See `SoundSource`."""
        try:
            frame = next(self._frames, None)
        except FFmpegError as error:
            raise MicrophoneError(MicrophoneText.LOST(device=self._name)) from error
        if frame is None:
            raise MicrophoneError(MicrophoneText.LOST(device=self._name))
        now_s = time.perf_counter()
        parts = [part.to_ndarray()[0] for part in self._resampler.resample(frame)]
        samples = np.concatenate(parts).astype(np.int16) if parts else np.zeros(0, np.int16)
        return SoundBlock(samples, now_s - len(samples) / RATE)

    def close(self) -> None:
        """See `SoundSource`."""
        self._container.close()
