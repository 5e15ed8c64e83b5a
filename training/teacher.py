"""The teacher: RVM, whose alpha and foreground the student learns to reproduce."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import openvino as ov
import torch
from torch import Tensor

from training.torch_teacher import rvm_network

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

SETTLING_PASSES = 2
"""Number of passes over a photo, so that the recurrent state settles."""


class Teacher:
    """RVM MobileNetV3 at ratio 1, in OpenVINO (bfloat16 where the CPU has it: 4e-4 of alpha, twice
    as fast).
    """

    def __init__(self, weights: Path, threads: int = 2, precision: str = "bf16") -> None:
        self._network = network = rvm_network(weights)
        example: tuple[Tensor, ...] = (torch.zeros(1, 3, 64, 96), *network.initial_state(1, 64, 96))
        model = ov.convert_model(network, example_input=example)
        compiled = ov.Core().compile_model(
            model, "CPU", {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": threads}
        )
        self._request = compiled.create_infer_request()
        self._state: list[Floats] | None = None

    def reset(self) -> None:
        """Reset the recurrent state; call between videos."""
        self._state = None

    def frame(self, rgb: Pixels) -> tuple[Pixels, Pixels]:
        """Return foreground (H, W, 3) and alpha (H, W, 1), uint8, of the next frame, uint8 (H, W,
        3) RGB.
        """
        height, width = rgb.shape[:2]
        if self._state is None:
            self._state = [x.numpy() for x in self._network.initial_state(1, height, width)]
        image = np.ascontiguousarray(rgb.transpose(2, 0, 1)[None], np.float32) / 255
        outputs = self._request.infer([image, *self._state])
        foreground, alpha, *state = (outputs[i] for i in range(6))
        self._state = [x.copy() for x in state]
        return _to_pixels(foreground), _to_pixels(alpha)

    def photo(self, rgb: Pixels, passes: int = SETTLING_PASSES) -> tuple[Pixels, Pixels]:
        """Return the result of `frame` for a photo after `passes` repetitions."""
        self.reset()
        for _ in range(passes):
            result = self.frame(rgb)
        return result


def _to_pixels(image: Floats) -> Pixels:
    pixels: Pixels = np.rint(image[0].transpose(1, 2, 0) * 255).astype(np.uint8)
    return pixels
