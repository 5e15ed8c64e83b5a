"""The command line. `docs/command-line.md` describes it; exit codes are 0, 1, 2 and 130."""

from __future__ import annotations

import logging
import os
import platform
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from typer.exceptions import TyperException

from app import __version__
from app.cli.convert import convert, with_cluster_address
from app.cli.ctl import ctl
from app.cli.machine import bench, devices, doctor, weights
from app.cli.options import LiveOptions, with_live_options
from app.cli.start import settings_from, what_is_used
from app.cli.terminal import (
    PLAIN,
    ControlCommand,
    GroupedCommand,
    GroupedProgram,
    notify,
    protect_outputs,
    refusal,
)
from app.config import logs
from app.core import EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE
from app.core.errors import NO_MEMORY, MattecamError, UsageError, text_of
from app.core.files import why_not_read, why_not_written
from app.core.paths import program_command
from app.core.process import (
    check_memory_limit,
    disable_core_dumps,
    ending_with_console,
    handled,
    keep_pace,
    limit_heaps,
    refuse_open_umask,
)
from app.core.threads import on_own_thread
from models.errors import WeightsError
from models.program import NAME, NO_MODELS_OPTION, NoHomeError
from models.weights import converts

if TYPE_CHECKING:
    from app.runtime.status import PipelineStatus


log = logging.getLogger(__name__)

app = typer.Typer(
    name=program_command(),
    cls=GroupedProgram,
    help="Mattecam: a virtual webcam that replaces the background behind people in real time. "
    "Without a command it opens the window; without a display it runs as `headless`.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"max_content_width": 120},
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command in `argv` (default: sys.argv) and return the exit code.

    Print a failure as one sentence.
    """
    try:
        words = with_cluster_address(sys.argv[1:] if argv is None else argv)
        code = _command(args=words, prog_name=program_command(), standalone_mode=False)
    except TyperException as error:
        if error.message.startswith("Usage:"):  # the help of a group of commands
            print(error.message, file=sys.stderr)
            return EXIT_USAGE
        return _fail(refusal(error), EXIT_USAGE)
    except (KeyboardInterrupt, typer.Abort):
        return EXIT_INTERRUPTED
    except MattecamError as error:
        return _fail(str(error), EXIT_USAGE if error.unusable else EXIT_FAILED)
    except WeightsError as error:
        return _fail(text_of(error), EXIT_FAILED)
    except MemoryError:
        return _fail(NO_MEMORY, EXIT_FAILED)
    except NoHomeError as error:
        return _fail(str(error), EXIT_FAILED)
    except OSError as error:  # such as a file name that is too long
        if error.filename is None:
            return _fail(f"The output cannot be written: {why_not_written(error)}.", EXIT_FAILED)
        code = EXIT_USAGE if str(error.filename) in words else EXIT_FAILED
        return _fail(
            f"{str(error.filename)[:80]} cannot be used: {why_not_read(error)}; check the name.",
            code,
        )
    # Only a command that ends by `typer.Exit` returns a code.
    return code if isinstance(code, int) else EXIT_DONE


def run_to_exit(argv: Sequence[str] | None = None) -> NoReturn:
    """Run `main` and end the process, even if a thread hangs in a driver and would keep it alive
    or abort it.
    """
    refuse_open_umask()
    disable_core_dumps()
    limit_heaps()
    keep_pace()
    _open_outputs()
    protect_outputs()
    logs.set_up_console()
    # The commands that have no handlers of their own.
    with handled(_interrupt), ending_with_console():
        code = main(argv)
    try:
        sys.stdout.flush()
    except OSError as error:
        notify(f"The output cannot be written: {why_not_written(error)}.")
        os._exit(EXIT_FAILED)  # Python would try to flush again and print a traceback
    sys.stderr.flush()
    if threading.active_count() > 1:
        os._exit(code)
    sys.exit(code)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _open_outputs() -> None:
    """Open outputs that are closed, and let them show similar characters for those that they
    lack.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            null = Path(os.devnull)
            stream = null.open("w", encoding="utf-8")  # until the process ends
            setattr(sys, name, stream)
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=PLAIN)


def _fail(message: str, code: int) -> int:
    notify(message)
    return code


@with_live_options()
def _program(
    *,
    ctx: typer.Context,
    shows_version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the version and exit.",
        ),
    ] = False,
    no_models: Annotated[
        bool,
        typer.Option(
            NO_MODELS_OPTION,
            help="Download no network at the first start.",
        ),
    ] = False,
    live: LiveOptions,
) -> None:
    """Replace the background of the camera's video, in a window; without a display like `headless`."""
    if shows_version:
        version()
        raise typer.Exit
    is_installed = program_command() == NAME
    # Without PyTorch it could not be converted.
    if is_installed and converts() and not no_models and ctx.invoked_subcommand in USES_A_NETWORK:
        on_own_thread("set-up", _download_beside)
    if ctx.invoked_subcommand is None:
        raise typer.Exit(_window(live))
    if live.given:
        raise UsageError(
            f"Options go after the command: `{program_command()} {ctx.invoked_subcommand} --…`.",
        )


# Commands at whose first start an installed copy, which
# has no set-up, downloads the recommended network.
USES_A_NETWORK = (None, "headless", "convert")


def _download_beside() -> None:
    from models.download import download_at_set_up

    with suppress(NoHomeError):  # which the command says itself
        download_at_set_up(notify)


@with_live_options()
def headless(live: LiveOptions) -> None:
    """Replace the background of the camera's video, without a window."""
    raise typer.Exit(_headless(live))


def _window(options: LiveOptions) -> int:
    """Run with the window and return the exit code; run like `headless` where none can open."""
    from app.doctor.display import window_problem

    reason = window_problem()
    if reason is not None:
        notify(f"{reason}; running without a window.")
        return _headless(options)
    logs.set_up_window(verbose=options.verbose)
    log.info(
        "Mattecam %s on %s, Python %s.",
        __version__,
        platform.platform(),
        platform.python_version(),
    )
    start = settings_from(options, window=True)
    log.info("%s", what_is_used(options, start.path))
    check_memory_limit()
    from app.gui.application import WindowOptions, run_window
    from app.runtime.status import write_status

    if start.warning:
        notify(start.warning)

    def finished(status: PipelineStatus) -> None:
        if options.status_json is not None:
            write_status(options.status_json, status)

    window = WindowOptions(
        seconds=options.seconds,
        frames=options.frames,
        start_minimised=options.minimised,
        settings_path=start.path,
        saved_settings=start.saved,
        unmatted_confirmed=start.unmatted_confirmed,
        warning=start.warning,
        on_finished=finished,
    )
    return run_window(start.settings, window)


def _headless(options: LiveOptions) -> int:
    logs.set_up_console(verbose=options.verbose)
    start = settings_from(options)
    notify(what_is_used(options, options.config))
    check_memory_limit()
    from app.cli.headless import run

    return run(start, options)


def version() -> None:
    """Print the version of the program."""
    print(__version__)


# The help lists the commands in this order.
app.callback(invoke_without_command=True)(_program)
app.command("headless", cls=GroupedCommand)(headless)
app.command("convert", cls=GroupedCommand)(convert)
app.command("devices")(devices)
# Negative numbers.
app.command("ctl", cls=ControlCommand, context_settings={"ignore_unknown_options": True})(ctl)
app.command("doctor")(doctor)
app.command("bench", cls=GroupedCommand)(bench)
app.command("version")(version)
app.add_typer(weights, name="weights")
_command = typer.main.get_command(app)
