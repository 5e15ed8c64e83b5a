"""Choose PyTorch's build for the system, the NVIDIA driver and the cards. Imports the standard library only."""

from __future__ import annotations

import contextlib
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

PYTORCH_INDEX = "https://download.pytorch.org/whl"
SMI_QUERY = ("nvidia-smi", "--query-gpu=driver_version,compute_cap", "--format=csv,noheader")
NVIDIA_MARK = "/proc/driver/nvidia/version"
SMI_TIMEOUT_S = 30.0
OLDEST_DRIVER = {11: 450, 12: 525, 13: 580}
"""The oldest NVIDIA driver branch that runs programs built with a CUDA major version (CUDA compatibility table)."""

Capability = tuple[int, int]
"""Compute capability of a card: (major, minor)."""


@dataclass(frozen=True)
class Nvidia:
    """The NVIDIA driver and its cards."""

    driver: str
    """Version, such as `580.65.06`; empty if unknown."""
    capabilities: tuple[Capability, ...] = ()
    """One per card; none if unknown."""

    @property
    def branch(self) -> int:
        """Return the branch of the driver, such as 580; 0 if unknown."""
        return int(self.driver.partition(".")[0] or 0)


@dataclass(frozen=True)
class TorchBuild:
    """A build of PyTorch."""

    cuda: str
    """Version of CUDA; empty for a build without CUDA."""
    lock: str
    """Lock file of torch in `requirements/`, without `.lock`."""
    index: str = ""
    """Folder of PyTorch's own index; empty for pip's configured index (PyPI)."""
    libraries: str = ""
    """Lock file of the packages that this build needs in addition."""
    oldest: Capability = (0, 0)
    newest: Capability = (99, 9)
    """Range of the compute capabilities that it has code for."""

    def suits(self, nvidia: Nvidia) -> bool:
        """Return whether driver and at least one card, as far as known, run this build."""
        if nvidia.branch < OLDEST_DRIVER[int(self.cuda.partition(".")[0])]:
            return False
        cards = nvidia.capabilities
        return not cards or any(self.oldest <= card <= self.newest for card in cards)


CPU_LINUX = TorchBuild("", "torch-cpu", index="cpu")
CPU_ELSEWHERE = TorchBuild("", "torch")
"""PyPI's builds for Windows and macOS have no CUDA libraries."""
CUDA_13_LINUX = TorchBuild("13.0", "torch", libraries="cuda", oldest=(7, 5))
CUDA_13_WINDOWS = TorchBuild("13.0", "torch-cu130", index="cu130", oldest=(7, 5))
CUDA_12_LINUX = TorchBuild("12.6", "torch-cu126", index="cu126", libraries="cuda-cu126", oldest=(5, 0), newest=(9, 9))
OLDER_CUDA_12_LINUX = TorchBuild(
    "12.6", "torch29-cu126", index="cu126", libraries="cuda29-cu126", oldest=(5, 0), newest=(9, 9)
)
"""torch 2.9.1, for the versions of Python for which no hash of the newer build is known."""
CUDA_12_WINDOWS = TorchBuild("12.6", "torch-cu126", index="cu126", oldest=(5, 0), newest=(9, 9))


def suitable_builds(platform: str, machine: str, nvidia: Nvidia | None) -> tuple[TorchBuild, ...]:
    """Return the builds that run here, best first; the last one needs no NVIDIA GPU.

    platform: as `sys.platform`; machine: as `platform.machine()`; nvidia: None without an NVIDIA driver.
    """
    candidates: tuple[TorchBuild, ...] = ()
    x86 = machine.lower() in ("x86_64", "amd64")
    if platform == "linux":
        # For ARM, CUDA 12.6 has code for data-centre cards only.
        candidates = (CUDA_13_LINUX, CUDA_12_LINUX, OLDER_CUDA_12_LINUX) if x86 else (CUDA_13_LINUX,)
    elif platform == "win32" and x86:
        candidates = (CUDA_13_WINDOWS, CUDA_12_WINDOWS)
    found = tuple(build for build in candidates if nvidia is not None and build.suits(nvidia))
    return (*found, CPU_LINUX if platform == "linux" else CPU_ELSEWHERE)


def locked_pythons(build: TorchBuild, locks: Path, platform: str, machine: str) -> tuple[str, ...]:
    """Return the versions of Python, such as `3.12`, for which the lock file in the folder `locks` has this build.

    The lock files of PyTorch's CUDA builds have one entry per file, with its Python and system. The others hold the
    files of every supported Python: the result is then `("",)`. An installed package has no lock files.
    """
    if not build.index.startswith("cu"):
        return ("",)
    file = locks / f"{build.lock}.lock"
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    entry = r"python_version == '([\d.]+)' and sys_platform == '(\w+)' and platform_machine == '(\w+)'"
    return tuple(python for python, *place in re.findall(entry, text) if place == [platform, machine])


def is_locked(build: TorchBuild, locks: Path, python: str, platform: str, machine: str) -> bool:
    """Return whether the lock files have this build for a version of Python, such as `3.12`, and a system."""
    return bool({"", python} & set(locked_pythons(build, locks, platform, machine)))


def find_nvidia() -> Nvidia | None:
    """Return the NVIDIA driver of this machine and its cards, None without a driver."""
    smi, version = "", Path(NVIDIA_MARK)
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        smi = subprocess.run(SMI_QUERY, capture_output=True, text=True, timeout=SMI_TIMEOUT_S, check=True).stdout
    return read_nvidia(smi, version.read_text(errors="replace") if version.exists() else "")


def read_nvidia(smi: str, mark: str) -> Nvidia | None:
    """Return driver and cards from the output of `SMI_QUERY` and the content of `NVIDIA_MARK`, each empty if missing.

    None if neither names a driver.
    """
    cards = re.findall(r"^\s*(\d{3,}[\d.]*)\s*,\s*(\d+)\.(\d+)\s*$", smi, re.MULTILINE)
    if cards:
        return Nvidia(cards[0][0], tuple((int(major), int(minor)) for _, major, minor in cards))
    driver = re.search(r"\b(\d{3,}\.\d+(?:\.\d+)?)\b", smi or mark)
    return Nvidia(driver[1]) if driver else None
