"""Diagnostics for a bug report, as text without the user's name. Imports no Qt."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from app import __version__
from app.config import settings_file
from app.core.settings import Settings
from app.runtime.status import PipelineStatus

PACKAGES = ("torch", "numpy", "opencv-python-headless", "av", "openvino", "PyQt6", "pyvirtualcam")
LOG_LINES = 200


def diagnostics(settings: Settings, status: PipelineStatus, log: Sequence[str]) -> str:
    """Return versions, settings, status and the end of the log; the home folder is written as ~."""
    parts = [
        f"Mattecam {__version__} on {platform.platform()}, Python {platform.python_version()}",
        ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
        json.dumps(settings_file.dump(settings), indent=1),
        "\n".join(f"{name}: {getattr(status, name)}" for name in PipelineStatus.__dataclass_fields__),
        "\n".join(log[-LOG_LINES:]),
    ]
    return "\n\n".join(parts).replace(str(Path.home()), "~")


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
