"""The entry that starts the window, minimised, when the user logs in to a Linux desktop."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import platformdirs

from app.core import paths
from app.core.errors import MattecamError, t
from app.core.files import is_file, why_not_written, write_private
from models.program import home_needed

ENTRY = "mattecam.desktop"
_RESERVED = '"`$\\'


def entry_path() -> Path:
    """Return the path of the entry in the user's autostart folder."""
    with home_needed():
        return platformdirs.user_config_path() / "autostart" / ENTRY


def entry_text(start: Sequence[str]) -> str:
    """Return the entry. start: the command line that starts the program."""
    command = " ".join(_quoted(word) for word in [*start, "--minimised"])
    lines = (
        "[Desktop Entry]",
        "Type=Application",
        "Name=Mattecam",
        f"Exec={command}",
        "X-GNOME-Autostart-enabled=true",
        "",
    )
    return "\n".join(lines)


def enabled() -> bool:
    """Return whether the entry exists."""
    return is_file(entry_path())


def switch(on: bool) -> None:
    """Write the entry for this copy of the program, or remove it.

    Idempotent. Raises MattecamError.
    """
    path = entry_path()
    try:
        if on:
            text = entry_text(paths.start_command())
            path.parent.mkdir(parents=True, exist_ok=True)
            write_private(path, text.encode())
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise MattecamError(
            t(
                "The autostart entry {file} cannot be changed: {reason}.",
                file=path,
                reason=why_not_written(error),
            )
        ) from error


def _quoted(word: str) -> str:
    """Quote a word for the key Exec of the Desktop Entry Specification, whose strings are escaped
    once more.
    """
    escaped = "".join(f"\\{letter}" if letter in _RESERVED else letter for letter in word)
    return '"' + escaped.replace("\\", "\\\\").replace("\n", "\\n").replace("%", "%%") + '"'
