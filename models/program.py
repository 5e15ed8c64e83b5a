"""The command that starts this copy of the program, for messages and documents; what is said at its
first start.

Standard library only: run.py names it before anything is installed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = "mattecam"
# Starts a copy of the sources; an installed copy has none.
SCRIPT = Path(__file__).resolve().parents[1] / "run.py"
# Variable that, with any value, keeps the first start from downloading a network.
NO_MODELS = "MATTECAM_NO_MODELS"
# The same for one start.
NO_MODELS_OPTION = "--no-models"


class NoHomeError(RuntimeError):
    """This user has no home folder."""

    def __init__(self) -> None:
        super().__init__(
            "This user has no home folder, as in a container; set HOME, or MATTECAM_CONFIG_DIR and "
            "MATTECAM_DATA_DIR.",
        )


@contextmanager
def home_needed() -> Iterator[None]:
    """Raise NoHomeError where the block asks for a folder of a user who has no home."""
    try:
        yield
    except RuntimeError as error:  # of pathlib, and so of platformdirs
        raise NoHomeError from error


def program_command() -> str:
    """Return the command that the user types: `mattecam`, or `run.py` after the name of Python
    on this system.
    """
    if not SCRIPT.exists():
        return NAME
    return f"py {SCRIPT.name}" if sys.platform == "win32" else f"python3 {SCRIPT.name}"
