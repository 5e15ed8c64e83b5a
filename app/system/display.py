"""Find out whether a window can open without starting Qt, which aborts the process if it cannot.

Imports the standard library only: what a window lacks is said before anything is installed.
"""

from __future__ import annotations

import ctypes.util
import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.core.messages.command_line import DisplayText
from app.core.text import Text


@dataclass(frozen=True, slots=True)
class Library:
    """A library that Qt's X11 plug-in loads, and the packages it comes in."""

    name: str
    """Without the prefix `lib` and the suffix."""
    debian: str
    """Also the name on openSUSE."""
    fedora: str
    """Also the name on Arch."""


X11_LIBRARIES = (
    Library("xcb-cursor", "libxcb-cursor0", "xcb-util-cursor"),
    Library("xcb-icccm", "libxcb-icccm4", "xcb-util-wm"),
    Library("xcb-image", "libxcb-image0", "xcb-util-image"),
    Library("xcb-keysyms", "libxcb-keysyms1", "xcb-util-keysyms"),
    Library("xcb-render-util", "libxcb-render-util0", "xcb-util-renderutil"),
    Library("xcb-shape", "libxcb-shape0", "libxcb"),
    Library("xcb-xkb", "libxcb-xkb1", "libxcb"),
    Library("xkbcommon-x11", "libxkbcommon-x11-0", "libxkbcommon-x11"),
)


def missing_x11_libraries(find: Callable[[str], str | None] | None = None) -> tuple[Library, ...]:
    """Return the libraries that are not installed. find: like `ctypes.util.find_library`."""
    find = find or ctypes.util.find_library
    return tuple(library for library in X11_LIBRARIES if find(library.name) is None)


def missing_display(environment: Mapping[str, str] = os.environ) -> Text | None:
    """Return why there is no display, to be followed by "; running without a window"; None if there is one."""
    if not sys.platform.startswith("linux") or _draws_elsewhere(environment):
        return None
    display = environment.get("DISPLAY", "")
    if not display:
        return DisplayText.NO_DISPLAY()
    local = re.fullmatch(r":(\d+)(\.\d+)?", display)
    if local is not None and not _x11_socket_exists(local[1]):
        return DisplayText.NO_ANSWER(display=display)
    return None


def missing_libraries(
    environment: Mapping[str, str] = os.environ, find: Callable[[str], str | None] | None = None
) -> Text | None:
    """Return which libraries the window lacks on the X11 display, and the packages; None if it lacks none.

    Needs the standard library only: it is asked before anything is installed. find: like `ctypes.util.find_library`.
    """
    find = find or ctypes.util.find_library
    if not sys.platform.startswith("linux") or _draws_elsewhere(environment) or missing_display(environment):
        return None
    missing = missing_x11_libraries(find)
    if not missing or find("c") is None:  # a system whose libraries cannot be searched
        return None
    return DisplayText.LIBRARIES(
        libraries=[f"lib{library.name}" for library in missing],
        debian=" ".join(library.debian for library in missing),
        fedora=" ".join(dict.fromkeys(library.fedora for library in missing)),
    )


def unusable_qt() -> Text | None:
    """Return why PyQt6 cannot be loaded; None if it can."""
    try:
        from PyQt6 import QtWidgets  # noqa: F401
    except ImportError as error:
        missing = re.match(r"lib[\w.+-]+\.so[.\d]*", str(error))
        return DisplayText.LIBRARY_FILE(library=missing[0]) if missing else DisplayText.QT()
    return None


def _draws_elsewhere(environment: Mapping[str, str]) -> bool:
    """Return whether Qt needs no X11 display."""
    platform = environment.get("QT_QPA_PLATFORM", "").partition(":")[0]
    return platform in {"offscreen", "minimal", "vnc", "linuxfb", "eglfs"} or bool(environment.get("WAYLAND_DISPLAY"))


def _x11_socket_exists(number: str) -> bool:
    if Path(f"/tmp/.X11-unix/X{number}").exists():  # noqa: S108 - X's own name
        return True
    try:
        # Some servers, such as those in containers, have only the abstract socket.
        return f"@/tmp/.X11-unix/X{number}" in Path("/proc/net/unix").read_text(errors="replace")
    except OSError:
        return True
