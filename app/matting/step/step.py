"""The frame step: all processing between a camera frame and its composite, as one torch module.

Reference for all executors: 8-bit frame, normalization, resize, network, guided filter, edge controls, compositing,
8-bit output.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from app.matting.geometry import StepGeometry
from app.matting.step import torch_edges
from app.matting.step.core import Core, State
from app.matting.step.edges import EdgePlan
from app.matting.step.torch_blur import blurred_background
from app.matting.strict.torch_strict import initial_memory, strict_matte, with_people


@dataclass(frozen=True, slots=True)
class StepMode:
    """Options of a step; constant within a captured graph."""

    edges: EdgePlan
    foreground: bool = False


class Layers(NamedTuple):
    """Foreground, alpha and background before the edge controls; float32, RGB in 0..1."""

    person: Tensor
    """(B, 3, H, W) foreground colours."""
    alpha: Tensor
    """(B, 1, H, W)."""
    behind: Tensor
    """(B, 3, H, W) backdrop."""
    finite: Tensor
    """() float32: not finite if the network's output is not finite."""
    state: State


class StepOutput(NamedTuple):
    """Outputs of a step, on the step's device."""

    composite: Tensor
    """(H, W, 3) uint8 BGR."""
    alpha: Tensor
    """(H, W) uint8."""
    foreground: Tensor | None
    """(H, W, 3) uint8 BGR, if requested."""
    finite: Tensor
    """() float32: not finite if the network's output is not finite."""
    state: State
    previous_alpha: Tensor | None
    """Alpha (1, 1, H, W) after temporal smoothing, input of the next step; None while smoothing is off."""


class FrameStep(nn.Module):
    """Maps frame, backdrop and recurrent state to composite, alpha and new state."""

    def __init__(self, core: Core, geometry: StepGeometry, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.core = core
        self.geometry = geometry
        self.dtype = dtype

    def initial_state(self, seen: Tensor | None = None) -> State:
        """Return the network's states before the first frame, and the memory of strict mode.

        seen: alpha (H, W) uint8 of people whom strict mode shows at once.
        """
        size = self.geometry.small_height, self.geometry.small_width
        return *self.core.initial_state(*size), with_people(self.initial_memory(), seen)

    def initial_memory(self, batch: int = 1) -> Tensor:
        """Return the memory of strict mode before the first frame of so many streams."""
        weights = next(self.core.parameters(), None)
        device = torch.device("cpu") if weights is None else weights.device
        memory = initial_memory(self.geometry.small_height, self.geometry.small_width, device)
        return memory.repeat(batch, 1, 1, 1)

    def forward(
        self,
        frame: Tensor,
        backdrop: Tensor,
        state: State,
        mode: StepMode,
        previous_alpha: Tensor | None = None,
    ) -> StepOutput:
        """Run one step.

        frame: (H, W, 3) uint8 BGR. backdrop: the same, or Gaussian taps (K,) float32 for background blur.
        previous_alpha: that of the previous step's output; None on the first frame.
        """
        return self.finish(self.layers(frame, backdrop, state, mode.edges.strict), mode, previous_alpha)

    def layers(self, frame: Tensor, backdrop: Tensor, state: State, strict: bool | Tensor = False) -> Layers:
        """Run the step up to the edge controls; `finish` runs the rest.

        frame and backdrop: as for `forward`, or (B, H, W, 3) for a batch of B streams with batched states. strict:
        whether strict mode is on; in a captured graph a () float32 tensor (0 or 1), so that one graph serves both
        modes.
        """
        *network_state, memory = state
        image = _to_image(frame)
        small = self._small(image)
        slope, offset, coarse, *new_state = self.core(small.to(self.dtype), *network_state)
        slope, offset, coarse = slope.float(), offset.float(), coarse.float()
        finite = slope.sum() + offset.sum()
        if self.core.supports_strict and strict is not False:
            slope, offset, coarse, memory = strict_matte(small, slope, offset, coarse, memory, strict)
        elif self.core.supports_strict:
            memory = torch.zeros_like(memory)
        matte = _apply(image, slope, offset)
        person, alpha = (image + matte[:, :3]).clamp(0, 1), matte[:, 3:].clamp(0, 1)
        if backdrop.ndim == 1:
            room = blurred_background(small, coarse, backdrop, self.geometry.blur_factor)
            behind = torch.round(functional.interpolate(room, size=image.shape[2:], mode="bilinear") * 255) / 255
        else:
            behind = _to_image(backdrop)
        return Layers(person, alpha, behind, finite, (*new_state, memory))

    def finish(self, layers: Layers, mode: StepMode, previous_alpha: Tensor | None = None) -> StepOutput:
        """Run edge controls, compositing and conversion.

        previous_alpha: as for `forward`. The outputs of B > 1 streams keep the batch dimension.
        """
        person, alpha = layers.person, layers.alpha
        if mode.edges.touches_alpha:
            previous_alpha = torch_edges.steady((alpha * 255).round(), mode.edges, previous_alpha)
            alpha, person = self._shape(previous_alpha, person, mode.edges)
        if mode.edges.despill > 0:
            person = torch_edges.despill(person, alpha, mode.edges.despill)
        return StepOutput(
            composite=_to_bgr(alpha * person + (1 - alpha) * layers.behind),
            alpha=_to_bytes(alpha).squeeze(1).squeeze(0),
            foreground=_to_bgr(person) if mode.foreground else None,
            finite=layers.finite,
            state=layers.state,
            previous_alpha=previous_alpha,
        )

    def _shape(self, alpha: Tensor, person: Tensor, edges: EdgePlan) -> tuple[Tensor, Tensor]:
        """Grow and feather alpha (B, 1, H, W), 0..255; return it in 0..1, and the matching foreground."""
        grown = torch_edges.grow(alpha, edges)
        if edges.feather_px == 0:
            return grown / 255, person
        feathered = torch_edges.feather(grown, edges.feather_px)
        return feathered / 255, torch_edges.spread(person, grown, feathered, edges.feather_px)

    def _small(self, image: Tensor) -> Tensor:
        if self.geometry.ratio == 1:
            return image
        return functional.interpolate(
            image,
            scale_factor=self.geometry.ratio,
            mode="bilinear",
            align_corners=False,
            recompute_scale_factor=False,
        )


def _apply(image: Tensor, slope: Tensor, offset: Tensor) -> Tensor:
    """Return slope * [R, G, B, mean] + offset at full size: [foreground residual, alpha] (1, 4, H, W)."""
    size = image.shape[2:]
    if slope.shape[2:] != size:
        slope = functional.interpolate(slope, size=size, mode="bilinear", align_corners=False)
        offset = functional.interpolate(offset, size=size, mode="bilinear", align_corners=False)
    return slope * torch.cat([image, image.mean(1, keepdim=True)], 1) + offset


def _to_bytes(values: Tensor) -> Tensor:
    return (values * 255).round().to(torch.uint8)


def _to_image(pixels: Tensor) -> Tensor:
    """Convert ([B,] H, W, 3) uint8 BGR to (B, 3, H, W) float32 RGB in 0..1."""
    return pixels.reshape(-1, *pixels.shape[-3:]).permute(0, 3, 1, 2).flip(1).float() / 255


def _to_bgr(image: Tensor) -> Tensor:
    """Convert (B, 3, H, W) RGB in 0..1 to (B, H, W, 3) uint8 BGR; a batch of 1 is squeezed."""
    return _to_bytes(image).flip(1).permute(0, 2, 3, 1).contiguous().squeeze(0)
