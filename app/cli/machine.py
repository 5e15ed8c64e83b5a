"""The commands that show what this machine has, lacks and reaches.

`devices`, `doctor`, `bench`, `weights`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from itertools import chain
from typing import Annotated

import typer
from rich.progress import DownloadColumn
from rich.table import Table

from app.cli.options import LiveOptions, with_live_options
from app.cli.start import on_console
from app.cli.terminal import GroupedCommand, GroupedProgram, console, notify, progress_bar
from app.core import EXIT_FAILED
from app.core.errors import MattecamError, ModelError, UsageError, visible
from app.core.paths import program_command
from models.table import NETWORKS
from models.weights import WeightState, describe, verified


def devices(as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False) -> None:
    """List cameras and virtual cameras with their values for --source and --virtual-camera."""
    from app.capture.devices import list_cameras
    from app.output.camera_list import list_virtual_cameras

    cameras = list_cameras()
    virtual = list_virtual_cameras()
    if as_json:
        shown = ("id", "source", "name", "path", "index", "sizes", "formats")
        found = {
            "cameras": [{name: getattr(camera, name) for name in shown} for camera in cameras],
            "virtual_cameras": [asdict(camera) for camera in virtual],
        }
        print(json.dumps(found, indent=2))
        return
    for camera in cameras:
        if camera.by_pipewire:
            print(f"{camera.source}  {camera.name}  (PipeWire)")
            continue
        facts = [camera.name]
        if camera.sizes:
            width, height = camera.sizes[-1]
            facts.append(f"up to {width}x{height}")
        if camera.formats:
            facts.append(" ".join(camera.formats))
        print(f"camera:{camera.index}  {', '.join(facts)}  ({camera.source})")
    for device in virtual:
        in_use = ", in use" if device.busy else ""
        print(f"virtual camera  {device.id}  {device.label}{in_use}")
    if not cameras:
        print("No camera was found; the demo view (--source demo) works without one.")
    if not virtual:
        print(f"No virtual camera was found; `{program_command()} doctor` tells how to get one.")


_SIGNS = {"ok": "[green]✓[/]", "warning": "[yellow]![/]", "problem": "[red]✗[/]"}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="For scripts and support.")] = False,
    repair: Annotated[
        bool,
        typer.Option(
            "--fix",
            help="Set up the virtual camera, after asking.",
        ),
    ] = False,
) -> None:
    """Check camera, virtual camera, processor, graphics card, models, display and disk; say what to
    do.

    The exit code is 1 if there is a problem.
    """
    from app.doctor.checks import run_checks
    from app.doctor.fix import fix
    from app.doctor.system import System

    system = System()
    if repair:
        print(fix(system, _ask), file=sys.stderr if as_json else sys.stdout)
    findings = run_checks(system)
    if as_json:
        print(json.dumps({"findings": [finding.as_json() for finding in findings]}, indent=2))
    else:
        terminal = console()
        for finding in findings:
            terminal.print(_SIGNS[finding.state.value], end=" ")
            further = [finding.why, *finding.fix.splitlines()]
            lines = [f"{finding.check}: {finding.detail}"]
            lines += [f"    {line}" for line in further if line]
            for line in lines:
                terminal.print(visible(line), markup=False, soft_wrap=True)
    if any(finding.state.value == "problem" for finding in findings):
        raise typer.Exit(EXIT_FAILED)


def _ask(shown: str) -> bool:
    """Show the commands and ask for confirmation. Raise MattecamError without a terminal."""
    print(f"{shown}\n", file=sys.stderr)
    if not sys.stdin.isatty():
        raise MattecamError(
            "There is no terminal to confirm on; run the lines above as root, or run this command "
            "in a terminal.",
        )
    print("Run this? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


@with_live_options(
    "size",
    "model",
    "weights",
    "plate",
    "device",
    "executor",
    "precision",
    "downsample_ratio",
    "verbose",
)
def bench(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
    seconds: Annotated[
        float,
        typer.Option(
            metavar="N",
            min=0.1,
            max=3600,
            help="About how long; it warms up first.",
        ),
    ] = 20.0,
    trials: Annotated[
        bool,
        typer.Option(
            "--trials",
            help="Print what `auto` chooses from here, as text for a report.",
        ),
    ] = False,
    live: LiveOptions,
) -> None:
    """Measure network and frame step beside a plain torch loop. Without --model: each installed
    recurrent model.
    """
    settings = on_console(live)
    from app.cli.bench import measure_models, prepare, trial_rows  # loads the networks
    from app.matting.choice.hardware import machine

    prepare(settings.matting)  # `auto` is resolved once for the whole run: by what was measured
    if trials:
        for name, value in machine().items():
            print(f"{name}: {value}")
        print()
        for row in trial_rows():
            print("\t".join(row))
        return
    size = (settings.capture.width, settings.capture.height)
    result = measure_models(settings.matting, size, seconds, notify)
    if as_json:
        print(json.dumps(result, indent=2))
        return
    rows = result["results"]
    # Not every row has every column; they are in the order in which they come first.
    columns = tuple(dict.fromkeys(chain.from_iterable(rows)))
    _print_table(columns, [tuple(str(row.get(name, "")) for name in columns) for row in rows])


weights = typer.Typer(
    cls=GroupedProgram,
    help="Installed and available models.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@weights.command("list")
def list_weights() -> None:
    """List all models: whether they are installed, size and licence."""
    rows = []
    for each in describe():
        size = each.spec.bytes
        if not size and each.path is not None:
            size = each.path.stat().st_size
        amount = f"{size / 1e6:.1f} MB" if size else ""
        network = NETWORKS[each.spec.name]
        title = network.title
        if not each.spec.sha256 and not network.bundled:
            title += "; no published checksum, trusted on first download"
        state = WeightState.MISSING.value if each.path is None else "installed"
        rows.append((each.spec.name, state, amount, each.spec.licence, title))
    _print_table(("model", "state", "size", "licence", "what it is"), rows)


@weights.command(cls=GroupedCommand)
def download(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME",
            help="Models, as in `weights list`.",
        ),
    ],
    again: Annotated[
        bool,
        typer.Option(
            "--again",
            help="Download again even if installed.",
        ),
    ] = False,
) -> None:
    """Download models to the user's data folder and verify them; interrupted downloads resume."""
    from models.download import download as fetch  # other commands start without it

    unknown = [name for name in names if name not in NETWORKS]
    if unknown:
        known = ", ".join(NETWORKS)
        raise UsageError(f"There are no weights named {', '.join(unknown)}; the names are {known}.")
    part = [name for name in names if NETWORKS[name].bundled]
    if part:
        raise UsageError(
            f"The weights of {', '.join(part)} are part of the program and are not downloaded.",
        )
    for name in names:
        with progress_bar(name, DownloadColumn()) as show:
            path = fetch(name, show, again=again)
        print(path)
        if NETWORKS[name].weights.sha256 is None:
            notify(
                f"No checksum of {name} is published; the downloaded file was trusted and its "
                "checksum recorded.",
            )


@weights.command("verify")
def verify_weights() -> None:
    """Compare the installed files with the published checksums; fail if one differs."""
    rows = []
    bad = []
    for each in describe():
        if each.path is None:
            continue
        state = verified(each.spec)
        rows.append((each.spec.name, state.value, str(each.path)))
        if state is WeightState.DIFFERENT:
            bad.append(str(each.path))
    _print_table(("model", "state", "file"), rows)
    if bad:
        raise ModelError(
            f"These files are not the published weights: {', '.join(bad)}; download them with "
            "`weights download --again NAME`, or leave them if you put them there on purpose."
        )


def _print_table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print a table on a terminal, tab-separated lines otherwise."""
    terminal = console(highlight=True)
    if not terminal.is_terminal:
        for row in (header, *rows):
            print("\t".join(row))
        return
    table = Table(*header, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*map(visible, row))
    terminal.print(table)
