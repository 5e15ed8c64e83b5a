"""The command `weights`: lists, downloads and verifies models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import DownloadColumn
from rich.table import Table

from app.cli.terminal import console as terminal_console
from app.cli.terminal import notify, progress_bar
from app.cli.usage import GroupedCommand, GroupedProgram
from app.core.errors import ModelError, UsageError, visible
from app.core.weights import download_weights
from models.table import NETWORKS
from models.weights import WeightReport, WeightState, describe, verified

app = typer.Typer(
    cls=GroupedProgram, help="Installed and available models.", no_args_is_help=True, rich_markup_mode=None
)


@app.command("list")
def list_weights() -> None:
    """List all models: whether they are installed, size and licence."""
    rows = [(r.spec.name, _state(r), _megabytes(r), r.spec.licence, r.spec.note) for r in describe()]
    _show(("model", "state", "size", "licence", "what it is"), rows)


@app.command(cls=GroupedCommand)
def download(
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="Models, as in `weights list`.")],
    again: Annotated[bool, typer.Option("--again", help="Download again even if installed.")] = False,
) -> None:
    """Download models to the user's data folder and verify them; interrupted downloads resume."""
    unknown = [name for name in names if name not in NETWORKS]
    if unknown:
        raise UsageError(f"There are no weights named {', '.join(unknown)}; the names are {', '.join(NETWORKS)}.")
    for name in names:
        path = _download(name, again)
        print(path)
        if NETWORKS[name].weights.sha256 is None:
            notify(f"No checksum of {name} is published; the downloaded file was trusted and its checksum recorded.")


@app.command("verify")
def verify_weights() -> None:
    """Compare the installed files with the published checksums; fail if one differs."""
    reports = [report for spec in NETWORKS.values() if (report := verified(spec.weights)).path is not None]
    _show(("model", "state", "file"), [(r.spec.name, _state(r), str(r.path)) for r in reports])
    bad = [str(report.path) for report in reports if report.state is WeightState.DIFFERENT]
    if bad:
        raise ModelError(
            f"These files are not the published weights: {', '.join(bad)}; download them with `weights download "
            "--again NAME`, or leave them if you put them there on purpose."
        )


def _download(name: str, again: bool) -> Path:
    with progress_bar(name, DownloadColumn()) as show:
        return download_weights(name, show, again=again)


def _state(report: WeightReport) -> str:
    return report.state.value if report.state is not None else "installed"


def _megabytes(report: WeightReport) -> str:
    size = report.spec.bytes or (report.path.stat().st_size if report.path is not None else None)
    return f"{size / 1e6:.1f} MB" if size else ""


def _show(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print a table on a terminal, tab-separated lines otherwise."""
    console = terminal_console(highlight=True)
    if not console.is_terminal:
        for row in (header, *rows):
            print("\t".join(row))
        return
    table = Table(*header, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*map(visible, row))
    console.print(table)
