"""Which engine mattes a frame: what is asked for, built beside the frame path, in use, and what replaces what fails.

`EnginePlan` holds the states of the choice, `EngineSelector` builds and decides by them.
"""

from __future__ import annotations

import contextlib
import logging
import time
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from app.core.ending import close_unused
from app.core.errors import (
    MattecamError,
    ModelError,
    PlateError,
    Remedy,
    SettingsError,
    Stage,
    WeightsMissingError,
    t,
)
from app.core.files import version_of
from app.core.geometry import WHOLE
from app.core.settings import MIN_RATIO, EngineSettings, FramingSettings
from app.core.types import Frame
from app.core.worker import Preparer
from app.matting.base.interface import EngineInfo, ExecutorError, MattingEngine, is_device_lost, is_out_of_memory
from app.matting.choice import hardware
from app.matting.choice.governor import FULL, Governor, StepTiming, at_quality, quality_levels
from app.matting.choice.trials import give_up_gpu
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


def _takes(key: EngineKey, frame: Frame) -> bool:
    """Return whether the engine of this key may matte the frame."""
    return key.size == frame.size and (not key.camera or key.camera == frame.source.viewpoint)


def _check_plate(key: EngineKey) -> None:
    """Raise PlateError if the plate was captured with another source."""
    plate = key.settings.plate
    if plate is None or not key.camera:
        return
    info = plate_info(plate)
    if info is not None and info.camera != key.camera:
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
    """The states of the choice, without engines and threads: each method is an event.

    | state    | asked for                             | after `built`           | after `failed`        |
    |----------|---------------------------------------|-------------------------|-----------------------|
    | CHOSEN   | the choice, at the governor's quality | CHOSEN                  | REPLACED, else FAILED |
    | REPLACED | what replaces the choice              | REPLACED                | REPLACED, else FAILED |
    | FAILED   | nothing                               | as what was being built | REPLACED, else FAILED |

    While the choice is built, the engine of the choice before is in use; if building it fails then, that engine stays
    and the state is REPLACED. From every state `choose` leads to CHOSEN; `due` leads from FAILED to what failed. Times
    are those of one steady clock, in seconds.
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


def remember(error: Exception) -> None:
    """Remember what does not work on a GPU: it is not tried again in this process."""
    if is_device_lost(error):
        hardware.cuda_cards().give_up()
    if isinstance(error, ExecutorError) and error.invalid_output and error.precision == "float16":
        hardware.cuda_cards().avoid_half(error.device)


def replacement(settings: EngineSettings, error: Exception) -> EngineSettings | None:
    """Return what to build in place of an engine that failed; None if nothing is left."""
    if isinstance(error, WeightsMissingError) and (settings.model != "auto" or settings.weights is not None):
        return settings.replace(model="auto", weights=None)
    if isinstance(error, PlateError):
        return settings.replace(model="auto", plate=None, weights=None)
    if isinstance(error, ExecutorError):
        device = error.device
        if error.precision != "float32" and (error.invalid_output or error.precision == "int8"):
            return settings.replace(precision="float32")
    else:
        device = settings.device if isinstance(error, RuntimeError) else ""
    needs_memory, ratio = settings.device != "cpu" and is_out_of_memory(error), settings.downsample_ratio
    if needs_memory and ratio is not None and ratio > 2 * MIN_RATIO:
        return settings.replace(downsample_ratio=ratio / 2)
    if needs_memory or device.startswith("cuda"):
        return settings.replace(device="cpu", executor="auto", precision="auto", downsample_ratio=None)
    return None


def shown_error(error: Exception, fallback: EngineSettings | None = None) -> MattecamError:
    """Return the error to show. fallback: what replaces the engine, if anything does."""
    text = None
    if fallback is not None and isinstance(error, ExecutorError) and error.device.startswith("cuda"):
        model, device = error.model, error.device
        if fallback.device != "cpu":
            if error.invalid_output:
                text = t(
                    "The model {model} returned wrong values on the GPU {device} in half precision; matting continues "
                    "in float32.",
                    model=model,
                    device=device,
                )
        elif is_device_lost(error):
            text = t(
                "The GPU {device} stopped working; matting continues on the CPU until Mattecam is restarted.",
                device=device,
            )
        elif is_out_of_memory(error):
            text = t(
                "The GPU {device} has too little memory for the model {model}; matting continues on the CPU.",
                model=model,
                device=device,
            )
        else:
            text = t(
                "The model {model} failed on the GPU {device}; matting continues on the CPU. The log has the details.",
                model=model,
                device=device,
            )
    if text is None and isinstance(error, MattecamError):
        return error
    if text is None:
        shown = ModelError(t("Matting failed; choose another model or executor. The log has the details."))
    else:
        shown = ModelError(text, Remedy.NOTHING)
    shown.__cause__ = error
    return shown


@dataclass(frozen=True, slots=True)
class MatteFrame:
    """The decision to matte a frame."""

    engine: MattingEngine
    framing: FramingSettings
    """The crop to matte. A plate engine takes its plate's crop: background that moved into view would be matted as a
    person."""
    generation: int
    """Of the frame, like its index."""
    index: int


class EngineSelector:
    """For each frame call `request`, `use_built`, `decide`, and after a step `completed` or `failed`.

    Used on the inference thread alone, unless noted otherwise.
    """

    def __init__(self, context: PipelineContext) -> None:
        self._parts, self._board, self._timing = context.parts, context.board, context.timing
        self.preparer: Preparer[EngineKey, MattingEngine] = Preparer(
            "engine-builder",
            self._build_tested,
            lambda engine: engine.close(),
            Stage.MATTING,
        )
        self._governor = Governor()
        """That of the present choice of the user."""
        self._plan = EnginePlan()
        self._engine: MattingEngine | None = None
        """The engine in use."""
        self._frame: Frame | None = None
        """The newest one."""
        self._settings: Settings | None = None
        """Those that `_plan.choice` was made of."""
        self._choose_again = False
        """The choice is to be built again."""
        self.compares_with_plate = False
        """Whether the camera should hold its exposure (any thread)."""
        self.unneeded: tuple[int, frozenset[int]] = (-1, frozenset())
        """Source generation, and indexes of frames of this source that will not be matted (any thread)."""
        self._plate: object = None
        """Version of the plate that was read last."""
        self._last_step: StepTiming | None = None

    @property
    def info(self) -> EngineInfo | None:
        """Of the engine in use (any thread)."""
        engine = self._engine
        return None if engine is None else engine.info

    @property
    def weights(self) -> Path | None:
        """The file of the engine in use that the settings name in place of the installed one (any thread)."""
        used = self._plan.in_use
        return None if used is None else used.settings.weights

    @property
    def lowered(self) -> Lowered | None:
        """What the governor has lowered; None at full quality (any thread)."""
        quality, step = self._governor.quality, self._last_step
        if quality == FULL or step is None:
            return None
        matted_hz = step.rate_hz * float(quality.matted) if quality.matted != 1 else None
        return Lowered(step.rate_hz, quality.ratio, quality.lighter_model, matted_hz)

    def retry(self) -> None:
        """Build again at the next frame what failed, was replaced, or has a plate that was changed (any thread)."""
        choice = self._plan.choice
        plate = None if choice is None else choice.settings.plate
        if self._plan.state is not ChoiceState.CHOSEN or (plate is not None and version_of(plate) != self._plate):
            self._choose_again = True

    def _choose_again_if_replaced(self) -> None:
        if self._plan.state is not ChoiceState.CHOSEN:
            self._choose_again = True

    def choose_again(self) -> None:
        """Choose again at the next frame: this machine was measured meanwhile (any thread)."""
        if self._plan.in_use is not None and self._plan.state is ChoiceState.CHOSEN:
            self._choose_again = True

    def request(self, frame: Frame, settings: Settings) -> None:
        """Request the engine that settings and frame need; only a change of them is compared, which takes long."""
        before, self._frame, plan = self._frame, frame, self._plan
        same = before is not None and before.source == frame.source and before.image.shape == frame.image.shape
        if self._choose_again or not same or settings is not self._settings:
            self._settings = settings
            wanted = EngineKey.of(settings.matting.engine, frame.size, settings.framing, frame.source.viewpoint)
            if self._choose_again or wanted != plan.choice:
                self._choose_again = False
                self._build_at_full_quality(plan.choose(wanted))
            self._govern()
            self._note_plate()
        if plan.due_at_s is not None and (again := plan.due(time.monotonic())) is not None:
            self._build_at_full_quality(again)

    def use_built(self) -> None:
        """Use the engine that has become ready, if one has, or record that it could not be built."""
        if self.preparer.outcome is None or (outcome := self.preparer.take_outcome()) is None:
            return
        if outcome.value is None:
            assert outcome.error is not None
            self._build_failed(outcome.key, outcome.error)
        elif not self._plan.built(outcome.key):
            self.preparer.retire(outcome.value)
        else:
            self._replace_engine(outcome.key, outcome.value)
        self._govern()
        self._note_plate()

    def decide(self, frame: Frame, settings: Settings) -> MatteFrame | Phase | None:
        """Decide how to matte the frame: why the stand-by card is shown where nothing can, None to leave it out."""
        engine, used = self._engine, self._plan.in_use
        if engine is None or used is None or not _takes(used, frame):
            return Phase.WAITING if self._plan.state is ChoiceState.FAILED else Phase.STARTING
        pattern, skipped = self._governor.pattern, frozenset[int]()
        if pattern is not None:
            if pattern.skips(frame.generation, frame.index):
                return None
            skipped = pattern.skipped_after(frame.generation, frame.index)
        self.unneeded = frame.generation, skipped
        crop = settings.framing if used.framing is None else used.framing
        return MatteFrame(engine, crop, frame.generation, frame.index)

    def completed(self, matted: MatteFrame, step: StepTiming) -> None:
        """Record a step that succeeded."""
        self._last_step = step
        info, base = matted.engine.info, self._plan.base
        if info.lost and base is not None and base.settings.device != "cpu":
            self._continue_on_cpu(base, info)
            return
        if (pattern := self._governor.pattern) is not None:
            pattern.record(matted.generation, matted.index)
        if self.preparer.busy or self._plan.in_use != self._plan.target:
            return  # Building an engine takes time from the one that runs.
        if self._governor.observe(step):
            self._request_quality()

    def _continue_on_cpu(self, base: EngineKey, info: EngineInfo) -> None:
        """Replace an engine whose GPU failed by that for the CPU; until it is built, its own CPU network computes."""
        with contextlib.suppress(SettingsError):  # it is tried again at the next start
            give_up_gpu()
        text = t("The GPU failed with the model {model}; matting continues on the CPU.", model=info.model)
        settings = base.settings.replace(device="cpu", precision="auto")
        self._fall_back(base, settings, ExecutorError(text, info.model, info.lost, "auto", Remedy.NOTHING))

    def failed(self, error: Exception) -> None:
        """Build another engine after a step that failed: lighter, or without the plate, where that helps."""
        plan = self._plan
        lowered = plan.settled and plan.lowered
        is_replaced = not plan.settled and self.preparer.pending
        self.close_engine()
        remember(error)
        assert plan.base is not None
        fallback = replacement(plan.base.settings, error)
        if is_replaced:  # by the engine that is being built, which may have needed the memory
            self._board.report(Stage.MATTING, shown_error(error))
        elif fallback is None and lowered:
            self._board.report(Stage.MATTING, shown_error(error))
            self._governor.remove_current()
            self._request_quality()
        else:
            self._fall_back(plan.base, fallback, error)
        self._note_plate()

    def close_engine(self) -> None:
        """Close the engine in use, if any."""
        engine, self._engine = self._engine, None
        self._plan.in_use = None
        if engine is not None:
            close_unused(engine.close)

    def _build_tested(self, key: EngineKey) -> MattingEngine:
        """Called on the builder thread."""
        for file in (key.settings.plate, key.settings.weights):
            self.preparer.reach(file, self._choose_again_if_replaced)
        self._plate = key.settings.plate and version_of(key.settings.plate)
        _check_plate(key)
        engine = self._parts.build_engine(key.settings, *key.size, key.framing or WHOLE)
        try:
            self._parts.self_test(engine, *key.size)
        except BaseException:
            close_unused(engine.close)
            raise
        return engine

    def _replace_engine(self, key: EngineKey, engine: MattingEngine) -> None:
        plan, info = self._plan, engine.info
        if self._engine is not None:
            self.preparer.retire(self._engine)  # closing it takes longer than a frame
        self._engine = engine
        words = info.model, info.device, info.precision, info.executor, info.downsample_ratio
        _log.info("The engine is %s on %s (%s, %s, ratio %.3g).", *words)
        self._governor.restart_measuring()
        if plan.settled and plan.base == plan.choice:
            self._board.report(Stage.MATTING, None)

    def _note_plate(self) -> None:
        plan, info = self._plan, self.info
        builds = not plan.settled and plan.state is not ChoiceState.FAILED
        may_get_plate = builds and plan.target is not None and plan.target.framing is not None
        self.compares_with_plate = may_get_plate or (info is not None and needs_plate(info.model))

    def _build_at_full_quality(self, key: EngineKey) -> None:
        self._governor = Governor()
        self.preparer.request(key)

    def _govern(self) -> None:
        """Start the governor once full quality runs; return to full quality where it is switched off."""
        base, engine, governs = self._plan.base, self._engine, self._governor.active
        wanted = self._settings is not None and self._settings.matting.governor
        if wanted and not governs and engine is not None and base is not None and self._plan.in_use == base:
            self._governor = Governor(quality_levels(base.settings, engine.info), self._timing.governor_window_s)
        elif governs and not wanted:
            self._governor = Governor()
            self._request_quality()

    def _request_quality(self) -> None:
        base = self._plan.base
        assert base is not None
        key = self._plan.lower(base.with_settings(at_quality(base.settings, self._governor.quality)))
        if key is not None:
            self.preparer.request(key)

    def _build_failed(self, key: EngineKey, error: Exception) -> None:
        plan, frame = self._plan, self._frame
        asked_for = key == plan.target  # else the settings ask for something else by now
        if asked_for and plan.lowered:
            _log.info("The governor does not use %s, which cannot be built (%s).", key.settings.model, error)
            self._governor.remove_current()
            self._request_quality()
            return
        remember(error)
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
        requested = self._plan.failed(None if fallback is None else key.with_settings(fallback), retry_at_s)
        self._board.report(Stage.MATTING, shown_error(error, fallback))
        if requested is not None:
            self._build_at_full_quality(requested)
