"""The command `recover`: finishes recordings that a crash left as `.part` files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

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
        print("mattecam: there is no unfinished recording.", file=sys.stderr)
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
        print(f"mattecam: {error}", file=sys.stderr)
        return False
    end(part)
    return True


def offer_recovery() -> None:
    """Print a sentence on standard error if a crash left recordings unfinished."""
    parts = unfinished_recordings()
    if parts:
        names = ", ".join(str(part) for part in parts)
        print(f"mattecam: unfinished recordings: {names}; run `run.py recover` to finish them.", file=sys.stderr)
