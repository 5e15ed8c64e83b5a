"""Captures a screen, a region of the screens, or a window (X11, Windows, macOS; `screen_portal` on Wayland)."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from typing import Any, ClassVar

import numpy as np
from Xlib import X
from Xlib.display import Display
from Xlib.error import ConnectionClosedError, DisplayError, XError
from Xlib.xobject.drawable import Window

from app.core.errors import BackgroundError
from app.core.messages.media import ScreenText
from app.core.types import BgrImage
from app.system.device_holders import LINUX

Place = Mapping[str, int]
"""left, top, width and height in pixels of all screens."""
LEAST_SIDE = 40
"""Smaller windows are decorations and helpers of other programs."""
DEPTH = 3
"""Levels of the tree in which windows with a title are searched: a window manager adds one or two."""


class ScreenGrabber:
    """Grabs what `--background screen…` names. Made, used and closed on one thread."""

    moves: ClassVar[bool] = False

    def __init__(self, target: str) -> None:
        """target: `screen`, `screen:N` from 1, `region:X,Y,WxH`, or `window:TITLE` (a part of the title).

        Raises BackgroundError.
        """
        self._target = target
        self._is_window = target.startswith("window:")
        self._display: XDisplay | None = None
        self.screens: tuple[Place, ...] | None = None
        self._mss = _opened()
        try:
            try:
                self._display = XDisplay()
            except BackgroundError:
                if self._is_window:
                    raise
            self.grab()
        except BackgroundError:
            self.close()
            raise

    def grab(self) -> BgrImage:
        """Return the screen now, (H, W, 3). Raises BackgroundError if it is gone, or may be another one by now."""
        try:
            shot = self._mss.grab(dict(self._place()))
            screens = () if self._display is None or self._is_window else self._display.screens()
        except BackgroundError:
            raise
        except Exception as error:
            raise BackgroundError(ScreenText.LOST(target=self._target)) from error
        if screens != (self.screens or screens):
            raise BackgroundError(ScreenText.CHANGED(target=self._target))
        self.screens = screens
        pixels = np.frombuffer(shot.raw, np.uint8).reshape(shot.height, shot.width, 4)
        return np.ascontiguousarray(pixels[..., :3])

    def close(self) -> None:
        """Close the connections to the display. Idempotent."""
        self._mss.close()
        if self._display is not None:
            self._display.close()
            self._display = None

    def _place(self) -> Place:
        kind, _, argument = self._target.partition(":")
        every, *each = self._mss.monitors
        if kind == "screen":
            number = int(argument or 1)
            if number > len(each):
                raise BackgroundError(ScreenText.NO_SCREEN(number=number, count=len(each)))
            return dict(each[number - 1])
        if kind == "region":
            numbers = re.findall(r"-?\d+", argument)
            place: Place = dict(zip(("left", "top", "width", "height"), map(int, numbers), strict=True))
        else:
            place = self._window(argument)
        return _within(place, every, self._target)

    def _window(self, title: str) -> Place:
        assert self._display is not None
        for known, place in self._display.windows():
            if title.casefold() in known.casefold():
                return place
        raise BackgroundError(ScreenText.NO_WINDOW(title=title))


def asks_for_screens() -> bool:
    """Whether the desktop asks which screen or window is captured: in a Wayland session."""
    return sys.platform.startswith("linux") and bool(os.environ.get("WAYLAND_DISPLAY"))


def screen_count() -> int:
    """Return the number of screens; 0 where they cannot be captured or listed."""
    if asks_for_screens():
        return 0
    try:
        with closing(_opened()) as with_screens:
            return len(with_screens.monitors) - 1
    except BackgroundError:
        return 0


def window_titles() -> tuple[str, ...]:
    """Return the titles of the visible windows, topmost first; empty where they cannot be captured or listed."""
    if asks_for_screens():
        return ()
    try:
        with closing(XDisplay()) as display:
            return tuple(dict.fromkeys(title for title, _place in display.windows()))
    except (BackgroundError, ConnectionClosedError):
        return ()


def _opened() -> Any:
    """Return an `mss.MSS`."""
    import mss  # connects to no display before

    try:
        opened = mss.MSS()
        assert opened.monitors
        return opened
    except Exception as error:
        raise BackgroundError(ScreenText.NO_DISPLAY()) from error


def _within(place: Place, every: Place, target: str) -> Place:
    """Return the part of a place that is on the screens. Raises BackgroundError if there is none."""
    left, top = max(place["left"], every["left"]), max(place["top"], every["top"])
    right = min(place["left"] + place["width"], every["left"] + every["width"])
    bottom = min(place["top"] + place["height"], every["top"] + every["height"])
    if right <= left or bottom <= top:
        raise BackgroundError(ScreenText.OFF_SCREEN(target=target))
    return {"left": left, "top": top, "width": right - left, "height": bottom - top}


class XDisplay:
    """A connection to the display of the environment. Used on one thread."""

    def __init__(self) -> None:
        """Raise BackgroundError without display."""
        if not LINUX:
            raise BackgroundError(ScreenText.WINDOWS_ON_X11())
        try:
            self._display = Display()
        except (DisplayError, ConnectionClosedError) as error:
            raise BackgroundError(ScreenText.NO_DISPLAY()) from error
        self._utf8_title = self._display.intern_atom("_NET_WM_NAME")

    def windows(self) -> list[tuple[str, Place]]:
        """Return title and place of the visible windows, topmost first. Raises an error if the display is gone."""
        root = self._display.screen().root
        return list(self._below(root, root, DEPTH))

    def screens(self) -> tuple[Place, ...]:
        """Return the places of all screens, empty where the display cannot tell. Raises an error if it is gone."""
        if not self._display.has_extension("RANDR"):
            return ()
        found = self._display.screen().root.xrandr_get_monitors().monitors
        return tuple(
            {"left": each.x, "top": each.y, "width": each.width_in_pixels, "height": each.height_in_pixels}
            for each in found
        )

    def close(self) -> None:
        """Close the connection."""
        self._display.close()

    def _below(self, parent: Window, root: Window, levels: int) -> Iterator[tuple[str, Place]]:
        children: list[Window] = []
        with suppress(XError):  # windows close at any time
            children = parent.query_tree().children
        for child in reversed(children):
            window = None
            with suppress(XError):
                window = self._described(child, root)
            if window is not None:
                yield window
            elif levels > 1:
                yield from self._below(child, root, levels - 1)

    def _described(self, window: Window, root: Window) -> tuple[str, Place] | None:
        """Return title and place of a visible window; None for another one."""
        size = window.get_geometry()
        if window.get_attributes().map_state != X.IsViewable or min(size.width, size.height) < LEAST_SIDE:
            return None
        title = window.get_full_text_property(self._utf8_title) or window.get_wm_name()
        if not title:
            return None
        text = title if isinstance(title, str) else title.decode(errors="replace")
        place = root.translate_coords(window, 0, 0)
        return text, {"left": place.x, "top": place.y, "width": size.width, "height": size.height}
