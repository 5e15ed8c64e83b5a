"""The CUDA kernels on the CPU: the same source compiled as C++, with loops in place of the grid."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from app.matting.torch_backend.fused_source import SOURCE
from models.cuda.launch import Argument

COMPILER = shutil.which("g++") or shutil.which("clang++")
PRELUDE = r"""
#include <math.h>
#include <string.h>
struct Index { int x, y, z; };
static Index blockIdx, threadIdx, blockDim;
#define __global__
#define __device__
#define __shared__ static
static inline void __syncthreads() {}  /* the threads of COOPERATIVE kernels are run as one */
"""
HALF = r"""
static inline float load(unsigned short half) {
    unsigned exponent = half >> 10 & 31, fraction = half & 1023, sign = (unsigned)(half >> 15) << 31;
    if (exponent == 0) return (sign ? -1.0f : 1.0f) * (float)fraction / 16777216.0f;
    unsigned bits = sign | (exponent == 31 ? 255 : exponent + 112) << 23 | fraction << 13;
    float value;
    memcpy(&value, &bits, 4);
    return value;
}
static inline unsigned short store(float value) {  /* rounds to nearest, ties to even */
    unsigned bits, sign;
    memcpy(&bits, &value, 4);
    sign = bits >> 16 & 0x8000;
    bits &= 0x7fffffff;
    if (bits > 0x7f800000) return sign | 0x7e00;
    if (bits >= 0x477ff000) return sign | 0x7c00;
    if (bits < 0x38800000) return sign | (unsigned short)rintf(fabsf(value) * 16777216.0f);
    return sign | (unsigned short)(((bits + 0xfff + (bits >> 13 & 1)) >> 13) - (112 << 10));
}
"""
COOPERATIVE = ("components", "squeeze", "excite")
"""Kernels whose threads wait for each other; they are correct with any number of threads."""
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

    def __init__(self, source: str = SOURCE) -> None:
        assert COMPILER is not None
        found = re.findall(r'extern "C" __global__ void (\w+)\((.*?)\n?\) \{', source, re.DOTALL)
        loops = [
            LOOP.format(
                name=name,
                parameters=" ".join(parameters.split()),
                arguments=", ".join(re.findall(r"(\w+)(?=,|$)", " ".join(parameters.split()))),
            )
            for name, parameters in found
        ]
        text = PRELUDE + source.replace("typedef unsigned short real;", "typedef unsigned short real;" + HALF)
        text += "".join(loops)
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
        if name in COOPERATIVE:
            block = (1, 1, 1)
        dims = (ctypes.c_int * 6)(*grid, *block)
        self._library[f"emulate_{name}"](dims, *map(_value, arguments))


def _value(argument: Argument) -> ctypes.c_void_p | ctypes.c_float | ctypes.c_int:
    if argument is None or isinstance(argument, Tensor):
        return ctypes.c_void_p(None if argument is None else argument.data_ptr())
    return ctypes.c_float(argument) if isinstance(argument, float) else ctypes.c_int(argument)
