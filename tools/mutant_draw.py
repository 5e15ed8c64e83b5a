"""Small faults in the program, drawn with a fixed seed for `tools.mutants`."""

from __future__ import annotations

import ast
import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PACKAGES = ("runtime", "matting", "output", "capture", "control", "effects")
SEED, COUNT = 43, 80
TURNED: dict[type, ast.cmpop | ast.operator | ast.boolop] = {
    ast.Lt: ast.GtE(),
    ast.GtE: ast.Lt(),
    ast.Gt: ast.LtE(),
    ast.LtE: ast.Gt(),
    ast.Eq: ast.NotEq(),
    ast.NotEq: ast.Eq(),
    ast.Is: ast.IsNot(),
    ast.IsNot: ast.Is(),
    ast.In: ast.NotIn(),
    ast.NotIn: ast.In(),
    ast.And: ast.Or(),
    ast.Or: ast.And(),
    ast.Add: ast.Sub(),
    ast.Sub: ast.Add(),
}


def mutants(package: str) -> Iterator[dict[str, Any]]:
    """Yield every mutant of the package: its kind, file, span of lines, and these lines before and
    after.
    """
    for path in sorted(Path("app", package).rglob("*.py")):
        lines = path.read_bytes().splitlines(keepends=True)
        for node, statement in _nodes(ast.parse(path.read_bytes())):
            for kind, new in _changes(node):
                assert (
                    isinstance(node, ast.expr | ast.stmt)
                    and node.end_lineno
                    and node.end_col_offset
                )
                first, last = node.lineno, node.end_lineno
                before = b"".join(lines[first - 1 : last])
                head, tail = (
                    lines[first - 1][: node.col_offset],
                    lines[last - 1][node.end_col_offset :],
                )
                yield {
                    "kind": kind,
                    "file": str(path),
                    "lines": sorted({statement.lineno, *range(first, last + 1)}),
                    "before": before.decode(),
                    "after": (head + new.encode() + tail).decode(),
                }


def _nodes(
    parent: ast.AST, statement: ast.stmt | None = None
) -> Iterator[tuple[ast.AST, ast.stmt]]:
    for name, value in ast.iter_fields(parent):
        for node in value if isinstance(value, list) else [value]:
            if (
                name in ("annotation", "returns")
                or not isinstance(node, ast.AST)
                or isinstance(node, ast.JoinedStr)
            ):
                continue  # types change nothing; parts of f-strings have no position
            own = node if isinstance(node, ast.stmt) else statement
            if own:
                yield node, own
            yield from _nodes(node, own)


def _changes(node: ast.AST) -> Iterator[tuple[str, str]]:
    match node:
        case ast.Compare(left=left, ops=[op], comparators=right):
            yield "comparison", f"({ast.unparse(ast.Compare(left, [TURNED[type(op)]], right))})"  # type: ignore[list-item]
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            yield "constant", f"({ast.unparse(node)} + 1)"
            yield "constant", f"({ast.unparse(node)} - 1)"
        case ast.BoolOp():
            yield "and/or", f"({ast.unparse(ast.BoolOp(TURNED[type(node.op)], node.values))})"  # type: ignore[arg-type]
        case ast.UnaryOp(op=ast.Not()):
            yield "not", f"({ast.unparse(node.operand)})"
        case ast.Return(value=ast.expr()) if ast.unparse(node.value or node) != "None":
            yield "return", "return None"
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            yield "+/-", f"({ast.unparse(ast.BinOp(node.left, TURNED[type(node.op)], node.right))})"  # type: ignore[arg-type]
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Assign(targets=[ast.Attribute()]):
            if ".debug(" not in ast.unparse(node):
                yield "statement", "pass"


def drawn() -> list[dict[str, Any]]:
    """Return the mutants of the seed, as many of each kind and each package."""
    chance, chosen = random.Random(SEED), list[dict[str, Any]]()
    stock: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for package in PACKAGES:
        for mutant in mutants(package):
            stock[package, mutant["kind"]].append(mutant)
    kinds = sorted({kind for _, kind in stock})
    while len(chosen) < COUNT:
        package, kind = PACKAGES[len(chosen) % len(PACKAGES)], chance.choice(kinds)
        if some := stock[package, kind]:
            chosen.append(some.pop(chance.randrange(len(some))))
    return chosen
