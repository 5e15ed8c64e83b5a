"""Prove that other programs receive the right picture: send colour bars, read them back, and compare."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import cv2
import numpy as np

from app.core.errors import SinkError
from app.core.messages.doctor import ProofFinding
from app.core.types import BgrImage, Outgoing, Picture, PictureKind
from app.doctor.finding import CommandLine, Finding, Steps, ok, problem, warning
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


OpenSink = Callable[[int, int, float], FrameSink]
"""(width, height, fps) -> the virtual camera; raises SinkOpenError."""
Read = Callable[[], BgrImage | None]
"""Returns the next frame of a camera as (H, W, 3) uint8 BGR, as an ordinary program reads it; None if none came."""
OpenReader = Callable[[], AbstractContextManager[Read | None]]
"""Opens the camera for reading; None if that fails."""


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
    opened, image = False, None
    try:
        sent = sender.sending.wait(_FIRST_FRAME_TIMEOUT_S) and not sender.error
        if sent:
            with open_reader() as read:
                opened, image = read is not None, None if read is None else _settled(read)
    finally:
        ended = sender.stop()
    if not ended:
        return _not_sent(ProofFinding.HANGS(device=device), advice)
    if sender.error or not sent:
        nothing = ProofFinding.NOTHING_SENT(device=device, seconds=f"{_FIRST_FRAME_TIMEOUT_S:.0f}")
        return _not_sent(sender.error or nothing, advice)
    programs = () if opened else readers()
    if programs:
        detail = ProofFinding.ONE_READER(device=device, programs=programs)
        return warning(advice.check, detail, ProofFinding.WHY_ONE_READER(), ProofFinding.FIX_CLOSE_PROGRAMS())
    if not opened:
        detail = ProofFinding.NOT_READABLE(device=device)
        return problem(advice.check, detail, ProofFinding.WHY_SAME(), *advice.not_readable)
    return _judge(device, image, advice)


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


def _settled(read: Read) -> BgrImage | None:
    """Return a frame after the first ones, None if one of them did not come."""
    image = read()
    for _ in range(_DROPPED_FRAMES):
        image = None if image is None else read()
    return image


def _not_sent(reason: str, advice: Advice) -> Finding:
    return problem(advice.check, ProofFinding.NOT_SENT(reason=reason), ProofFinding.WHY_NOT_SENT(), *advice.not_sent)


def _judge(device: str, image: BgrImage | None, advice: Advice) -> Finding:
    check, why = advice.check, ProofFinding.WHY_SAME()
    if image is None:
        return problem(check, ProofFinding.NO_PICTURE(device=device), why, *advice.no_picture)
    height, width = image.shape[:2]
    if width * _HEIGHT != height * _WIDTH:
        detail = ProofFinding.OTHER_SIZE(
            device=device, width=width, height=height, wanted_width=_WIDTH, wanted_height=_HEIGHT
        )
        return warning(check, detail, ProofFinding.WHY_OTHER_SIZE(), ProofFinding.FIX_OTHER_SIZE())
    error = round(bar_error(image))
    if error > _MAX_ERROR:
        detail = ProofFinding.WRONG_COLOURS(device=device, error=error)
        return problem(check, detail, why, ProofFinding.FIX_WRONG_COLOURS())
    return ok(check, ProofFinding.GOOD(device=device, width=width, height=height, error=error))


@contextmanager
def open_opencv(device: str) -> Iterator[Read | None]:
    """Open the node of a virtual camera (`/dev/video10`) with OpenCV."""
    capture = cv2.VideoCapture(int(device.removeprefix("/dev/video")), cv2.CAP_V4L2)

    def read() -> BgrImage | None:
        good, image = capture.read()
        return np.asarray(image, np.uint8) if good and image is not None else None

    try:
        yield read if capture.isOpened() else None
    finally:
        capture.release()
