"""Check the virtual camera: v4l2loopback, its options and its devices on Linux, programs that provide it elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.core import camera_names
from app.core.errors import Text, t
from app.doctor import distribution as dist
from app.doctor.finding import WHY, CommandLine, Finding, Steps, ok, problem, warning
from app.doctor.system import System
from app.output.camera_list import WINDOWS_CLASSES

_REPAIR = CommandLine("python3 run.py doctor --fix")
_UNLOAD = CommandLine("sudo modprobe -r v4l2loopback")


PREFERRED_NUMBER = 10
_SYSFS = "/sys/devices/virtual/video4linux"
_PARAMETERS = "/sys/module/v4l2loopback/parameters"


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
    built: bool
    """For the running kernel."""
    other_kernels: tuple[str, ...]
    """Other kernels that it was built for."""
    source: bool
    """Its source is installed (DKMS builds from it)."""
    headers: bool
    """The running kernel's headers are installed."""
    modules_of: tuple[str, ...]
    """Every kernel with modules on this disk."""


def read_module(system: System) -> Module:
    """Return the state of the module; does not load it."""
    kernels = tuple(name for name in system.names("/lib/modules") if system.path(f"/lib/modules/{name}").is_dir())
    with_module = [name for name in kernels if _has_module(system, f"/lib/modules/{name}")]
    built = system.release in with_module or _has_module(
        system, f"/run/booted-system/kernel-modules/lib/modules/{system.release}"
    )
    return Module(
        loaded=system.path("/sys/module/v4l2loopback").is_dir(),
        built=built,
        other_kernels=tuple(name for name in with_module if name != system.release),
        source=any(name.startswith("v4l2loopback") for name in system.names("/usr/src")),
        headers=system.path(f"/lib/modules/{system.release}/build").exists(),
        modules_of=kernels,
    )


def _has_module(system: System, folder: str) -> bool:
    return any(True for _ in system.path(folder).rglob("v4l2loopback.ko*"))


def read_devices(system: System) -> tuple[LoopbackDevice, ...]:
    """Return the devices of the module that the program may send to, sorted by number: not those of phones."""
    # only v4l2loopback devices have the attribute `max_openers`
    names = [name for name in system.names(_SYSFS) if system.path(f"{_SYSFS}/{name}/max_openers").exists()]
    numbers = sorted(int(match[1]) for name in names if (match := re.fullmatch(r"video(\d+)", name)))
    caps = system.read(f"{_PARAMETERS}/exclusive_caps").split(",")
    order = _order(system.read(f"{_PARAMETERS}/video_nr"), numbers)
    exclusive = {number for number, value in zip(order, caps, strict=False) if value in ("Y", "1")}
    labels = {number: system.read(f"{_SYSFS}/video{number}/name") for number in numbers}
    own = [number for number in numbers if not camera_names.PHONE.search(labels[number])]
    return tuple(LoopbackDevice(number, labels[number], number in exclusive) for number in own)


def _order(parameter: str, numbers: list[int]) -> list[int]:
    """Return the devices in the order of the module's array parameters."""
    asked = [int(word) for word in re.findall(r"-?\d+", parameter)]
    named = [number for number in asked if number in numbers]
    return named + [number for number in numbers if number not in named]


def choose_device(devices: tuple[LoopbackDevice, ...]) -> LoopbackDevice | None:
    """Return the device that the program uses: the one with its label, else the first."""
    return next((device for device in devices if device.label == camera_names.OWN), devices[0] if devices else None)


def free_number(system: System) -> int:
    """Return the lowest free number of a new device, from 10."""
    taken = set(system.names("/sys/class/video4linux"))
    return next(number for number in range(PREFERRED_NUMBER, 256) if f"video{number}" not in taken)


_SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


def secure_boot(system: System) -> bool | None:
    """Return whether Secure Boot is on; None if the machine does not report it (no UEFI)."""
    try:
        value = system.path(_SECURE_BOOT).read_bytes()
    except OSError:
        return None
    return value[-1:] == b"\x01"  # four bytes of attributes, then the value


