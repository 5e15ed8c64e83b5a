"""Check whether networks can run on a graphics card: card, driver and torch build must match."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.core.messages.doctor import GpuFinding
from app.core.text import Text
from app.doctor.finding import Command, Finding, State
from app.doctor.system import System
from app.matting.selection.cuda_cards import supports

_NVIDIA, _AMD = "0x10de", "0x1002"
_MIN_DRIVER = {11: 450, 12: 525, 13: 580}
"""The oldest NVIDIA driver branch that runs programs built with a CUDA major version (CUDA compatibility table)."""
_CHECK = "graphics card"


@dataclass(frozen=True, slots=True)
class TorchFacts:
    """What the installed torch was built for, and the devices that it finds."""

    version: str
    cuda: str | None
    """The CUDA version of the build; None for a build without CUDA."""
    hip: str | None
    devices: tuple[str, ...]
    """Names of the usable graphics cards."""
    mps: bool
    unsupported: tuple[str, ...] = ()
    """Names of the cards for whose architecture torch has no code."""


def read_torch() -> TorchFacts:
    """Return the facts of the installed torch."""
    import torch

    devices: list[str] = []
    unsupported: list[str] = []
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            fits = torch.version.hip is not None or supports(
                torch.cuda.get_arch_list(), torch.cuda.get_device_capability(index)
            )
            (devices if fits else unsupported).append(torch.cuda.get_device_name(index))
    return TorchFacts(
        torch.__version__,
        torch.version.cuda,
        torch.version.hip,
        tuple(devices),
        torch.backends.mps.is_available(),
        tuple(unsupported),
    )


def check_gpu(system: System, torch: TorchFacts) -> tuple[Finding, ...]:
    """Return one finding: the card in use, or why torch cannot use one."""
    if torch.devices:
        return (Finding(_CHECK, State.OK, GpuFinding.IN_USE(version=torch.version, cards=torch.devices)),)
    if torch.unsupported:
        finding = GpuFinding.UNSUPPORTED(version=torch.version, cards=torch.unsupported)
        return (_warning(finding, GpuFinding.FIX_UNSUPPORTED()),)
    if torch.mps:
        return (Finding(_CHECK, State.OK, GpuFinding.MAC(version=torch.version)),)
    driver = _nvidia_driver(system)
    cards = _cards(system)
    if _NVIDIA in cards or driver:
        return (_nvidia_finding(torch, driver),)
    if _AMD in cards and torch.hip is None:
        return (_warning(GpuFinding.AMD_WITHOUT_ROCM(version=torch.version), GpuFinding.FIX_AMD()),)
    return (Finding(_CHECK, State.OK, GpuFinding.NONE(version=torch.version)),)


def _warning(detail: Text, *steps: Text | Command) -> Finding:
    return Finding(_CHECK, State.WARNING, detail, GpuFinding.WHY(), steps)


def _cards(system: System) -> set[str]:
    """Return the PCI vendor ids of the display controllers."""
    folder = "/sys/bus/pci/devices"
    return {
        system.read(f"{folder}/{name}/vendor")
        for name in system.names(folder)
        if system.read(f"{folder}/{name}/class").startswith("0x03")
    }


def _nvidia_driver(system: System) -> str:
    """Return the version of the loaded NVIDIA driver; empty if there is none."""
    answer = system.run(["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"])
    text = answer.output if answer.exit_code == 0 else system.read("/proc/driver/nvidia/version")
    match = re.search(r"\b(\d{3,}\.\d+(?:\.\d+)?)\b", text)
    return match[1] if match else ""


def _nvidia_finding(torch: TorchFacts, driver: str) -> Finding:
    if not driver:
        return _warning(GpuFinding.NVIDIA_WITHOUT_DRIVER(), GpuFinding.FIX_DRIVER(), Command("nvidia-smi"))
    if torch.cuda is None:
        return _warning(GpuFinding.TORCH_WITHOUT_CUDA(driver=driver, version=torch.version), GpuFinding.FIX_TORCH())
    needed = _MIN_DRIVER.get(int(torch.cuda.split(".")[0]), 0)
    if int(driver.split(".")[0]) < needed:
        return _warning(
            GpuFinding.DRIVER_TOO_OLD(driver=driver, version=torch.version, cuda=torch.cuda),
            GpuFinding.FIX_DRIVER_VERSION(driver=needed),
        )
    return _warning(
        GpuFinding.NO_CARD_FOUND(driver=driver, version=torch.version, cuda=torch.cuda), GpuFinding.FIX_NO_CARD()
    )
