"""Edits of mattes in torch; the editor itself runs on the host."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor

from app.core.matte_edit import MatteEdit, Plane, View
from app.matting.base.interface import MatteEditor


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
