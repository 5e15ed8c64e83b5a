"""CUDA C source shared by all kernels, and the source of the kernels of the networks.

The source uses no header and nothing beyond C++ except `__syncthreads`, `__shared__` and two instructions that convert
half precision, so that NVRTC compiles it without a toolkit and the tests compile it as C++.
"""

from __future__ import annotations

import torch

from models.cuda import source_decoder, source_encoder, source_filter

BILINEAR = r"""
struct Tap { int low, high; float weight; };

/* The two neighbours, along one axis, of an output pixel of a bilinear resize by 1 / scale. */
__device__ inline Tap tap_of(int index, float scale, int size) {
    float at = fmaxf(scale * ((float)index + 0.5f) - 0.5f, 0.0f);
    Tap tap;
    tap.low = (int)at < size - 1 ? (int)at : size - 1;
    tap.high = tap.low < size - 1 ? tap.low + 1 : tap.low;
    tap.weight = at - (float)tap.low;
    return tap;
}

__device__ inline float between(float low, float high, float weight) {
    return (1.0f - weight) * low + weight * high;
}
"""
_STORED = {
    torch.float32: """
typedef float real;
__device__ inline float load(real value) { return value; }
__device__ inline real store(float value) { return value; }
""",
    torch.float16: """
typedef unsigned short real;
#ifdef __CUDACC__
__device__ inline float load(real value) {
    float result;
    asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(value));
    return result;
}
__device__ inline real store(float value) {
    real result;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(result) : "f"(value));
    return result;
}
#endif
""",
}
"""How activations are stored; all arithmetic is in float32. The tests define the conversions of half precision."""
_ACTIVATIONS = """
#ifdef __CUDACC__
#define UNROLL _Pragma("unroll")
#define NO_UNROLL _Pragma("unroll 1")
#else
#define UNROLL
#define NO_UNROLL
#endif
#define NONE 0
#define RELU 1
#define HARD_SWISH 2
#define SIGMOID 3
#define HARD_SIGMOID 4
#define RELU6 5

/* NaN stays NaN. */
__device__ inline float clamped(float value, float low, float high) {
    return value < low ? low : value > high ? high : value;
}

__device__ inline float sigmoid(float value) { return 1.0f / (1.0f + expf(-value)); }

__device__ inline float activated(float value, int kind) {
    if (kind == RELU) return value < 0.0f ? 0.0f : value;
    if (kind == HARD_SWISH) return value * clamped(value + 3.0f, 0.0f, 6.0f) / 6.0f;
    if (kind == SIGMOID) return sigmoid(value);
    if (kind == RELU6) return clamped(value, 0.0f, 6.0f);
    if (kind == HARD_SIGMOID) return clamped(value + 3.0f, 0.0f, 6.0f) / 6.0f;
    return value;
}
"""
PRECISIONS = tuple(_STORED)


def network_source(dtype: torch.dtype) -> str:
    """Return the source of the kernels for networks whose activations are stored in this precision."""
    parts = source_encoder.SOURCE, source_decoder.SOURCE, source_filter.SOURCE
    return "".join((_STORED[dtype], _ACTIVATIONS, BILINEAR, *parts))
