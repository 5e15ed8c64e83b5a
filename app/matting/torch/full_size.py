"""The arithmetic of the frame step at the frame's size, in torch."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor

from app.core.geometry import View
from app.core.types import BgrImage, Floats
from app.matting.base.edges import EdgePlan
from app.matting.base.interface import MatteEdit, MatteEditor, StepGeometry
from app.matting.light import Light, grid_size, short_side_for

State = tuple[Tensor, ...]
"""Recurrent states."""


class LayerTensors(NamedTuple):
    """Foreground, alpha and background before the edge controls; float32, RGB in 0..1."""

    person: Tensor
    """(1, 3, H, W) foreground colours."""
    alpha: Tensor
    """(1, 1, H, W)."""
    backdrop: Tensor
    """(1, 3, H, W) backdrop."""


class Pixels(NamedTuple):
    """Results at the frame's size, uint8."""

    composite: Tensor
    """(H, W, 3) BGR."""
    alpha: Tensor
    """(H, W)."""
    foreground: Tensor | None
    """(H, W, 3) BGR, if requested."""


def small_frame(frame: Tensor, geometry: StepGeometry) -> Tensor:
    """Return the small frame (1, 3, h, w) float32, RGB in 0..1, of (H, W, 3) uint8 BGR."""
    image = to_image(frame)
    if geometry.ratio == 1:
        return image
    return functional.interpolate(
        image, scale_factor=geometry.ratio, mode="bilinear", align_corners=False, recompute_scale_factor=False
    )


def layers(frame: Tensor, slope: Tensor, offset: Tensor, backdrop: Tensor) -> LayerTensors:
    """Return the layers of a frame (H, W, 3) uint8 BGR.

    slope, offset: (1, 4, h, w) float32; see `app.matting.torch.core`. backdrop: of the frame's shape and type, or the
    blurred background, (1, 3, h', w') float32 RGB in 0..1.
    """
    image = to_image(frame)
    size = image.shape[2:]
    if slope.shape[2:] != size:
        slope = functional.interpolate(slope, size=size, mode="bilinear", align_corners=False)
        offset = functional.interpolate(offset, size=size, mode="bilinear", align_corners=False)
    matte = slope * torch.cat([image, image.mean(1, keepdim=True)], 1) + offset
    if backdrop.dtype == torch.uint8:
        background = to_image(backdrop)
    else:
        background = torch.round(functional.interpolate(backdrop, size=size, mode="bilinear") * 255) / 255
    return LayerTensors((image + matte[:, :3]).clamp(0, 1), matte[:, 3:].clamp(0, 1), background)


def to_pixels(layers: LayerTensors, *, foreground: bool) -> Pixels:
    """Composite the layers."""
    person, alpha, backdrop = layers
    shown = _to_bytes(alpha)
    # Where alpha is rounded to 0, rounding the colours could still leave one level of the person.
    composite = torch.where(shown > 0, alpha * person + (1 - alpha) * backdrop, backdrop)
    return Pixels(
        composite=_to_bgr(composite),
        alpha=shown[0, 0],
        foreground=_to_bgr(person) if foreground else None,
    )


def to_image(pixels: Tensor) -> Tensor:
    """Convert (H, W, 3) uint8 BGR to (1, 3, H, W) float32 RGB in 0..1."""
    return pixels.permute(2, 0, 1)[None].flip(1).float() / 255


def _to_bytes(values: Tensor) -> Tensor:
    return (values * 255).round().to(torch.uint8)


def _to_bgr(image: Tensor) -> Tensor:
    """Convert (1, 3, H, W) RGB in 0..1 to (H, W, 3) uint8 BGR."""
    return _to_bytes(image)[0].flip(0).permute(1, 2, 0).contiguous()


def edit_of(editor: MatteEditor, small: Tensor, coarse: Tensor) -> MatteEdit:
    """Return the edit of the matte of one stream: small (1, 3, h, w), coarse (1, 1, h, w)."""
    return editor.edit(_to_host(small[0]), _to_host(coarse[0, 0].clamp(0, 1)))


def edited(slope: Tensor, offset: Tensor, coarse: Tensor, edit: MatteEdit) -> tuple[Tensor, Tensor, Tensor]:
    """Return slope, offset and coarse alpha, (1, C, h, w), with the edit applied.

    The view is not applied to the coarse alpha: what is made of it is enlarged after the background blur.
    """
    if edit.gain is not None:
        slope, offset = slope.clone(), offset.clone()
        gain = _to_device(edit.gain, slope)
        slope[:, 3:] *= gain
        offset[:, 3:] *= gain
        coarse = coarse * gain
    if edit.view is not None:
        slope, offset = (in_view(planes, edit.view) for planes in (slope, offset))
    return slope, offset, coarse


class Lighting(NamedTuple):
    """Measures the light of one stream, on the host."""

    light: Light
    backdrop: BgrImage | None
    """What is shown behind the person; None: the person's own background."""

    def maps(self, seen: Tensor, plan: EdgePlan) -> Tensor:
        """Return gains (3) and biases (3), (1, 6, h, w). seen: (1, 4, h, w), RGB and coarse alpha in 0..1."""
        height, width = seen.shape[2:]
        columns, rows = grid_size(width, height, short_side_for(plan))
        *image, alpha = _to_host(functional.interpolate(seen, (rows, columns), mode="bilinear")[0])
        maps = self.light.maps_of_grid(np.dstack(image), alpha.clip(0, 1), self.backdrop, plan)
        # OpenCV enlarges them four times faster than torch on a CPU.
        return torch.from_numpy(np.stack([cv2.resize(plane, (width, height)) for plane in maps])).to(seen.device)[None]


def relit(slope: Tensor, offset: Tensor, maps: Tensor) -> tuple[Tensor, Tensor]:
    """Return slope and offset (1, 4, h, w) whose foreground, pixel * (1 + slope) + offset, is relit; not alpha."""
    gain, bias = maps[:, :3], maps[:, 3:]
    slope = torch.cat([torch.addcmul(gain - 1, gain, slope[:, :3]), slope[:, 3:]], 1)
    return slope, torch.cat([torch.addcmul(bias, gain, offset[:, :3]), offset[:, 3:]], 1)


def viewed_frame(frame: Tensor, view: View) -> Tensor:
    """Return the part of a frame (H, W, 3) uint8, enlarged to the frame's size."""
    planes = frame.permute(2, 0, 1)[None].float()
    return in_view(planes, view)[0].permute(1, 2, 0).round().to(torch.uint8).contiguous()


def in_view(planes: Tensor, view: View) -> Tensor:
    """Return the part of planes (1, C, h, w), enlarged to their size."""
    centre_x, centre_y = (2 * (edge + view.size / 2) - 1 for edge in (view.left, view.top))
    affine = [[view.size, 0.0, centre_x], [0.0, view.size, centre_y]]
    grid = functional.affine_grid(
        torch.tensor([affine], dtype=planes.dtype, device=planes.device), list(planes.shape), align_corners=False
    )
    return functional.grid_sample(planes, grid, padding_mode="border", align_corners=False)


def _to_device(plane: Floats, like: Tensor) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(plane)).to(like.device)[None, None]


def _to_host(planes: Tensor) -> Floats:
    return planes.detach().float().cpu().numpy()
