"""The command `bench`: measures the frame rate on this machine."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from app.cli.live_options import LiveOptions, with_live_options
from app.cli.options import on_console, prepare
from app.cli.terminal import notify


@with_live_options(
    "size", "model", "weights", "plate", "device", "executor", "precision", "downsample_ratio", "verbose"
)
def bench(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
    seconds: Annotated[float, typer.Option(min=0.1, max=3600, help="About how long; it warms up first.")] = 20.0,
    in_use: Annotated[
        bool,
        typer.Option(
            "--in-use",
            help="Measure the program with preview, virtual camera and recording switched on one after the other.",
        ),
    ] = False,
    still: Annotated[bool, typer.Option("--still", help="The same while nothing moves before the camera.")] = False,
    choose: Annotated[
        bool,
        typer.Option(
            "--choose",
            help="Measure again how auto runs all installed networks, or the one of --weights: precision and threads.",
        ),
    ] = False,
    live: LiveOptions,
) -> None:
    """Measure network, frame step and whole program against a reference loop, interleaved within one run.

    Without --model each installed recurrent model is measured.
    """
    settings = on_console(live)
    if not choose:
        prepare(settings.matting)  # `auto` is resolved once for the whole run: by what was measured
    if in_use or still:
        from app.cli.bench.in_use.report import table as in_use_table
        from app.cli.bench.in_use.run import in_use as measure_in_use

        result = measure_in_use(settings, seconds, notify, still=still)
        print(json.dumps(result, indent=2) if as_json else in_use_table(result))
        return
    from app.cli.bench.choose import choices_table, choose_again
    from app.cli.bench.run import bench as measure
    from app.cli.bench.run import table
    from app.matting.kernels.loading import load

    load()
    if choose:
        result = choose_again(settings.matting, seconds, notify)
        if as_json or result["choices"]:  # otherwise it was said that there is nothing to measure
            print(json.dumps(result, indent=2) if as_json else choices_table(result))
        return
    capture = settings.capture
    result = measure(settings.matting, capture.width, capture.height, seconds, notify)
    print(json.dumps(result, indent=2) if as_json else table(result))
