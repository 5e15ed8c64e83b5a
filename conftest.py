"""Rules for every test: nothing of the user's is touched, and no thread, process or error is left
behind.
"""

from __future__ import annotations

import contextlib
import importlib
import itertools
import logging
import os
import random
import re
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, settings

from app.config import logs
from app.core.files import lock_file
from app.matting.choice import hardware, preparation
from app.matting.choice.hardware import torch_usable
from app.matting.choice.preparation import Preparation
from app.matting.choice.trials import KERNELS
from app.matting.engine import load_kernels
from app.matting.openvino import conversion
from app.matting.openvino.conversion import Artefact, ArtefactCache, NetworkSource
from mattecam.testing import FakeEngine
from models.weights import CONVERTED
from tests import linux
from tests.pipewire_session import PrivateSession, private_session

if not os.environ.get("DISPLAY"):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    if sys.platform == "win32":  # without it Qt draws boxes there, twice as wide as letters
        os.environ.setdefault("QT_QPA_FONTDIR", str(Path(os.environ["SYSTEMROOT"]) / "Fonts"))
# The same examples in every run, however slow the machine is; `--hypothesis-profile=default` looks
# for others.
settings.register_profile(
    "repeatable", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("repeatable")
if hardware.torch_usable():
    import torch

    torch.set_num_threads(1)  # two of them are far slower than one where the cores are busy

TRAINING = Path(__file__).parent / "training" / "tests"
DEVICE_BED = Path(__file__).parent / "device_bed"
GENERATED = {"weights"}
"""Fixtures that generate weights with torch."""
MARKED = re.compile(r"^pytestmark = \[?\s*pytest\.mark\.torch\b", re.MULTILINE)
GRACE_S = 60.0
"""How long threads and processes of a finished test may take to end."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--random-order", type=int, metavar="SEED", help="shuffle the tests")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    seed = config.getoption("--random-order")
    if seed is not None:
        random.Random(seed).shuffle(items)
    for item in items:
        if item.path.is_relative_to(TRAINING) or not GENERATED.isdisjoint(
            getattr(item, "fixturenames", ())
        ):
            item.add_marker(pytest.mark.torch)
        posix = item.get_closest_marker("posix")
        if posix is not None and "part" not in posix.kwargs and sys.platform == "win32":
            item.add_marker(pytest.mark.skip(reason=f"Windows lacks {posix.args[0]}"))
        if not hardware.torch_usable() and item.get_closest_marker("torch"):
            item.add_marker(pytest.mark.skip(reason="needs torch"))
        names = set(getattr(item, "fixturenames", ()))
        if isinstance(item, pytest.Function) and hasattr(item, "callspec"):
            names -= item.callspec.params.keys()  # a parameter may bear the name of a fixture
        for fixture in linux.FIXTURES.keys() & names:
            item.add_marker(pytest.mark.linux(linux.FIXTURES[fixture]))
    # Not skipped: a part that another system does not have is not left untested there.
    absent = [item for item in items if _is_of_another_system(item)]
    if absent:
        items[:] = [item for item in items if item not in absent]
        config.hook.pytest_deselected(items=absent)


def _is_of_another_system(item: pytest.Item) -> bool:
    """Return whether a test is of a part of the program that only another system has."""
    posix = item.get_closest_marker("posix")
    if posix is not None and "part" in posix.kwargs and sys.platform == "win32":
        return True
    is_of_linux = item.get_closest_marker("linux") is not None
    return is_of_linux and not sys.platform.startswith("linux")


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out modules that import torch where it is missing; only those that are marked as a
    whole may do so.

    On Windows also the tests that run in a virtual machine with Linux.
    """
    if sys.platform == "win32" and collection_path == DEVICE_BED:
        return True
    if hardware.torch_usable() or collection_path.suffix != ".py":
        return (collection_path == TRAINING and not hardware.torch_usable()) or None
    return MARKED.search(collection_path.read_text(encoding="utf-8")) is not None or None


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "error_logs: the test causes error logs on purpose and checks them itself"
    )
    for name in ("SIGHUP", "SIGINT", "SIGTERM"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            # as nohup and a shell's `&` leave them
            # ignored here as well, but not in child processes
            signal.signal(number, lambda number, frame: None)


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile the kernels before the first test: minutes on a slow machine, which no time limit of
    a test holds.

    The workers of a run share the work: each begins with others, and loads at the end what another
    has compiled.
    """
    worker: dict[str, str] = getattr(session.config, "workerinput", {})
    if session.config.option.collectonly or (
        not worker and getattr(session.config.option, "numprocesses", None)
    ):
        return
    names, locks = deque(KERNELS), session.config.rootpath / ".pytest_cache" / "kernels"
    names.rotate(-2 * int(worker.get("workerid", "gw0").removeprefix("gw")))
    with contextlib.suppress(OSError):  # there is no folder for them: each worker compiles
        locks.mkdir(parents=True, exist_ok=True)
        for wait, name in itertools.product((False, True), names):
            lock = lock_file(locks / name, wait=wait)
            if lock is not None:
                with lock, contextlib.suppress(ImportError):  # numba does not run here
                    importlib.import_module(name)


_numbers = itertools.count()


@pytest.fixture(scope="session", autouse=True)
def _compiled_arithmetic() -> None:
    """The engines' fast arithmetic is ready, so that no test runs half on the plain one."""
    load_kernels()


class SharedCache(ArtefactCache):
    """Converts each network once, however many processes ask for it; without torch, those that ship
    are used.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(lambda: folder, None if torch_usable() else CONVERTED)
        folder.mkdir(exist_ok=True)
        self._lock_path = folder / "lock"

    def load(self, source: NetworkSource) -> Artefact:
        """Return the artefact of a network; see `ArtefactCache.load`."""
        lock = lock_file(self._lock_path, wait=True)
        assert lock is not None
        with lock:
            return super().load(source)


@pytest.fixture(scope="session", autouse=True)
def _converted_networks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Each network is converted once per run, not once per test: the workers of a run share the
    folder.
    """
    folder = tmp_path_factory.getbasetemp()
    shared = (
        folder.parent if os.environ.get("PYTEST_XDIST_WORKER") else folder
    ) / "converted-networks"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conversion, "artefacts", SharedCache(shared))
        # nothing is left to prepare
        patch.setattr(preparation, "preparation", Preparation((sys.executable, "-c", "")))
        yield


