"""Rules and thresholds of strict mode, shared by the implementation for CPUs and the one in torch.

Both work on a grid of cells, each the mean of some pixels of the small frame:

1. Nobody is shown in the first WAIT_FRAMES frames of a stream: a recurrent network sees people in
   furniture then.
2. The network is certain of a cell if it lies in a square of 3x3 cells that all have an alpha above
   CERTAIN_ALPHA. Of a person, no such cell is removed.
3. The background is learned where the network sees nobody, and where something is hidden and does
   not move. What the network overlooks passes as well: what was learned is replaced only after it
   has differed for a while. Cells that agree with the learned background are removed, unless the
   network is certain of them.
4. The remaining cells above BODY_ALPHA form components. A component is a person if the network is
   certain of most of it, or of a part where it has moved. Loose pieces and what the network is
   unsure of are no people.
5. The matte is kept within people and one cell around them. Where it is cut, it fades;
   `cpu_strict.soft_gain` says how. Alpha below FLOOR becomes 0 and alpha above 1 - FLOOR becomes 1.
"""

from __future__ import annotations

GRID_SHORT_SIDE = 90
"""The grid has at least this many cells along its short side, if the small frame has as many
pixels.
"""
WAIT_FRAMES = 2
"""Frames at the start of a stream in which nobody is shown."""
FLOOR = 0.15
"""Alpha that becomes 0; 1 - FLOOR becomes 1, and 0.5 stays."""

CERTAIN_ALPHA = 0.97
"""Least alpha of 3x3 cells of which the network is certain."""
BODY_ALPHA = 0.6
"""Mean alpha of a cell that belongs to a person. Fainter cells are kept only next to one."""
CERTAIN_SHARE, MOVED_CERTAIN_SHARE = 0.7, 0.25
"""Least share of the cells of a person of which the network is certain, and of one who has moved:
motion blur is translucent. Measured: at most 0.64 of a still ghost, at least 0.90 of still people,
0.46 of people who enter.
"""
CERTAIN_CELLS = 6
"""Least number of cells in whose square of 3x3 the network is certain of a person."""
EMPTY_ALPHA = 0.04
"""Largest alpha of 3x3 cells that are empty: the background is learned from them."""
PRESENT_ALPHA = 0.05
"""Motion is remembered where alpha stays above this."""
FAINT_ALPHA = 0.02
"""Added to alpha where it weighs what is kept around a pixel."""
EDGE_SHARE = 0.15
"""Share of the matte around a pixel that is kept, below which the pixel is removed; from 1 -
EDGE_SHARE it is kept.
"""

AGREEMENT = 0.03
"""Difference of colour (0..1, mean over 3x3 cells) below which a cell agrees with the learned
background.
"""
CHANGED = 0.07
"""Difference above which an empty cell has changed."""
HIDDEN_FRAMES, MOST_FRAMES = 3, 16
"""Frames after which the background is known where it was hidden, and the most frames over which it
is averaged.
"""
MOTION = 0.02
"""Change of colour (0..1, mean over 3x3 cells) against the recent frames that is motion and not
noise.
"""
REFERENCE_RATE = 0.5
"""Weight of the newest frame in the mean of the recent frames."""
MOVED_SHARE = 0.02
"""Least share of a component that must have moved."""

LIGHT_RANGE = (0.7, 1.4)
"""Changes of exposure and white balance, per channel, that are compensated."""
LIGHT_SHARE = 0.05
"""Share of known cells below which the light is not estimated."""


def cell_size(small_width: int, small_height: int) -> int:
    """Return how many pixels of the small frame, along each side, make a cell."""
    return max(1, min(small_width, small_height) // GRID_SHORT_SIDE)
