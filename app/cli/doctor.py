"""The command `doctor`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.terminal import console as terminal_console
from app.core import EXIT_FAILED, paths
from app.core.errors import MattecamError, visible

if TYPE_CHECKING:
    from app.doctor.finding import Finding

_SIGNS = {"ok": "[green]✓[/]", "warning": "[yellow]![/]", "problem": "[red]✗[/]"}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="For scripts and support.")] = False,
    repair: Annotated[bool, typer.Option("--fix", help="Set up the virtual camera, after asking.")] = False,
) -> None:
    """Check camera, virtual camera, processor, graphics card, models, display and disk; say what to do.

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
        _show(findings)
    if any(finding.state.value == "problem" for finding in findings):
        raise typer.Exit(EXIT_FAILED)


def _show(findings: Sequence[Finding]) -> None:
    console = terminal_console()
    for finding in findings:
        console.print(_SIGNS[finding.state.value], end=" ")
        console.print(visible(f"{finding.check}: {paths.advice(finding.detail)}"), markup=False, soft_wrap=True)
        for line in [finding.why, *finding.fix.splitlines()]:
            if line:
                console.print(visible(f"    {paths.advice(line)}"), markup=False, soft_wrap=True)


def _ask(shown: str) -> bool:
    """Show the commands and ask for confirmation. Raise MattecamError without a terminal."""
    print(f"{shown}\n", file=sys.stderr)
    if not sys.stdin.isatty():
        raise MattecamError(
            "There is no terminal to confirm on; run the lines above as root, or run this command in a terminal."
        )
    print("Run this? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
