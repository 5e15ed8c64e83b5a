"""Rules for imports, checked in the source."""

from __future__ import annotations

import ast
import re

import pytest

from tests.architecture.source import (
    MODELS_MAY_IMPORT,
    PACKAGES,
    attributes,
    calls_of,
    foreign,
    imports,
    in_package,
    modules,
    nodes,
    under,
)
from tests.paths import ROOT

MAX_LINES = 600
SIBLINGS = ("app.capture", "app.matting", "app.compositing", "app.output")
MAY_PROBE_QT = {"app.system.display"}
"""Checks whether Qt can be loaded, before the window is imported."""
MAY_NAME_MODULES = {"app.system.environment", "app.core.files.paths"}
"""The first runs in a source tree alone; the second completes names."""
STANDARD_LIBRARY_ONLY = (
    "app",
    "app.system",
    "app.system.environment",
    "app.system.process",
    "app.system.start",
    "app.system.torch_build",
    "app.config",
    "app.core.files.lock",
    "app.core",
    "app.core.errors",
    "app.core.exit_codes",
    "app.core.text",
    "app.core.threads",
    "app.core.messages",
    "app.core.messages.command_line",
    "app.core.messages.system",
    "models",
    "models.faults",
)


def test_the_program_imports_nothing_that_the_wheel_lacks() -> None:
    beside = {path.parent.name for path in ROOT.glob("*/__init__.py")} - set(PACKAGES)
    assert {"training", "tests"} <= beside
    assert not [(name, foreign(name) & beside) for name in modules() if foreign(name) & beside]


def test_modules_are_named_in_imports_alone() -> None:
    """The wheel completes the names in import statements (setup.py); other names pass through `paths.module`."""
    names_a_module = re.compile(r"(app|models|service)(\.\w+)+(:\w+)?")
    named = [
        (name, node.value)
        for name in set(modules()) - MAY_NAME_MODULES
        for node in nodes(name)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and names_a_module.fullmatch(node.value)
    ]
    arguments = [call.args[0] for _, call in calls_of("paths.module")]
    through = [ast.literal_eval(argument) for argument in arguments if isinstance(argument, ast.Constant)]
    assert "app.gui.render_svg" in through
    assert sorted(value for _, value in named) == sorted(through), named


def test_there_is_something_to_check() -> None:
    assert {"run", "app.core.settings", "app.runtime.pipeline", "models.weights"} <= set(modules())
    assert "app.core.settings" in imports("app.config.settings_file")
    assert foreign("models.checkpoint") == {"torch", "safetensors"}


def test_models_know_torch_and_numpy_alone() -> None:
    for name in in_package("models"):
        assert foreign(name) <= {"torch", "numpy"} | MODELS_MAY_IMPORT.get(name, set()), name
        assert not [imported for imported in imports(name) if under(imported, "app", "training")], name


@pytest.mark.parametrize("sibling", SIBLINGS)
def test_siblings_do_not_know_each_other(sibling: str) -> None:
    others = [other for other in SIBLINGS if other != sibling]
    crossing = [(name, i) for name in in_package(sibling) for i in imports(name) if under(i, *others)]
    assert not crossing


def test_headless_does_not_need_the_window() -> None:
    with_qt = {name for name in modules() if "PyQt6" in foreign(name) and not under(name, "app.gui")}
    assert with_qt <= MAY_PROBE_QT
    assert not [i for i in imports("app.cli.headless") if under(i, "app.gui")]


def test_only_the_bridge_joins_window_and_pipeline() -> None:
    joining = {name for name in in_package("app.gui") if "app.runtime.pipeline" in imports(name)}
    assert joining <= {
        "app.gui.shell.application",
        "app.gui.state.bridge",
    }  # the application creates both and connects them


@pytest.mark.parametrize("name", STANDARD_LIBRARY_ONLY)
def test_the_start_needs_the_standard_library_alone(name: str) -> None:
    assert not foreign(name)
    assert not [i for i in imports(name) if i not in STANDARD_LIBRARY_ONLY and under(i, *PACKAGES)]


def test_the_program_runs_without_the_parts_for_tests() -> None:
    assert in_package("app.testing")
    outside = [name for name in modules() if not under(name, "app.testing", "mattecam.testing")]
    assert not [name for name in outside for imported in imports(name) if under(imported, "app.testing")]


def test_modules_are_short() -> None:
    lines = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in modules().items()}
    assert not {name: count for name, count in lines.items() if count > MAX_LINES}


def test_ioctls_are_called_in_one_module() -> None:
    calling = {name for name in modules() if "ioctl" in attributes(name)}
    assert calling == {"app.system.v4l2"}
