"""The commands `doctor`, `ctl` and `service`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.config import program
from app.core.errors import MattecamError, UsageError
from app.core.messages.doctor_fix import DoctorFix

_SIGNS = {"ok": "[green]✓[/]", "warning": "[yellow]![/]", "problem": "[red]✗[/]"}
_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}

service_app = typer.Typer(
    help="Run without a window in the background of this desktop (systemd).", no_args_is_help=True
)


def mount(app: typer.Typer) -> None:
    """Add the three commands to the program's own."""
    app.command("doctor")(doctor)
    app.command("ctl")(ctl)
    app.add_typer(service_app, name="service")


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="For scripts and support.")] = False,
    repair: Annotated[bool, typer.Option("--fix", help="Set the virtual camera up, after asking.")] = False,
) -> None:
    """Check camera, virtual camera, graphics card, models, display and disk; say what to do."""
    from app.doctor import Finding, System, run_checks
    from app.doctor.fix import fix

    system = System()
    if repair:
        print(fix(system, _ask), file=sys.stderr if as_json else sys.stdout)
    findings: tuple[Finding, ...] = run_checks(system)
    if as_json:
        print(json.dumps({"findings": [finding.as_json() for finding in findings]}, indent=2, ensure_ascii=False))
        return
    console = Console(highlight=False)
    for finding in findings:
        console.print(_SIGNS[finding.state.value], end=" ")
        console.print(f"{finding.check}: {program.advice(finding.detail)}", markup=False, soft_wrap=True)
        for line in [finding.why, *finding.fix.splitlines()]:
            if line:
                console.print(f"    {program.advice(line)}", markup=False, soft_wrap=True)


def _ask(shown: str) -> bool:
    """Show the commands and ask for confirmation. Raise MattecamError without a terminal."""
    print(f"{shown}\n", file=sys.stderr)
    if not sys.stdin.isatty():
        raise MattecamError(DoctorFix.NO_TERMINAL())
    print("Run this? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def ctl(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="COMMAND",
            help="background next|NAME, pause, resume, freeze, scene NAME, ratio X|auto, zoom 1-4, status, quit",
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="The answer as JSON.")] = False,
) -> None:
    """Steer the running program, such as from a desktop shortcut."""
    from app.control import Command, ask, parse_words

    command = parse_words(words)
    if command.name == "background" and Path(command.argument).is_file():
        command = Command("background", str(Path(command.argument).resolve()))  # the program has another current folder
    answer = ask(command)
    if not answer.done:
        raise MattecamError(answer.message)
    if answer.status is not None:
        print(json.dumps(answer.status, indent=2) if as_json else _status_line(answer.status))
    else:
        print(json.dumps({"message": answer.message}) if as_json else answer.message)


def _status_line(status: object) -> str:
    fields = status if isinstance(status, dict) else {}
    camera = fields.get("virtual_camera") or "no virtual camera"
    model = fields.get("model") or "no model"
    return f"{model}, {fields.get('fps_out')} fps, background {fields.get('background')}, {camera}"


@service_app.command("install", context_settings=_PASS_ON)
def service_install(context: typer.Context) -> None:
    """Start with the desktop; further options are those of `run.py headless`."""
    from app.system.service import install

    print(f"Installed and started: {install(context.args)}")


@service_app.command("remove")
def service_remove() -> None:
    """Stop it and forget it."""
    from app.system.service import remove

    if not remove():
        raise UsageError("The service is not installed.")
    print("Stopped and removed.")
