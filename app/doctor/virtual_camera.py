"""Check the virtual cameras.

V4l2loopback and PipeWire on Linux, programs that provide one elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from app.core import camera_names
from app.core.errors import Text, t
from app.core.files import exists
from app.core.paths import program_command
from app.doctor.finding import (
    WHY,
    CommandLine,
    Finding,
    Steps,
    detect,
    for_kernel,
    install_package,
    nixos_configuration,
    ok,
    problem,
    warning,
)
from app.doctor.system import System
from app.output.camera_list import free_number
from app.system.v4l2 import is_loopback

_SYSFS = "/sys/devices/virtual/video4linux"
_PARAMETERS = "/sys/module/v4l2loopback/parameters"
_SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
_REPAIR = CommandLine(f"{program_command()} doctor --fix")
_UNLOAD = CommandLine("sudo modprobe -r v4l2loopback")


@dataclass(frozen=True, slots=True)
class LoopbackDevice:
    """A virtual camera of the module."""

    number: int
    label: str
    exclusive_caps: bool

    @property
    def path(self) -> str:
        """The device file."""
        return f"/dev/video{self.number}"


@dataclass(frozen=True, slots=True)
class Module:
    """How far the module is installed, from the package to the running kernel."""

    loaded: bool
    # Every kernel with modules on this disk.
    kernels: tuple[str, ...]
    # For the running kernel.
    built: bool
    # Its source is there (DKMS builds from it), or a build for another kernel.
    installed: bool
    # The running kernel's headers are installed.
    headers: bool


def read_module(system: System) -> Module:
    """Return the state of the module; does not load it."""

    def holds(folder: str) -> bool:
        return any(True for _ in system.path(folder).rglob("v4l2loopback.ko*"))

    running = system.release
    folder = "/lib/modules"
    names = system.names(folder)
    kernels = tuple(name for name in names if system.path(f"{folder}/{name}").is_dir())
    built_for = [name for name in kernels if holds(f"{folder}/{name}")]
    # NixOS keeps the modules of the kernel that was started there.
    of_nixos = f"/run/booted-system/kernel-modules/lib/modules/{running}"
    sources = [name for name in system.names("/usr/src") if name.startswith("v4l2loopback")]
    return Module(
        loaded=system.path("/sys/module/v4l2loopback").is_dir(),
        kernels=kernels,
        built=running in built_for or holds(of_nixos),
        installed=bool(built_for or sources),
        headers=system.path(f"{folder}/{running}/build").exists(),
    )


def find_devices(system: System) -> list[LoopbackDevice]:
    """Return all devices of the module, by their numbers."""
    numbers = []
    for name in system.names(_SYSFS):
        match = re.fullmatch(r"video(\d+)", name)
        if match and is_loopback(system.path(f"{_SYSFS}/{name}")):
            numbers.append(int(match[1]))
    numbers.sort()
    # The array parameters of the module are in the order in which the devices were asked for.
    words = re.findall(r"-?\d+", system.read(f"{_PARAMETERS}/video_nr"))
    asked_for = [int(word) for word in words]
    in_order = [number for number in asked_for if number in numbers]
    in_order += [number for number in numbers if number not in asked_for]
    caps = system.read(f"{_PARAMETERS}/exclusive_caps").split(",")
    exclusive = set()
    for number, value in zip(in_order, caps, strict=False):
        if value in ("Y", "1"):
            exclusive.add(number)
    devices = []
    for number in numbers:
        label = system.read(f"{_SYSFS}/video{number}/name")
        devices.append(LoopbackDevice(number, label, number in exclusive))
    return devices


def find_device(system: System) -> LoopbackDevice | None:
    """Return the device that the program uses: the first one with its label.

    Others belong to other programs.
    """
    for device in find_devices(system):
        if camera_names.is_own(device.label):
            return device
    return None


def module_options(system: System, *further: str) -> str:
    """Return the options that load the module with the device of this program, and those that
    others have now.

    Loading it with one device alone would take away the camera of a laptop that v4l2-relayd sends,
    or that of OBS. further: labels of more devices.
    """
    own = find_device(system)
    taken = set(system.names("/sys/class/video4linux"))
    number = own.number if own is not None else free_number(taken)
    devices = [LoopbackDevice(number, camera_names.OWN, exclusive_caps=True)]
    devices += [device for device in find_devices(system) if device.number != number]
    for label in further:
        taken |= {f"video{device.number}" for device in devices}
        devices.append(LoopbackDevice(free_number(taken), label, exclusive_caps=True))
    numbers = ",".join(str(device.number) for device in devices)
    labels = ",".join(device.label for device in devices)
    caps = ",".join(str(int(device.exclusive_caps)) for device in devices)
    return f'devices={len(devices)} video_nr={numbers} card_label="{labels}" exclusive_caps={caps}'


def check_virtual_camera(system: System) -> Iterator[Finding]:
    """Yield findings from the package v4l2loopback to a device that other programs list."""
    device = find_device(system)
    module = read_module(system)
    yield check_module(system, module, device)
    yield from _secure_boot_findings(system, module)
    if device is not None:
        shown = t(
            "{device} appears as “{label}” in other programs.",
            device=device.path,
            label=device.label,
        )
        yield ok(t("virtual camera: device"), shown)
        yield _caps_finding(system, device)
        yield _permission_finding(system, device)
        yield _busy_finding(system, device)
        yield _boot_finding(system)
    yield from _conflict_findings(system)


def _load_command(system: System) -> CommandLine:
    """Return the command that loads the module until the next restart."""
    return CommandLine(f"sudo modprobe v4l2loopback {module_options(system)}")


def permission_steps(user: str) -> Steps:
    """Return the steps that give a user access to video devices."""
    return CommandLine(f"sudo usermod -aG video {user}"), t("Then log out and log in again.")


def check_module(system: System, module: Module, device: LoopbackDevice | None) -> Finding:
    """Return the state of the kernel module and the next step towards loading it."""
    check = t("virtual camera: module")
    load = _load_command(system)
    if device is not None:
        return ok(check, t("The kernel module v4l2loopback is loaded."))
    if module.loaded:
        others = [f"{one.path} ({one.label})" for one in find_devices(system)]
        detail = t("The kernel module v4l2loopback is loaded, but has no device.")
        if others:
            detail = t(
                "No device of the kernel module v4l2loopback is named {name}: {devices} belong to "
                "other programs.",
                name=camera_names.OWN,
                devices=others,
            )
        return problem(check, detail, *_repair(system, _UNLOAD, load))
    if module.built:
        detail = t(
            "The kernel module v4l2loopback is installed for the running kernel {kernel}, but not "
            "loaded.",
            kernel=system.release,
        )
        return problem(check, detail, *_repair(system, load))
    detail, steps = _absent(system, module)
    if detect(system).name == "nixos":  # packages are installed by its configuration alone
        steps = _repair(system)
    return problem(check, detail, *steps)


def _repair(system: System, *by_hand: CommandLine) -> Steps:
    """Return the steps that load the module now and at every start."""
    if detect(system).name == "nixos":
        return nixos_configuration(module_options(system))
    if not by_hand:
        return (_REPAIR,)
    return (_REPAIR, t("Or manually, until the next restart:"), *by_hand)


def _absent(system: System, module: Module) -> tuple[Text, Steps]:
    """Return what is missing of a module that was not built for the running kernel, and how to
    get it.
    """
    distribution = detect(system)
    kernel = system.release
    if kernel not in module.kernels and module.kernels:
        detail = t(
            "The running kernel {kernel} is no longer installed (installed: {installed}).",
            kernel=kernel,
            installed=module.kernels,
        )
        return detail, (t("Restart the computer: its kernel was updated since it was started."),)
    if not module.kernels:
        detail = t(
            "This looks like a container: the camera driver must be loaded on the host (kernel "
            "{kernel}).",
            kernel=kernel,
        )
        host = t("Load the module on the host, outside the container:")
        return detail, (
            host,
            *for_kernel(distribution.module, "$(uname -r)"),
            _load_command(system),
        )
    if not module.installed:
        steps = for_kernel(distribution.module, kernel)
        return t("The kernel module v4l2loopback is not installed."), (*steps, t("Then:"), _REPAIR)
    detail = t(
        "v4l2loopback is installed, but not built for the running kernel {kernel}.",
        kernel=kernel,
    )
    if not module.headers:
        detail = t("{finding} The headers of this kernel are not installed.", finding=detail)
    return detail, (*for_kernel(distribution.build, kernel), t("Then:"), _REPAIR)


def _secure_boot_findings(system: System, module: Module) -> Iterator[Finding]:
    try:
        # Four bytes of attributes, then the value.
        is_enabled = system.path(_SECURE_BOOT).read_bytes()[-1:] == b"\x01"
    except OSError:  # no UEFI
        return
    if is_enabled and not module.loaded:
        key = _signing_key(system)
        yield warning(
            t("virtual camera: Secure Boot"),
            t(
                "Secure Boot is on: the module must be signed with a key that is enrolled in the "
                "firmware.",
            ),
            t("Enrol the signing key, restart, and confirm on the blue screen:"),
            CommandLine(f"sudo mokutil --import {key}"),
        )


def _signing_key(system: System) -> str:
    """Return the public key that DKMS or akmods sign with.

    The usual one where none is there yet.
    """
    of_dkms = "/var/lib/dkms/mok.pub"
    of_akmods = "/etc/pki/akmods/certs/public_key.der"
    for key in (of_dkms, "/var/lib/shim-signed/mok/MOK.der", of_akmods):
        if exists(system.path(key)):
            return key
    return of_akmods if detect(system).name == "fedora" else of_dkms


def _caps_finding(system: System, device: LoopbackDevice) -> Finding:
    check = t("virtual camera: seen by browsers")
    if device.exclusive_caps:
        return ok(
            check,
            t(
                "{device} has exclusive_caps=1: browsers and meeting programs list it.",
                device=device.path,
            ),
        )
    detail = t("{device} was loaded without exclusive_caps=1.", device=device.path)
    close = t("Close every program that uses {device}, then:", device=device.path)
    return problem(check, detail, close, *_repair(system, _UNLOAD, _load_command(system)))


def _permission_finding(system: System, device: LoopbackDevice) -> Finding:
    check = t("virtual camera: permission")
    if not system.path(device.path).exists():
        pass_through = t(
            "In a container, pass the device through (docker run --device {device} …); otherwise "
            "start udev:",
            device=device.path,
        )
        start_udev = CommandLine("sudo udevadm trigger --subsystem-match=video4linux")
        detail = t(
            "The kernel has a virtual camera, but the device file {device} is missing.",
            device=device.path,
        )
        return problem(check, detail, pass_through, start_udev, why=WHY["virtual camera"])
    if system.may_use(system.path(device.path)):
        detail = t(
            "The user {user} has permission to write to {device}.",
            user=system.user,
            device=device.path,
        )
        return ok(check, detail)
    detail = t(
        "The user {user} has no permission to open {device}.",
        user=system.user,
        device=device.path,
    )
    return problem(check, detail, *permission_steps(system.user))


def _busy_finding(system: System, device: LoopbackDevice) -> Finding:
    check = t("virtual camera: in use")
    path = device.path
    programs = tuple(holder.text for holder in system.holders(path))
    if not system.is_busy(path):
        if not programs:
            return ok(check, t("{device} is free.", device=path))
        detail = t(
            "{device} is free; waiting for its picture: {programs}.",
            device=path,
            programs=programs,
        )
        return ok(check, detail)
    programs = programs or (t("a program of another user"),)
    detail = t(
        "Another program sends to {device}; it is open in {programs}.",
        device=path,
        programs=programs,
    )
    step = t(
        "If that program is Mattecam, nothing needs to be done. Otherwise close it or use another "
        "device:",
    )
    return warning(check, detail, step, CommandLine(f"fuser -v {path}"))


def _boot_finding(system: System) -> Finding:
    check = t("virtual camera: after a restart")
    files = ["/etc/modules"]
    for folder in ("/etc/modules-load.d", "/usr/lib/modules-load.d", "/run/modules-load.d"):
        files += [f"{folder}/{name}" for name in system.names(folder)]
    if any("v4l2loopback" in system.read(file) for file in files):
        return ok(check, t("The module is loaded at every start of the computer."))
    return warning(
        check,
        t("The module is not loaded at the start of the computer."),
        *_repair(system),
    )


def _conflict_findings(system: System) -> Iterator[Finding]:
    """modprobe merges the options of all files, and the last one wins."""
    folder = "/etc/modprobe.d"
    names = [name for name in system.names(folder) if name.endswith(".conf")]
    files = [f"{folder}/{name}" for name in names if not name.startswith("mattecam.conf")]
    setting = re.compile(r"^\s*options\s+v4l2loopback\b", re.MULTILINE)
    others = [file for file in files if setting.search(system.read(file))]
    if others:
        # Where the device of the other program is not there now, that of OBS stands for it.
        has_others = any(not camera_names.is_own(device.label) for device in find_devices(system))
        further = () if has_others else ("OBS Virtual Camera",)
        options = module_options(system, *further)
        yield warning(
            t("virtual camera: options"),
            t("Options of v4l2loopback are also set in {files}.", files=others),
            t("Keep one file with all devices, for example:"),
            CommandLine(f"options v4l2loopback {options}"),
            t("Remove such options from the other files, but keep what else is in them."),
        )


def check_elsewhere(cameras: Collection[str]) -> Iterator[Finding]:
    """Yield one finding of a system other than Linux.

    cameras: names of the virtual cameras that it lists.
    """
    check = t("virtual camera: installed")
    if cameras:
        yield ok(check, t("Installed: {programs}.", programs=tuple(cameras)))
    else:
        steps = (
            t("Install OBS Studio 30 or later from https://obsproject.com."),
            t("Start its virtual camera once, allow it if the system asks, and close OBS."),
        )
        yield problem(check, t("No virtual camera is installed."), *steps)


_START = CommandLine("systemctl --user enable --now pipewire wireplumber")


def check_pipewire(system: System) -> Iterator[Finding]:
    """Yield findings from the daemon to the programs."""
    if system.find_library("pipewire-0.3") is None:
        steps = install_package(system, every="pipewire wireplumber")
        detail = t("PipeWire is not installed, so there is no PipeWire camera.")
        yield warning(t("PipeWire camera: service"), detail, *steps)
    elif not system.pipewire_answers():
        detail = t("PipeWire does not answer, so there is no PipeWire camera.")
        yield warning(t("PipeWire camera: service"), detail, t("Start PipeWire:"), _START)
    else:
        yield ok(
            t("PipeWire camera: service"),
            t("PipeWire answers: the program offers a PipeWire camera."),
        )
        yield from _portal_findings(system)
        for snap in ("chromium", "firefox"):
            connections = None
            if snap in system.names("/snap"):
                connections = system.run(["snap", "connections", snap])
            if re.search(rf"^camera\s+{snap}:camera\s+-", connections or "", re.MULTILINE):
                step = CommandLine(f"sudo snap connect {snap}:camera")
                detail = t("The snap {program} may not use cameras.", program=snap)
                yield warning(t("PipeWire camera: Snap"), detail, step)


def _portal_findings(system: System) -> Iterator[Finding]:
    permissions = system.camera_permissions()
    if permissions is None:
        steps = install_package(system, every="xdg-desktop-portal xdg-desktop-portal-gtk")
        yield warning(t("PipeWire camera: portal"), t("The desktop has no camera portal."), *steps)
        return
    yield ok(t("PipeWire camera: portal"), t("The desktop has a camera portal."))
    for program, answer in sorted(permissions.items()):
        if answer != "yes":
            forget = CommandLine(
                "busctl --user call org.freedesktop.impl.portal.PermissionStore "
                "/org/freedesktop/impl/portal/PermissionStore "
                "org.freedesktop.impl.portal.PermissionStore DeletePermission sss devices camera "
                f'"{program}"'
            )
            detail = t(
                "The camera permission of {program} is “{answer}”: they get no camera from the "
                "portal.",
                program=program or t("programs outside a sandbox"),
                answer=answer,
            )
            again = t("Forget the answer, so that the desktop asks again:")
            yield warning(t("PipeWire camera: permission"), detail, again, forget)
