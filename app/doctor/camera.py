"""Is there a camera, may we open it, and does another program have it?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.doctor.finding import Finding, State
from app.doctor.system import System
from app.doctor.virtual_camera import permission_fix
from app.system.device_holders import CAMERA_SERVICES

_CLASS = "/sys/class/video4linux"
_VIRTUAL = "/sys/devices/virtual/video4linux"
_WHY_NONE = "Without a camera only the demo view and video files can be shown."
_RAW_SENSOR = re.compile(r"Intel IPU\d", re.IGNORECASE)


class Camera(Protocol):
    """What the capture side tells about a camera."""

    @property
    def name(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def sizes(self) -> Sequence[tuple[int, int]]: ...
    @property
    def formats(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class _Node:
    path: str
    name: str


def check_cameras(system: System, cameras: Sequence[Camera]) -> tuple[Finding, ...]:
    """One finding per camera and fault. cameras: what the capture side can list."""
    if not system.platform.startswith("linux"):
        return tuple(_described(camera) for camera in cameras) or (_none_finding(system),)
    nodes = _nodes(system)
    usable = [node for node in nodes if not _RAW_SENSOR.search(node.name)]
    if not usable:
        return (_raw_finding(nodes[0]) if nodes else _none_finding(system),)
    described = {str(camera.path): camera for camera in cameras}
    findings = []
    for node in usable:
        blocked = _blocked_finding(system, node)
        if blocked:
            findings.append(blocked)
            continue
        if node.path in described:
            findings.append(_described(described[node.path]))
        else:
            findings.append(Finding("camera", State.OK, f"{node.name} ({node.path})."))
        findings += _held_findings(system, node)
    return tuple(findings)


def _nodes(system: System) -> list[_Node]:
    """Capture nodes of real cameras; a camera's second node (its metadata) and virtual cameras are left out."""
    found = []
    for name in system.names(_CLASS):
        if not re.fullmatch(r"video\d+", name) or system.path(f"{_VIRTUAL}/{name}").exists():
            continue
        if system.read(f"{_CLASS}/{name}/index") in ("", "0"):
            found.append(_Node(f"/dev/{name}", system.read(f"{_CLASS}/{name}/name") or name))
    return sorted(found, key=lambda node: int(re.sub(r"\D", "", node.path)))


def _described(camera: Camera) -> Finding:
    sizes = ""
    if camera.sizes:
        width, height = max(camera.sizes, key=lambda size: size[0] * size[1])
        sizes = f", up to {width}×{height}"
    formats = f", {', '.join(camera.formats)}" if camera.formats else ""
    return Finding("camera", State.OK, f"{camera.name} ({camera.path}{sizes}{formats}).")


def _none_finding(system: System) -> Finding:
    if "microsoft" in system.release.lower():
        fix = "Attach the camera to WSL with usbipd, or run the program on Windows itself."
    elif system.platform == "darwin":
        fix = "Allow the camera for this terminal in System Settings › Privacy & Security › Camera."
    elif system.platform == "win32":
        fix = "Allow desktop apps the camera in Settings › Privacy & security › Camera, and look for its switch."
    else:
        fix = "Plug a camera in; on a laptop look for its switch or key, then:\nsudo dmesg | grep -i -e uvc -e video"
    return Finding("camera", State.WARNING, "No camera was found.", _WHY_NONE, fix)


def _raw_finding(node: _Node) -> Finding:
    return Finding(
        "camera",
        State.WARNING,
        f"The camera behind {node.path} is a raw sensor ({node.name}) that ordinary programs cannot read.",
        _WHY_NONE,
        "Set up libcamera with v4l2-relayd (or the maker's camera service), which offers it as an ordinary camera.",
    )


def _blocked_finding(system: System, node: _Node) -> Finding | None:
    if not system.path(node.path).exists():
        return Finding(
            "camera",
            State.PROBLEM,
            f"The kernel has the camera {node.name}, but there is no {node.path}.",
            _WHY_NONE,
            f"In a container, hand the device in:\ndocker run --device {node.path} …",
        )
    if not system.may_use(system.path(node.path)):
        return Finding(
            "camera: permission",
            State.PROBLEM,
            f"{system.user} may not open {node.path} ({node.name}).",
            "Without permission the camera cannot be read.",
            permission_fix(system.user),
        )
    return None


def _held_findings(system: System, node: _Node) -> list[Finding]:
    """Wireplumber and pipewire keep cameras open without streaming, so that they do not count."""
    holders = [holder for holder in system.holders(node.path) if holder.name not in CAMERA_SERVICES]
    if not holders:
        return []
    return [
        Finding(
            "camera: in use",
            State.WARNING,
            f"{node.path} ({node.name}) is open in {', '.join(map(str, holders))}.",
            "A camera gives its pictures to one program at a time.",
            "If that is not Mattecam itself, close that program, or choose another camera.",
        )
    ]
