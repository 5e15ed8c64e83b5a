"""A screen, region or window as background."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from typing import ClassVar, Protocol

import numpy as np

from app.compositing.screen_use import ReadingThread, ScreenUse
from app.compositing.still import layout_of
from app.core import geometry
from app.core.errors import BackgroundError
from app.core.messages.media import ScreenText
from app.core.settings import BackgroundSettings
from app.core.types import BgrImage
from app.system.screen import ScreenGrabber, asks_for_screens

log = logging.getLogger(__name__)

RATE_HZ = 15.0
UNSEEN_S = 1.0
"""Without a call of `backdrop` for this long, nothing is captured: the program is paused."""
OUTDATED_S = 2.0
"""An older image is not shown: it was taken when the program was paused."""
RETRY_S = 1.0


class Grabber(Protocol):
    """Captures images; see `ScreenGrabber` and `PortalGrabber`."""

    moves: ClassVar[bool]
    """Whether another thread may go on with it. The user is asked when one is made, so that it is never made again."""

    @property
    def screens(self) -> object:
        """What screens there are where the target is found by its number or place; it may be another one after a
        change.
        """
        ...

    def grab(self) -> BgrImage:
        """Return the image now. Raises BackgroundError."""
        ...

    def close(self) -> None:
        """Release the display."""
        ...


def open_grabber(target: str) -> Grabber:
    """Return what captures a target in this session. Raises BackgroundError."""
    if asks_for_screens():
        from app.system.screen_portal import PortalGrabber  # needs D-Bus, which exists on Linux alone

        return PortalGrabber(target)
    return ScreenGrabber(target)


class ScreenBackground:
    """Captures on a thread of its own and lays out there; `backdrop` returns the newest image.

    `ScreenUse.stop` ends the capture.
    """

    slides, problem = 0, None

    def __init__(
        self,
        settings: BackgroundSettings,
        grabber: Callable[[str], Grabber] = open_grabber,
        use: ScreenUse | None = None,
    ) -> None:
        """use: notes the capture; None where no window shows the room. Raises BackgroundError if the screen cannot be
        captured.
        """
        self._target = settings.screen
        self._grabber = grabber
        self._use = use or ScreenUse()
        self._first: Grabber | None = None
        self._shown: BgrImage | None = None
        self._error: BackgroundError | None = None
        self._wanted = layout_of(settings), 0, 0
        self._reader = ReadingThread(self._capture, "screen", f"capture of {self._target}")
        self._condition = self._reader.condition
        self._use.begin(self._reader)
        try:
            self._newest = self._first_image()
            self._asked_s = self._taken_s = time.monotonic()
            self._reader.start()
        except BaseException:
            self._use.end(self._reader)
            raise

    def _first_image(self) -> BgrImage:
        first = self._grabber(self._target)
        try:
            image = first.grab()
            self._screens = first.screens
        except BackgroundError:
            first.close()
            raise
        if first.moves:
            self._first = first
        else:
            first.close()  # the thread opens its own: some systems tie it to a thread
        return image

    def backdrop(self, width: int, height: int, time_s: float) -> BgrImage:
        """Return the newest image, black if it is old; the same object while the screen does not change.

        Raises BackgroundError.
        """
        with self._condition:
            self._asked_s = time.monotonic()
            self._condition.notify_all()
            if self._asked_s - self._taken_s > OUTDATED_S:
                self._newest, self._shown, self._taken_s = np.zeros_like(self._newest), None, math.inf
            self._wanted = self._wanted[0], width, height
            if self._error is not None:
                raise self._error
            if self._shown is None or self._shown.shape[:2] != (height, width):
                self._shown = np.ascontiguousarray(geometry.lay_out(self._newest, *self._wanted))
            return self._shown

    def follow(self, settings: BackgroundSettings) -> None:
        """Take over fit, zoom and pan, from the next image on."""
        with self._condition:
            self._wanted = layout_of(settings), *self._wanted[1:]

    def close(self) -> None:
        """End the thread. Idempotent."""
        self._reader.close()

    def _capture(self) -> None:
        try:
            while not self._waited(1 / RATE_HZ):
                try:
                    self._capture_until_closed()
                except Exception as error:  # noqa: BLE001, PERF203 - a screen that is lost may come back
                    with self._condition:
                        self._error = self._named(error)
                    if self._first is not None or self._waited(RETRY_S):
                        return
        finally:
            if self._first is not None:
                self._first.close()
            self._use.end(self._reader)

    def _named(self, error: Exception) -> BackgroundError:
        if isinstance(error, BackgroundError):
            return error
        log.warning("The capture of %s failed.", self._target, exc_info=error)
        return BackgroundError(ScreenText.LOST(target=self._target))

    def _capture_until_closed(self) -> None:
        grabber = self._first or self._grabber(self._target)
        try:
            if grabber.screens != self._screens:
                raise BackgroundError(ScreenText.CHANGED(target=self._target))
            while True:
                self._publish(grabber.grab())
                if self._waited(1 / RATE_HZ):
                    return
        finally:
            grabber.close()

    def _publish(self, image: BgrImage) -> None:
        layout, width, height = self._wanted
        shown = np.ascontiguousarray(geometry.lay_out(image, layout, width, height)) if width else None
        with self._condition:
            self._newest, self._error, self._taken_s = image, None, time.monotonic()
            if shown is not None and (self._shown is None or not np.array_equal(shown, self._shown)):
                self._shown = shown

    def _waited(self, seconds: float) -> bool:
        """Wait, and on until somebody looks at the background; return whether it is being closed."""
        with self._condition:
            if not self._condition.wait_for(lambda: self._reader.closing, seconds):
                self._condition.wait_for(lambda: self._reader.closing or time.monotonic() - self._asked_s <= UNSEEN_S)
            return self._reader.closing
