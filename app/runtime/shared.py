"""What the threads of a pipeline share."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from app.core.settings_owner import SettingsOwner
from app.runtime.board import StatusBoard
from app.runtime.parts import Parts
from app.runtime.timing import Timing


@dataclass(frozen=True, slots=True)
class Shared:
    """The settings, the parts, the board and the intervals of one run. Any thread."""

    owner: SettingsOwner
    parts: Parts
    timing: Timing = field(default_factory=Timing)
    board: StatusBoard = field(default_factory=StatusBoard)
    between_steps: threading.Event = field(default_factory=threading.Event)
    """Set while no frame step runs, for work that can wait."""

    def __post_init__(self) -> None:
        """No step runs yet."""
        self.between_steps.set()
