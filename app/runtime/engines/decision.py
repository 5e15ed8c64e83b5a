"""What to do with one frame."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.settings import FramingSettings
from app.matting.base.interface import MattingEngine
from app.runtime.status import Phase


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
    """Whether only the engine changed: the people of the last frame are still there."""


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
