"""Connects to a matting server; imports aiortc only when it is used."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.settings import EngineSettings
from service.webrtc.packages import require_packages
from service.webrtc.token import read_token

if TYPE_CHECKING:
    from service.client.engine import RemoteEngine

ENVIRONMENT = "MATTECAM_SERVER_TOKEN_FILE"
"""Environment variable that names the file with the server's token where the settings name none."""


def remote_engine(settings: EngineSettings, width: int, height: int) -> RemoteEngine:
    """Return an engine whose network runs on the server. Raises MattecamError."""
    require_packages("--engine remote")
    from service.client.engine import RemoteEngine
    from service.client.link import ServerLink

    file = settings.server_token_file or os.environ.get(ENVIRONMENT)
    token = read_token(Path(file)) if file else None
    link = ServerLink(settings.server, token, ca_file=settings.server_ca_file)
    return RemoteEngine(link, width, height)
