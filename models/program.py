"""The command that starts this copy of the program, for messages and documents.

Standard library only: run.py names it before anything is installed.
"""

from __future__ import annotations

import sys
from pathlib import Path

NAME = "mattecam"
SCRIPT = Path(__file__).resolve().parents[1] / "run.py"
"""Starts a copy of the sources; an installed copy has none."""


def program_command() -> str:
    """Return the command that the user types: `mattecam`, or `run.py` after the name of Python on this system."""
    if not SCRIPT.exists():
        return NAME
    return f"py {SCRIPT.name}" if sys.platform == "win32" else f"python3 {SCRIPT.name}"
