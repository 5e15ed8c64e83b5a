"""Detects the processor, GPU and installed runtimes; imports torch only if required."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import importlib.util
import logging
import platform
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

from app.core.errors import ModelChoiceError, Remedy, t
from app.core.files import version_of
from app.matting.interface import ExecutorError

_log = logging.getLogger(__name__)


class CudaCards:
    """Selects a card. Used on any thread; each card is tested when it is first asked for."""

    def __init__(
        self,
        cuda: Any,
        half_is_right: Callable[[int], bool] = lambda index: False,
    ) -> None:
        """cuda: `torch.cuda`; None where no driver is installed or torch was built without CUDA.

        half_is_right: runs a convolution in float16 on a card and returns whether its values are
        right; raises RuntimeError.
        """
        self._cuda = cuda
        self._half_is_right = half_is_right
        self._count = 0 if cuda is None else cuda.device_count()
        # Whether each card that was tested can be used.
        self._test_results: dict[int, bool] = {}
        self._wrong_in_half: set[int] = set()
        self._has_failed = False

    def first(self) -> str | None:
        """Return the first card that can be used, as a device of torch; None if there is none."""
        for index in range(self._count):
            if self._usable(index):
                return _device(index)
        return None

    def named(self) -> tuple[tuple[str, str], ...]:
        """Return (`cuda:N`, name) of the cards, which are not tested for that."""
        try:
            names = [self._cuda.get_device_name(index) for index in range(self._count)]
        except RuntimeError as error:
            _log.warning("The names of the GPUs cannot be read.", exc_info=error)
            return ()
        return tuple((f"cuda:{index}", name) for index, name in enumerate(names))

    def find(self, device: str) -> str:
        """Return the device for `cuda` (the first usable card) or `cuda:N`.

        Raises ModelChoiceError if it is not usable, ExecutorError if it has failed before.
        """
        if self._has_failed:
            raise ExecutorError(
                t(
                    "The GPU {device} stopped working; matting continues on the CPU until Mattecam "
                    "is restarted.",
                    device=device,
                ),
                "auto",
                device,
                "auto",
                Remedy.NOTHING,
            )
        first = self.first()
        number = device.partition(":")[2]
        if first is None:
            raise ModelChoiceError(
                t("There is no usable NVIDIA GPU on this computer; choose the device cpu or auto.")
            )
        if not number:
            return first
        index = int(number)
        if index >= self._count or not self._usable(index):
            raise ModelChoiceError(
                t(
                    "There is no GPU {device}, or the installed torch cannot use it; choose "
                    "another device.",
                    device=device,
                )
            )
        return _device(index)

    def give_up(self) -> None:
        """Use no card any more in this process."""
        # Once CUDA has failed, only another process can use it again.
        self._has_failed = True
        self._count = 0

    def avoid_half(self, device: str) -> None:
        """Use float32 on this card from now on."""
        self._wrong_in_half.add(_index(device))

    def half_works(self, device: str) -> bool:
        """Return whether float16 gives right results on this card, as far as known."""
        return _index(device) not in self._wrong_in_half

    def _usable(self, index: int) -> bool:
        if index in self._test_results:
            return self._test_results[index]
        try:
            if not self._half_is_right(index):
                _log.warning(
                    "The GPU cuda:%d computes wrong values in float16; float32 is used.", index
                )
                self._wrong_in_half.add(index)
            self._test_results[index] = True
        except RuntimeError as error:  # such as that torch has no code for this card
            _log.warning("The GPU cuda:%d cannot be used.", index, exc_info=error)
            self._test_results[index] = False
        return self._test_results[index]


def _device(index: int) -> str:
    return f"cuda:{index}" if index else "cuda"


def _index(device: str) -> int:
    return int(device.partition(":")[2] or 0)


@functools.cache
def cuda_cards() -> CudaCards:
    """Return the NVIDIA cards of this machine; import torch only if the driver is installed."""
    if not torch_usable():
        return CudaCards(None)
    driver = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        ctypes.CDLL(driver)
    except OSError:
        return CudaCards(None)
    torch = load_torch()
    if torch is None:
        return CudaCards(None)

    from app.matting.torch.torch_backend import convolves_in_half

    return CudaCards(
        torch.cuda if torch.cuda.is_available() else None,
        lambda index: convolves_in_half(torch.device("cuda", index)),
    )


@functools.cache
def torch_usable() -> bool:
    """Return whether torch is installed; packages lack it."""
    return importlib.util.find_spec("torch") is not None


def load_torch() -> ModuleType | None:
    """Return torch; None if it is not installed, or lacks a library that it needs."""
    if not torch_usable():
        return None
    try:
        import torch
    except (ImportError, OSError) as error:
        _log.warning("PyTorch cannot be loaded; networks run on the CPU.", exc_info=error)
        return None
    return torch


@functools.cache
def cpu_has_bfloat16() -> bool:
    """Return whether the CPU has bfloat16 instructions (AVX512-BF16 or AMX).

    They make it faster than float32.
    """
    if importlib.util.find_spec("openvino") is None:  # in an environment that only trains on a GPU
        return False
    from app.matting.openvino.conversion import core

    capabilities: list[str] = core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return "BF16" in capabilities


@functools.cache
def processor() -> str:
    """Return the processor's name."""
    return _processor_fact("model name") or platform.processor()


