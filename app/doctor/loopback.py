"""Read the state of v4l2loopback from the kernel: module, builds, devices, and whether Secure Boot accepts it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.core import camera_names
from app.core.text import Text, t
from app.doctor import distribution as dist
from app.doctor.finding import CommandLine, Finding, ok, warning
from app.doctor.system import System

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


def check_secure_boot(system: System) -> Iterator[Finding]:
    """Yield a finding if the machine has Secure Boot."""
    check, enabled = "virtual camera: Secure Boot", secure_boot(system)
    if enabled is False:
        yield ok(check, t("Secure Boot is off: the kernel loads unsigned modules."))
    elif enabled and system.path("/sys/module/v4l2loopback").is_dir():
        yield ok(check, t("Secure Boot is on, and the kernel accepted the module's signature."))
    elif enabled:
        enrol = CommandLine(f"sudo mokutil --import {_key(system)}")
        step = t("Enrol the signing key, restart, and confirm on the blue screen:")
        yield warning(check, _signature(system), step, enrol)


def _signature(system: System) -> Text:
    if not read_module(system).built:
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
