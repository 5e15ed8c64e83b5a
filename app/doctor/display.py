"""Find out whether a window can open without starting Qt in this process.

It aborts where it cannot.

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

# Libraries that Qt's X11 plug-in loads: the packages of
# each on Debian and openSUSE, and on Fedora and Arch.
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


def missing_x11_libraries(find: Callable[[str], str | None]) -> tuple[list[str], str, str]:
    """Return the libraries that are not installed, their packages on Debian and openSUSE, and on
    Fedora and Arch.

    find: like `ctypes.util.find_library`.
    """
    missing = [name for name in X11_LIBRARIES if find(name) is None]
    packages = [X11_LIBRARIES[name] for name in missing]
    debian = dict.fromkeys(of_debian for of_debian, _ in packages)
    fedora = dict.fromkeys(of_fedora for _, of_fedora in packages)
    return missing, " ".join(debian), " ".join(fedora)


# What Qt chooses the display by, the first one first.
VARIABLES = ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY", "DISPLAY")
# For a display to answer.
ANSWER_S = 30.0


def missing_libraries(
    environment: Mapping[str, str] = os.environ, find: Callable[[str], str | None] | None = None
) -> str | None:
    """Return which libraries the window lacks on the X11 display, and the packages.

    None if it lacks none.

    Needs the standard library only: it is asked before anything is installed. find: like
    `ctypes.util.find_library`.
    """
    find = find or ctypes.util.find_library
    if not LINUX or not environment.get("DISPLAY"):
        return None
    plugin = environment.get("QT_QPA_PLATFORM", "xcb").partition(":")[0]
    if environment.get("WAYLAND_DISPLAY") or plugin != "xcb":
        return None
    missing, debian, fedora = missing_x11_libraries(find)
    if not missing or find("c") is None:  # a system whose libraries cannot be searched
        return None
    libraries = ", ".join(f"lib{name}" for name in missing)
    return (
        f"the window needs libraries that are not installed: {libraries} "
        f"(Debian and Ubuntu: sudo apt install {debian}; Fedora: sudo dnf install {fedora})"
    )


def window_problem(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return why no window can open, a part of a sentence; None if one can.

    A child process tries it (0.2 s).
    """
    if not LINUX:
        return None
    named = [f"{name}={environment[name]}" for name in VARIABLES if environment.get(name)]
    if not named:
        return "there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)"
    missing = missing_libraries(environment)
    if missing:
        return missing
    code = "from PyQt6.QtWidgets import QApplication; QApplication([])"
    try:
        child = subprocess.run(
            [sys.executable, "-c", code],
            cwd="/",
            env=environment,
            capture_output=True,
            timeout=ANSWER_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):  # a display at the other end of a dead connection
        return f"no window can open with {', '.join(named)}"
    if child.returncode == 0:
        return None
    said = child.stderr.decode(errors="replace")
    library = re.search(r"^ImportError: (lib[\w.+-]+\.so[.\d]*)", said, re.MULTILINE)
    if library:
        doctor = f"{program_command()} doctor"
        return f"the window needs the library {library[1]}, which `{doctor}` tells how to install"
    if "Error: " in said:
        return "the window needs PyQt6, which cannot be loaded"
    return f"no window can open with {', '.join(named)}"
