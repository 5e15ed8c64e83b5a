"""What identifies an engine, which one is in use or asked for and why, what replaces one that fails, and what to show.

`EnginePlan` holds the states of the choice, `Fallbacks` the ways out of a failure, and a `Decision` is what becomes of
one frame.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from app.core.errors import MattecamError, ModelError, PlateError, Text, WeightsMissingError, t
from app.core.geometry import WHOLE
from app.core.settings import MIN_RATIO, EngineSettings, FramingSettings
from app.core.types import Frame
from app.matting.base.interface import ExecutorError, MattingEngine, is_device_lost, is_out_of_memory
from app.matting.choice import hardware
from app.matting.choice.hardware import CudaCards
from app.matting.plate.picture import plate_info
from app.runtime.status import Phase
from models.table import needs_plate


@dataclass(frozen=True, slots=True)
class EngineKey:
    """What an engine is built for; a change of any field needs another engine."""

    settings: EngineSettings
    size: tuple[int, int]
    """(width, height) of the source's frames, in pixels."""
    framing: FramingSettings | None = None
    """The crop of the source's frames that the plate was cropped to; None for an engine without one, which takes any.
    """
    camera: str = ""
    """The viewpoint of the source that the plate must show; empty for an engine without a plate, which takes any."""

    @staticmethod
    def of(settings: EngineSettings, size: tuple[int, int], framing: FramingSettings, camera: str = "") -> EngineKey:
        """Return the key for these settings and this source, whose frames have this size."""
        if settings.plate is not None and (settings.model == "auto" or needs_plate(settings.model)):
            return EngineKey(settings, size, framing, camera)
        return EngineKey(settings, size)

    def with_settings(self, settings: EngineSettings) -> EngineKey:
        """Return the key of other settings for the same frames."""
        return EngineKey.of(settings, self.size, self.framing or WHOLE, self.camera)

    def takes(self, frame: Frame) -> bool:
        """Return whether the engine may matte this frame of the source."""
        return self.size == frame.size and (not self.camera or self.camera == frame.viewpoint)

    def check_plate(self) -> None:
        """Raise PlateError if the plate was captured with another source."""
        plate = self.settings.plate
        if plate is None or not self.camera:
            return
        info = plate_info(plate)
        if info is not None and info.camera != self.camera:
            raise PlateError(
                t(
                    "The picture of the empty room {file} was taken with another camera ({camera}), or while it was "
                    "turned otherwise; take it again.",
                    file=plate,
                    camera=info.camera,
                )
            )


class ChoiceState(Enum):
    """What has become of the user's choice; see `EnginePlan`."""

    CHOSEN = "chosen"
    REPLACED = "replaced"
    FAILED = "failed"


