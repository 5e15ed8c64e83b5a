"""`run.py` starts from any folder, and explains itself to an older Python."""

from __future__ import annotations

import ast
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import run
from app.doctor import display
from app.system import environment
from app.system.isolation import isolated
from tests.paths import ROOT
from tests.stand_ins import always, forbidden
from tests.waiting import eventually


def test_an_older_python_gets_one_sentence() -> None:
    source = (ROOT / "run.py").read_text()
    ast.parse(source, feature_version=(3, 7))
    code = f"import sys; sys.version_info = (3, 9, 1); exec(compile({source!r}, 'run.py', 'exec'))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)

    assert done.returncode == 1
    assert re.fullmatch(r"Mattecam needs Python 3\.10 or newer; this is .*\n", done.stderr)


SIGNALLED = """
import os, runpy, signal, sys
sys.path.insert(0, "")
class Signals:
    def find_spec(self, name, *_):
        if name == "app.cli.main":
            os.kill(os.getpid(), getattr(signal, sys.argv[1]))
sys.meta_path.insert(0, Signals())
{run}
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no such signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize(
    "start",
    [
        "runpy.run_path('run.py', run_name='__main__')",
        "runpy.run_module('mattecam', run_name='__main__')",
    ],
)
def test_a_signal_before_the_command_line_is_there_ends_the_process_as_later(
    start: str, name: str
) -> None:
    """SIGTERM and SIGHUP killed it; Ctrl+C in the first second of the installed command printed a traceback."""
    if not environment.installed(ROOT / "requirements.txt"):
        pytest.skip("run.py would prepare an environment of its own")
    command = [sys.executable, "-I", "-c", SIGNALLED.format(run=start), name]

    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=isolated(os.environ)
    )

    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_python_without_libffi_says_what_to_install() -> None:
    """The unpacked archive takes libffi from the system; a traceback named a module of Python's own."""
    without = "import runpy, sys; sys.modules['_ctypes'] = None; runpy.run_module('mattecam', run_name='__main__')"

    done = subprocess.run([sys.executable, "-c", without], capture_output=True, text=True, cwd=ROOT)

    assert done.returncode == 1
    assert done.stderr.startswith("mattecam: Python cannot load libffi.so.8 (")
    assert done.stderr.endswith("); install it: libffi8 on Debian, libffi elsewhere.\n")


def test_it_starts_from_any_folder(tmp_path: Path) -> None:
    if not environment.installed(ROOT / "requirements.txt"):
        pytest.skip(
            "this Python has other versions than the pinned ones, so run.py would prepare its own"
        )

    done = subprocess.run(
        [sys.executable, str(ROOT / "run.py"), "weights", "list"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("model\t")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("argv", [[], ["--background", "blur"]])
def test_nothing_is_installed_for_a_window_without_libraries(
    monkeypatch: pytest.MonkeyPatch, argv: list[str]
) -> None:
    """The packages were installed for minutes, then the window gave way to a run without one that ended with 0."""
    monkeypatch.setattr(environment, "installed", always(False))
    monkeypatch.setattr(environment, "set_up", forbidden("installed"))
    monkeypatch.setattr(environment, "unsupported_system", always(None))
    monkeypatch.setattr(display, "missing_libraries", always("the window needs libxcb-cursor0"))

    with pytest.raises(
        SystemExit, match="mattecam: the window needs libxcb-cursor0; install them first, or "
    ) as stopped:
        run.main(argv)

    assert isinstance(stopped.value.code, str), "which Python turns into exit code 1"


def test_no_models_is_for_the_set_up_and_reaches_no_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[list[str]] = []
    monkeypatch.delenv("MATTECAM_NO_MODELS")
    monkeypatch.setattr(environment, "installed", always(True))
    monkeypatch.setattr("app.cli.main.run_to_exit", given.append)

    run.main(["headless", "--no-models", "--frames", "1"])

    assert given == [["headless", "--frames", "1"]] and os.environ["MATTECAM_NO_MODELS"]


def test_the_long_tests_run_when_all_are_asked_for() -> None:
    assert run.pytest_options(["--all", "-x"]) == [*run.REPORTING, *run.PARALLEL, "-x"]
    assert run.pytest_options(["tests/gui"]) == [
        *run.REPORTING,
        *run.PARALLEL,
        *run.FIRST_TIER,
        "tests/gui",
    ]


@pytest.mark.parametrize(
    "argv", [["headless"], ["convert", "a.mp4"], ["test"], ["--help"], ["--version"]]
)
def test_commands_without_a_window_need_no_libraries_of_it(argv: list[str]) -> None:
    assert not run.opens_window(argv)


def test_what_runs_before_the_installation_needs_the_standard_library_only() -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-c", "import run; print(run.opens_window([]))"],
        capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    assert done.stdout == "True\n", done.stderr


TWO_TESTS = """
import pathlib, time
def test_that_fails():
    assert 1 == 2, "the reason"
def test_that_takes_long():
    pathlib.Path("begun").touch()
    time.sleep(300)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no such signals")
@pytest.mark.parametrize("processes", ["0", "2"])
def test_a_failure_is_told_at_once_and_an_interrupted_run_ends_with_a_count(
    processes: str, tmp_path: Path
) -> None:
    """Nobody knew for five minutes which test had failed, nor what had run before Ctrl+C."""
    (tmp_path / "test_two.py").write_text(TWO_TESTS)
    options = (
        "-p",
        "tests.reporting",
        "-n",
        processes,
        "-p",
        "no:cacheprovider",
        f"--rootdir={tmp_path}",
    )
    command = [
        sys.executable,
        "-u",
        "-m",
        "pytest",
        "-c",
        os.devnull,
        *options,
        str(tmp_path / "test_two.py"),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, text=True, stdout=subprocess.PIPE
    ) as tests:
        assert tests.stdout is not None
        told = next(line for line in tests.stdout if line.startswith("FAILED "))
        eventually((tmp_path / "begun").exists)
        tests.send_signal(signal.SIGINT)
        rest = tests.stdout.read()

    assert "test_two.py::test_that_fails (call): " in told and "the reason" in told
    assert "Interrupted after 0 passed, 1 failed, 0 error; the other tests did not run." in rest
    assert tests.returncode == pytest.ExitCode.INTERRUPTED
