"""Write `docs/settings.md` and the tables of `docs/command-line.md`: `python -m
tools.settings_table`.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from typer.core import TyperGroup
from typer.main import get_command

from app.cli.main import app as program
from app.config.setting import SHARED, Setting
from app.control.commands import SETTABLE, SYNTAX

DOCS = Path(__file__).resolve().parents[1] / "docs"
SETTINGS_HEAD = """# All settings

`python3 run.py ctl set NAME VALUE` changes a setting, and the file that `--config` names holds it. This table is made
from the declarations in `app/core/settings.py` and beside it (`python -m tools.settings_table`).

"""
COMMAND = "python3 run.py"
"""As the documents write it; on Windows it is `py run.py`, and an installed copy has another one.
"""
MARK = "## Tables"
"""The heading in `docs/command-line.md` from which on the page is made."""


def pages() -> dict[Path, str]:
    """Return the text of each page with tables."""
    command_line = DOCS / "command-line.md"
    written = command_line.read_text("utf-8").partition(f"\n{MARK}\n")[0]
    return {
        DOCS / "settings.md": SETTINGS_HEAD + settings(),
        command_line: f"{written}\n{MARK}\n\n{commands()}",
    }


def settings() -> str:
    """Return the table of settings."""
    return _table(
        ("name", "values", "default", "option", "what it does"), map(_setting, SETTABLE.values())
    )


def commands() -> str:
    """Return the tables of commands, of options that are no settings, and of the commands of `ctl`."""
    told = {
        name
        for setting in SETTABLE.values()
        if setting.option not in SHARED
        for name in setting.option.split("/")
    }
    known = {"--help", *told}
    top = get_command(program)
    rows: dict[tuple[str, str], list[str]] = {}
    names: list[tuple[str, str]] = []
    for name, command in _commands(top):
        arguments = []
        for parameter in command.get_params(
            command.make_context("mattecam", [], resilient_parsing=True)
        ):
            word, does = parameter.get_help_record(command.context_class(command)) or ("", "")
            if parameter.param_type_name == "argument":
                arguments.append(re.sub(r" <.+?>|[{}]", "", word))
            elif word and not known.intersection(parameter.opts):
                rows.setdefault((_code(word), does), []).append(name or "window")
        names.append(
            (_code(" ".join((COMMAND, name, *arguments)).strip()), _sentence(command.help))
        )
    options = ((option, ", ".join(of), does) for (option, does), of in rows.items())
    verbs = (
        (_code(f"{name} {syntax.usage}".strip()), syntax.description)
        for name, syntax in SYNTAX.items()
    )
    return "\n".join(
        (
            "These are made from the declarations in the program (`python -m "
            "tools.settings_table`).\n",
            "### Commands\n",
            _table(("command", "what it does"), names),
            "### Options\n",
            "Options that set a setting are in [all settings](settings.md); these are the others.\n",
            _table(("option", "of", "what it does"), options),
            "### Commands of `ctl`\n",
            _table((f"`{COMMAND} ctl` …", "what it does"), verbs),
        )
    )


def _commands(group: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield name and command of the program itself and of each command, those of a group in its
    place.
    """
    if not above:
        yield "", group
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from _commands(command, f"{name} ")
        else:
            yield above + name, command


def _setting(setting: Setting) -> tuple[str, ...]:
    default, option = setting.text(setting.default), setting.option.replace("/", "`, `")
    cells = (
        _code(setting.name),
        _code(setting.values),
        _code(default),
        f"`{option}`" if option else "",
    )
    return (*cells, setting.description)


def _code(text: str) -> str:
    return f"`{text.replace('`', '')}`".replace("|", r"\|") if text else ""


def _sentence(text: str) -> str:
    """Return the first sentence in one line."""
    return re.split(r"(?<=\.)\s", " ".join(text.split()), maxsplit=1)[0]


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (
        head,
        ("---",) * len(head),
        *(tuple(" ".join(cell.split()) for cell in row) for row in rows),
    )
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    for page, text in pages().items():
        page.write_text(text, "utf-8")
