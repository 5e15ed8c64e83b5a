"""Whether the WebRTC service beside the program is installed. The program uses it through `service.entry` alone."""

from __future__ import annotations

from importlib.util import find_spec

from app.core.errors import MattecamError
from app.core.files import program
from app.core.messages.remote import RemoteText

PACKAGES = ("aiohttp", "aiortc", "prometheus_client")
"""What the service needs beside the packages of the program."""


def require_service(option: str) -> None:
    """Raise MattecamError if the service or one of its packages is missing. option: what needs it, for the message."""
    try:
        from service import entry  # noqa: F401
    except ModuleNotFoundError as error:
        raise MattecamError(RemoteText.NO_SERVICE(option=option)) from error
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        command = program.install_command("service/requirements.txt", missing)
        raise MattecamError(RemoteText.NO_PACKAGES(option=option, packages=missing, command=command))
