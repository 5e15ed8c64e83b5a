"""The frame step in eager mode on any torch device: the reference for the other executors."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from app.core.matte_edit import viewed
from app.core.settings import EdgeSettings
from app.core.types import AlphaImage, Backdrop, BgrImage, BlurredBackground, Matte
from app.matting.base.blur import strength_taps
from app.matting.base.edges import light_plan, plan
from app.matting.base.geometry import StepGeometry
from app.matting.base.interface import MatteEditor, NotAMatteError, Pending
from app.matting.base.state import StateArrays, prefixed, under
from app.matting.light.light import Light
from app.matting.light.relight_matte import relit
from app.matting.torch.core import Core, DirectCore, State
from app.matting.torch.cuda_api import release_memory
from app.matting.torch.step import FrameStep, StepMode
from app.matting.torch.torch_state import from_arrays, to_arrays
from app.matting.torch.transfers import Transfers

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


class TorchBackend:
    """Runs the step eagerly."""

    name = "eager"
    overlaps = False

    def __init__(
        self,
        core: Core,
        geometry: StepGeometry,
        device: str = "cpu",
        precision: str = "float32",
    ) -> None:
        """core: already on `device` in `precision`."""
        self.frame_step = FrameStep(core, geometry, DTYPES[precision])
        self.torch_device = torch.device(device)
        self._transfers = Transfers(self.torch_device)
        self._blur_short_side = geometry.blur_short_side
        self.precision = precision
        self.device = device
        self.recurrent: State = ()
        self.previous_alpha: Tensor | None = None
        self._light = Light()
        self.reset()

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Start the recurrent state anew."""
        self.recurrent = self.frame_step.initial_state(None if seen is None else self._transfers.up("seen", seen))
        self.previous_alpha = None
        self._light.reset()

    def step(
        self,
        frame: BgrImage,
        backdrop: Backdrop,
        edges: EdgeSettings,
        edit: MatteEditor | None = None,
        *,
        want_foreground: bool = False,
        still: bool = False,
    ) -> Pending:
        """Run one step; its matte is ready. The network sees still frames too: a GPU has time for it."""
        light = light_plan(edges)
        matte = self._matte(frame, backdrop, edges, edit, want_foreground or light.active)
        if light.active:
            picture = None if isinstance(backdrop, BlurredBackground) else backdrop
            matte = relit(self._light, matte, picture, picture is None, light, want_foreground)
        return Pending(lambda: matte)

    def _matte(
        self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, edit: MatteEditor | None, want_foreground: bool
    ) -> Matte:
        picture = (
            strength_taps(backdrop.strength, self._blur_short_side, backdrop.zoom)
            if isinstance(backdrop, BlurredBackground)
            else backdrop
        )
        with torch.inference_mode():
            output = self.frame_step(
                self._transfers.up("frame", frame),
                self._transfers.up_once("backdrop", backdrop, picture),
                self.recurrent,
                StepMode(plan(edges), want_foreground),
                self.previous_alpha,
                edit,
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
        """Return copies of the state."""
        return {**to_arrays(self.recurrent, self.previous_alpha), **prefixed("light", self._light.state())}

    def load_state(self, arrays: StateArrays) -> None:
        """Restore the state. Raises KeyError or ValueError if the arrays do not fit."""
        self.recurrent, self.previous_alpha = from_arrays(arrays, self.recurrent)
        self._light.load_state(under("light", arrays))

    @property
    def batch_key(self) -> object | None:
        """Equal for executors that `run_batch` can run together; None where a batch would not be faster, on a CPU."""
        if self.torch_device.type == "cpu" or type(self.frame_step.core) not in (Core, DirectCore):
            return None
        has_alpha = self.previous_alpha is not None
        return (
            id(self.frame_step.core.network),
            type(self.frame_step.core),
            self.frame_step.geometry,
            self.frame_step.dtype,
            self.device,
            has_alpha,
        )

    def close(self) -> None:
        """Drop the state, and return the memory of a GPU."""
        self.recurrent, self.previous_alpha = (), None
        self._transfers = Transfers(self.torch_device)
        if self.torch_device.type == "cuda":
            release_memory()
