"""Prove that other programs receive the right picture: send colour bars, read them back, and compare."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from app.core.errors import SinkError
from app.core.messages.doctor import ProofFinding
from app.core.text import Text
from app.core.types import BgrImage, Outgoing, Picture, PictureKind
from app.doctor.finding import CommandLine, Finding, State, Steps
from app.output.base import FrameSink

_WIDTH, _HEIGHT, _FPS = 640, 480, 30.0
_BARS_BGR = ((235, 235, 235), (16, 235, 235), (235, 235, 16), (16, 235, 16),
             (235, 16, 235), (16, 16, 235), (235, 16, 16), (16, 16, 16))  # fmt: skip
_MAX_ERROR = 6
"""Of 255: tolerance for rounding in YUV conversion (BT.601, limited range)."""
_DROPPED_FRAMES = 8
"""The first frames after opening may be torn or stale."""
_FIRST_FRAME_TIMEOUT_S = 30.0
_JOIN_TIMEOUT_S = 10.0


class Reader(Protocol):
    """Reads a camera as an ordinary program does."""

    def read(self) -> BgrImage | None:
        """Return the next frame as (H, W, 3) uint8 BGR; None if none was delivered."""
        ...

    def close(self) -> None:
        """Release the camera."""
        ...


OpenSink = Callable[[int, int, float], FrameSink]
"""(width, height, fps) -> the virtual camera; raises SinkOpenError."""
OpenReader = Callable[[], Reader | None]
"""Returns None if the camera cannot be opened for reading."""


def colour_bars(width: int, height: int) -> BgrImage:
    """Return (height, width, 3) uint8 BGR with eight different vertical bars, so that mirroring is detected."""
    image = np.empty((height, width, 3), np.uint8)
    for index, colour in enumerate(_BARS_BGR):
        image[:, index * width // 8 : (index + 1) * width // 8] = colour
    return image


def bar_error(image: BgrImage) -> float:
    """Return the largest error, in 0..255, of the mean colour of the inner half of any bar."""
    height, width = image.shape[:2]
    worst = 0.0
    for index, colour in enumerate(_BARS_BGR):
        left, right = index * width // 8, (index + 1) * width // 8
        margin = (right - left) // 4
        inner = image[height // 4 : height * 3 // 4, left + margin : right - margin]
        worst = max(worst, float(np.abs(inner.reshape(-1, 3).mean(0) - colour).max()))
    return worst


@dataclass(frozen=True, slots=True)
class _Answer:
    image: BgrImage | None
    opened: bool


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do if the picture does not arrive."""

    check: str
    not_sent: Steps
    not_readable: Steps
    no_picture: Steps


LOOPBACK_ADVICE = Advice(
    "virtual camera: proof",
    (
        ProofFinding.FIX_NOT_SENT(),
        CommandLine("sudo modprobe -r v4l2loopback && sudo modprobe v4l2loopback"),
    ),
    (ProofFinding.FIX_NOT_READABLE(), CommandLine("python3 run.py doctor --fix")),
    (ProofFinding.FIX_CLOSE_PROGRAMS(),),
)


def prove(
    device: str,
    open_sink: OpenSink,
    open_reader: OpenReader,
    advice: Advice = LOOPBACK_ADVICE,
    readers: Callable[[], tuple[str, ...]] = tuple,
) -> Finding:
    """Send bars to the virtual camera `device` and read them back; takes about one second. readers: the programs that
    read it, asked if it cannot be opened: v4l2loopback 0.15 takes one reader at a time.
    """
    sender = _Sender(open_sink)
    sender.start()
    answer = _Answer(None, opened=False)
    try:
        sent = sender.sending.wait(_FIRST_FRAME_TIMEOUT_S) and not sender.error
        if sent:
            answer = _read(open_reader)
    finally:
        ended = sender.stop()
    if not ended:
        return _not_sent(ProofFinding.HANGS(device=device), advice)
    if sender.error or not sent:
        nothing = ProofFinding.NOTHING_SENT(device=device, seconds=f"{_FIRST_FRAME_TIMEOUT_S:.0f}")
        return _not_sent(sender.error or nothing, advice)
    programs = () if answer.opened else readers()
    if programs:
        detail, why = ProofFinding.ONE_READER(device=device, programs=programs), ProofFinding.WHY_ONE_READER()
        return Finding(advice.check, State.WARNING, detail, why, (ProofFinding.FIX_CLOSE_PROGRAMS(),))
    return _judge(device, answer, advice)


