"""What the program uses of the service: the remote engine, the token, and the server. Imports aiortc only when called.

Call `require_service` of `app.config.webrtc_service` first: it says in one sentence what is not installed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from app.core.settings import EngineSettings
from app.matting.base.interface import MattingEngine
from service.server.options import ServeOptions
from service.webrtc.token import read_token

__all__ = ["ServeOptions", "read_token", "remote_engine", "serve"]

ENVIRONMENT = "MATTECAM_SERVER_TOKEN_FILE"
"""Environment variable that names the file with the server's token where the settings name none."""


def remote_engine(settings: EngineSettings, width: int, height: int) -> MattingEngine:
    """Return an engine whose network runs on the server of the settings. Raises MattecamError."""
    from service.client.engine import RemoteEngine
    from service.client.link import ServerLink

    file = settings.server_token_file or os.environ.get(ENVIRONMENT)
    token = read_token(Path(file)) if file else None
    link = ServerLink(settings.server, token, ca_file=settings.server_ca_file)
    return RemoteEngine(link, width, height)


def serve(options: ServeOptions, tell: Callable[[str], None], prepare: Callable[[], object]) -> bool:
    """Serve until SIGINT, SIGTERM or SIGHUP; return whether SIGINT ended it; see `service.server.run.run`."""
    from service.server.run import run

    return run(options, tell, prepare)
