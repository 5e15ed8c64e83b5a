"""The teacher in torch, for machines with a GPU and without OpenVINO."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.mattecam.network import MattecamNetwork
from models.rvm.network import MattingNetwork

Pixels = npt.NDArray[np.uint8]


class TorchTeacher:
    """A recurrent network at ratio 1 on a device of torch, in float16 on a GPU. Implements
    `training.packs.Teacher`.
    """

    def __init__(self, network: MattingNetwork | MattecamNetwork, device: str) -> None:
        self._device = torch.device(device)
        self._dtype = torch.float16 if self._device.type == "cuda" else torch.float32
        network.eval().requires_grad_(False).to(self._device, self._dtype)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._network = network
        self._state: tuple[Tensor, ...] | None = None

    def reset(self) -> None:
        """Reset the recurrent state; call between videos."""
        self._state = None

    @torch.inference_mode()
    def frame(self, rgb: Pixels) -> tuple[Pixels, Pixels]:
        """Return foreground (H, W, 3) and alpha (H, W, 1), uint8, of the next frame, uint8 (H, W,
        3) RGB.
        """
        foreground, alpha = self._step(self._tensor(rgb))
        return _to_pixels(foreground), _to_pixels(alpha)

    @torch.inference_mode()
    def photo(self, rgb: Pixels, passes: int) -> tuple[Pixels, Pixels]:
        """Return the result of `frame` for a photo after `passes` repetitions."""
        self.reset()
        image = self._tensor(rgb)
        for _ in range(passes):
            foreground, alpha = self._step(image)
        return _to_pixels(foreground), _to_pixels(alpha)

    def _tensor(self, rgb: Pixels) -> Tensor:
        pixels = torch.from_numpy(np.ascontiguousarray(rgb)).to(self._device)
        return pixels.permute(2, 0, 1)[None].to(self._dtype) / 255

    def _step(self, image: Tensor) -> tuple[Tensor, Tensor]:
        if self._state is None:
            state = self._network.initial_state(1, *image.shape[2:])
            self._state = tuple(x.to(self._device, self._dtype) for x in state)
        foreground, alpha, *rest = self._network(image, *self._state)
        self._state = tuple(rest)
        return foreground, alpha


def rvm_teacher(weights: Path, device: str) -> TorchTeacher:
    """Return RVM MobileNetV3 as the teacher."""
    return TorchTeacher(rvm_network(weights), device)


def rvm_network(weights: Path) -> MattingNetwork:
    """Return RVM MobileNetV3 with the weights of a checkpoint, on the CPU, in evaluation mode."""
    network = MattingNetwork()
    network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return network.eval()


def _to_pixels(image: Tensor) -> Pixels:
    levels = (image[0].float().permute(1, 2, 0) * 255).round().clamp(0, 255)
    pixels: Pixels = levels.to(torch.uint8).cpu().numpy()
    return pixels
