"""Check the cameras: whether one exists, may be opened, and is free."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.capture.devices import RAW_SENSOR, CameraDevice, Rank
from app.core.errors import Value, t
from app.core.process import CAMERA_SERVICES
from app.doctor.finding import CommandLine, Finding, Steps, ok, problem, warning
from app.doctor.system import System
from app.doctor.virtual_camera import permission_steps

_CLASS = "/sys/class/video4linux"
_VIRTUAL = "/sys/devices/virtual/video4linux"


@dataclass(frozen=True, slots=True)
class _Node:
    path: str
    name: str


def check_cameras(system: System, cameras: Sequence[CameraDevice]) -> tuple[Finding, ...]:
    """Return one finding per camera and fault. cameras: those that the capture side lists."""
    linux = system.platform.startswith("linux")
    findings = [
        _described(camera)
        for camera in cameras
        if not linux or camera.by_pipewire or (camera.is_virtual and camera.rank is Rank.PHONE)
    ]
    nodes = _nodes(system) if linux else []
    usable = [node for node in nodes if not RAW_SENSOR.search(node.name)]
    if nodes and not usable and not findings:
        return (_raw_finding(nodes[0]),)
    described = {camera.path: camera for camera in cameras}
    for node in usable:
        blocked = _blocked_finding(system, node)
        if blocked:
            findings.append(blocked)
            continue
        if node.path in described:
            findings.append(_described(described[node.path]))
        elif system.is_camera(node.path):
            findings.append(ok("camera", t("{name} ({device}).", name=node.name, device=node.path)))
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
        details.insert(0, t("up to {width}×{height}", width=width, height=height))
    device = camera.path or camera.source
    if not details:
        return ok("camera", t("{name} ({device}).", name=camera.name, device=device))
    return ok("camera", t("{name} ({device}, {details}).", name=camera.name, device=device, details=details))


def _none_finding(system: System) -> Finding:
    steps: Steps
    if "microsoft" in system.release.lower():
        steps = (t("Attach the camera to WSL with usbipd, or run the program on Windows itself."),)
    elif system.platform == "darwin":
        steps = (t("Allow camera access for this terminal in System Settings › Privacy & Security › Camera."),)
    elif system.platform == "win32":
        steps = (
            t(
                "Allow camera access for desktop apps in Settings › Privacy & security › Camera, and check the "
                "camera's own switch."
            ),
        )
    else:
        steps = (
            t("Connect a camera; on a laptop check its camera switch or key. Then look at the kernel log:"),
            CommandLine("sudo dmesg | grep -i -e uvc -e video"),
        )
    return warning("camera", t("No camera was found."), *steps)


def _raw_finding(node: _Node) -> Finding:
    detail = t(
        "The camera at {device} is a raw sensor ({name}) that ordinary programs cannot read.",
        device=node.path,
        name=node.name,
    )
    step = t(
        "Install the libcamera plugin of PipeWire (pipewire-libcamera or libspa-0.2-libcamera) and log in again; "
        "PipeWire then offers it."
    )
    return warning("camera", detail, step)


def _blocked_finding(system: System, node: _Node) -> Finding | None:
    if not system.path(node.path).exists():
        detail = t(
            "The kernel knows the camera {name}, but the device file {device} is missing.",
            device=node.path,
            name=node.name,
        )
        steps = t("In a container, pass the device through:"), CommandLine(f"docker run --device {node.path} …")
        return problem("camera", detail, *steps)
    if not system.may_use(system.path(node.path)):
        detail = t(
            "The user {user} has no permission to open {device} ({name}).",
            user=system.user,
            device=node.path,
            name=node.name,
        )
        return problem("camera: permission", detail, *permission_steps(system.user))
    return None


def _in_use_findings(system: System, node: _Node) -> list[Finding]:
    """PipeWire and WirePlumber hold camera devices open without streaming; they are ignored."""
    programs: list[Value] = [h.text for h in system.holders(node.path) if h.name not in CAMERA_SERVICES]
    if not programs:
        return []
    detail = t("{device} ({name}) is in use by {programs}.", device=node.path, name=node.name, programs=programs)
    return [warning("camera: in use", detail, t("If that program is not Mattecam, close it or choose another camera."))]