def check_secure_boot(system: System, module: Module) -> Iterator[Finding]:
    """Yield a finding if the machine has Secure Boot."""
    check, enabled = "virtual camera: Secure Boot", secure_boot(system)
    if enabled is False:
        yield ok(check, t("Secure Boot is off: the kernel loads unsigned modules."))
    elif enabled and module.loaded:
        yield ok(check, t("Secure Boot is on, and the kernel accepted the module's signature."))
    elif enabled:
        enrol = CommandLine(f"sudo mokutil --import {_key(system)}")
        step = t("Enrol the signing key, restart, and confirm on the blue screen:")
        yield warning(check, _signature(system, module), step, enrol)


def _signature(system: System, module: Module) -> Text:
    if not module.built:
        return t("Secure Boot is on: the module must be signed with a key that is enrolled in the firmware.")
    answer = system.run(["modinfo", "-k", system.release, "-F", "signer", "v4l2loopback"])
    signer = answer.output.strip() if answer.exit_code == 0 else ""
    if not signer:
        return t("Secure Boot is on, and the module is not signed.")
    return t("Secure Boot is on, and the module is signed by “{signer}”.", signer=signer)


def _key(system: System) -> str:
    """Return the path of the public key that DKMS or akmods sign with."""
    candidates = (
        "/var/lib/dkms/mok.pub",
        "/var/lib/shim-signed/mok/MOK.der",
        "/etc/pki/akmods/certs/public_key.der",
    )
    default = candidates[2] if dist.detect(system) is dist.FEDORA else candidates[0]
    return next((name for name in candidates if system.path(name).exists()), default)


def check_virtual_camera(system: System) -> Iterator[Finding]:
    """Yield findings from the package v4l2loopback to a device that other programs list."""
    devices, module = read_devices(system), read_module(system)
    yield check_module(system, module, devices)
    yield from check_secure_boot(system, module)
    device = choose_device(devices)
    if device is not None:
        yield _device_finding(device, devices)
        yield _caps_finding(system, device)
        yield _permission_finding(system, device)
        yield _busy_finding(system, device)
        yield _boot_finding(system)
    yield from _conflict_findings(system)


def load_command(number: int) -> CommandLine:
    """Return the command that loads the module until the next restart."""
    return CommandLine(f"sudo modprobe v4l2loopback {dist.MODULE_OPTIONS.format(number=number)}")


def check_module(system: System, module: Module, devices: tuple[LoopbackDevice, ...]) -> Finding:
    """Return the state of the kernel module and the next step towards loading it."""
    check, load = "virtual camera: module", load_command(free_number(system))
    if devices:
        return ok(check, t("The kernel module v4l2loopback is loaded."))
    if module.loaded:
        detail = t("The kernel module v4l2loopback is loaded, but has no device.")
        return problem(check, detail, _REPAIR, t("Or manually:"), _UNLOAD, load)
    if module.built:
        detail = t(
            "The kernel module v4l2loopback is installed for the running kernel {kernel}, but not loaded.",
            kernel=system.release,
        )
        return problem(check, detail, _REPAIR, t("Or manually, until the next restart:"), load)
    return problem(check, _absent_detail(system, module), *_absent_steps(system, module))


def _absent_detail(system: System, module: Module) -> Text:
    kernel = system.release
    if kernel not in module.modules_of:
        if module.modules_of:
            return t(
                "The running kernel {kernel} is no longer installed (installed: {installed}).",
                kernel=kernel,
                installed=module.modules_of,
            )
        return t(
            "This looks like a container: the camera driver must be loaded on the host (kernel {kernel}).",
            kernel=kernel,
        )
    if not module.source and not module.other_kernels:
        return t("The kernel module v4l2loopback is not installed.")
    if module.other_kernels:
        finding = t(
            "v4l2loopback is built for {kernels}, but not for the running kernel {kernel}.",
            kernels=module.other_kernels,
            kernel=kernel,
        )
    else:
        finding = t("v4l2loopback is installed, but not built for the running kernel {kernel}.", kernel=kernel)
    return finding if module.headers else t("{finding} The headers of this kernel are not installed.", finding=finding)


