"""Access to files and commands of the host, replaceable in tests."""

from __future__ import annotations

import ctypes.util
import getpass
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from platform import machine
from platform import release as running_kernel

from app.core.process import Holder, holders
from app.doctor.display import window_problem
from app.output.camera_list import is_busy
from app.system.pipewire.connection import daemon_answers

_COMMAND_TIMEOUT_S = 10.0


def run_command(command: Sequence[str]) -> str | None:
    """Return what a short command without side effects prints.

    None if it is missing, fails or takes ten seconds.
    """
    try:
        done = subprocess.run(
            list(command),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_COMMAND_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace")


def user_name() -> str:
    """Return the name of this user.

    Its number where the system knows no name, as in a container.
    """
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # OSError from Python 3.13 on
        if sys.platform != "win32":
            return str(os.getuid())
        raise


def registry_texts(key: str, name: str) -> tuple[str, ...]:
    """Return the texts that the registry of Windows has under a name, for this user and for all.

    None elsewhere.
    """
    found: list[str] = []
    if sys.platform == "win32":
        import winreg

        for root in (winreg.HKEY_CURRENT_USER, winreg.HKEY_LOCAL_MACHINE):
            with suppress(OSError), winreg.OpenKey(root, key) as opened:
                text, _ = winreg.QueryValueEx(opened, name)
                found.append(str(text))
    return tuple(found)


def programs_since(key: str, name: str) -> tuple[str, ...]:
    """Return the desktop apps below a key of the registry of Windows whose number of this name
    is 0.

    None elsewhere.

    Windows names them by their paths, with `#` in place of the backslashes.
    """
    found: list[str] = []
    if sys.platform == "win32":
        import winreg

        with suppress(OSError), winreg.OpenKey(winreg.HKEY_CURRENT_USER, key) as programs:
            for number in range(winreg.QueryInfoKey(programs)[0]):
                path = winreg.EnumKey(programs, number)
                with suppress(OSError), winreg.OpenKey(programs, path) as program:
                    ended_at, _ = winreg.QueryValueEx(program, name)
                    if ended_at == 0:
                        found.append(path.rpartition("#")[2])
    return tuple(found)


def camera_permissions() -> Mapping[str, str] | None:
    """Return what the camera portal has stored, without asking the user.

    None if there is no portal.
    """
    from app.system.portal import PortalError, read_permissions

    try:
        return read_permissions()
    except PortalError:
        return None


@dataclass(frozen=True)
class System:
    """This machine, or a fake of one in a folder."""

    root: Path = Path("/")
    platform: str = sys.platform
    # The processor's architecture, such as `x86_64`; `AMD64` on Windows.
    machine: str = field(default_factory=machine)
    # The running kernel, as `uname -r` prints it.
    release: str = field(default_factory=running_kernel)
    user: str = field(default_factory=user_name)
    pid: int = field(default_factory=os.getpid)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    run: Callable[[Sequence[str]], str | None] = run_command
    # Returns whether this user may open a device, without opening it.
    may_use: Callable[[Path], bool] = lambda device: os.access(device, os.R_OK | os.W_OK)
    # Returns whether another program sends to a virtual camera.
    is_busy: Callable[[str], bool] = is_busy
    pipewire_answers: Callable[[], bool] = daemon_answers
    # Stored answers of the camera portal by the program's id; None if there is no portal.
    camera_permissions: Callable[[], Mapping[str, str] | None] = camera_permissions
    # The texts of the registry of Windows by key and name, for this user and for all.
    registry_texts: Callable[[str, str], tuple[str, ...]] = registry_texts
    # The desktop apps of the registry of Windows by key, and by the name of a number that is 0.
    programs_since: Callable[[str, str], tuple[str, ...]] = programs_since
    find_library: Callable[[str], str | None] = ctypes.util.find_library
    # Returns why no window can open, a part of a sentence; None if one can.
    window_problem: Callable[[], str | None] = window_problem

    def path(self, absolute: str) -> Path:
        """Return the path of the machine's file `absolute`."""
        return self.root / absolute.lstrip("/")

    def read(self, absolute: str) -> str:
        """Return the text of a file without the line end; empty if it cannot be read."""
        try:
            return self.path(absolute).read_bytes().decode("utf-8", "replace").strip("\n\0 ")
        except OSError:
            return ""

    def names(self, absolute: str) -> tuple[str, ...]:
        """The sorted names in a folder; none where it cannot be read."""
        try:
            return tuple(sorted(entry.name for entry in self.path(absolute).iterdir()))
        except OSError:
            return ()

    def holders(self, device: str) -> tuple[Holder, ...]:
        """The other processes that have `device` open, as far as this user may see them."""
        found = holders(device, self.path("/proc"))
        return tuple(holder for holder in found if holder.pid != self.pid)
