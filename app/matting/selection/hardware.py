"""Detects the processor, GPU and installed runtimes; imports torch only if required."""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import platform
import sys
from pathlib import Path

from app.matting.selection.cuda_cards import CudaCards


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
    import torch

    from app.matting.torch.cuda_api import TorchCuda

    return CudaCards(TorchCuda() if torch.cuda.is_available() else None)


@functools.cache
def torch_usable() -> bool:
    """Return whether torch is installed; packages lack it."""
    return importlib.util.find_spec("torch") is not None


@functools.cache
def openvino_usable() -> bool:
    """Return whether OpenVINO is installed."""
    return importlib.util.find_spec("openvino") is not None


@functools.cache
def cpu_has_bfloat16() -> bool:
    """Return whether the CPU has bfloat16 instructions (AVX512-BF16 or AMX), which make it faster than float32."""
    if not openvino_usable():
        return False
    from app.matting.openvino.runtime import core

    capabilities: list[str] = core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return "BF16" in capabilities


@functools.cache
def cpu_has_vnni() -> bool:
    """Return whether the CPU multiplies and adds int8 in one instruction; without that, int8 is not faster.

    True where the system does not list the instructions: the preparation measures int8 in any case.
    """
    flags = processor_flags().split()
    return not flags or not {"avx512_vnni", "avx_vnni"}.isdisjoint(flags)


@functools.cache
def processor() -> str:
    """Return the processor's name."""
    return _processor_fact("model name") or platform.processor()


@functools.cache
def processor_flags() -> str:
    """Return the names of the processor's instruction sets; empty where the system does not list them."""
    return _processor_fact("flags") or _processor_fact("Features")


def _processor_fact(name: str) -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), "")


def gpus() -> tuple[tuple[str, str], ...]:
    """Return (device of torch, name) of the NVIDIA GPUs that torch has code for."""
    return cuda_cards().named()


def apple_gpu_usable() -> bool:
    """Return whether torch can use an Apple GPU."""
    if platform.system() != "Darwin" or not torch_usable():
        return False
    import torch

    return torch.backends.mps.is_available()


def gpu(device: str = "cuda") -> str:
    """Return name and memory of the NVIDIA GPU for `cuda` or `cuda:N`, which must exist, and the version of CUDA."""
    import torch

    facts = torch.cuda.get_device_properties(device)
    return f"{facts.name}, {facts.total_memory / 1e9:.1f} GB, CUDA {torch.version.cuda}"
