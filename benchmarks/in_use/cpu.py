"""CPU time of the process by part of the program."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import psutil

from app.core.process import LINUX
from app.matting.openvino.openvino_backend import RecurrentNetwork
from app.media import yuv

PARTS = ("capture", "network", "finish", "convert", "camera", "encode", "preview", "gui", "other")
_BY_THREAD = (
    ("capture", "capture"),
    ("matting", "finish"),
    ("finish", "finish"),
    ("virtual-camera", "camera"),
    ("pipewire", "camera"),
    ("recording", "encode"),
    ("recording-alpha", "encode"),
    ("encoder", "encode"),
    ("preview", "preview"),
    ("MainThread", "gui"),
)
"""(beginning of the name of a Python thread, part that its CPU time belongs to)"""
_NATIVE_NETWORK = ("matting", "engine-builder", "compiler")
"""Python threads that start OpenVINO's workers, which inherit their names."""


@dataclass(frozen=True, slots=True)
class ThreadTime:
    """CPU time of one thread so far."""

    name: str
    native: bool
    """Not started by Python; the name is that of the thread that started it."""
    cpu_s: float


@dataclass(frozen=True, slots=True)
class CpuSample:
    """CPU time of the process so far, in seconds."""

    at_s: float
    process_s: float
    threads: dict[int, ThreadTime]
    """By native thread id."""
    sections: dict[tuple[int, str], float]
    """By native thread id and part, as in `cpu_part`."""


_spent_ns: dict[tuple[int, str], int] = {}
"""CPU time by native thread id and name of the part."""


@contextmanager
def cpu_part(name: str) -> Iterator[None]:
    """Add the calling thread's CPU time inside the context to a named part.

    Time that other threads spend for the section does not count.
    """
    key = threading.get_native_id(), name
    started_ns = time.thread_time_ns()
    try:
        yield
    finally:
        _spent_ns[key] = _spent_ns.get(key, 0) + time.thread_time_ns() - started_ns


def cpu_parts_s() -> dict[tuple[int, str], float]:
    """Return the CPU time of living threads so far in seconds, by native thread id and name of the
    part.
    """
    living = {thread.native_id for thread in threading.enumerate()}
    return {key: spent_ns / 1e9 for key, spent_ns in _spent_ns.copy().items() if key[0] in living}


@contextmanager
def sections_counted() -> Iterator[None]:
    """Count networks and conversions apart from the rest of their threads inside the context."""
    network = patch.object(RecurrentNetwork, "infer", cpu_part("network")(RecurrentNetwork.infer))
    conversion = patch.object(yuv, "to_yuv", cpu_part("convert")(yuv.to_yuv))
    with network, conversion:
        yield


def sample() -> CpuSample:
    """Return the CPU time so far."""
    names = {thread.native_id: thread.name for thread in threading.enumerate()}
    threads = {
        thread: ThreadTime(names.get(thread) or _native_name(thread), thread not in names, cpu_s)
        for thread, cpu_s in _thread_times()
    }
    return CpuSample(time.perf_counter(), time.process_time(), threads, cpu_parts_s())


def cpu_ms(before: CpuSample, after: CpuSample, frames: int) -> dict[str, float]:
    """Return the CPU time per frame between two samples in milliseconds, by part, with the `total`."""
    spent = dict.fromkeys(PARTS, 0.0)
    for thread, now in after.threads.items():
        started = before.threads.get(thread)
        spent[_part(now)] += now.cpu_s - (started.cpu_s if started is not None else 0.0)
    for (thread, part), now_s in after.sections.items():
        section_s = now_s - before.sections.get((thread, part), 0.0)
        if thread in after.threads and part in spent:
            spent[part] += section_s
            spent[_part(after.threads[thread])] -= section_s
    total_s = after.process_s - before.process_s
    spent["other"] += total_s - sum(spent.values())  # threads that have ended
    return {
        part: round(seconds * 1e3 / max(1, frames), 2)
        for part, seconds in (*spent.items(), ("total", total_s))
    }


def thread_table(before: CpuSample, after: CpuSample, frames: int) -> dict[str, float]:
    """Return the CPU time per frame by name of thread in milliseconds, largest first."""
    spent: dict[str, float] = {}
    for thread, now in after.threads.items():
        started = before.threads.get(thread)
        name = f"{now.name} (native)" if now.native else now.name
        spent[name] = (
            spent.get(name, 0.0) + now.cpu_s - (started.cpu_s if started is not None else 0.0)
        )
    by_time = sorted(spent.items(), key=lambda item: -item[1])
    return {
        name: round(seconds * 1e3 / max(1, frames), 2) for name, seconds in by_time if seconds > 0
    }


def _part(thread: ThreadTime) -> str:
    if thread.native and thread.name.startswith(_NATIVE_NETWORK):
        return "network"
    return next((part for start, part in _BY_THREAD if thread.name.startswith(start)), "other")


def _thread_times() -> list[tuple[int, float]]:
    """Return (native thread id, CPU seconds) of every thread."""
    if not LINUX:
        return [
            (thread.id, thread.user_time + thread.system_time)
            for thread in psutil.Process().threads()
        ]
    times = []
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):  # the thread has just ended
            # psutil counts in clock ticks of 10 ms
            times.append((int(task.name), int((task / "schedstat").read_text().split()[0]) / 1e9))
    return times


def _native_name(thread: int) -> str:
    try:
        return Path(f"/proc/self/task/{thread}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return ""
