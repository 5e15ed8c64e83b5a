"""The frame step in eager mode on any torch device, on a GPU as a CUDA graph.

It is the reference for the other executors.

A graph is one launch in place of several hundred, which take more time than the GPU needs. It
repeats what was launched while it was recorded, in the same memory. It is recorded once nothing but
the contents of the inputs has changed for `SETTLED_STEPS`, and used only if it gives the same as
the step itself.

Networks are loaded here as well: the most recent ones are kept, so that a new ratio does not reload
the weights. The usual loop around a published network, with which `bench` compares the step, is at
the end.
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
# Steps of one form before a graph is recorded: a slider
# that moves would have it recorded all the time.
SETTLED_STEPS = 15
# Largest mean difference of alpha and of the composite (0..255)
# from those of the step itself: float16 is not exact.
GRAPH_TOLERANCE = 0.6


# Records a step; returns its output and what repeats it into that output.
Recorder = Callable[[Callable[[], StepOutput]], tuple[StepOutput, Callable[[], None]]]


def record_graph(step: Callable[[], StepOutput]) -> tuple[StepOutput, Callable[[], None]]:
    """Record a step as a graph on the current device; see `Recorder`. Raises RuntimeError."""
    current = torch.cuda.current_stream()
    beside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
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

    def __init__(
        self,
        step: FrameStep,
        record: Recorder = record_graph,
        settled_steps: int = SETTLED_STEPS,
    ) -> None:
        self._step = step
        self._record = record
        self._settled_steps = settled_steps
        self._last_form: tuple[object, ...] = ()
        self._steps_of_last_form = 0
        # A recording failed, or was wrong: there will be no other.
        self._refused = False
        self.close()

    def close(self) -> None:
        """Drop the recording and its memory."""
        # Form of the inputs that the recording takes; None: there is none.
        self.recorded_form: tuple[object, ...] | None = None
        # The memory that the recording reads and, for the states, writes.
        self._inputs: StepInputs | None = None
        # The backdrop that was copied last.
        self._backdrop: Tensor | None = None
        self._recording: tuple[StepOutput, Callable[[], None]] | None = None

    def __call__(self, inputs: StepInputs) -> StepOutput:
        """Run the step; the next one may overwrite its output. Raises RuntimeError."""
        form = inputs.form
        if form == self.recorded_form:
            return self._repeated(inputs)
        if form == self._last_form:
            self._steps_of_last_form += 1
        else:
            self._steps_of_last_form = 1
        self._last_form = form
        output: StepOutput = self._step(inputs)
        if self._steps_of_last_form > self._settled_steps and not self._refused:
            self._record_step(inputs, output)
        return output

    def _record_step(self, inputs: StepInputs, right: StepOutput) -> None:
        """Record the step; keep the recording if it gives the same as the step itself.

        Else, never try again.
        """
        # First, so that the memory of the last recording serves the next one.
        self.close()
        previous_alpha = None
        if inputs.previous_alpha is not None:
            previous_alpha = inputs.previous_alpha.clone()
        kept = inputs._replace(
            frame=inputs.frame.clone(),
            backdrop=inputs.backdrop.clone(),
            state=tuple(map(torch.clone, inputs.state)),
            previous_alpha=previous_alpha,
        )
        self._inputs = kept

        def step() -> StepOutput:
            """Run the step on the kept inputs; keep its states for the next one if finite."""
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
            differences = [
                _difference(found.alpha, right.alpha),
                _difference(found.composite, right.composite),
            ]
            # Not `>=`: a difference that is no number is refused as well.
            self._refused = not max(differences) < GRAPH_TOLERANCE
            if self._refused:
                _log.warning(
                    "The recorded frame step differs by %s of 255 from the step itself.",
                    differences,
                )
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
        kept = self._inputs
        output, repeat = self._recording
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


def _difference(one: Tensor, other: Tensor) -> float:
    return float((one.float() - other.float()).abs().mean())


# Size of the convolution by which a card is tested.
CHANNELS = 32
SIDE = 24
# Largest difference of a float16 convolution of values around 1 from float32.
HALF_TOLERANCE = 0.05


def convolves_in_half(device: torch.device) -> bool:
    """Return whether convolutions in float16 on `device` agree with float32 on the CPU.

    Raises RuntimeError.
    """
    values = torch.linspace(-1, 1, CHANNELS * SIDE * SIDE).sin()
    image = values.view(1, CHANNELS, SIDE, SIDE)
    taps = torch.linspace(-3, 3, CHANNELS * CHANNELS * 9).cos()
    weight = taps.view(CHANNELS, CHANNELS, 3, 3) / CHANNELS
    expected = functional.conv2d(image, weight, padding=1)
    with torch.inference_mode():
        half_image = image.to(device, torch.float16)
        half_weight = weight.to(device, torch.float16)
        found = functional.conv2d(half_image, half_weight, padding=1).float().cpu()
    if not torch.isfinite(found).all():
        return False
    return float((found - expected).abs().max()) < HALF_TOLERANCE


def forget_networks() -> None:
    """Drop the networks that are kept for the next engine."""
    _loaded.cache_clear()


def release_memory() -> None:
    """Return unused GPU and pinned memory to the system; does nothing where CUDA is not in use.

    torch keeps freed memory for later; other programs, and other devices of this one, cannot use it
    meanwhile.
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
    """Moves arrays to a device and back. Used on one thread, on the current stream."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        # Pinned host memory for uploads, which the device reads without a copy.
        self._staging: dict[str, Tensor] = {}
        # What `up_once` uploaded last, and where it is.
        self._kept: tuple[Image, Tensor] | None = None

    def up(self, name: str, array: Image) -> Tensor:
        """Return `array` on the device.

        name: of its staging memory, which is free again after the next `down`.
        """
        if self._device.type != "cuda":
            # torch warns about read-only arrays, which are never written here.
            writable = array if array.flags.writeable else array.copy()
            return torch.from_numpy(writable).to(self._device)
        staging = self._staging.get(name)
        if staging is None or staging.shape != array.shape:
            like = torch.from_numpy(np.empty_like(array))
            staging = torch.empty_like(like, pin_memory=True)
            self._staging[name] = staging
        np.copyto(staging.numpy(), array)
        return staging.to(self._device, non_blocking=True)

    def up_once(self, name: str, array: Image) -> Tensor:
        """Return `array` on the device; only another object is uploaded again."""
        if self._kept is None or self._kept[0] is not array:
            self._kept = (array, self.up(name, array))
        return self._kept[1]

    def down(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Return the tensors in host memory, in new memory on a GPU, after a single wait."""
        if self._device.type != "cuda":
            return [tensor.cpu() for tensor in tensors]
        found = []
        for source in tensors:
            target = torch.empty(source.shape, dtype=source.dtype, pin_memory=True)
            target.copy_(source, non_blocking=True)
            found.append(target)
        # The thread sleeps; a stream's own `synchronize` would keep a core busy.
        copied = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
        copied.record(torch.cuda.current_stream(self._device))
        copied.synchronize()
        return found


DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


class TorchBackend:
    """Runs the step eagerly, or on a GPU as a recorded graph.

    A graph takes no part of the host, so that edits are made eagerly.
    """

    name = "eager"
    gpu_problem = ""
    is_settling = False

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
        self.recorded_step: RecordedStep | None = None
        if self.torch_device.type == "cuda":
            self.recorded_step = RecordedStep(self.frame_step)
        self._transfers = Transfers(self.torch_device)
        self._blur_short_side = geometry.blur_short_side
        self.precision = precision
        self.device = device
        self.recurrent: State = ()
        self.previous_alpha: Tensor | None = None
        self.reset()

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Start the recurrent state anew."""
        people = None
        if seen is not None:
            people = self._transfers.up("seen", seen)
        self.recurrent = self.frame_step.initial_state(people)
        self.previous_alpha = None

    def step(self, request: StepRequest) -> Matte:
        """Run one step. The network sees all of still frames too: a GPU has time for it."""
        frame = request.frame
        backdrop = request.backdrop
        edit = request.edit
        picture: Image
        if isinstance(backdrop, BlurredBackground):
            picture = strength_taps(backdrop.strength, self._blur_short_side, backdrop.zoom)
        else:
            picture = backdrop
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
            if edit is None and self.recorded_step is not None:
                output = self.recorded_step(inputs)
            else:
                output = self.frame_step(inputs, edit)
            made = [output.finite, output.composite, output.alpha]
            if output.foreground is not None:
                made.append(output.foreground)
            finite, composite, alpha, *foreground = self._transfers.down(made)
            if not math.isfinite(finite.item()):
                raise NotAMatteError
        self.recurrent = output.state
        self.previous_alpha = output.previous_alpha
        shown = None if output.view is None else viewed(frame, output.view)
        person = foreground[0].numpy() if foreground else None
        return Matte(composite.numpy(), alpha.numpy(), person, shown)

    def close(self) -> None:
        """Drop the state, and return the memory of a GPU."""
        self.recurrent = ()
        self.previous_alpha = None
        if self.recorded_step is not None:
            self.recorded_step.close()
        self._transfers = Transfers(self.torch_device)
        if self.torch_device.type == "cuda":
            release_memory()


def fold_batch_norms(network: nn.Module) -> nn.Module:
    """Fold, in place, every BatchNorm2d into the convolution of its width right before it.

    Return `network`. The networks of this program normalize the output of that convolution and use
    it nowhere else; a test compares them. The network must be in evaluation mode and in float32.
    """
    for module in list(network.modules()):
        children = list(module.named_children())
        for (conv_name, conv), (norm_name, norm) in itertools.pairwise(children):
            if not isinstance(conv, nn.Conv2d) or not isinstance(norm, nn.BatchNorm2d):
                continue
            if conv.out_channels == norm.num_features:
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
    model: str,
    weights: Path,
    version: tuple[int, int],
    refiner: str,
    device: str,
    precision: str,
) -> nn.Module:
    """Load a network. version: of the file of the weights, so that another file is loaded anew."""
    try:
        tensors = load_state_dict(weights)
    except WeightsError as error:
        raise ModelError(text_of(error)) from error
    try:
        network = NETWORKS[model].load(tensors, refiner)
    except RuntimeError as error:
        raise ModelError(
            t(
                "The file {file} does not contain weights of {model}; choose the model it belongs "
                "to or another file.",
                file=weights,
                model=model,
            )
        ) from error
    return place(network.eval().requires_grad_(False), device, DTYPES[precision])


def place(network: nn.Module, device: str, dtype: torch.dtype) -> nn.Module:
    """Move a network to a device.

    On a GPU, batch normalization is folded, and weights get the layout of its images.
    """
    if not device.startswith("cuda"):
        return network.to(device, dtype)
    network = fold_batch_norms(network)
    return network.to(device, dtype, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def load_core(
    model: str,
    weights: Path,
    refiner: str,
    ratio: float,
    device: str,
    precision: str,
) -> Core:
    """Return the first stage of `model` for frames downsampled by `ratio`; see `load_network`."""
    network = load_network(model, weights, refiner, device, precision)
    if ratio == 1 and NETWORKS[model].direct:
        return DirectCore(network).eval()
    return Core(network).eval()


def usual_loop(
    network: Callable[..., Any],
    backdrop: BgrImage,
    ratio: float,
    device: str,
    precision: str = "float32",
) -> Callable[[BgrImage], BgrImage]:
    """Return the straightforward step around a published network: numpy, torch, numpy.

    It turns frames into composites, (H, W, 3) uint8 BGR like the backdrop. precision: dtype of the
    network.
    """
    behind = cv2.cvtColor(backdrop, cv2.COLOR_BGR2RGB).astype(np.float32) / 255
    state: list[torch.Tensor] = []

    def step(frame: BgrImage) -> BgrImage:
        rgb = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB).astype(np.float32) / 255
        image = torch.from_numpy(rgb).permute(2, 0, 1).unsqueeze(0)
        source = image.to(device, getattr(torch, precision))
        with torch.no_grad():
            foreground, alpha, *new_state = network(source, *state, downsample_ratio=ratio)
        state[:] = new_state
        person = foreground[0].permute(1, 2, 0).float().cpu().numpy()
        part = alpha[0].permute(1, 2, 0).float().cpu().numpy()
        composite = person * part + behind * (1 - part)
        pixels = (composite * 255).astype(np.uint8)
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), np.uint8)

    return step
