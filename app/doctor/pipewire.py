"""Check the PipeWire camera: daemon, picture, portal, permissions, and how browsers look for cameras."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from fractions import Fraction
from functools import partial

from app.core.errors import Text, t
from app.doctor import distribution as dist
from app.doctor.finding import CommandLine, Finding, ok, warning
from app.doctor.proof import Advice, Read, prove
from app.doctor.system import System

_CHECK = "PipeWire camera: "
_PROOF_NODE = "mattecam-doctor"
_READ_S = 2.0
_PACKAGES = dict.fromkeys(dist.KNOWN, "pipewire wireplumber")
_PORTAL_PACKAGES = dict.fromkeys(dist.KNOWN, "xdg-desktop-portal xdg-desktop-portal-gtk")
_START = CommandLine("systemctl --user enable --now pipewire wireplumber")
_FIREFOX_FOLDERS = (
    ".mozilla/firefox",
    ".var/app/org.mozilla.firefox/.mozilla/firefox",
    "snap/firefox/common/.mozilla/firefox",
)
_FIREFOX_PREFERENCE = re.compile(r'user_pref\("media\.webrtc\.camera\.allow-pipewire",\s*true\)')


def check_pipewire(system: System) -> Iterator[Finding]:
    """Yield findings from the daemon to the programs."""
    if system.find_library("pipewire-0.3") is None:
        steps = dist.install_package(system, _PACKAGES)
        yield _warning("daemon", t("PipeWire is not installed, so there is no PipeWire camera."), *steps)
    elif not system.pipewire_answers():
        detail = t("PipeWire does not answer, so there is no PipeWire camera.")
        yield _warning("daemon", detail, t("Start PipeWire:"), _START)
    else:
        yield ok(f"{_CHECK}daemon", t("PipeWire answers: the program offers a PipeWire camera."))
        yield from _portal_findings(system)
        yield from _program_findings(system)


def check_pipewire_proof(system: System) -> Iterator[Finding]:
    """Yield whether a test picture arrives, where PipeWire runs."""
    if system.find_library("pipewire-0.3") is not None and system.pipewire_answers():
        yield prove_pipewire()


def prove_pipewire() -> Finding:
    """Send bars through PipeWire and read them back."""
    from app.output.pipewire import PipeWireCamera, PipeWireNode

    steps = (t("Start WirePlumber, which connects programs with cameras:"), _START)
    make = partial(PipeWireNode, name=_PROOF_NODE)
    return prove(
        "PipeWire",
        lambda width, height, fps: PipeWireCamera(width, height, fps, make=make),
        _open_reader,
        Advice(f"{_CHECK}proof", steps, steps, steps),
    )


@contextmanager
def _open_reader() -> Iterator[Read | None]:
    """Read the node as another program does."""
    from app.system.pipewire.stream import NodeReader, to_bgr

    try:
        reader = NodeReader(_PROOF_NODE, (640, 480), Fraction(30), follows=True)
    except OSError:
        yield None
        return
    with closing(reader):
        yield lambda: None if (frame := reader.read(_READ_S)) is None else to_bgr(frame)


def _portal_findings(system: System) -> Iterator[Finding]:
    permissions = system.camera_permissions()
    if permissions is None:
        steps = dist.install_package(system, _PORTAL_PACKAGES)
        yield _warning("portal", t("The desktop has no camera portal."), *steps)
        return
    yield ok(f"{_CHECK}portal", t("The desktop has a camera portal."))
    for program, answer in sorted(permissions.items()):
        if answer != "yes":
            forget = CommandLine(
                "busctl --user call org.freedesktop.impl.portal.PermissionStore "
                "/org/freedesktop/impl/portal/PermissionStore org.freedesktop.impl.portal.PermissionStore "
                f'DeletePermission sss devices camera "{program}"'
            )
            detail = t(
                "The camera permission of {program} is “{answer}”: they get no camera from the portal.",
                program=program or t("programs outside a sandbox"),
                answer=answer,
            )
            yield _warning("permission", detail, t("Forget the answer, so that the desktop asks again:"), forget)


def _program_findings(system: System) -> Iterator[Finding]:
    home = system.environment.get("HOME", "")
    for folder in _FIREFOX_FOLDERS:
        profiles = [f"{home}/{folder}/{name}" for name in system.names(f"{home}/{folder}")]
        texts = [system.read(f"{profile}/{name}") for profile in profiles for name in ("prefs.js", "user.js")]
        if any(texts):
            detail = t(
                "Firefox looks for device files: it shows the virtual camera, but no PipeWire camera. "
                "media.webrtc.camera.allow-pipewire in about:config changes that."
            )
            if any(_FIREFOX_PREFERENCE.search(text) for text in texts):
                detail = t(
                    "Firefox looks for cameras in PipeWire: it shows the PipeWire camera, and no camera of "
                    "v4l2loopback."
                )
            yield ok(f"{_CHECK}Firefox", detail)
            break
    if any(system.names(f"{root}/flatpak/app") for root in ("/var/lib", f"{home}/.local/share")):
        detail = t(
            "Flatpak programs are installed; those without access to device files find the PipeWire camera only."
        )
        yield ok(f"{_CHECK}Flatpak", detail)
    for snap in system.names("/snap"):
        connected = system.run(["snap", "connections", snap]) if snap in ("firefox", "chromium") else None
        pattern = rf"^camera\s+{snap}:camera\s+-"
        if connected and connected.exit_code == 0 and re.search(pattern, connected.output, re.MULTILINE):
            step = CommandLine(f"sudo snap connect {snap}:camera")
            yield _warning("Snap", t("The snap {program} may not use cameras.", program=snap), step)


def _warning(what: str, detail: Text, *steps: Text | CommandLine) -> Finding:
    why = t(
        "Programs that look for cameras in PipeWire, such as browsers and Flatpak programs, do not show the camera."
    )
    return warning(f"{_CHECK}{what}", detail, *steps, why=why)
