"""The command `plate`: captures the empty-background plate that some models need."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated

import typer

from app.cli.options import LiveOptions, with_live_options
from app.cli.start import on_console
from app.cli.terminal import notify
from app.core.errors import UsageError
from app.core.files import check_outputs, exists, is_file, is_folder, is_taken
from app.core.settings import Settings


@with_live_options("source", "size", "fps", "format", "rotate", "flip", "config", "verbose")
def plate(
    *,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The plate, a PNG; by default in the data folder."),
    ] = None,
    seconds: Annotated[float, typer.Option(metavar="N", min=0.1, max=60, help="How long frames are collected.")] = 3.0,
    countdown: Annotated[
        float, typer.Option(metavar="N", min=0, max=60, help="Seconds to step out of the frame.")
    ] = 3.0,
    live: LiveOptions,
) -> None:
    """Capture an empty-background plate for --plate; rejected while someone is in the frame."""
    settings = on_console(live)
    if output is not None:
        check_output(output, settings.capture.source)
    notify(f"Step out of the frame; capturing starts in {countdown:g} s and takes {seconds:g} s.")
    print(take_plate(settings, output, seconds, countdown))


def check_output(output: Path, source: str) -> None:
    """Raise UsageError unless `output` names a PNG file that does not exist, or a plate taken before.

    source: as in the settings, a file or a camera. Raises PlateError if nothing can be written there.
    """
    from app.matting.plate.picture import not_written, plate_info, record_of

    check_outputs([output], Path(source) if is_file(Path(source)) else None)
    if output.suffix.lower() != ".png":  # loses nothing, as JPEG does
        raise UsageError(f"{output} is not the name of a PNG file; name one with --output, such as room.png.")
    taken = [file for file in (output, record_of(output)) if is_taken(file) or is_folder(file)]
    if taken and plate_info(output) is None:
        raise UsageError(f"{taken[0]} exists and was not written by `plate`; name another file with --output.")
    try:
        with TemporaryFile(dir=next(filter(exists, output.absolute().parents))):  # before the user leaves the frame
            pass
    except OSError as error:
        raise not_written(output, error) from error


def take_plate(settings: Settings, output: Path | None, seconds: float, countdown_s: float) -> Path:
    """Open the source as a run does, wait for `countdown_s`, collect frames for `seconds`, and keep the plate.

    output: None for the default file of this camera and size. Raises SourceError, or PlateError, also for somebody in
    view.
    """
    from app.capture import SourceOpener
    from app.matting.plate.picture import PlateCapture, store_plate
    from app.output.camera_list import is_busy

    with closing(SourceOpener(is_busy)(settings.capture.replace(lock_exposure=True))) as source:
        capture, orientation = PlateCapture(countdown_s, seconds), settings.capture.orientation
        enough = False
        while not enough:
            frame = source.read()
            enough = capture.feed(None if frame is None else frame.of(source.info, orientation))
    return store_plate(capture.plate(), capture.camera, output)
