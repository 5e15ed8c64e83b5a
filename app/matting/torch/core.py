"""The frame step as a torch module, and the adapter from a network to it: the part that runs at the small size.

A core is a module `core(small, *state) -> (slope, offset, coarse_alpha, *state)`. `small` is (1, 3, h, w), RGB in 0..1.
`slope` and `offset`, (1, 4, h, w), are resized to the frame's size, where they map [R, G, B, mean of RGB] to
[foreground residual (3), alpha]. `coarse_alpha` is (1, 1, h, w) in 0..1.
"""

from __future__ import annotations

import copy
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray
from torch import Tensor, nn

from app.core.geometry import View
from app.core.types import BgrImage
from app.matting.base.dark_frames import DARK, DARKER, MOST_GAIN, TARGET
from app.matting.base.edges import EdgePlan
from app.matting.base.interface import MatteEdit, MatteEditor, StepGeometry
from app.matting.strict.torch_strict import initial_memory, strict_matte, with_people
from app.matting.torch import torch_edges
from app.matting.torch.full_size import (
    LayerTensors,
    Lighting,
    Pixels,
    State,
    edit_of,
    edited,
    in_view,
    layers,
    relit,
    small_frame,
    to_pixels,
    viewed_frame,
)
from app.matting.torch.torch_edges import blurred_background
from models.bgmv2 import MattingRefine
from models.export import TwoStageNetwork
from models.rules import CELL


class Core(nn.Module):
    """Wraps a network's first stage; the frame step runs the second."""

    sees_gain = True
    """Whether the network's input gets the gain of `app.matting.base.dark_frames`; not where a plate is compared."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def initial_state(self, height: int, width: int) -> State:
        """Return the recurrent states before the first small frame of this size."""
        network: TwoStageNetwork = self.network  # type: ignore[assignment]
        return network.initial_state(1, height, width)

    def forward(self, small: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Return slope, offset, coarse alpha and the new states."""
        network: TwoStageNetwork = self.network  # type: ignore[assignment]
        return network.coefficients(small, *state)


def no_slope(offset: Tensor) -> Tensor:
    """Return zeros of the shape of `offset` without memory of that size."""
    return offset.new_zeros(1, 1, 1, 1).expand_as(offset)


