"""The frame step in eager mode on any torch device: the reference for the other executors; on a GPU as a CUDA graph.

A graph is one launch in place of several hundred, which take more time than the GPU needs. It repeats what was launched
while it was recorded, in the same memory. It is recorded once nothing but the contents of the inputs has changed for
`SETTLED_STEPS`, and used only if it gives the same as the step itself.

Networks are loaded here as well: the most recent ones are kept, so that a new ratio does not reload the weights. The
usual loop around a published network, with which `bench` compares the step, is at the end.
"""

from __future__ import annotations

import functools
import itertools
import logging
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from app.core.errors import ModelError, t, text_of
from app.core.geometry import viewed
from app.core.types import AlphaImage, BgrImage, BlurredBackground, Matte
from app.matting.blur import strength_taps
from app.matting.edges import plan
from app.matting.interface import NotAMatteError, StepGeometry, StepRequest
from app.matting.torch.frame_step import Core, DirectCore, FrameStep, State, StepInputs, StepOutput
from models.checkpoint import load_state_dict
from models.errors import WeightsError
from models.table import NETWORKS

_log = logging.getLogger(__name__)
SETTLED_STEPS = 15
"""Equal steps before a graph is recorded: a slider that moves would have it recorded all the time."""
GRAPH_TOLERANCE = 0.6
"""Largest mean difference of alpha and of the composite, of 255, from the step: float16 is not exact."""


Recorder = Callable[[Callable[[], StepOutput]], tuple[StepOutput, Callable[[], None]]]
"""Records a step; returns its output and what repeats it into that output."""


def record_graph(step: Callable[[], StepOutput]) -> tuple[StepOutput, Callable[[], None]]:
    """Record a step as a graph on the current device; see `Recorder`. Raises RuntimeError."""
    current, beside = torch.cuda.current_stream(), torch.cuda.Stream()  # type: ignore[no-untyped-call]
    graph = torch.cuda.CUDAGraph()
    beside.wait_stream(current)
    with torch.cuda.stream(beside):
        # Other threads may use the device meanwhile.
        graph.capture_begin(capture_error_mode="thread_local")
        try:
            output = step()
        finally:
            graph.capture_end()
    current.wait_stream(beside)
    return output, graph.replay


class RecordedStep:
    """Runs a step, as a recording where possible. Used on one thread, under `inference_mode`."""

    def __init__(self, step: FrameStep, record: Recorder = record_graph, settled_steps: int = SETTLED_STEPS) -> None:
        self._step, self._record, self._settled_steps = step, record, settled_steps
        self._form: tuple[object, ...] = ()
        self._equal_steps = 0
        self._refused = False
        self.close()

    def close(self) -> None:
        """Drop the recording and its memory."""
        self.recorded_form: tuple[object, ...] | None = None
        """Form of the inputs that the recording takes; None: there is none."""
        self._inputs: StepInputs | None = None
        """The memory that the recording reads and, for the states, writes."""
        self._backdrop: Tensor | None = None
        """The backdrop that was copied last."""
        self._recording: tuple[StepOutput, Callable[[], None]] | None = None

    def __call__(self, inputs: StepInputs) -> StepOutput:
        """Run the step; the next one may overwrite its output. Raises RuntimeError."""
        form = inputs.form
        if form == self.recorded_form:
            return self._repeated(inputs)
        self._equal_steps = self._equal_steps + 1 if form == self._form else 1
        self._form = form
        output: StepOutput = self._step(inputs)
        if self._equal_steps > self._settled_steps and not self._refused:
            self._record_step(inputs, output)
        return output

    def _record_step(self, inputs: StepInputs, right: StepOutput) -> None:
        """Record the step; keep that if it gives the same as the step itself, else never try again."""
        self.close()  # its memory serves the next one
        kept = self._inputs = inputs._replace(
            frame=inputs.frame.clone(),
            backdrop=inputs.backdrop.clone(),
            state=tuple(map(torch.clone, inputs.state)),
            previous_alpha=None if inputs.previous_alpha is None else inputs.previous_alpha.clone(),
        )

        def step() -> StepOutput:
            """Run the step on the kept inputs, and keep its states for the next one if they are finite."""
            output: StepOutput = self._step(kept)
            finite = torch.isfinite(output.finite)
            for mine, new in zip(kept.state, output.state, strict=True):
                mine.copy_(torch.where(finite, new, mine))
            previous = output.previous_alpha
            if kept.previous_alpha is not None and previous is not None:
                kept.previous_alpha.copy_(torch.where(finite, previous, kept.previous_alpha))
                previous = kept.previous_alpha
            return output._replace(state=kept.state, previous_alpha=previous)

        try:
            self._recording = self._record(step)
            found = self._repeated(inputs)
            pairs = (found.alpha, right.alpha), (found.composite, right.composite)
            differences = [float((one.float() - other.float()).abs().mean()) for one, other in pairs]
            self._refused = not max(differences) < GRAPH_TOLERANCE
            if self._refused:
                _log.warning("The recorded frame step differs by %s of 255 from the step itself.", differences)
        except RuntimeError as error:
            self._refused = True
            _log.warning("The frame step could not be recorded as a CUDA graph.", exc_info=error)
        if self._refused:
            self.close()
        else:
            self.recorded_form = inputs.form

    def _repeated(self, inputs: StepInputs) -> StepOutput:
        """Run the recording; its output is overwritten by the next step."""
        assert self._inputs is not None and self._recording is not None
        kept, (output, repeat) = self._inputs, self._recording
        kept.frame.copy_(inputs.frame)
        if inputs.backdrop is not self._backdrop:
            kept.backdrop.copy_(inputs.backdrop)
            self._backdrop = inputs.backdrop
        for mine, new in zip(kept.state, inputs.state, strict=True):
            if mine is not new:
                mine.copy_(new)
        if kept.previous_alpha is not None and kept.previous_alpha is not inputs.previous_alpha:
            assert inputs.previous_alpha is not None
            kept.previous_alpha.copy_(inputs.previous_alpha)
        repeat()
        return output


