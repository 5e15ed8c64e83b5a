"""Int8 versions of networks: files beside the weights that they were made of."""

from __future__ import annotations

import functools
from pathlib import Path

from models.weights import WeightsError, sha256_of

SOURCE = "source_sha256"
"""Metadata entry of an int8 file: the SHA-256 of the weights file that it was made of."""


def int8_file(weights: Path) -> Path:
    """Return the path of the int8 version of a weights file."""
    return weights.with_name(f"{weights.stem}-int8.safetensors")


def find_int8(weights: Path) -> Path | None:
    """Return the int8 version of a weights file; None if there is none or it was made of other weights."""
    file = int8_file(weights)
    try:
        key = tuple((path.stat().st_mtime_ns, path.stat().st_size) for path in (weights, file))
    except OSError:
        return None
    return file if _belongs(file, weights, key) else None


@functools.lru_cache(maxsize=8)
def _belongs(file: Path, weights: Path, _state: tuple[tuple[int, int], ...]) -> bool:
    """Return whether `file` was made of `weights`. _state: their times and sizes, for the cache."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="numpy") as opened:
            metadata: dict[str, str] = opened.metadata() or {}
        return metadata.get(SOURCE) == sha256_of(weights)
    except (OSError, SafetensorError, WeightsError):
        return False
