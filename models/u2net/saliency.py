"""U2-Net as the first stage of the frame step: a temporally smoothed mask and estimated foreground colours."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from models.blocks import ImageNetNormalise, resize
from models.export import Export, ExportStage, Method, example_inputs
from models.names import state_names
from models.rules import FastFilterWeights
from models.rvm.guided_filter import EPS, FastGuidedFilter
from models.u2net.network import U2Net

TRAINED_SIZE = (320, 320)
HOLD = 0.7
"""Weight of the previous mask where the image is static."""
STILL = 0.06
"""Local colour change (0..1, averaged over a few pixels) from which the previous mask gets no weight."""
MOTION_WINDOW = 5
BLUR_WINDOWS = (31, 7)
"""Window sizes of the two passes of blur fusion, in pixels of the small frame; odd."""
FLOOR = 1e-4
"""Weight of the unmasked image, which determines a layer's colour far from that layer."""


class SalientNetwork(U2Net):
    """U2-Net with recurrent state and matting coefficients; the state dict is that of U2-Net.

    The state (B, 4, h, w) is the previous small frame, mapped to 0.5..1, and the previous mask. All zeros means "no
    previous frame": every frame differs from zero by more than `STILL`.
    """

    def __init__(self, small: bool) -> None:
        super().__init__(small)
        self.normalise = ImageNetNormalise()
        self.guided_filter = FastGuidedFilter(0)

    def initial_state(self, batch: int, height_small: int, width_small: int) -> tuple[Tensor, ...]:
        """Return the state before the first small frame of this size."""
        return (self.outconv.weight.new_zeros(batch, 4, height_small, width_small, dtype=torch.float32),)

    def coefficients(self, src_small: Tensor, last: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return slope, offset, the mask and the new state; src_small is (B, 3, h, w), RGB in 0..1."""
        matte, state = self.matte(src_small, last)
        mask = matte[:, 3:]
        slope, offset = self.guided_filter(src_small.float(), matte, mask)
        return slope, offset, mask, state

    def matte(self, src_small: Tensor, last: Tensor) -> tuple[Tensor, Tensor]:
        """Return [foreground residual (3), mask], (B, 4, h, w), before the guided filter, and the new state."""
        size = src_small.shape[2], src_small.shape[3]
        seen = resize(self.normalise(src_small), TRAINED_SIZE)
        image = src_small.float()
        state = steadied(image, resize(self(seen)[0], size).float(), last.float())
        mask = state[:, 3:]
        residual = blur_fusion(image, mask) - image
        return torch.cat([residual, mask], 1), state


def steadied(image: Tensor, mask: Tensor, last: Tensor) -> Tensor:
    """Return the new state; the mask (B, 1, h, w) is smoothed over time where the image (B, 3, h, w) is static."""
    half = 0.5 + 0.5 * image
    change = 2 * (half - last[:, :3]).abs().amax(1, keepdim=True)
    motion = functional.avg_pool2d(change, MOTION_WINDOW, 1, MOTION_WINDOW // 2, count_include_pad=False)
    hold = HOLD * (1 - motion / STILL).clamp(0, 1)
    return torch.cat([half, mask + hold * (last[:, 3:] - mask)], 1)


def blur_fusion(image: Tensor, alpha: Tensor) -> Tensor:
    """Return foreground colours (B, 3, h, w) from image (B, 3, h, w) and alpha (B, 1, h, w) in 0..1.

    Two passes, wide and narrow, of Forte and Pitie, "Approximate Fast Foreground Colour Estimation" (ICIP 2021):
    blurred foreground and background colours, corrected by the residual of the compositing equation.
    """
    person = background = image
    for window in BLUR_WINDOWS:
        blurred = _blur(torch.cat([person * alpha, alpha, background * (1 - alpha), 1 - alpha], 1), window)
        person = (blurred[:, :3] + FLOOR * image) / (blurred[:, 3:4] + FLOOR)
        background = (blurred[:, 4:7] + FLOOR * image) / (blurred[:, 7:] + FLOOR)
        person = (person + alpha * (image - alpha * person - (1 - alpha) * background)).clamp(0, 1)
    return person


def _blur(image: Tensor, window: int) -> Tensor:
    image = functional.avg_pool2d(image, (1, window), 1, (0, window // 2), count_include_pad=False)
    return functional.avg_pool2d(image, (window, 1), 1, (window // 2, 0), count_include_pad=False)


def export(network: nn.Module, direct: bool = False) -> Export:
    """Export everything but the guided filter, in one part."""
    examples, states = example_inputs(network)
    before, after = state_names(len(states))
    stage = ExportStage("body", Method(network, "matte"), ("small", *before), ("matte", *after), (*before, *after))
    return Export((stage,), examples, states, FastFilterWeights(EPS, renormalize_borders=False))


def load(small: bool, tensors: Mapping[str, Tensor], refiner: str) -> SalientNetwork:
    """Return the network with these weights; see `models.spec.LoadNetwork`."""
    network = SalientNetwork(small)
    network.load_state_dict(tensors, strict=True)
    return network
