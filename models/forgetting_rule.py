"""Parameter of the stage that clears memories where the picture changes, for execution without torch.

A recurrent network that was trained on calm sequences shows the background for some frames where a fast person was.
Before each step, its memories are therefore multiplied by the share to keep:

    means = the small frame, halved twice (means of 2x2 pixels; incomplete squares at the right and lower border)
    change = largest difference of a channel from the means of the frame before
    keep = 1 - dilate(clamp(change / rule.change - 1, 0, 1)) over 3x3 means

at 1/4, and halved again for the memories at 1/8 and 1/16.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ForgettingRule:
    """Colours are in 0..1."""

    change: float = 0.1
    """Change from which memories begin to be cleared; at twice as much nothing is kept."""
