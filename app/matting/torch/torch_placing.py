"""Moves and scales a person over the backdrop in torch; see `app.matting.cpu.cpu_placing`."""

from __future__ import annotations

import torch
import torch.nn.functional as functional
from torch import Tensor

from app.core.placement import Area, area_of
from app.core.settings import PlacementSettings
from app.matting.torch.full_size import LayerTensors

LEAST_ALPHA = 1e-6


def placed(layers: LayerTensors, placement: PlacementSettings) -> LayerTensors:
    """Return the layers with foreground and alpha moved together; alpha is 0 outside the moved frame."""
    area = area_of(placement, layers.alpha.shape[3], layers.alpha.shape[2])
    alpha, premultiplied = (_moved(planes, area) for planes in (layers.alpha, layers.person * layers.alpha))
    person = (premultiplied / alpha.clamp(min=LEAST_ALPHA)).clamp(0, 1)
    return LayerTensors(person, alpha, layers.backdrop)


def _moved(planes: Tensor, area: Area) -> Tensor:
    """Return planes (B, C, H, W) moved, 0 outside them."""
    height, width = planes.shape[2:]
    canvas = torch.zeros_like(planes)
    left, top = max(area.left, 0), max(area.top, 0)
    right, bottom = min(area.left + area.width, width), min(area.top + area.height, height)
    if right <= left or bottom <= top:
        return canvas
    if (area.width, area.height) != (width, height):
        size = area.height, area.width
        planes = functional.interpolate(
            planes, size=size, mode="bilinear", align_corners=False, antialias=area.width < width
        ).clamp(0, 1)
    columns, rows = slice(left - area.left, right - area.left), slice(top - area.top, bottom - area.top)
    canvas[:, :, top:bottom, left:right] = planes[:, :, rows, columns]
    return canvas
