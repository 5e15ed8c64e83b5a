"""Edits of mattes in torch: gain, keep, view and placement; the editor itself runs on the host."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor

from app.core.matte_edit import MatteEdit, Plane, View
from app.core.placement import Area, area_of
from app.core.settings import PlacementSettings
from app.matting.base.interface import MatteEditor
from app.matting.torch.full_size import LayerTensors


def edit_of(editor: MatteEditor, small: Tensor, coarse: Tensor) -> MatteEdit:
    """Return the edit of the matte of one stream: small (1, 3, h, w), coarse (1, 1, h, w)."""
    return editor.edit(_to_host(small[0]), _to_host(coarse[0, 0].clamp(0, 1)))


def edited(slope: Tensor, offset: Tensor, coarse: Tensor, edit: MatteEdit) -> tuple[Tensor, Tensor, Tensor]:
    """Return slope, offset and coarse alpha, (1, C, h, w), with the edit applied.

    The view is not applied to the coarse alpha: what is made of it is enlarged after the background blur.
    """
    if edit.changes_alpha:
        slope, offset = slope.clone(), offset.clone()
    if edit.gain is not None:
        gain = _to_device(edit.gain, slope)
        slope[:, 3:] *= gain
        offset[:, 3:] *= gain
        coarse = coarse * gain
    if edit.keep is not None:
        keep = _to_device(edit.keep, slope)
        slope[:, :3] *= 1 - keep
        offset[:, :3] *= 1 - keep
        offset[:, 3:] += keep
        coarse = coarse + keep
    if edit.view is not None:
        slope, offset = (in_view(planes, edit.view) for planes in (slope, offset))
    return slope, offset, coarse


def viewed_frame(frame: Tensor, view: View) -> Tensor:
    """Return the part of a frame (H, W, 3) uint8, enlarged to the frame's size."""
    planes = frame.permute(2, 0, 1)[None].float()
    return in_view(planes, view)[0].permute(1, 2, 0).round().to(torch.uint8).contiguous()


def in_view(planes: Tensor, view: View) -> Tensor:
    """Return the part of planes (B, C, h, w), enlarged to their size."""
    centre_x, centre_y = (2 * (edge + view.size / 2) - 1 for edge in (view.left, view.top))
    affine = [[view.size, 0.0, centre_x], [0.0, view.size, centre_y]]
    grid = functional.affine_grid(
        torch.tensor([affine], dtype=planes.dtype, device=planes.device), list(planes.shape), align_corners=False
    )
    return functional.grid_sample(planes, grid, padding_mode="border", align_corners=False)


def _to_device(plane: Plane, like: Tensor) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(plane)).to(like.device)[None, None]


def _to_host(planes: Tensor) -> Plane:
    return planes.detach().float().cpu().numpy()


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
