"""The command `bench`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from app.cli.options import LiveOptions, with_live_options
from app.cli.start import on_console
from app.cli.terminal import markdown_table, notify


@with_live_options(
    "size", "model", "weights", "plate", "device", "executor", "precision", "downsample_ratio", "verbose"
)
def bench(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
    seconds: Annotated[
        float, typer.Option(metavar="N", min=0.1, max=3600, help="About how long; it warms up first.")
    ] = 20.0,
    choose_anew: Annotated[bool, typer.Option("--choose", help="Measure again what auto takes.")] = False,
    live: LiveOptions,
) -> None:
    """Measure network and frame step beside a plain torch loop. Without --model: each installed recurrent model."""
    settings = on_console(live)
    from app.cli import bench_run  # loads the networks

    if choose_anew:
        result = bench_run.choose_again(settings.matting, seconds, notify)
        rows = [{"model": each["model"], **trial} for each in result["choices"] for trial in each["trials"]]
        columns: tuple[str, ...] = "model", *bench_run.TRIAL_COLUMNS
    else:
        bench_run.prepare(settings.matting)  # `auto` is resolved once for the whole run: by what was measured
        size = settings.capture.width, settings.capture.height
        result = bench_run.measure_models(settings.matting, size, seconds, notify)
        rows, columns = result["results"], (*bench_run.COLUMNS, "cpu_ms_per_frame", "times_usual_loop")
    if as_json or rows:  # otherwise it was said that there is nothing to measure
        print(json.dumps(result, indent=2) if as_json else markdown_table(rows, columns))
