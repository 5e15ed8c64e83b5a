"""The command `bench`: measures the frame rate on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from app.cli.live_options import LiveOptions
from app.cli.options import settings_from
from app.cli.terminal import notify
from app.config import logs


def bench(
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
    model: Annotated[str, typer.Option(help="auto measures each installed recurrent model.")] = "auto",
    weights: Annotated[Path | None, typer.Option(help="A checkpoint for the chosen model.")] = None,
    size: Annotated[str, typer.Option(metavar="WxH")] = "1280x720",
    downsample_ratio: Annotated[str, typer.Option(help="auto, or 0.05 to 1.")] = "auto",
    seconds: Annotated[float, typer.Option(min=0.1, max=3600, help="About how long; it warms up first.")] = 20.0,
    plate: Annotated[Path | None, typer.Option(help="A picture of the empty room, for the bgmv2 models.")] = None,
    device: Annotated[str, typer.Option(help="As for the live commands, like the options below.")] = "auto",
    executor: Annotated[str, typer.Option()] = "auto",
    precision: Annotated[str, typer.Option()] = "auto",
    in_use: Annotated[
        bool,
        typer.Option(
            "--in-use",
            help="Measure the program with preview, virtual camera and recording switched on one after the other.",
        ),
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose")] = False,
) -> None:
    """Measure network, frame step and whole program against a reference loop, interleaved within one run."""
    logs.set_up_console(verbose=verbose)
    start = settings_from(
        LiveOptions(
            model=model,
            weights=weights,
            size=size,
            downsample_ratio=downsample_ratio,
            plate=plate,
            device=device,
            executor=executor,
            precision=precision,
        )
    )
    if start.warning:
        notify(start.warning)
    if in_use:
        from app.bench.in_use import in_use as measure_in_use
        from app.bench.in_use import table as in_use_table

        result = measure_in_use(start.settings, seconds, notify)
        print(json.dumps(result, indent=2) if as_json else in_use_table(result))
        return
    from app.bench.report import table
    from app.bench.run import bench as measure
    from app.matting.kernels.dispatch import compiled

    compiled.wait()
    capture = start.settings.capture
    result = measure(start.settings.matting, capture.width, capture.height, seconds, notify)
    print(json.dumps(result, indent=2) if as_json else table(result))
