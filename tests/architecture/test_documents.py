"""Documents name only what exists, and their tables are those of the declarations."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from importlib import util
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from app.cli.main import app as program
from app.control.commands import SYNTAX, find_settable
from tests.paths import ROOT
from tools.settings_table import pages

TOP = ("README.md", "CONTRIBUTING.md", "SECURITY.md")
FOLDERS = ("docs", "models", "app")
DOCUMENTS = [
    *(ROOT / name for name in TOP),
    *sorted(page for name in FOLDERS for page in (ROOT / name).rglob("*.md")),
]
OURS = r"(?:app|models|mattecam|tests|training|device_bed|benchmarks|tools|examples|docs|\.ci)"
each_document = pytest.mark.parametrize(
    "page", DOCUMENTS, ids=lambda page: page.relative_to(ROOT).as_posix()
)


def commands(text: str) -> Iterator[list[str]]:
    """The words of each command of the program that a document names, in code blocks and in backticks."""
    for line in re.findall(r"^    python3 run\.py(.*)$", text, re.MULTILINE):
        yield shlex.split(line.split(" #")[0])
    for inline in re.findall(r"`python3 run\.py([^`]*)`", text):
        yield shlex.split(inline)


def slug(heading: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


@pytest.mark.parametrize(
    "page", [*DOCUMENTS, ROOT / "CHANGELOG.md"], ids=lambda page: page.relative_to(ROOT).as_posix()
)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith(("http", "mailto:")):
            continue
        file, _, anchor = target.partition("#")
        linked = (page.parent / file).resolve() if file else page
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {slug(heading) for heading in headings}, target


@pytest.mark.torch
@each_document
def test_paths_and_modules_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for name in re.findall(rf"`({OURS}/[\w./*-]+)`", text):
        assert list(ROOT.glob(name.rstrip("/"))), name
    for name in re.findall(r"python3? -m ((?:app|models|training|benchmarks|tools)[\w.]*)", text):
        assert util.find_spec(name) is not None, name


def test_every_command_is_in_the_manual_page() -> None:
    manual = (ROOT / "deploy/desktop/mattecam.1.in").read_text(encoding="utf-8")
    top = get_command(program)

    assert isinstance(top, TyperGroup)
    assert [
        name for name in top.commands if not re.search(rf"^\.BI? {name}\b", manual, re.MULTILINE)
    ] == []


@each_document
def test_commands_and_options_exist(page: Path) -> None:
    top = get_command(program)
    for words in commands(page.read_text(encoding="utf-8")):
        command = top
        if words[:1] == ["test"]:
            continue
        for word in words:
            if isinstance(command, TyperGroup) and word in command.commands:
                command = command.commands[word]
            elif re.fullmatch(r"--[a-z][a-z-]*", word):
                known = {
                    name
                    for option in command.params
                    for name in [*option.opts, *option.secondary_opts]
                }
                if words[0] == "ctl" and words[1] in SYNTAX:
                    known |= set(re.findall(r"--[a-z-]+", SYNTAX[words[1]].usage))
                assert word in known | {"--help"}, " ".join(words)
            elif (
                isinstance(command, TyperGroup) and re.fullmatch(r"[a-z]+", word) and command is top
            ):
                pytest.fail(f"no command {word!r}")


@each_document
def test_commands_can_be_pasted(page: Path) -> None:
    """`run.py headless` is no command of any shell."""
    text = page.read_text(encoding="utf-8")
    assert re.findall(r"(?<!python3 )(?<!\bpy )\brun\.py [\w-]\S*", text) == []
    blocks = re.findall(r"^ {4}.*", text, re.MULTILINE)
    assert [line for line in blocks if line.count("run.py ") > 1] == [], "a line holds one command"


@each_document
def test_commands_for_the_running_program_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = [words[1:] for words in commands(text) if words[:1] == ["ctl"] and words[1:]]
    for name, *argument in [
        *named,
        *(shlex.split(inline) for inline in re.findall(r"`ctl ([^`]+)`", text)),
    ]:
        if name.startswith("--") or name.isupper() or name == "…":
            continue
        assert name in SYNTAX, name
        if name in ("set", "get", "reset") and argument and not argument[0].isupper():
            assert find_settable(argument[0]), argument[0]


@pytest.mark.parametrize("page", ["settings.md", "command-line.md"])
def test_tables_are_those_of_the_declarations(page: str) -> None:
    path = ROOT / "docs" / page
    assert path.read_text("utf-8") == pages()[path], "run python -m tools.settings_table"
