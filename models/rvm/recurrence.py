"""The decoder's recurrent unit (arXiv 2108.11515, section 3.2)."""

import torch
from torch import Tensor, nn


class ConvGRU(nn.Module):
    """A convolutional gated recurrent unit (equation 1).

    z and r are the update and reset gates: h = (1 - z) * h + z * tanh(conv([x, r * h])).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.ih = nn.Sequential(nn.Conv2d(2 * channels, 2 * channels, 3, padding=1), nn.Sigmoid())
        self.hh = nn.Sequential(nn.Conv2d(2 * channels, channels, 3, padding=1), nn.Tanh())

    def step(self, x: Tensor, h: Tensor) -> Tensor:
        """Return the state after one frame; x and h are (B, C, H, W)."""
        r, z = self.ih(torch.cat([x, h], 1)).chunk(2, 1)
        candidate = self.hh(torch.cat([x, r * h], 1))
        new: Tensor = (1 - z) * h + z * candidate
        return new

    def forward(self, x: Tensor, h: Tensor, frames: int) -> tuple[Tensor, Tensor]:
        """Return all outputs (B * frames, C, H, W) and the last state (B, C, H, W).

        x: (B * frames, C, H, W), `frames` consecutive frames of each clip. h: the state before them.
        """
        if frames == 1:
            h = self.step(x, h)
            return h, h
        outputs = []
        for x_t in x.reshape(-1, frames, *x.shape[1:]).unbind(1):
            h = self.step(x_t, h)
            outputs.append(h)
        return torch.stack(outputs, 1).flatten(0, 1), h


class SplitGRU(nn.Module):
    """Processes half of the channels with a ConvGRU and passes the other half through (section 3.2)."""

    gru: ConvGRU

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gru = ConvGRU(channels // 2)

    def remember(self, x: Tensor, h: Tensor, frames: int) -> tuple[Tensor, Tensor]:
        """Process x (B * frames, C, H, W) with state h (B, C / 2, H, W); return both with unchanged shapes."""
        a, b = x.chunk(2, 1)
        b, h = self.gru(b, h, frames)
        return torch.cat([a, b], 1), h
