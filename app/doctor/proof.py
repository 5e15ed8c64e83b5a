"""Prove that other programs receive the right picture.

Send colour bars, read them back, and compare.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from concurrent.futures import wait
from contextlib import closing
from fractions import Fraction
from functools import partial
from itertools import islice
from typing import Protocol

import cv2
import numpy as np

from app.core.errors import SinkError, Text, t
from app.core.threads import on_own_thread
from app.core.types import BgrImage, Outgoing, Picture, PictureKind
from app.doctor.finding import CommandLine, Finding, Steps, ok, problem, warning

_WIDTH = 640
_HEIGHT = 480
_FPS = 30.0
_BARS_BGR = ((235, 235, 235), (16, 235, 235), (235, 235, 16), (16, 235, 16),
             (235, 16, 235), (16, 16, 235), (235, 16, 16), (16, 16, 16))  # fmt: skip
# Of 255: tolerance for rounding in YUV conversion (BT.601, limited range).
_MAX_ERROR = 6
# The first frames after opening may be torn or stale.
_DROPPED_FRAMES = 8
_JOIN_TIMEOUT_S = 10.0


class Camera(Protocol):
    """What is used of a virtual camera (`FrameSink`)."""

    def send(self, picture: Outgoing, /) -> None:
        """Show a picture. Raises SinkLostError."""
        ...

    def close(self) -> None:
        """Release it."""
        ...

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels, as readers see it."""
        ...


# (width, height, fps) -> the virtual camera; raises SinkOpenError.
OpenCamera = Callable[[int, int, float], Camera]
# The frames of a camera as an ordinary program reads them,
# until none comes; raises OSError if it does not open.
Frames = Generator[BgrImage, None, None]


def colour_bars(width: int, height: int) -> BgrImage:
    """Return (height, width, 3) uint8 BGR with eight different vertical bars, so that mirroring
    is detected.
    """
    image = np.empty((height, width, 3), np.uint8)
    for index, colour in enumerate(_BARS_BGR):
        image[:, index * width // 8 : (index + 1) * width // 8] = colour
    return image


def bar_error(image: BgrImage) -> float:
    """Return the largest error, in 0..255, of the mean colour of the inner half of any bar."""
    height, width = image.shape[:2]
    worst = 0.0
    for index, colour in enumerate(_BARS_BGR):
        left = index * width // 8
        right = (index + 1) * width // 8
        margin = (right - left) // 4
        inner = image[height // 4 : height * 3 // 4, left + margin : right - margin]
        worst = max(worst, float(np.abs(inner.reshape(-1, 3).mean(0) - colour).max()))
    return worst


_WIREPLUMBER = (
    t("Start WirePlumber, which connects programs with cameras:"),
    CommandLine("systemctl --user enable --now pipewire wireplumber"),
)
_RELOAD = (
    t("Close other programs that use the device; if that does not help, reload the module:"),
    CommandLine("sudo modprobe -r v4l2loopback && sudo modprobe v4l2loopback"),
)


def prove(
    device: str,
    open_sink: OpenCamera,
    read: Callable[[], Frames],
    *,
    check: Text = t("virtual camera: test picture"),
    remedy: Steps = _RELOAD,
    readers: Callable[[], tuple[str, ...]] = tuple,
    first_frame_s: float = 30.0,
) -> Finding:
    """Send bars to the virtual camera `device` and read them back; takes about one second.

    check: the name of the finding. remedy: what to do if the picture does not arrive. readers: the
    programs that read it, asked if it cannot be opened: v4l2loopback 0.15 takes one reader at a
    time. first_frame_s: how long it may take until a frame was sent.
    """
    sending = threading.Event()
    stop_asked = threading.Event()
    error = ""

    def send() -> None:
        nonlocal error
        try:
            with closing(open_sink(_WIDTH, _HEIGHT, _FPS)) as sink:
                # A stand-by picture, as it shows nothing of the camera.
                bars = Outgoing(Picture(colour_bars(*sink.size), PictureKind.STANDBY))
                while not stop_asked.wait(1 / _FPS):
                    sink.send(bars)
                    sending.set()
        except SinkError as failure:
            error = failure.text
        finally:
            sending.set()

    sender = on_own_thread("proof-sender", send)  # a driver that hangs blocks no exit
    opens = True
    image = None
    try:
        sent = sending.wait(first_frame_s) and not error
        if sent:
            with closing(read()) as frames:
                image = next(islice(frames, _DROPPED_FRAMES, None), None)
    except OSError:
        opens = False
    finally:
        stop_asked.set()
        wait({sender}, _JOIN_TIMEOUT_S)
    ended = sender.done()
    if not sent or error or not ended:
        reason = error or t(
            "{device} accepted no frame within {seconds} seconds.",
            device=device,
            seconds=f"{first_frame_s:.0f}",
        )
        if not ended:
            reason = t("The driver of {device} does not respond.", device=device)
        return problem(
            check,
            t("The test picture could not be sent: {reason}", reason=reason),
            *remedy,
        )
    programs = () if opens else readers()
    if programs:
        detail = t(
            "{device} takes one program at a time, and {programs} reads it.",
            device=device,
            programs=programs,
        )
        step = t("Close every program that uses the device and check again.")
        return warning(
            check,
            detail,
            step,
            why=t("No other program can open the camera meanwhile."),
        )
    if not opens:
        detail = t("{device} accepts frames, but cannot be opened as a camera.", device=device)
        return problem(check, detail, *remedy)
    if image is None:
        detail = t("{device} can be opened as a camera, but delivers no frames.", device=device)
        return problem(check, detail, *remedy)
    worst = round(bar_error(image))
    if worst > _MAX_ERROR:
        detail = t(
            "The colours read back from {device} differ by up to {error} of 255.",
            device=device,
            error=worst,
        )
        return problem(check, detail, *remedy)
    height, width = image.shape[:2]
    return ok(
        check,
        t(
            "Colour bars sent to {device} were read back at {width}×{height}; the largest error is "
            "{error} of 255.",
            device=device,
            width=width,
            height=height,
            error=worst,
        ),
    )


def read_opencv(device: str) -> Frames:
    """Read the node of a virtual camera (`/dev/video10`) with OpenCV."""
    capture = cv2.VideoCapture(int(device.removeprefix("/dev/video")), cv2.CAP_V4L2)
    try:
        if not capture.isOpened():
            raise OSError(f"{device} cannot be opened")
        while (image := capture.read()[1]) is not None:
            yield np.asarray(image, np.uint8)
    finally:
        capture.release()


def prove_pipewire(read_s: float = 2.0) -> Finding:
    """Send bars through PipeWire and read them back.

    read_s: how long a frame may take to arrive.
    """
    from app.output.pipewire import PipeWireCamera, PipeWireNode
    from app.system.pipewire.stream import NodeReader
    from app.system.pipewire.video_format import to_bgr

    name = "mattecam-doctor"

    def read() -> Frames:
        node = NodeReader(name, (_WIDTH, _HEIGHT), Fraction(_FPS), follows=True)
        with closing(node) as reader:
            while True:
                frame = reader.read(read_s)
                image = None if frame is None else to_bgr(frame)
                if image is None:
                    return
                yield image

    open_sink = partial(PipeWireCamera, make=partial(PipeWireNode, name=name))
    return prove(
        "PipeWire",
        open_sink,
        read,
        check=t("PipeWire camera: test picture"),
        remedy=_WIREPLUMBER,
    )
