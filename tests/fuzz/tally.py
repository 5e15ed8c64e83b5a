"""How many cases were tried; printed at the end of the run."""

from __future__ import annotations

_tried = [0]


def count() -> None:
    """One more."""
    _tried[0] += 1


def total() -> int:
    """All so far."""
    return _tried[0]
