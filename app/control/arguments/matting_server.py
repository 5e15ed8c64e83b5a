"""The argument of `ctl server`, and its answer."""

from __future__ import annotations

from pathlib import Path

from app.config.parsing import parse_server
from app.core.errors import UsageError
from app.core.files import is_file
from app.core.messages.control import AnswerText, ControlText
from app.core.settings import MattingSettings
from app.core.text import Text

USAGE = "URL|on|off|token FILE|token none|ca FILE|ca none"
FILES = {"token": "server_token_file", "ca": "server_ca_file"}
"""The words that may come before a file, and what they set."""


def changed_server(argument: str, current: MattingSettings) -> MattingSettings:
    """Return the settings that the argument asks for. Raises UsageError, which names the choices."""
    if argument == "off":
        return current.replace(location="local")
    if argument == "on":
        if not current.server:
            raise UsageError(ControlText.NO_SERVER(usage=USAGE))
        return current.replace(location="remote")
    word, _, value = argument.partition(" ")
    if word not in FILES:
        return current.replace(location="remote", server=parse_server(argument))
    path = None if value == "none" else Path(value)
    if path is not None and not is_file(path):
        raise UsageError(ControlText.NO_SERVER_FILE(text=value, usage=USAGE))
    return current.replace(**{FILES[word]: path})


def described_server(matting: MattingSettings, round_trip_ms: object) -> Text:
    """Return the answer that names where the matte is computed. round_trip_ms: of the status."""
    if matting.location == "local":
        return AnswerText.NO_SERVER()
    if isinstance(round_trip_ms, int | float):
        return AnswerText.SERVER_TRIP(server=matting.server, trip=f"{round_trip_ms:.0f}")
    return AnswerText.SERVER(server=matting.server)
