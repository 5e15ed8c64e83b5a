"""Numbers as the language of the window writes them."""

from __future__ import annotations

from PyQt6.QtCore import QLocale


def decimal(value: float, places: int) -> str:
    """Return a number with so many decimal places, such as `29.4` or `29,4`."""
    return QLocale().toString(value, "f", places)


def short(value: float, digits: int = 6) -> str:
    """Return a number with at most so many digits and no trailing zeros, such as `30` or `29.97`."""
    return QLocale().toString(value, "g", digits)
