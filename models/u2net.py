"""U2-Net and its variant U2-NetP (arXiv 2005.09007, section 3, figures 2 and 5, table 1), and its
mask as a matte.

The first stage of the frame step is a temporally smoothed mask with estimated foreground colours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from models.blocks import FILTER_EPS, ImageNetNormalise, fast_guided_filter, resize
from models.exchange import FastFilterWeights, state_names
from models.export import Export, ExportStage, Method, example_inputs


class Unit(nn.Module):
    """3x3 convolution with bias, batch normalization and ReLU; the size is unchanged."""

    def __init__(self, in_channels: int, out_channels: int, dilation: int = 1) -> None:
        super().__init__()
        self.conv_s1 = nn.Conv2d(in_channels, out_channels, 3, padding=dilation, dilation=dilation)
        self.bn_s1 = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, out_channels, H, W)."""
        return functional.relu(self.bn_s1(self.conv_s1(x)))


def halve(x: Tensor) -> Tensor:
    """Max-pool to half the size, rounded up."""
    return functional.max_pool2d(x, 2, 2, ceil_mode=True)


class RSU(nn.Module):
    """Residual U-block: an input unit plus the output of a U with `depth` encoder and depth - 1
    decoder units.

    The plain block (RSU-L) halves the size between units, except before the last one, which is
    dilated. The flat block (RSU-LF) keeps the size and doubles the dilation instead.
    """

    def __init__(
        self,
        depth: int,
        in_channels: int,
        mid: int,
        out_channels: int,
        flat: bool,
    ) -> None:
        super().__init__()
        self.depth = depth
        self.flat = flat
        self.rebnconvin = Unit(in_channels, out_channels)
        for level in range(1, depth + 1):
            dilation = 2 ** (level - 1) if flat else 1 + level // depth
            inputs = out_channels if level == 1 else mid
            self.add_module(f"rebnconv{level}", Unit(inputs, mid, dilation))
        for level in range(depth - 1, 0, -1):
            dilation = 2 ** (level - 1) if flat else 1
            outputs = out_channels if level == 1 else mid
            self.add_module(f"rebnconv{level}d", Unit(2 * mid, outputs, dilation))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, out_channels, H, W)."""
        first: Tensor = self.rebnconvin(x)
        x = first
        skips: list[Tensor] = []
        for level in range(1, self.depth + 1):
            if 1 < level < self.depth and not self.flat:
                x = halve(x)
            x = self.get_submodule(f"rebnconv{level}")(x)
            skips.append(x)
        skips.pop()
        for level in range(self.depth - 1, 0, -1):
            skip = skips.pop()
            if level < self.depth - 1 and not self.flat:
                x = resize(x, (skip.shape[2], skip.shape[3]))
            x = self.get_submodule(f"rebnconv{level}d")(torch.cat([x, skip], 1))
        y: Tensor = x + first
        return y


class _Stage(NamedTuple):
    name: str
    depth: int
    inputs: int
    mid: int
    outputs: int
    flat: bool = False


_ENCODER = (
    _Stage("stage1", 7, 3, 32, 64),
    _Stage("stage2", 6, 64, 32, 128),
    _Stage("stage3", 5, 128, 64, 256),
    _Stage("stage4", 4, 256, 128, 512),
    _Stage("stage5", 4, 512, 256, 512, flat=True),
    _Stage("stage6", 4, 512, 256, 512, flat=True),
)
_DECODER = (
    _Stage("stage5d", 4, 1024, 256, 512, flat=True),
    _Stage("stage4d", 4, 1024, 128, 256),
    _Stage("stage3d", 5, 512, 64, 128),
    _Stage("stage2d", 6, 256, 32, 64),
    _Stage("stage1d", 7, 128, 16, 64),
)


def _small(stage: _Stage) -> _Stage:
    """Return the same stage in U2-NetP: 64 channels between stages and 16 inside them."""
    inputs = 64
    if stage in _DECODER:
        # The stage before it, and the encoder's.
        inputs = 2 * 64
    elif stage.inputs == 3:
        # The image.
        inputs = 3
    return stage._replace(inputs=inputs, mid=16, outputs=64)


TRAINED_SIZE = (320, 320)
# Weight of the previous mask where the image is static.
HOLD = 0.7
# Local colour change (0..1, averaged over a few pixels) from which the previous mask gets no
# weight.
STILL = 0.06
MOTION_WINDOW = 5
# Window sizes of the two passes of blur fusion, in pixels of the small frame; odd.
BLUR_WINDOWS = (31, 7)
# Weight of the unmasked image, which determines a layer's colour far from that layer.
FLOOR = 1e-4


class U2Net(nn.Module):
    """Predicts saliency maps of an image; as a matting network, with recurrent state and
    coefficients of its mask.

    The state (B, 4, h, w) is the previous small frame, mapped to 0.5..1, and the previous mask. All
    zeros means "no previous frame": every frame differs from zero by more than `STILL`.
    """

    def __init__(self, small: bool) -> None:
        """small: U2-NetP. The published weights were trained at 320x320."""
        super().__init__()
        self.normalise = ImageNetNormalise()
        encoder: tuple[_Stage, ...] = _ENCODER
        decoder: tuple[_Stage, ...] = _DECODER
        if small:
            encoder = tuple(map(_small, _ENCODER))
            decoder = tuple(map(_small, _DECODER))
        for name, depth, inputs, mid, outputs, flat in (*encoder, *decoder):
            self.add_module(name, RSU(depth, inputs, mid, outputs, flat))
        for level, stage in enumerate((*reversed(decoder), encoder[-1]), 1):
            self.add_module(f"side{level}", nn.Conv2d(stage.outputs, 1, 3, padding=1))
        self.outconv = nn.Conv2d(6, 1, 1)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return the fused map d0 and the side maps d1..d6, finest first, each (B, 1, H, W) in
        0..1.

        image: (B, 3, H, W), RGB normalized by ImageNet's mean and deviation.
        """
        size = (image.shape[2], image.shape[3])
        sides = []
        for level, x in enumerate(self._decode(image), 1):
            side: Tensor = self.get_submodule(f"side{level}")(x)
            if level > 1:
                side = resize(side, size)
            sides.append(side)
        fused = self.outconv(torch.cat(sides, 1))
        return tuple(torch.sigmoid(logits) for logits in (fused, *sides))

    def _decode(self, image: Tensor) -> list[Tensor]:
        """Return the outputs of stages 1d..5d and 6, finest first."""
        x = self.get_submodule("stage1")(image)
        skips = [x]
        for stage in _ENCODER[1:]:
            x = self.get_submodule(stage.name)(halve(x))
            skips.append(x)
        outputs = [skips.pop()]
        for stage in _DECODER:
            skip = skips.pop()
            x = resize(x, (skip.shape[2], skip.shape[3]))
            x = self.get_submodule(stage.name)(torch.cat([x, skip], 1))
            outputs.append(x)
        return outputs[::-1]

    def initial_state(self, batch: int, height_small: int, width_small: int) -> tuple[Tensor, ...]:
        """Return the state before the first small frame of this size."""
        like = self.outconv.weight
        state = like.new_zeros(batch, 4, height_small, width_small, dtype=torch.float32)
        return (state,)

    def coefficients(
        self,
        src_small: Tensor,
        last: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return slope, offset, the mask and the new state; src_small is (B, 3, h, w), RGB in
        0..1.
        """
        matte, state = self.matte(src_small, last)
        mask = matte[:, 3:]
        slope, offset = fast_guided_filter(src_small.float(), matte)
        return slope, offset, mask, state

    def matte(self, src_small: Tensor, last: Tensor) -> tuple[Tensor, Tensor]:
        """Return [foreground residual (3), mask], (B, 4, h, w), before the guided filter, and
        the new state.
        """
        size = src_small.shape[2], src_small.shape[3]
        seen = resize(self.normalise(src_small), TRAINED_SIZE)
        image = src_small.float()
        fused = self(seen)[0]
        state = steadied(image, resize(fused, size).float(), last.float())
        mask = state[:, 3:]
        residual = blur_fusion(image, mask) - image
        return torch.cat([residual, mask], 1), state


def steadied(image: Tensor, mask: Tensor, last: Tensor) -> Tensor:
    """Return the new state; the mask (B, 1, h, w) is smoothed over time where the image
    (B, 3, h, w) is static.
    """
    half = 0.5 + 0.5 * image
    change = 2 * (half - last[:, :3]).abs().amax(1, keepdim=True)
    motion = functional.avg_pool2d(
        change,
        MOTION_WINDOW,
        1,
        MOTION_WINDOW // 2,
        count_include_pad=False,
    )
    hold = HOLD * (1 - motion / STILL).clamp(0, 1)
    return torch.cat([half, mask + hold * (last[:, 3:] - mask)], 1)


def blur_fusion(image: Tensor, alpha: Tensor) -> Tensor:
    """Return foreground colours (B, 3, h, w) from image (B, 3, h, w) and alpha (B, 1, h, w) in
    0..1.

    Two passes, wide and narrow, of Forte and Pitie, "Approximate Fast Foreground Colour Estimation"
    (ICIP 2021): blurred foreground and background colours, corrected by the residual of the
    compositing equation.
    """
    person = image
    background = image
    for window in BLUR_WINDOWS:
        weighted = [person * alpha, alpha, background * (1 - alpha), 1 - alpha]
        blurred = _blur(torch.cat(weighted, 1), window)
        person = (blurred[:, :3] + FLOOR * image) / (blurred[:, 3:4] + FLOOR)
        background = (blurred[:, 4:7] + FLOOR * image) / (blurred[:, 7:] + FLOOR)
        residual = image - alpha * person - (1 - alpha) * background
        person = (person + alpha * residual).clamp(0, 1)
    return person


def _blur(image: Tensor, window: int) -> Tensor:
    image = functional.avg_pool2d(image, (1, window), 1, (0, window // 2), count_include_pad=False)
    return functional.avg_pool2d(image, (window, 1), 1, (window // 2, 0), count_include_pad=False)


def export(network: nn.Module, direct: bool = False) -> Export:
    """Export everything but the guided filter, in one part."""
    examples, states = example_inputs(network)
    before, after = state_names(len(states))
    stage = ExportStage(
        "body",
        Method(network, "matte"),
        ("small", *before),
        ("matte", *after),
        (*before, *after),
    )
    weights = FastFilterWeights(FILTER_EPS, renormalize_borders=False)
    return Export((stage,), examples, states, weights)


def load(small: bool, tensors: Mapping[str, Tensor], refiner: str) -> U2Net:
    """Return the network with these weights; see `models.table.LoadNetwork`."""
    network = U2Net(small)
    network.load_state_dict(tensors, strict=True)
    return network
