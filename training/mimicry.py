"""Distillation of features: the student's encoder learns what the teacher's encoder makes of the
clean picture.

RVM's encoder was pretrained on a million labelled pictures, the student never: mattes alone say
where a person is, the teacher's features also say what everything else is (FitNets, arXiv
1412.6550; convolution of 1x1 and standardized features as in arXiv 1904.01866).
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from training.torch_teacher import rvm_network

CHANNELS = 128
"""Of the teacher's features: the output of its LR-ASPP at 1/16."""
_LEAST_DEVIATION = 0.02
"""Of a channel of the teacher, so that channels that are nearly constant do not count more than
they say.
"""


class FeatureTeacher:
    """The encoder of RVM MobileNetV3, frozen."""

    def __init__(self, weights: Path, device: torch.device, dtype: torch.dtype | None) -> None:
        """dtype: half precision in which it runs, None for float32."""
        network = rvm_network(weights).requires_grad_(False).to(device)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._network, self._device, self._dtype = network, device, dtype

    @torch.no_grad()
    def __call__(self, clean: Tensor) -> Tensor:
        """Return features, float32 (B * T, 128, h / 16, w / 16), of frames (B, T, 3, H, W) in 0..1."""
        flat = clean.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        with torch.autocast(self._device.type, self._dtype, enabled=self._dtype is not None):
            features: Tensor = self._network.aspp(self._network.backbone(flat)[3])
        return features.float()


class Mimicry(nn.Module):
    """Projects the student's features to the teacher's; dropped after training."""

    def __init__(self, channels: int) -> None:
        """channels: of the student's features."""
        super().__init__()
        self.project = nn.Conv2d(channels, CHANNELS, 1)

    def forward(self, features: Tensor, wanted: Tensor) -> Tensor:
        """Return the mean squared error, in variances of each of the teacher's channels over the
        batch.
        """
        found = self.project(features).float()
        deviation, mean = torch.std_mean(wanted, (0, 2, 3), keepdim=True)
        return functional.mse_loss(found, (wanted - mean) / (deviation + _LEAST_DEVIATION))
