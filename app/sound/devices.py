"""The microphones of this machine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

import av
from av.error import FFmpegError

from app.sound.base import SoundSource
from app.sound.ffmpeg_input import FFmpegMicrophone
from app.sound.pulse import PulseMicrophone

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
    done = subprocess.run(LIST_COMMAND, capture_output=True, text=True, timeout=LIST_TIMEOUT_S, check=True)
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
