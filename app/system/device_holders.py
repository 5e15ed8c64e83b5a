"""Find the processes that have a device open, from /proc (Linux only)."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from app.core.errors import Text, t

LINUX: bool = sys.platform.startswith("linux")
PROC = Path("/proc")
CAMERA_SERVICES = ("pipewire", "wireplumber")
"""PipeWire and WirePlumber hold camera devices open without streaming; ignore them."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that has a device open."""

    pid: int
    name: str
    only_writes: bool
    """The device is open for writing only, as by a producer."""

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
    for entry in os.scandir(proc):
        if entry.name.isdecimal():
            # The process may exit meanwhile, or belong to another user.
            with suppress(OSError):
                handles = [fd.name for fd in os.scandir(f"{entry.path}/fd") if _target(fd.path) == wanted]
                if handles:
                    found.append(_holder(entry.path, handles))
    return tuple(sorted(found, key=lambda holder: holder.pid))


def _target(link: str) -> str:
    try:
        return os.readlink(link)  # noqa: PTH115  thousands of them: a Path each would double the time
    except OSError:
        return ""


def _holder(process: str, handles: list[str]) -> Holder:
    name = _text(f"{process}/comm").strip() or "a program"
    return Holder(int(Path(process).name), name, all(_only_writes(f"{process}/fdinfo/{fd}") for fd in handles))


def _only_writes(fdinfo: str) -> bool:
    _, _, flags = _text(fdinfo).partition("flags:")
    return bool(flags) and int(flags.split()[0], 8) & (os.O_WRONLY | os.O_RDWR) == os.O_WRONLY


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
