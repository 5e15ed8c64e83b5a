"""Folders of the program: the platform's standard folders, or those in environment variables."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

NAME = "mattecam"
ROOT = Path(__file__).resolve().parents[3]
"""The folder that contains the packages `app` and `models`: the source tree, or `_program` of the installed package."""
PREFIX = __name__.removesuffix("app.core.files.paths")
"""Completes the name of a module: empty in a source tree, `mattecam._program.` in an installed copy (setup.py)."""
IMPORT_ROOT = ROOT.joinpath(*[".."] * PREFIX.count(".")).resolve()
"""The folder from which the modules are imported."""


def module(name: str) -> str:
    """Return the name under which a module such as `app.gui` is imported, for `python -m` and logging."""
    return PREFIX + name


def config_dir() -> Path:
    """Return the folder for settings and scenes; `$MATTECAM_CONFIG_DIR` overrides it. Does not create it."""
    if named := os.environ.get("MATTECAM_CONFIG_DIR"):
        return Path(named)
    import platformdirs  # the measurements for a GPU run without it

    return platformdirs.user_config_path(NAME, appauthor=False)


def data_dir() -> Path:
    """Return the folder for models, backgrounds and logs; `$MATTECAM_DATA_DIR` overrides it. Does not create it."""
    if named := os.environ.get("MATTECAM_DATA_DIR"):
        return Path(named)
    import platformdirs  # the measurements for a GPU run without it

    return platformdirs.user_data_path(NAME, appauthor=False)


def from_user(text: str) -> Path:
    """Return the path in `text` with `~` expanded; the `~name` of an unknown user stays unchanged."""
    return Path(os.path.expanduser(text))  # noqa: PTH111 - Path's own raises RuntimeError there


def backgrounds_dir() -> Path:
    """Return the folder for the user's background images and videos."""
    return data_dir() / "backgrounds"


def log_dir() -> Path:
    """Return the folder for the window's log files."""
    return data_dir() / "logs"


def assets_dir() -> Path:
    """Return the folder of the read-only files that ship with the program."""
    return ROOT / "app" / "assets"


def documents_dir() -> Path:
    """Return the folder of the documents such as `apps.md`: `docs/`, or that of the installed package."""
    folder = ROOT / "docs"
    return folder if folder.is_dir() else Path(sysconfig.get_path("data")) / "share" / "doc" / NAME
