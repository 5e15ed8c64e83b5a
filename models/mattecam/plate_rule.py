"""Constants of the comparison with a plate; imports no torch."""

REACH = 2
"""Pixels of the small frame by which the plate may be off."""
NEAR = 10
"""Pixels of the small frame around a difference in which a person may be."""
SAME, OTHER = 0.015, 0.03
"""Differences up to which the frame is the plate, and from which it is not."""
