"""The frame step in eager mode on any torch device: the reference for the other executors."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from app.core.settings import EdgeSettings
from app.core.shaping import viewed
from app.core.types import AlphaImage, Backdrop, BgrImage, BlurredBackground, Matte
from app.matting.base.blur import strength_taps
from app.matting.base.edges import plan
from app.matting.base.geometry import StepGeometry
from app.matting.base.interface import MatteShaper, NotAMatteError
from app.matting.base.state import StateArrays
from app.matting.torch.core import Core, DirectCore, State
from app.matting.torch.cuda_api import release_memory
from app.matting.torch.step import FrameStep, StepMode
from app.matting.torch.torch_state import from_arrays, to_arrays
from app.matting.torch.transfers import Transfers

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


class EagerExecutor:
    """Runs the step eagerly."""

    name = "eager"

    def __init__(
        self,
        core: Core,
        geometry: StepGeometry,
        device: str = "cpu",
        precision: str = "float32",
    ) -> None:
        """core: already on `device` in `precision`."""
        self.step = FrameStep(core, geometry, DTYPES[precision])
        self.torch_device = torch.device(device)
        self._transfers = Transfers(self.torch_device)
        self._blur_short_side = geometry.blur_short_side
        self.precision = precision
        self.device = device
        self.recurrent: State = ()
        self.previous_alpha: Tensor | None = None
        self.reset()

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Start the recurrent state anew."""
        self.recurrent = self.step.initial_state(None if seen is None else self._transfers.up("seen", seen))
        self.previous_alpha = None

    def run(self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, want_foreground: bool) -> Matte:
        """Run one step and return new arrays."""
        return self._run(frame, backdrop, edges, want_foreground, None)

    def run_shaped(
        self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, want_foreground: bool, shaper: MatteShaper
    ) -> Matte:
        """Run one step with a shaped matte; see `ShapingExecutor`."""
        return self._run(frame, backdrop, edges, want_foreground, shaper)

    def _run(
        self,
        frame: BgrImage,
        backdrop: Backdrop,
        edges: EdgeSettings,
        want_foreground: bool,
        shaper: MatteShaper | None,
    ) -> Matte:
        behind = (
            strength_taps(backdrop.strength, self._blur_short_side, backdrop.zoom)
            if isinstance(backdrop, BlurredBackground)
            else backdrop
        )
        with torch.inference_mode():
            output = self.step(
                self._transfers.up("frame", frame),
                self._transfers.up_once("backdrop", backdrop, behind),
                self.recurrent,
                StepMode(plan(edges), want_foreground),
                self.previous_alpha,
                shaper,
            )
            pixels = [tensor for tensor in output.pixels if tensor is not None]
            hides = torch.zeros(1) if output.hides_person is None else output.hides_person
            finite, hides, composite, alpha, *foreground = self._transfers.down([output.finite, hides, *pixels])
            if not math.isfinite(finite.item()):
                raise NotAMatteError
        self.recurrent, self.previous_alpha = output.state, output.previous_alpha
        shown = None if output.view is None else viewed(frame, output.view)
        person = foreground[0].numpy() if foreground else None
        return Matte(composite.numpy(), alpha.numpy(), person, shown, bool(hides.item()))

    def state(self) -> StateArrays:
        """Return copies of the state; see `Resumable`."""
        return to_arrays(self.recurrent, self.previous_alpha)

    def load_state(self, arrays: StateArrays) -> None:
        """Restore the state; see `Resumable`. Raises KeyError or ValueError if the arrays do not fit."""
        self.recurrent, self.previous_alpha = from_arrays(arrays, self.recurrent)

    @property
    def batch_key(self) -> object | None:
        """Equal for executors that `run_batch` can run together; None where a batch would not be faster, on a CPU."""
        if self.torch_device.type == "cpu" or type(self.step.core) not in (Core, DirectCore):
            return None
        has_alpha = self.previous_alpha is not None
        return (
            id(self.step.core.network),
            type(self.step.core),
            self.step.geometry,
            self.step.dtype,
            self.device,
            has_alpha,
        )

    def close(self) -> None:
        """Drop the state, and return the memory of a GPU."""
        self.recurrent, self.previous_alpha = (), None
        self._transfers = Transfers(self.torch_device)
        if self.torch_device.type == "cuda":
            release_memory()
