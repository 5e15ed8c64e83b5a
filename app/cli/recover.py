"""The command `recover`: finishes recordings that a crash left as `.part` files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.terminal import notify
from app.core.messages.command_line import CommandLineText
from app.core.messages.output import RecordingText
from app.output.unfinished import end, in_progress, unfinished_recordings

EXIT_FAILED = 1


def recover(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]...", help="`.part` files; by default all recordings left unfinished."),
    ] = None,
) -> None:
    """Finish recordings that a crash left as `.part` files, and print the finished files."""
    parts = tuple(files or unfinished_recordings())
    if not parts:
        notify(CommandLineText.NOTHING_UNFINISHED())
    finished = [_finish(part) for part in parts]
    if not all(finished):
        raise typer.Exit(EXIT_FAILED)


def _finish(part: Path) -> bool:
    from app.media.recovery import recover as recover_file
    from app.media.video_input import VideoError

    try:
        if in_progress(part):
            raise VideoError(RecordingText.STILL_WRITTEN(file=part))
        print(recover_file(part))
    except VideoError as error:
        notify(error.text)
        return False
    end(part)
    return True


def offer_recovery() -> None:
    """Print a sentence on standard error if a crash left recordings unfinished."""
    parts = unfinished_recordings()
    if parts:
        notify(CommandLineText.UNFINISHED(files=parts))
