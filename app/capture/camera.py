"""Cameras, through OpenCV, and the lock of their exposure and white balance."""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from app.capture.base import FrameSource
from app.capture.colours import NAMED
from app.capture.delivered import FrameDecoder, FrameShaper, accepted_format, is_blank
from app.capture.devices import (
    SYSTEM,
    CameraDevice,
    captured_kind,
    has_signal,
    in_order_of_preference,
    why_not,
    windows_numbers,
)
from app.core.errors import CameraAbsentError, SourceLostError, SourceOpenError, Text, t
from app.core.process import holders
from app.core.settings import CaptureSettings
from app.core.types import BgrImage, Frame, SourceInfo
from app.core.worker import stop_requested
from app.system.v4l2 import CapturedKind

log = logging.getLogger(__name__)

READ_TIMEOUT_S = 1.0
# A size that the camera offers at SLOW_FPS or less
# is replaced by a smaller one at QUICK_FPS or more.
SLOW_FPS = 10.0
QUICK_FPS = 30.0
# Fraction of a frame rate that counts as that rate: 29.97 of 30, 59 of 60.
RATE_TOLERANCE = 0.95
# Sizes to try if the camera reports none.
SIZES = ((320, 240), (640, 360), (640, 480), (800, 600), (960, 540), (1280, 720))

# OpenCV waits 10 s for a frame of a V4L2 camera by default;
# it reads the variable when the first camera is opened.
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(round(READ_TIMEOUT_S)))
# On Windows, opening a camera can take 30 s while OpenCV searches for hardware transforms.
os.environ.setdefault("OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS", "0")


@dataclass(frozen=True, slots=True)
class CameraTiming:
    """Timeouts and intervals of a camera, in seconds."""

    # Limit for the first frame; some cameras need seconds.
    start_s: float = 4.0
    read_s: float = READ_TIMEOUT_S
    # A camera without a frame for this long is lost.
    silence_s: float = 2.0
    # Time from the first frame until automatic exposure has settled and can be locked.
    settle_s: float = 1.5
    # Interval between failed reads: an unplugged camera fails without waiting.
    retry_s: float = 0.02
    # A stream that fails for this long stays broken until the device is opened anew. OpenCV
    # answers at once then; of a camera that is only silent it waits for READ_TIMEOUT_S.
    failing_s: float = 0.3
    # The same for each opening in a row of a camera whose stream does not start. A start that the
    # driver refused is never made up for, because OpenCV keeps its buffers queued: the camera is
    # soon opened anew. But some fail for a second after each opening, and then work. With
    # more than 1.5 s, one whose fault has ended would be away for more than two.
    failing_at_start_s: tuple[float, ...] = (0.3, 0.3, 1.5, 0.3, 0.3)
    # Wait before a camera whose stream does not start is opened anew.
    restart_s: float = 0.2
    # Interval at which the driver is asked whether its input has a signal.
    signal_s: float = 1.0


# What is wrong with a frame that shows nothing: it has a single colour, or OpenCV cannot decode it.
Blank = Literal["empty", "not decoded"]


class _StreamFailedError(Exception):
    """The driver has failed for a while: only opening the device anew may help."""


