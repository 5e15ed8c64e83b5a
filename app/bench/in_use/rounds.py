"""Several measurements of the same outputs, in turn with those of other outputs, as one row."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

SHORTEST_S = 4.0
MOST = 3
SUMS = ("dropped", "seconds")
LARGEST = ("longest",)
"""Of the stalls of the GUI thread."""


def rounds_of(seconds: float) -> int:
    """Return in how many rounds to measure for `seconds` in all: the state of a machine may change within them."""
    return min(MOST, max(1, int(seconds / SHORTEST_S)))


def merged(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return one row: the median of every number, but the sum of `SUMS` and the largest of `LARGEST`."""
    return {key: _merged(key, [row[key] for row in rows if key in row]) for row in rows for key in row}


def _merged(key: str, values: list[Any]) -> Any:
    known = [value for value in values if value is not None]
    if not known or isinstance(known[0], str | list):
        return known[-1] if known else None
    if isinstance(known[0], dict):
        return merged(known)
    if key in SUMS:
        return round(sum(known), 2)
    return max(known) if key in LARGEST else round(statistics.median(known), 3)
