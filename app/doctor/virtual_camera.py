"""Check the virtual camera: v4l2loopback, its options and its devices on Linux, programs that provide it elsewhere."""

from __future__ import annotations

from app.core.messages.doctor import CameraFinding, LoopbackFinding, ObsFinding
from app.core.text import Text
from app.doctor import distribution as dist
from app.doctor.finding import CommandLine, Finding, Steps, ok, problem, warning
from app.doctor.loopback import (
    LoopbackDevice,
    Module,
    check_secure_boot,
    choose_device,
    free_number,
    read_devices,
    read_module,
)
from app.doctor.system import System
from app.output.camera_list import WINDOWS_CLASSES

_REPAIR = CommandLine("python3 run.py doctor --fix")
_UNLOAD = CommandLine("sudo modprobe -r v4l2loopback")


def check_virtual_camera(system: System) -> tuple[Finding, ...]:
    """Return findings from the package v4l2loopback to a device that other programs list."""
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


def load_command(number: int) -> CommandLine:
    """Return the command that loads the module until the next restart."""
    return CommandLine(f"sudo modprobe v4l2loopback {dist.MODULE_OPTIONS.format(number=number)}")


def check_module(system: System, module: Module, devices: tuple[LoopbackDevice, ...]) -> Finding:
    """Return the state of the kernel module and the next step towards loading it."""
    check = "virtual camera: module"
    if devices:
        return ok(check, LoopbackFinding.LOADED())
    load = load_command(free_number(system))
    steps: Steps
    if module.loaded:
        detail, steps = LoopbackFinding.NO_DEVICE(), (_REPAIR, LoopbackFinding.BY_HAND(), _UNLOAD, load)
    elif module.built:
        detail = LoopbackFinding.NOT_LOADED(kernel=system.release)
        steps = (_REPAIR, LoopbackFinding.BY_HAND_UNTIL_RESTART(), load)
    else:
        detail, steps = _absent_detail(system, module), _absent_steps(system, module)
    return problem(check, detail, LoopbackFinding.WHY_NEEDED(), *steps)


def _absent_detail(system: System, module: Module) -> Text:
    kernel = system.release
    if kernel not in module.modules_of:
        if module.modules_of:
            return LoopbackFinding.KERNEL_REMOVED(kernel=kernel, installed=module.modules_of)
        return LoopbackFinding.KERNEL_ELSEWHERE(kernel=kernel)
    if not module.source and not module.other_kernels:
        return LoopbackFinding.NOT_INSTALLED()
    if module.other_kernels:
        finding = LoopbackFinding.BUILT_FOR_OTHERS(kernels=module.other_kernels, kernel=kernel)
    else:
        finding = LoopbackFinding.NOT_BUILT(kernel=kernel)
    return finding if module.headers else LoopbackFinding.WITHOUT_HEADERS(finding=finding)


def _absent_steps(system: System, module: Module) -> Steps:
    distribution = dist.detect(system)
    number = free_number(system)
    if distribution is dist.Distribution.NIXOS:
        return dist.nixos_configuration(number)
    if system.release not in module.modules_of:
        if module.modules_of:
            return (LoopbackFinding.FIX_RESTART(),)
        install = dist.install_module(distribution, "$(uname -r)")
        return (LoopbackFinding.FIX_ON_HOST(), *install, load_command(number))
    if module.source or module.other_kernels:
        steps = dist.build_module(distribution, system.release)
    else:
        steps = dist.install_module(distribution, system.release)
    return (*steps, LoopbackFinding.THEN(), _REPAIR)


def _device_finding(device: LoopbackDevice, devices: tuple[LoopbackDevice, ...]) -> Finding:
    if len(devices) > 1:
        detail = LoopbackFinding.DEVICE_OF_SEVERAL(device=device.path, label=device.label, count=len(devices))
    else:
        detail = LoopbackFinding.DEVICE(device=device.path, label=device.label)
    return ok("virtual camera: device", detail)


def _caps_finding(system: System, device: LoopbackDevice) -> Finding:
    check = "virtual camera: exclusive_caps"
    if device.exclusive_caps:
        return ok(check, LoopbackFinding.EXCLUSIVE(device=device.path))
    steps: Steps
    if dist.detect(system) is dist.Distribution.NIXOS:
        steps = dist.nixos_configuration(device.number)
    else:
        by_hand = (LoopbackFinding.BY_HAND_UNTIL_RESTART(), _UNLOAD, load_command(device.number))
        steps = (LoopbackFinding.FIX_CLOSE_PROGRAMS(device=device.path), _REPAIR, *by_hand)
    return problem(check, LoopbackFinding.NOT_EXCLUSIVE(device=device.path), LoopbackFinding.WHY_EXCLUSIVE(), *steps)


def _permission_finding(system: System, device: LoopbackDevice) -> Finding:
    check = "virtual camera: permission"
    if not system.path(device.path).exists():
        pass_through = LoopbackFinding.FIX_NO_NODE(device=device.path)
        start_udev = CommandLine("sudo udevadm trigger --subsystem-match=video4linux")
        detail = LoopbackFinding.NO_NODE(device=device.path)
        return problem(check, detail, LoopbackFinding.WHY_NEEDED(), pass_through, start_udev)
    if system.may_use(system.path(device.path)):
        return ok(check, LoopbackFinding.PERMITTED(user=system.user, device=device.path))
    detail = LoopbackFinding.NOT_PERMITTED(user=system.user, device=device.path)
    return problem(check, detail, LoopbackFinding.WHY_PERMISSION(), *permission_steps(system.user))