class CameraSource(FrameSource):
    """A camera, read through OpenCV."""

    is_live = True

    def __init__(
        self,
        device: CameraDevice,
        settings: CaptureSettings,
        timing: CameraTiming = CameraTiming(),
        make_capture: Callable[[], cv2.VideoCapture] = cv2.VideoCapture,
        ask_kind: Callable[[str], CapturedKind] = captured_kind,
        ask_signal: Callable[[str], bool | None] = has_signal,
    ) -> None:
        """Size, rate and format are requests; `info` has the actual values. ask_kind: what the
        driver of a device file says of its frames in the format in use. ask_signal: whether it has
        a signal; None where it does not say.

        Blocks for up to some seconds. Raises SourceOpenError: absent, busy, no permission, no
        frame.
        """
        # OpenCV's own messages about cameras that cannot be opened are replaced by ours
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        self._device = device
        self._settings = settings
        self._timing = timing
        self._closed = threading.Event()
        self._index = 0
        self._blank: Blank | None = None
        self._ask_signal = ask_signal
        # By time.perf_counter(); never where the driver does not say. That of a loopback says so of
        # its sender, and each opening of the device counts.
        self._asks_signal_at_s = math.inf if device.is_virtual else 0.0
        self._holds_exposure = settings.lock_exposure
        # A loopback without a sender fails as well, until the sender begins.
        self._fails_for_good = SYSTEM == "Linux" and not device.is_virtual
        # What `lock_exposure` has locked; None while exposure and white balance are not locked.
        self._locked: list[tuple[int, float]] | None = None
        self._decoder = FrameDecoder(NAMED.get(settings.colours), takes_undecoded=SYSTEM == "Linux")
        self._shaper = FrameShaper(settings)
        self._grabbed_s = self._last_s = time.perf_counter()
        # Size of the frames; rate and format as read back from the camera.
        self.info = SourceInfo(
            "camera",
            self._device.name,
            self._device.id,
            0,
            0,
            settings.fps,
            "",
            self._device.is_virtual,
        )
        self._refuse_own()
        self._capture = self._open(make_capture, ask_kind)
        try:
            # The first frame is waited for, and meanwhile this
            # program may have begun to send to the device.
            self._refuse_own()
        except SourceOpenError:
            self._capture.release()
            raise
        self._settled_at_s = self._last_s + self._timing.settle_s

    def read(self) -> Frame | None:
        """Return the next frame, or None after about a second.

        Raises SourceLostError after two seconds without one, and at once where the driver fails.
        """
        with self._failure_named():
            image, blank = self._read_frame(
                self._capture, self._timing.read_s, self._timing.failing_s
            )
        now = time.perf_counter()
        if image is None:
            self._blank = blank
            self._check_lost(now)
            return None
        height, width = image.shape[:2]
        if (width, height) != (self.info.width, self.info.height):
            self.info = replace(self.info, width=width, height=height)
        self._last_s = self._grabbed_s
        self._look_for_signal(now)
        if self._holds_exposure and self._locked is None and now >= self._settled_at_s:
            self._locked = lock_exposure(self._capture)
        frame = Frame(image, self._index, self._grabbed_s)
        self._index += 1
        return frame

    def skip(self) -> bool:
        """See `FrameSource`."""
        end_s = time.perf_counter() + self._timing.read_s
        with self._failure_named():
            arrived = self._grab(self._capture, end_s, self._timing.failing_s)
        if arrived:
            self._last_s = self._grabbed_s
            self._index += 1
            self._shaper.skip()
            self._look_for_signal(self._grabbed_s)
            return True
        self._check_lost(time.perf_counter())
        return False

    def hold_exposure(self, wanted: bool) -> None:
        """See `FrameSource`. A camera without these controls is left unchanged."""
        self._holds_exposure = wanted
        if wanted or self._locked is None:
            return
        # Cameras keep their settings for the next program.
        for switch, automatic in self._locked:
            self._capture.set(switch, automatic)
        self._locked = None

    def close(self) -> None:
        """Release the camera. Idempotent."""
        self._closed.set()
        try:
            self.hold_exposure(False)
        finally:
            self._capture.release()

    def _open(
        self,
        make_capture: Callable[[], cv2.VideoCapture],
        ask_kind: Callable[[str], CapturedKind],
    ) -> cv2.VideoCapture:
        """Open the camera in the first format that delivers a frame. Sets `info`.

        A format that offers the size only at a low frame rate is tried last, at a smaller size with
        30 fps if there is one. A stream that does not start is tried again: what failed once is no
        reason for a worse format.
        """
        blank: Blank | None = None
        wanted = (self._settings.width, self._settings.height)
        # The formats to try, and whether each has been found slow.
        to_try = deque((pixel_format, False) for pixel_format in self._formats())
        restarts_until_s = time.perf_counter() + self._timing.start_s
        attempts = 0
        refused_starts = 0
        # At the end of the program nobody waits for a camera.
        while to_try and not stop_requested():
            pixel_format, is_slow = to_try.popleft()
            capture = make_capture()
            if not _open_device(capture, self._device):
                failed = CameraAbsentError if self._is_gone() else SourceOpenError
                raise failed(
                    t(
                        "The camera {camera} cannot be opened: {reason}.",
                        camera=self._name(),
                        reason=self._why_not(),
                    )
                )
            size = wanted
            self._negotiate(capture, pixel_format, size)
            if is_slow:
                size = self._quick_size(capture, pixel_format)
                self._negotiate(capture, pixel_format, size)
            elif self._rate(capture) <= SLOW_FPS < self._settings.fps:
                to_try.append((pixel_format, True))
                capture.release()
                continue
            kind = ask_kind(self._device.path)
            self._shaper = FrameShaper(self._settings, size, is_interlaced=kind.is_interlaced)
            self._decoder.take_over_colours(capture, kind)
            # Two formats get the time that a camera may need to start. If all of many got it, they
            # would keep the program waiting for a minute.
            limit_s = self._timing.start_s if attempts < 2 else self._timing.read_s
            try:
                failing_s = self._failing_at_start_s(refused_starts, restarts_until_s)
                image, blank_kind = self._read_frame(capture, limit_s, failing_s)
            except _StreamFailedError:
                image, blank_kind = None, None
                refused_starts += 1
                is_late = time.perf_counter() >= restarts_until_s
                if refused_starts < len(self._timing.failing_at_start_s) and not is_late:
                    capture.release()
                    self._closed.wait(self._timing.restart_s)
                    to_try.appendleft((pixel_format, is_slow))
                    continue
            if image is not None:
                height, width = image.shape[:2]
                self.info = replace(
                    self.info,
                    width=width,
                    height=height,
                    fps=self._rate(capture),
                    pixel_format=accepted_format(capture),
                )
                self._last_s = self._grabbed_s
                if size != wanted:
                    log.warning(
                        "%s reaches %dx%d in %s at %g fps at most; it is used at %dx%d and %g fps.",
                        self._device.name,
                        *wanted,
                        pixel_format,
                        SLOW_FPS,
                        *size,
                        self.info.fps,
                    )
                return capture
            attempts += 1
            blank = blank or blank_kind
            capture.release()
            log.debug("%s delivers no frame in the format %s", self._device.name, pixel_format)
        if blank is not None:
            raise SourceOpenError(self._why_blank(blank))
        raise SourceOpenError(self._why_no_frames())

    def _failing_at_start_s(self, refused_starts: int, restarts_until_s: float) -> float:
        """Return for how long the driver may fail after this opening."""
        limits_s = self._timing.failing_at_start_s
        if refused_starts >= len(limits_s):
            return self._timing.failing_s
        # A camera that takes long to open has used up the time of the long wait.
        left_s = restarts_until_s - time.perf_counter()
        return min(limits_s[refused_starts], max(self._timing.failing_s, left_s))

    def _refuse_own(self) -> None:
        """Raise SourceOpenError if this program sends to the device."""
        device = self._device
        # A number below 0 is that of a camera which only PipeWire offers.
        may_be_own = device.is_virtual or device.index < 0
        if not may_be_own:
            return
        own = [holder for holder in holders(device.path) if holder.pid == os.getpid()]
        if any(holder.sends for holder in own):
            raise SourceOpenError(
                t(
                    "{camera} is the virtual camera that this program sends to; choose another "
                    "source or another virtual camera.",
                    camera=self._name(),
                )
            )

    def _formats(self) -> tuple[str, ...]:
        """Return the formats to try, in order."""
        if self._settings.pixel_format != "auto":
            return (self._settings.pixel_format,)
        return in_order_of_preference(self._device.formats)

    def _quick_size(self, capture: cv2.VideoCapture, pixel_format: str) -> tuple[int, int]:
        """Return the largest size below the wanted one at which the format reaches 30 fps.

        If none does, the size with the highest rate. Leaves the camera at the last size it tried.
        """
        settings = self._settings
        wanted = (settings.width, settings.height)
        rates = {wanted: self._rate(capture)}
        sizes = self._device.sizes or SIZES
        smaller = [size for size in sizes if math.prod(size) < math.prod(wanted)]
        quick_fps = min(QUICK_FPS, settings.fps) * RATE_TOLERANCE
        for size in sorted(smaller, key=math.prod, reverse=True):
            self._negotiate(capture, pixel_format, size)
            rates[size] = self._rate(capture)
            if rates[size] >= quick_fps:
                break
        # What exceeds the wanted rate is of no use: the larger size is then the better one.
        return max(rates, key=lambda size: (min(rates[size], settings.fps), size))

    def _negotiate(
        self,
        capture: cv2.VideoCapture,
        pixel_format: str,
        size: tuple[int, int],
    ) -> None:
        """Request a format and a size of the driver.

        What it has accepted is read back later: `set` returns True even where it had no effect.
        """
        if len(pixel_format) == 4 and pixel_format.isascii():
            capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*pixel_format))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
        capture.set(cv2.CAP_PROP_FPS, self._settings.fps)
        self._decoder.take_over_jpeg(capture)

    def _rate(self, capture: cv2.VideoCapture) -> float:
        """Return the frame rate that the camera has accepted; the wanted one if it is unknown."""
        fps = capture.get(cv2.CAP_PROP_FPS)
        is_known = math.isfinite(fps) and 0 < fps <= 1000
        return fps if is_known else self._settings.fps

    def _read_frame(
        self,
        capture: cv2.VideoCapture,
        timeout_s: float,
        failing_s: float,
    ) -> tuple[BgrImage | None, Blank | None]:
        """Return the next frame that is not blank, None without one within the timeout, and why the
        last one was blank.

        A closed shutter, or a format that the driver gets wrong, gives frames of a single colour.
        """
        end_s = time.perf_counter() + timeout_s
        blank: Blank | None = None
        while self._grab(capture, end_s, failing_s):
            done, raw = capture.retrieve()
            image = None
            if done and raw is not None:
                # OpenCV gives the bytes of video that it does not decode, in one row.
                is_bytes = raw.ndim == 1 or raw.shape[0] == 1
                if is_bytes and not self._decoder.is_raw_mjpg:
                    return None, "not decoded"
                if raw.size:
                    image = self._decoder.decode(np.asarray(raw, np.uint8))
            if image is not None:
                if not is_blank(image):
                    return self._shaper.shape(image), None
                blank = "empty"
            if time.perf_counter() >= end_s:
                break
        return None, blank

    def _grab(self, capture: cv2.VideoCapture, end_s: float, failing_s: float) -> bool:
        """Wait for the next frame of the driver until this time; return whether it came.

        Raises _StreamFailedError where the driver fails at once, again and again, for failing_s.
        """
        failing_since_s: float | None = None
        while not self._closed.is_set() and not stop_requested():
            asked_s = time.perf_counter()
            if capture.grab():
                self._grabbed_s = time.perf_counter()
                return True
            now_s = time.perf_counter()
            if self._is_gone() or now_s >= end_s:
                break
            if now_s - asked_s >= self._timing.failing_s:
                failing_since_s = None  # it has waited: the camera is silent
            elif failing_since_s is None:
                failing_since_s = asked_s
            elif self._fails_for_good and now_s - failing_since_s >= failing_s:
                raise _StreamFailedError
            self._closed.wait(self._timing.retry_s)
        return False

    def _check_lost(self, now_s: float) -> None:
        """Raise SourceLostError if no frame has arrived for too long."""
        if self._closed.is_set():
            return
        if now_s - self._last_s > self._timing.silence_s or self._is_gone():
            raise SourceLostError(self._why_lost())

    def _look_for_signal(self, now_s: float) -> None:
        """Note now and then whether what arrives is a signal.

        Many grabbers go on without one: with noise, or with a blue picture.
        """
        if now_s < self._asks_signal_at_s:
            return
        answer = self._ask_signal(self._device.path)
        is_first = self._asks_signal_at_s == 0
        self._asks_signal_at_s = now_s + self._timing.signal_s
        if answer is None and is_first:
            self._asks_signal_at_s = math.inf
        # A later question that fails changes nothing of what is known.
        if answer is not None:
            self.warning = None if answer else self._why_no_signal()

    def _is_gone(self) -> bool:
        return SYSTEM == "Linux" and not Path(self._device.path).exists()

    def _why_not(self) -> Text:
        if SYSTEM == "Linux":
            return why_not(self._device.path)
        if SYSTEM == "Windows":
            return t(
                "check that it is connected, that no other program uses it, and that Windows lets "
                "desktop apps use cameras, in Settings › Privacy & security › Camera"
            )
        return t(
            "check that it is connected, that no other program uses it, and that this program may "
            "access cameras",
        )

    def _why_lost(self) -> Text:
        """Return why no frame comes any more. May release the camera."""
        if self._is_gone():
            return t(
                "The camera {camera} is disconnected; reconnect it or choose another camera.",
                camera=self._name(),
            )
        if self._blank is not None:
            return self._why_blank(self._blank)
        if self._decoder.last_damage:
            return t(
                "The camera {camera} delivers only damaged frames; check its cable, or use another "
                "USB port.",
                camera=self._name(),
            )
        self._release_for_reason()
        return t(
            "The camera {camera} has delivered no frame for {seconds} seconds: {reason}.",
            camera=self._name(),
            seconds=f"{self._timing.silence_s:.0f}",
            reason=self._why_not(),
        )

    @contextmanager
    def _failure_named(self) -> Iterator[None]:
        """Raise SourceLostError with the reason where the stream has failed."""
        try:
            yield
        except _StreamFailedError as failure:
            raise SourceLostError(self._why_failed()) from failure

    def _why_failed(self) -> Text:
        """Return why the stream has failed. May release the camera."""
        if self._is_gone():
            return self._why_lost()
        self._release_for_reason()
        return self._why_no_frames()

    def _why_no_frames(self) -> Text:
        return t(
            "The camera {camera} delivers no frames: {reason}.",
            camera=self._name(),
            reason=self._why_not(),
        )

    def _release_for_reason(self) -> None:
        """Release the camera: otherwise the reason would be that this very program uses it."""
        self.hold_exposure(False)
        self._capture.release()

    def _why_blank(self, blank: Blank) -> Text:
        if blank == "empty" and SYSTEM == "Windows":
            return t(
                "The camera {camera} delivers only black or green frames; open its shutter, close "
                "other programs that use it, and let desktop apps use cameras in Settings › "
                "Privacy & security › Camera.",
                camera=self._name(),
            )
        if blank == "empty" and self._ask_signal(self._device.path) is False:
            return self._why_no_signal()
        if blank == "empty":
            return t(
                "The camera {camera} delivers only black or green frames; open its shutter, or "
                "choose another size or format.",
                camera=self._name(),
            )
        return t(
            "The camera {camera} sends video that cannot be decoded; choose another format or "
            "another camera.",
            camera=self._name(),
        )

    def _why_no_signal(self) -> Text:
        return t(
            "The camera {camera} shows nothing: its input has no signal; switch on what is "
            "connected to it, or choose another camera.",
            camera=self._name(),
        )

    def _name(self) -> str:
        name = self._device.name
        path = self._device.path
        if not path or path == name:
            return name
        return t("{name} ({device})", name=name, device=path)


