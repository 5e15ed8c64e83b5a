"""Rules of the source: layers, what each package may know, where networks are named, what must never be done."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

from models.program import NAME
from models.table import NETWORKS
from tests import linux
from tests.architecture.source import (
    MODELS_MAY_IMPORT,
    PACKAGES,
    attributes,
    calls,
    calls_of,
    everything,
    foreign,
    imports,
    in_package,
    modules,
    nodes,
    tree,
    under,
)
from tests.fresh_python import printed_by
from tests.paths import ROOT

MAX_LINES = 600
NAMES_THE_SCRIPT = {"models.program", "app.system.environment"}
"""Their strings may hold the name of run.py: the first says what starts this copy, the second belongs to run.py."""
SIBLINGS = ("app.capture", "app.matting", "app.backgrounds", "app.output")
MAY_PROBE_QT = {"app.doctor.display"}
"""Checks whether Qt can be loaded, before the window is imported."""
MAY_NAME_MODULES = {"app.system.environment", "app.core.paths"}
"""The first runs in a source tree alone; the second completes names."""
STANDARD_LIBRARY_ONLY = (
    "app",
    "app.system",
    "app.system.environment",
    "app.core.process",
    "app.config",
    "app.core.files",
    "app.core",
    "app.core.errors",
    "app.core.threads",
    "models",
    "models.errors",
)


def test_the_program_imports_nothing_that_the_wheel_lacks() -> None:
    beside = {path.parent.name for path in ROOT.glob("*/__init__.py")} - set(PACKAGES)
    assert {"training", "tests"} <= beside
    assert not [(name, foreign(name) & beside) for name in modules() if foreign(name) & beside]


def test_modules_are_named_in_imports_alone() -> None:
    """The wheel completes the names in import statements (setup.py); other names pass through `paths.module`."""
    for name in modules():
        whole = [node for node in nodes(name) if isinstance(node, ast.Import)]
        assert not [
            alias for node in whole for alias in node.names if under(alias.name, "app", "models")
        ], name
    names_a_module = re.compile(r"(app|models|service)(\.\w+)+(:\w+)?")
    named = [
        (name, node.value)
        for name in set(modules()) - MAY_NAME_MODULES
        for node in nodes(name)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and names_a_module.fullmatch(node.value)
    ]
    arguments = [call.args[0] for _, call in calls_of("paths.module")]
    through = [
        ast.literal_eval(argument) for argument in arguments if isinstance(argument, ast.Constant)
    ]
    assert "app.matting.choice.preparation" in through
    assert sorted(value for _, value in named) == sorted(through), named


def test_models_know_torch_and_numpy_alone() -> None:
    for name in in_package("models"):
        assert foreign(name) <= {"torch", "numpy"} | MODELS_MAY_IMPORT.get(name, set()), name
        assert not [imported for imported in imports(name) if under(imported, "app", "training")], (
            name
        )


def test_siblings_do_not_know_each_other() -> None:
    for sibling in SIBLINGS:
        others = set(SIBLINGS) - {sibling}
        assert not [
            (name, i) for name in in_package(sibling) for i in imports(name) if under(i, *others)
        ]


def test_headless_does_not_need_the_window() -> None:
    with_qt = {
        name for name in modules() if "PyQt6" in foreign(name) and not under(name, "app.gui")
    }
    assert with_qt <= MAY_PROBE_QT
    assert not [i for i in imports("app.cli.headless") if under(i, "app.gui")]


def test_only_the_bridge_joins_window_and_pipeline() -> None:
    joining = {name for name in in_package("app.gui") if "app.runtime.pipeline" in imports(name)}
    assert joining <= {"app.gui.application", "app.gui.bridge"}, (
        "the application creates both and connects them"
    )


def test_the_start_needs_the_standard_library_alone() -> None:
    for name in STANDARD_LIBRARY_ONLY:
        assert not foreign(name), name
        assert not [
            i for i in imports(name) if i not in STANDARD_LIBRARY_ONLY and under(i, *PACKAGES)
        ], name


def test_the_program_runs_without_the_parts_for_tests() -> None:
    assert "mattecam.testing" in modules()
    assert not [name for name in modules() if "mattecam.testing" in imports(name)]


def test_a_name_of_a_module_is_given_once() -> None:
    """Two modules that were joined had a constant in common: the PipeWire camera offered no size, and had no reader."""
    for module in everything():
        targets = [
            target
            for node in tree(module).body
            if isinstance(node, ast.Assign)
            for target in node.targets
        ]
        parts = [part for target in targets for part in getattr(target, "elts", [target])]
        names = Counter(part.id for part in parts if isinstance(part, ast.Name))
        assert not [name for name, count in names.items() if count > 1], module


def test_modules_are_short() -> None:
    lines = {
        name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in modules().items()
    }
    assert not {name: count for name, count in lines.items() if count > MAX_LINES}


LAYERS = (
    ("models", "app.core"),
    ("app.effects",),
    ("app.settings",),
    ("app.config", "app.media"),
    ("app.matting", "app.backgrounds", "app.system"),
    ("app.capture", "app.output", "app.offline", "app.privacy", "app.stream"),
    ("app.runtime", "app.doctor"),
    ("app.control",),
    ("app.gui",),
    ("app.cli",),
    ("run", "mattecam"),
    ("tools",),
    ("training",),
    ("benchmarks",),
    ("tests",),
)
"""From the bottom up: a package imports from its own layer and from those below it."""
OUTSIDE = {"app"}
"""The version alone."""
MAX_ARROWS = 65
"""Pairs of packages of `app` and `models` of which one imports from the other.

