"""The last log lines, and diagnostics for a bug report, without the user's name. Imports no Qt."""

from __future__ import annotations

import json
import logging
import platform
from collections import deque
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from app import __version__
from app.config.logs import FILE_FORMAT
from app.core.settings import Settings
from app.runtime.status import PipelineStatus

MAX_LINES = 2000


class LogBuffer(logging.Handler):
    """A log handler that keeps the newest lines. Thread-safe."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(logging.Formatter(FILE_FORMAT))
        self._lines: deque[str] = deque(maxlen=MAX_LINES)
        self._count = 0
        """Number of records ever logged."""

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))
        self._count += 1

    def lines(self) -> tuple[str, ...]:
        """The lines kept, oldest first."""
        return tuple(self._lines)

    def since(self, seen: int) -> tuple[int, tuple[str, ...]]:
        """Return the number of records ever logged, and the lines kept of those after the first `seen`."""
        self.acquire()  # as `emit` is called
        try:
            lines = self.lines()
            return self._count, lines[max(0, len(lines) - (self._count - seen)) :]
        finally:
            self.release()


PACKAGES = ("torch", "numpy", "opencv-python-headless", "av", "openvino", "PyQt6", "pyvirtualcam")
LOG_LINES = 200


def diagnostics(settings: Settings, status: PipelineStatus, log: Sequence[str]) -> str:
    """Return versions, settings, status and the end of the log; the home folder is written as ~."""
    parts = [
        f"Mattecam {__version__} on {platform.platform()}, Python {platform.python_version()}",
        ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
        json.dumps(settings.model_dump(mode="json"), indent=1),
        "\n".join(f"{name}: {getattr(status, name)}" for name in PipelineStatus.__dataclass_fields__),
        "\n".join(log[-LOG_LINES:]),
    ]
    return "\n\n".join(parts).replace(str(Path.home()), "~")


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
