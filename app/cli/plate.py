"""The command `plate`: captures the empty-background plate that some models need."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.live_options import LiveOptions
from app.cli.options import settings_from
from app.cli.terminal import notify
from app.config import logs
from app.core.messages.command_line import CommandLineText


def plate(
    output: Annotated[
        Path | None, typer.Option(help="The plate, a PNG; by default in the data folder, by camera and size.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.1, max=60, help="How long frames are collected.")] = 3.0,
    countdown: Annotated[float, typer.Option(min=0, max=60, help="Seconds to step out of the frame.")] = 3.0,
    source: Annotated[str | None, typer.Option(help="As for the live commands, like the options below.")] = None,
    size: Annotated[str | None, typer.Option(metavar="WxH")] = None,
    fps: Annotated[float | None, typer.Option()] = None,
    format: Annotated[str | None, typer.Option()] = None,
    config: Annotated[Path | None, typer.Option()] = None,
    verbose: Annotated[bool, typer.Option("--verbose")] = False,
) -> None:
    """Capture an empty-background plate for --plate; rejected while someone is in the frame."""
    logs.set_up_console(verbose=verbose)
    start = settings_from(LiveOptions(source=source, size=size, fps=fps, format=format, config=config))
    if start.warning:
        notify(start.warning)
    from app.plate.session import take_plate

    notify(CommandLineText.STEP_OUT(countdown=f"{countdown:g}", seconds=f"{seconds:g}"))
    print(take_plate(start.settings, output, seconds, countdown))
