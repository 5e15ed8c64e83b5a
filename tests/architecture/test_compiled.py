"""Everything that numba compiles is compiled by the preparation, and nothing while frames are processed."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

from numba.core.dispatcher import Dispatcher

from app.matting.choice.trials import KERNELS
from tests.architecture.source import modules
from tests.fresh_python import printed_by

CAN_COMPILE = "_can_compile"
"""Of a dispatcher; numba has no public name for it."""
DECORATING = ("app.core.compiling import", "app.matting.kernels import")


def compiling() -> dict[str, Path]:
    """Return the modules with functions that numba compiles."""
    return {
        name: path
        for name, path in modules().items()
        if any(words in path.read_text("utf-8") for words in DECORATING)
    }


def functions(name: str) -> dict[str, Dispatcher]:
    """Return the functions of a module that numba compiles, by name."""
    found = vars(importlib.import_module(name)).items()
    return {key: function for key, function in found if isinstance(function, Dispatcher)}


def ahead(function: Dispatcher) -> bool:
    """Return whether a function was compiled with its definition, and is not compiled again for other types."""
    return bool(function.signatures) and not getattr(function, CAN_COMPILE)


def test_the_preparation_compiles_every_function_that_python_calls() -> None:
    prepared = {function for name in KERNELS for function in functions(name).values()}
    wanted = {
        function for name in compiling() for function in functions(name).values() if ahead(function)
    }

    assert len(wanted) > 10 and not [str(function) for function in wanted - prepared]


def test_other_modules_use_only_functions_that_were_compiled_ahead() -> None:
    own = compiling()
    lazy = {
        (name, key)
        for name in own
        for key, function in functions(name).items()
        if not ahead(function)
    }
    used = {
        (node.module, alias.name)
        for name, path in modules().items()
        if name not in own and any(each in (text := path.read_text("utf-8")) for each in own)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    kernels = "app.matting.kernels.composite"

    assert (kernels, "_mix") in lazy and (kernels, "paste_cells") in used and not lazy & used


def test_a_run_opens_its_outputs_before_anything_is_compiled_and_drivers_are_imported() -> None:
    """The window and the outputs of a first start waited for the kernels that convert colours."""
    code = (
        "import sys; from app.runtime.context import default_parts; from app.runtime.pipeline import Pipeline; "
        "from app.settings import Settings; import app.cli.headless; Pipeline(Settings(), parts=default_parts()); "
        "print(*sys.modules)"
    )
    assert not {*KERNELS, "pyvirtualcam", "torch"} & set(printed_by(code).split())