A module directly in `app` joins packages, as the API does; it is none.
"""


def _layer(name: str) -> int | None:
    return next((level for level, packages in enumerate(LAYERS) if under(name, *packages)), None)


def test_every_module_is_in_a_layer_and_imports_from_no_higher_one() -> None:
    levels = {name: _layer(name) for name in set(everything()) - OUTSIDE}
    assert None not in levels.values() and len(set(levels.values())) == len(LAYERS) - 1, (
        "all but the tests"
    )
    upward = [
        (name, i)
        for name, level in levels.items()
        for i in imports(name)
        if (_layer(i) or 0) > (level or 0)
    ]
    assert not upward


def test_few_packages_know_each_other() -> None:
    def package(name: str) -> str:
        return ".".join(name.split(".")[: 2 if under(name, "app") else 1])

    program = {
        name
        for name in in_package("app", "models")
        if len(name.split(".")) > 2 or name.startswith("models")
    }
    arrows = {
        (package(name), package(i)) for name in program for i in imports(name) if i in program
    }
    assert len({arrow for arrow in arrows if arrow[0] != arrow[1]}) <= MAX_ARROWS


def test_no_two_modules_import_each_other() -> None:
    edges = {name: {i for i in imports(name) if i in modules() and i != name} for name in modules()}
    TopologicalSorter(edges).prepare()  # the error names the cycle


def test_no_two_packages_import_each_other() -> None:
    """Folders beside each other, each with all that is in it; a package and its own sub-packages are one thing."""
    edges: dict[str, set[str]] = {}
    for name in everything():
        for one, other in (
            _branches(name, imported) for imported in imports(name) & everything().keys()
        ):
            if one and other and one != other:
                edges.setdefault(one, set()).add(other)
    TopologicalSorter(edges).prepare()  # the error names the cycle


def _branches(name: str, other: str) -> tuple[str, str]:
    """Return the folders that hold the modules, below the last folder that holds both; empty for loose modules."""
    one, two = (
        path.relative_to(ROOT).parent.parts for path in (everything()[name], everything()[other])
    )
    same = next(
        (level for level, (a, b) in enumerate(zip(one, two, strict=False)) if a != b),
        min(len(one), len(two)),
    )
    return ".".join(one[: same + 1]) if len(one) > same else "", ".".join(two[: same + 1]) if len(
        two
    ) > same else ""


def test_tools_benchmarks_and_training_parse_their_arguments() -> None:
    """`--help` was the name of a folder, or was ignored and the work began."""
    beside = {
        name: path.read_text(encoding="utf-8")
        for name, path in everything().items()
        if name not in modules()
    }
    started = {name for name, text in beside.items() if '\nif __name__ == "__main__":' in text}
    started.remove("benchmarks.in_use.child")  # reads its workload from standard input

    assert {name for name in started if not imports(name) & {"argparse", "typer"}} == set()
    assert len(started) > 30


FAMILIES = {spec.name.partition("-")[0].removesuffix("p") for spec in NETWORKS.values()}
NAMES = tuple({*NETWORKS, *FAMILIES} - {NAME})
"""Names that the program must not use; one network has the name of the program."""


def test_nothing_in_the_program_names_a_network() -> None:
    """But for docstrings, of whatever they describe."""
    for name in in_package("app"):
        bodies = [
            body for node in nodes(name) if isinstance(body := getattr(node, "body", None), list)
        ]
        ignored = {id(each.value) for body in bodies for each in body if isinstance(each, ast.Expr)}
        constants = (
            node
            for node in nodes(name)
            if isinstance(node, ast.Constant) and id(node) not in ignored
        )
        found = [
            each
            for each in constants
            if isinstance(each.value, str) and each.value.lower().startswith(NAMES)
        ]
        assert not found, f"{name}:{found[0].lineno}"


def test_the_table_needs_no_torch() -> None:
    code = "import sys, models.table, models.weights, app.settings; print('torch' in sys.modules)"
    assert printed_by(code) == "False\n"


def test_messages_name_the_command_by_one_function() -> None:
    """What an installed copy, or Windows, calls otherwise was written out in twenty messages."""
    found = []
    for name in modules():
        if name.split(".")[0] not in ("app", "models", "mattecam") or name in NAMES_THE_SCRIPT:
            continue
        documentation = {id(node.value) for node in nodes(name) if isinstance(node, ast.Expr)}
        for node in nodes(name):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and id(node) not in documentation
            ):
                found += [f"{name}:{node.lineno}"] if "run.py" in node.value else []

    assert not found, "use program_command() of models/program.py"


FORBIDDEN_CALLS = {
    "eval",
    "exec",
    "os.system",
    "os.popen",
    "subprocess.getoutput",
    "tempfile.mktemp",
    "torch.jit.load",
}
MAY_PICKLE = {"models.checkpoint"}
"""Its reader accepts tensors only; `tests/models/test_checkpoint.py` passes it hostile files."""
NO_PUBLISHED_HASH = {"bgmv2-resnet101", "u2net-human-seg"}
"""The first download is trusted and its hash recorded; weights are parsed as data in any case."""
CALLED_IN = {
    # who makes mattes: tests/matting/test_composite_bound.py and the contract of engines prove what they show
    "Matte": {"app.matting.cpu.cpu_backend", "app.matting.torch.torch_backend", "mattecam.testing"},
    # who decodes or writes media files: each is in the table of docs/security.md
    "av.open": {
        "app.media.container",
        "app.media.recording_writer",
        "app.media.video_writer",
        "app.output.microphones",
    },
    "Image.open": {"app.media.container", "app.media.image_file"},
    # The files of the program itself; `imread` knows no umlauts on Windows.
    "cv2.imdecode": {"app.capture.demo", "app.matting.choice.preparation"},
    "simplejpeg.decode_jpeg": {"app.media.jpeg", "app.media.jpeg_surplus"},
    "cv2.imread": set(),
    # who starts threads: these name them, carry their errors, and let none keep the process alive (`models` knows no
    # `app`)
    "threading.Thread": {"app.core.threads", "app.core.worker", "models.download"},
    # what nothing tells of, within a short limit: `poll_until`, and locks and open files of other programs
    "time.sleep": {"app.core.threads", "app.core.files", "app.control.program", "models.download"},
}
"""Functions that few modules may call."""


def enables(call: ast.Call, name: str) -> bool:
    """Whether a call has the argument `name=True`."""
    given = (argument.value for argument in call.keywords if argument.arg == name)
    return any(isinstance(value, ast.Constant) and value.value is True for value in given)


def test_nothing_runs_text_or_shells() -> None:
    assert not [found for function in FORBIDDEN_CALLS for found in calls_of(function)]
    for name, call in ((module, found) for module in modules() for found in calls(module)):
        assert not enables(call, "shell"), f"{name}:{call.lineno}: a shell"
        assert not enables(call, "allow_pickle"), f"{name}:{call.lineno}: a pickle"


def test_weights_are_read_as_data() -> None:
    loads = calls_of("torch.load")
    assert loads
    assert [name for name, call in loads if not enables(call, "weights_only")] == []
    assert {
        name for name in modules() if imports(name) & {"pickle", "marshal", "shelve", "dill"}
    } == MAY_PICKLE


def test_some_functions_are_called_in_few_places() -> None:
    assert {
        function: {name for name, _ in calls_of(function)} for function in CALLED_IN
    } == CALLED_IN
    assert [name for name in modules() if "ioctl" in attributes(name)] == ["app.system.v4l2"]


POSIX_MODULES = {"fcntl", "grp", "pty", "pwd", "resource", "termios"}
POSIX_SIGNALS = {
    "SIGALRM",
    "SIGCONT",
    "SIGHUP",
    "SIGKILL",
    "SIGPIPE",
    "SIGQUIT",
    "SIGSTOP",
    "SIGUSR1",
    "SIGUSR2",
}


def at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a module that an import of it runs: not the bodies of functions, nor its part as a program."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef):
            for decorator in child.decorator_list:
                yield decorator
                yield from at_import(decorator)
        elif not (
            isinstance(child, ast.If) and ast.unparse(child.test) == "__name__ == '__main__'"
        ):
            yield child
            yield from at_import(child)


def needs_posix(node: ast.AST) -> bool:
    if isinstance(node, ast.Import):
        return not POSIX_MODULES.isdisjoint(alias.name for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        return node.module in POSIX_MODULES
    return isinstance(node, ast.Attribute) and node.attr in POSIX_SIGNALS


def test_tests_are_collected_on_windows() -> None:
    """Those of recordings and of films were missing there: one module imported `resource`."""
    broken = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if any(needs_posix(node) for node in at_import(ast.parse(path.read_text(encoding="utf-8"))))
    ]

    assert broken == []


def linux_parts(path: Path) -> set[str]:
    """Return the modules of the program whose tests a test module leaves out on another system."""
    named = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        marker = ast.unparse(node.func)
        if marker == "pytest.mark.linux":
            named.add(ast.literal_eval(node.args[0]))
        elif marker == "pytest.mark.posix":
            named |= {ast.literal_eval(word.value) for word in node.keywords}
    return named


def test_only_tests_of_a_part_of_linux_are_left_out_elsewhere() -> None:
    """A mark that named any module would hide what other systems have, and nobody would count it."""
    left_out = {
        path: linux_parts(path)
        for path in (ROOT / "tests").rglob("test_*.py")
        if path != Path(__file__)
    }
    text = {path: path.read_text(encoding="utf-8") for path in left_out}

    assert set().union(*left_out.values(), linux.FIXTURES.values()) == linux.PARTS
    assert everything().keys() >= linux.PARTS
    for path, parts in left_out.items():
        for part in parts:
            package, _, module = part.rpartition(".")
            imported = rf"^from {part}\b|^from {package} import .*\b{module}\b"
            assert re.search(imported, text[path], re.MULTILINE), f"{path} tests no {part}"


CONNECTING = {
    "create_server",
    "create_connection",
    "create_datagram_endpoint",
    "start_server",
    "open_connection",
}
"""Functions of `socket` and of the event loops of `asyncio` that open a socket of the network."""


def test_nothing_listens_on_the_network() -> None:
    """The control socket is a file of this user, on Windows a named pipe."""
    families = {
        ast.unparse(argument) for _, call in calls_of("socket.socket") for argument in call.args[:1]
    }
    families |= {ast.unparse(call.args[1]) for _, call in calls_of("socket.fromfd")}
    assert families == {"socket.AF_UNIX"}
    servers = {"socketserver", "http.server", "xmlrpc.server"}
    assert not [name for name in modules() if imports(name) & servers]
    assert not [name for name in modules() if attributes(name) & CONNECTING]
    assert {name for name in modules() if "asyncio" in imports(name)} == {
        "app.control.changes",
        "app.control.server",
    }


def test_downloads_are_encrypted_and_pinned() -> None:
    there = [spec.weights for spec in NETWORKS.values() if spec.weights.url is not None]
    assert there and all(str(spec.url).startswith("https://") for spec in there)
    assert {spec.name for spec in there if spec.sha256 is None} == NO_PUBLISHED_HASH
    assert all(len(spec.sha256) == 64 for spec in there if spec.sha256 is not None)
