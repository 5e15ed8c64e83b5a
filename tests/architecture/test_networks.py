"""Networks are named in their own folders and in the table, and nowhere in `app/`."""

from __future__ import annotations

import ast

import pytest

from app.core.files.paths import NAME
from models.table import NETWORKS
from tests.architecture.source import in_package, nodes, tree
from tests.fresh_python import printed_by
from tests.paths import ROOT

FAMILIES = {path.parent.name for path in (ROOT / "models").glob("*/spec.py")}
"""Folders of networks."""
NAMES = tuple({*NETWORKS, *FAMILIES} - {NAME})
"""Names that the program must not use; one network has the name of the program."""


def named(text: str) -> bool:
    """Whether a string is, or begins with, the name of a network or of a family of networks."""
    return text.lower().startswith(NAMES)


def docstrings(module: ast.Module) -> set[int]:
    """Identities of the constants that are docstrings of anything in the module."""
    bodies = [node.body for node in ast.walk(module) if hasattr(node, "body") and isinstance(node.body, list)]
    expressions = [statement.value for body in bodies for statement in body if isinstance(statement, ast.Expr)]
    return {id(value) for value in expressions if isinstance(value, ast.Constant)}


def test_every_family_is_in_the_table() -> None:
    assert {spec.name.partition("-")[0].removesuffix("p") for spec in NETWORKS.values()} == FAMILIES


def test_nothing_in_the_program_names_a_network() -> None:
    found = []
    for name in in_package("app"):
        module = tree(name)
        ignored = docstrings(module)
        found += [
            f"{name}:{node.lineno}: {node.value!r}"
            for node in nodes(name)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in ignored
            if named(node.value)
        ]
    assert not found


@pytest.mark.parametrize("module", ["models.table", "models.weights", "app.core.settings"])
def test_the_table_needs_no_torch(module: str) -> None:
    assert printed_by(f"import sys, {module}; print('torch' in sys.modules)") == "False\n"