def _absent_steps(system: System, module: Module) -> Steps:
    distribution = dist.detect(system)
    number = free_number(system)
    if distribution is dist.NIXOS:
        return dist.nixos_configuration(number)
    if system.release not in module.modules_of:
        if module.modules_of:
            return (t("Restart the computer: its kernel was updated since it was started."),)
        install = dist.install_module(distribution, "$(uname -r)")
        return (t("Load the module on the host, outside the container:"), *install, load_command(number))
    if module.source or module.other_kernels:
        steps = dist.build_module(distribution, system.release)
    else:
        steps = dist.install_module(distribution, system.release)
    return (*steps, t("Then:"), _REPAIR)


def _device_finding(device: LoopbackDevice, devices: tuple[LoopbackDevice, ...]) -> Finding:
    if len(devices) > 1:
        detail = t(
            "{device} appears as “{label}” in other programs; there are {count} virtual cameras.",
            device=device.path,
            label=device.label,
            count=len(devices),
        )
    else:
        detail = t("{device} appears as “{label}” in other programs.", device=device.path, label=device.label)
    return ok("virtual camera: device", detail)


def _caps_finding(system: System, device: LoopbackDevice) -> Finding:
    check = "virtual camera: exclusive_caps"
    if device.exclusive_caps:
        return ok(check, t("{device} has exclusive_caps=1: browsers and meeting programs list it.", device=device.path))
    steps: Steps = dist.nixos_configuration(device.number)
    if dist.detect(system) is not dist.NIXOS:
        by_hand = (t("Or manually, until the next restart:"), _UNLOAD, load_command(device.number))
        steps = (t("Close every program that uses {device}, then:", device=device.path), _REPAIR, *by_hand)
    return problem(check, t("{device} was loaded without exclusive_caps=1.", device=device.path), *steps)


def _permission_finding(system: System, device: LoopbackDevice) -> Finding:
    check = "virtual camera: permission"
    if not system.path(device.path).exists():
        pass_through = t(
            "In a container, pass the device through (docker run --device {device} …); otherwise start udev:",
            device=device.path,
        )
        start_udev = CommandLine("sudo udevadm trigger --subsystem-match=video4linux")
        detail = t("The kernel has a virtual camera, but the device file {device} is missing.", device=device.path)
        return problem(check, detail, pass_through, start_udev, why=WHY["virtual camera: module"])
    if system.may_use(system.path(device.path)):
        detail = t("The user {user} has permission to write to {device}.", user=system.user, device=device.path)
        return ok(check, detail)
    detail = t("The user {user} has no permission to open {device}.", user=system.user, device=device.path)
    return problem(check, detail, *permission_steps(system.user))


def permission_steps(user: str) -> Steps:
    """Return the steps that give a user access to video devices."""
    return CommandLine(f"sudo usermod -aG video {user}"), t("Then log out and log in again.")


def _busy_finding(system: System, device: LoopbackDevice) -> Finding:
    check, path = "virtual camera: in use", device.path
    programs = tuple(holder.text for holder in system.holders(path))
    if not system.is_busy(path):
        if not programs:
            return ok(check, t("{device} is free.", device=path))
        detail = t("{device} is free; waiting for its picture: {programs}.", device=path, programs=programs)
        return ok(check, detail)
    detail = t("A program of another user sends to {device}.", device=path)
    if programs:
        detail = t("Another program sends to {device}; it is open in {programs}.", device=path, programs=programs)
    step = t("If that program is Mattecam, nothing needs to be done. Otherwise close it or use another device:")
    return warning(check, detail, step, CommandLine(f"fuser -v {path}"))


