"""The manifest of a batch: one JSON line per change of a clip, on disk before the batch goes on."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from pydantic import TypeAdapter

from app.core import paths
from app.core.files import is_file
from app.offline.batch.files import is_remote
from app.offline.batch.job import Written

MANIFEST = "manifest.jsonl"


def state_folder(target: str) -> Path:
    """Return the local folder that holds manifest and lock of a batch into `target`."""
    if not is_remote(target):
        return Path(target)
    return paths.data_dir() / "batches" / hashlib.sha256(target.encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class Record:
    """The state of one clip; fields with the names of those of `JobResult` are of its last try."""

    file: str
    settings_hash: str
    state: str
    """`started`, `done`, `failed`, `interrupted`, or `retried` after the worker of a try died."""
    tries: int
    frames: int = 0
    expected_frames: int | None = None
    sha256: str | None = None
    error: str | None = None
    source_bytes: int | None = None
    source_time_ns: int | None = None
    """Time of the last change of the source."""
    target: str = ""
    target_bytes: int | None = None
    outputs: dict[str, Written] = field(default_factory=dict)
    """Outputs besides the composite: `alpha` and `foreground` if wanted."""


_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)  # absent on Windows


class Manifest:
    """Appends records; each is on disk when `add` returns."""

    def __init__(self, path: Path) -> None:
        """Raises OSError, also for a symbolic link."""
        self._file: IO[bytes] = os.fdopen(os.open(path, _FLAGS, 0o600), "ab+")
        self._file.seek(0, os.SEEK_END)
        if self._file.tell():
            self._file.seek(-1, os.SEEK_END)
            if self._file.read(1) != b"\n":  # a crash cut the last line
                self._file.write(b"\n")

    def add(self, record: Record) -> None:
        """Append a line. Raises OSError."""
        line = json.dumps(asdict(record), ensure_ascii=False)
        self._file.write(line.encode(errors="backslashreplace") + b"\n")  # a name that is no UTF-8 becomes \udcXX
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._file.close()


_CHECKED = TypeAdapter(Record)


def last_records(path: Path) -> dict[str, Record]:
    """Return the last record of each clip; a line that a crash cut is left out. Raises OSError."""
    records: dict[str, Record] = {}
    if not is_file(path):
        return records
    for line in path.read_bytes().splitlines():
        record = _record(line)
        if record is not None:
            records[record.file] = record
    return records


def _record(line: bytes) -> Record | None:
    try:
        fields: Any = json.loads(line)
        return _CHECKED.validate_python({name: fields[name] for name in Record.__slots__ if name in fields})
    except (ValueError, TypeError, RecursionError):  # pydantic's ValidationError is a ValueError
        return None
