"""Image sizes used by the frame step."""

from __future__ import annotations

from dataclasses import dataclass

AUTO_SHORT_SIDE = 270
"""Default short side of the small frame in pixels; a network's spec may override it."""
ROOM_SHORT_SIDE = 160


@dataclass(frozen=True, slots=True)
class StepGeometry:
    """Frame size, downsample ratio, and the sizes derived from them, in pixels."""

    width: int
    height: int
    ratio: float

    @property
    def small_width(self) -> int:
        """Width of the small frame, the network's input."""
        return int(self.width * self.ratio)

    @property
    def small_height(self) -> int:
        """Height of the small frame, the network's input."""
        return int(self.height * self.ratio)

    @property
    def blur_factor(self) -> int:
        """Downsampling factor per axis from the small frame to the blurred background."""
        return max(1, -(-min(self.small_width, self.small_height) // ROOM_SHORT_SIDE))

    @property
    def blur_short_side(self) -> int:
        """Short side of the blurred background."""
        return min(self.small_width, self.small_height) // self.blur_factor


def auto_ratio(width: int, height: int, short_side: int = AUTO_SHORT_SIDE) -> float:
    """Return the ratio, at most 1, that scales the frame's short side to `short_side` pixels."""
    return min(1.0, short_side / min(width, height))
