"""Where the program's own files lie: the platform's folders, or those the environment names."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

import platformdirs

NAME = "mattecam"
ROOT = Path(__file__).resolve().parents[2]
"""The folder that holds the packages `app` and `models`: the source folder with `run.py`, or `site-packages`."""


def config_dir() -> Path:
    """Settings and scenes; `$MATTECAM_CONFIG_DIR` overrides it. Not created here: whoever writes creates it."""
    named = os.environ.get("MATTECAM_CONFIG_DIR")
    return Path(named) if named else platformdirs.user_config_path(NAME, appauthor=False)


def data_dir() -> Path:
    """Models, backgrounds, logs and proofs; `$MATTECAM_DATA_DIR` overrides it. Not created here."""
    named = os.environ.get("MATTECAM_DATA_DIR")
    return Path(named) if named else platformdirs.user_data_path(NAME, appauthor=False)


def from_user(text: str) -> Path:
    """The path that a user wrote, their home in place of `~`; that of an unknown user (`~somebody`) stays as it is."""
    return Path(os.path.expanduser(text))  # noqa: PTH111 - Path's own raises RuntimeError there


def models_dir() -> Path:
    """Downloaded weights. `models.weights` finds the same folder on its own, because it must not import `app`."""
    return data_dir() / "models"


def backgrounds_dir() -> Path:
    """Pictures and videos the user put behind themselves."""
    return data_dir() / "backgrounds"


def log_dir() -> Path:
    """The window's log files."""
    return data_dir() / "logs"


def assets_dir() -> Path:
    """Files that ship with the program and are only read."""
    return ROOT / "app" / "assets"


def manual_page(name: str) -> Path:
    """Return the path of a page of the manual, such as `apps.md`: in `docs/`, or where an installation puts it."""
    page = ROOT / "docs" / name
    return page if page.exists() else Path(sysconfig.get_path("data")) / "share" / "doc" / NAME / name
