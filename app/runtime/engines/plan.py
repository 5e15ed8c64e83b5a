"""What identifies an engine, which one is in use or asked for and why, and what it does with one frame."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from app.core.errors import PlateError, t
from app.core.geometry import WHOLE
from app.core.settings import EngineSettings, FramingSettings
from app.core.types import Frame
from app.matting.base.interface import EngineInfo, MattingEngine
from app.matting.plate.picture import plate_info
from app.runtime.status import Phase
from models.table import needs_plate


@dataclass(frozen=True, slots=True)
class EngineKey:
    """What an engine is built for; a change of any field needs another engine."""

    settings: EngineSettings
    size: tuple[int, int]
    """(width, height) of the source's frames, in pixels."""
    framing: FramingSettings
    """The crop of the source's frames that the engine is given; the whole frame for an engine without a plate, which
    takes any crop."""
    camera: str = ""
    """The viewpoint of the source that the plate must show; empty for an engine without a plate, which takes any."""

    @staticmethod
    def of(settings: EngineSettings, size: tuple[int, int], framing: FramingSettings, camera: str = "") -> EngineKey:
        """Return the key for these settings and this source, whose frames have this size."""
        if not may_use_plate(settings):
            return EngineKey(settings, size, WHOLE)
        return EngineKey(settings, size, framing, camera)

    def with_settings(self, settings: EngineSettings) -> EngineKey:
        """Return the key of other settings for the same frames."""
        return EngineKey.of(settings, self.size, self.framing, self.camera)

    def takes(self, frame: Frame) -> bool:
        """Return whether the engine may matte this frame of the source."""
        return self.size == frame.size and self.camera in ("", frame.viewpoint)

    def crop(self, framing: FramingSettings) -> FramingSettings:
        """Return the crop to matte, under the framing of the settings."""
        return self.framing if may_use_plate(self.settings) else framing

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


def may_use_plate(settings: EngineSettings) -> bool:
    """Return whether the engine may be one that compares the frame with a plate."""
    return settings.plate is not None and (settings.model == "auto" or needs_plate(settings.model))


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
    `keep` to REPLACED; `due` leads from FAILED to what failed. Times are those of one steady clock, in seconds.
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

    def compares_with_plate(self, info: EngineInfo | None) -> bool:
        """Return whether the engine in use compares frames with a plate, or the one that is being built may do so.

        info: of the engine in use, if any.
        """
        built = not self.settled and self.state is not ChoiceState.FAILED
        if built and self.target is not None and may_use_plate(self.target.settings):
            return True
        return info is not None and needs_plate(info.model)

    def choose(self, choice: EngineKey) -> EngineKey:
        """Ask for another choice, or for the same one anew; return what to build."""
        self.choice, self.due_at_s = choice, None
        return self._pursue(choice)

    def built(self, key: EngineKey) -> bool:
        """Take note of an engine that is ready; return whether to use it, False if it was taken back meanwhile."""
        if key != self.target and self.settled:
            return False
        self.in_use = key
        if key == self.target:
            self._ask_for(self.base)
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
            return self._pursue(fallback)
        self.due_at_s = retry_at_s
        self.state = ChoiceState.FAILED
        return None

    def keep(self) -> None:
        """Continue with the engine in use until another choice: what was built beside it has failed."""
        self.state = ChoiceState.REPLACED

    def lose(self) -> None:
        """Take note that the engine in use was closed."""
        self.in_use = None

    def due(self, now_s: float) -> EngineKey | None:
        """Return what to build because it is time to try it again, once; None otherwise."""
        if self.due_at_s is None or now_s < self.due_at_s:
            return None
        self.due_at_s = None
        if self.state is not ChoiceState.FAILED or self.base is None:
            return None
        return self._pursue(self.base)

    def _pursue(self, base: EngineKey) -> EngineKey:
        self.base = self.target = base
        self._ask_for(base)
        return base

    def _ask_for(self, base: EngineKey | None) -> None:
        self.state = ChoiceState.CHOSEN if base == self.choice else ChoiceState.REPLACED


@dataclass(frozen=True, slots=True)
class Run:
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


Decision = Run | PassThrough | Skip | StandBy
