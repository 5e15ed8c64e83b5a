"""The bundled network with the empty-background plate as a second input."""

from __future__ import annotations

import torch
import torch.nn.functional as functional
from torch import Tensor

from models.blocks import conv_norm
from models.mattecam.network import ENCODER, MattecamNetwork
from models.mattecam.parts import largest, mean
from models.rules import NEAR, OTHER, REACH, SAME

FIRST_KERNEL = "encode1.0.weight"
_GAIN = 4.0
"""Of the differences between frame and plate, which are mostly small."""


class PlateNetwork(MattecamNetwork):
    """`MattecamNetwork` whose small frames have six channels: the frame and its plate, RGB in 0..1.

    With eight channels the last two are `differences`, and the caller limits alpha as `changed` says. It runs at the
    small size only: `matte` and `coefficients`, not `forward`.
    """

    def __init__(self, trunk: bool = False, wide: bool = False) -> None:
        super().__init__(trunk, wide)
        self.encode1 = conv_norm(2 * 3 + 2, ENCODER[0], 3, 2)

    def normalized(self, src_small: Tensor) -> Tensor:
        """See `MattecamNetwork.normalized`: the frame, the plate, and two maps of how much they differ."""
        frame, plate = src_small[:, :3], src_small[:, 3:6]
        maps = differences(frame, plate) if src_small.shape[1] == 6 else src_small[:, 6:]
        return torch.cat([super().normalized(frame), super().normalized(plate), _GAIN * maps], 1)

    def undecided_matte(
        self, src_small: Tensor, *memories: Tensor, frames: int = 1
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """See `MattecamNetwork.undecided_matte`; alpha is 0 where the frame is the plate all around."""
        if src_small.shape[1] > 6:
            return super().undecided_matte(src_small, *memories, frames=frames)
        maps = differences(src_small[:, :3], src_small[:, 3:])
        matte, *after = super().undecided_matte(torch.cat([src_small, maps], 1), *memories, frames=frames)
        r1, r2, r3, seen = after
        return torch.cat([matte[:, :3], matte[:, 3:] * changed(maps[:, :1])], 1), r1, r2, r3, seen


def differences(frame: Tensor, plate: Tensor) -> Tensor:
    """Return `difference`, and the mean absolute difference of the colours, (B, 2, h, w)."""
    return torch.cat([difference(frame, plate), (frame - plate).abs().mean(1, keepdim=True)], 1)


def difference(frame: Tensor, plate: Tensor) -> Tensor:
    """Return how far the frame is outside the colours of the plate nearby, (B, 1, h, w) in 0..1.

    Both are blurred, and a shift of the plate by up to two pixels counts as no difference.
    """
    smooth, smooth_plate = mean(frame, 1), mean(plate, 1)
    highest, lowest = largest(smooth_plate, REACH), -largest(-smooth_plate, REACH)
    outside = functional.relu(smooth - highest) + functional.relu(lowest - smooth)
    return outside.amax(1, keepdim=True)


def changed(away: Tensor) -> Tensor:
    """Return 1 near any `difference` and 0 elsewhere: the inside of a person may look like the background."""
    return ((largest(away, NEAR) - SAME) / (OTHER - SAME)).clamp(0, 1)


def with_plate(network: MattecamNetwork) -> PlateNetwork:
    """Return a network with the same output for any plate, to begin training with."""
    if isinstance(network, PlateNetwork):
        return network
    state = network.state_dict()
    found = PlateNetwork.for_weights(state)
    kernel = state[FIRST_KERNEL]
    wide = torch.zeros_like(found.state_dict()[FIRST_KERNEL])
    wide[:, : kernel.shape[1]] = kernel
    found.load_state_dict({**state, FIRST_KERNEL: wide})
    return found
