"""Interfaces of matting: engine, backend that runs the frame step, failures, network's input."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Protocol

from app.core.errors import ModelError, Remedy
from app.core.settings import EdgeSettings, StrictLevel
from app.core.types import AlphaImage, Backdrop, BgrImage, Matte, MatteEditor

# Default short side of the small frame in pixels; a network's spec may override it.
AUTO_SHORT_SIDE = 270
ROOM_SHORT_SIDE = 160


@dataclass(frozen=True)
class StepGeometry:
    """Frame size, downsample ratio, and the sizes derived from them once, in pixels."""

    width: int
    height: int
    ratio: float

    @cached_property
    def small_width(self) -> int:
        """Width of the small frame, the network's input."""
        return int(self.width * self.ratio)

    @cached_property
    def small_height(self) -> int:
        """Height of the small frame, the network's input."""
        return int(self.height * self.ratio)

    @cached_property
    def blur_factor(self) -> int:
        """Downsampling factor per axis from the small frame to the blurred background."""
        return max(1, -(-min(self.small_width, self.small_height) // ROOM_SHORT_SIDE))

    @cached_property
    def blur_short_side(self) -> int:
        """Short side of the blurred background."""
        return min(self.small_width, self.small_height) // self.blur_factor


def auto_ratio(width: int, height: int, short_side: int = AUTO_SHORT_SIDE) -> float:
    """Return the ratio, at most 1, that scales the frame's short side to `short_side` pixels."""
    return min(1.0, short_side / min(width, height))


# Networks were trained on well-lit people and lose parts of dark ones: they see a dark small
# frame times a gain. Their coefficients are then made those of the frame as it is.
# Below a mean of DARK, of 0..1, the small frame gets a gain; below DARKER the full one,
# which leads to TARGET.
DARK = 0.3
DARKER = 0.2
TARGET = 0.4
MOST_GAIN = 4.0


def network_gain(mean: float) -> float:
    """Return the gain of the network's input for a small frame with this mean, 0..1."""
    share = min(max((DARK - mean) / (DARK - DARKER), 0.0), 1.0)
    return min(1 + (TARGET / max(mean, 1e-3) - 1) * share, MOST_GAIN)


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """Description of an engine and where it runs; shown to the user."""

    model: str
    executor: str
    precision: str
    device: str
    downsample_ratio: float
    small_size: tuple[int, int]
    """(width, height) of the network's input."""
    # Whether strict mode may filter its mattes.
    strict_mode: bool = True
    # How the GPU of Intel failed, so that the CPU took over.
    gpu_problem: str = ""
    # Whether its steps will soon take less time: the network for this size is still to come.
    is_settling: bool = False


class Reuse(Enum):
    """What a step may use again of the steps before it, because little has moved since."""

    NOTHING = 0
    # The network's features at 1/16 and 1/32 of the small frame,
    # which tell people from things but place no edges.
    FEATURES = 1
    # The network's result: it leaves the frame out.
    MATTE = 2


@dataclass(frozen=True, slots=True, eq=False)
class StepRequest:
    """What engines and their backends need for the step of one frame."""

    frame: BgrImage
    """(H, W, 3) uint8 BGR."""
    # Of the same size, or a blur of the frame.
    backdrop: Backdrop
    edges: EdgeSettings
    # How strict mode filters the matte before edit and edge controls.
    strict: StrictLevel = "balanced"
    edit: MatteEditor | None = None
    # Whether to estimate the colours of the person too.
    want_foreground: bool = False
    # Set by the engine, for its backend.
    reuse: Reuse = Reuse.NOTHING


class MattingEngine(Protocol):
    """Extracts the person from consecutive frames and composites them over the backdrop.

    Owns the recurrent state, which is reset by `reset` and whenever the frame's size changes. Used
    and closed on one thread; may be built on another.
    """

    @property
    def info(self) -> EngineInfo:
        """Return the model, executor, precision, device and ratio in use."""

    def step(self, request: StepRequest) -> Matte:
        """Return matte and composite of the next frame, in new arrays, which the caller may keep.

        Raises ModelError if the network fails or its output is not finite; never returns the frame
        itself.
        """

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Forget the frames seen so far (a new source, scene or engine).

        seen: alpha (H, W) of the last frame, if this stream goes on. Strict mode shows the
        people in it at once; otherwise people appear when they first move.
        """

    def close(self) -> None:
        """Release the device. Idempotent."""


class NotAMatteError(Exception):
    """The network's output contains NaN or infinity."""


class Backend(Protocol):
    """Runs the frame step for one network, size and ratio, and owns the recurrent state.

    See `MattingEngine`. All backends return the same results within the tolerances of the contract
    test.
    """

    # Name of the executor in the settings: `eager`, `openvino`, ...
    name: str
    # Precision of the network: `float32`, `float16`, `bfloat16` or `int8`.
    precision: str
    # Name of the device, shown to the user.
    device: str
    # How the GPU of Intel failed, so that the CPU took over; mostly empty.
    gpu_problem: str
    # As of `EngineInfo`.
    is_settling: bool

    def step(self, request: StepRequest) -> Matte:
        """Run one step. Raises NotAMatteError. The caller has validated the sizes."""

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Reset the recurrent state."""

    def close(self) -> None:
        """Release the device. Idempotent."""


class ExecutorError(ModelError):
    """An executor failed; the network may run on another device or in another precision."""

    def __init__(
        self,
        text: str,
        model: str,
        device: str,
        precision: str,
        remedy: Remedy | None = None,
        *,
        invalid_output: bool = False,
    ) -> None:
        """model, device, precision: of the executor.

        invalid_output: it returned NaN, infinity or a wrong matte.
        """
        super().__init__(text, remedy)
        self.model = model
        self.device = device
        self.precision = precision
        self.invalid_output = invalid_output


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield `error`, its cause or context, and so on."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def is_out_of_memory(error: BaseException | None) -> bool:
    """Return whether memory ran out; torch and OpenVINO report it only in the text."""
    causes = list(chain(error))
    if any(isinstance(cause, MemoryError) for cause in causes):
        return True
    return any("out of memory" in str(cause).lower() for cause in causes)


def is_device_lost(error: BaseException | None) -> bool:
    """Return whether CUDA itself failed: then every later call in this process may fail too."""
    failed = any("cuda error" in str(each).lower() for each in chain(error))
    return failed and not is_out_of_memory(error)
