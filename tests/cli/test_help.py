"""What the command line says of itself: version, commands, options in groups."""

from __future__ import annotations

import re

import pytest

from app import __version__
from app.cli import main
from app.cli.options import GROUPS
from app.control.commands import SYNTAX
from tests.fresh_python import printed_by


def helped(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main.main([*words, "--help"]) == 0
    output = capsys.readouterr()
    assert output.err == ""
    return output.out


@pytest.mark.parametrize("word", ["--version", "version"])
def test_the_version(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([word]) == 0
    assert capsys.readouterr().out == f"{__version__}\n"


def test_the_help_has_commands_first_and_options_in_groups(capsys: pytest.CaptureFixture[str]) -> None:
    lines = helped(capsys).splitlines()
    titles = [line for line in lines if line.endswith(":") and not line.startswith((" ", "Usage"))]
    assert titles[0] == "Commands:"
    assert [title for title in titles if title[:-1] in GROUPS] == [f"{title}:" for title in GROUPS]
    commands = lines[lines.index("Commands:") + 1 : lines.index(titles[1])]
    named = {line.split()[0] for line in commands if line.startswith("  ") and line[2] != " "}
    assert named >= {"headless", "convert", "ctl", "doctor", "weights"}


@pytest.mark.parametrize("group", ["weights"])
def test_the_help_of_a_group_cuts_no_sentence(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "..." not in helped(capsys, group).partition("Commands:")[2]


@pytest.mark.parametrize("command", [*(each.name for each in main.app.registered_commands), "weights download"])
def test_values_are_shown_as_words_of_the_user(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Not as types of Python, such as `<float range>` and `<list[str]>`."""
    assert not re.search(r"<[a-z]|\.\.\.\S*\.\.\.", helped(capsys, *command.split()))


def test_the_help_of_ctl_lists_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    lines = helped(capsys, "ctl").splitlines()
    begin = lines.index("Commands for the running program:")
    named = {line.split()[0] for line in lines[begin + 1 :] if line.startswith("  ") and line[2] != " "}
    assert named >= set(SYNTAX)
    assert all(syntax.description.endswith(".") for syntax in SYNTAX.values())


def test_a_command_starts_without_what_only_others_need() -> None:
    """`ctl`, which keys of the desktop start, loaded FFmpeg and the choice of networks."""
    loaded = printed_by("import sys, app.cli.main; print(*sys.modules)").split()
    assert not {"app.matting", "av", "openvino", "torch"} & set(loaded)
