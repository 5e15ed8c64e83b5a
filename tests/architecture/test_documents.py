"""Documents name only what exists: files, modules, commands, options, links."""

from __future__ import annotations

import pkgutil
import re
import shlex
from collections.abc import Iterator
from importlib import import_module, util
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.core import TyperGroup
from typer.main import get_command

import app.core.messages
from app.cli.main import app as program
from app.control.commands import SYNTAX
from app.control.names import find_settable
from app.core.text import Message
from tests.architecture.source import MODELS_MAY_IMPORT
from tests.paths import ROOT

TOP = ("README.md", "CONTRIBUTING.md", "SECURITY.md")
FOLDERS = ("docs", "models", "app")
DOCUMENTS = [*(ROOT / name for name in TOP), *sorted(page for name in FOLDERS for page in (ROOT / name).rglob("*.md"))]
SPEAK_OF_THE_WINDOW = (
    "README.md",
    *(f"docs/{name}.md" for name in ("features", "films", "licences", "packages", "security", "troubleshooting")),
)
"""Documents in which italics that begin with a capital are texts of the window."""
NOT_OURS = {"Purge", "Key was rejected by service", "Module v4l2loopback is in use"}
"""Words and messages of other programs."""
OURS = r"(?:app|models|mattecam|tests|training|benchmarks|tools|docs|\.ci)"
each_document = pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: page.relative_to(ROOT).as_posix())


def commands(text: str) -> Iterator[list[str]]:
    """The words of each command of the program that a document names, in code blocks and in backticks."""
    for line in re.findall(r"^    (?:python3 )?run\.py(.*)$", text, re.MULTILINE):
        for part in [] if "→" in line else re.split(r"\s{4,}run\.py", line.split(" #")[0]):
            yield shlex.split(part)
    for inline in re.findall(r"`(?:python3 )?run\.py([^`]*)`", text):
        yield shlex.split(inline)


def slug(heading: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def test_there_is_something_to_check() -> None:
    found = list(commands((ROOT / "README.md").read_text(encoding="utf-8")))
    assert ["doctor", "--fix"] in found
    assert any(words[:1] == ["convert"] and "--alpha" in words for words in found)


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


@each_document
def test_paths_exist(page: Path) -> None:
    for name in re.findall(rf"`({OURS}/[\w./*-]+)`", page.read_text(encoding="utf-8")):
        assert list(ROOT.glob(name.rstrip("/"))), name


@pytest.mark.torch
@each_document
def test_modules_exist(page: Path) -> None:
    for name in re.findall(r"python3? -m ((?:app|models|training|benchmarks|tools)[\w.]*)", page.read_text("utf-8")):
        assert util.find_spec(name) is not None, name


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
                known = {name for option in command.params for name in [*option.opts, *option.secondary_opts]}
                assert word in known | {"--help"}, " ".join(words)
            elif isinstance(command, TyperGroup) and re.fullmatch(r"[a-z]+", word) and command is top:
                pytest.fail(f"no command {word!r}")


@each_document
def test_commands_for_the_running_program_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = [words[1:] for words in commands(text) if words[:1] == ["ctl"] and words[1:]]
    for name, *argument in [*named, *(shlex.split(inline) for inline in re.findall(r"`ctl ([^`]+)`", text))]:
        if name.startswith("--") or name.isupper() or name == "…":
            continue
        assert name in SYNTAX, name
        if name in ("set", "get", "reset") and argument and not argument[0].isupper():
            assert find_settable(argument[0]), argument[0]


@pytest.mark.parametrize("name", SPEAK_OF_THE_WINDOW)
def test_texts_of_the_window_exist(name: str) -> None:
    sources = ElementTree.parse(ROOT / "app/gui/translations/mattecam_de.ts").iter("source")
    texts = {re.sub("&(?!&)", "", source.text or "").rstrip(".…") for source in sources} | NOT_OURS
    prose = re.sub(r"```.*?```|`[^`]*`|\*\*", "", (ROOT / name).read_text(encoding="utf-8"), flags=re.DOTALL)
    for italics in re.findall(r"(?<!\w)\*([A-Z][^*]*)\*(?!\w)", prose):
        for part in " ".join(italics.split()).split(" › "):
            assert part.rstrip(".…") in texts, part


def test_messages_in_the_troubleshooting_exist() -> None:
    modules = [
        import_module(f"app.core.messages.{each.name}") for each in pkgutil.iter_modules(app.core.messages.__path__)
    ]
    kinds = [kind for module in modules for kind in vars(module).values() if isinstance(kind, type)]
    messages = [str(message.value) for kind in kinds if issubclass(kind, Message) for message in kind]
    shown = [re.sub(r"{\w+}", "…", message) for message in messages]
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    quoted = re.findall(r"“([^”]+)”", "".join(re.findall(r"^\|([^|]+)\|", page, re.MULTILINE)))
    assert quoted
    assert [each for each in quoted if each not in NOT_OURS and not any(each in message for message in shown)] == []


def test_commands_are_in_the_manual_page_and_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    manual = (ROOT / "deploy/desktop/mattecam.1.in").read_text(encoding="utf-8")
    top = get_command(program)
    assert isinstance(top, TyperGroup)
    assert [name for name in top.commands if f"| `run.py {name}" not in readme] == []
    assert [name for name in top.commands if not re.search(rf"^\.BI? {name}\b", manual, re.MULTILINE)] == []


def test_architecture_names_what_models_import() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for module, packages in MODELS_MAY_IMPORT.items():
        assert f"`{module.replace('.', '/')}.py`" in page
        assert all(package in page for package in packages)


def test_the_python_example_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    short = example.replace("range(30)", "range(2)").replace("1280", "192").replace("720", "144")
    exec(short, {})
    assert capsys.readouterr().out.splitlines()[-1].startswith("1 ")
