"""Will the network run on a graphics card? The card, its driver and the installed torch must fit together."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.doctor.finding import Finding, State
from app.doctor.system import System

_NVIDIA, _AMD = "0x10de", "0x1002"
_MIN_DRIVER = {11: 450, 12: 525, 13: 580}
"""The oldest NVIDIA driver branch that runs programs built with a CUDA major version (CUDA compatibility table)."""
_CHECK = "graphics card"
_WHY = "On a processor the best models reach a few frames a second; a graphics card runs them in real time."


@dataclass(frozen=True, slots=True)
class TorchFacts:
    """What the installed torch was built for, and what it reaches."""

    version: str
    cuda: str | None
    """The CUDA version it was built with; None for a build without."""
    hip: str | None
    devices: tuple[str, ...]
    """The names of the graphics cards it can use."""
    mps: bool


def read_torch() -> TorchFacts:
    """Ask the installed torch."""
    import torch

    devices: tuple[str, ...] = ()
    if torch.cuda.is_available():
        devices = tuple(torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count()))
    return TorchFacts(
        torch.__version__, torch.version.cuda, torch.version.hip, devices, torch.backends.mps.is_available()
    )


def check_gpu(system: System, torch: TorchFacts) -> tuple[Finding, ...]:
    """One finding: the card in use, or what keeps torch from it."""
    if torch.devices:
        return (Finding(_CHECK, State.OK, f"torch {torch.version} runs on {', '.join(torch.devices)}."),)
    if torch.mps:
        return (Finding(_CHECK, State.OK, f"torch {torch.version} runs on the graphics of this Mac."),)
    driver = _nvidia_driver(system)
    cards = _cards(system)
    if _NVIDIA in cards or driver:
        return (_nvidia_finding(torch, driver),)
    if _AMD in cards and torch.hip is None:
        return (
            Finding(
                _CHECK,
                State.WARNING,
                f"There is an AMD graphics card, but torch {torch.version} was built without ROCm.",
                _WHY,
                "Where ROCm supports the card, install the ROCm build of torch; OpenVINO on the processor works too.",
            ),
        )
    return (Finding(_CHECK, State.OK, f"No graphics card that torch {torch.version} can use: the processor is used."),)


def _cards(system: System) -> set[str]:
    """The makers of the display controllers on the PCI bus."""
    folder = "/sys/bus/pci/devices"
    return {
        system.read(f"{folder}/{name}/vendor")
        for name in system.names(folder)
        if system.read(f"{folder}/{name}/class").startswith("0x03")
    }


def _nvidia_driver(system: System) -> str:
    """The version of the loaded NVIDIA driver; empty where there is none."""
    answer = system.run(["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"])
    text = answer.output if answer.exit_code == 0 else system.read("/proc/driver/nvidia/version")
    match = re.search(r"\b(\d{3,}\.\d+(?:\.\d+)?)\b", text)
    return match[1] if match else ""


def _nvidia_finding(torch: TorchFacts, driver: str) -> Finding:
    if not driver:
        return Finding(
            _CHECK,
            State.WARNING,
            "There is an NVIDIA graphics card, but its driver is not loaded.",
            _WHY,
            "Install the NVIDIA driver of this system and restart, then look again with:\nnvidia-smi",
        )
    if torch.cuda is None:
        return Finding(
            _CHECK,
            State.WARNING,
            f"There is an NVIDIA graphics card (driver {driver}), but torch {torch.version} was built without CUDA.",
            _WHY,
            "Install the CUDA build of torch into the program's environment (pytorch.org names the command).",
        )
    needed = _MIN_DRIVER.get(int(torch.cuda.split(".")[0]), 0)
    if int(driver.split(".")[0]) < needed:
        return Finding(
            _CHECK,
            State.WARNING,
            f"The NVIDIA driver {driver} is too old for torch {torch.version}, built with CUDA {torch.cuda}.",
            _WHY,
            f"Install the NVIDIA driver {needed} or newer and restart, or a torch built with an older CUDA.",
        )
    return Finding(
        _CHECK,
        State.WARNING,
        f"The NVIDIA driver {driver} fits torch {torch.version} (CUDA {torch.cuda}), yet torch finds no card.",
        _WHY,
        "Restart after a driver update; in a container, hand the card in (docker run --gpus all …). "
        "CUDA_VISIBLE_DEVICES must not be empty.",
    )
