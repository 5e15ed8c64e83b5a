"""How a process is named to the user."""

from __future__ import annotations

from enum import unique

from app.core.text import Message


@unique
class ProgramName(Message):
    """How a process is named to the user."""

    PROCESS = "{name} (process {pid})"
    THIS = "Mattecam itself"
    OTHER = "another program"
