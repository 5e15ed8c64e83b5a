"""Check whether networks can run on a graphics card: card, driver and torch build must match."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from app.core.messages.doctor import GpuFinding
from app.core.text import Text
from app.doctor.finding import CommandLine, Finding, ok, warning
from app.doctor.system import System
from app.matting.selection.hardware import load_torch, supports, torch_usable
from app.system.environment import ROOT, VENV, VERSION
from app.system.torch_build import (
    NVIDIA_MARK,
    OLDEST_DRIVER,
    PYTORCH_INDEX,
    SMI_QUERY,
    Nvidia,
    TorchBuild,
    is_locked,
    locked_pythons,
    read_nvidia,
    suitable_builds,
)

_NVIDIA, _AMD = "0x10de", "0x1002"
_CHECK = "graphics card"


@dataclass(frozen=True, slots=True)
class TorchFacts:
    """What the installed torch was built for, and the devices that it finds."""

    version: str
    """Empty if it is installed, but cannot be loaded."""
    cuda: str | None
    """The CUDA version of the build; None for a build without CUDA."""
    hip: str | None
    devices: tuple[str, ...]
    """Names of the usable graphics cards."""
    mps: bool
    unsupported: tuple[str, ...] = ()
    """Names of the cards for whose architecture torch has no code."""


def read_torch() -> TorchFacts | None:
    """Return the facts of the installed torch; None without torch."""
    if not torch_usable():
        return None
    torch = load_torch()
    if torch is None:
        return TorchFacts("", None, None, (), False)
    devices: list[str] = []
    unsupported: list[str] = []
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            with suppress(RuntimeError):  # a card that fails, or that another program has for itself
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


def check_gpu(system: System, torch: TorchFacts | None) -> tuple[Finding, ...]:
    """Return one finding: the card in use, or why torch cannot use one."""
    if torch is None:
        if _NVIDIA in _cards(system):
            return (_warning(GpuFinding.NO_TORCH(), GpuFinding.FIX_NO_TORCH()),)
        return (ok(_CHECK, GpuFinding.NO_TORCH()),)
    if not torch.version:
        return (_warning(GpuFinding.BROKEN_TORCH(), GpuFinding.FIX_BROKEN_TORCH()),)
    if torch.devices:
        return (ok(_CHECK, GpuFinding.IN_USE(version=torch.version, cards=torch.devices)),)
    nvidia = read_nvidia(_smi(system), system.read(NVIDIA_MARK))
    if torch.unsupported:
        finding = GpuFinding.UNSUPPORTED(version=torch.version, cards=torch.unsupported)
        return (_warning(finding, *_steps_to_build(system, nvidia)),)
    if torch.mps:
        return (ok(_CHECK, GpuFinding.MAC(version=torch.version)),)
    cards = _cards(system)
    if _NVIDIA in cards or nvidia:
        return (_nvidia_finding(system, torch, nvidia),)
    if _AMD in cards and torch.hip is None:
        return (_warning(GpuFinding.AMD_WITHOUT_ROCM(version=torch.version), GpuFinding.FIX_AMD()),)
    return (ok(_CHECK, GpuFinding.NONE(version=torch.version)),)


def _warning(detail: Text, *steps: Text | CommandLine) -> Finding:
    return warning(_CHECK, detail, GpuFinding.WHY(), *steps)


def _cards(system: System) -> set[str]:
    """Return the PCI vendor ids of the display controllers."""
    folder = "/sys/bus/pci/devices"
    return {
        system.read(f"{folder}/{name}/vendor")
        for name in system.names(folder)
        if system.read(f"{folder}/{name}/class").startswith("0x03")
    }


def _smi(system: System) -> str:
    answer = system.run(SMI_QUERY)
    return answer.output if answer.exit_code == 0 else ""


def _nvidia_finding(system: System, torch: TorchFacts, nvidia: Nvidia | None) -> Finding:
    if nvidia is None:
        return _warning(GpuFinding.NVIDIA_WITHOUT_DRIVER(), GpuFinding.FIX_DRIVER(), CommandLine("nvidia-smi"))
    if torch.cuda is None:
        finding = GpuFinding.TORCH_WITHOUT_CUDA(driver=nvidia.driver, version=torch.version)
        return _warning(finding, *_steps_to_build(system, nvidia))
    if nvidia.branch < OLDEST_DRIVER.get(int(torch.cuda.split(".")[0]), 0):
        finding = GpuFinding.DRIVER_TOO_OLD(driver=nvidia.driver, version=torch.version, cuda=torch.cuda)
        return _warning(finding, *_steps_to_build(system, nvidia))
    finding = GpuFinding.NO_CARD_FOUND(driver=nvidia.driver, version=torch.version, cuda=torch.cuda)
    return _warning(finding, GpuFinding.FIX_NO_CARD())


def _steps_to_build(system: System, nvidia: Nvidia | None) -> tuple[Text, ...]:
    """Return how to get a build of torch that runs on this driver and these cards, and why it is that build."""
    place = system.platform, system.machine
    newest = max(OLDEST_DRIVER.values())
    builds = [build for build in suitable_builds(*place, nvidia) if build.cuda]
    steps: list[Text] = []
    if nvidia is not None and nvidia.branch < newest:
        steps.append(GpuFinding.FIX_DRIVER_VERSION(driver=newest))
    if not builds:
        return (*steps, GpuFinding.NO_BUILD(cards=_described(nvidia)))
    locks = ROOT / "requirements"
    ready = [build for build in builds if is_locked(build, locks, VERSION, *place)]
    chosen: TorchBuild = (ready or builds)[0]
    steps.append(GpuFinding.SUITS(cuda=chosen.cuda, cards=_described(nvidia)))
    if ready:
        steps.append(GpuFinding.FIX_TORCH(folder=VENV, cuda=chosen.cuda))
    elif pythons := locked_pythons(chosen, locks, *place):
        steps.append(GpuFinding.FIX_PYTHON(python=VERSION, others=pythons, cuda=chosen.cuda))
    index = f"{PYTORCH_INDEX}/{chosen.index}" if chosen.index else "PyPI"
    return (*steps, GpuFinding.FIX_OWN_ENVIRONMENT(index=index))


def _described(nvidia: Nvidia | None) -> str:
    """Return driver and capabilities, such as `580.65.06, 8.9`."""
    if nvidia is None:
        return "-"
    return ", ".join([nvidia.driver, *(f"{major}.{minor}" for major, minor in nvidia.capabilities)])
