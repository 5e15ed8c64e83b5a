"""Check whether a window can open."""

from __future__ import annotations

from app.core.messages.doctor import DisplayFinding
from app.doctor import distribution as dist
from app.doctor.finding import Command, Finding, State
from app.doctor.system import System
from app.system.display import missing_x11_libraries

_EGL = {
    dist.Distribution.DEBIAN: "libegl1",
    dist.Distribution.FEDORA: "mesa-libEGL",
    dist.Distribution.ARCH: "libglvnd",
    dist.Distribution.SUSE: "libEGL1",
}


def check_display(system: System) -> tuple[Finding, ...]:
    """Return findings about the display and the libraries that Qt loads for it."""
    if not system.platform.startswith("linux"):
        return (Finding("display", State.OK, DisplayFinding.NATIVE()),)
    wayland, x11 = system.environment.get("WAYLAND_DISPLAY"), system.environment.get("DISPLAY")
    if wayland:
        findings = [Finding("display", State.OK, DisplayFinding.WAYLAND(name=wayland))]
    elif x11:
        findings = [Finding("display", State.OK, DisplayFinding.X11(name=x11)), *_x11_libraries(system)]
    else:
        steps = (Command("python3 run.py headless"),)
        return (Finding("display", State.WARNING, DisplayFinding.NO_DISPLAY(), DisplayFinding.WHY_NO_DISPLAY(), steps),)
    if not system.find_library("EGL"):
        findings.append(_missing(system, ["EGL"], _EGL))
    return tuple(findings)


def _x11_libraries(system: System) -> list[Finding]:
    missing = missing_x11_libraries(system.find_library)
    if not missing:
        return []
    debian = " ".join(library.debian for library in missing)
    fedora = " ".join(dict.fromkeys(library.fedora for library in missing))
    packages = {
        dist.Distribution.DEBIAN: debian,
        dist.Distribution.SUSE: debian,
        dist.Distribution.FEDORA: fedora,
        dist.Distribution.ARCH: fedora,
    }
    return [_missing(system, [library.name for library in missing], packages)]


def _missing(system: System, names: list[str], packages: dict[dist.Distribution, str]) -> Finding:
    libraries = tuple(f"lib{name}" for name in names)
    if len(libraries) == 1:
        detail = DisplayFinding.LIBRARY_MISSING(library=libraries[0])
    else:
        detail = DisplayFinding.LIBRARIES_MISSING(libraries=libraries)
    steps = dist.install_package(dist.detect(system), packages)
    return Finding("display: libraries", State.PROBLEM, detail, DisplayFinding.WHY_LIBRARIES(), steps)