class DirectCore(Core):
    """Core for a network that runs at full size: the matte is the offset, the slope is zero."""

    def forward(self, small: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Return slope (zero), offset, alpha and the new states."""
        network: TwoStageNetwork = self.network  # type: ignore[assignment]
        foreground, alpha, *new_state = network(small, *state)
        offset = torch.cat([foreground - small, alpha], 1)
        return no_slope(offset), offset, alpha, *new_state


class SeenPlateCore(Core):
    """Core of a recurrent network that sees frame and plate at the small size."""

    scale = None
    sees_gain = False
    plate: Tensor
    unlit: Tensor
    """The plate as it was captured, (1, 3, h, w), RGB in 0..1."""

    def __init__(self, network: nn.Module, plate: BgrImage, geometry: StepGeometry) -> None:
        """plate: (H, W, 3) uint8 BGR, of the size of the frame."""
        super().__init__(network)
        self.size = plate.shape[0], plate.shape[1]
        small = small_frame(torch.from_numpy(plate.copy()), geometry).to(next(network.parameters()))
        self.register_buffer("unlit", small, persistent=False)
        self.register_buffer("plate", small.clone(), persistent=False)

    def set_gain(self, gain: NDArray[np.float32]) -> None:
        """See `LitPlate.set_gain`."""
        factors = torch.from_numpy(gain[::-1].astype(np.float32)).to(self.unlit).view(1, 3, 1, 1)
        self.plate.copy_((self.unlit * factors).clamp_(0, 1))

    def forward(self, small: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """See `Core.forward`."""
        return super().forward(torch.cat([small, self.plate], 1), *state)


class PlateCore(Core):
    """Core of Background Matting V2 at full size: the matte is the offset; slope is zero, and there is no state.

    Frame and plate are padded to multiples of 4 pixels, as required by the refiner.
    """

    sees_gain = False
    plate: Tensor
    unlit: Tensor
    """The plate as it was captured, (1, 3, H', W') uint8 RGB."""

    def __init__(self, network: nn.Module, plate: BgrImage, scale: float, sample_pixels: int) -> None:
        """Wrap a MattingRefine network.

        plate: (H, W, 3) uint8 BGR, same size as the frame. scale: of the base network's input, at most 1/2.
        sample_pixels: number of pixels to refine.
        """
        assert isinstance(network, MattingRefine)
        network = copy.deepcopy(network)  # Other engines may share these weights at another scale.
        network.backbone_scale = scale
        network.refiner.sample_pixels = sample_pixels
        super().__init__(network)
        self.scale = scale
        self.size = plate.shape[0], plate.shape[1]
        like = next(network.parameters())
        unlit = torch.from_numpy(plate[..., ::-1].copy()).permute(2, 0, 1)[None].to(like)
        self.register_buffer("unlit", _padded(unlit).to(torch.uint8), persistent=False)
        self.register_buffer("plate", self.unlit.to(like) / 255, persistent=False)

    def set_gain(self, gain: NDArray[np.float32]) -> None:
        """See `LitPlate.set_gain`; rounds as `lit_plate`."""
        factors = torch.from_numpy(gain[::-1].astype(np.float32)).to(self.unlit.device).view(1, 3, 1, 1)
        self.plate.copy_((self.unlit * factors + 0.5).clamp_(0, 255).floor_().div_(255))

    def initial_state(self, height: int, width: int) -> State:
        """Return no states: the network is not recurrent."""
        return ()

    def forward(self, small: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Return slope (zero), offset and alpha at full size; small: the whole frame (1, 3, H, W)."""
        height, width = small.shape[2:]
        alpha, foreground, *_ = self.network(_padded(small), self.plate)
        alpha, foreground = alpha[:, :, :height, :width], foreground[:, :, :height, :width]
        offset = torch.cat([foreground - small, alpha], 1)
        return no_slope(offset), offset, alpha


def _padded(image: Tensor) -> Tensor:
    height, width = image.shape[2:]
    if height % CELL == 0 and width % CELL == 0:
        return image
    return functional.pad(image, (0, -width % CELL, 0, -height % CELL), mode="replicate")


def network_gain(mean: Tensor) -> Tensor:
    """Return `app.matting.base.dark_frames.network_gain`, on the device of the mean."""
    share = ((DARK - mean) / (DARK - DARKER)).clamp(0, 1)
    return (1 + (TARGET / mean.clamp(min=1e-3) - 1) * share).clamp(max=MOST_GAIN)


class StepInputs(NamedTuple):
    """Inputs of a step, on the step's device."""

    frame: Tensor
    """(H, W, 3) uint8 BGR."""
    backdrop: Tensor
    """The same, or Gaussian taps (K,) float32 for background blur."""
    state: State
    edges: EdgePlan
    previous_alpha: Tensor | None = None
    """That of the previous step's output; None on the first frame."""
    want_foreground: bool = False

    @property
    def form(self) -> tuple[object, ...]:
        """What a graph cannot change: all but the contents of the tensors."""
        backdrop, previous = self.backdrop, self.previous_alpha is not None
        return self.frame.shape, backdrop.shape, backdrop.dtype, previous, id(self.edges), self.want_foreground


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


class FrameStep(nn.Module):
    """Maps frame, backdrop and recurrent state to composite, alpha and new state.

    Reference for all executors: 8-bit frame, normalization, resize, network, guided filter, edge controls, compositing,
    8-bit output.
    """

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
        self, inputs: StepInputs, editor: MatteEditor | None = None, lighting: Lighting | None = None
    ) -> StepOutput:
        """Run one step. editor, lighting: of one stream; they run on the host."""
        frame, backdrop, (*network_state, memory), edges, previous_alpha, want_foreground = inputs
        small = small_frame(frame, self.geometry)
        gain = network_gain(small[:, :, ::4, ::4].mean()) if self.core.sees_gain else None
        seen = small if gain is None else (small * gain).clamp(max=1)
        slope, offset, coarse, *new_state = self.core(seen.to(self.dtype), *network_state)
        slope, offset, coarse = slope.float(), offset.float(), coarse.float()
        if gain is not None:
            slope = torch.cat([slope[:, :3], slope[:, 3:] * gain], 1)
            offset = torch.cat([offset[:, :3] / gain, offset[:, 3:]], 1)
        finite = slope.sum() + offset.sum()
        if edges.strict != "off":
            slope, offset, coarse, memory = strict_matte(small, slope, offset, coarse, memory)
        else:
            memory = torch.zeros_like(memory)
        edit = MatteEdit()
        on_host = (editor is not None or lighting is not None) and bool(torch.isfinite(finite))
        if editor is not None and on_host:
            edit = edit_of(editor, small, coarse)
            slope, offset, coarse = edited(slope, offset, coarse, edit)
        if lighting is not None and on_host:
            seen = torch.cat([small, coarse], 1)
            seen = seen if edit.view is None else in_view(seen, edit.view)
            slope, offset = relit(slope, offset, lighting.maps(seen, edges))
        background = backdrop
        if backdrop.ndim == 1:
            background = blurred_background(small, coarse, backdrop, self.geometry.blur_factor)
            background = background if edit.view is None else in_view(background, edit.view)
        if edit.view is not None:
            frame = viewed_frame(frame, edit.view)
        whole, previous_alpha = self._finished(layers(frame, slope, offset, background), edges, previous_alpha)
        pixels = to_pixels(whole, foreground=want_foreground)
        return StepOutput(pixels, finite, (*new_state, memory), previous_alpha, edit.view)

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
