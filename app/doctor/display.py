"""Can the window open?"""

from __future__ import annotations

from app.doctor import distribution as dist
from app.doctor.finding import Finding, State
from app.doctor.system import System
from app.system.display import missing_x11_libraries

_EGL = {
    dist.Distribution.DEBIAN: "libegl1",
    dist.Distribution.FEDORA: "mesa-libEGL",
    dist.Distribution.ARCH: "libglvnd",
    dist.Distribution.SUSE: "libEGL1",
}


def check_display(system: System) -> tuple[Finding, ...]:
    """A display, and the libraries that Qt loads for it."""
    if not system.platform.startswith("linux"):
        return (Finding("display", State.OK, "The window opens on the desktop of this system."),)
    wayland, x11 = system.environment.get("WAYLAND_DISPLAY"), system.environment.get("DISPLAY")
    if not wayland and not x11:
        return (
            Finding(
                "display",
                State.WARNING,
                "There is no display here (neither WAYLAND_DISPLAY nor DISPLAY is set).",
                "The window cannot open; run.py then works without one.",
                "run.py headless",
            ),
        )
    shown = f"Wayland ({wayland})" if wayland else f"X11 ({x11})"
    findings = [Finding("display", State.OK, f"The display is {shown}.")]
    if not wayland:
        findings += _x11_libraries(system)
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
    several = len(names) > 1
    return Finding(
        "display: libraries",
        State.PROBLEM,
        f"The {'libraries' if several else 'library'} {', '.join(f'lib{name}' for name in names)}"
        f" {'are' if several else 'is'} missing.",
        f"Qt cannot open a window without {'them' if several else 'it'}.",
        dist.install_package(dist.detect(system), packages),
    )
