"""The frame step: all processing between a camera frame and its composite, as one torch module.

Reference for all executors: 8-bit frame, normalization, resize, network, guided filter, edge controls, compositing,
8-bit output.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from app.core.matte_edit import MatteEdit, View
from app.matting.base.edges import EdgePlan
from app.matting.base.interface import MatteEditor, StepGeometry
from app.matting.strict.torch_strict import initial_memory, strict_matte, with_people
from app.matting.torch import torch_edges
from app.matting.torch.core import Core
from app.matting.torch.full_size import (
    LayerTensors,
    Pixels,
    State,
    edit_of,
    edited,
    in_view,
    layers,
    placed,
    small_frame,
    to_pixels,
    viewed_frame,
)
from app.matting.torch.torch_edges import blurred_background


class StepOutput(NamedTuple):
    """Outputs of a step, on the step's device."""

    pixels: Pixels
    finite: Tensor
    """() float32: not finite if the network's output is not finite."""
    state: State
    previous_alpha: Tensor | None
    """Alpha (1, 1, H, W) after temporal smoothing, input of the next step; None while smoothing is off."""
    view: View | None = None
    """The part of the frame that the pixels show; None: the whole frame."""
    hides_person: Tensor | None = None
    """(B,) float32: see `Filtered`; None where nothing is filtered."""


class FrameStep(nn.Module):
    """Maps frame, backdrop and recurrent state to composite, alpha and new state."""

    def __init__(self, core: Core, geometry: StepGeometry, dtype: torch.dtype = torch.float32) -> None:
        """dtype: of the network."""
        super().__init__()
        self.core = core
        self.geometry = geometry
        self.dtype = dtype

    def initial_state(self, seen: Tensor | None = None) -> State:
        """Return the network's states before the first frame, and the memory of strict mode.

        seen: alpha (H, W) uint8 of people whom strict mode shows at once.
        """
        size = self.geometry.small_height, self.geometry.small_width
        weights = next(self.core.parameters(), None)
        memory = initial_memory(*size, torch.device("cpu") if weights is None else weights.device)
        return *self.core.initial_state(*size), with_people(memory, seen)

    def forward(
        self,
        frame: Tensor,
        backdrop: Tensor,
        state: State,
        edges: EdgePlan,
        previous_alpha: Tensor | None = None,
        editor: MatteEditor | None = None,
        *,
        want_foreground: bool = False,
    ) -> StepOutput:
        """Run one step.

        frame: (H, W, 3) uint8 BGR, or (B, H, W, 3) for a batch of B streams with batched states. backdrop: the same, or
        Gaussian taps (K,) float32 for background blur. previous_alpha: that of the previous step's output; None on the
        first frame. editor: for one stream; it runs on the host.
        """
        *network_state, memory = state
        small = small_frame(frame, self.geometry)
        slope, offset, coarse, *new_state = self.core(small.to(self.dtype), *network_state)
        slope, offset, coarse = slope.float(), offset.float(), coarse.float()
        finite = slope.sum() + offset.sum()
        hides = None
        if edges.strict != "off":
            slope, offset, coarse, memory, hides = strict_matte(edges.strict, small, slope, offset, coarse, memory)
        else:
            memory = torch.zeros_like(memory)
        edit = MatteEdit()
        if editor is not None and bool(torch.isfinite(finite)):
            edit = edit_of(editor, small, coarse)
            slope, offset, coarse = edited(slope, offset, coarse, edit)
        background = backdrop
        if backdrop.ndim == 1:
            background = blurred_background(small, coarse, backdrop, self.geometry.blur_factor)
            background = background if edit.view is None else in_view(background, edit.view)
        if edit.view is not None:
            frame = viewed_frame(frame, edit.view)
        whole, previous_alpha = self._finished(layers(frame, slope, offset, background), edges, previous_alpha)
        if edit.placement is not None:
            whole = placed(whole, edit.placement)
        pixels = to_pixels(whole, foreground=want_foreground)
        return StepOutput(pixels, finite, (*new_state, memory), previous_alpha, edit.view, hides)

    def _finished(
        self, whole: LayerTensors, edges: EdgePlan, previous_alpha: Tensor | None
    ) -> tuple[LayerTensors, Tensor | None]:
        """Apply the edge controls at the frame's size. Return also the previous alpha of the next step."""
        person, alpha, background = whole
        if edges.touches_alpha:
            previous_alpha = torch_edges.steady((alpha * 255).round(), edges, previous_alpha)
            alpha, person = _shape(previous_alpha, person, edges)
        if edges.despill > 0:
            person = torch_edges.despill(person, alpha, edges.despill)
        return LayerTensors(person, alpha, background), previous_alpha


def _shape(alpha: Tensor, person: Tensor, edges: EdgePlan) -> tuple[Tensor, Tensor]:
    """Grow and feather alpha (B, 1, H, W), 0..255; return it in 0..1, and the matching foreground."""
    grown = torch_edges.grow(alpha, edges)
    if edges.feather_px == 0:
        return grown / 255, person
    feathered = torch_edges.feather(grown, edges.feather_px)
    return feathered / 255, torch_edges.spread(person, grown, feathered, edges.feather_px)
