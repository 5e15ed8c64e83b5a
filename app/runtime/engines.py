"""Which engine mattes a frame: what is asked for, built, in use, and what replaces what fails.

`EnginePlan` holds the states of the choice, `EngineSelector` builds and decides by them.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from app.core.errors import (
    MattecamError,
    ModelError,
    PlateError,
    Remedy,
    Stage,
    Text,
    WeightsMissingError,
    close_unused,
    t,
)
from app.core.files import version_of
from app.core.geometry import WHOLE
from app.core.settings import MIN_RATIO, EngineSettings, FramingSettings
from app.core.targets import INTEL
from app.core.types import Frame
from app.core.worker import Builder
from app.matting.choice import hardware
from app.matting.choice.governor import FULL, Governor, MeasuredStep, at_quality, quality_levels
from app.matting.interface import (
    EngineInfo,
    ExecutorError,
    MattingEngine,
    is_device_lost,
    is_out_of_memory,
)
from app.matting.plate.picture import needs_plate, plate_info
from app.runtime.context import PipelineContext
from app.runtime.status import Lowered, Phase
from app.settings import Settings

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EngineKey:
    """What an engine is built for; a change of any field needs another engine."""

    settings: EngineSettings
    size: tuple[int, int]
    """(width, height) of the source's frames, in pixels."""
    # The crop of the source's frames that the plate was cropped
    # to; None for an engine without one, which takes any.
    framing: FramingSettings | None = None
    # The viewpoint of the source that the plate must show;
    # empty for an engine without a plate, which takes any.
    camera: str = ""

    @staticmethod
    def of(
        settings: EngineSettings, size: tuple[int, int], framing: FramingSettings, camera: str = ""
    ) -> EngineKey:
        """Return the key for these settings and this source, whose frames have this size."""
        if settings.plate is None:
            return EngineKey(settings, size)
        # "auto" takes a network with a plate where there is one.
        if settings.model != "auto" and not needs_plate(settings.model):
            return EngineKey(settings, size)
        return EngineKey(settings, size, framing, camera)

    def with_settings(self, settings: EngineSettings) -> EngineKey:
        """Return the key of other settings for the same frames."""
        return EngineKey.of(settings, self.size, self.framing or WHOLE, self.camera)


def _takes(key: EngineKey, frame: Frame) -> bool:
    """Return whether the engine of this key may matte the frame."""
    if key.size != frame.size:
        return False
    return not key.camera or key.camera == frame.source.viewpoint


