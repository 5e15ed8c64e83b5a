"""Code that needs a Python of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.paths import ROOT


def printed_by(code: str, *words: str, folder: Path = ROOT, limit_s: float = 115) -> str:
    """Run the code in a new process; returns what it prints. words: its arguments."""
    command = [sys.executable, "-c", code, *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=limit_s)
    assert done.returncode == 0, done.stderr
    return done.stdout
