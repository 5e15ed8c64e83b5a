"""The sizes the frame step works at."""

from __future__ import annotations

from dataclasses import dataclass

AUTO_SHORT_SIDE = 270
"""Short side in pixels of the small frame, unless the network's spec says otherwise."""
ROOM_SHORT_SIDE = 160


@dataclass(frozen=True, slots=True)
class StepGeometry:
    """Frame size, the ratio to the small frame, and what follows from them, in pixels."""

    width: int
    height: int
    ratio: float

    @property
    def small_width(self) -> int:
        """Width of the frame the network sees."""
        return int(self.width * self.ratio)

    @property
    def small_height(self) -> int:
        """Height of the frame the network sees."""
        return int(self.height * self.ratio)

    @property
    def room_factor(self) -> int:
        """How many pixels of the small frame, along each side, make one of the blurred room."""
        return max(1, -(-min(self.small_width, self.small_height) // ROOM_SHORT_SIDE))

    @property
    def room_short_side(self) -> int:
        """The short side of the blurred room."""
        return min(self.small_width, self.small_height) // self.room_factor


def auto_ratio(width: int, height: int, short_side: int = AUTO_SHORT_SIDE) -> float:
    """The downsample ratio that makes the small frame's short side `short_side` pixels; at most 1."""
    return min(1.0, short_side / min(width, height))
