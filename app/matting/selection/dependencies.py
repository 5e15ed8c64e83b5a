"""What results that are kept for this machine depend on: processor, Python, packages, sources and shipped weights."""

from __future__ import annotations

import hashlib
import importlib.metadata
import sys

from app.core.files import paths
from app.matting.selection import hardware

PACKAGES = ("numba", "llvmlite", "numpy", "openvino")


def digest() -> str:
    """Return a digest of everything that results depend on; results with another one are made again."""
    versions = [f"{package} {_version(package)}" for package in PACKAGES]
    sources = sorted([*(paths.ROOT / "models").rglob("*"), *(paths.ROOT / "app" / "matting").rglob("*.py")])
    # Like numba, by time and size: reading all files would delay every start.
    stats = [f"{file} {file.stat().st_mtime_ns} {file.stat().st_size}" for file in sources if file.suffix != ".pyc"]
    words = [hardware.processor(), hardware.processor_flags(), sys.version, *versions]
    return hashlib.sha256(
        "\n".join([*words, *(stat for stat in stats if "__pycache__" not in stat)]).encode()
    ).hexdigest()


def copy_of_program() -> str:
    """Return a short name for this copy of the program: several share the folder of the results."""
    return hashlib.sha256(str(paths.ROOT).encode()).hexdigest()[:16]


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
