"""Check for the packages that `run.py serve` and `--engine remote` need beside those of the program."""

from __future__ import annotations

from importlib.util import find_spec

from app.config import program
from app.core.errors import MattecamError
from app.core.messages.remote import RemoteText

PACKAGES = ("aiohttp", "aiortc", "prometheus_client")


def require_packages(option: str) -> None:
    """Raise MattecamError if a package is missing. option: what the user asked for, for the message."""
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        command = program.install_command("service/requirements.txt", missing)
        raise MattecamError(RemoteText.NO_PACKAGES(option=option, packages=missing, command=command))
