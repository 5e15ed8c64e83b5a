"""What the server is told by `run.py serve`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.core.settings import StrictLevel


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """The options of `run.py serve`."""

    host: str = "127.0.0.1"
    port: int = 8765
    token_file: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    ice_servers: Path | None = None
    """JSON file with STUN and TURN servers."""
    strict: StrictLevel = "balanced"
    """Of the composites; a client that gets the matte applies its own."""
    streams: int | None = None
    """Streams at once; None for as many of 640x360 at 30 fps as the cores hold."""
