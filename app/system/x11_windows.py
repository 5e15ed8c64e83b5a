"""Windows of an X11 display: their titles and where they are (Linux)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from Xlib import X
from Xlib.display import Display
from Xlib.error import ConnectionClosedError, DisplayError, XError
from Xlib.xobject.drawable import Window

LEAST_SIDE = 40
"""Smaller windows are decorations and helpers of other programs."""
DEPTH = 3
"""Levels of the tree in which windows with a title are searched: a window manager adds one or two."""


@dataclass(frozen=True, slots=True)
class XWindow:
    """A visible window."""

    title: str
    left: int
    top: int
    width: int
    height: int


class XDisplay:
    """A connection to the display of the environment. Used on one thread."""

    def __init__(self) -> None:
        """Raise OSError without display."""
        try:
            self._display = Display()
        except (DisplayError, ConnectionClosedError) as error:
            raise OSError("the display cannot be opened") from error
        self._utf8_title = self._display.intern_atom("_NET_WM_NAME")

    def windows(self) -> list[XWindow]:
        """Return the visible windows with a title, topmost first. Raises OSError if the display is gone."""
        root = self._display.screen().root
        try:
            return list(self._below(root, root, DEPTH))
        except ConnectionClosedError as error:
            raise OSError("the display is gone") from error

    def close(self) -> None:
        """Close the connection."""
        self._display.close()

    def _below(self, parent: Window, root: Window, levels: int) -> Iterator[XWindow]:
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

    def _described(self, window: Window, root: Window) -> XWindow | None:
        size = window.get_geometry()
        if window.get_attributes().map_state != X.IsViewable or min(size.width, size.height) < LEAST_SIDE:
            return None
        title = window.get_full_text_property(self._utf8_title) or window.get_wm_name()
        if not title:
            return None
        text = title if isinstance(title, str) else title.decode(errors="replace")
        place = root.translate_coords(window, 0, 0)
        return XWindow(text, place.x, place.y, size.width, size.height)
