"""The arithmetic at the frame's size as two CUDA kernels: it reads each pixel once and writes each result once.

A third one labels the components of strict mode, which takes 280 operations of torch.
"""

from __future__ import annotations

import torch
from torch import Tensor

from app.matting.geometry import StepGeometry
from app.matting.step.full_size import Coefficients, Pixels
from app.matting.strict.torch_components import SWEEPS
from models.cuda.launch import Argument, Launch

BLOCK = (32, 8, 1)
THREADS = 256
"""Of `components`: a line of the grid of strict mode has about 160 cells."""


class FusedFullSize:
    """Implements `FullSize`."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch

    def small(self, frame: Tensor, geometry: StepGeometry) -> Tensor:
        """See `FullSize.small`."""
        batch, height, width = _sizes(frame)
        size = geometry.small_width, geometry.small_height
        shape = batch, 3, size[1], size[0]
        small = torch.empty(
            shape, dtype=torch.float32, device=frame.device, memory_format=torch.channels_last
        )  # the layout in which convolutions of float16 are fastest
        arguments = frame.contiguous(), small, width, height, *size, float(1 / geometry.ratio)
        self._launch("small_frame", _grid(*size, batch), BLOCK, arguments)
        return small

    def pixels(self, frame: Tensor, given: Coefficients, backdrop: Tensor | None, *, foreground: bool) -> Pixels:
        """See `FullSize.pixels`."""
        batch, height, width = _sizes(frame)
        slope, offset, room = given.slope, given.offset, given.room
        composite = torch.empty_like(frame, memory_format=torch.contiguous_format)
        alpha = torch.empty(frame.shape[:-1], dtype=torch.uint8, device=frame.device)
        person = torch.empty_like(composite) if foreground else None
        room = None if room is None else room.contiguous()
        room_size = (0, 0) if room is None else (room.shape[3], room.shape[2])
        arguments: tuple[Argument, ...] = (
            frame.contiguous(),
            slope if any(slope.stride()) else None,
            offset,
            backdrop.contiguous() if room is None and backdrop is not None else None,
            room,
            composite,
            alpha,
            person,
            width,
            height,
            offset.shape[3],
            offset.shape[2],
            *room_size,
            *slope.stride(),
            *offset.stride(),
        )
        self._launch("pixels", _grid(width, height, batch), BLOCK, arguments)
        return Pixels(composite.squeeze(0), alpha.squeeze(0), None if person is None else person.squeeze(0))

    def components(self, mask: Tensor) -> Tensor:
        """See `FullSize.components`."""
        batch, _, height, width = mask.shape
        labels = torch.empty((batch, height * width), dtype=torch.int64, device=mask.device)
        self._launch("components", (batch, 1, 1), (THREADS, 1, 1), (mask.contiguous(), labels, width, height, SWEEPS))
        return labels


def _sizes(frame: Tensor) -> tuple[int, int, int]:
    """Return batch, height and width of ([B,] H, W, 3)."""
    return (frame.shape[0] if frame.ndim == 4 else 1), frame.shape[-3], frame.shape[-2]


def _grid(width: int, height: int, batch: int) -> tuple[int, int, int]:
    return -(-width // BLOCK[0]), -(-height // BLOCK[1]), batch
