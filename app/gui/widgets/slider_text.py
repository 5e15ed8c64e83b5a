"""What sliders show for their values: 100 steps are one unit of the setting."""

from __future__ import annotations

from PyQt6.QtCore import QLocale

from app.gui.i18n.numbers import decimal

STEPS = 100
"""Slider steps per unit of the setting."""


def times(value: int) -> str:
    """Return a factor, such as `1.50 ×`."""
    return f"{decimal(value / STEPS, 2)} ×"


def percent(value: int) -> str:
    """Return a share, such as `35 %`."""
    return f"{QLocale().toString(value)} %"


def offset(value: int) -> str:
    """Return a shift with its sign, such as `+20 %`."""
    return f"{value:+d} %" if value else "0 %"
