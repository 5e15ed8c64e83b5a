"""The proof that other programs see the right picture: send colour bars, read them back, compare."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from app.core.errors import SinkError
from app.core.types import BgrImage, Picture, PictureKind
from app.doctor.finding import Finding, State
from app.output.base import FrameSink

_CHECK = "virtual camera: proof"
_WIDTH, _HEIGHT, _FPS = 640, 480, 30.0
_BARS_BGR = ((235, 235, 235), (16, 235, 235), (235, 235, 16), (16, 235, 16),
             (235, 16, 235), (16, 16, 235), (235, 16, 16), (16, 16, 16))  # fmt: skip
_MAX_ERROR = 6
"""Of 255: rounding of the colour formats on the way (BT.601 limited range)."""
_DROPPED_PICTURES = 8
"""The first pictures after opening may be torn or old."""
_FIRST_PICTURE_TIMEOUT_S = 30.0
_JOIN_TIMEOUT_S = 10.0


class Reader(Protocol):
    """An ordinary program that watches a camera."""

    def read(self) -> BgrImage | None:
        """The next picture; None when none came."""
        ...

    def close(self) -> None: ...


OpenSink = Callable[[int, int, float], FrameSink]
"""(width, height, fps) -> the virtual camera; raises SinkOpenError."""
OpenReader = Callable[[], Reader | None]
"""None where the camera cannot be opened for reading."""


def colour_bars(width: int, height: int) -> BgrImage:
    """(height, width, 3) uint8 BGR: eight upright bars, all different, so that a mirrored picture is seen too."""
    image = np.empty((height, width, 3), np.uint8)
    for index, colour in enumerate(_BARS_BGR):
        image[:, index * width // 8 : (index + 1) * width // 8] = colour
    return image


def bar_error(image: BgrImage) -> float:
    """The largest difference, in 0..255, between the mean colour of a bar's inner half and what it should be."""
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


def prove(name: str, open_sink: OpenSink, open_reader: OpenReader) -> Finding:
    """Send bars to the virtual camera called `name` and read them back; takes about a second."""
    sender = _Sender(open_sink)
    sender.start()
    answer = _Answer(None, opened=False)
    try:
        sent = sender.sending.wait(_FIRST_PICTURE_TIMEOUT_S) and not sender.error
        if sent:
            answer = _read(open_reader)
    finally:
        ended = sender.stop()
    if not ended:
        return _not_sent(name, "the driver took a picture and did not come back")
    if sender.error or not sent:
        return _not_sent(name, sender.error or f"nothing was sent within {_FIRST_PICTURE_TIMEOUT_S:.0f} seconds")
    return _judge(name, answer)


class _Sender(threading.Thread):
    """Opens, feeds and closes the virtual camera on one thread."""

    def __init__(self, open_sink: OpenSink) -> None:
        super().__init__(name="proof-sender", daemon=True)  # daemon: a hanging driver must not keep the doctor alive
        self.sending = threading.Event()
        """Set with the first picture sent, or when it failed."""
        self.error = ""
        self._open_sink = open_sink
        self._stop_asked = threading.Event()

    def run(self) -> None:
        picture = Picture(colour_bars(_WIDTH, _HEIGHT), PictureKind.STANDBY)
        try:
            sink = self._open_sink(_WIDTH, _HEIGHT, _FPS)
            try:
                while not self._stop_asked.wait(1 / _FPS):
                    sink.send(picture)
                    self.sending.set()
            finally:
                sink.close()
        except SinkError as error:
            self.error = str(error)
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
        for _ in range(_DROPPED_PICTURES + 1):
            image = reader.read()
            if image is None:
                break
        return _Answer(image, opened=True)
    finally:
        reader.close()


def _not_sent(name: str, reason: str) -> Finding:
    return Finding(
        _CHECK,
        State.PROBLEM,
        f"A test picture could not be sent to {name}: {reason}",
        "Other programs will see no picture.",
        "Close other programs that use it; if that does not help, restart the module:\n"
        "sudo modprobe -r v4l2loopback && sudo modprobe v4l2loopback",
    )


def _judge(name: str, answer: _Answer) -> Finding:
    why = "Other programs would see the same."
    if not answer.opened:
        fix = "Load the module with exclusive_caps=1:\nrun.py doctor --fix"
        return Finding(_CHECK, State.PROBLEM, f"{name} takes pictures, but cannot be opened as a camera.", why, fix)
    if answer.image is None:
        fix = "Close every program that uses the device and run the doctor again."
        return Finding(_CHECK, State.PROBLEM, f"{name} can be opened as a camera, but gives no picture.", why, fix)
    height, width = answer.image.shape[:2]
    if width * _HEIGHT != height * _WIDTH:
        return Finding(
            _CHECK,
            State.WARNING,
            f"{name} gives {width}×{height} instead of {_WIDTH}×{_HEIGHT}, because a program watches it.",
            "The picture is letterboxed to that size.",
            "Close the programs that watch the camera to let it take the new size.",
        )
    error = bar_error(answer.image)
    if error > _MAX_ERROR:
        return Finding(
            _CHECK,
            State.PROBLEM,
            f"The colours that come back from {name} are off by up to {error:.0f} of 255.",
            why,
            "Close every program that uses the device and run the doctor again; then update v4l2loopback.",
        )
    return Finding(
        _CHECK,
        State.OK,
        f"Colour bars sent to {name} came back at {width}×{height}, colours right to {error:.0f} of 255.",
    )