def _check_plate(key: EngineKey) -> None:
    """Raise PlateError if the plate was captured with another source."""
    plate = key.settings.plate
    if plate is None or not key.camera:
        return
    info = plate_info(plate)
    if info is not None and info.camera != key.camera:
        raise PlateError(
            t(
                "The picture of the empty room {file} was taken with another camera ({camera}), or "
                "while it was turned otherwise; take it again.",
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
    """The states of the choice, without engines and threads: each method is an event.

    | state    | asked for                             | after `built`           | after `failed`        |
    |----------|---------------------------------------|-------------------------|-----------------------|
    | CHOSEN   | the choice, at the governor's quality | CHOSEN                  | REPLACED, else FAILED |
    | REPLACED | what replaces the choice              | REPLACED                | REPLACED, else FAILED |
    | FAILED   | nothing                               | as what was being built | REPLACED, else FAILED |

    While the choice is built, the engine of the choice before is in use; if building it fails then,
    that engine stays and the state is REPLACED. From every state `choose` leads to CHOSEN; `due`
    leads from FAILED to what failed. Times are those of one steady clock, in seconds.
    """

    def __init__(self) -> None:
        self.state = ChoiceState.CHOSEN
        # What the settings ask for.
        self.choice: EngineKey | None = None
        # The choice, or what replaces it, at full quality.
        self.base: EngineKey | None = None
        # `base` at the governor's quality: what is built or in use.
        self.target: EngineKey | None = None
        self.in_use: EngineKey | None = None
        # When what failed is tried again.
        self.due_at_s: float | None = None

    @property
    def settled(self) -> bool:
        """Whether what is asked for is in use."""
        return self.in_use is not None and self.in_use == self.target

    @property
    def lowered(self) -> bool:
        """Whether less than full quality is asked for."""
        return self.target != self.base

    def choose(self, choice: EngineKey) -> EngineKey:
        """Ask for another choice, or for the same one anew; return what to build."""
        self.choice = choice
        self.due_at_s = None
        return self._ask_for(choice)

    def built(self, key: EngineKey) -> bool:
        """Record an engine that is ready; return whether it is still asked for, and so used."""
        if key != self.target and self.settled:
            return False
        self.in_use = key
        if key == self.target:
            self._set_state()
        return True

    def lower(self, target: EngineKey) -> EngineKey | None:
        """Ask for `base` at another quality; return what to build, None where nothing is."""
        previous = self.target
        self.target = target
        if target in (self.in_use, previous):
            return None
        return target

    def failed(self, fallback: EngineKey | None, retry_at_s: float) -> EngineKey | None:
        """Record that what was asked for failed; return what to build: the fallback, if any.

        retry_at_s: when to try the same again without a fallback.
        """
        if fallback is not None:
            return self._ask_for(fallback)
        self.due_at_s = retry_at_s
        self.state = ChoiceState.FAILED
        return None

    def due(self, now_s: float) -> EngineKey | None:
        """Return what to build because it is time to try it again, once; None otherwise."""
        if self.due_at_s is None or now_s < self.due_at_s:
            return None
        self.due_at_s = None
        if self.state is not ChoiceState.FAILED or self.base is None:
            return None
        return self._ask_for(self.base)

    def _ask_for(self, base: EngineKey) -> EngineKey:
        self.base = base
        self.target = base
        self._set_state()
        return base

    def _set_state(self) -> None:
        if self.base == self.choice:
            self.state = ChoiceState.CHOSEN
        else:
            self.state = ChoiceState.REPLACED


def remember(error: Exception) -> None:
    """Remember what does not work on a GPU: it is not tried again in this process."""
    if is_device_lost(error):
        # A CUDA context that has failed stays failed for the life of the process.
        hardware.cuda_cards().give_up()
    if not isinstance(error, ExecutorError):
        return
    if error.invalid_output and error.precision == "float16":
        hardware.cuda_cards().avoid_half(error.device)


def replacement(settings: EngineSettings, error: Exception) -> EngineSettings | None:
    """Return what to build in place of an engine that failed; None if nothing is left."""
    is_named = settings.model != "auto" or settings.weights is not None
    if isinstance(error, WeightsMissingError) and is_named:
        return settings.replace(model="auto", weights=None)
    if isinstance(error, PlateError):
        return settings.replace(model="auto", plate=None, weights=None)
    device = ""
    if isinstance(error, ExecutorError):
        # Wrong values, and any failure in int8, may come of the precision: the device stays.
        is_of_precision = error.invalid_output or error.precision == "int8"
        if is_of_precision and error.precision != "float32":
            return settings.replace(precision="float32")
        device = error.device
    elif isinstance(error, RuntimeError):  # as PyTorch raises while an engine is built
        device = settings.device
    needs_memory = settings.device != "cpu" and is_out_of_memory(error)
    ratio = settings.downsample_ratio
    if needs_memory and ratio is not None and ratio > 2 * MIN_RATIO:
        return settings.replace(downsample_ratio=ratio / 2)
    if device == INTEL:
        # On the CPU the same network has run meanwhile, with the detail that the user chose.
        return settings.replace(device="cpu", precision="auto")
    if needs_memory or device.startswith("cuda"):
        return settings.replace(
            device="cpu", executor="auto", precision="auto", downsample_ratio=None
        )
    return None


def shown_error(error: Exception, fallback: EngineSettings | None = None) -> MattecamError:
    """Return the error to show. fallback: what replaces the engine, if anything does."""
    text = None
    if fallback is not None and isinstance(error, ExecutorError):
        text = _fallback_of_gpu(error, fallback)
    if text is not None:
        shown = ModelError(text, Remedy.NOTHING)
    elif isinstance(error, MattecamError):
        return error
    else:
        shown = ModelError(
            t("Matting failed; choose another model or executor. The log has the details.")
        )
    shown.__cause__ = error
    return shown


def _fallback_of_gpu(error: ExecutorError, fallback: EngineSettings) -> Text | None:
    """Return how matting continues after an error of a GPU; None where the error says enough."""
    model = error.model
    device = error.device
    if not device.startswith(("cuda", INTEL)):
        return None
    if fallback.device != "cpu":
        if not error.invalid_output:
            return None
        return t(
            "The model {model} returned wrong values on the GPU {device} in half precision; "
            "matting continues in float32.",
            model=model,
            device=device,
        )
    if is_device_lost(error):
        return t(
            "The GPU {device} stopped working; matting continues on the CPU until Mattecam is "
            "restarted.",
            device=device,
        )
    if is_out_of_memory(error):
        return t(
            "The GPU {device} has too little memory for the model {model}; matting continues on "
            "the CPU.",
            model=model,
            device=device,
        )
    return _failed_on_gpu(model, device)


def _failed_on_gpu(model: str, device: str) -> Text:
    return t(
        "The model {model} failed on the GPU {device}; matting continues on the CPU. The log has "
        "the details.",
        model=model,
        device=device,
    )


@dataclass(frozen=True, slots=True)
class MatteFrame:
    """The decision to matte a frame."""

    engine: MattingEngine
    # The crop to matte. A plate engine takes its plate's crop: background that moved into view
    # would be matted as a person.
    framing: FramingSettings
    # Of the frame, like its index.
    generation: int
    index: int


class EngineSelector:
    """For each frame call `request` and `decide`; after a step `completed` or `failed`.

    While no frames come, call `use_built` now and then.

    Used on the inference thread alone, unless noted otherwise.
    """

    def __init__(self, context: PipelineContext) -> None:
        self._parts = context.parts
        self._board = context.board
        self._timing = context.timing
        self.builder: Builder[EngineKey, MattingEngine] = Builder(
            "engine-builder", self._build_tested, lambda engine: engine.close(), Stage.MATTING
        )
        # A new one with each choice of the user: what it has learned belongs to an engine.
        self._governor = Governor()
        self._plan = EnginePlan()
        # The one in use.
        self._engine: MattingEngine | None = None
        self._newest_frame: Frame | None = None
        self._sequence: tuple[int, tuple[int, int]] | None = None
        """Its (generation, size)."""
        self._settings_of_choice: Settings | None = None
        self._choose_again = False
        self.compares_with_plate = False
        """Whether the camera should hold its exposure (any thread)."""
        self.unneeded: tuple[int, frozenset[int]] = (-1, frozenset())
        """Source generation, and indexes of its frames that will not be matted (any thread)."""
        # Of the plate that was read last, from before it was read.
        self._plate_version: object = None
        self._last_step: MeasuredStep | None = None

    @property
    def info(self) -> EngineInfo | None:
        """Of the engine in use (any thread)."""
        engine = self._engine
        return None if engine is None else engine.info

    @property
    def weights(self) -> Path | None:
        """The file of the engine in use, where it is not the installed one (any thread)."""
        used = self._plan.in_use
        return None if used is None else used.settings.weights

    @property
    def lowered(self) -> Lowered | None:
        """What the governor has lowered; None at full quality (any thread)."""
        quality = self._governor.quality
        step = self._last_step
        if quality == FULL or step is None:
            return None
        matted_hz = None
        if quality.matted != 1:
            matted_hz = step.rate_hz * float(quality.matted)
        return Lowered(step.rate_hz, quality.ratio, quality.lighter_model, matted_hz)

    def retry(self) -> None:
        """Build at the next frame what failed, was replaced or has a new plate (any thread)."""
        if self._plan.state is not ChoiceState.CHOSEN:
            self._choose_again = True
            return
        choice = self._plan.choice
        plate = None if choice is None else choice.settings.plate
        if plate is not None and version_of(plate) != self._plate_version:
            self._choose_again = True

    def _choose_again_if_replaced(self) -> None:
        if self._plan.state is not ChoiceState.CHOSEN:
            self._choose_again = True

    def choose_again(self) -> None:
        """Choose again at the next frame: this machine was measured meanwhile (any thread)."""
        if self._plan.in_use is not None and self._plan.state is ChoiceState.CHOSEN:
            self._choose_again = True

    def request(self, frame: Frame, settings: Settings) -> None:
        """Request the engine that settings and frame need; use it once it is built."""
        self._newest_frame = frame
        # A source that is opened or turned begins a generation; its size may change within one.
        sequence = frame.generation, frame.size
        is_other_source = sequence != self._sequence
        self._sequence = sequence
        if self._choose_again or is_other_source or settings is not self._settings_of_choice:
            self._settings_of_choice = settings
            self._choose(frame, settings)
        again = self._plan.due(time.monotonic())
        if again is not None:
            self._build_at_full_quality(again)
        # The attribute needs no lock, unlike taking the outcome.
        if self.builder.outcome is not None:
            self.use_built()

    def _choose(self, frame: Frame, settings: Settings) -> None:
        engine = settings.matting.engine
        wanted = EngineKey.of(engine, frame.size, settings.framing, frame.source.viewpoint)
        if self._choose_again or wanted != self._plan.choice:
            self._choose_again = False
            self._build_at_full_quality(self._plan.choose(wanted))
        self._govern()
        self._note_plate()

    def use_built(self) -> None:
        """Use the engine that has become ready, if any, or record that it could not be built."""
        outcome = self.builder.take_outcome()
        if outcome is None:
            return
        if outcome.value is None:
            assert outcome.error is not None
            self._build_failed(outcome.key, outcome.error)
        elif not self._plan.built(outcome.key):
            self.builder.retire(outcome.value)
        else:
            self._replace_engine(outcome.key, outcome.value)
        self._govern()
        self._note_plate()

    def decide(self, frame: Frame, settings: Settings) -> MatteFrame | Phase | None:
        """Decide how to matte the frame, why the card is shown instead, or None to leave it out."""
        engine = self._engine
        key = self._plan.in_use
        if engine is None or key is None or not _takes(key, frame):
            if self._plan.state is ChoiceState.FAILED:
                return Phase.WAITING
            return Phase.STARTING
        pattern = self._governor.pattern
        skipped = frozenset[int]()
        if pattern is not None:
            if pattern.skips(frame.generation, frame.index):
                return None
            skipped = pattern.skipped_after(frame.generation, frame.index)
        # As one value: the capture thread reads it meanwhile.
        self.unneeded = (frame.generation, skipped)
        crop = settings.framing if key.framing is None else key.framing
        return MatteFrame(engine, crop, frame.generation, frame.index)

    def completed(self, matted: MatteFrame, step: MeasuredStep) -> None:
        """Record a step that succeeded."""
        self._last_step = step
        info = matted.engine.info
        base = self._plan.base
        if info.gpu_problem and base is not None and base.settings.device != "cpu":
            # The engine's own network on the CPU helps out until another engine is built.
            text = _failed_on_gpu(info.model, INTEL)
            error = ExecutorError(text, info.model, INTEL, info.precision)
            self._fall_back(base, replacement(base.settings, error), error)
            return
        pattern = self._governor.pattern
        if pattern is not None:
            pattern.record(matted.generation, matted.index)
        # Building an engine takes time from the one that runs: such steps say nothing of its load.
        if self.builder.busy or self._plan.in_use != self._plan.target:
            return
        if info.is_settling:
            self._governor.restart_measuring()
        elif self._governor.observe(step):
            self._request_quality()

    def failed(self, error: Exception) -> None:
        """Build another engine after a failed step: lighter, or without the plate."""
        plan = self._plan
        # Before the engine is closed, after which nothing is settled.
        was_lowered = plan.settled and plan.lowered
        is_being_replaced = not plan.settled and self.builder.pending
        self.close_engine()
        remember(error)
        assert plan.base is not None
        fallback = replacement(plan.base.settings, error)
        if is_being_replaced:
            # The engine that is being built may have needed the memory: it is awaited.
            self._board.report(Stage.MATTING, shown_error(error))
        elif fallback is None and was_lowered:
            self._board.report(Stage.MATTING, shown_error(error))
            self._governor.remove_current()
            self._request_quality()
        else:
            self._fall_back(plan.base, fallback, error)
        self._note_plate()

    def close_engine(self) -> None:
        """Close the engine in use, if any."""
        engine = self._engine
        # Forgotten first: whatever closing it raises, it is not used again.
        self._engine = None
        self._plan.in_use = None
        if engine is not None:
            close_unused(engine.close)

    def _build_tested(self, key: EngineKey) -> MattingEngine:
        """Called on the builder thread."""
        plate = key.settings.plate
        self.builder.reach(plate, self._choose_again_if_replaced)
        self.builder.reach(key.settings.weights, self._choose_again_if_replaced)
        self._plate_version = None if plate is None else version_of(plate)
        _check_plate(key)
        engine = self._parts.build_engine(key.settings, *key.size, key.framing or WHOLE)
        try:
            self._parts.self_test(engine, *key.size)
        except BaseException:
            close_unused(engine.close)
            raise
        return engine

    def _replace_engine(self, key: EngineKey, engine: MattingEngine) -> None:
        plan = self._plan
        info = engine.info
        if self._engine is not None:
            self.builder.retire(self._engine)  # closing it takes longer than a frame
        self._engine = engine
        _log.info(
            "The engine is %s on %s (%s, %s, ratio %.3g).",
            info.model,
            info.device,
            info.precision,
            info.executor,
            info.downsample_ratio,
        )
        self._governor.restart_measuring()
        if plan.settled and plan.base == plan.choice:
            self._board.report(Stage.MATTING, None)

    def _note_plate(self) -> None:
        plan = self._plan
        info = self.info
        has_plate = info is not None and needs_plate(info.model)
        # Before the engine is there: a camera takes a moment to hold its exposure.
        is_building = not plan.settled and plan.state is not ChoiceState.FAILED
        gets_plate = is_building and plan.target is not None and plan.target.framing is not None
        self.compares_with_plate = has_plate or gets_plate

    def _build_at_full_quality(self, key: EngineKey) -> None:
        self._governor = Governor()
        self.builder.request(key)

    def _govern(self) -> None:
        """Start the governor once full quality runs; return to it where that is switched off."""
        settings = self._settings_of_choice
        is_wanted = settings is not None and settings.matting.governor
        if self._governor.active and not is_wanted:
            self._governor = Governor()
            self._request_quality()
        elif is_wanted and not self._governor.active:
            base = self._plan.base
            engine = self._engine
            if engine is not None and base is not None and self._plan.in_use == base:
                levels = quality_levels(base.settings, engine.info)
                self._governor = Governor(levels, self._timing.governor_window_s)

    def _request_quality(self) -> None:
        base = self._plan.base
        assert base is not None
        settings = at_quality(base.settings, self._governor.quality)
        key = self._plan.lower(base.with_settings(settings))
        if key is not None:
            self.builder.request(key)

    def _build_failed(self, key: EngineKey, error: Exception) -> None:
        plan = self._plan
        frame = self._newest_frame
        asked_for = key == plan.target  # else the settings ask for something else by now
        if asked_for and plan.lowered:
            model = key.settings.model
            _log.info("The governor does not use %s, which cannot be built (%s).", model, error)
            self._governor.remove_current()
            self._request_quality()
            return
        remember(error)
        # The engine of the choice before goes on where it can.
        continues = plan.in_use is not None and frame is not None and _takes(plan.in_use, frame)
        if asked_for and not continues:
            self._fall_back(key, replacement(key.settings, error), error)
            return
        if asked_for:
            plan.state = ChoiceState.REPLACED  # the engine in use goes on until another choice
        self._board.report(Stage.MATTING, shown_error(error))

    def _fall_back(self, key: EngineKey, fallback: EngineSettings | None, error: Exception) -> None:
        """Build `fallback` in place of `key`."""
        retry_at_s = time.monotonic() + self._timing.engine_retry_s
        fallback_key = None if fallback is None else key.with_settings(fallback)
        requested = self._plan.failed(fallback_key, retry_at_s)
        self._board.report(Stage.MATTING, shown_error(error, fallback))
        if requested is not None:
            self._build_at_full_quality(requested)
