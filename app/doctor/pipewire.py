"""Check the PipeWire camera: daemon, picture, portal, permissions, and how browsers look for cameras."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from fractions import Fraction
from functools import partial

from app.core.text import Text, t
from app.doctor import distribution as dist
from app.doctor.finding import CommandLine, Finding, Steps, ok, warning
from app.doctor.proof import Advice, Read, prove
from app.doctor.system import System

_CHECK = "PipeWire camera: "
_PROOF_NODE = "mattecam-doctor"
_READ_S = 2.0
_PACKAGES = dict.fromkeys(dist.INSTALL, "pipewire wireplumber")
_PORTAL_PACKAGES = dict.fromkeys(dist.INSTALL, "xdg-desktop-portal xdg-desktop-portal-gtk")
_START = CommandLine("systemctl --user enable --now pipewire wireplumber")
_FIREFOX_FOLDERS = (
    ".mozilla/firefox",
    ".var/app/org.mozilla.firefox/.mozilla/firefox",
    "snap/firefox/common/.mozilla/firefox",
)
_FIREFOX_PREFERENCE = re.compile(r'user_pref\("media\.webrtc\.camera\.allow-pipewire",\s*true\)')


def check_pipewire(system: System, proof: Callable[[], Finding] | None) -> list[Finding]:
    """Return findings from the daemon to the programs. proof: sends a test picture; None: leave it out."""
    if system.find_library("pipewire-0.3") is None:
        steps = dist.install_package(system, _PACKAGES)
        return [_warning("daemon", t("PipeWire is not installed, so there is no PipeWire camera."), steps)]
    if not system.pipewire_answers():
        return [
            _warning(
                "daemon", t("PipeWire does not answer, so there is no PipeWire camera."), (t("Start PipeWire:"), _START)
            )
        ]
    findings = [ok(f"{_CHECK}daemon", t("PipeWire answers: the program offers a PipeWire camera."))]
    if proof is not None:
        findings.append(proof())
    return [*findings, *_portal_findings(system), *_program_findings(system)]


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
    from app.system.pipewire.reader import NodeReader, to_bgr

    try:
        reader = NodeReader(_PROOF_NODE, (640, 480), Fraction(30), follows=True)
    except OSError:
        yield None
        return
    with closing(reader):
        yield lambda: None if (frame := reader.read(_READ_S)) is None else to_bgr(frame)


def _portal_findings(system: System) -> list[Finding]:
    permissions = system.camera_permissions()
    if permissions is None:
        steps = dist.install_package(system, _PORTAL_PACKAGES)
        return [_warning("portal", t("The desktop has no camera portal."), steps)]
    findings = [ok(f"{_CHECK}portal", t("The desktop has a camera portal."))]
    for program, answer in sorted(permissions.items()):
        if answer != "yes":
            name = program or t("programs outside a sandbox")
            forget = CommandLine(
                "busctl --user call org.freedesktop.impl.portal.PermissionStore "
                "/org/freedesktop/impl/portal/PermissionStore org.freedesktop.impl.portal.PermissionStore "
                f'DeletePermission sss devices camera "{program}"'
            )
            detail = t(
                "The camera permission of {program} is “{answer}”: they get no camera from the portal.",
                program=name,
                answer=answer,
            )
            findings.append(
                _warning("permission", detail, (t("Forget the answer, so that the desktop asks again:"), forget))
            )
    return findings


def _program_findings(system: System) -> list[Finding]:
    home = system.environment.get("HOME", "")
    findings = []
    for folder in _FIREFOX_FOLDERS:
        profiles = [f"{home}/{folder}/{name}" for name in system.names(f"{home}/{folder}")]
        texts = [system.read(f"{profile}/{name}") for profile in profiles for name in ("prefs.js", "user.js")]
        if any(texts):
            uses = any(_FIREFOX_PREFERENCE.search(text) for text in texts)
            detail = (
                t("Firefox looks for cameras in PipeWire: it shows the PipeWire camera, and no camera of v4l2loopback.")
                if uses
                else t(
                    "Firefox looks for device files: it shows the virtual camera, but no PipeWire camera. "
                    "media.webrtc.camera.allow-pipewire in about:config changes that."
                )
            )
            findings.append(ok(f"{_CHECK}Firefox", detail))
            break
    flatpaks = {name for root in ("/var/lib", f"{home}/.local/share") for name in system.names(f"{root}/flatpak/app")}
    if flatpaks:
        findings.append(
            ok(
                f"{_CHECK}Flatpak",
                t(
                    "Flatpak programs are installed; those without access to device files find the PipeWire camera "
                    "only."
                ),
            )
        )
    snaps = [name for name in system.names("/snap") if name in ("firefox", "chromium")]
    for snap in snaps:
        connected = system.run(["snap", "connections", snap])
        if connected.exit_code == 0 and re.search(rf"^camera\s+{snap}:camera\s+-", connected.output, re.MULTILINE):
            steps = (CommandLine(f"sudo snap connect {snap}:camera"),)
            findings.append(_warning("Snap", t("The snap {program} may not use cameras.", program=snap), steps))
    return findings


def _warning(what: str, detail: Text, steps: Steps) -> Finding:
    return warning(
        f"{_CHECK}{what}",
        detail,
        t("Programs that look for cameras in PipeWire, such as browsers and Flatpak programs, do not show the camera."),
        *steps,
    )
