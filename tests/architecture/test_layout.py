"""The layout of `app/`: packages only, one direction of imports, small folders."""

from __future__ import annotations

from graphlib import TopologicalSorter
from pathlib import Path

from tests.architecture.source import everything, imports, in_package, modules, under
from tests.paths import ROOT

LAYERS = (
    ("models", "app.core"),
    ("app.config", "app.media"),
    ("app.matting", "app.people", "app.compositing", "app.system"),
    ("app.capture", "app.output", "app.offline", "app.privacy"),
    ("app.runtime", "app.doctor", "app.api", "app.testing"),
    ("app.control",),
    ("app.gui",),
    ("app.cli",),
    ("run", "mattecam"),
)
"""From the bottom up: a package imports from its own layer and from those below it."""
OUTSIDE = {"app"}
"""The version alone."""
MAX_MODULES = 24
MAX_ARROWS = 85
"""Pairs of packages of `app` and `models` of which one imports from the other."""


STILL_CYCLIC = [
    {"app.config", "app.media"},
    {"app.gui.backgrounds", "app.gui.dialogs", "app.gui.panels", "app.gui.preview", "app.gui.state", "app.gui.widgets"},
    {"benchmarks", "training"},
]
"""Packages that import each other; to become less."""


def _layer(name: str) -> int | None:
    return next((level for level, packages in enumerate(LAYERS) if under(name, *packages)), None)


def test_app_holds_packages_only() -> None:
    loose = [path.name for path in (ROOT / "app").glob("*.py") if path.name != "__init__.py"]
    assert not loose


def test_every_module_is_in_a_layer() -> None:
    assert not [name for name in modules() if _layer(name) is None and name not in OUTSIDE]


def test_no_module_imports_from_a_higher_layer() -> None:
    upward = [
        (name, imported)
        for name in modules()
        for imported in imports(name)
        if name not in OUTSIDE and imported in modules() and imported not in OUTSIDE
        if (_layer(imported) or 0) > (_layer(name) or 0)
    ]
    assert not upward


def test_few_packages_know_each_other() -> None:
    def package(name: str) -> str:
        return ".".join(name.split(".")[: 2 if under(name, "app") else 1])

    program = set(in_package("app", "models")) - OUTSIDE
    arrows = {(package(name), package(i)) for name in program for i in imports(name) if i in program}
    assert len({arrow for arrow in arrows if arrow[0] != arrow[1]}) <= MAX_ARROWS


def test_no_two_modules_import_each_other() -> None:
    edges = {name: {i for i in imports(name) if i in modules() and i != name} for name in modules()}
    TopologicalSorter(edges).prepare()  # the error names the cycle


def test_no_two_packages_import_each_other() -> None:
    """Folders beside each other, each with all that is in it; a package and its own sub-packages are one thing."""
    known = {package: " and ".join(sorted(cycle)) for cycle in STILL_CYCLIC for package in cycle}
    edges: dict[str, set[str]] = {}
    for name in everything():
        for imported in imports(name):
            if imported in everything():
                one, other = (known.get(branch, branch) for branch in _branches(name, imported))
                if one and other and one != other:
                    edges.setdefault(one, set()).add(other)
    TopologicalSorter(edges).prepare()  # the error names the cycle


def _branches(name: str, other: str) -> tuple[str, str]:
    """Return the folders that hold the modules, below the last folder that holds both; empty for loose modules."""
    one, two = (path.relative_to(ROOT).parent.parts for path in (everything()[name], everything()[other]))
    same = next((level for level, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two)))
    return ".".join(one[: same + 1]) if len(one) > same else "", ".".join(two[: same + 1]) if len(two) > same else ""


def test_what_surrounds_the_program_is_in_layers() -> None:
    """Nothing of the program imports these, a package imports from those after it, and nothing imports the tests."""
    order = ("benchmarks", "training", "tools")
    allowed = {name: set(order[index + 1 :]) for index, name in enumerate(order)}
    for package in (*order, "app", "models"):
        for name in (name for name in everything() if under(name, package)):
            tops = {imported.partition(".")[0] for imported in imports(name)} & {*order, "tests"}
            assert tops <= allowed.get(package, set()) | {package}, name


def test_folders_hold_few_modules() -> None:
    folders: dict[Path, int] = {}
    for path in modules().values():
        if path.name != "__init__.py":
            folders[path.parent] = folders.get(path.parent, 0) + 1
    assert not {folder: count for folder, count in folders.items() if count > MAX_MODULES}


def test_tools_benchmarks_and_training_parse_their_arguments() -> None:
    """`--help` was the name of a folder, or was ignored and the work began."""
    beside = {name: path.read_text(encoding="utf-8") for name, path in everything().items() if name not in modules()}
    started = {name for name, text in beside.items() if '\nif __name__ == "__main__":' in text}
    started.remove("benchmarks.in_use.child")  # reads its workload from standard input
    assert {name for name in started if not imports(name) & {"argparse", "typer"}} == set()
    assert len(started) > 30
