"""Isolate the program from packages, libraries and plug-ins that environment variables of other
programs name.

ROS, conda and programs with a Qt of their own set such variables for whole sessions. This module
imports only what Python itself has loaded already: any other module may be shadowed by one of
theirs.
"""

import os
import sys

TYPE_CHECKING = False  # the module typing may be of another program
if TYPE_CHECKING:
    from collections.abc import Mapping

# Whether this is an installed copy (setup.py completes the names of modules) and no source tree.
INSTALLED = __name__.startswith("mattecam.")
LIBRARIES = "LD_LIBRARY_PATH"
# Removed beside those of Python. Qt may load GTK, for the look of GNOME.
OTHERS = (
    "QT_PLUGIN_PATH",
    "QT_QPA_PLATFORM_PLUGIN_PATH",
    "GTK_PATH",
    "GIO_MODULE_DIR",
    "DYLD_LIBRARY_PATH",
    "DYLD_FRAMEWORK_PATH",
)
# Variables of Python that bring in no code.
HARMLESS = "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PYTHONNOUSERSITE", "PYTHONSAFEPATH"


def isolate(command: list[str]) -> None:
    """Replace this process by `command`, an isolated Python (-I) with a clean environment.

    Return if it needs none.
    """
    clean = isolated(os.environ)
    removed = {name for name, value in os.environ.items() if clean.get(name) != value}
    is_disturbed = not removed.issubset(HARMLESS)
    if not is_disturbed and (sys.flags.isolated or not _has_packages_of_the_user()):
        return
    if os.name == "nt":  # exec would give the console back
        import subprocess

        sys.exit(subprocess.call(command, env=clean))
    os.execve(command[0], command, clean)  # noqa: S606 - no shell is wanted


def isolated(environment: "Mapping[str, str]") -> dict[str, str]:
    """Return the environment without the variables of other programs.

    Child processes inherit it.
    """
    removed = [name for name in environment if name.startswith("PYTHON") or name in OTHERS]
    clean = {name: value for name, value in environment.items() if name not in removed}
    folders = [folder for folder in _folders(clean) if _of_system(folder) or _holds_python(folder)]
    clean.pop(LIBRARIES, None)
    if folders:
        clean[LIBRARIES] = os.pathsep.join(folders)
    # Child processes, which are not all started with -I, leave out packages of the user as well.
    clean["PYTHONNOUSERSITE"] = "1"
    return clean


def not_isolated(environment: "Mapping[str, str]") -> tuple[str, ...]:
    """Return the variables through which other programs still reach this process."""
    suspects = ("PYTHONPATH", "PYTHONHOME", *OTHERS, "LD_PRELOAD")
    names = [name for name in suspects if environment.get(name)]
    # The package cv2 adds its own folder, with the links of an environment followed.
    packages = [entry for entry in sys.path if entry.endswith("-packages")]
    own = tuple(entry + os.sep for entry in (*packages, *map(os.path.realpath, packages)))
    for folder in _folders(environment):
        if not folder.startswith(own) and not _of_system(folder):
            names.append(LIBRARIES)
            break
    return tuple(names)


def _has_packages_of_the_user() -> bool:
    """Return whether this Python also finds what `pip install --user` has installed."""
    site = sys.modules.get("site")
    return site is None or getattr(site, "USER_SITE", None) in sys.path


def _folders(environment: "Mapping[str, str]") -> list[str]:
    return [folder for folder in environment.get(LIBRARIES, "").split(os.pathsep) if folder]


def _of_system(folder: str) -> bool:
    """Return whether a folder holds the NVIDIA driver, as in containers, or libraries of Nix,
    which has no others.
    """
    if folder.startswith("/nix/store/"):
        return True
    return os.path.exists(f"{folder}/libcuda.so.1")  # noqa: PTH110 - no pathlib


def _holds_python(folder: str) -> bool:
    """Return whether this process has loaded its libpython from a folder.

    Without it Python does not start (Linux).
    """
    try:
        with open("/proc/self/maps", "rb") as maps:  # noqa: PTH123
            return os.fsencode(os.path.realpath(folder)) + b"/libpython" in maps.read()
    except OSError:
        return False