@functools.cache
def processor_flags() -> str:
    """Return the names of the processor's instruction sets; empty where they are not listed."""
    return _processor_fact("flags") or _processor_fact("Features")


def _processor_fact(name: str) -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    for line in lines:
        if line.startswith(name):
            return line.split(":", 1)[1].strip()
    return ""


PCI = Path("/sys/bus/pci/devices")
# Files that name the OpenCL drivers of the system.
OPENCL_DRIVERS = Path("/etc/OpenCL/vendors")


def display_cards() -> tuple[str, ...]:
    """Return maker and kind of each display controller, such as `0x8086 0x46a6`.

    There are none where the system does not list them.
    """
    # Class 3 of PCI: display controllers.
    cards = [card for card in sorted(PCI.glob("*")) if _content(card / "class").startswith("0x03")]
    return tuple(f"{_content(card / 'vendor')} {_content(card / 'device')}" for card in cards)


def is_intel_driver(file_name: str) -> bool:
    """Return whether a file of this name in `OPENCL_DRIVERS` names a driver of Intel's GPUs."""
    # That of Intel's processors is `intel64.icd`, or `intel_cpu.icd`.
    is_for_processors = "64" in file_name or "cpu" in file_name
    return file_name.endswith(".icd") and "intel" in file_name and not is_for_processors


@functools.cache
def intel_driver() -> str:
    """Return a digest of all GPUs, their drivers and the kernel.

    It is empty without a GPU of Intel, or without its driver. OpenVINO is not asked, because listing
    GPUs may end the process where another maker's driver is broken.
    """
    cards = display_cards()
    drivers = sorted(OPENCL_DRIVERS.glob("*.icd"))
    has_driver = any(is_intel_driver(driver.name) for driver in drivers)
    if not has_driver or not any(card.startswith("0x8086") for card in cards):
        return ""
    words = [platform.release(), *cards]
    for driver in drivers:
        library = Path(_content(driver))
        words += [driver.name, str(library), str(version_of(library)), str(version_of(driver))]
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]


def _content(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""


def apple_gpu_usable() -> bool:
    """Return whether torch can use an Apple GPU."""
    if platform.system() != "Darwin":
        return False
    torch = load_torch()
    return torch is not None and bool(torch.backends.mps.is_available())


def devices() -> tuple[tuple[str, str], ...]:
    """Return (value for the settings, name) of the devices that can run networks.

    Imports torch only where there may be a GPU: the import takes seconds.
    """
    found = [("cpu", "CPU"), *cuda_cards().named()]
    if intel_driver():
        found.append(("intel", "Intel GPU"))
    if apple_gpu_usable():
        found.append(("mps", "Apple GPU"))
    return tuple(found)


def _load() -> float | None:
    """Return how many processes ran or waited in the last minute; None where nothing tells."""
    import psutil

    try:
        return round(psutil.getloadavg()[0], 2)
    except (OSError, RuntimeError):  # Windows with performance counters that are switched off
        return None


def machine() -> dict[str, object]:
    """Return what a measurement depends on: date, system, processor, cores, threads and GPU."""
    import psutil  # a bare environment with a GPU has none

    gpu = None
    card = cuda_cards().first()
    if card is not None:
        import torch

        facts = torch.cuda.get_device_properties(card)
        gpu = f"{facts.name}, {facts.total_memory / 1e9:.1f} GB, CUDA {torch.version.cuda}"
    return {
        "date": date.today().isoformat(),
        "system": platform.platform(),
        "processor": processor(),
        "cores": psutil.cpu_count(logical=False),
        "threads": psutil.cpu_count(),
        "bfloat16": cpu_has_bfloat16(),
        "gpu": gpu,
        "cards": ", ".join(display_cards()),
        "opencl": ", ".join(driver.stem for driver in OPENCL_DRIVERS.glob("*.icd")),
        "load_before": _load(),
        "python": platform.python_version(),
    }
