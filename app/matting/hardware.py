"""What this machine can run networks on, found without importing torch where it need not be."""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import sys


@functools.cache
def cuda_usable() -> bool:
    """Whether torch can use an NVIDIA GPU; torch is imported only where the driver is installed."""
    driver = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        ctypes.CDLL(driver)
    except OSError:
        return False
    import torch

    return torch.cuda.is_available()


@functools.cache
def openvino_usable() -> bool:
    """Whether OpenVINO is installed."""
    return importlib.util.find_spec("openvino") is not None


@functools.cache
def cpu_has_bfloat16() -> bool:
    """Whether the CPU computes in bfloat16 (AVX512-BF16 or AMX), so that it is faster than float32."""
    if not openvino_usable():
        return False
    from app.matting.silent_openvino import core

    capabilities: list[str] = core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return "BF16" in capabilities