CHANNELS, SIDE = 32, 24
HALF_TOLERANCE = 0.05
"""Largest difference of a float16 convolution of values around 1 from float32."""


def convolves_in_half(device: torch.device) -> bool:
    """Return whether convolutions in float16 on `device` agree with float32 on the CPU. Raises RuntimeError."""
    image = torch.linspace(-1, 1, CHANNELS * SIDE * SIDE).sin().view(1, CHANNELS, SIDE, SIDE)
    weight = torch.linspace(-3, 3, CHANNELS * CHANNELS * 9).cos().view(CHANNELS, CHANNELS, 3, 3) / CHANNELS
    expected = functional.conv2d(image, weight, padding=1)
    with torch.inference_mode():
        half = image.to(device, torch.float16), weight.to(device, torch.float16)
        found = functional.conv2d(*half, padding=1).float().cpu()
    return bool(torch.isfinite(found).all()) and float((found - expected).abs().max()) < HALF_TOLERANCE


def forget_networks() -> None:
    """Drop the networks that are kept for the next engine."""
    _loaded.cache_clear()


def release_memory() -> None:
    """Return unused GPU and pinned memory to the system; does nothing where CUDA is not in use.

    torch keeps freed memory for later; other programs, and other devices of this one, cannot use it meanwhile.
    """
    if not torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        return
    try:
        torch.cuda.empty_cache()
        empty_pinned = getattr(torch._C, "_host_emptyCache", None)
        if empty_pinned is not None:
            empty_pinned()
    except RuntimeError as error:  # A GPU that is lost refuses even that.
        _log.warning("GPU memory could not be released.", exc_info=error)


Image = NDArray[np.uint8] | NDArray[np.float32]


class Transfers:
    """Used on one thread, on the current stream."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._staging: dict[str, Tensor] = {}
        """Pinned host memory for uploads."""
        self._kept: tuple[Image, Tensor] | None = None

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

    def up_once(self, name: str, array: Image) -> Tensor:
        """Return `array` on the device; only another object is uploaded again."""
        if self._kept is None or self._kept[0] is not array:
            self._kept = array, self.up(name, array)
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


DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


class TorchBackend:
    """Runs the step eagerly; on a GPU as a recorded graph where nothing on the host takes part in it."""

    name = "eager"
    gpu_problem = ""

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
        self.recorded_step = RecordedStep(self.frame_step) if self.torch_device.type == "cuda" else None
        self._transfers = Transfers(self.torch_device)
        self._blur_short_side = geometry.blur_short_side
        self.precision = precision
        self.device = device
        self.recurrent: State = ()
        self.previous_alpha: Tensor | None = None
        self.reset()

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Start the recurrent state anew."""
        self.recurrent = self.frame_step.initial_state(None if seen is None else self._transfers.up("seen", seen))
        self.previous_alpha = None

    def step(self, request: StepRequest) -> Matte:
        """Run one step. The network sees all of still frames too: a GPU has time for it."""
        frame = request.frame
        backdrop = request.backdrop
        edit = request.edit
        picture = (
            strength_taps(backdrop.strength, self._blur_short_side, backdrop.zoom)
            if isinstance(backdrop, BlurredBackground)
            else backdrop
        )
        with torch.inference_mode():
            inputs = StepInputs(
                self._transfers.up("frame", frame),
                self._transfers.up_once("backdrop", picture),
                self.recurrent,
                plan(request.edges),
                request.strict,
                self.previous_alpha,
                request.want_foreground,
            )
            recorded = self.recorded_step if edit is None else None
            output = recorded(inputs) if recorded is not None else self.frame_step(inputs, edit)
            made = [output.finite, output.composite, output.alpha]
            made += [] if output.foreground is None else [output.foreground]
            finite, composite, alpha, *foreground = self._transfers.down(made)
            if not math.isfinite(finite.item()):
                raise NotAMatteError
        self.recurrent, self.previous_alpha = output.state, output.previous_alpha
        shown = None if output.view is None else viewed(frame, output.view)
        person = foreground[0].numpy() if foreground else None
        return Matte(composite.numpy(), alpha.numpy(), person, shown)

    def close(self) -> None:
        """Drop the state, and return the memory of a GPU."""
        self.recurrent, self.previous_alpha = (), None
        if self.recorded_step is not None:
            self.recorded_step.close()
        self._transfers = Transfers(self.torch_device)
        if self.torch_device.type == "cuda":
            release_memory()


