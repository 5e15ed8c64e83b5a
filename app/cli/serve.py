"""The command `serve`: mattes video of other machines and browsers over WebRTC."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from app.cli.options import prepare
from app.cli.terminal import notify
from app.config import logs
from app.config.parsing import replace_checked
from app.config.webrtc_service import require_service
from app.core.exit_codes import EXIT_INTERRUPTED
from app.core.settings import EdgeSettings, EngineSettings


def serve(
    host: Annotated[
        str,
        typer.Option(metavar="ADDRESS", help="Address to listen on; other than this machine only with a token."),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="TCP port of page and signalling.")] = 8765,
    token_file: Annotated[
        Path | None, typer.Option(help="File with the secret token of the clients; created if it does not exist.")
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate chain (PEM), for HTTPS.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Private key of the certificate (PEM).")] = None,
    ice_servers: Annotated[
        Path | None,
        typer.Option(help="JSON file with STUN and TURN servers for media, for containers and networks behind NAT."),
    ] = None,
    strict: Annotated[
        str,
        typer.Option(
            metavar="off|balanced|strict",
            help="Hide things mistaken for people; strict: everything that is not a moving person.",
        ),
    ] = "balanced",
    streams: Annotated[
        int | None, typer.Option(min=1, help="Streams at once; by default one per 0.85 cores, for 30 fps each.")
    ] = None,
) -> None:
    """Matte the video of thin clients and browsers: WebRTC service with a web page, /healthz and /metrics."""
    require_service("serve")
    from service.entry import ServeOptions
    from service.entry import serve as run

    level = replace_checked(EdgeSettings(), {"strict": strict}).strict
    logs.set_up_console(verbose=False)
    options = ServeOptions(host, port, token_file, tls_cert, tls_key, ice_servers, level, streams)
    if run(options, notify, partial(prepare, EngineSettings())):
        raise typer.Exit(EXIT_INTERRUPTED)
