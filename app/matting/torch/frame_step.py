"""The frame step as a torch module, and the cores that adapt networks to it.

A core is a module `core(small, *state) -> (slope, offset, coarse_alpha, *state)`. `small` is (1, 3,
h, w), RGB in 0..1. `slope` and `offset`, (1, 4, h, w), are resized to the frame's size, where they
map [R, G, B, mean of RGB] to [foreground residual (3), alpha]. `coarse_alpha` is (1, 1, h, w) in
0..1.
"""

from __future__ import annotations

import copy
import functools
from typing import NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray
from torch import Tensor, nn

from app.core.settings import StrictLevel
from app.core.types import BgrImage, Floats, MatteEdit, MatteEditor, View
from app.matting.blur import FILL_FACTOR, FILL_SIGMA, FILL_WEIGHT, FLOOR, PERSON_MARGIN
from app.matting.edges import (
    SPREAD_ALPHA,
    SPREAD_FACTOR,
    SPREAD_FLOOR,
    EdgePlan,
    box_radii,
    octagon,
    spread_radius,
)
from app.matting.interface import DARK, DARKER, MOST_GAIN, TARGET, StepGeometry
from app.matting.strict.torch_strict import initial_memory, strict_matte, with_people
from models.bgmv2 import MattingRefine
from models.exchange import CELL
from models.export import TwoStageNetwork

# Recurrent states.
State = tuple[Tensor, ...]


def small_frame(frame: Tensor, geometry: StepGeometry) -> Tensor:
    """Return the small frame (1, 3, h, w) float32, RGB in 0..1, of (H, W, 3) uint8 BGR."""
    image = to_image(frame)
    if geometry.ratio == 1:
        return image
    return functional.interpolate(
        image,
        scale_factor=geometry.ratio,
        mode="bilinear",
        align_corners=False,
        recompute_scale_factor=False,
    )


def layers(
    frame: Tensor,
    slope: Tensor,
    offset: Tensor,
    backdrop: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the person's colours (1, 3, H, W), alpha (1, 1, H, W) and backdrop (1, 3, H, W).

    All are float32 in 0..1, colours RGB. frame: (H, W, 3) uint8 BGR. slope, offset: (1, 4, h, w)
    float32; see above. backdrop: of the frame's shape and type, or the blurred background, (1, 3,
    h', w') float32 RGB in 0..1.
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
        enlarged = functional.interpolate(backdrop, size=size, mode="bilinear")
        background = torch.round(enlarged * 255) / 255
    return (image + matte[:, :3]).clamp(0, 1), matte[:, 3:].clamp(0, 1), background


def to_pixels(person: Tensor, alpha: Tensor, backdrop: Tensor) -> tuple[Tensor, Tensor]:
    """Return composite (H, W, 3) BGR and alpha (H, W), uint8, of the results of `layers`."""
    shown = _to_bytes(alpha)
    # Where alpha is rounded to 0, rounding the colours could still leave one level of the person.
    composite = torch.where(shown > 0, alpha * person + (1 - alpha) * backdrop, backdrop)
    return to_bgr(composite), shown[0, 0]


def to_image(pixels: Tensor) -> Tensor:
    """Convert (H, W, 3) uint8 BGR to (1, 3, H, W) float32 RGB in 0..1."""
    return pixels.permute(2, 0, 1)[None].flip(1).float() / 255


def _to_bytes(values: Tensor) -> Tensor:
    return (values * 255).round().to(torch.uint8)


def to_bgr(image: Tensor) -> Tensor:
    """Convert (1, 3, H, W) RGB in 0..1 to (H, W, 3) uint8 BGR."""
    return _to_bytes(image)[0].flip(0).permute(1, 2, 0).contiguous()


