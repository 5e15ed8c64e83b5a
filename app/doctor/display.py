"""Find out whether a window can open without starting Qt in this process: it aborts where it cannot.

Imports the standard library only: what a window lacks is said before anything is installed.
"""

from __future__ import annotations

import ctypes.util
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping

from app.core.paths import program_command
from app.core.process import LINUX

X11_LIBRARIES = {
    "xcb-cursor": ("libxcb-cursor0", "xcb-util-cursor"),
    "xcb-icccm": ("libxcb-icccm4", "xcb-util-wm"),
    "xcb-image": ("libxcb-image0", "xcb-util-image"),
    "xcb-keysyms": ("libxcb-keysyms1", "xcb-util-keysyms"),
    "xcb-render-util": ("libxcb-render-util0", "xcb-util-renderutil"),
    "xcb-shape": ("libxcb-shape0", "libxcb"),
    "xcb-xkb": ("libxcb-xkb1", "libxcb"),
    "xkbcommon-x11": ("libxkbcommon-x11-0", "libxkbcommon-x11"),
}
"""Libraries that Qt's X11 plug-in loads: the packages of each on Debian and openSUSE, and on Fedora and Arch."""


def missing_x11_libraries(find: Callable[[str], str | None]) -> tuple[list[str], str, str]:
    """Return the libraries that are not installed, their packages on Debian and openSUSE, and on Fedora and Arch.

    find: like `ctypes.util.find_library`.
    """
    missing = [name for name in X11_LIBRARIES if find(name) is None]
    debian, fedora = (" ".join(dict.fromkeys(X11_LIBRARIES[name][family] for name in missing)) for family in (0, 1))
    return missing, debian, fedora


VARIABLES = ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY", "DISPLAY")
"""What Qt chooses the display by, the first one first."""
ANSWER_S = 30.0
"""For a display to answer."""


def missing_libraries(
    environment: Mapping[str, str] = os.environ, find: Callable[[str], str | None] | None = None
) -> str | None:
    """Return which libraries the window lacks on the X11 display, and the packages; None if it lacks none.

    Needs the standard library only: it is asked before anything is installed. find: like `ctypes.util.find_library`.
    """
    find = find or ctypes.util.find_library
    if not LINUX or not environment.get("DISPLAY"):
        return None
    if environment.get("WAYLAND_DISPLAY") or environment.get("QT_QPA_PLATFORM", "xcb").partition(":")[0] != "xcb":
        return None
    missing, debian, fedora = missing_x11_libraries(find)
    if not missing or find("c") is None:  # a system whose libraries cannot be searched
        return None
    return (
        "the window needs libraries that are not installed: "
        f"{', '.join(f'lib{name}' for name in missing)} (Debian and Ubuntu: sudo apt install {debian}; "
        f"Fedora: sudo dnf install {fedora})"
    )


def window_problem(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return why no window can open, a part of a sentence; None if one can. A child process tries it (0.2 s)."""
    if not LINUX:
        return None
    named = [f"{name}={value}" for name in VARIABLES if (value := environment.get(name))]
    if not named:
        return "there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)"
    if missing := missing_libraries(environment):
        return missing
    code = "from PyQt6.QtWidgets import QApplication; QApplication([])"
    try:
        child = subprocess.run(
            [sys.executable, "-c", code], cwd="/", env=environment, capture_output=True, timeout=ANSWER_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):  # a display at the other end of a dead connection
        return f"no window can open with {', '.join(named)}"
    if child.returncode == 0:
        return None
    said = child.stderr.decode(errors="replace")
    if library := re.search(r"^ImportError: (lib[\w.+-]+\.so[.\d]*)", said, re.MULTILINE):
        return f"the window needs the library {library[1]}, which `{program_command()} doctor` tells how to install"
    return (
        "the window needs PyQt6, which cannot be loaded"
        if "Error: " in said
        else f"no window can open with {', '.join(named)}"
    )
