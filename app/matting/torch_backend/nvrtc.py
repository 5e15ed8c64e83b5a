"""Compiles CUDA C at run time with NVRTC, which comes with torch, and launches the kernels.

`torch.cuda._compile_kernel` does the same, but looks for an installed CUDA toolkit, which users do not have.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import logging
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from app.matting.step.full_size import FullSize, TorchFullSize
from app.matting.torch_backend.fused import FusedFullSize
from app.matting.torch_backend.fused_source import SOURCE
from models.cuda.launch import Argument, Launch
from models.cuda.source import PRECISIONS, network_source

_log = logging.getLogger(__name__)


@functools.cache
def full_size_on(device: str) -> FullSize:
    """Return the fused kernels for a device, or the arithmetic of torch where they cannot be compiled."""
    if not device.startswith("cuda"):
        return TorchFullSize()
    try:
        return FusedFullSize(Kernels(SOURCE, torch.device(device)))
    except (OSError, RuntimeError, AttributeError) as error:
        _log.warning("The fused kernels cannot be used; torch's operations take their place.", exc_info=error)
        return TorchFullSize()


@functools.cache
def network_kernels_on(device: str, dtype: torch.dtype) -> Launch | None:
    """Return the kernels of `models.cuda` for activations in `dtype`, None where torch's operations are to be used."""
    if not device.startswith("cuda") or dtype not in PRECISIONS:
        return None
    try:
        return Kernels(network_source(dtype), torch.device(device))
    except (OSError, RuntimeError, AttributeError) as error:
        _log.warning("The kernels of the networks cannot be used; torch runs the networks.", exc_info=error)
        return None


class Kernels:
    """The compiled kernels of a source on a card. Implements `Launch`."""

    def __init__(self, source: str, device: torch.device) -> None:
        """Raises OSError if NVRTC or the driver is not found, RuntimeError if the source cannot be compiled."""
        self._device = device
        self._driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        with torch.cuda.device(device):
            torch.cuda.current_stream().synchronize()  # makes torch's context the current one
            module = ctypes.c_void_p()
            code = compiled(source, torch.cuda.get_device_capability(device))
            _check(self._driver.cuModuleLoadData(ctypes.byref(module), code))
        self._functions = {name: self._function(module, name) for name in names(source)}

    def __call__(
        self, name: str, grid: tuple[int, int, int], block: tuple[int, int, int], arguments: Sequence[Argument]
    ) -> None:
        """See `Launch`."""
        values = [_value(argument) for argument in arguments]
        pointers = (ctypes.c_void_p * len(values))(*(ctypes.addressof(value) for value in values))
        stream = ctypes.c_void_p(torch.cuda.current_stream(self._device).cuda_stream)
        with torch.cuda.device(self._device):
            _check(self._driver.cuLaunchKernel(self._functions[name], *grid, *block, 0, stream, pointers, None))

    def _function(self, module: ctypes.c_void_p, name: str) -> ctypes.c_void_p:
        function = ctypes.c_void_p()
        _check(self._driver.cuModuleGetFunction(ctypes.byref(function), module, name.encode()))
        return function


def names(source: str) -> list[str]:
    """Return the names of the kernels in a source."""
    return re.findall(r'extern "C" __global__ void (\w+)\(', source)


def compiled(source: str, capability: tuple[int, int]) -> bytes:
    """Return the code of `source` for cards of this capability. Raises OSError or RuntimeError."""
    nvrtc = _library()
    program = ctypes.c_void_p()
    _check(nvrtc.nvrtcCreateProgram(ctypes.byref(program), source.encode(), b"mattecam.cu", 0, None, None))
    try:
        options = (ctypes.c_char_p * 1)(f"--gpu-architecture=sm_{capability[0]}{capability[1]}".encode())
        if nvrtc.nvrtcCompileProgram(program, 1, options):
            raise RuntimeError(_read(nvrtc.nvrtcGetProgramLogSize, nvrtc.nvrtcGetProgramLog, program).decode())
        return _read(nvrtc.nvrtcGetCUBINSize, nvrtc.nvrtcGetCUBIN, program)
    finally:
        nvrtc.nvrtcDestroyProgram(ctypes.byref(program))


def _read(size_of: ctypes._NamedFuncPointer, read: ctypes._NamedFuncPointer, program: ctypes.c_void_p) -> bytes:
    size = ctypes.c_size_t()
    _check(size_of(program, ctypes.byref(size)))
    buffer = ctypes.create_string_buffer(size.value)
    _check(read(program, buffer))
    return buffer.raw


def _library() -> ctypes.CDLL:
    """Load the NVRTC of torch's CUDA version: by name, or from the folders of torch's and NVIDIA's packages."""
    version = torch.version.cuda or ""
    major = version.partition(".")[0]
    name = f"nvrtc64_{major}0_0.dll" if sys.platform == "win32" else f"libnvrtc.so.{major}"
    packages = Path(torch.__file__).parents[1]
    folders = [packages / "torch" / "lib", *sorted(path.parent for path in packages.glob(f"nvidia/**/{name}"))]
    for folder in folders:
        with contextlib.suppress(OSError):
            return load_library(folder, name)
    return ctypes.CDLL(name)


def load_library(folder: Path, name: str) -> ctypes.CDLL:
    """Load NVRTC from a folder of a package, after the library that it loads by name: no search path leads there.

    Raises OSError if it is not there.
    """
    for builtins in (*folder.glob("libnvrtc-builtins.so.*"), *folder.glob("nvrtc-builtins64_*.dll")):
        with contextlib.suppress(OSError):
            ctypes.CDLL(str(builtins), mode=ctypes.RTLD_GLOBAL)
    return ctypes.CDLL(str(folder / name))


def _value(argument: Argument) -> ctypes.c_void_p | ctypes.c_int | ctypes.c_float:
    if argument is None or isinstance(argument, Tensor):
        return ctypes.c_void_p(argument.data_ptr() if argument is not None else None)
    return ctypes.c_float(argument) if isinstance(argument, float) else ctypes.c_int(argument)


def _check(result: int) -> None:
    if result:
        raise RuntimeError(f"NVRTC or the driver reported error {result}")
