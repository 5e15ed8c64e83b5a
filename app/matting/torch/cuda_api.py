"""CUDA as torch sees it: a test of half precision, and release of memory."""

from __future__ import annotations

import logging

import torch
import torch.nn.functional as functional

_log = logging.getLogger(__name__)
CHANNELS, SIDE = 32, 24
TOLERANCE = 0.05
"""Largest difference of a float16 convolution of values around 1 from float32."""


def convolves_in_half(device: torch.device) -> bool:
    """Return whether convolutions in float16 on `device` agree with float32 on the CPU. Raises RuntimeError."""
    image = torch.linspace(-1, 1, CHANNELS * SIDE * SIDE).sin().view(1, CHANNELS, SIDE, SIDE)
    weight = torch.linspace(-3, 3, CHANNELS * CHANNELS * 9).cos().view(CHANNELS, CHANNELS, 3, 3) / CHANNELS
    expected = functional.conv2d(image, weight, padding=1)
    with torch.inference_mode():
        half = image.to(device, torch.float16), weight.to(device, torch.float16)
        found = functional.conv2d(*half, padding=1).float().cpu()
    return bool(torch.isfinite(found).all()) and float((found - expected).abs().max()) < TOLERANCE


def release_memory() -> None:
    """Return unused GPU and pinned memory to the system; does nothing where CUDA is not in use.

    torch keeps freed memory for later; other programs, and other devices of this one, cannot use it meanwhile.
    """
    if not torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        return
    try:
        torch.cuda.empty_cache()
        empty_pinned = getattr(torch._C, "_host_emptyCache", None)
        if empty_pinned is not None:
            empty_pinned()
    except RuntimeError as error:  # A GPU that is lost refuses even that.
        _log.warning("GPU memory could not be released.", exc_info=error)
