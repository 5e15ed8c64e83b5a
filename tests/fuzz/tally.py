"""Number of fuzz cases, printed at the end of the run."""

from __future__ import annotations

_tried = [0]


def count() -> None:
    """Count one case."""
    _tried[0] += 1


def total() -> int:
    """Return the number of cases so far."""
    return _tried[0]
