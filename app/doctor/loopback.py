"""What the kernel says about v4l2loopback: the module, where it was built, and its devices."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.doctor.system import System

PREFERRED_NUMBER = 10
LABEL = "Mattecam"
_SYSFS = "/sys/devices/virtual/video4linux"
_PARAMETERS = "/sys/module/v4l2loopback/parameters"


@dataclass(frozen=True, slots=True)
class LoopbackDevice:
    """One virtual camera of the module."""

    number: int
    label: str
    exclusive_caps: bool

    @property
    def path(self) -> str:
        """Its node."""
        return f"/dev/video{self.number}"


@dataclass(frozen=True, slots=True)
class Module:
    """Where the module stands on its way from a package to the running kernel."""

    loaded: bool
    built: bool
    """For the running kernel."""
    other_kernels: tuple[str, ...]
    """Kernels it was built for besides the running one."""
    source: bool
    """Its source is installed (DKMS builds from it)."""
    headers: bool
    """The running kernel's headers are installed."""
    modules_of: tuple[str, ...]
    """Every kernel whose modules lie on the disk."""


def read_module(system: System) -> Module:
    """Look for the module without loading it."""
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
    """The module's devices, by number."""
    numbers = []
    for name in system.names(_SYSFS):
        match = re.fullmatch(r"video(\d+)", name)
        # only this driver gives its devices a file `max_openers`; other virtual devices do not count
        if match and system.path(f"{_SYSFS}/{name}/max_openers").exists():
            numbers.append(int(match[1]))
    numbers.sort()
    caps = system.read(f"{_PARAMETERS}/exclusive_caps").split(",")
    order = _order(system.read(f"{_PARAMETERS}/video_nr"), numbers)
    devices = []
    for number in numbers:
        place = order.index(number)
        devices.append(
            LoopbackDevice(
                number=number,
                label=system.read(f"{_SYSFS}/video{number}/name"),
                exclusive_caps=place < len(caps) and caps[place] in ("Y", "1"),
            )
        )
    return tuple(devices)


def _order(parameter: str, numbers: list[int]) -> list[int]:
    """The devices in the order of the module's other parameters; the kernel's own order where none was asked for."""
    asked = [int(word) for word in re.findall(r"-?\d+", parameter)]
    named = [number for number in asked if number in numbers]
    return named + [number for number in numbers if number not in named]


def choose_device(devices: tuple[LoopbackDevice, ...]) -> LoopbackDevice | None:
    """The device that the program would use: the one of its own name, else the first."""
    return next((device for device in devices if device.label == LABEL), devices[0] if devices else None)


def free_number(system: System) -> int:
    """A number for a new device that no other video device has, 10 if it can be."""
    taken = set(system.names("/sys/class/video4linux"))
    return next(number for number in range(PREFERRED_NUMBER, 256) if f"video{number}" not in taken)
