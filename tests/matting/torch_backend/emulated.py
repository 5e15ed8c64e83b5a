"""The fused kernels on the CPU: the same source compiled as C++, with loops in place of the grid."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from app.matting.torch_backend.fused import Argument
from app.matting.torch_backend.fused_source import SOURCE

COMPILER = shutil.which("g++") or shutil.which("clang++")
PRELUDE = r"""
#include <math.h>
struct Index { int x, y, z; };
static Index blockIdx, threadIdx, blockDim;
#define __global__
#define __device__
static inline void __syncthreads() {}  /* the threads of `components` are run as one */
"""
LOOP = """
extern "C" void emulate_{name}(const int *dims, {parameters}) {{
    blockDim = {{dims[3], dims[4], dims[5]}};
    for (blockIdx.z = 0; blockIdx.z < dims[2]; blockIdx.z++)
    for (blockIdx.y = 0; blockIdx.y < dims[1]; blockIdx.y++)
    for (blockIdx.x = 0; blockIdx.x < dims[0]; blockIdx.x++)
    for (threadIdx.z = 0; threadIdx.z < blockDim.z; threadIdx.z++)
    for (threadIdx.y = 0; threadIdx.y < blockDim.y; threadIdx.y++)
    for (threadIdx.x = 0; threadIdx.x < blockDim.x; threadIdx.x++)
        {name}({arguments});
}}
"""


class EmulatedKernels:
    """Implements `Launch` on tensors in host memory."""

    def __init__(self) -> None:
        assert COMPILER is not None
        found = re.findall(r'extern "C" __global__ void (\w+)\((.*?)\n?\) \{', SOURCE, re.DOTALL)
        loops = [
            LOOP.format(
                name=name,
                parameters=" ".join(parameters.split()),
                arguments=", ".join(re.findall(r"(\w+)(?=,|$)", " ".join(parameters.split()))),
            )
            for name, parameters in found
        ]
        text = PRELUDE + SOURCE + "".join(loops)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "kernels.cpp").write_text(text)
            command = [COMPILER, "-O2", "-ffp-contract=off", "-Wall", "-Werror", "-shared", "-fPIC"]
            subprocess.run([*command, "-o", folder / "kernels.so", folder / "kernels.cpp"], check=True)
            self._library = ctypes.CDLL(str(folder / "kernels.so"))
        self.launches: list[str] = []

    def __call__(
        self, name: str, grid: tuple[int, int, int], block: tuple[int, int, int], arguments: Sequence[Argument]
    ) -> None:
        self.launches.append(name)
        if name == "components":
            block = (1, 1, 1)
        dims = (ctypes.c_int * 6)(*grid, *block)
        self._library[f"emulate_{name}"](dims, *map(_value, arguments))


def _value(argument: Argument) -> ctypes.c_void_p | ctypes.c_float | ctypes.c_int:
    if argument is None or isinstance(argument, Tensor):
        return ctypes.c_void_p(None if argument is None else argument.data_ptr())
    return ctypes.c_float(argument) if isinstance(argument, float) else ctypes.c_int(argument)
