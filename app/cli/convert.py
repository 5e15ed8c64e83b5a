"""The commands `convert` and `evaluate`."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.progress import TaskProgressColumn

from app.cli.options import LiveOptions, settings_from
from app.cli.terminal import notify, progress_bar
from app.config import logs

EXIT_FAILED, EXIT_INTERRUPTED = 1, 130


def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A video, or a folder of images.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="The composite: a video, or a folder for images.")],
    background: Annotated[str, typer.Option(help="blur[:0-100], a file, #RRGGBB, green or none.")] = "green",
    alpha: Annotated[Path | None, typer.Option(help="Also write the matte here.")] = None,
    foreground: Annotated[
        Path | None, typer.Option(help="Also write the foreground over black (premultiplied by the matte) here.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="As for the live commands, like the options below.")] = None,
    weights: Annotated[Path | None, typer.Option()] = None,
    refiner: Annotated[str | None, typer.Option()] = None,
    plate: Annotated[Path | None, typer.Option()] = None,
    device: Annotated[str | None, typer.Option()] = None,
    executor: Annotated[str | None, typer.Option()] = None,
    precision: Annotated[str | None, typer.Option()] = None,
    downsample_ratio: Annotated[str | None, typer.Option()] = None,
    keep_partial: Annotated[
        bool, typer.Option("--keep-partial", help="When interrupted, keep the frames so far in name.part.mp4.")
    ] = False,
    config: Annotated[Path | None, typer.Option()] = None,
    profile: Annotated[str | None, typer.Option()] = None,
    verbose: Annotated[bool, typer.Option("--verbose")] = False,
) -> None:
    """Matte a video or a folder of images offline: every frame once and in order, with audio."""
    logs.set_up_console(verbose=verbose)
    start = settings_from(
        LiveOptions(
            background=background,
            model=model,
            weights=weights,
            refiner=refiner,
            plate=plate,
            device=device,
            executor=executor,
            precision=precision,
            downsample_ratio=downsample_ratio,
            config=config,
            profile=profile,
        )
    )
    if start.warning:
        notify(start.warning)
    from app.api import convert as run_convert

    previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        with progress_bar(source.name, TaskProgressColumn()) as show:
            report = run_convert(
                source,
                target,
                settings=start.settings,
                alpha=alpha,
                foreground=foreground,
                keep_partial=keep_partial,
                progress=show,
            )
    finally:
        signal.signal(signal.SIGTERM, previous)
    for problem in report.problems:
        notify(problem)
    print(f"{report.target}: {report.frames} frames{'' if report.complete else ', interrupted'}")
    if not report.complete:
        raise typer.Exit(EXIT_INTERRUPTED)
    if report.source_cut:
        raise typer.Exit(EXIT_FAILED)


def evaluate(
    pred: Annotated[Path, typer.Argument(help="Predicted mattes: a video, an image folder, or a folder of clips.")],
    true: Annotated[Path, typer.Argument(help="Ground-truth mattes, under the same names.")],
) -> None:
    """Compute MAD, MSE, Grad, Conn and dtSSD of alpha sequences, as JSON."""
    from training.evaluate import evaluate_paths

    print(json.dumps(evaluate_paths(pred, true), indent=2))


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