class EnginePlan:
    """The states of the selector, without engines and threads: each method is an event.

    | state    | asked for                             | after `built`           | after `failed`        |
    |----------|---------------------------------------|-------------------------|-----------------------|
    | CHOSEN   | the choice, at the governor's quality | CHOSEN                  | REPLACED, else FAILED |
    | REPLACED | what replaces the choice              | REPLACED                | REPLACED, else FAILED |
    | FAILED   | nothing                               | as what was being built | REPLACED, else FAILED |

    While the choice is built, the engine of the choice before is in use. From every state `choose` leads to CHOSEN and
    `keep_engine` to REPLACED; `due` leads from FAILED to what failed. Times are those of one steady clock, in seconds.
    """

    def __init__(self) -> None:
        self.state = ChoiceState.CHOSEN
        self.choice: EngineKey | None = None
        """What the settings ask for."""
        self.base: EngineKey | None = None
        """The choice, or what replaces it, at full quality."""
        self.target: EngineKey | None = None
        """`base` at the governor's quality: what is built or in use."""
        self.in_use: EngineKey | None = None
        self.due_at_s: float | None = None
        """When what failed is tried again."""

    @property
    def settled(self) -> bool:
        """Whether what is asked for is in use."""
        return self.in_use is not None and self.in_use == self.target

    @property
    def lowered(self) -> bool:
        """Whether less than full quality is asked for."""
        return self.target != self.base

    @property
    def may_get_plate(self) -> bool:
        """Whether the engine that is being built may compare frames with a plate."""
        builds = not self.settled and self.state is not ChoiceState.FAILED
        return builds and self.target is not None and self.target.framing is not None

    def choose(self, choice: EngineKey) -> EngineKey:
        """Ask for another choice, or for the same one anew; return what to build."""
        self.choice, self.due_at_s = choice, None
        return self._ask_for(choice)

    def built(self, key: EngineKey) -> bool:
        """Record an engine that is ready; return whether to use it, False if it is no longer asked for."""
        if key != self.target and self.settled:
            return False
        self.in_use = key
        if key == self.target:
            self._set_state()
            if self.state is ChoiceState.CHOSEN:
                self.due_at_s = None
        return True

    def lower(self, target: EngineKey) -> EngineKey | None:
        """Ask for `base` at another quality; return what to build, None where nothing is."""
        known, self.target = self.target, target
        return None if target in (self.in_use, known) else target

    def failed(self, fallback: EngineKey | None, retry_at_s: float) -> EngineKey | None:
        """Record that what was asked for failed; return what to build: the fallback, if there is one.

        retry_at_s: when to try the same again without a fallback.
        """
        if fallback is not None:
            return self._ask_for(fallback)
        self.due_at_s = retry_at_s
        self.state = ChoiceState.FAILED
        return None

    def keep_engine(self) -> None:
        """Continue with the engine in use until another choice: what was built beside it has failed."""
        self.state = ChoiceState.REPLACED

    def closed(self) -> None:
        """Record that the engine in use was closed."""
        self.in_use = None

    def due(self, now_s: float) -> EngineKey | None:
        """Return what to build because it is time to try it again, once; None otherwise."""
        if self.due_at_s is None or now_s < self.due_at_s:
            return None
        self.due_at_s = None
        if self.state is not ChoiceState.FAILED or self.base is None:
            return None
        return self._ask_for(self.base)

    def _ask_for(self, base: EngineKey) -> EngineKey:
        self.base = self.target = base
        self._set_state()
        return base

    def _set_state(self) -> None:
        self.state = ChoiceState.CHOSEN if self.base == self.choice else ChoiceState.REPLACED


MEMORY_RETRY_S = 120.0
"""An engine that ran out of memory is built once more, unless that happened already within this time."""


