"""The command `recover`: finishes recordings that a crash left as `.part` files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.terminal import notify
from app.core.exit_codes import EXIT_FAILED
from app.core.messages.command_line import CommandLineText
from app.output.unfinished import finish, unfinished_recordings


def recover(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="`.part` files; by default all recordings left unfinished."),
    ] = None,
) -> None:
    """Finish recordings that a crash left as `.part` files, and print the finished files.

    A file of which something could not be copied is kept.
    """
    parts = tuple(files or unfinished_recordings())
    if not parts:
        notify(CommandLineText.NOTHING_UNFINISHED())
    finished = [_finish(part) for part in parts]
    if not all(finished):
        raise typer.Exit(EXIT_FAILED)


def _finish(part: Path) -> bool:
    """Print the finished file; return whether all of `part` is in it."""
    from app.media.video_input import VideoError

    try:
        recovered = finish(part)
    except VideoError as error:
        notify(error.text)
        return False
    print(recovered.file)
    if recovered.left is not None:
        notify(recovered.left)
    return recovered.left is None


def offer_recovery() -> None:
    """Print a sentence on standard error if a crash left recordings unfinished."""
    parts = unfinished_recordings()
    if parts:
        notify(CommandLineText.UNFINISHED(files=parts))
