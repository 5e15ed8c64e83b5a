"""Check whether networks can run on a graphics card: card, driver and torch build must match."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from app.core.errors import Text, t
from app.doctor.finding import CommandLine, Finding, ok, warning
from app.doctor.system import System
from app.matting.choice.hardware import load_torch, supports, torch_usable
from app.system.environment import (
    NVIDIA_MARK,
    OLDEST_DRIVER,
    PYTORCH_INDEX,
    ROOT,
    SMI_QUERY,
    VENV,
    VERSION,
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


def check_gpu(system: System, torch: TorchFacts | None) -> Finding:
    """Return the card in use, or why torch cannot use one."""
    if torch is None:
        detail = t("PyTorch is not installed; the networks run on the CPU.")
        if _NVIDIA in _cards(system):
            return warning(_CHECK, detail, t("Run Mattecam from its sources to use the graphics card."))
        return ok(_CHECK, detail)
    version = torch.version
    if not version:
        detail = t("PyTorch is installed, but cannot be loaded; the networks run on the CPU.")
        step = t("Install PyTorch again. On Windows it also needs the Visual C++ Redistributable.")
        return warning(_CHECK, detail, step)
    if torch.devices:
        return ok(_CHECK, t("torch {version} runs on {cards}.", version=version, cards=torch.devices))
    nvidia = read_nvidia(_smi(system), system.read(NVIDIA_MARK))
    if torch.unsupported:
        detail = t(
            "torch {version} does not support the architecture of {cards}; the CPU is used.",
            version=version,
            cards=torch.unsupported,
        )
        return warning(_CHECK, detail, *_steps_to_build(system, nvidia))
    if torch.mps:
        return ok(_CHECK, t("torch {version} runs on the graphics processor of this Mac.", version=version))
    cards = _cards(system)
    if _NVIDIA in cards or nvidia:
        return _nvidia_finding(system, torch, nvidia)
    if _AMD in cards and torch.hip is None:
        detail = t("An AMD graphics card is present, but torch {version} was built without ROCm.", version=version)
        step = t("If ROCm supports the card, install the ROCm build of torch; otherwise OpenVINO runs on the CPU.")
        return warning(_CHECK, detail, step)
    return ok(_CHECK, t("torch {version} found no supported graphics card; the CPU is used.", version=version))


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
        return warning(
            _CHECK,
            t("An NVIDIA graphics card is present, but its driver is not loaded."),
            t("Install the NVIDIA driver of this system, restart, and check with:"),
            CommandLine("nvidia-smi"),
        )
    known = {"driver": nvidia.driver, "version": torch.version}
    if torch.cuda is None:
        detail = t(
            "An NVIDIA graphics card is present (driver {driver}), but torch {version} was built without CUDA.", **known
        )
        return warning(_CHECK, detail, *_steps_to_build(system, nvidia))
    known["cuda"] = torch.cuda
    if nvidia.branch < OLDEST_DRIVER.get(int(torch.cuda.split(".")[0]), 0):
        detail = t(
            "The NVIDIA driver {driver} is too old for torch {version}, which was built with CUDA {cuda}.", **known
        )
        return warning(_CHECK, detail, *_steps_to_build(system, nvidia))
    step = t(
        "Restart after a driver update. In a container, pass the card through (docker run --gpus all …). "
        "CUDA_VISIBLE_DEVICES must not be empty."
    )
    detail = t("The NVIDIA driver {driver} supports torch {version} (CUDA {cuda}), but torch finds no card.", **known)
    return warning(_CHECK, detail, step)


def _steps_to_build(system: System, nvidia: Nvidia | None) -> tuple[Text, ...]:
    """Return how to get a build of torch that runs on this driver and these cards, and why it is that build."""
    place = system.platform, system.machine
    newest = max(OLDEST_DRIVER.values())
    builds = [build for build in suitable_builds(*place, nvidia) if build.cuda]
    steps: list[Text] = []
    if nvidia is not None and nvidia.branch < newest:
        steps.append(
            t("Best, install the NVIDIA driver {driver} or newer and restart, if the card supports it.", driver=newest)
        )
    if not builds:
        return (
            *steps,
            t(
                "No build of PyTorch with CUDA suits this driver and compute capability ({cards}).",
                cards=_described(nvidia),
            ),
        )
    locks = ROOT / "requirements"
    ready = [build for build in builds if is_locked(build, locks, VERSION, *place)]
    chosen: TorchBuild = (ready or builds)[0]
    steps.append(
        t(
            "Driver and compute capability ({cards}) suit PyTorch's build for CUDA {cuda}.",
            cuda=chosen.cuda,
            cards=_described(nvidia),
        )
    )
    if ready:
        steps.append(
            t(
                "Delete {folder} and start run.py again: the setup then installs the build for CUDA {cuda}.",
                folder=VENV,
                cuda=chosen.cuda,
            )
        )
    elif pythons := locked_pythons(chosen, locks, *place):
        steps.append(
            t(
                "The lock files hold no hash of the build for CUDA {cuda} and Python {python}. Start run.py with "
                "another Python, of which they hold one: {others}.",
                python=VERSION,
                others=pythons,
                cuda=chosen.cuda,
            )
        )
    index = f"{PYTORCH_INDEX}/{chosen.index}" if chosen.index else "PyPI"
    return (*steps, t("In an environment of your own, install torch from {index}.", index=index))


def _described(nvidia: Nvidia | None) -> str:
    """Return driver and capabilities, such as `580.65.06, 8.9`."""
    if nvidia is None:
        return "-"
    return ", ".join([nvidia.driver, *(f"{major}.{minor}" for major, minor in nvidia.capabilities)])
