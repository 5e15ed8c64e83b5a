"""Can the window open?"""

from __future__ import annotations

from app.doctor import distribution as dist
from app.doctor.finding import Finding, State
from app.doctor.system import System

_XCB_CURSOR = {
    dist.Distribution.DEBIAN: "libxcb-cursor0",
    dist.Distribution.FEDORA: "xcb-util-cursor",
    dist.Distribution.ARCH: "xcb-util-cursor",
    dist.Distribution.SUSE: "libxcb-cursor0",
}
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
        findings += _library(system, "xcb-cursor", _XCB_CURSOR)
    findings += _library(system, "EGL", _EGL)
    return tuple(findings)


def _library(system: System, name: str, packages: dict[dist.Distribution, str]) -> list[Finding]:
    if system.find_library(name):
        return []
    return [
        Finding(
            "display: libraries",
            State.PROBLEM,
            f"The library lib{name} is missing.",
            "Qt cannot open a window without it.",
            dist.install_package(dist.detect(system), packages),
        )
    ]
