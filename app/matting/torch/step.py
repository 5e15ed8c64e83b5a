"""The frame step: all processing between a camera frame and its composite, as one torch module.

Reference for all executors: 8-bit frame, normalization, resize, network, guided filter, edge controls, compositing,
8-bit output.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from app.core.matte_edit import View
from app.core.settings import StrictLevel
from app.matting.base.edges import EdgePlan
from app.matting.base.interface import MatteEditor, StepGeometry
from app.matting.strict.torch_strict import initial_memory, strict_matte, with_people
from app.matting.torch import torch_edges
from app.matting.torch.core import Core
from app.matting.torch.full_size import LayerTensors, Pixels, State, StepTensors, layers, small_frame, to_pixels
from app.matting.torch.torch_blur import blurred_background
from app.matting.torch.torch_edit import edit_of, edited, in_view, placed, viewed_frame


@dataclass(frozen=True, slots=True)
class StepMode:
    """Options of a step."""

    edges: EdgePlan
    foreground: bool = False


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
    """See `StepTensors`."""


class FrameStep(nn.Module):
    """Maps frame, backdrop and recurrent state to composite, alpha and new state."""

    def __init__(
        self,
        core: Core,
        geometry: StepGeometry,
        dtype: torch.dtype = torch.float32,
    ) -> None:
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
        editor: MatteEditor | None = None,
    ) -> StepOutput:
        """Run one step.

        frame: (H, W, 3) uint8 BGR. backdrop: the same, or Gaussian taps (K,) float32 for background blur.
        previous_alpha: that of the previous step's output; None on the first frame.
        """
        blurred = backdrop.ndim == 1
        tensors = self.coefficients(frame, state, mode.edges.strict, backdrop if blurred else None, editor)
        if tensors.view is not None:
            frame = viewed_frame(frame, tensors.view)
        pixels, previous_alpha = self.finish(frame, tensors, None if blurred else backdrop, mode, previous_alpha)
        return StepOutput(pixels, tensors.finite, tensors.state, previous_alpha, tensors.view, tensors.hides_person)

    def coefficients(
        self,
        frame: Tensor,
        state: State,
        level: StrictLevel = "off",
        taps: Tensor | None = None,
        editor: MatteEditor | None = None,
    ) -> StepTensors:
        """Run the part of the step at the small size.

        frame: as for `forward`, or (B, H, W, 3) for a batch of B streams with batched states. level: of the strict
        filter. taps: of the background blur, if any. editor: for one stream; it runs on the host.
        """
        *network_state, memory = state
        small = small_frame(frame, self.geometry)
        slope, offset, coarse, *new_state = self.core(small.to(self.dtype), *network_state)
        slope, offset, coarse = slope.float(), offset.float(), coarse.float()
        finite = slope.sum() + offset.sum()
        hides = None
        if level != "off":
            slope, offset, coarse, memory, hides = strict_matte(level, small, slope, offset, coarse, memory)
        else:
            memory = torch.zeros_like(memory)
        view = placement = None
        if editor is not None and bool(torch.isfinite(finite)):
            edit = edit_of(editor, small, coarse)
            slope, offset, coarse = edited(slope, offset, coarse, edit)
            view, placement = edit.view, edit.placement
        blurred = None if taps is None else blurred_background(small, coarse, taps, self.geometry.blur_factor)
        if blurred is not None and view is not None:
            blurred = in_view(blurred, view)
        return StepTensors(slope, offset, blurred, finite, (*new_state, memory), view, placement, hides)

    def finish(
        self,
        frame: Tensor,
        tensors: StepTensors,
        backdrop: Tensor | None,
        mode: StepMode,
        previous_alpha: Tensor | None = None,
    ) -> tuple[Pixels, Tensor | None]:
        """Run the part at the frame's size: edge controls, compositing, conversion. Return also the previous alpha.

        backdrop: ([B,] H, W, 3) uint8 BGR; None where `tensors.blurred_background` takes its place. previous_alpha: as
        for `forward`.
        """
        person, alpha, background = layers(frame, tensors, backdrop)
        if mode.edges.touches_alpha:
            previous_alpha = torch_edges.steady((alpha * 255).round(), mode.edges, previous_alpha)
            alpha, person = _shape(previous_alpha, person, mode.edges)
        if mode.edges.despill > 0:
            person = torch_edges.despill(person, alpha, mode.edges.despill)
        whole = LayerTensors(person, alpha, background)
        if tensors.placement is not None:
            whole = placed(whole, tensors.placement)
        return to_pixels(whole, foreground=mode.foreground), previous_alpha


def _shape(alpha: Tensor, person: Tensor, edges: EdgePlan) -> tuple[Tensor, Tensor]:
    """Grow and feather alpha (B, 1, H, W), 0..255; return it in 0..1, and the matching foreground."""
    grown = torch_edges.grow(alpha, edges)
    if edges.feather_px == 0:
        return grown / 255, person
    feathered = torch_edges.feather(grown, edges.feather_px)
    return feathered / 255, torch_edges.spread(person, grown, feathered, edges.feather_px)
