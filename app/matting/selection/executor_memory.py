"""What the trials of executors found, kept from one start of the program to the next."""

from __future__ import annotations

import functools
import importlib.metadata
import logging
import math
import threading
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from app.config import paths
from app.config.json_file import JsonObject, read_object, write_object
from app.core.errors import SettingsError
from app.matting.selection import hardware

_log = logging.getLogger(__name__)
_lock = threading.Lock()
EXECUTORS = ("eager", "compiled", "cuda-graph", "openvino")
PRECISIONS = ("float32", "float16", "bfloat16")
MOST = 100
"""So many situations are kept, the newest ones."""
PACKAGES = ("torch", "openvino", "numba")


@dataclass(frozen=True, slots=True)
class Way:
    """A way to run the step."""

    executor: str
    precision: str


@dataclass(frozen=True, slots=True)
class Situation:
    """What a trial holds for; another machine, version, network or precision asked for has its own.

    So have sizes of twice the pixels, but not those between: a slider would call for a trial at each of its places.
    """

    machine: str
    model: str
    precision: str
    """As in the settings."""
    size: tuple[int, int]
    small_size: tuple[int, int]

    @property
    def kind(self) -> str:
        """All but the sizes."""
        return f"{self.machine} | {self.model} | {self.precision}"

    @property
    def key(self) -> str:
        """As it stands in the file."""
        return f"{self.kind} | 2^{_magnitude(self.size)} px | 2^{_magnitude(self.small_size)} px"


def _magnitude(size: tuple[int, int]) -> int:
    return round(math.log2(max(1, size[0] * size[1])))


@functools.cache
def machine(device: str) -> str:
    """The processor or GPU behind `device`, with the versions of what runs on it."""
    name = hardware.gpu(device) if device.startswith("cuda") else hardware.processor()
    return ", ".join([name, *(f"{package} {_version(package)}" for package in PACKAGES)])


def recall(situation: Situation, *, alike: bool = False) -> Way | None:
    """What was best in this situation; with `alike`, where it was never tried, what was best at another size."""
    known = _read()
    entries = [known.get(situation.key)]
    if alike:
        entries += [entry for key, entry in reversed(known.items()) if key.startswith(situation.kind + " | ")]
    return next((way for way in map(_way, entries) if way is not None), None)


def remember(situation: Situation, way: Way, step_ms: dict[Way, float]) -> None:
    """Keep that `way` was best, and the medians; where that cannot be written, the next start tries again."""
    entry: JsonObject = {
        "executor": way.executor,
        "precision": way.precision,
        "date": date.today().isoformat(),
        "step_ms": {f"{tried.executor} {tried.precision}": round(ms, 2) for tried, ms in step_ms.items()},
    }
    with _lock:
        known = _read()
        known.pop(situation.key, None)
        known[situation.key] = entry
        kept: JsonObject = dict(list(known.items())[-MOST:])
        try:
            write_object(_file(), kept)
        except SettingsError as error:
            _log.warning("The best executor cannot be kept in %s (%s).", _file(), error.__cause__ or error)


def _file() -> Path:
    return paths.data_dir() / "cache" / "executors.json"


def _read() -> JsonObject:
    """What the file holds; nothing where it cannot be read or is broken: it is a cache and is made anew."""
    try:
        return read_object(_file()) or {}
    except (OSError, SettingsError) as error:
        _log.info("The file %s of the best executors is made anew (%s).", _file(), error)
        return {}


def _way(entry: object) -> Way | None:
    if not isinstance(entry, dict):
        return None
    executor, precision = entry.get("executor"), entry.get("precision")
    return Way(executor, precision) if executor in EXECUTORS and precision in PRECISIONS else None


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "none"
