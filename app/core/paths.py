"""This copy of the program: its folders, what starts it from any folder, its packages."""

from __future__ import annotations

import importlib.util
import os
import shlex
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from functools import cache
from importlib import metadata
from pathlib import Path

from models import program
from models.program import NAME as NAME
from models.program import program_command as program_command

# The folder that contains the packages `app` and `models`:
# the source tree, or `_program` of the installed package.
ROOT = Path(__file__).resolve().parents[2]
# Completes the name of a module: empty in a source tree,
# `mattecam._program.` in an installed copy (setup.py).
PREFIX = __name__.removesuffix("app.core.paths")
# The folder from which the modules are imported.
IMPORT_ROOT = ROOT.joinpath(*[".."] * PREFIX.count(".")).resolve()


def module(name: str) -> str:
    """Return the name under which a module such as `app.gui` is imported, for `python -m` and
    logging.
    """
    return PREFIX + name


def config_dir() -> Path:
    """Return the folder for settings and scenes; `$MATTECAM_CONFIG_DIR` overrides it.

    Does not create it.
    """
    named = os.environ.get("MATTECAM_CONFIG_DIR")
    if named:
        return Path(named)
    import platformdirs  # the measurements for a GPU run without it

    with program.home_needed():
        return platformdirs.user_config_path(NAME, appauthor=False)


def data_dir() -> Path:
    """Return the folder for models, backgrounds and logs; `$MATTECAM_DATA_DIR` overrides it.

    Does not create it.
    """
    named = os.environ.get("MATTECAM_DATA_DIR")
    if named:
        return Path(named)
    import platformdirs  # the measurements for a GPU run without it

    with program.home_needed():
        return platformdirs.user_data_path(NAME, appauthor=False)


def from_user(text: str) -> Path:
    """Return the path in `text` with `~` expanded.

    The `~name` of an unknown user stays unchanged.
    """
    return Path(os.path.expanduser(text))  # noqa: PTH111 - Path's own raises RuntimeError there


def backgrounds_dir() -> Path:
    """Return the folder for the user's background images and videos."""
    return data_dir() / "backgrounds"


def assets_dir() -> Path:
    """Return the folder of the read-only files that ship with the program."""
    return ROOT / "app" / "assets"


def documents_dir() -> Path:
    """Return the folder of the documents such as `apps.md`.

    `docs/`, or that of the installed package.
    """
    folder = ROOT / "docs"
    if folder.is_dir():
        return folder
    return Path(sysconfig.get_path("data")) / "share" / "doc" / NAME


# Commit that a wheel was built of (setup.py).
COMMIT = ROOT / "COMMIT"
_GIT_TIMEOUT_S = 5


def start_command() -> list[str]:
    """Return the command line that starts this copy from any folder, without arguments."""
    if program.SCRIPT.exists():
        return [sys.executable, "-I", str(program.SCRIPT)]
    suffix = ".exe" if sys.platform == "win32" else ""
    return [str(Path(sysconfig.get_path("scripts")) / f"{NAME}{suffix}")]


@cache
def commit() -> str:
    """Return the commit of this copy: of the checkout, or that it was built of.

    Empty where neither is known.
    """
    if COMMIT.exists():
        return COMMIT.read_text(encoding="utf-8").strip()
    if not (ROOT / ".git").exists():  # git would answer for a repository around this folder
        return ""
    line = ("git", "-C", str(ROOT), "rev-parse", "--short=12", "HEAD")
    try:
        done = subprocess.run(
            line,
            capture_output=True,
            text=True,
            timeout=_GIT_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def how_to_install(*packages: str) -> str:
    """Return how packages get into this copy, from any folder: a part of a sentence."""
    if importlib.util.find_spec("pip") is None:  # the Debian package, and environments of uv
        return (
            "install Mattecam by pip or run it from its sources for that, because this copy has no "
            "pip"
        )
    words = [sys.executable, "-m", "pip", "install", *packages]
    command = subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)
    return f"run `{command}`"


def licences(folders: Sequence[str] | None = None) -> dict[str, str]:
    """Return package with version → licence, sorted.

    folders: where packages are; by default those of this Python.
    """
    if folders is None:
        packages = metadata.distributions()
    else:
        packages = metadata.distributions(path=list(folders))
    licence_of: dict[str, str] = {}
    for package in packages:
        name = f"{package.metadata['Name']} {package.version}"
        licence_of[name] = stated_licence(package.metadata)
    return {name: licence_of[name] for name in sorted(licence_of, key=str.lower)}


def stated_licence(fields: metadata.PackageMetadata) -> str:
    """Return the licence in a package's metadata.

    Its expression, else its licence field, else its classifiers.
    """
    lines = fields.get_all("Classifier", []) or []
    classifiers = [line.split(" :: ")[-1] for line in lines if line.startswith("License")]
    known = fields.get_all("License-Expression") or fields.get_all("License") or [""]
    return known[0].split("\n")[0] or "; ".join(classifiers)
