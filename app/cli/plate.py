"""The command `plate`: takes a picture of the empty room for the models that need one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from app.cli.options import LiveOptions, settings_from
from app.config import logs


def plate(
    output: Annotated[
        Path | None, typer.Option(help="The picture, a PNG; by default in the data folder, by camera and size.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.1, max=60, help="How long frames are collected.")] = 3.0,
    countdown: Annotated[float, typer.Option(min=0, max=60, help="Seconds to step out of the picture.")] = 3.0,
    source: Annotated[str | None, typer.Option(help="As for the live commands, like the options below.")] = None,
    size: Annotated[str | None, typer.Option(metavar="WxH")] = None,
    fps: Annotated[float | None, typer.Option()] = None,
    format: Annotated[str | None, typer.Option()] = None,
    config: Annotated[Path | None, typer.Option()] = None,
    verbose: Annotated[bool, typer.Option("--verbose")] = False,
) -> None:
    """Take a picture of the empty room, for --plate; refused while someone is in it."""
    logs.set_up_console(verbose=verbose)
    start = settings_from(LiveOptions(source=source, size=size, fps=fps, format=format, config=config))
    from app.plate.session import take_plate

    print(
        f"mattecam: step out of the picture: {seconds:g} seconds of frames are collected, in {countdown:g} seconds.",
        file=sys.stderr,
    )
    print(take_plate(start.settings, output, seconds, countdown))
