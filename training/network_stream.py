"""A recurrent network at full size in OpenVINO, for comparisons of quality."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from app.matting.openvino.conversion import core, ov
from models.mattecam.network import MattecamNetwork
from models.rvm.network import MattingNetwork
from training.metrics import Alpha

Pixels = npt.NDArray[np.uint8]
Network = MattecamNetwork | MattingNetwork


class Whole(nn.Module):
    """Maps frame and states to alpha, foreground if wanted, and states, at full size."""

    def __init__(self, network: Network, ratio: float, *, foreground: bool) -> None:
        super().__init__()
        self.network, self.ratio, self.foreground = network, ratio, foreground

    def forward(self, src: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Map src (1, 3, H, W) and states to pha (1, 1, H, W), fgr (1, 3, H, W) if wanted, and the
        new states.
        """
        fgr, pha, *after = self.network(src, *state, downsample_ratio=self.ratio)
        return (pha, fgr, *after) if self.foreground else (pha, *after)


class NetworkStream:
    """A stream of frames of one size through a recurrent network; a `Matter`."""

    def __init__(
        self,
        network: Network,
        ratio: float,
        size: tuple[int, int],
        precision: str = "f32",
        *,
        foreground: bool = False,
    ) -> None:
        """size: (width, height). foreground: also compute it, for `step`; it costs time."""
        width, height = size
        small = int(height * ratio), int(width * ratio)
        self._first = [x.numpy() for x in network.initial_state(1, *small)]
        self._images = 2 if foreground else 1
        example = (torch.zeros(1, 3, height, width), *(torch.from_numpy(x) for x in self._first))
        whole = Whole(network.eval(), ratio, foreground=foreground)
        model = ov.convert_model(
            whole, example_input=example, input=[tuple(x.shape) for x in example]
        )
        options = {
            "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": 2,
            "PERFORMANCE_HINT": "LATENCY",
        }
        self._request = core().compile_model(model, "CPU", options).create_infer_request()
        self._state = self._first

    def reset(self) -> None:
        """Reset the recurrent state."""
        self._state = self._first

    def alpha(self, rgb: Pixels) -> Alpha:
        """Return the alpha (H, W) of the next frame, uint8 (H, W, 3) RGB."""
        image = np.ascontiguousarray(rgb.transpose(2, 0, 1)[None], np.float32) / 255
        outputs = self._request.infer([image, *self._state])
        self._state = [outputs[self._images + i].copy() for i in range(len(self._first))]
        return np.asarray(outputs[0][0, 0], np.float32).copy()

    def step(self, rgb: Pixels) -> tuple[Pixels, Alpha]:
        """Return foreground, uint8 (H, W, 3), and alpha of the next frame; needs `foreground`."""
        alpha = self.alpha(rgb)
        foreground = self._request.get_output_tensor(1).data[0].transpose(1, 2, 0)
        return np.rint(foreground * 255).astype(np.uint8), alpha