class _Sender(threading.Thread):
    """Opens, writes to and closes the virtual camera on one thread."""

    def __init__(self, open_sink: OpenSink) -> None:
        super().__init__(name="proof-sender", daemon=True)  # daemon: a hanging driver must not block the exit
        self.sending = threading.Event()
        """Set after the first frame was sent, or after a failure."""
        self.error = ""
        self._open_sink = open_sink
        self._stop_asked = threading.Event()

    def run(self) -> None:
        picture = Outgoing(Picture(colour_bars(_WIDTH, _HEIGHT), PictureKind.STANDBY))  # nothing of the camera
        try:
            sink = self._open_sink(_WIDTH, _HEIGHT, _FPS)
            try:
                while not self._stop_asked.wait(1 / _FPS):
                    sink.send(picture)
                    self.sending.set()
            finally:
                sink.close()
        except SinkError as error:
            self.error = error.text
        finally:
            self.sending.set()

    def stop(self) -> bool:
        self._stop_asked.set()
        self.join(_JOIN_TIMEOUT_S)
        return not self.is_alive()


def _read(open_reader: OpenReader) -> _Answer:
    reader = open_reader()
    if reader is None:
        return _Answer(None, opened=False)
    try:
        image = None
        for _ in range(_DROPPED_FRAMES + 1):
            image = reader.read()
            if image is None:
                break
        return _Answer(image, opened=True)
    finally:
        reader.close()


def _not_sent(reason: str, advice: Advice) -> Finding:
    detail, why = ProofFinding.NOT_SENT(reason=reason), ProofFinding.WHY_NOT_SENT()
    return Finding(advice.check, State.PROBLEM, detail, why, advice.not_sent)


def _judge(device: str, answer: _Answer, advice: Advice) -> Finding:
    def problem(detail: Text, steps: Steps) -> Finding:
        return Finding(advice.check, State.PROBLEM, detail, why, steps)

    why = ProofFinding.WHY_SAME()
    if not answer.opened:
        return problem(ProofFinding.NOT_READABLE(device=device), advice.not_readable)
    if answer.image is None:
        return problem(ProofFinding.NO_PICTURE(device=device), advice.no_picture)
    height, width = answer.image.shape[:2]
    if width * _HEIGHT != height * _WIDTH:
        detail = ProofFinding.OTHER_SIZE(
            device=device, width=width, height=height, wanted_width=_WIDTH, wanted_height=_HEIGHT
        )
        steps = (ProofFinding.FIX_OTHER_SIZE(),)
        return Finding(advice.check, State.WARNING, detail, ProofFinding.WHY_OTHER_SIZE(), steps)
    error = round(bar_error(answer.image))
    if error > _MAX_ERROR:
        detail = ProofFinding.WRONG_COLOURS(device=device, error=error)
        return problem(detail, (ProofFinding.FIX_WRONG_COLOURS(),))
    return Finding(advice.check, State.OK, ProofFinding.GOOD(device=device, width=width, height=height, error=error))


class OpenCvReader:
    """Reads frames of an open camera."""

    def __init__(self, capture: cv2.VideoCapture) -> None:
        self._capture = capture

    def read(self) -> BgrImage | None:
        """Return the next frame as (H, W, 3) uint8 BGR; None if none was delivered."""
        good, image = self._capture.read()
        return np.asarray(image, np.uint8) if good and image is not None else None

    def close(self) -> None:
        """Release the camera."""
        self._capture.release()


def open_opencv(device: str | int) -> OpenCvReader | None:
    """Open a node (`/dev/video10`) or an index; return None if that fails."""
    backend = {"linux": cv2.CAP_V4L2, "win32": cv2.CAP_DSHOW, "darwin": cv2.CAP_AVFOUNDATION}.get(sys.platform, 0)
    if isinstance(device, str) and device.startswith("/dev/video"):
        device = int(device.removeprefix("/dev/video"))
    capture = cv2.VideoCapture(device, backend)
    if not capture.isOpened():
        capture.release()
        return None
    return OpenCvReader(capture)
