"""Texts keep their message and values; errors and reports carry messages, each with the values of its template."""

from __future__ import annotations

import ast
import copy
import json
import pickle
import string
from pathlib import Path

import pytest

from app.core.errors import SinkError, Text, fill, t, text_of
from models.errors import WeightsError
from tests.architecture.source import calls, modules, nodes
from tools.make_translations import TAKE_TEMPLATES, templates


def test_a_text_is_its_english_sentence_and_keeps_its_parts() -> None:
    reason = Text("{count} bytes are missing", {"count": 3})
    file = Path("/x/{y}.png")
    text = Text(
        "{file} is damaged ({reason}); remove {file}.",
        {"file": file, "reason": reason},
    )
    assert text == f"{file} is damaged (3 bytes are missing); remove {file}."
    assert text.template.startswith("{file} is damaged (")
    assert text.values["reason"] is reason
    assert json.loads(json.dumps({"message": text})) == {"message": str(text)}
    listed = Text("Choose one of {names}.", {"names": ["a", reason]})
    assert listed == "Choose one of a, 3 bytes are missing."
    assert (
        fill(listed.template, listed.values, lambda value: value.upper())
        == "Choose one of A, 3 BYTES ARE MISSING."
    )


def test_a_copy_keeps_template_and_values() -> None:
    text = t("{name} (process {pid})", name="zoom", pid="12")
    for made in copy.copy(text), copy.deepcopy(text), pickle.loads(pickle.dumps(text)):
        assert isinstance(made, Text)
        assert (made, made.template) == ("zoom (process 12)", "{name} (process {pid})")
        assert made.values == {"name": "zoom", "pid": "12"}


def test_errors_tell_their_text() -> None:
    error = SinkError(t("it does not exist"))
    assert (str(error), text_of(error)) == ("it does not exist", "it does not exist")
    weights = Path("/w.pth")
    text = text_of(
        WeightsError(
            "The weights {path} are damaged⟦, see --weights⟧.",
            path=weights,
        )
    )
    assert isinstance(text, Text) and text == f"The weights {weights} are damaged, see --weights."


PROGRAM = [name for name in modules() if name.split(".")[0] in ("app", "models", "mattecam", "run")]
# What speaks to the command line or to programs alone: its own messages are English.
COMMAND_LINE = (
    "app.cli",
    "app.control",
    "app.doctor.fix",
    "app.offline",
    "app.core.process",
    "mattecam",
)


def called(call: ast.Call) -> str:
    """Return the last part of the name of what is called."""
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def error_classes(*bases: str) -> set[str]:
    """Return the names of these classes and of all classes derived from them."""
    classes = [node for name in PROGRAM for node in nodes(name) if isinstance(node, ast.ClassDef)]
    found = set(bases)
    while (
        more := {
            c.name
            for c in classes
            if any(isinstance(b, ast.Name) and b.id in found for b in c.bases)
        }
        - found
    ):
        found |= more
    return found


def is_plain(node: ast.expr) -> bool:
    """Return whether an expression is a str that was written or built in place."""
    if isinstance(node, ast.IfExp):
        return is_plain(node.body) or is_plain(node.orelse)
    built = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "str"
    written = isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value != ""
    return built or written or isinstance(node, ast.JoinedStr | ast.BinOp)


def test_errors_and_reports_carry_messages() -> None:
    errors = error_classes("MattecamError") - error_classes("UsageError")
    assert len(errors) > 15
    plain = []
    for name in PROGRAM:
        for call in calls(name):
            arguments = (
                call.args[:1]
                if called(call) in errors
                else call.args[1:2]
                if called(call) == "report"
                else []
            )
            plain += [f"{name}:{call.lineno}" for argument in arguments if is_plain(argument)]
    assert not [place for place in plain if not place.startswith(COMMAND_LINE)], (
        "use t() of app/core/errors"
    )
    assert all(any(place.startswith(each) for place in plain) for each in COMMAND_LINE), (
        "an exception that nothing needs"
    )


def sentences(node: ast.expr) -> list[str]:
    """Return the template that an expression writes in place, with or without `t`; both of a choice."""
    if isinstance(node, ast.IfExp):
        return sentences(node.body) + sentences(node.orelse)
    if isinstance(node, ast.Call) and called(node) == "t":
        return sentences(node.args[0])
    if isinstance(node, ast.JoinedStr):
        return [
            "".join(
                str(part.value) if isinstance(part, ast.Constant) else "{problem}"
                for part in node.values
            )
        ]
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def test_every_error_is_one_sentence() -> None:
    found = []
    # Its text is a part of another one's.
    errors = error_classes("MattecamError", "WeightsError") - {"BrokenFileError"}
    for name in PROGRAM:
        for call in calls(name):
            if call.args and called(call) in errors:
                found += sentences(call.args[0])
    # {problem} is another error, a sentence itself
    wrong = [
        text for text in found if text and (not text.endswith((".", "{problem}")) or "\n" in text)
    ]

    assert len(found) > 200
    assert not wrong


def test_every_message_gets_the_values_of_its_template() -> None:
    wrong = []
    for name in PROGRAM:
        for call in calls(name):
            given = {word.arg for word in call.keywords}
            first = call.args[0] if call.args else None
            if called(call) in TAKE_TEMPLATES and isinstance(first, ast.Constant):
                parsed = string.Formatter().parse(str(first.value))
                wanted = {name for _, name, _, _ in parsed if name is not None}
                # **values: not known here.
                if given != wanted and not (None in given and given - {None} <= wanted):
                    wrong.append(f"{name}:{call.lineno}")

    assert not wrong


@pytest.mark.parametrize(
    "call", ["t(template)", "t(f'{name} is gone.')", "partial(t, TEXTS[name])", "t('a' + b)"]
)
def test_a_template_that_no_translation_could_find_is_refused(call: str, tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text("t('found')\npartial(t, 'found {later}')\nother(t)\n")
    assert list(templates(path)) == ["found", "found {later}"]
    path.write_text(call)
    with pytest.raises(ValueError, match="needs a literal"):
        list(templates(path))
