"""This process: signals, umask, core dumps, heaps, memory, forks.

How others ended, which devices they hold.

Standard library only: `run.py` handles signals before anything else is imported.
"""

from __future__ import annotations

import _thread
import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from types import FrameType

from app.core import EXIT_INTERRUPTED
from app.core.errors import MattecamError, ModelError, Text, t
from app.core.threads import usable_cores

# The terminal or the SSH session was closed; not on Windows.
HANGUP: int | None = getattr(signal, "SIGHUP", None)
# Ctrl+Break, and the end of the console or of the session; on Windows alone.
BREAK: int | None = getattr(signal, "SIGBREAK", None)


def stopping() -> tuple[int, ...]:
    """Return the signals that end a command.

    SIGINT, SIGTERM, SIGBREAK, and SIGHUP unless nohup has it ignored.
    """
    numbers: list[int] = [signal.SIGINT, signal.SIGTERM]
    if BREAK is not None:
        numbers.append(BREAK)
    if HANGUP is not None and signal.getsignal(HANGUP) is not signal.SIG_IGN:
        numbers.append(HANGUP)
    return tuple(numbers)


def exit_on_signals() -> None:
    """End the process on a signal that ends commands.

    An import may hide KeyboardInterrupt, and nothing is open yet.
    """
    for number in stopping():
        signal.signal(number, lambda number, frame: os._exit(EXIT_INTERRUPTED))


# Parameter of glibc's `mallopt`.
_M_ARENA_MAX = -8


def refuse_open_umask() -> None:
    """Let other users write to nothing that this process makes from now on, as folders, caches
    and weights.

    A umask that lets everybody write becomes the usual one; one that lets only the group write
    stays.
    """
    given = os.umask(0o022)
    if given & 0o002:
        os.umask(given)


def disable_core_dumps() -> None:
    """Forbid the system to write the memory of this process, which holds frames of the camera,
    to disk if it crashes.

    On Linux and macOS, for this process and those that it starts. The kernel gives programs that
    collect core dumps everything whatever the limit is: systemd's looks at it, Ubuntu's apport does
    not. So none of the memory is dumped.
    """
    if sys.platform != "win32":  # which keeps no full dumps unless an administrator asks for them
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
    if sys.platform == "linux":
        with suppress(OSError):
            Path("/proc/self/coredump_filter").write_text("0")


def limit_heaps(heaps: int | None = None) -> None:
    """Let the C library spread the threads over `heaps` heaps, by default one for each core.

    Call it early.

    glibc makes up to eight heaps for each core, and each keeps what its threads freed: every
    background, recording and engine has threads of its own, so that memory grew with each of them.
    Other C libraries keep their ways.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # musl has none
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, heaps or usable_cores())


# Address space in which small frames can be matted on two cores: OpenVINO, FFmpeg and numba map
# much that they never use, and end the process or fail with any error where they cannot.
NEEDED_MB = 1500


def check_memory_limit() -> None:
    """Raise MattecamError if a limit of this process (`ulimit -v`) leaves too little address
    space for matting.
    """
    if sys.platform != "win32":
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit != resource.RLIM_INFINITY and limit < NEEDED_MB * 1e6:
            limit_mb = round(limit / 1e6)
            raise MattecamError(
                f"A program may use {limit_mb} MB of memory here, and this one needs {NEEDED_MB}; "
                "raise the limit with `ulimit -v unlimited`, or ask who set it."
            )


# Number of the process that has started threads of
# native libraries; a fork of it has the same value.
_thread_starter: int | None = None


def check_not_forked() -> None:
    """Raise ModelError in a fork of a process that called `start_native_threads`.

    OpenVINO and PyTorch keep threads that a fork lacks and waits for. A fork made before their
    first use works.
    """
    if _thread_starter not in (None, os.getpid()):
        raise ModelError(
            "This process was forked from one that had already matted, and lacks its threads; "
            'start processes by spawn, as with multiprocessing.get_context("spawn"), or matte in '
            "none before they are forked."
        )


def start_native_threads() -> None:
    """Note that libraries with threads of their own are used from now on.

    Raises as `check_not_forked`.
    """
    global _thread_starter
    check_not_forked()
    _thread_starter = os.getpid()


@contextmanager
def handled(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Call `handler` for the signals that end a command; then restore the handlers before.

    For the main thread.

    After SIGHUP, what is printed to a terminal goes nowhere, because printing to one that was
    closed fails.
    """
    terminals = [stream for stream in (1, 2) if os.isatty(stream)]
    nowhere = os.open(os.devnull, os.O_WRONLY)

    def handle(number: int, frame: FrameType | None) -> None:
        if number == HANGUP:
            for terminal in terminals:
                os.dup2(nowhere, terminal)
        handler(number, frame)

    previous = {number: signal.signal(number, handle) for number in stopping()}
    try:
        yield
    finally:
        for number, before in previous.items():
            signal.signal(number, before)
        os.close(nowhere)


# Events of a console of Windows: it was closed, the user logs off, the computer shuts down.
CONSOLE_ENDS = (2, 5, 6)
# How long the end of a program may take then: Windows ends it five seconds after the
# event, or with the handler.
END_S = 4.5


