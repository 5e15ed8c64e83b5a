"""Check the PipeWire camera: daemon, picture, portal, permissions, and how browsers look for cameras."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from fractions import Fraction
from functools import partial

from app.core.messages.doctor import PipeWireFinding
from app.core.text import Text
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
        return [_warning("daemon", PipeWireFinding.NOT_INSTALLED(), steps)]
    if not system.pipewire_answers():
        return [_warning("daemon", PipeWireFinding.NOT_RUNNING(), (PipeWireFinding.FIX_START(), _START))]
    findings = [ok(f"{_CHECK}daemon", PipeWireFinding.RUNNING())]
    if proof is not None:
        findings.append(proof())
    return [*findings, *_portal_findings(system), *_program_findings(system)]


def prove_pipewire() -> Finding:
    """Send bars through PipeWire and read them back."""
    from app.output.pipewire import PipeWireCamera, PipeWireNode

    steps = (PipeWireFinding.FIX_SESSION_MANAGER(), _START)
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
        return [_warning("portal", PipeWireFinding.NO_PORTAL(), steps)]
    findings = [ok(f"{_CHECK}portal", PipeWireFinding.PORTAL())]
    for program, answer in sorted(permissions.items()):
        if answer != "yes":
            name = program or PipeWireFinding.OUTSIDE_SANDBOX()
            forget = CommandLine(
                "busctl --user call org.freedesktop.impl.portal.PermissionStore "
                "/org/freedesktop/impl/portal/PermissionStore org.freedesktop.impl.portal.PermissionStore "
                f'DeletePermission sss devices camera "{program}"'
            )
            detail = PipeWireFinding.NOT_ALLOWED(program=name, answer=answer)
            findings.append(_warning("permission", detail, (PipeWireFinding.FIX_FORGET(), forget)))
    return findings


def _program_findings(system: System) -> list[Finding]:
    home = system.environment.get("HOME", "")
    findings = []
    for folder in _FIREFOX_FOLDERS:
        profiles = [f"{home}/{folder}/{name}" for name in system.names(f"{home}/{folder}")]
        texts = [system.read(f"{profile}/{name}") for profile in profiles for name in ("prefs.js", "user.js")]
        if any(texts):
            uses = any(_FIREFOX_PREFERENCE.search(text) for text in texts)
            detail = PipeWireFinding.FIREFOX_PIPEWIRE() if uses else PipeWireFinding.FIREFOX_DEVICES()
            findings.append(ok(f"{_CHECK}Firefox", detail))
            break
    flatpaks = {name for root in ("/var/lib", f"{home}/.local/share") for name in system.names(f"{root}/flatpak/app")}
    if flatpaks:
        findings.append(ok(f"{_CHECK}Flatpak", PipeWireFinding.FLATPAK()))
    snaps = [name for name in system.names("/snap") if name in ("firefox", "chromium")]
    for snap in snaps:
        connected = system.run(["snap", "connections", snap])
        if connected.exit_code == 0 and re.search(rf"^camera\s+{snap}:camera\s+-", connected.output, re.MULTILINE):
            steps = (CommandLine(f"sudo snap connect {snap}:camera"),)
            findings.append(_warning("Snap", PipeWireFinding.SNAP(program=snap), steps))
    return findings


def _warning(what: str, detail: Text, steps: Steps) -> Finding:
    return warning(f"{_CHECK}{what}", detail, PipeWireFinding.WHY(), *steps)