class Fallbacks:
    """Chooses what replaces an engine that failed. What failed on a GPU is not tried again in this process."""

    def __init__(
        self,
        cards: Callable[[], CudaCards] = lambda: hardware.cuda_cards(),
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """cards, now: GPUs, and the time in seconds; replaced in tests."""
        self._cards, self._now = cards, now
        self._memory_failed_s = float("-inf")

    def after_build(self, settings: EngineSettings, error: Exception) -> EngineSettings | None:
        """Return what to build after `settings` could not be built; None if nothing is left."""
        if isinstance(error, WeightsMissingError) and (settings.model != "auto" or settings.weights is not None):
            return settings.replace(model="auto", weights=None)
        if isinstance(error, PlateError):
            return settings.replace(model="auto", plate=None, weights=None)
        if not _on_gpu(settings, error):
            if isinstance(error, ExecutorError) and error.precision == "int8":
                return settings.replace(precision="float32")
            return _smaller(settings, error)
        self.remember(error)
        if isinstance(error, ExecutorError) and error.invalid_output and error.precision != "float32":
            return settings.replace(precision="float32")
        return _smaller(settings, error) or _on_cpu(settings)

    def after_step(self, settings: EngineSettings, error: Exception) -> EngineSettings | None:
        """Return what to build after a step of `settings` failed; `settings` themselves may be worth one more try.

        That is the case for memory: the engine that was being built beside the failed one needed it for a moment.
        """
        if _on_gpu(settings, error) and is_out_of_memory(error):
            failed_s, self._memory_failed_s = self._memory_failed_s, self._now()
            if self._memory_failed_s - failed_s > MEMORY_RETRY_S:
                return settings
        return self.after_build(settings, error)

    def remember(self, error: Exception) -> None:
        """Record what does not work on the GPU."""
        if is_device_lost(error):
            self._cards().give_up()
        if isinstance(error, ExecutorError) and error.invalid_output and error.precision == "float16":
            self._cards().avoid_half(error.device)


def _on_gpu(settings: EngineSettings, error: Exception) -> bool:
    if isinstance(error, ExecutorError):
        return error.device.startswith("cuda")
    return isinstance(error, RuntimeError) and settings.device.startswith("cuda")


def _smaller(settings: EngineSettings, error: Exception) -> EngineSettings | None:
    """Return settings that need less memory of a GPU, if that ran out."""
    if not is_out_of_memory(error) or settings.device == "cpu":
        return None
    ratio = settings.downsample_ratio
    return settings.replace(downsample_ratio=ratio / 2) if ratio and ratio > 2 * MIN_RATIO else _on_cpu(settings)


def _on_cpu(settings: EngineSettings) -> EngineSettings:
    return settings.replace(device="cpu", executor="auto", precision="auto", downsample_ratio=None)


def shown_error(error: Exception, fallback: EngineSettings | None = None) -> MattecamError:
    """Return the error to show. fallback: what replaces the engine, if anything does."""
    text = None if fallback is None else _where_it_continues(error, fallback)
    if text is None and isinstance(error, MattecamError):
        return error
    shown = ModelError(text or t("Matting failed; choose another model or executor. The log has the details."))
    shown.__cause__ = error
    return shown


def _where_it_continues(error: Exception, fallback: EngineSettings) -> Text | None:
    if not isinstance(error, ExecutorError) or not error.device.startswith("cuda"):
        return None
    model, device = error.model, error.device
    if fallback.device != "cpu":
        if not error.invalid_output:
            return None
        return t(
            "The model {model} returned wrong values on the GPU {device} in half precision; matting continues in "
            "float32.",
            model=model,
            device=device,
        )
    if is_device_lost(error):
        return t(
            "The GPU {device} stopped working; matting continues on the CPU until Mattecam is restarted.", device=device
        )
    if is_out_of_memory(error):
        return t(
            "The GPU {device} has too little memory for the model {model}; matting continues on the CPU.",
            model=model,
            device=device,
        )
    return t(
        "The model {model} failed on the GPU {device}; matting continues on the CPU. The log has the details.",
        model=model,
        device=device,
    )


@dataclass(frozen=True, slots=True)
class MatteFrame:
    """Matte the frame."""

    engine: MattingEngine
    framing: FramingSettings
    """The crop to matte. A plate engine takes its plate's crop: background that moved into view would be matted as a
    person."""
    sequence: tuple[int, int]
    """(generation of the frame, engine number): what the recurrent state belongs to."""
    index: int
    """Of the frame."""
    reset: bool
    """Whether to reset the recurrent state first: the last step belonged to another sequence."""
    continues: bool = False
    """Whether only the engine or the crop changed: the people of the last frame are still there."""


@dataclass(frozen=True, slots=True)
class PassThrough:
    """Send the frame unmatted: the user chose the background "none"."""


@dataclass(frozen=True, slots=True)
class Skip:
    """Drop the frame; the outputs repeat the last composite."""


@dataclass(frozen=True, slots=True)
class StandBy:
    """Drop the frame and show the stand-by card."""

    reason: Phase
    size: tuple[int, int] | None = None
    """Of the newest frame, (width, height), and so of the card; None before the first frame, and from the source."""


Decision = MatteFrame | PassThrough | Skip | StandBy