def permission_steps(user: str) -> Steps:
    """Return the steps that give a user access to video devices."""
    return CommandLine(f"sudo usermod -aG video {user}"), CameraFinding.FIX_LOG_IN_AGAIN()


def _busy_finding(system: System, device: LoopbackDevice) -> Finding:
    check = "virtual camera: in use"
    programs = tuple(holder.text for holder in system.holders(device.path))
    if system.is_busy(device.path):
        if programs:
            detail = LoopbackFinding.BUSY(device=device.path, programs=programs)
        else:
            detail = LoopbackFinding.BUSY_UNKNOWN(device=device.path)
        users = CommandLine(f"fuser -v {device.path}")
        return warning(check, detail, LoopbackFinding.WHY_BUSY(), LoopbackFinding.FIX_BUSY(), users)
    if programs:
        return ok(check, LoopbackFinding.FREE_WITH_READERS(device=device.path, programs=programs))
    return ok(check, LoopbackFinding.FREE(device=device.path))


def _boot_findings(system: System) -> list[Finding]:
    check = "virtual camera: at start"
    folders = ("/etc/modules-load.d", "/usr/lib/modules-load.d", "/run/modules-load.d")
    lists = ["/etc/modules", *(f"{folder}/{name}" for folder in folders for name in system.names(folder))]
    if any("v4l2loopback" in system.read(file) for file in lists):
        return [ok(check, LoopbackFinding.AT_START())]
    nixos = dist.detect(system) is dist.Distribution.NIXOS
    steps = dist.nixos_configuration(free_number(system)) if nixos else (_REPAIR,)
    return [warning(check, LoopbackFinding.NOT_AT_START(), LoopbackFinding.WHY_AT_START(), *steps)]


def _conflict_findings(system: System) -> list[Finding]:
    """modprobe merges the options of all files, and the last one wins."""
    folder = "/etc/modprobe.d"
    others = [
        f"{folder}/{name}"
        for name in system.names(folder)
        if name.endswith(".conf") and name != "mattecam.conf" and _sets_options(system.read(f"{folder}/{name}"))
    ]
    if not others:
        return []
    options = 'devices=2 video_nr=10,11 card_label="Mattecam,OBS Virtual Camera" exclusive_caps=1,1'
    steps = (
        LoopbackFinding.FIX_ONE_FILE(),
        CommandLine(f"options v4l2loopback {options}"),
        LoopbackFinding.FIX_REMOVE_OTHERS(),
        CommandLine(f"sudo rm {' '.join(others)}"),
    )
    detail = LoopbackFinding.OTHER_OPTIONS(files=others)
    return [warning("virtual camera: options", detail, LoopbackFinding.WHY_OTHER_OPTIONS(), *steps)]


def _sets_options(text: str) -> bool:
    return any(line.split()[:2] == ["options", "v4l2loopback"] for line in text.splitlines())


_MAC_EXTENSION = "com.obsproject.obs-studio.mac-camera-extension"
_MAC_PLUGIN = "/Library/CoreMediaIO/Plug-Ins/DAL/obs-mac-virtualcam.plugin"
_INSTALLED = "virtual camera: installed"


def check_windows(system: System) -> tuple[Finding, ...]:
    """Look for OBS or Unity Video Capture by the COM classes they register."""
    found = [
        name
        for name, clsid in WINDOWS_CLASSES.items()
        if system.run(["reg", "query", rf"HKCR\CLSID\{clsid}"]).exit_code == 0
    ]
    if found:
        return (ok(_INSTALLED, ObsFinding.INSTALLED(programs=found)),)
    step = CommandLine("winget install OBSProject.OBSStudio")
    return _absent(ObsFinding.NONE_ON_WINDOWS(), ObsFinding.FIX_WINDOWS(), step)


def check_mac(system: System) -> tuple[Finding, ...]:
    """Look for the camera extension of OBS, which must be installed and allowed by the user."""
    lines = [line for line in system.run(["systemextensionsctl", "list"]).output.splitlines() if _MAC_EXTENSION in line]
    if any("activated enabled" in line for line in lines) or system.path(_MAC_PLUGIN).exists():
        return (ok(_INSTALLED, ObsFinding.ALLOWED()),)
    if lines:
        return _absent(ObsFinding.NOT_ALLOWED(), ObsFinding.FIX_ALLOW())
    if system.path("/Applications/OBS.app").exists():
        return _absent(ObsFinding.WITHOUT_EXTENSION(), ObsFinding.FIX_EXTENSION())
    return _absent(ObsFinding.NONE_ON_MAC(), ObsFinding.FIX_MAC(), CommandLine("brew install --cask obs"))


def _absent(detail: Text, *steps: Text | CommandLine) -> tuple[Finding, ...]:
    return (problem(_INSTALLED, detail, LoopbackFinding.WHY_NEEDED(), *steps),)
