"""Int8 versions of networks: files that name the weights that they were made of."""

from __future__ import annotations

import functools
import logging
from pathlib import Path

from models.weights import WeightsError, expected_sha256, known_sha256

LOG = logging.getLogger(__name__)
SOURCE = "source_sha256"
"""Metadata entry of an int8 file: the SHA-256 of the weights file that it was made of and measured with."""
SIMILAR = "similar_sha256"
"""Metadata entry: the SHA-256 of weights that the int8 version fits as well, but with which it was not measured."""


def int8_file(weights: Path) -> Path:
    """Return the path of the int8 version beside a weights file."""
    return weights.with_name(f"{weights.stem}-int8.safetensors")


def find_int8(weights: Path, shipped: Path | None = None, *, measured: bool = False) -> Path | None:
    """Return the int8 version of a weights file; None if there is none or it was made of other weights.

    shipped: a file in another folder, used if there is none beside the weights. measured: only a version that was
    measured with these weights.
    """
    entries = (SOURCE,) if measured else (SOURCE, SIMILAR)
    return next((file for file in (int8_file(weights), shipped) if file and _fits(file, weights, entries)), None)


def _fits(file: Path, weights: Path, entries: tuple[str, ...]) -> bool:
    try:
        key = tuple((path.stat().st_mtime_ns, path.stat().st_size) for path in (weights, file))
    except OSError:
        return False
    return _belongs(file, weights, entries, expected_sha256(file), key)


@functools.lru_cache(maxsize=8)
def _belongs(
    file: Path, weights: Path, entries: tuple[str, ...], expected: str | None, _state: tuple[tuple[int, int], ...]
) -> bool:
    """Return whether `file` is intact and was made of `weights`.

    expected: the SHA-256 that `file` must have, if any. _state: times and sizes of both, for the cache.
    """
    from safetensors import SafetensorError, safe_open

    try:
        if expected and known_sha256(file) != expected:
            LOG.warning("The int8 version %s is damaged and not used; reinstall the program.", file)
            return False
        with safe_open(file, framework="numpy") as opened:
            metadata: dict[str, str] = opened.metadata() or {}
        return known_sha256(weights) in [metadata.get(entry) for entry in entries]
    except (OSError, SafetensorError, WeightsError):
        return False
