"""Check the cameras: whether one exists, may be opened, and is free."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.capture.devices import RAW_SENSOR, CameraDevice, Rank
from app.core.messages.doctor import CameraFinding
from app.core.text import Value
from app.doctor.finding import CommandLine, Finding, Steps, ok, problem, warning
from app.doctor.system import System
from app.doctor.virtual_camera import permission_steps
from app.system.device_holders import CAMERA_SERVICES

_CLASS = "/sys/class/video4linux"
_VIRTUAL = "/sys/devices/virtual/video4linux"


@dataclass(frozen=True, slots=True)
class _Node:
    path: str
    name: str


def check_cameras(system: System, cameras: Sequence[CameraDevice]) -> tuple[Finding, ...]:
    """Return one finding per camera and fault. cameras: those that the capture side lists."""
    if not system.platform.startswith("linux"):
        return tuple(_described(camera) for camera in cameras) or (_none_finding(system),)
    nodes = _nodes(system)
    usable = [node for node in nodes if not RAW_SENSOR.search(node.name)]
    findings = [
        _described(camera)
        for camera in cameras
        if camera.by_pipewire or (camera.is_virtual and camera.rank is Rank.PHONE)
    ]
    if not usable and not findings:
        return (_raw_finding(nodes[0]) if nodes else _none_finding(system),)
    described = {camera.path: camera for camera in cameras}
    for node in usable:
        blocked = _blocked_finding(system, node)
        if blocked:
            findings.append(blocked)
            continue
        if node.path in described:
            findings.append(_described(described[node.path]))
        elif system.is_camera(node.path):
            findings.append(ok("camera", CameraFinding.FOUND(name=node.name, device=node.path)))
        else:
            continue
        findings += _in_use_findings(system, node)
    return tuple(findings) or (_none_finding(system),)


def _nodes(system: System) -> list[_Node]:
    """Return the capture nodes of real cameras, without their metadata nodes."""
    found = []
    for name in system.names(_CLASS):
        if not re.fullmatch(r"video\d+", name) or system.path(f"{_VIRTUAL}/{name}").exists():
            continue
        if system.read(f"{_CLASS}/{name}/index") in ("", "0"):
            found.append(_Node(f"/dev/{name}", system.read(f"{_CLASS}/{name}/name") or name))
    return sorted(found, key=lambda node: int(re.sub(r"\D", "", node.path)))


def _described(camera: CameraDevice) -> Finding:
    details: list[Value] = list(camera.formats)
    if camera.sizes:
        width, height = max(camera.sizes, key=lambda size: size[0] * size[1])
        details.insert(0, CameraFinding.UP_TO(width=width, height=height))
    device = camera.path or camera.source
    if not details:
        return ok("camera", CameraFinding.FOUND(name=camera.name, device=device))
    return ok("camera", CameraFinding.FOUND_WITH_FORMATS(name=camera.name, device=device, details=details))


def _none_finding(system: System) -> Finding:
    steps: Steps
    if "microsoft" in system.release.lower():
        steps = (CameraFinding.FIX_WSL(),)
    elif system.platform == "darwin":
        steps = (CameraFinding.FIX_MAC(),)
    elif system.platform == "win32":
        steps = (CameraFinding.FIX_WINDOWS(),)
    else:
        steps = (CameraFinding.FIX_LINUX(), CommandLine("sudo dmesg | grep -i -e uvc -e video"))
    return warning("camera", CameraFinding.NONE(), CameraFinding.WHY_NEEDED(), *steps)


def _raw_finding(node: _Node) -> Finding:
    detail = CameraFinding.RAW_SENSOR(device=node.path, name=node.name)
    return warning("camera", detail, CameraFinding.WHY_NEEDED(), CameraFinding.FIX_RAW_SENSOR())


def _blocked_finding(system: System, node: _Node) -> Finding | None:
    if not system.path(node.path).exists():
        detail = CameraFinding.NO_NODE(device=node.path, name=node.name)
        steps = CameraFinding.FIX_NO_NODE(), CommandLine(f"docker run --device {node.path} …")
        return problem("camera", detail, CameraFinding.WHY_NEEDED(), *steps)
    if not system.may_use(system.path(node.path)):
        detail = CameraFinding.NOT_PERMITTED(user=system.user, device=node.path, name=node.name)
        return problem("camera: permission", detail, CameraFinding.WHY_PERMISSION(), *permission_steps(system.user))
    return None


def _in_use_findings(system: System, node: _Node) -> list[Finding]:
    """PipeWire and WirePlumber hold camera devices open without streaming; they are ignored."""
    programs: list[Value] = [h.text for h in system.holders(node.path) if h.name not in CAMERA_SERVICES]
    if not programs:
        return []
    detail = CameraFinding.IN_USE(device=node.path, name=node.name, programs=programs)
    return [warning("camera: in use", detail, CameraFinding.WHY_IN_USE(), CameraFinding.FIX_IN_USE())]
