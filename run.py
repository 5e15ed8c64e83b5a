"""Start Mattecam: `python3 run.py --help`. Run its tests: `python3 run.py test`, or `python3 run.py
test --all`.

If this Python has the packages of requirements.txt, the program starts. Otherwise it creates
`.venv` beside this file, installs them there and starts again in it; until then it uses only the
standard library.
"""

import os
import sys

if sys.version_info < (3, 10):  # noqa: UP036 - the only place that an older Python reaches
    sys.exit("Mattecam needs Python 3.10 or newer; this is %s" % sys.version.split()[0])  # noqa: UP031

ROOT = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - see app/system/isolation.py
if sys.flags.isolated and ROOT not in sys.path:
    sys.path.insert(0, ROOT)

from app.system.isolation import isolate

if __name__ == "__main__":
    isolate([sys.executable, "-I", os.path.join(ROOT, "run.py"), *sys.argv[1:]])  # noqa: PTH118

from app.core import EXIT_INTERRUPTED
from app.core.process import exit_on_signals, stopping

if __name__ == "__main__":
    exit_on_signals()

import signal
import subprocess

from app.doctor import display
from app.system import environment
from models.program import NO_MODELS, NO_MODELS_OPTION, program_command

PARALLEL = (f"--numprocesses={min((os.cpu_count() or 1) + 1, 4)}", "--dist=worksteal")
"""Options of pytest: a process more than cores, because many tests wait; four at most, each needs
about a gigabyte.
"""
REPORTING = ("-p", "tests.reporting")
"""Options of pytest: each failure is named at once, and an interrupted run ends with a count."""
FIRST_TIER = ("-m", "not slow and not vm and not long")
"""Options of pytest without `--all`."""


def main(argv: list[str]) -> int:
    """Start in this Python, or in that of `.venv`; return the exit code."""
    if NO_MODELS_OPTION in argv:
        os.environ[NO_MODELS] = "1"
        argv = [word for word in argv if word != NO_MODELS_OPTION]
    testing = argv[:1] == ["test"]
    requirements = environment.ROOT / ("requirements-dev.txt" if testing else "requirements.txt")
    if not environment.installed(requirements):
        unsupported = environment.unsupported_system()
        if unsupported:
            sys.exit(f"mattecam: {unsupported}")
        missing = display.missing_libraries() if opens_window(argv) else None
        if missing:  # said before an installation of some minutes
            sys.exit(
                f"mattecam: {missing}; install them first, or run `{program_command()} headless`."
            )
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
        try:
            environment.set_up(requirements)
        except (OSError, subprocess.CalledProcessError) as error:
            sys.exit(f"mattecam: {environment.failure(error)}")
        if not environment.inside():
            command = [str(environment.PYTHON), "-I", str(environment.ROOT / "run.py"), *argv]
            if os.name == "nt":
                for each in stopping():
                    # the other process gets it, too, and this one waits for its end
                    signal.signal(each, lambda number, frame: None)
                return subprocess.call(command)
            os.execv(command[0], command)  # noqa: S606 - no shell is wanted
    if testing:
        import pytest

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
        os.chdir(environment.ROOT)
        # Otherwise each process that the tests start compiles all modules again: a sixth of the
        # processor time.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        sys.dont_write_bytecode = False
        return int(pytest.main(pytest_options(argv[1:])))
    from app.cli.main import run_to_exit

    return run_to_exit(argv)


def pytest_options(argv: list[str]) -> list[str]:
    """Return the options of pytest for those of `run.py test`: `--all` runs the long tests as well."""
    tier = () if "--all" in argv else FIRST_TIER
    return [*REPORTING, *PARALLEL, *tier, *(option for option in argv if option != "--all")]


def opens_window(argv: list[str]) -> bool:
    """Return whether these arguments name no command, so that the window opens."""
    return not (argv and not argv[0].startswith("-")) and not {"--help", "--version"} & set(argv)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
