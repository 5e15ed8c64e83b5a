"""What the command line prints.

Help, one sentence for each wrong usage, messages, progress and tables.

All of it is without control characters; messages and progress go to standard error.
"""

from __future__ import annotations

import codecs
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO, cast

from pydantic import ValidationError
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from app.config.setting import first_problem
from app.control.commands import SYNTAX
from app.core.errors import visible
from app.core.paths import program_command

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import ProgressColumn


_SIMILAR = str.maketrans(
    {
        "“": '"',
        "”": '"',
        "’": "'",
        "…": "...",
        "–": "-",
        "→": ">",
        "•": "*",
        "✓": "+",
        "✗": "x",
    }
)


def _plain(error: UnicodeError) -> tuple[str, int]:
    """Return similar characters in place of what a terminal cannot show, else `?`."""
    assert isinstance(error, UnicodeEncodeError)
    shown = error.object[error.start : error.end].translate(_SIMILAR)
    return "".join(character if character.isascii() else "?" for character in shown), error.end


# The error handler of standard output and standard error.
PLAIN = "mattecam.plain"
codecs.register_error(PLAIN, _plain)


class Output:
    """An output stream that shows control characters instead of sending them to the terminal.

    Names of files, scenes and devices are text of others; printed as they are, they could rewrite
    the screen.
    """

    def __init__(
        self,
        stream: TextIO,
        *lost: type[OSError],
        shown: Callable[[str], str] = visible,
    ) -> None:
        """lost: errors for which a text is lost, as to a closed terminal or full disk.
        shown: how a text is written.
        """
        self.stream = stream
        self.lost = lost
        self._shown = shown

    def write(self, text: str) -> int:
        """Write the text with control characters made visible."""
        with suppress(*self.lost):
            self.stream.write(self._shown(text))
        return len(text)

    def flush(self) -> None:
        """Write what is held back."""
        with suppress(*self.lost):
            self.stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def protect_outputs() -> None:
    """Let outputs show control characters and standard error lose what it cannot write, until
    the process ends.

    A message that nobody can read must not end a call, a recording or a conversion.
    """
    sys.stdout = cast("TextIO", Output(sys.stdout))
    sys.stderr = cast("TextIO", Output(sys.stderr, OSError))


def console(*, stderr: bool = False, highlight: bool = False) -> Console:
    """Return a console for coloured text and progress bars.

    Its texts must go through `visible`: colours are codes.
    """
    from rich.console import Console  # slow to import

    stream: Any = sys.stderr if stderr else sys.stdout
    if isinstance(stream, Output):
        stream = Output(stream.stream, *stream.lost, shown=str)
    return Console(file=stream, highlight=highlight)


def notify(text: str) -> None:
    """Print a message for the user."""
    print(f"mattecam: {text}", file=sys.stderr)


@contextmanager
def progress_bar(title: str, amount: ProgressColumn) -> Iterator[Callable[[int, int | None], None]]:
    """Yield a function that shows (done, total); total None: unknown.

    The bar appears with its first call: an error before it is printed without a bar. title: plain,
    such as a file name.
    """
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        amount,
        TimeRemainingColumn(),
    )
    progress = Progress(*columns, console=console(stderr=True))
    task = progress.add_task(visible(" ".join(title.split())), total=None)

    def show(done: int, total: int | None) -> None:
        progress.start()
        progress.update(task, completed=done, total=total)

    try:
        yield show
    finally:
        if progress.live.is_started:
            progress.stop()


class GroupedCommand(TyperCommand):
    """A command whose help shows many options in groups; those of one command alone come first."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options."""
        _write_parameters(self, ctx, formatter)


class ControlCommand(GroupedCommand):
    """The command `ctl`, whose help lists the commands of the running program."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands for the running program, then the options."""
        with formatter.section("Commands for the running program"):
            rows = []
            for name, syntax in SYNTAX.items():
                rows.append((f"{name} {syntax.usage}".strip(), syntax.description))
            formatter.write_dl(rows)
        super().format_options(ctx, formatter)


class GroupedProgram(TyperGroup):
    """The program or a group of commands, whose help lists the commands before the options."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write commands, then options."""
        with formatter.section("Commands"):
            shown = _summary if ctx.parent is None else inspect.cleandoc
            commands = self.commands.items()
            formatter.write_dl([(name, shown(command.help or "")) for name, command in commands])
        _write_parameters(self, ctx, formatter)


def _summary(text: str) -> str:
    """Return the first sentence up to a colon or semicolon, in one line."""
    return re.split(r"[.:;](?=\s|$)", " ".join(text.split()), maxsplit=1)[0] + "."


def _write_parameters(command: Any, context: Any, formatter: Any) -> None:
    parameters = command.get_params(context)
    sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
    for parameter in parameters:
        row = parameter.get_help_record(context)
        if row is None:
            continue
        title = "Options"
        if parameter.param_type_name == "argument":
            title = "Arguments"
        elif len(parameters) > 12 and parameter.rich_help_panel:  # few options need no groups
            title = parameter.rich_help_panel
        names, description = row
        without_types = re.sub(r" <.+?>", "", names)  # those of Python, such as <lambda>
        sections.setdefault(title, []).append((without_types, description))
    for title, rows in sections.items():
        if rows:
            with formatter.section(title):
                formatter.write_dl(rows)


def refusal(error: TyperException) -> str:
    """Return the sentence for an error of the parser, with what to do."""
    context = getattr(error, "ctx", None)
    parameter = getattr(error, "param", None)
    cause = error.__cause__
    if parameter is not None and isinstance(cause, ValidationError):
        first, problem = first_problem(cause)
        return f"{parameter.opts[0]}: “{first['input']}” is not possible: {problem}."
    message = error.format_message().rstrip(".")
    if message.endswith("?"):
        return message
    # Errors of an option's value do not know their command.
    words = context.command_path if context else f"{program_command()} [COMMAND]"
    return f"{message}; `{words} --help` shows the usage."