def edited(
    slope: Tensor,
    offset: Tensor,
    coarse: Tensor,
    edit: MatteEdit,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return slope, offset and coarse alpha, (1, C, h, w), with the edit applied.

    The view is not applied to the coarse alpha: what is made of it is enlarged after the background
    blur.
    """
    if edit.gain is not None:
        slope = slope.clone()
        offset = offset.clone()
        gain = torch.from_numpy(np.ascontiguousarray(edit.gain)).to(slope.device)[None, None]
        slope[:, 3:] *= gain
        offset[:, 3:] *= gain
        coarse = coarse * gain
    for light in edit.lights:
        slope, offset = relit(slope, offset, light)
    if edit.view is not None:
        slope = in_view(slope, edit.view)
        offset = in_view(offset, edit.view)
    return slope, offset, coarse


def relit(slope: Tensor, offset: Tensor, light: Floats) -> tuple[Tensor, Tensor]:
    """Return slope and offset (1, 4, h, w) of the relit foreground; alpha stays.

    The foreground is pixel * (1 + slope) + offset. light: as in `MatteEdit`.
    """
    height, width = slope.shape[2:]
    # OpenCV enlarges them four times faster than torch on a CPU.
    planes = np.stack([cv2.resize(plane, (width, height)) for plane in light])
    maps = torch.from_numpy(planes).to(slope.device)[None]
    gain = maps[:, :3]
    bias = maps[:, 3:]
    slope = torch.cat([torch.addcmul(gain - 1, gain, slope[:, :3]), slope[:, 3:]], 1)
    return slope, torch.cat([torch.addcmul(bias, gain, offset[:, :3]), offset[:, 3:]], 1)


def in_view(planes: Tensor, view: View) -> Tensor:
    """Return the part of planes (1, C, h, w), enlarged to their size."""
    # torch counts from -1 at the left or top to 1 at the right or bottom.
    centre_x = 2 * (view.left + view.size / 2) - 1
    centre_y = 2 * (view.top + view.size / 2) - 1
    affine = [[view.size, 0.0, centre_x], [0.0, view.size, centre_y]]
    matrix = torch.tensor([affine], dtype=planes.dtype, device=planes.device)
    grid = functional.affine_grid(matrix, list(planes.shape), align_corners=False)
    return functional.grid_sample(planes, grid, padding_mode="border", align_corners=False)


def steady(alpha: Tensor, plan: EdgePlan, previous_alpha: Tensor | None) -> Tensor:
    """Apply contrast and temporal smoothing to alpha (1, 1, H, W).

    It is integers 0..255 in a float tensor. previous_alpha: the result for the previous frame, or
    None. NaN gives any value; the caller discards such a frame.
    """
    # An index outside the table, from NaN, would stop a GPU for the whole process.
    if plan.contrast is not None:
        alpha = _table(plan.contrast, alpha.device)[alpha.long().clamp(0, 255)].float()
    if plan.temporal_smoothing is not None and previous_alpha is not None:
        steps = _table(plan.temporal_smoothing, alpha.device)
        alpha = previous_alpha + steps[((alpha - previous_alpha).long() + 255).clamp(0, 510)]
    return alpha


def _table(values: NDArray[np.uint8] | NDArray[np.int16], device: torch.device) -> Tensor:
    return _uploaded(values.tobytes(), values.dtype.str, device)


@functools.lru_cache(maxsize=8)
def _uploaded(values: bytes, dtype: str, device: torch.device) -> Tensor:
    """Keep tables on the device: the upload of a table waits for all work before it."""
    return torch.from_numpy(np.frombuffer(values, dtype).copy()).to(device)


def grow(alpha: Tensor, plan: EdgePlan) -> Tensor:
    """Grow or shrink alpha (1, 1, H, W), integers 0..255 in a float tensor."""
    if plan.grow_px > 0:
        return _dilate(alpha, plan.grow_px)
    if plan.grow_px < 0:
        return 255 - _dilate(255 - alpha, -plan.grow_px)
    return alpha


def feather(alpha: Tensor, feather_px: int) -> Tensor:
    """Feather alpha (1, 1, H, W) outward, integers 0..255 in a float tensor; it never decreases."""
    return torch.maximum(alpha, _soften(_dilate(alpha, -(-feather_px // 2)), feather_px))


def spread(person: Tensor, before: Tensor, after: Tensor, feather_px: int) -> Tensor:
    """Return the foreground (1, 3, H, W) in 0..1, extended to where the feather added alpha.

    before, after: alpha (1, 1, H, W) in 0..255 before and after feathering.
    """
    samples = slice(SPREAD_FACTOR // 2, None, SPREAD_FACTOR)
    opaque = (before[:, :, samples, samples] >= SPREAD_ALPHA).float()
    colours = torch.cat([person[:, :, samples, samples] * opaque, opaque], 1)
    radius = spread_radius(feather_px)
    for _ in range(2):
        colours = functional.avg_pool2d(colours, 2 * radius + 1, 1, radius)
    beyond = (colours[:, :3] / (colours[:, 3:] + SPREAD_FLOOR)).clamp(0, 1)
    size = person.shape[2:]
    beyond = functional.interpolate(beyond, size=size, mode="bilinear", align_corners=False)
    own = (before / after.clamp(min=1)) ** 2
    return torch.where(after > before, torch.lerp(beyond, person, own), person)


def despill(person: Tensor, alpha: Tensor, amount: float) -> Tensor:
    """Return the foreground (1, 3, H, W) with less green where alpha (1, 1, H, W) is below 1.

    Both are in 0..1.
    """
    red, green, blue = person.unbind(1)
    spill = (green - torch.maximum(red, blue)).clamp(min=0) * (4 * (1 - alpha[:, 0])).clamp(max=1)
    return torch.stack([red, green - amount * spill, blue], 1)


def _dilate(alpha: Tensor, radius: int) -> Tensor:
    square, diamond = octagon(radius)
    if square:
        alpha = functional.max_pool2d(alpha, 2 * square + 1, 1, square)
    for _ in range(diamond):
        # By a cross: its column, then its row.
        upright = functional.max_pool2d(alpha, (3, 1), 1, (1, 0))
        sideways = functional.max_pool2d(alpha, (1, 3), 1, (0, 1))
        alpha = torch.maximum(upright, sideways)
    return alpha


def _soften(alpha: Tensor, feather_px: int) -> Tensor:
    for radius in box_radii(feather_px):
        if radius:
            padded = functional.pad(alpha, (radius,) * 4, mode="replicate")
            alpha = functional.avg_pool2d(padded, 2 * radius + 1, 1).round()
    return alpha


def blurred_background(small: Tensor, alpha: Tensor, taps: Tensor, factor: int) -> Tensor:
    """Return the blurred background without the person, float32 RGB in 0..1.

    Its shape is (B, 3, h // factor, w // factor). small: (B, 3, h, w) and alpha: (B, 1, h, w), both
    in 0..1. taps: (K,), normalized Gaussian.
    """
    background = functional.avg_pool2d(small.float(), factor)
    pooled = functional.avg_pool2d(alpha.float(), factor)
    person = functional.max_pool2d(pooled, 2 * PERSON_MARGIN + 1, 1, PERSON_MARGIN)
    weighted = torch.cat([background, torch.ones_like(person)], 1) * (1 - person)
    near = _smooth(weighted, taps)
    return (near[:, :3] + FILL_WEIGHT * _fill(weighted)) / (near[:, 3:] + FILL_WEIGHT)


def _fill(weighted: Tensor) -> Tensor:
    """Return fill colours (B, 3, h, w) from premultiplied colours and weights (B, 4, h, w)."""
    height, width = weighted.shape[2:]
    step = FILL_FACTOR
    padded = functional.pad(weighted, (0, -width % step, 0, -height % step))
    # `FILL_TAPS` built on the device: a captured graph cannot contain a copy from the host.
    radius = round(3 * FILL_SIGMA)
    x = torch.arange(-radius, radius + 1, device=weighted.device)
    taps = torch.exp(-0.5 * (x / FILL_SIGMA) ** 2)
    far = _smooth(functional.avg_pool2d(padded, step), taps / taps.sum())
    mean = weighted.mean((2, 3), keepdim=True)
    colour = mean[:, :3] / (mean[:, 3:] + FLOOR)
    fill = (far[:, :3] + FLOOR * colour) / (far[:, 3:] + FLOOR)
    large = functional.interpolate(fill, scale_factor=step, mode="bilinear", align_corners=False)
    return large[:, :, :height, :width]


def _smooth(image: Tensor, taps: Tensor) -> Tensor:
    """Apply a separable convolution with zero padding to (B, C, h, w); the shape is unchanged."""
    planes = image.reshape(-1, 1, *image.shape[2:])
    radius = taps.shape[0] // 2
    planes = functional.conv2d(planes, taps.view(1, 1, 1, -1), padding=(0, radius))
    planes = functional.conv2d(planes, taps.view(1, 1, -1, 1), padding=(radius, 0))
    return planes.reshape(image.shape)


class Core(nn.Module):
    """Wraps a network's first stage; the frame step runs the second."""

    # Whether the network sees dark frames brighter, by `network_gain`: not
    # where it compares them with a plate, which would have to be as bright.
    sees_gain = True

    network: TwoStageNetwork

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network  # type: ignore[assignment]

    def initial_state(self, height: int, width: int) -> State:
        """Return the recurrent states before the first small frame of this size."""
        return self.network.initial_state(1, height, width)

    def forward(self, small: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Return slope, offset, coarse alpha and the new states."""
        return self.network.coefficients(small, *state)


def no_slope(offset: Tensor) -> Tensor:
    """Return zeros of the shape of `offset` without memory of that size."""
    return offset.new_zeros(1, 1, 1, 1).expand_as(offset)


class DirectCore(Core):
    """Core for a network that runs at full size: the matte is the offset, the slope is zero."""

    def forward(self, small: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Return slope (zero), offset, alpha and the new states."""
        foreground, alpha, *new_state = self.network(small, *state)
        offset = torch.cat([foreground - small, alpha], 1)
        return no_slope(offset), offset, alpha, *new_state


class SeenPlateCore(Core):
    """Core of a recurrent network that sees frame and plate at the small size."""

    scale = None
    sees_gain = False
    plate: Tensor
    # The plate as it was captured, (1, 3, h, w), RGB in 0..1.
    unlit: Tensor

    def __init__(self, network: nn.Module, plate: BgrImage, geometry: StepGeometry) -> None:
        """plate: (H, W, 3) uint8 BGR, of the size of the frame."""
        super().__init__(network)
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
    """Core of Background Matting V2 at full size: the matte is the offset, the slope is zero.

    There is no state. Frame and plate are padded to multiples of 4 pixels, as required by the
    refiner.
    """

    sees_gain = False
    plate: Tensor
    # The plate as it was captured, (1, 3, H', W') uint8 RGB.
    unlit: Tensor

    def __init__(
        self, network: nn.Module, plate: BgrImage, scale: float, sample_pixels: int
    ) -> None:
        """Wrap a MattingRefine network.

        plate: (H, W, 3) uint8 BGR, same size as the frame. scale: of the base network's input, at
        most 1/2. sample_pixels: number of pixels to refine.
        """
        assert isinstance(network, MattingRefine)
        # Other engines may share these weights at another scale.
        network = copy.deepcopy(network)
        network.backbone_scale = scale
        network.refiner.sample_pixels = sample_pixels
        super().__init__(network)
        self.scale = scale
        like = next(network.parameters())
        unlit = torch.from_numpy(plate[..., ::-1].copy()).permute(2, 0, 1)[None].to(like)
        self.register_buffer("unlit", _padded(unlit).to(torch.uint8), persistent=False)
        self.register_buffer("plate", self.unlit.to(like) / 255, persistent=False)

    def set_gain(self, gain: NDArray[np.float32]) -> None:
        """See `LitPlate.set_gain`; rounds as `lit_plate`."""
        rgb_gain = torch.from_numpy(gain[::-1].astype(np.float32))
        factors = rgb_gain.to(self.unlit.device).view(1, 3, 1, 1)
        self.plate.copy_((self.unlit * factors + 0.5).clamp_(0, 255).floor_().div_(255))

    def initial_state(self, height: int, width: int) -> State:
        """Return no states: the network is not recurrent."""
        return ()

    def forward(self, small: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Return slope (zero), offset and alpha at full size.

        small: the whole frame (1, 3, H, W).
        """
        height, width = small.shape[2:]
        alpha, foreground, *_ = self.network(_padded(small), self.plate)
        alpha = alpha[:, :, :height, :width]
        foreground = foreground[:, :, :height, :width]
        offset = torch.cat([foreground - small, alpha], 1)
        return no_slope(offset), offset, alpha


def _padded(image: Tensor) -> Tensor:
    height, width = image.shape[2:]
    if height % CELL == 0 and width % CELL == 0:
        return image
    return functional.pad(image, (0, -width % CELL, 0, -height % CELL), mode="replicate")


def network_gain(mean: Tensor) -> Tensor:
    """Return `app.matting.interface.network_gain`, on the device of the mean."""
    share = ((DARK - mean) / (DARK - DARKER)).clamp(0, 1)
    return (1 + (TARGET / mean.clamp(min=1e-3) - 1) * share).clamp(max=MOST_GAIN)


class StepInputs(NamedTuple):
    """Inputs of a step, on the step's device."""

    frame: Tensor
    """(H, W, 3) uint8 BGR."""
    # Of the same shape, or Gaussian taps (K,) float32 for background blur.
    backdrop: Tensor
    state: State
    edges: EdgePlan
    strict: StrictLevel
    # Of the previous step's output; None on the first frame.
    previous_alpha: Tensor | None = None
    want_foreground: bool = False

    @property
    def form(self) -> tuple[object, ...]:
        """What a graph cannot change: all but the contents of the tensors."""
        return (
            self.frame.shape,
            self.backdrop.shape,
            self.backdrop.dtype,
            self.previous_alpha is not None,
            id(self.edges),
            self.strict,
            self.want_foreground,
        )


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
    # Alpha (1, 1, H, W) after temporal smoothing, input of
    # the next step; None while smoothing is off.
    previous_alpha: Tensor | None
    # The part of the frame that the pixels show; None: the whole frame.
    view: View | None = None


class FrameStep(nn.Module):
    """Maps frame, backdrop and recurrent state to composite, alpha and new state.

    Reference for all executors: 8-bit frame, normalization, resize, network, guided filter, edge
    controls, compositing, 8-bit output.
    """

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
        size = (self.geometry.small_height, self.geometry.small_width)
        weights = next(self.core.parameters(), None)
        device = torch.device("cpu") if weights is None else weights.device
        memory = initial_memory(*size, device)
        return *self.core.initial_state(*size), with_people(memory, seen)

    def forward(self, inputs: StepInputs, editor: MatteEditor | None = None) -> StepOutput:
        """Run one step. editor: for one stream; it runs on the host."""
        frame = inputs.frame
        backdrop = inputs.backdrop
        edges = inputs.edges
        previous_alpha = inputs.previous_alpha
        *network_state, memory = inputs.state
        small = small_frame(frame, self.geometry)
        gain = None
        seen = small
        if self.core.sees_gain:
            gain = network_gain(small[:, :, ::4, ::4].mean())
            seen = (small * gain).clamp(max=1)
        slope, offset, coarse, *new_state = self.core(seen.to(self.dtype), *network_state)
        slope = slope.float()
        offset = offset.float()
        coarse = coarse.float()
        if gain is not None:
            slope = torch.cat([slope[:, :3], slope[:, 3:] * gain], 1)
            offset = torch.cat([offset[:, :3] / gain, offset[:, 3:]], 1)
        finite = slope.sum() + offset.sum()
        if inputs.strict != "off":
            slope, offset, coarse, memory = strict_matte(small, slope, offset, coarse, memory)
        else:
            memory = torch.zeros_like(memory)
        edit = MatteEdit()
        if editor is not None and bool(torch.isfinite(finite)):
            edit = editor.edit(_on_host(small[0]), _on_host(coarse[0, 0].clamp(0, 1)))
            slope, offset, coarse = edited(slope, offset, coarse, edit)
        background = backdrop
        if backdrop.ndim == 1:
            background = blurred_background(small, coarse, backdrop, self.geometry.blur_factor)
            if edit.view is not None:
                background = in_view(background, edit.view)
        if edit.view is not None:
            part = in_view(frame.permute(2, 0, 1)[None].float(), edit.view)
            frame = part[0].permute(1, 2, 0).round().to(torch.uint8).contiguous()
        person, alpha, background = layers(frame, slope, offset, background)
        if edges.touches_alpha:
            previous_alpha = steady((alpha * 255).round(), edges, previous_alpha)
            grown = grow(previous_alpha, edges)
            feathered = grown
            if edges.feather_px > 0:
                feathered = feather(grown, edges.feather_px)
                person = spread(person, grown, feathered, edges.feather_px)
            alpha = feathered / 255
        if edges.despill > 0:
            person = despill(person, alpha, edges.despill)
        composite, shown = to_pixels(person, alpha, background)
        return StepOutput(
            composite=composite,
            alpha=shown,
            foreground=to_bgr(person) if inputs.want_foreground else None,
            finite=finite,
            state=(*new_state, memory),
            previous_alpha=previous_alpha,
            view=edit.view,
        )


def _on_host(tensor: Tensor) -> Floats:
    array: Floats = tensor.detach().float().cpu().numpy()
    return array