def fold_batch_norms(network: nn.Module) -> nn.Module:
    """Fold, in place, every BatchNorm2d that is defined right after a convolution of its width; return `network`.

    The networks of this program normalize the output of that convolution and use it nowhere else; a test compares them.
    The network must be in evaluation mode and in float32.
    """
    for module in list(network.modules()):
        children = list(module.named_children())
        for (conv_name, conv), (norm_name, norm) in itertools.pairwise(children):
            if (
                isinstance(conv, nn.Conv2d)
                and isinstance(norm, nn.BatchNorm2d)
                and conv.out_channels == norm.num_features
            ):
                setattr(module, conv_name, fuse_conv_bn_eval(conv, norm))
                setattr(module, norm_name, nn.Identity())
    return network


def load_network(model: str, weights: Path, refiner: str, device: str, precision: str) -> nn.Module:
    """Return the network `model` with `weights`, in evaluation mode, on `device` in `precision`.

    Raises ModelError if the file does not contain weights of this network.
    """
    stat = weights.stat()
    return _loaded(model, weights, (stat.st_mtime_ns, stat.st_size), refiner, device, precision)


@functools.lru_cache(2)
def _loaded(
    model: str, weights: Path, version: tuple[int, int], refiner: str, device: str, precision: str
) -> nn.Module:
    try:
        tensors = load_state_dict(weights)
    except WeightsError as error:
        raise ModelError(text_of(error)) from error
    try:
        network = NETWORKS[model].load(tensors, refiner)
    except RuntimeError as error:
        raise ModelError(
            t(
                "The file {file} does not contain weights of {model}; choose the model it belongs to or another file.",
                file=weights,
                model=model,
            )
        ) from error
    return place(network.eval().requires_grad_(False), device, DTYPES[precision])


def place(network: nn.Module, device: str, dtype: torch.dtype) -> nn.Module:
    """Move a network to a device; on a GPU with folded batch normalization and weights in the layout of its images."""
    if not device.startswith("cuda"):
        return network.to(device, dtype)
    network = fold_batch_norms(network)
    return network.to(device, dtype, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def load_core(model: str, weights: Path, refiner: str, ratio: float, device: str, precision: str) -> Core:
    """Return the first stage of `model` for frames downsampled by `ratio`; see `load_network`."""
    network = load_network(model, weights, refiner, device, precision)
    direct = ratio == 1 and NETWORKS[model].direct
    return (DirectCore if direct else Core)(network).eval()


def usual_loop(
    network: Callable[..., Any], backdrop: BgrImage, ratio: float, device: str, precision: str = "float32"
) -> Callable[[BgrImage], BgrImage]:
    """Return the straightforward step around a published network: float RGB in numpy, network in torch, back in numpy.

    It turns frames into composites, (H, W, 3) uint8 BGR like the backdrop. precision: dtype of the network.
    """
    behind = cv2.cvtColor(backdrop, cv2.COLOR_BGR2RGB).astype(np.float32) / 255
    state: list[torch.Tensor] = []

    def step(frame: BgrImage) -> BgrImage:
        rgb = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB).astype(np.float32) / 255
        source = torch.from_numpy(rgb).permute(2, 0, 1).unsqueeze(0).to(device, getattr(torch, precision))
        with torch.no_grad():
            foreground, alpha, *state[:] = network(source, *state, downsample_ratio=ratio)
        person, part = (each[0].permute(1, 2, 0).float().cpu().numpy() for each in (foreground, alpha))
        composite = person * part + behind * (1 - part)
        return np.asarray(cv2.cvtColor((composite * 255).astype(np.uint8), cv2.COLOR_RGB2BGR), np.uint8)

    return step
