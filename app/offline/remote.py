"""Clips and films on other file systems: fetched to a temporary place on this machine and uploaded whole.

An address such as `s3://bucket/clip.mp4` names a file system that fsspec knows; everything else is a path.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.core import paths
from app.core.errors import MattecamError, SinkLostError, SourceOpenError, UsageError

REQUIREMENTS = "requirements-cluster.txt"


def is_remote(name: str) -> bool:
    """Return whether a name is the address of another file system."""
    return "://" in name


def parent_and_name(name: str) -> tuple[str, str]:
    """Split a path or an address into its folder and the last part."""
    if is_remote(name):
        folder, _, last = name.rstrip("/").rpartition("/")
        return folder, last
    return str(Path(name).parent), Path(name).name


def joined(folder: str, name: str) -> str:
    """Return the path or address of a file in a folder."""
    return f"{folder.rstrip('/')}/{name}" if is_remote(folder) else str(Path(folder) / name)


def fetch(source: str, folder: Path) -> Path:
    """Return a local path of a clip; one of another file system is copied into `folder`. Raises SourceOpenError."""
    if not is_remote(source):
        return Path(source)
    local = folder / f"source{Path(parent_and_name(source)[1]).suffix}"
    with _explained(SourceOpenError, "fetched", source):
        system, path = _opened(source)
        system.get_file(path, str(local))
    return local


def upload(local: Path, target: str) -> None:
    """Upload a finished file whole: under a temporary name, which is then renamed. Raises SinkLostError."""
    with _explained(SinkLostError, "uploaded", target):
        system, path = _opened(target)
        temporary = f"{path}.{uuid.uuid4().hex}.part"
        system.makedirs(path.rpartition("/")[0], exist_ok=True)
        try:
            system.put_file(str(local), temporary)
            system.mv(temporary, path)
        except BaseException:
            if system.exists(temporary):
                system.rm_file(temporary)
            raise


def list_folder(address: str) -> list[str]:
    """Return the addresses of the files in a remote folder; an empty list if it is a file. Raises SourceOpenError."""
    with _explained(SourceOpenError, "fetched", address):
        system, path = _opened(address)
        if not system.isdir(path):
            return []
        return [joined(address, str(entry).rstrip("/").rpartition("/")[2]) for entry in system.ls(path, detail=False)]


def size_and_time(name: str) -> tuple[int | None, int | None]:
    """Return size in bytes and time of the last change in nanoseconds (0 where unknown); None if there is no file.

    Of a folder: the sum of the sizes of its images, and the last change of one.
    """
    from app.media.image_file import pictures_in  # imports NumPy; see the imports of `job`

    try:
        if not is_remote(name):
            path = Path(name)
            stats = [file.stat() for file in (pictures_in(path) if path.is_dir() else [path])]
            return sum(stat.st_size for stat in stats), max((stat.st_mtime_ns for stat in stats), default=0)
        system, address = _opened(name)
        info = system.info(address)
        changed = info.get("mtime") or info.get("LastModified") or 0
        seconds = changed.timestamp() if hasattr(changed, "timestamp") else changed
        return int(info["size"]), round(float(seconds) * 1e9)
    except Exception:  # noqa: BLE001 - the job itself names the error
        return None, None


def check_address(address: str) -> None:
    """Raise UsageError if the file system of an address is unknown, or its package is not installed."""
    protocol = address.partition("://")[0]
    try:
        import fsspec
    except ImportError as error:
        remedy = paths.how_to_install(REQUIREMENTS, ["fsspec"])
        raise UsageError(f"{address} needs the package fsspec; {remedy}.") from error
    try:
        fsspec.get_filesystem_class(protocol)
    except ImportError as error:
        raise UsageError(f"{address} needs a package that is missing: {error}.") from error
    except ValueError as error:
        raise UsageError(f"{address} is an address of an unknown kind; check the part before ://.") from error


@contextmanager
def _explained(kind: type[MattecamError], done: str, address: str) -> Iterator[None]:
    """Raise what a file system raises as an error of this kind; our own errors pass. done: such as "fetched"."""
    try:
        yield
    except MattecamError:
        raise
    except Exception as error:
        reason = f"{address} cannot be {done}: {error}; check the address and the access rights."
        raise kind(reason) from error


def _opened(address: str) -> tuple[Any, str]:
    """Return the file system of an address and the path in it. Raises UsageError, and whatever the file system does."""
    check_address(address)
    import fsspec

    system, path = fsspec.core.url_to_fs(address)
    return system, str(path)
