"""Can other programs see our picture? On Linux: v4l2loopback, its options and its devices."""

from __future__ import annotations

from app.doctor import distribution as dist
from app.doctor.finding import Finding, State
from app.doctor.loopback import (
    LoopbackDevice,
    Module,
    choose_device,
    free_number,
    read_devices,
    read_module,
)
from app.doctor.secure_boot import check_secure_boot
from app.doctor.system import System

_WHY_MODULE = "Without a virtual camera other programs cannot see the picture; only recording works."
_WHY_CAPS = "Chromium, Chrome, Teams, Discord and Zoom do not list a virtual camera that can also be written to."
_DOCTOR_FIX = "run.py doctor --fix"


def check_virtual_camera(system: System) -> tuple[Finding, ...]:
    """Everything between the package v4l2loopback and a device that other programs find."""
    devices = read_devices(system)
    findings = [check_module(system, read_module(system), devices)]
    findings += check_secure_boot(system)
    device = choose_device(devices)
    if device is not None:
        findings += [
            _device_finding(device, devices),
            _caps_finding(system, device),
            _permission_finding(system, device),
            _busy_finding(system, device),
        ]
        findings += _boot_findings(system)
    findings += _conflict_findings(system)
    return tuple(findings)


def load_command(number: int) -> str:
    """Load the module by hand, until the next start of the machine."""
    return f"sudo modprobe v4l2loopback {dist.MODULE_OPTIONS.format(number=number)}"


def check_module(system: System, module: Module, devices: tuple[LoopbackDevice, ...]) -> Finding:
    """How far the module is on its way into the kernel, and the next step."""
    check = "virtual camera: module"
    if devices:
        return Finding(check, State.OK, "The module v4l2loopback is loaded.")
    if module.loaded:
        return Finding(
            check,
            State.PROBLEM,
            "The module v4l2loopback is loaded, but has no device.",
            _WHY_MODULE,
            f"{_DOCTOR_FIX}\nor by hand:\nsudo modprobe -r v4l2loopback\n{load_command(free_number(system))}",
        )
    if module.built:
        return Finding(
            check,
            State.PROBLEM,
            f"The module v4l2loopback is installed for the running kernel {system.release}, but not loaded.",
            _WHY_MODULE,
            f"{_DOCTOR_FIX}\nor by hand, until the next start:\n{load_command(free_number(system))}",
        )
    return Finding(check, State.PROBLEM, _absent_detail(system, module), _WHY_MODULE, _absent_fix(system, module))


def _absent_detail(system: System, module: Module) -> str:
    if system.release not in module.modules_of:
        if module.modules_of:
            kernels = ", ".join(module.modules_of)
            return f"The running kernel {system.release} is no longer installed (installed: {kernels})."
        return (
            f"The modules of the running kernel {system.release} are not on this disk; "
            "is this a container or a machine that borrows its kernel?"
        )
    if module.source or module.other_kernels:
        built = f" (built for {', '.join(module.other_kernels)})" if module.other_kernels else ""
        headers = "" if module.headers else ", whose headers are not installed"
        return f"v4l2loopback is installed{built}, but not built for the running kernel {system.release}{headers}."
    return "The module v4l2loopback is not installed."


def _absent_fix(system: System, module: Module) -> str:
    distribution = dist.detect(system)
    number = free_number(system)
    if distribution is dist.Distribution.NIXOS:
        return dist.nixos_configuration(number)
    if system.release not in module.modules_of:
        if module.modules_of:
            return "Restart the machine: its kernel was updated since it was started."
        install = dist.install_module(distribution, "$(uname -r)", number)
        return f"Load the module on the machine itself, outside the container:\n{install}\n{load_command(number)}"
    if module.source or module.other_kernels:
        commands = dist.build_module(distribution, system.release, number)
    else:
        commands = dist.install_module(distribution, system.release, number)
    return f"{commands}\nthen:\n{_DOCTOR_FIX}"


def _device_finding(device: LoopbackDevice, devices: tuple[LoopbackDevice, ...]) -> Finding:
    more = f" ({len(devices)} virtual cameras in all)" if len(devices) > 1 else ""
    return Finding(
        "virtual camera: device", State.OK, f"{device.path} is called “{device.label}” in other programs{more}."
    )


