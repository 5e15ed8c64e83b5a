"""The command `plate`: captures the empty-background plate that some models need."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.live_options import LiveOptions, with_live_options
from app.cli.options import on_console
from app.cli.terminal import notify
from app.core.messages.command_line import CommandLineText


@with_live_options("source", "size", "fps", "format", "rotate", "flip", "config", "verbose")
def plate(
    *,
    output: Annotated[
        Path | None,
        typer.Option(help="The plate, a PNG; replaces an earlier plate only. Default: in the data folder."),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.1, max=60, help="How long frames are collected.")] = 3.0,
    countdown: Annotated[float, typer.Option(min=0, max=60, help="Seconds to step out of the frame.")] = 3.0,
    live: LiveOptions,
) -> None:
    """Capture an empty-background plate for --plate; rejected while someone is in the frame."""
    settings = on_console(live)
    from app.runtime.plate import check_output, take_plate

    if output is not None:
        check_output(output, settings.capture.source)
    notify(CommandLineText.STEP_OUT(countdown=f"{countdown:g}", seconds=f"{seconds:g}"))
    print(take_plate(settings, output, seconds, countdown))