def _open_device(capture: cv2.VideoCapture, device: CameraDevice) -> bool:
    if SYSTEM == "Linux":
        return bool(capture.open(device.path, cv2.CAP_V4L2))
    if SYSTEM == "Darwin":
        return bool(capture.open(device.index, cv2.CAP_AVFOUNDATION))
    return any(capture.open(number, backend) for number, backend in windows_numbers(device))


# Of V4L2: 1 is manual, 3 is automatic with the aperture as it is.
MANUAL_EXPOSURE = 1
AUTOMATIC_EXPOSURE = 3
# The switch of each automatic control, what it sets,
# and the values of the switch: manual, automatic.
AUTOMATIC_CONTROLS = (
    (cv2.CAP_PROP_AUTO_EXPOSURE, cv2.CAP_PROP_EXPOSURE, MANUAL_EXPOSURE, AUTOMATIC_EXPOSURE),
    (cv2.CAP_PROP_AUTO_WB, cv2.CAP_PROP_WB_TEMPERATURE, 0, 1),
)


def lock_exposure(capture: cv2.VideoCapture) -> list[tuple[int, float]]:
    """Fix exposure and white balance at their current values.

    Return the switches, and the values that release them.

    capture: an open camera whose automatic control has settled. A control that is missing, or
    manual already, is left as it is. Linux only. OpenCV on Windows (Media Foundation) does not tell
    whether a control is automatic, takes the value of a switch for an exposure, and cannot make
    white balance automatic again; on macOS (AVFoundation) it has no controls.
    """
    locked: list[tuple[int, float]] = []
    if SYSTEM != "Linux":
        log.info("Exposure and white balance are locked on Linux only.")
        return locked
    for switch, value, manual, automatic in AUTOMATIC_CONTROLS:
        if capture.get(switch) != automatic:
            continue
        settled = capture.get(value)
        capture.set(switch, manual)
        if capture.get(switch) == manual:
            # Many cameras return to an old value when they are switched to manual.
            capture.set(
                value,
                settled,
            )
            locked.append((switch, automatic))
    log.info("Locked camera controls: %d of %d.", len(locked), len(AUTOMATIC_CONTROLS))
    return locked