@pytest.fixture(scope="session")
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("homes")


@pytest.fixture(autouse=True)
def _own_folders(_homes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings and data of the test alone; made by whoever writes there."""
    folder = _homes / str(next(_numbers))
    monkeypatch.setenv("MATTECAM_CONFIG_DIR", str(folder / "config"))
    monkeypatch.setenv("MATTECAM_DATA_DIR", str(folder / "data"))
    monkeypatch.setenv("MATTECAM_RUNTIME_DIR", str(folder / "run"))
    monkeypatch.setenv("PIPEWIRE_RUNTIME_DIR", str(folder / "run"))  # where no daemon answers
    monkeypatch.setenv("PULSE_SERVER", f"unix:{folder}/run/pulse")  # nor starts by itself
    monkeypatch.setenv("MATTECAM_NO_MODELS", "1")
    monkeypatch.delenv("MATTECAM_WEIGHTS_DIR", raising=False)


@pytest.fixture(autouse=True)
def _no_thread_left() -> Iterator[None]:
    """Every thread the test started has ended."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + GRACE_S
    for thread in _own_threads(before):
        thread.join(max(0.0, deadline - time.monotonic()))
    left = [thread.name for thread in _own_threads(before)]
    assert not left, f"threads left running: {left}"


def _own_threads(before: set[threading.Thread]) -> list[threading.Thread]:
    # Dummy threads stand for foreign ones (Qt's, FFmpeg's) that once called into Python; they
    # cannot be joined.
    return [
        thread
        for thread in threading.enumerate()
        if thread not in before and not isinstance(thread, threading._DummyThread)
    ]


@pytest.fixture(autouse=True)
def _no_process_left() -> Iterator[None]:
    """Every process the test started has ended and was waited for."""
    before = _children()
    yield
    deadline = time.monotonic() + GRACE_S
    while (left := _children() - before - _daemons) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left, f"processes left running: {left}"


@pytest.fixture(autouse=True)
def _no_engine_left() -> Iterator[None]:
    """Every engine that counts itself was closed: another test would be blamed for it."""
    yield
    left, FakeEngine.live = FakeEngine.live, 0
    assert not left, f"engines left open: {left}"


def _children() -> set[int]:
    tasks = Path("/proc/self/task")
    if not tasks.exists():
        return {process.pid for process in psutil.Process().children()}
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:  # as nearly always
        return set()
    found: set[int] = set()  # the same, 200 times faster, which counts with thousands of tests
    for task in tasks.iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            # a thread that has just ended
            found |= {int(pid) for pid in (task / "children").read_text().split()}
    return found


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Handlers, levels and hooks that the test set up are gone after it."""
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook)
    levels = {logger: logger.level for logger in (root, *map(logging.getLogger, logs.OWN_LOGGERS))}
    yield
    for handler in [handler for handler in root.handlers if handler.name == logs.HANDLER_NAME]:
        root.removeHandler(handler)
        handler.close()
    for logger, level in levels.items():
        logger.setLevel(level)
    sys.excepthook, threading.excepthook = hooks


@pytest.fixture(autouse=True)
def _no_error_logged(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> Iterator[None]:
    """No part logged an error, unless the test is marked `error_logs`."""
    yield
    if request.node.get_closest_marker("error_logs"):
        return
    errors = [
        f"{record.name}: {record.getMessage()}"
        for phase in ("setup", "call")
        for record in caplog.get_records(phase)
        if record.levelno >= logging.ERROR
    ]
    assert not errors, f"logged errors: {errors}"


@pytest.fixture(scope="session")
def resource_tracker() -> None:
    """Start the process that multiprocessing keeps until the end of the program, so that no test
    seems to leave it.

    Windows needs none.
    """
    if sys.platform != "win32":
        from multiprocessing.resource_tracker import ensure_running

        ensure_running()


_daemons: set[int] = set()
"""Processes that outlive the test that first asks for them."""


@pytest.fixture(scope="session")
def _pipewire_daemons() -> Iterator[PrivateSession]:
    before = _children()
    with private_session() as session:
        _daemons.update(_children() - before)
        yield session


@pytest.fixture
def pipewire(_pipewire_daemons: PrivateSession, monkeypatch: pytest.MonkeyPatch) -> PrivateSession:
    """A private PipeWire, which this process finds too."""
    monkeypatch.setenv("PIPEWIRE_RUNTIME_DIR", str(_pipewire_daemons.folder))
    return _pipewire_daemons


@pytest.fixture(scope="session")
def _sound_daemon(_pipewire_daemons: PrivateSession) -> PrivateSession:
    before = _children()
    _pipewire_daemons.start_sound()
    _daemons.update(_children() - before)
    return _pipewire_daemons


@pytest.fixture
def sound_session(_sound_daemon: PrivateSession, monkeypatch: pytest.MonkeyPatch) -> PrivateSession:
    """A private sound server without a sound card, which this process finds too."""
    monkeypatch.setenv("PULSE_SERVER", _sound_daemon.environment["PULSE_SERVER"])
    return _sound_daemon


@pytest.fixture
def repo() -> Path:
    """The folder that holds run.py."""
    return Path(__file__).resolve().parent
