"""The frame step in eager mode on any torch device: the reference for the other executors."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from app.core.geometry import viewed
from app.core.settings import EdgeSettings
from app.core.types import AlphaImage, Backdrop, BgrImage, BlurredBackground, Matte
from app.matting.base.blur import strength_taps
from app.matting.base.edges import plan
from app.matting.base.interface import (
    MatteEditor,
    NotAMatteError,
    Reuse,
    StateArrays,
    StepGeometry,
    check_memory,
    prefixed,
    saved,
    under,
)
from app.matting.light import Light
from app.matting.torch.captured import SettledStep
from app.matting.torch.core import Core, FrameStep, StepInputs
from app.matting.torch.cuda_api import release_memory
from app.matting.torch.full_size import Lighting, State

Image = NDArray[np.uint8] | NDArray[np.float32]


class Transfers:
    """Used on one thread, on the current stream."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._staging: dict[str, Tensor] = {}
        """Pinned host memory for uploads."""
        self._kept: tuple[object, Tensor] | None = None

    def up(self, name: str, array: Image) -> Tensor:
        """Return `array` on the device. name: of its staging memory, which is free again after the next `down`."""
        if self._device.type != "cuda":
            # torch warns about read-only arrays, which are never written here.
            return torch.from_numpy(array if array.flags.writeable else array.copy()).to(self._device)
        staging = self._staging.get(name)
        if staging is None or staging.shape != array.shape:
            like = torch.from_numpy(np.empty_like(array))
            staging = self._staging[name] = torch.empty_like(like, pin_memory=True)
        np.copyto(staging.numpy(), array)
        return staging.to(self._device, non_blocking=True)

    def up_once(self, name: str, key: object, array: Image) -> Tensor:
        """Return `array` on the device; it is uploaded again only for another `key`, by identity or equality."""
        if self._kept is None or not (self._kept[0] is key or _equal(self._kept[0], key)):
            self._kept = key, self.up(name, array)
        return self._kept[1]

    def down(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Return the tensors in host memory, in new memory on a GPU, after a single wait."""
        if self._device.type != "cuda":
            return [tensor.cpu() for tensor in tensors]
        found = [torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True) for tensor in tensors]
        for target, source in zip(found, tensors, strict=True):
            target.copy_(source, non_blocking=True)
        # The thread sleeps; a stream's own `synchronize` would keep a core busy.
        copied = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
        copied.record(torch.cuda.current_stream(self._device))
        copied.synchronize()
        return found


def _equal(one: object, other: object) -> bool:
    """Compare keys that are values; pictures are compared by identity alone."""
    return not isinstance(one, np.ndarray) and not isinstance(other, np.ndarray) and one == other


PREVIOUS_ALPHA = "previous_alpha"


def to_arrays(state: Sequence[Tensor], previous_alpha: Tensor | None) -> StateArrays:
    """Return float32 copies; every supported precision is exact in float32."""
    named = {f"state{index}": tensor for index, tensor in enumerate(state)}
    if previous_alpha is not None:
        named[PREVIOUS_ALPHA] = previous_alpha
    return {name: tensor.float().cpu().numpy().copy() for name, tensor in named.items()}


def from_arrays(arrays: StateArrays, like: State, size: tuple[int, int]) -> tuple[State, Tensor | None]:
    """Return the state on the devices and in the precisions of `like`, and the previous alpha.

    size: (height, width) of the frame. Raises KeyError, ValueError or TypeError if the arrays do not fit.
    """
    state = []
    for index, current in enumerate(like):
        tensor = torch.from_numpy(arrays[f"state{index}"].copy())
        if tensor.shape != current.shape:
            raise ValueError(f"a saved array is {tuple(tensor.shape)} in place of {tuple(current.shape)}")
        if index < len(like) - 1:  # the last one is that of strict mode
            check_memory(arrays[f"state{index}"])
        state.append(tensor.to(current))
    alpha = saved(arrays, PREVIOUS_ALPHA, (1, 1, *size), np.float32)
    return tuple(state), None if alpha is None else torch.from_numpy(alpha).to(like[-1].device)


DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


class TorchBackend:
    """Runs the step eagerly; on a GPU as a recorded graph where nothing on the host takes part in it."""

    name = "eager"

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
        self.settled = SettledStep(self.frame_step) if self.torch_device.type == "cuda" else None
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
        reuse: Reuse = Reuse.NOTHING,
    ) -> Matte:
        """Run one step. The network sees all of still frames too: a GPU has time for it."""
        planned = plan(edges)
        picture = (
            strength_taps(backdrop.strength, self._blur_short_side, backdrop.zoom)
            if isinstance(backdrop, BlurredBackground)
            else backdrop
        )
        behind = None if isinstance(backdrop, BlurredBackground) else backdrop
        lighting = Lighting(self._light, behind) if planned.relights else None
        with torch.inference_mode():
            inputs = StepInputs(
                self._transfers.up("frame", frame),
                self._transfers.up_once("backdrop", backdrop, picture),
                self.recurrent,
                planned,
                self.previous_alpha,
                want_foreground,
            )
            settled = self.settled if edit is None and lighting is None else None
            output = settled(inputs) if settled is not None else self.frame_step(inputs, edit, lighting)
            pixels = [tensor for tensor in output.pixels if tensor is not None]
            finite, composite, alpha, *foreground = self._transfers.down([output.finite, *pixels])
            if not math.isfinite(finite.item()):
                raise NotAMatteError
        self.recurrent, self.previous_alpha = output.state, output.previous_alpha
        shown = None if output.view is None else viewed(frame, output.view)
        person = foreground[0].numpy() if foreground else None
        return Matte(composite.numpy(), alpha.numpy(), person, shown)

    def state(self) -> StateArrays:
        """Return copies of the state."""
        return {**to_arrays(self.recurrent, self.previous_alpha), **prefixed("light", self._light.state())}

    def load_state(self, arrays: StateArrays) -> None:
        """Restore the state. Raises KeyError or ValueError if the arrays do not fit."""
        geometry = self.frame_step.geometry
        size = geometry.height, geometry.width
        self.recurrent, self.previous_alpha = from_arrays(arrays, self.recurrent, size)
        self._light.load_state(under("light", arrays))

    def close(self) -> None:
        """Drop the state, and return the memory of a GPU."""
        self.recurrent, self.previous_alpha = (), None
        if self.settled is not None:
            self.settled.close()
        self._transfers = Transfers(self.torch_device)
        if self.torch_device.type == "cuda":
            release_memory()
