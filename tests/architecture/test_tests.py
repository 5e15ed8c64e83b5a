"""Rules for the tests themselves."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.paths import ROOT

TESTS = (ROOT / "tests",)
AREAS = sorted({path.parent for tests in TESTS for path in tests.rglob("test_*.py")} - {ROOT / "tests" / "vm"})
"""Folders of tests; that of the test bed needs real devices."""
LEFT_OUT = re.compile(r"mark\.(long|slow|gpu)\b")


def modules(folder: Path) -> list[ast.Module]:
    return [ast.parse(path.read_text(encoding="utf-8")) for path in folder.glob("test_*.py")]


def is_left_out(module: ast.Module) -> bool:
    """Whether `pytestmark` keeps the module out of the first tier."""
    return any(
        LEFT_OUT.search(ast.unparse(node.value))
        for node in module.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"
    )


def first_tier(module: ast.Module) -> list[str]:
    """Return the names of the tests that `run.py test` runs without `--all`."""
    return [
        node.name
        for node in module.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not is_left_out(module)
        if not any(LEFT_OUT.search(ast.unparse(decorator)) for decorator in node.decorator_list)
    ]


@pytest.mark.parametrize("area", AREAS, ids=lambda area: str(area.relative_to(ROOT)))
def test_every_area_has_tests_in_the_first_tier(area: Path) -> None:
    assert any(first_tier(module) for module in modules(area))


def test_what_tests_share_is_in_helper_modules() -> None:
    imported = [
        (str(path.relative_to(ROOT)), line)
        for tests in TESTS
        for path in tests.rglob("*.py")
        for line in re.findall(r"^\s*(?:from|import) [\w.]*\btest_.*", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert not imported
