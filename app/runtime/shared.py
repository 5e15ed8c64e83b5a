"""What the threads of a pipeline share."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.core.concurrency.threads import Turns
from app.core.settings import Settings
from app.runtime.board import StatusBoard
from app.runtime.parts import Parts
from app.runtime.settings_owner import SettingsOwner
from app.runtime.timing import Timing


@dataclass(frozen=True, slots=True)
class Shared:
    """The settings, the parts, the board and the intervals of one run. Any thread."""

    owner: SettingsOwner
    parts: Parts
    timing: Timing = field(default_factory=Timing)
    board: StatusBoard = field(default_factory=StatusBoard)
    turns: Turns = field(default_factory=Turns)
    """Of the frame steps, for work that can wait."""

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.owner.current
