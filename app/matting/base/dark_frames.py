"""Exposure of a dark frame for the network alone, which was trained on well-lit people and loses parts of dark ones.

The network sees the small frame times a gain; its coefficients are then made those of the frame as it is.
"""

from __future__ import annotations

DARK, DARKER = 0.3, 0.2
"""Mean of the small frame, of 0..1, below which it gets a gain, and the full one."""
TARGET = 0.4
"""Mean to which the full gain leads."""
MOST_GAIN = 4.0


def network_gain(mean: float) -> float:
    """Return the gain of the network's input for a small frame with this mean, 1 where it is not dark."""
    share = min(max((DARK - mean) / (DARK - DARKER), 0.0), 1.0)
    return min(1 + (TARGET / max(mean, 1e-3) - 1) * share, MOST_GAIN)
