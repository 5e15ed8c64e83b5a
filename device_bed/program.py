"""The program in its own process, between a camera and a reader.

Command line, pipeline, capture, backgrounds, outputs and control are real. The virtual machine is
too slow for a network; an engine that takes the middle of the frame for the person replaces it.
`PROGRAM` names an installed program that runs instead, with its network.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from multiprocessing.context import ForkProcess
from pathlib import Path

import numpy as np

from app.control.commands import Command
from app.control.transport import ask
from app.core.settings import EngineSettings, FramingSettings
from app.core.types import BgrImage, BlurredBackground, Matte
from app.matting.choice import preparation
from app.matting.interface import EngineInfo, StepRequest
from app.runtime.context import PipelineParts
from device_bed.tools import DEVICE, FORK, OpenCvReader, end, shell, until
from mattecam.testing import ImmediateEngine

FOLDER = Path("/tmp/mattecam")
SLACK = float(os.environ.get("SLACK", "1"))
"""Factor on the time limits if the virtual machine shares its host."""
START_LIMIT_S = 90.0 * SLACK
"""A first start compiles the program's loops."""
INSTALLED = os.environ.get("PROGRAM")
"""Installed program that runs in place of this one."""
NETWORK = ("--model", "mattecam", "--precision", "int8", "--downsample-ratio", "0.25")
"""Options of the installed program, so that it measures no precisions on the slow processor."""


class StandIn(ImmediateEngine):
    """Engine that takes the middle third of the frame for the person; a blurred background becomes
    grey.
    """

    def __init__(
        self, settings: EngineSettings, width: int, height: int, framing: FramingSettings
    ) -> None:
        ratio = settings.downsample_ratio or 0.5
        small = int(width * ratio), int(height * ratio)
        self.info = EngineInfo("stand-in", "numpy", "float32", "cpu", ratio, small)
        self._alpha = np.zeros((height, width), np.uint8)
        self._alpha[:, width // 3 : 2 * width // 3] = 255

    def matte(self, step: StepRequest) -> Matte:
        behind = (
            np.full_like(step.frame, 90)
            if isinstance(step.backdrop, BlurredBackground)
            else step.backdrop
        )
        return Matte(np.where(self._alpha[..., None] > 0, step.frame, behind), self._alpha.copy())


def _parts() -> PipelineParts:
    from app.backgrounds import open_background
    from app.capture import SourceOpener
    from app.output.camera_list import ReaderWatch, is_busy
    from app.output.microphones import open_microphone
    from app.output.table import SINKS

    return PipelineParts(
        SourceOpener(is_busy), StandIn, open_background, SINKS, open_microphone, ReaderWatch
    )


def _main(options: tuple[str, ...]) -> None:
    from app.cli import headless, main

    log = os.open(FOLDER / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    command = ["headless", "--verbose", "--size", "640x480", "--virtual-camera", DEVICE, *options]
    if INSTALLED:
        os.execv(INSTALLED, [INSTALLED, *command, *NETWORK])
    vars(headless)["default_parts"] = _parts
    # the stand-in needs nothing that is compiled
    vars(preparation).update(is_prepared=lambda: True, unmeasured=dict)
    faulthandler.register(signal.SIGUSR2, file=log)
    os._exit(main.main(command))


@cache
def _load_modules() -> None:
    """Import the program once for all processes of a check, or let the installed one prepare: both
    are slow here.
    """
    if INSTALLED:
        once = (
            INSTALLED,
            "headless",
            "--source",
            "demo",
            "--size",
            "640x480",
            "--frames",
            "1",
            *NETWORK,
        )
        subprocess.run([*once, "--virtual-camera", "off"], capture_output=True, check=False)
        return
    from app.cli import headless, main

    assert main and headless
    _parts()


@contextmanager
def program(*options: str) -> Iterator[ForkProcess]:
    """Run `run.py headless` with these options and the replacement engine; stop it with a signal at
    the end.
    """
    FOLDER.mkdir(exist_ok=True)
    for kind in ("CONFIG", "DATA", "RUNTIME"):
        (FOLDER / kind.lower()).mkdir(mode=0o700, exist_ok=True)
        os.environ[f"MATTECAM_{kind}_DIR"] = str(FOLDER / kind.lower())
    _load_modules()
    process = FORK.Process(target=_main, args=(options,))
    process.start()
    try:
        yield process
    finally:
        process.terminate()
        end(process, 60)


def ctl(name: str, argument: str = "") -> Mapping[str, object]:
    """Send a command to the running program; return the status fields if the command is `status`."""
    answer = ask(Command(name, argument))
    assert answer.done, f"ctl {name} {argument}: {answer.message}"
    return answer.status or {}


def log() -> str:
    """Return the end of the program's output."""
    path = FOLDER / "log"
    return path.read_text(errors="replace")[-600:] if path.exists() else ""


def opened_reader() -> OpenCvReader:
    """Retry opening the camera until it works, as a user does."""
    told = f"v4l2-ctl -d {DEVICE} --info | tail -4"
    until(
        lambda: "Video Capture\n" in shell(told),
        START_LIMIT_S,
        lambda: f"the virtual camera delivers no frame; {log()}",
    )
    return OpenCvReader()


def corner_is(red: int, green: int, blue: int) -> Callable[[BgrImage], bool]:
    """Return whether a frame shows a background of this colour."""
    return lambda image: bool(np.abs(image[5, 5].astype(int) - (blue, green, red)).max() < 12)


def until_picture(reader: OpenCvReader, shows: Callable[[BgrImage], bool], limit_s: float) -> float:
    """Return the seconds until a frame satisfies the condition."""
    started_s = time.monotonic()
    while True:
        with suppress(AssertionError):  # OpenCV times out after a second without a frame
            if shows(reader.read()):
                return time.monotonic() - started_s
        assert time.monotonic() - started_s < limit_s, (
            f"no such picture within {limit_s:.0f} s; log: {log()}"
        )
