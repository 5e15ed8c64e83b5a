"""Check the cameras: whether one exists, may be opened, and is free."""

from __future__ import annotations

import math
from collections.abc import Sequence

from app.capture.devices import RAW_SENSOR, CameraDevice, Rank
from app.core.errors import Value, t
from app.core.process import CAMERA_SERVICES
from app.doctor.finding import CommandLine, Finding, Steps, ok, problem, warning
from app.doctor.system import System
from app.doctor.virtual_camera import permission_steps

_CLASS = "/sys/class/video4linux"
_VIRTUAL = "/sys/devices/virtual/video4linux"


def check_cameras(system: System, cameras: Sequence[CameraDevice]) -> tuple[Finding, ...]:
    """Return one finding per camera and fault. cameras: those that the capture side lists."""
    findings: list[Finding] = []
    for camera in cameras:
        is_linux = system.platform.startswith("linux")
        has_node = is_linux and not camera.by_pipewire and camera.rank is not Rank.PHONE
        node = camera.path.rpartition("/")[2]
        if has_node and system.path(f"{_VIRTUAL}/{node}").exists():
            continue  # the virtual camera has checks of its own
        if has_node and not system.may_use(system.path(camera.path)):
            detail = t(
                "The user {user} has no permission to open {device} ({name}).",
                user=system.user,
                device=camera.path,
                name=camera.name,
            )
            steps = permission_steps(system.user)
            findings.append(problem(t("camera: permission"), detail, *steps))
            continue
        findings.append(_described(camera))
        # PipeWire and WirePlumber hold camera devices open without streaming.
        holders = system.holders(camera.path) if has_node else ()
        programs = [holder.text for holder in holders if holder.name not in CAMERA_SERVICES]
        if programs or camera.busy:
            detail = t(
                "{device} ({name}) is in use by {programs}.",
                device=camera.path,
                name=camera.name,
                programs=programs or [t("another program")],
            )
            step = t("If that program is not Mattecam, close it or choose another camera.")
            findings.append(warning(t("camera: in use"), detail, step))
    in_use = _used_on_windows(system)
    if in_use is not None:
        findings.append(in_use)
    refused = _refused_by_windows(system)
    if refused is not None:  # cameras are listed all the same, and give black frames or none
        return (refused, *findings)
    if findings:
        return tuple(findings)
    return (_unusable(system) or _none_finding(system),)


# Key of the registry with the privacy settings of cameras; below it those of desktop apps.
_CONSENT = r"Software\Microsoft\Windows\CurrentVersion\CapabilityAccessManager\ConsentStore\webcam"
ALLOW_ON_WINDOWS = t(
    "Open Settings › Privacy & security › Camera, and switch on “Camera access” and “Let desktop "
    "apps access your camera”."
)


def _used_on_windows(system: System) -> Finding | None:
    """Return which programs use a camera, as Windows shows them in its settings.

    None if none does.
    """
    programs = system.programs_since(rf"{_CONSENT}\NonPackaged", "LastUsedTimeStop")
    own = ("python", "mattecam")
    others = [program for program in programs if not program.lower().startswith(own)]
    if not others:
        return None
    detail = t("A camera is in use by {programs}.", programs=others)
    step = t("If that program is not Mattecam, close it or choose another camera.")
    return warning(t("camera: in use"), detail, step)


def _refused_by_windows(system: System) -> Finding | None:
    """Return that the privacy settings of Windows keep cameras from programs.

    None where they do not.
    """
    answers = (
        *system.registry_texts(_CONSENT, "Value"),
        *system.registry_texts(rf"{_CONSENT}\NonPackaged", "Value"),
    )
    if "Deny" not in answers:
        return None
    detail = t("The privacy settings of Windows do not let desktop apps use cameras.")
    return problem(t("camera: permission"), detail, ALLOW_ON_WINDOWS)


def _described(camera: CameraDevice) -> Finding:
    details: list[Value] = [camera.path or camera.source]
    if camera.sizes:
        width, height = max(camera.sizes, key=math.prod)
        details.append(t("up to {width}×{height}", width=width, height=height))
    details += camera.formats
    return ok(t("camera"), t("{name} ({details}).", name=camera.name, details=details))


def _none_finding(system: System) -> Finding:
    steps: Steps
    if "microsoft" in system.release.lower():
        steps = (t("Attach the camera to WSL with usbipd, or run the program on Windows itself."),)
    elif system.platform == "win32":
        steps = (
            t("Connect a camera, check its own switch, and close programs that use it."),
            ALLOW_ON_WINDOWS,
        )
    elif not system.platform.startswith("linux"):
        steps = (
            t(
                "Allow camera access in the privacy settings of the system, and check the camera's "
                "own switch.",
            ),
        )
    else:
        steps = (
            t(
                "Connect a camera; on a laptop check its camera switch or key. Then look at the "
                "kernel log:",
            ),
            CommandLine("sudo dmesg | grep -i -e uvc -e video"),
        )
    return warning(t("camera"), t("No camera was found."), *steps)


def _unusable(system: System) -> Finding | None:
    """Return why a camera that the kernel of Linux knows is none for this program.

    None if it knows none.
    """
    for node in system.names(_CLASS):
        name = system.read(f"{_CLASS}/{node}/name") or node
        device = f"/dev/{node}"
        if not node.startswith("video") or system.path(f"{_VIRTUAL}/{node}").exists():
            continue
        if RAW_SENSOR.search(name):
            detail = t(
                "The camera at {device} is a raw sensor ({name}) that ordinary programs cannot "
                "read.",
                device=device,
                name=name,
            )
            step = t(
                "Install the libcamera plugin of PipeWire (pipewire-libcamera or "
                "libspa-0.2-libcamera) and log in again; PipeWire then offers it."
            )
            return warning(t("camera"), detail, step)
        if not system.path(device).exists():
            detail = t(
                "The kernel knows the camera {name}, but the device file {device} is missing.",
                device=device,
                name=name,
            )
            step = t("In a container, pass the device through:")
            command = CommandLine(f"docker run --device {device} …")
            return problem(t("camera"), detail, step, command)
    return None
