"""The process: memory, signals, isolation from the folder it starts in, its entry at login; who holds a device."""

from __future__ import annotations

import ctypes
import json
import os
import platform
import queue
import re
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import Mock

import pytest

from app.config.autostart import enabled, entry_path, entry_text, switch
from app.core import paths, process
from app.core.errors import MattecamError
from app.core.process import CONSOLE_ENDS, ConsoleEnd, handled, holders, keep_pace, stopping
from app.system import environment, isolation
from app.system.isolation import LIBRARIES, isolated, not_isolated
from tests.fresh_python import printed_by, program
from tests.paths import ROOT
from tests.stand_ins import always

DUMPED = """
import resource, subprocess, sys
from app.cli.main import run_to_exit
_, hard = resource.getrlimit(resource.RLIMIT_CORE)
resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
code = "import resource; limit, _ = resource.getrlimit(resource.RLIMIT_CORE); "
code += "print(limit, open('/proc/self/coredump_filter').read(), flush=True)"
try:
    run_to_exit(["version"])
finally:
    exec(code)
    subprocess.run([sys.executable, "-c", code])
"""


LIMITED = """
import resource, sys
from app.cli.main import main
sys.stderr = sys.stdout
_, hard = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (900_000_000, hard))
for words in ("convert missing.mp4 out.mp4", "headless", "bench", "version"):
    print(main(words.split()), flush=True)
"""
WINDOW = [
    "--source",
    "demo",
    "--size",
    "320x240",
    "--virtual-camera",
    "off",
    "--frames",
    "3",
    "--model",
    "mattecam",
]
on_a_desktop = pytest.mark.usefixtures("desktop")


@pytest.mark.linux("app.core.process")
def test_too_little_memory_is_a_sentence_before_a_library_fails() -> None:
    """OpenVINO and numba ended the process, or failed with another error at each limit."""
    lines = printed_by(LIMITED).splitlines()
    assert [line for line in lines if line.isdigit()] == ["1", "1", "1", "0"]
    assert (
        sum(
            "A program may use 900 MB of memory here, and this one needs 1500; raise" in line
            for line in lines
        )
        == 3
    )


@pytest.mark.linux("app.core.process")
def test_neither_the_program_nor_a_child_leaves_its_memory_in_a_core_dump() -> None:
    """Programs that ignore the limit, such as apport, kept frames of the camera in the report of a crash."""
    lines = printed_by(DUMPED).splitlines()
    dumped = [line.split() for line in lines[1:] if line]

    assert [(int(limit), int(kept, 16)) for limit, kept in dumped] == [(0, 0)] * 2, lines


MADE = """
import os, sys
from app.cli import main

os.umask(int(sys.argv[1], 8))
main.main = lambda argv: os.mkdir(sys.argv[2]) or 0
main.run_to_exit([])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
@pytest.mark.parametrize(("umask", "mode"), [("000", 0o755), ("002", 0o775), ("077", 0o700)])
def test_other_users_may_not_write_to_what_the_program_makes(
    umask: str,
    mode: int,
    tmp_path: Path,
) -> None:
    printed_by(MADE, umask, str(tmp_path / "made"))
    assert stat.S_IMODE((tmp_path / "made").stat().st_mode) == mode


HEAPS = """
import ctypes, sys, tempfile, threading
from app.core.process import limit_heaps

limit_heaps(2)
libc = ctypes.CDLL(None)
libc.malloc.restype = libc.fopen.restype = ctypes.c_void_p
libc.malloc_info.argtypes, libc.fclose.argtypes = [ctypes.c_int, ctypes.c_void_p], [ctypes.c_void_p]
allocated = threading.Barrier(13)

def allocate():
    assert libc.malloc(5000)
    allocated.wait()

threads = [threading.Thread(target=allocate) for _ in range(12)]
for thread in threads:
    thread.start()
allocated.wait()
with tempfile.NamedTemporaryFile() as file:
    stream = libc.fopen(file.name.encode(), b"w")
    libc.malloc_info(0, stream)
    libc.fclose(stream)
    print(file.read().count(b"<heap nr="))
