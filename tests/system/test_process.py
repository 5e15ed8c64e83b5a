"""This process: umask, core dumps, which would hold frames of the camera, heaps, and signals that end a command."""

from __future__ import annotations

import os
import platform
import signal
import stat
import sys
from pathlib import Path

import pytest

from app.system.process import handled
from app.system.start import stopping
from tests.fresh_python import printed_by

CHILD = """
import atexit, resource
_, hard = resource.getrlimit(resource.RLIMIT_CORE)
resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
atexit.register(lambda: print("limits", hard, resource.getrlimit(resource.RLIMIT_CORE)[0]))
from app.cli.main import run_to_exit
run_to_exit(["version"])
"""


COLLECTED = """
import subprocess, sys
from app.cli.main import run_to_exit
code = "print('child', open('/proc/self/coredump_filter').read())"
try:
    run_to_exit(["version"])
finally:
    print("filter", open("/proc/self/coredump_filter").read(), flush=True)
    subprocess.run([sys.executable, "-c", code])
"""


LIMITED = """
import resource, sys
from app.cli.main import main
sys.stderr = sys.stdout
_, hard = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (900_000_000, hard))
for words in ("convert missing.mp4 out.mp4", "headless", "plate", "version"):
    print(main(words.split()), flush=True)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="others do not enforce the limit")
def test_too_little_memory_is_a_sentence_before_a_library_fails() -> None:
    """OpenVINO and numba ended the process, or failed with another error at each limit."""
    lines = printed_by(LIMITED).splitlines()
    assert [line for line in lines if line.isdigit()] == ["1", "1", "1", "0"]
    assert sum("A program may use 900 MB of memory here, and this one needs 1500; raise" in line for line in lines) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's filter")
def test_programs_that_collect_core_dumps_get_no_memory() -> None:
    """Those that ignore the limit, such as apport, kept frames of the camera in the report of a crash."""
    filter_, own, child, inherited = printed_by(COLLECTED).split()[-4:]
    assert (filter_, child) == ("filter", "child")
    assert int(own, 16) == int(inherited, 16) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit for core dumps")
def test_the_program_leaves_no_core_dump() -> None:
    words, hard, soft = printed_by(CHILD).split()[-3:]
    assert words == "limits"
    if int(hard) == 0:
        pytest.skip("the system forbids core dumps already")
    assert int(soft) == 0


MADE = """
import os, sys
from app.cli import main

os.umask(int(sys.argv[1], 8))
main.main = lambda argv: os.mkdir(sys.argv[2]) or 0
main.run_to_exit([])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
@pytest.mark.parametrize(("umask", "mode"), [("000", 0o755), ("002", 0o775), ("077", 0o700)])
def test_other_users_may_not_write_to_what_the_program_makes(umask: str, mode: int, tmp_path: Path) -> None:
    printed_by(MADE, umask, str(tmp_path / "made"))
    assert stat.S_IMODE((tmp_path / "made").stat().st_mode) == mode


HEAPS = """
import ctypes, sys, tempfile, threading
from app.system.process import limit_heaps

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


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the heaps of glibc")
def test_many_threads_share_few_heaps() -> None:
    """Each thread got a heap of its own, up to eight for each core, which kept what the thread had freed."""
    assert int(printed_by(HEAPS)) <= 2


FREED = """
import ctypes, psutil
from app.system.process import return_free_memory

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


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the heaps of glibc")
def test_memory_below_a_block_in_use_is_returned() -> None:
    assert int(printed_by(FREED)) > 200e6


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals of this kind")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_each_signal_that_ends_a_command_is_handled_inside_the_block_alone(name: str) -> None:
    number, received = getattr(signal, name), list[int]()
    before = signal.getsignal(number)
    with handled(lambda got, _frame: received.append(got)):
        os.kill(os.getpid(), number)
    assert received == [number] and signal.getsignal(number) is before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals of this kind")
def test_a_hangup_that_is_ignored_stays_ignored() -> None:
    """A program under nohup goes on when its terminal is closed."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert signal.SIGHUP not in stopping()
        with handled(lambda _got, _frame: None):
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
