"""What a child process of the benchmark measures."""

from __future__ import annotations

from pydantic import BaseModel

from app.core.settings import Settings


class Workload(BaseModel):
    """What a child process measures."""

    settings: Settings
    phases: list[tuple[str, ...]]
    """The outputs of each measurement."""
    seconds: float
    """Of each measurement."""
    rounds: int = 1
    """How often every phase is measured, in turn."""
    idle: bool = False
    """Also measure the CPU time while the program rests and while it is paused."""