"""


@pytest.mark.linux("app.core.process")
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the heaps of glibc")
def test_many_threads_share_few_heaps() -> None:
    """Each thread got a heap of its own, up to eight for each core, which kept what the thread had freed."""
    assert int(printed_by(HEAPS)) <= 2


FREED = """
import ctypes, psutil
from app.core.threads import return_free_memory

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
blocks = [libc.malloc(100_000) for _ in range(3000)]
for block in blocks:
    libc.memset(block, 1, 100_000)
for block in blocks[:-1]:
    libc.free(block)
kept = psutil.Process().memory_info().rss
return_free_memory()
print(kept - psutil.Process().memory_info().rss)
"""


@pytest.mark.linux("app.core.process")
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the heaps of glibc")
def test_memory_below_a_block_in_use_is_returned() -> None:
    assert int(printed_by(FREED)) > 200e6


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals of this kind")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_each_signal_that_ends_a_command_is_handled_inside_the_block_alone(name: str) -> None:
    number = getattr(signal, name)
    received = list[int]()
    before = signal.getsignal(number)
    with handled(lambda got, _frame: received.append(got)):
        os.kill(os.getpid(), number)

    assert received == [number] and signal.getsignal(number) is before


def test_ctrl_break_ends_a_command_where_there_is_such_a_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It killed a run on Windows, whose recording was left unfinished."""
    monkeypatch.setattr(process, "BREAK", 21)

    assert stopping()[:3] == (signal.SIGINT, signal.SIGTERM, 21)


@pytest.mark.skipif(sys.platform != "win32", reason="asks Windows itself")
def test_timers_of_windows_tick_a_thousand_times_a_second() -> None:
    """They tick 64 times: of a clock of 30 frames a second, every second tick was late."""
    shortest, longest, current = (ctypes.c_ulong() for _ in range(3))

    keep_pace()

    ntdll = ctypes.CDLL("ntdll")
    ntdll.NtQueryTimerResolution(
        ctypes.byref(longest), ctypes.byref(shortest), ctypes.byref(current)
    )
    hundred_nanoseconds = current.value
    assert hundred_nanoseconds <= 10_100


def test_elsewhere_than_on_windows_no_pace_is_asked_for() -> None:
    keep_pace()


@pytest.mark.parametrize("event", CONSOLE_ENDS, ids=["closed", "log-off", "shutdown"])
def test_windows_waits_for_the_end_of_a_program_whose_console_is_closed(event: int) -> None:
    """It ended the program at once, and the recording was left unfinished."""
    interrupted = queue.SimpleQueue[int]()
    end = ConsoleEnd(interrupted.put)
    with ThreadPoolExecutor(1) as system:
        answer = system.submit(end.handle, event)
        number = interrupted.get(timeout=10)
        waits = not answer.done()
        end.tell_ended()

        assert answer.result(timeout=10) is True

    assert waits
    assert number in (signal.SIGTERM, process.BREAK)


@pytest.mark.parametrize("event", [0, 1], ids=["Ctrl+C", "Ctrl+Break"])
def test_keys_of_a_console_are_left_to_the_handlers_of_signals(event: int) -> None:
    interrupted = queue.SimpleQueue[int]()

    assert ConsoleEnd(interrupted.put).handle(event) is False
    assert interrupted.empty()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals of this kind")
