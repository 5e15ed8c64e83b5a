"""Messages of the program itself, and its entry at login."""

from __future__ import annotations

from app.core.text import Message


class ProgramName(Message):
    """How a process is named to the user."""

    PROCESS = "{name} (process {pid})"
    THIS = "Mattecam itself"
    OTHER = "another program"


class ProgramText(Message):
    """Errors of the program itself."""

    UNEXPECTED = "An internal error occurred; the log has the details."
    THREAD_FAILED = "The {thread} thread failed; start the program again. The log has the details."
    SOURCE_HANGS = "{device} does not respond; reconnect it, or start the program again with another source."
    OUTPUT_HANGS = (
        "{device} does not respond; close the programs that use it, or start the program again with another output."
    )
    SOURCE_NOT_OPEN = "The source {source} does not open; reconnect it, or start the program again with another source."
    OUTPUT_NOT_OPEN = (
        "The output {output} does not open; close the programs that use it, or start the program again with another "
        "output."
    )
    BACKGROUND_NOT_OPEN = (
        "The background {background} does not open; reconnect its disk, or start the program again with another "
        "background."
    )
    MODEL_HANGS = "The model does not respond on {device}; start the program again, or with another device."
    THREAD_STALLED = "The {thread} thread does not respond; start the program again."
    STATUS_NOT_WRITTEN = "The status file {file} cannot be written: {reason}."


class AutostartText(Message):
    """Errors of the entry that starts the window at login."""

    NOT_WRITTEN = "The autostart entry {file} cannot be changed: {reason}."
    LINE_BREAK = "The path “{option}” contains a line break, which an autostart entry does not support."
