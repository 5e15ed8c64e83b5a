"""The scale of the blur strength: 0 to 100 covers what the level of strict mode allows.

The full scale, 0 to 100, is that of the level `off`. The other levels allow what hides text, so that their 0 is
`HIDES_TEXT` of the full scale.
"""

from __future__ import annotations

from typing import Literal

StrictLevel = Literal["off", "balanced", "strict"]

HIDES_TEXT = 70.0
"""Least strength of the full scale at which text 60 px high at 720p is unreadable even after deconvolution."""
STRONGEST = 100.0


def full_strength(strength: float, level: StrictLevel) -> float:
    """Return the strength on the full scale, for one on the scale of a level."""
    return strength if level == "off" else HIDES_TEXT + strength * (STRONGEST - HIDES_TEXT) / STRONGEST


def level_strength(full: float, level: StrictLevel) -> float:
    """Return the strength on the scale of a level, rounded; 0 where the level does not allow so weak a blur."""
    if level == "off":
        return round(full, 1)
    return round(max(full - HIDES_TEXT, 0.0) * STRONGEST / (STRONGEST - HIDES_TEXT), 1)


def hides_text(strength: float, level: StrictLevel) -> bool:
    """Return whether a blur of this strength hides text."""
    return full_strength(strength, level) >= HIDES_TEXT