def test_a_hangup_that_is_ignored_stays_ignored() -> None:
    """A program under nohup goes on when its terminal is closed."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert signal.SIGHUP not in stopping()
        with handled(always(None)):
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.fixture
def others(tmp_path: Path) -> str:
    """A folder of another program: modules that fail, named like those of Python, of the program
    and of its packages, and libraries that cannot be loaded, named like some that packages bring
    and Python does not need.
    """
    folder = tmp_path / "site-packages"
    folder.mkdir()
    for name in (
        "__future__",
        "typing",
        "enum",
        "re",
        "signal",
        "pathlib",
        "numpy",
        "cv2",
        "PyQt6",
        "app",
        "models",
    ):
        (folder / f"{name}.py").write_text(f"raise RuntimeError('another {name}')")
    for name in ("libQt6Core.so.6", "libtbb.so.12", "libopenvino.so.2641", "libstdc++.so.6"):
        (folder / name).write_text("another library")
    return str(folder)


@pytest.mark.posix("exec")
def test_a_process_that_nothing_disturbs_goes_on(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Debuggers and profilers lost the program, which was replaced for `PYTHONUNBUFFERED` alone."""
    replace = Mock()
    monkeypatch.setattr(os, "execve", replace)
    for name in [name for name in os.environ if isolated(os.environ).get(name) != os.environ[name]]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    monkeypatch.setattr("site.USER_SITE", str(tmp_path))
    isolation.isolate(["python"])
    assert not replace.called
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    isolation.isolate(["python"])
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    isolation.isolate(["python"])
    assert replace.call_count == 2


@pytest.mark.skipif(os.name == "nt", reason="variables of Linux")
@pytest.mark.parametrize(
    "words", [["devices"], pytest.param(WINDOW, marks=pytest.mark.long)], ids=["short", "window"]
)
def test_run_py_starts_beside_broken_packages(
    words: list[str],
    others: str,
    tmp_path: Path,
) -> None:
    if not environment.installed(ROOT / "requirements.txt"):
        pytest.skip("run.py would prepare an environment of its own")
    hostile = {
        "PYTHONPATH": others,
        "PYTHONUSERBASE": str(tmp_path),
        "PYTHONWARNINGS": "error",
        LIBRARIES: others,
        "QT_PLUGIN_PATH": others,
        "QT_QPA_PLATFORM_PLUGIN_PATH": others,
        "QT_QPA_PLATFORM": "offscreen",
        "MATTECAM_DATA_DIR": str(tmp_path),
    }
    command = [sys.executable, str(ROOT / "run.py"), *words]

    done = subprocess.run(
        command,
        cwd=others,
        env={**os.environ, **hostile},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert "another" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows has no exec")
def test_the_process_is_replaced_once(others: str) -> None:
    """The second start finds what the first one removed."""
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from app.system.isolation import isolate\n"
    )
    code += "isolate([sys.executable, '-I', '-c', sys.argv[1], sys.argv[1]])\n"
    code += "import json, os; print(json.dumps([sys.flags.isolated, dict(os.environ)]))"
    environment = {**os.environ, "PYTHONPATH": others, "PYTHONHASHSEED": "1", "GTK_PATH": "/snap"}
    flag, seen = json.loads(printed_by(code, code, env=environment))

    assert flag == 1
    assert {name for name in environment if name not in seen} >= {
        "PYTHONPATH",
        "PYTHONHASHSEED",
        "GTK_PATH",
    }
    assert [name for name in seen if name.startswith("PYTHON")] == ["PYTHONNOUSERSITE"]


@pytest.mark.posix("LD_LIBRARY_PATH")
def test_folders_of_the_driver_of_nix_and_of_this_python_stay(
    tmp_path: Path, others: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "libcuda.so.1").touch()
    kept = f"/nix/store/abc/lib:{tmp_path}"
    assert isolated({LIBRARIES: f"{others}::{kept}"})[LIBRARIES] == kept
    assert LIBRARIES not in isolated({LIBRARIES: others})
    assert not_isolated({LIBRARIES: kept}) == ()
    assert not_isolated({LIBRARIES: f"{kept}:{others}"}) == (LIBRARIES,)
    # Without that of its libpython, Python does not start;
    # other libraries in it are what the doctor names.
    monkeypatch.setattr(isolation, "_holds_python", lambda folder: folder == others)
    assert isolated({LIBRARIES: f"/opt/ros/lib:{others}"})[LIBRARIES] == others
    assert not_isolated({LIBRARIES: others}) == (LIBRARIES,)