def _interrupt_main(number: int) -> None:
    _thread.interrupt_main(signal.Signals(number))


class ConsoleEnd:
    """Ends the program when its console is closed, and holds Windows up until it has ended.

    Recordings are finished.
    """

    def __init__(self, interrupt: Callable[[int], object] = _interrupt_main) -> None:
        """interrupt: lets the main thread handle a signal."""
        self._interrupt = interrupt
        self._ended = threading.Event()

    def handle(self, event: int) -> bool:
        """Handle an event of the console, on a thread of the system.

        Return whether it was one of an end.
        """
        if event not in CONSOLE_ENDS:
            return False
        self._interrupt(BREAK or signal.SIGTERM)
        self._ended.wait(END_S)
        return True

    def tell_ended(self) -> None:
        """Let Windows go on (any thread)."""
        self._ended.set()


@contextmanager
def ending_with_console() -> Iterator[None]:
    """End the program as by Ctrl+Break when the console of Windows is closed.

    For the main thread.
    """
    if sys.platform == "win32":
        end = ConsoleEnd()
        handler = ctypes.WINFUNCTYPE(ctypes.c_int, ctypes.c_uint)(end.handle)
        ctypes.windll.kernel32.SetConsoleCtrlHandler(handler, 1)
        try:
            yield
        finally:
            end.tell_ended()
            ctypes.windll.kernel32.SetConsoleCtrlHandler(handler, 0)
    else:
        yield


_TIMER_MS = 1
_POWER_THROTTLING = 4
"""Class of information on a process of Windows."""
_VERSION = 1
_THROTTLES = (1, 4)
"""Its controls: a lower speed of the processor, and coarse timers."""


def keep_pace() -> None:
    """Let waits of Windows end within a millisecond, and its processor run at full speed, also
    behind other windows.

    Its timers tick 64 times a second, which holds no 30 frames a second. Windows 11 makes them
    coarse again, and slows the processor down, for programs whose window nobody sees: in a call
    that is this one. Call it once, early.
    """
    if sys.platform == "win32":
        ctypes.windll.winmm.timeBeginPeriod(_TIMER_MS)
        kernel = ctypes.windll.kernel32
        kernel.GetCurrentProcess.restype = ctypes.c_void_p
        process = ctypes.c_void_p(kernel.GetCurrentProcess())
        with suppress(AttributeError):  # before Windows 8
            for throttle in _THROTTLES:  # one by one: Windows 10 refuses what it does not know
                off = (ctypes.c_uint32 * 3)(_VERSION, throttle, 0)
                kernel.SetProcessInformation(process, _POWER_THROTTLING, off, ctypes.sizeof(off))


_ANY_PROCESS = 0xFFFFFFFF


def hand_over_foreground() -> None:
    """Let another program show its window in front of all others.

    Windows lets only the program do that which the user has started or used last: this one.
    """
    if sys.platform == "win32":
        ctypes.windll.user32.AllowSetForegroundWindow(_ANY_PROCESS)


LINUX: bool = sys.platform.startswith("linux")
PROC = Path("/proc")
# PipeWire and WirePlumber hold camera devices open without streaming; ignore them.
CAMERA_SERVICES = ("pipewire", "wireplumber")


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that has a device open."""

    pid: int
    name: str
    # The device is open for writing only, as by a producer.
    only_writes: bool
    # One of its handles of the device is for writing only.
    sends: bool = False
    # Numbers of its handles of the device.
    handles: tuple[str, ...] = ()

    @property
    def text(self) -> Text:
        """Return the name of the process for the user."""
        return t("{name} (process {pid})", name=self.name, pid=str(self.pid))

    def __str__(self) -> str:
        return self.text


def holders(device: str, proc: Path = PROC) -> tuple[Holder, ...]:
    """Return all processes that have `device` open, sorted by PID; none if the system is not Linux.

    Includes this process. Omits processes whose open files this user may not list.
    """
    if not LINUX:
        return ()
    found = []
    wanted = os.path.realpath(device)
    for process in os.scandir(proc):
        if not process.name.isdecimal():
            continue
        # The process may exit meanwhile, or belong to another user.
        with suppress(OSError):
            opened = os.scandir(f"{process.path}/fd")
            handles = [handle.name for handle in opened if _target(handle.path) == wanted]
            if handles:
                found.append(_holder(process, handles))
    return tuple(sorted(found, key=attrgetter("pid")))


def _holder(process: os.DirEntry[str], handles: list[str]) -> Holder:
    """Return a process that has these handles of a device. Raises OSError."""
    writing = [_only_writes(f"{process.path}/fdinfo/{handle}") for handle in handles]
    return Holder(
        pid=int(process.name),
        name=_text(f"{process.path}/comm").strip() or "a program",
        only_writes=all(writing),
        sends=any(writing),
        handles=tuple(handles),
    )


def _target(link: str) -> str:
    try:
        # There are thousands of them: a Path each would double the time.
        return os.readlink(link)  # noqa: PTH115
    except OSError:
        return ""


def _only_writes(fdinfo: str) -> bool:
    _, _, text = _text(fdinfo).partition("flags:")
    if not text:
        return False
    flags = int(text.split()[0], 8)
    return flags & (os.O_WRONLY | os.O_RDWR) == os.O_WRONLY


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
