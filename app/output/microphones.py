"""Microphones of the system: their list, and the blocks that one sends."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass

import av
import numpy as np
from av.error import FFmpegError

from app.core.errors import MicrophoneError, t
from app.output.sound import BLOCK_S, RATE, SoundBlock
from app.system.pulse import SoundServer, SourceStream

log = logging.getLogger(__name__)

# In place of a name: the microphone that the user has chosen in the system.
DEFAULT = "default"
_SAMPLE_BYTES = 2


@dataclass(frozen=True, slots=True)
class MicrophoneName:
    """A microphone that can be chosen."""

    name: str  # as `--microphone` takes it
    title: str  # as the system shows it


def microphones(
    platform: str = sys.platform, connect: Callable[[], SoundServer] = SoundServer
) -> tuple[MicrophoneName, ...]:
    """Return the microphones that the system lists; none if it cannot list them.

    Takes up to some seconds.
    """
    if platform != "linux":
        return _ffmpeg_devices("dshow" if platform == "win32" else "avfoundation")
    try:
        server = connect()
    except OSError:
        return ()
    with closing(server):
        sources = server.sources.values()
    inputs = [source for source in sources if not source.is_monitor]
    return tuple(MicrophoneName(source.name, source.title) for source in inputs)


def open_microphone(
    name: str,
    platform: str = sys.platform,
    listed: Callable[[str], tuple[MicrophoneName, ...]] = microphones,
) -> Generator[SoundBlock, None, None]:
    """See `OpenMicrophone`. listed: as `microphones`."""
    if platform == "linux":
        return sound_server_blocks(name)
    names = [microphone.name for microphone in listed(platform)]
    if platform == "win32":
        device = name
        if name == DEFAULT and names:
            # DirectShow knows no default device.
            device = names[0]
        return ffmpeg_blocks(name, f"audio={device}", "dshow", {"audio_buffer_size": "20"})
    # AVFoundation takes every device whose name begins with the wanted one.
    if names and name not in (DEFAULT, *names):
        raise _not_opened(name)
    return ffmpeg_blocks(name, f":{name}", "avfoundation", {})


# After that an empty block is yielded: whoever reads may end the generator.
WAIT_S = 0.1
# A source that sends no block for this time is reported. Bluetooth headsets take up to two seconds
# to begin.
SILENCE_S = 5.0


def sound_server_blocks(
    name: str, connect: Callable[[], SoundServer] = SoundServer, silence_s: float = SILENCE_S
) -> Generator[SoundBlock, None, None]:
    """Record a source of the sound server, and no other one. See `OpenMicrophone`.

    Ends without an error where another source has become the default one that is wanted.
    """
    try:
        server = connect()
    except ConnectionError as error:
        raise MicrophoneError(
            t(
                "The sound server does not answer, and the recording has no sound; start PipeWire "
                "with pipewire-pulse or PulseAudio, or turn the microphone off."
            )
        ) from error
    except OSError as error:
        raise MicrophoneError(
            t(
                "Sound cannot be recorded because the library of the sound server is missing; "
                "install it (package libpulse0), or turn the microphone off."
            )
        ) from error
    with closing(server):
        source = _chosen_source(server, name)
        with closing(server.record(source, RATE, round(BLOCK_S * RATE) * _SAMPLE_BYTES)) as stream:
            yield from _blocks(server, stream, name, source, silence_s)


def _chosen_source(server: SoundServer, name: str) -> str:
    """Return the name of the source that is recorded. Raises MicrophoneError."""
    if name != DEFAULT:
        # Servers take other words as well, such as numbers and @DEFAULT_MONITOR@, which mean
        # another source later.
        if name not in server.sources:
            raise _not_opened(name)
        return name
    source = server.sources.get(server.default_source)
    if source is None:
        raise _not_opened(name)
    if source.is_monitor:
        # Without a microphone, servers take what the loudspeaker plays: the other people in a call.
        raise MicrophoneError(
            t(
                "No microphone is connected, and the recording has no sound; connect one, or name "
                "{device} to record what the loudspeaker plays.",
                device=source.name,
            )
        )
    return source.name


def _blocks(
    server: SoundServer, stream: SourceStream, name: str, source: str, silence_s: float
) -> Generator[SoundBlock, None, None]:
    heard_at_s = time.monotonic()
    has_begun = False
    while True:
        server.wait(WAIT_S)
        samples, age_s = stream.read()
        now_s = time.perf_counter()
        if name == DEFAULT and server.default_source != source:
            log.warning(
                "%s",
                t("Another microphone has become the default one; the recording goes on with it."),
            )
            return
        if stream.is_lost or source not in server.sources or not server.is_connected:
            if has_begun:
                raise _lost(name)
            raise _not_opened(name)
        if samples and stream.source != source:
            # Against the request, as tools that write to the graph of PipeWire may do.
            raise MicrophoneError(
                t(
                    "Another program connected the recording to {other} in place of the "
                    "microphone {device}, and the recording goes on without sound; choose the "
                    "microphone that is wanted.",
                    other=stream.source,
                    device=name,
                )
            )
        if samples:
            heard_at_s = time.monotonic()
            has_begun = True
        elif time.monotonic() - heard_at_s > silence_s:
            raise MicrophoneError(
                t(
                    "The microphone {device} sends nothing, and the recording goes on without "
                    "sound; connect it again or choose another one.",
                    device=name,
                )
            )
        block = np.frombuffer(samples, "<i2").astype(np.int16)
        duration_s = len(block) / RATE
        yield SoundBlock(block, now_s - age_s - duration_s)


def _ffmpeg_devices(device_format: str) -> tuple[MicrophoneName, ...]:
    try:
        devices = av.enumerate_input_devices(device_format)
    except (ValueError, FFmpegError):
        return ()
    titles = [device.description for device in devices if "audio" in device.media_types]
    return tuple(MicrophoneName(title, title) for title in titles)


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
                samples = np.zeros(0, np.int16)
                for part in resampler.resample(frame):
                    samples = np.concatenate([samples, part.to_ndarray()[0].astype(np.int16)])
                yield SoundBlock(samples, now_s - len(samples) / RATE)
        except FFmpegError as error:
            raise _lost(name) from error
    raise _lost(name)


def _not_opened(name: str) -> MicrophoneError:
    return MicrophoneError(
        t(
            "The microphone {device} cannot be opened, and the recording has no sound; connect it "
            "or choose another one.",
            device=name,
        )
    )


def _lost(name: str) -> MicrophoneError:
    return MicrophoneError(
        t(
            "The microphone {device} was disconnected, and the recording goes on without sound; "
            "connect it again.",
            device=name,
        )
    )
