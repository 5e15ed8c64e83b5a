"""Errors and reports carry messages, and every message gets the values that its template names."""

from __future__ import annotations

import ast
import string
from enum import Enum
from importlib import import_module
from pkgutil import iter_modules

from app.core import messages
from app.core.text import CommandLineMessage, Message
from models.faults import WeightsFault
from tests.architecture.source import calls, modules, nodes

PROGRAM = [name for name in modules() if name.split(".")[0] in ("app", "models", "run")]


def catalogues() -> dict[str, type[Enum]]:
    """Return every enumeration of messages by its name, which no two have."""
    paths = iter_modules(messages.__path__, f"{messages.__name__}.")
    candidates = {each for path in paths for each in vars(import_module(path.name)).values() if isinstance(each, type)}
    found: set[type[Enum]] = {each for each in candidates if issubclass(each, Message)} | {WeightsFault}
    named = {each.__name__: each for each in found - {Message, CommandLineMessage}}
    assert len(named) == len(found - {Message, CommandLineMessage}) > 5
    return named


def test_no_two_messages_of_an_enumeration_are_the_same() -> None:
    """The second would be another name of the first."""
    assert not [name for name, each in catalogues().items() if len(each) < len(each.__members__)]


def places(message: Enum) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(message.value) if name is not None}


def called(call: ast.Call) -> str:
    """Return the last part of the name of what is called."""
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def error_classes() -> set[str]:
    """Return the names of MattecamError, of WeightsError, and of all classes derived from them."""
    classes = [node for name in PROGRAM for node in nodes(name) if isinstance(node, ast.ClassDef)]
    found = {"MattecamError", "WeightsError"}
    while more := {c.name for c in classes if any(isinstance(b, ast.Name) and b.id in found for b in c.bases)} - found:
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
    errors = error_classes()
    assert len(errors) > 20
    plain = []
    for name in PROGRAM:
        for call in calls(name):
            name_called = called(call)
            arguments = call.args[:1] if name_called in errors else call.args[1:2] if name_called == "report" else []
            plain += [f"{name}:{call.lineno}" for argument in arguments if is_plain(argument)]
    assert not plain, "use a message of app/core/messages"


def messages_of(node: ast.expr, known: dict[str, type[Enum]]) -> list[Enum]:
    """Return the message that an expression is, with or without its values; both of a choice."""
    if isinstance(node, ast.IfExp):
        return messages_of(node.body, known) + messages_of(node.orelse, known)
    node = node.func if isinstance(node, ast.Call) else node
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in known:
        return [known[node.value.id][node.attr]]
    return []


def test_every_error_is_one_sentence() -> None:
    known, found, wrong = catalogues(), 0, set()
    errors = error_classes() - {"BrokenFileError"}  # its text is a part of another one's
    for name in PROGRAM:
        for call in calls(name):
            for message in messages_of(call.args[0], known) if call.args and called(call) in errors else []:
                found += 1
                # {problem} is another error, a sentence itself
                if not message.value.endswith((".", ": {problem}")) or "\n" in message.value:
                    wrong.add(message)
    assert found > 200
    assert not wrong


def test_every_message_gets_the_values_of_its_template() -> None:
    known = catalogues()
    wrong, used = [], set()
    for name in PROGRAM:
        for node in nodes(name):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in known:
                used.add((node.value.id, node.attr))
        for call in calls(name):
            raised = call.args[0] if call.args and call.keywords else None  # WeightsError(WeightsFault.X, file=...)
            for message in (call.func, raised):
                if isinstance(message, ast.Attribute) and isinstance(message.value, ast.Name):
                    catalogue = known.get(message.value.id)
                    given = {word.arg for word in call.keywords}
                    if catalogue is not None and given != places(catalogue[message.attr]):
                        wrong.append(f"{name}:{call.lineno}")
    assert not wrong
    unused = {(name, each.name) for name, catalogue in known.items() for each in catalogue} - used
    assert not unused, "delete messages that nothing uses"


def test_a_plain_text_is_noticed() -> None:
    expressions = ("'The camera is gone.'", "f'{name} is gone.'", "str(error)", "'a' + b", "X.A() if y else 'gone'")
    assert all(is_plain(ast.parse(text, mode="eval").body) for text in expressions)
    assert not any(is_plain(ast.parse(text, mode="eval").body) for text in ("X.A(b=1)", "error.text", "text_of(error)"))
