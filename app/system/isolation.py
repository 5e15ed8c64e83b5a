"""Isolate the program from packages, libraries and plug-ins that environment variables of other programs name.

ROS, conda and programs with a Qt of their own set such variables for whole sessions. This module imports only what
Python itself has loaded already: any other module may be shadowed by one of theirs.
"""

import os
import sys

TYPE_CHECKING = False  # the module typing may be of another program
if TYPE_CHECKING:
    from collections.abc import Mapping

INSTALLED = __name__.startswith("mattecam.")
"""Whether this is an installed copy (setup.py completes the names of modules) and no source tree."""
LIBRARIES = "LD_LIBRARY_PATH"
OTHERS = (
    "QT_PLUGIN_PATH", "QT_QPA_PLATFORM_PLUGIN_PATH", "GTK_PATH", "GIO_MODULE_DIR", "DYLD_LIBRARY_PATH",
    "DYLD_FRAMEWORK_PATH",
)  # fmt: skip
"""Removed beside those of Python. Qt may load GTK, for the look of GNOME."""
HARMLESS = "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PYTHONNOUSERSITE", "PYTHONSAFEPATH"
"""Variables of Python that bring in no code."""


def isolate(command: list[str]) -> None:
    """Replace this process by `command`, an isolated Python (-I) with a clean environment; return if it needs none."""
    clean = isolated(os.environ)
    disturbed = any(clean.get(name) != value for name, value in os.environ.items() if name not in HARMLESS)
    if not disturbed and (sys.flags.isolated or not _has_packages_of_the_user()):
        return
    if os.name == "nt":  # exec would give the console back
        import subprocess

        sys.exit(subprocess.call(command, env=clean))
    os.execve(command[0], command, clean)  # noqa: S606 - no shell is wanted


def isolated(environment: "Mapping[str, str]") -> dict[str, str]:
    """Return the environment without the variables of other programs; child processes inherit it."""
    clean = {name: value for name, value in environment.items() if not name.startswith("PYTHON") and name not in OTHERS}
    folders = [folder for folder in _folders(clean) if _of_system(folder) or _holds_python(folder)]
    clean.pop(LIBRARIES, None)
    if folders:
        clean[LIBRARIES] = os.pathsep.join(folders)
    return {**clean, "PYTHONNOUSERSITE": "1"}


def not_isolated(environment: "Mapping[str, str]") -> tuple[str, ...]:
    """Return the variables through which other programs still reach this process."""
    names = [name for name in ("PYTHONPATH", "PYTHONHOME", *OTHERS, "LD_PRELOAD") if environment.get(name)]
    own = tuple(entry + os.sep for entry in sys.path if entry.endswith("-packages"))  # cv2 adds its folder
    others = [folder for folder in _folders(environment) if not (folder.startswith(own) or _of_system(folder))]
    return (*names, *([LIBRARIES] if others else []))


def _has_packages_of_the_user() -> bool:
    """Return whether this Python also finds what `pip install --user` has installed."""
    site = sys.modules.get("site")
    return site is None or getattr(site, "USER_SITE", None) in sys.path


def _folders(environment: "Mapping[str, str]") -> list[str]:
    return [folder for folder in environment.get(LIBRARIES, "").split(os.pathsep) if folder]


def _of_system(folder: str) -> bool:
    """Return whether a folder holds the NVIDIA driver, as in containers, or libraries of Nix, which has no others."""
    return folder.startswith("/nix/store/") or os.path.exists(f"{folder}/libcuda.so.1")  # noqa: PTH110 - no pathlib


def _holds_python(folder: str) -> bool:
    """Return whether this process has loaded its libpython from a folder; without it Python does not start (Linux)."""
    try:
        with open("/proc/self/maps", "rb") as maps:  # noqa: PTH123
            return os.fsencode(os.path.realpath(folder)) + b"/libpython" in maps.read()
    except OSError:
        return False
