"""The frame step through `torch.compile`: elementwise work fused, on whatever torch has a compiler for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from app.core.errors import ModelError
from app.core.messages.matting import ModelText
from app.core.settings import EdgeSettings
from app.core.types import BlurredRoom
from app.matting.geometry import StepGeometry
from app.matting.step.core import Core, State
from app.matting.step.edges import plan
from app.matting.step.step import FrameStep, Layers, StepMode, StepOutput
from app.matting.torch_backend.eager import DTYPES, EagerExecutor

Compiler = Callable[[torch.fx.GraphModule, list[Tensor]], Callable[..., object]]
PLAIN = StepMode(plan(EdgeSettings()))
MOST_VARIANTS = 64
"""So many engines may have been compiled in one run of the program; torch's own limit is meant for changing shapes."""

WARM_UPS = 2
"""The first step has the initial state, the second one a state as it will be from then on."""


class CompiledStep(FrameStep):
    """Compiled up to the plain composite; what the user asks for beyond it is done on top, so no slider compiles."""

    def __init__(self, core: Core, geometry: StepGeometry, dtype: torch.dtype, compiler: str | Compiler) -> None:
        super().__init__(core, geometry, dtype)
        self._plain = torch.compile(self._plain_step, backend=compiler, dynamic=False, fullgraph=True)

    def forward(
        self, frame: Tensor, backdrop: Tensor, state: State, mode: StepMode, held: Tensor | None = None
    ) -> StepOutput:
        """See `FrameStep.forward`."""
        layers, composite, alpha = self._plain(frame, backdrop, state, torch.tensor(float(mode.edges.strict)))
        if mode.edges.active or mode.foreground:
            return self.finish(layers, mode, held)
        return StepOutput(composite, alpha, None, layers.finite, layers.state, None)

    def _plain_step(
        self, frame: Tensor, backdrop: Tensor, state: State, strict: Tensor
    ) -> tuple[Layers, Tensor, Tensor]:
        layers = self.layers(frame, backdrop, state, strict)
        output = self.finish(layers, PLAIN)
        return layers, output.composite, output.alpha


class CompiledExecutor(EagerExecutor):
    """Runs the compiled step."""

    name = "compiled"

    def __init__(
        self,
        core: Core,
        geometry: StepGeometry,
        device: str = "cpu",
        precision: str = "float32",
        compiler: str | Compiler = "inductor",
    ) -> None:
        """Compiles, which takes up to minutes. Raises ModelError where this machine has no compiler for it."""
        super().__init__(core, geometry, device, precision)
        self._step = CompiledStep(core, geometry, DTYPES[precision], compiler)
        picture = np.zeros((geometry.height, geometry.width, 3), np.uint8)
        try:
            with torch._dynamo.config.patch(recompile_limit=MOST_VARIANTS):
                for backdrop in (picture, BlurredRoom(0)):
                    for _ in range(WARM_UPS):
                        self.run(picture, backdrop, EdgeSettings(), False)
        except RuntimeError as error:
            raise ModelError(ModelText.NOT_COMPILED(device=device)) from error
        self.reset()

    def reset(self) -> None:
        """Start the recurrent state anew, with tensors of the same kind as later states: another kind compiles anew."""
        with torch.inference_mode():
            super().reset()