def _boot_finding(system: System) -> Finding:
    check = "virtual camera: at start"
    folders = ("/etc/modules-load.d", "/usr/lib/modules-load.d", "/run/modules-load.d")
    lists = ["/etc/modules", *(f"{folder}/{name}" for folder in folders for name in system.names(folder))]
    if any("v4l2loopback" in system.read(file) for file in lists):
        return ok(check, t("The module is loaded at every start of the computer."))
    nixos = dist.detect(system) is dist.NIXOS
    steps = dist.nixos_configuration(free_number(system)) if nixos else (_REPAIR,)
    return warning(check, t("The module is not loaded at the start of the computer."), *steps)


def _conflict_findings(system: System) -> Iterator[Finding]:
    """modprobe merges the options of all files, and the last one wins."""
    folder = "/etc/modprobe.d"
    others = [
        f"{folder}/{name}"
        for name in system.names(folder)
        if name.endswith(".conf") and name != "mattecam.conf" and _sets_options(system.read(f"{folder}/{name}"))
    ]
    if others:
        options = 'devices=2 video_nr=10,11 card_label="Mattecam,OBS Virtual Camera" exclusive_caps=1,1'
        yield warning(
            "virtual camera: options",
            t("Options of v4l2loopback are also set in {files}.", files=others),
            t("Keep one file with both devices, for example:"),
            CommandLine(f"options v4l2loopback {options}"),
            t("Remove the other files:"),
            CommandLine(f"sudo rm {' '.join(others)}"),
        )


def _sets_options(text: str) -> bool:
    return any(line.split()[:2] == ["options", "v4l2loopback"] for line in text.splitlines())


_MAC_EXTENSION = "com.obsproject.obs-studio.mac-camera-extension"
_MAC_PLUGIN = "/Library/CoreMediaIO/Plug-Ins/DAL/obs-mac-virtualcam.plugin"
_INSTALLED = "virtual camera: installed"


def check_windows(system: System) -> Iterator[Finding]:
    """Look for OBS or Unity Video Capture by the COM classes they register."""
    found = [
        name
        for name, clsid in WINDOWS_CLASSES.items()
        if system.run(["reg", "query", rf"HKCR\CLSID\{clsid}"]).exit_code == 0
    ]
    if found:
        yield ok(_INSTALLED, t("Installed: {programs}.", programs=found))
        return
    yield problem(
        _INSTALLED,
        t("Neither OBS Virtual Camera nor Unity Video Capture is installed."),
        t("Install OBS Studio (it need not run), then restart the programs that use the camera:"),
        CommandLine("winget install OBSProject.OBSStudio"),
    )


def check_mac(system: System) -> Iterator[Finding]:
    """Look for the camera extension of OBS, which must be installed and allowed by the user."""
    lines = [line for line in system.run(["systemextensionsctl", "list"]).output.splitlines() if _MAC_EXTENSION in line]
    if any("activated enabled" in line for line in lines) or system.path(_MAC_PLUGIN).exists():
        yield ok(_INSTALLED, t("OBS Virtual Camera is installed and allowed."))
    elif lines:
        yield problem(
            _INSTALLED,
            t("The camera extension of OBS is installed, but not allowed."),
            t(
                "Allow it in System Settings › General › Login Items & Extensions › Camera Extensions (before macOS "
                "15: Privacy & Security), then restart OBS once."
            ),
        )
    elif system.path("/Applications/OBS.app").exists():
        yield problem(
            _INSTALLED,
            t("OBS is installed, but its camera extension is not."),
            t("Open OBS, press “Start Virtual Camera” once, allow the extension, and close OBS."),
        )
    else:
        yield problem(
            _INSTALLED,
            t("OBS Studio, which provides the virtual camera, is not installed."),
            t("Install OBS Studio, press “Start Virtual Camera” once, and allow the extension:"),
            CommandLine("brew install --cask obs"),
        )
