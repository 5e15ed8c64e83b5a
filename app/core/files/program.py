"""The command that starts this copy of the program: `run.py` in a source tree, or the installed `mattecam`."""

from __future__ import annotations

import importlib.util
import shlex
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from app.core.files.paths import NAME, ROOT

SCRIPT = ROOT / "run.py"
COMMIT = ROOT / "COMMIT"
"""Commit that a package was built of (tools/packages/tree.py)."""


def name() -> str:
    """Return the command that the user types to start this copy: `run.py` or `mattecam`."""
    return SCRIPT.name if SCRIPT.exists() else NAME


def command() -> list[str]:
    """Return the command line that starts this copy from any folder, without arguments."""
    if SCRIPT.exists():
        return [sys.executable, "-I", str(SCRIPT)]
    suffix = ".exe" if sys.platform == "win32" else ""
    return [str(Path(sysconfig.get_path("scripts")) / f"{NAME}{suffix}")]


def commit() -> str:
    """Return the commit that this copy was packaged from; empty for other copies."""
    return COMMIT.read_text(encoding="utf-8").strip() if COMMIT.exists() else ""


def how_to_install(requirements: str, packages: Sequence[str]) -> str:
    """Return how packages get into this copy, from any folder: a part of a sentence.

    requirements: the file in a source tree that lists them, "" if none does; an installed copy has none and names the
    packages.
    """
    if importlib.util.find_spec("pip") is None:  # the Debian package, and environments of uv
        return "install Mattecam by pip or run it from its sources for that, because this copy has no pip"
    listed = ROOT / requirements
    wanted = ["-r", _shown(listed)] if listed.is_file() else packages
    return f"run `{shlex.join([_shown(Path(sys.executable)), '-m', 'pip', 'install', *wanted])}`"


def _shown(path: Path) -> str:
    """Return a path relative to the working folder if it lies in it."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def advice(text: str) -> str:
    """Return `text` with `run.py` replaced by the command of this copy."""
    return text if SCRIPT.exists() else text.replace("python3 run.py", NAME).replace(SCRIPT.name, NAME)
