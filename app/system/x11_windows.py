"""Windows of an X11 display: their titles and where they are (Linux, libX11)."""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Iterator
from dataclasses import dataclass

VIEWABLE = 2
"""`IsViewable`: the window and all its parents are mapped."""
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


class _Attributes(ctypes.Structure):
    """`XWindowAttributes`; the fields after `map_state` are not read."""

    _fields_ = (
        *((name, ctypes.c_int) for name in ("x", "y", "width", "height", "border_width", "depth")),
        ("visual", ctypes.c_void_p),
        ("root", ctypes.c_ulong),
        *((name, ctypes.c_int) for name in ("kind", "bit_gravity", "win_gravity", "backing_store")),
        *((name, ctypes.c_ulong) for name in ("backing_planes", "backing_pixel")),
        ("save_under", ctypes.c_int),
        ("colormap", ctypes.c_ulong),
        *((name, ctypes.c_int) for name in ("map_installed", "map_state")),
        ("rest", ctypes.c_byte * 128),
    )


class XDisplay:
    """A connection to the display of the environment. Used on one thread."""

    def __init__(self) -> None:
        """Raise OSError without libX11 or display."""
        name = ctypes.util.find_library("X11")
        if name is None:
            raise OSError("libX11 is not installed")
        self._x = ctypes.CDLL(name)
        self._x.XOpenDisplay.restype = ctypes.c_void_p
        self._x.XDefaultRootWindow.restype = ctypes.c_ulong
        self._display = ctypes.c_void_p(self._x.XOpenDisplay(None))
        if not self._display:
            raise OSError("the display cannot be opened")
        # Windows close at any time; Xlib's own handler would end the program.
        self._handler = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(lambda _display, _event: 0)
        self._previous = ctypes.cast(self._x.XSetErrorHandler(self._handler), ctypes.c_void_p)

    def windows(self) -> list[XWindow]:
        """Return the visible windows with a title, topmost first."""
        return list(self._below(self._x.XDefaultRootWindow(self._display), DEPTH))

    def close(self) -> None:
        """Close the connection."""
        self._x.XSync(self._display, 0)
        self._x.XCloseDisplay(self._display)

    def _below(self, parent: int, levels: int) -> Iterator[XWindow]:
        root, above, count = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.c_uint()
        children = ctypes.POINTER(ctypes.c_ulong)()
        found = self._x.XQueryTree(
            self._display, ctypes.c_ulong(parent), ctypes.byref(root), ctypes.byref(above), ctypes.byref(children),
            ctypes.byref(count),
        )  # fmt: skip
        if not found or not children:
            return
        ids = [children[index] for index in range(count.value)]
        self._x.XFree(children)
        for each in reversed(ids):
            window = self._window(each, root.value)
            if window is not None:
                yield window
            elif levels > 1:
                yield from self._below(each, levels - 1)

    def _window(self, number: int, root: int) -> XWindow | None:
        attributes, title = _Attributes(), ctypes.c_char_p()
        target = ctypes.c_ulong(number)
        if not self._x.XGetWindowAttributes(self._display, target, ctypes.byref(attributes)):
            return None
        if attributes.map_state != VIEWABLE or min(attributes.width, attributes.height) < LEAST_SIDE:
            return None
        if not self._x.XFetchName(self._display, target, ctypes.byref(title)) or not title.value:
            return None
        text = title.value.decode(errors="replace")
        self._x.XFree(title)
        left, top, child = ctypes.c_int(), ctypes.c_int(), ctypes.c_ulong()
        self._x.XTranslateCoordinates(
            self._display, target, ctypes.c_ulong(root), 0, 0, ctypes.byref(left), ctypes.byref(top),
            ctypes.byref(child),
        )  # fmt: skip
        return XWindow(text, left.value, top.value, attributes.width, attributes.height)
