"""The source of the program, as the rules read it."""

from __future__ import annotations

import ast
import functools
import sys
from pathlib import Path

from tests.paths import ROOT

PACKAGES = ("app", "models", "mattecam")
"""Top-level packages of the program."""
MODELS_MAY_IMPORT = {
    "models.weights": {"platformdirs", "safetensors"},
    "models.download": {"requests"},
    "models.checkpoint": {"safetensors"},
    "models.mattecam.bundled": {"safetensors"},
    "models.mattecam.quantized": {"safetensors"},
}


def _below(*folders: str) -> dict[str, Path]:
    """Return the modules in these folders, without tests, by their dotted names."""
    files = (path.relative_to(ROOT) for folder in folders for path in (ROOT / folder).rglob("*.py"))
    named = (
        (".".join(path.with_suffix("").parts), ROOT / path)
        for path in files
        if "tests" not in path.parts
    )
    return {name.removesuffix(".__init__"): path for name, path in named}


@functools.cache
def modules() -> dict[str, Path]:
    """Return every module of the program by its dotted name."""
    return {"run": ROOT / "run.py", **_below(*PACKAGES)}


@functools.cache
def everything() -> dict[str, Path]:
    """Return `modules`, and those of training (without its tests), benchmarks and tools."""
    return modules() | _below("training", "benchmarks", "tools")


@functools.cache
def tree(name: str) -> ast.Module:
    return ast.parse(everything()[name].read_text(encoding="utf-8"))


@functools.cache
def imports(name: str) -> frozenset[str]:
    """Return the dotted names that a module imports: `from a import b` gives `a.b`, and `a` if b is no module."""
    found = set()
    for node in nodes(name):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: relative import"
            assert node.module is not None
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in everything() else node.module)
    return frozenset(found)


def under(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def foreign(name: str) -> set[str]:
    """Return the top-level packages that a module imports from outside the standard library and the program."""
    tops = {imported.partition(".")[0] for imported in imports(name)}
    return tops - sys.stdlib_module_names - set(PACKAGES)


def in_package(*packages: str) -> list[str]:
    return [name for name in modules() if under(name, *packages)]


def naming(word: str) -> list[str]:
    """Return the modules of the program whose text contains a word; far faster than parsing all of them."""
    return [name for name, path in modules().items() if word in path.read_text(encoding="utf-8")]


def attributes(name: str) -> set[str]:
    """Return the names of all attributes that a module uses."""
    return {node.attr for node in nodes(name) if isinstance(node, ast.Attribute)}


@functools.cache
def nodes(name: str) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(tree(name)))


@functools.cache
def calls(name: str) -> tuple[ast.Call, ...]:
    return tuple(node for node in nodes(name) if isinstance(node, ast.Call))


def calls_of(function: str) -> list[tuple[str, ast.Call]]:
    """Return the calls of a function in the program, with the modules that call it."""
    return _called().get(function, [])


@functools.cache
def _called() -> dict[str, list[tuple[str, ast.Call]]]:
    found: dict[str, list[tuple[str, ast.Call]]] = {}
    for name in modules():
        for call in calls(name):
            if isinstance(call.func, ast.Name | ast.Attribute):
                found.setdefault(ast.unparse(call.func), []).append((name, call))
    return found