def _caps_finding(system: System, device: LoopbackDevice) -> Finding:
    check = "virtual camera: exclusive_caps"
    if device.exclusive_caps:
        return Finding(check, State.OK, f"{device.path} has exclusive_caps=1: browsers and meeting programs list it.")
    if dist.detect(system) is dist.Distribution.NIXOS:
        fix = dist.nixos_configuration(device.number)
    else:
        fix = (
            f"Close every program that uses {device.path}, then {_DOCTOR_FIX}\n"
            f"or by hand, until the next start:\nsudo modprobe -r v4l2loopback\n{load_command(device.number)}"
        )
    return Finding(check, State.PROBLEM, f"{device.path} was loaded without exclusive_caps=1.", _WHY_CAPS, fix)


def _permission_finding(system: System, device: LoopbackDevice) -> Finding:
    check = "virtual camera: permission"
    if not system.path(device.path).exists():
        return Finding(
            check,
            State.PROBLEM,
            f"The kernel has a virtual camera, but there is no {device.path}.",
            _WHY_MODULE,
            f"In a container, hand the device in (docker run --device {device.path} …); elsewhere start udev:\n"
            "sudo udevadm trigger --subsystem-match=video4linux",
        )
    if system.may_use(system.path(device.path)):
        return Finding(check, State.OK, f"{system.user} may write to {device.path}.")
    return Finding(
        check,
        State.PROBLEM,
        f"{system.user} may not open {device.path}.",
        "Without permission the program cannot send its picture there.",
        permission_fix(system.user),
    )


def permission_fix(user: str) -> str:
    """How a user gets at video devices."""
    return f"sudo usermod -aG video {user}\nthen log out and in again."


def _busy_finding(system: System, device: LoopbackDevice) -> Finding:
    check = "virtual camera: in use"
    holders = system.holders(device.path)
    names = ", ".join(str(holder) for holder in holders)
    if system.is_busy(device.path):
        who = names or "a program of another user"
        return Finding(
            check,
            State.WARNING,
            f"{device.path} is busy: a program already sends to it; it is open in {who}.",
            "A virtual camera takes the picture of one program at a time.",
            f"If that is Mattecam, all is well. Otherwise close it, or use another device:\nfuser -v {device.path}",
        )
    if holders:
        return Finding(check, State.OK, f"{device.path} is free; {names} waits for its picture.")
    return Finding(check, State.OK, f"{device.path} is free.")


def _boot_findings(system: System) -> list[Finding]:
    check = "virtual camera: at start"
    for folder in ("/etc/modules-load.d", "/usr/lib/modules-load.d", "/run/modules-load.d"):
        if any("v4l2loopback" in system.read(f"{folder}/{name}") for name in system.names(folder)):
            return [Finding(check, State.OK, "The module is loaded whenever the machine starts.")]
    if "v4l2loopback" in system.read("/etc/modules"):
        return [Finding(check, State.OK, "The module is loaded whenever the machine starts.")]
    nixos = dist.detect(system) is dist.Distribution.NIXOS
    return [
        Finding(
            check,
            State.WARNING,
            "Nothing loads the module when the machine starts.",
            "After a restart the virtual camera would be gone.",
            dist.nixos_configuration(free_number(system)) if nixos else _DOCTOR_FIX,
        )
    ]


def _conflict_findings(system: System) -> list[Finding]:
    """Options of other programs' files are merged with ours by modprobe, and the last one wins."""
    folder = "/etc/modprobe.d"
    others = [
        f"{folder}/{name}"
        for name in system.names(folder)
        if name.endswith(".conf") and name != "mattecam.conf" and _sets_options(system.read(f"{folder}/{name}"))
    ]
    if not others:
        return []
    return [
        Finding(
            "virtual camera: options",
            State.WARNING,
            f"{' and '.join(others)} also sets options of v4l2loopback.",
            "The options of all files are merged, and devices may come up with another number, label or mode.",
            "Keep one file: put both devices into it, such as\n"
            "options v4l2loopback devices=2 video_nr=10,11 "
            'card_label="Mattecam,OBS Virtual Camera" exclusive_caps=1,1\n'
            f"and remove the others:\nsudo rm {' '.join(others)}",
        )
    ]


def _sets_options(text: str) -> bool:
    return any(line.split()[:2] == ["options", "v4l2loopback"] for line in text.splitlines())