def test_what_nobody_sets_and_what_the_program_sets_itself_is_not_named() -> None:
    assert not_isolated({"PATH": "/usr/bin", "LD_PRELOAD": "", "PYTHONUNBUFFERED": "1"}) == ()
    assert not_isolated({"LD_PRELOAD": "x.so", "PYTHONPATH": "/x"}) == ("PYTHONPATH", "LD_PRELOAD")
    code = "import cv2, os; from app.system.isolation import not_isolated; print(not_isolated(os.environ))"
    assert printed_by(code, env=isolated(os.environ)) == "()\n"


@pytest.fixture
def desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set up a Linux desktop with a temporary settings folder."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")


def exec_words(text: str) -> list[str]:
    """Return the words of the key Exec, unescaped twice: as a string, then as a command line."""
    assert text.startswith("[Desktop Entry]\n")
    (line,) = re.findall("^Exec=(.*)$", text, re.MULTILINE)
    value = re.sub(r"\\(.)", lambda found: found[1].replace("n", "\n"), line).replace("%%", "%")
    return [re.sub(r"\\(.)", r"\1", word) for word in re.findall(r'"((?:[^"\\]|\\.)*)"', value)]


@pytest.mark.linux("app.config.autostart")
@on_a_desktop
def test_the_entry_starts_this_copy_minimised(tmp_path: Path) -> None:
    assert not enabled()
    switch(True)
    assert enabled() and entry_path() == tmp_path / "autostart" / "mattecam.desktop"
    assert exec_words(entry_path().read_text()) == [*paths.start_command(), "--minimised"]
    assert sys.executable in paths.start_command()
    switch(False)
    switch(False)
    assert not enabled() and not list(entry_path().parent.iterdir())


@on_a_desktop
@pytest.mark.parametrize(
    "word",
    ["/home/a b/run.py", "/100%/run.py", "/a$b`c/run.py", '/a"b/run.py', "/a\\b/run.py", "/a\nb"],
)
def test_special_characters_of_a_path_survive(word: str) -> None:
    assert exec_words(entry_text([word])) == [word, "--minimised"]


@pytest.mark.linux("app.config.autostart")
@on_a_desktop
def test_an_entry_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "autostart").write_text("a file in place of the folder")

    with pytest.raises(
        MattecamError, match=r"autostart entry .*mattecam.desktop cannot be changed"
    ):
        switch(True)

    assert not enabled()


@pytest.mark.linux("app.core.process")
def test_holders_of_a_device_are_found_by_what_they_may_do(tmp_path: Path) -> None:
    """A regular file replaces the device: /proc lists both in the same way."""
    device = tmp_path / "video10"
    link = tmp_path / "by-id"
    device.touch()
    assert holders(str(device)) == ()
    link.symlink_to(device)
    with (
        program(device, "O_RDWR") as reader,
        program(device, "O_WRONLY") as producer,
        device.open(),
    ):
        found = {one.pid: one for one in holders(str(device))}
        assert holders(str(link)) == tuple(found.values())
    assert set(found) == {reader, producer, os.getpid()}
    assert found[producer].only_writes and not found[reader].only_writes
    assert found[reader].name.startswith("python")


@pytest.mark.linux("app.core.process")
def test_a_program_that_reads_the_device_that_it_sends_to_is_known(tmp_path: Path) -> None:
    device = tmp_path / "video10"
    device.touch()

    with device.open("rb"), device.open("wb"):
        (found,) = holders(str(device))

    assert found.sends and not found.only_writes


@pytest.mark.linux("app.core.process")
def test_a_holder_whose_name_and_flags_cannot_be_read_does_not_count_as_a_producer(
    tmp_path: Path,
) -> None:
    (tmp_path / "12/fd").mkdir(parents=True)
    (tmp_path / "12/fd/3").symlink_to("/dev/video97")
    (tmp_path / "9/fd").mkdir(parents=True)

    assert [str(one) for one in holders("/dev/video97", tmp_path)] == ["a program (process 12)"]
    assert [one.only_writes for one in holders("/dev/video97", tmp_path)] == [False]
