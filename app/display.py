"""Whether a window can be opened, found out without starting Qt (which ends the process where it cannot)."""

from __future__ import annotations

import ctypes.util
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

_X11_LIBRARIES = {
    "xcb-cursor": "libxcb-cursor0",
    "xcb-icccm": "libxcb-icccm4",
    "xcb-image": "libxcb-image0",
    "xcb-keysyms": "libxcb-keysyms1",
    "xcb-render-util": "libxcb-render-util0",
    "xcb-shape": "libxcb-shape0",
    "xcb-xkb": "libxcb-xkb1",
    "xkbcommon-x11": "libxkbcommon-x11-0",
}
"""What Qt's X11 plug-in loads, and the Debian packages it comes in."""


def missing_display(environment: Mapping[str, str] = os.environ) -> str | None:
    """Why no window can be opened, in words that go on with "; running without a window"; None where one can be."""
    if sys.platform.startswith("linux"):
        reason = _missing_on_linux(environment)
        if reason is not None:
            return reason
    try:
        from PyQt6 import QtWidgets  # noqa: F401
    except ImportError as error:
        return f"the window needs a library that is missing ({error})"
    return None


def _missing_on_linux(environment: Mapping[str, str]) -> str | None:
    if environment.get("QT_QPA_PLATFORM", "").partition(":")[0] in {"offscreen", "minimal", "vnc", "linuxfb", "eglfs"}:
        return None
    if environment.get("WAYLAND_DISPLAY"):
        return None
    display = environment.get("DISPLAY", "")
    if not display:
        return "there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)"
    local = re.fullmatch(r":(\d+)(\.\d+)?", display)
    if local is not None and not _x11_socket_exists(local[1]):
        return f"no display answers at {display}"
    missing = [package for name, package in _X11_LIBRARIES.items() if ctypes.util.find_library(name) is None]
    if missing:
        return f"Qt's window plug-in needs {' '.join(missing)} (on Debian: apt install {' '.join(missing)})"
    return None


def _x11_socket_exists(number: str) -> bool:
    if Path(f"/tmp/.X11-unix/X{number}").exists():
        return True
    try:
        # Some servers (in containers) have only the abstract socket.
        return f"@/tmp/.X11-unix/X{number}" in Path("/proc/net/unix").read_text()
    except OSError:
        return True
