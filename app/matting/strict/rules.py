"""Thresholds of strict mode, shared by the numpy and the torch implementation.

Strict mode works on a grid of cells, each the mean of CELL x CELL pixels of the small frame. Per frame:

1. Nobody is shown in the first WAIT_FRAMES frames. Meanwhile motion is observed and the background is learned.
2. The background is learned from cells around which the network sees nobody, and from cells that are hidden and do not
   change. The second kind is doubtful: a person who has not moved yet is hidden as well.
   What the network overlooks passes as well: background is replaced only after it has differed for a while.
   What was seen empty is known after one frame, what is doubtful after LEAST_FRAMES.
3. A cell that agrees with the learned background is background, unless it and its neighbours are opaque. Opaque cells
   are background if they equal background that was seen empty where it has a pattern, because clothes rarely repeat it
   by chance, or where they have just changed and lie beside background: somebody moved away. What is doubtful may be
   a part of a person that is at rest while the rest moves.
4. Cells above BODY_ALPHA form components. A component is a person if it has an opaque core, if it has moved since it
   appeared, and if most of it does not agree with the learned background. If half of it agrees with doubtful
   background only, it is a person who begins to move, and that background is forgotten where and beside where the
   network is certain of the person. Elsewhere it may be furniture that the network takes for a part of the person.
5. What has a strong pattern that has not changed since the first frame is furniture, if it is more than single cells
   and little of the people: the rest of them has moved.
6. The matte is kept within the people and one cell around them. Everything else becomes background.
7. While most of the people moves, cells that equal the last frame are not shown, unless they are beside cells that the
   network is certain of: they are the room, which a fast person has just left. Nothing is learned from that. A frame
   that the camera sends twice shows nobody at rest.
8. Alpha below FLOOR becomes 0, and the rest is stretched, so that the rim is narrower.

A scene cut and a reset of the stream forget the learned background and the motion.
"""

from __future__ import annotations

GRID_SHORT_SIDE = 90
"""The grid has at least this many cells along its short side, if the small frame has as many pixels."""

FLOOR = 0.15
"""Alpha that becomes 0; alpha 1 stays."""

BODY_ALPHA = 0.7
"""Mean alpha of a cell that belongs to a person. Fainter cells are kept only next to one."""
CORE_ALPHA = 0.85
"""Least alpha of 3x3 cells at the core of a person."""
OPAQUE_ALPHA = 0.97
"""Least alpha of 3x3 cells that agreement with the background does not remove: clothes may look like the wall."""
EMPTY_ALPHA = 0.04
"""Largest alpha of 3x3 cells that the background is learned from."""
PRESENT_ALPHA = 0.05
"""Motion is remembered where alpha stays above this."""
UNSEEN_ALPHA = 0.06
"""Alpha of cells at which the network did not look: neither empty nor a person, and motion is remembered."""

AGREEMENT = 0.045
"""Difference of colour (0..1, mean over 3x3 cells) below which a cell agrees with the learned background."""
EXACT = 0.03
"""Largest difference (0..1) of each of 3x3 cells that repeat the background; a few times the noise."""
UNCOVERED_CELLS = 8
"""Cells beside the background, at most, that are taken for uncovered in one frame."""
PATTERN = 0.04
"""Range of brightness (0..1) of 3x3 cells of the background above which they have a pattern, and not only noise."""
STRONG_PATTERN = 0.12
"""The same of a pattern that changes visibly if it moves by a fraction of a cell."""
UNMOVED = 0.015
"""Largest difference (0..1) from an earlier frame of each of 3x3 cells that have not moved: little more than noise."""
UNMOVED_CELLS = 5
"""Least number of 3x3 cells with such a pattern that are furniture. Fewer are chance: a person who hardly moves."""
UNMOVED_SHARE = 0.05
"""Share of the cells of all people up to which unmoved patterns are furniture. Above, somebody sits still."""
MOVING_SHARE = 0.5
"""Share of the cells of all people that move above which cells at rest are the room."""
REPEATED_SHARE = 0.75
"""Share of the moving cells that equal the last frame above which the camera has sent it again, but for its noise."""
CHANGED = 0.07
"""Difference above which an empty cell has changed."""
LEAST_FRAMES, MOST_FRAMES = 3, 16
"""Frames after which doubtful background is known, and the most frames over which background is averaged."""
CHANGE_COST = 1
"""Frames of learning that an empty cell loses in each frame in which it is changed; it learns again when none are left.
A network overlooks a person who enters for some frames, and the background behind them must not be forgotten."""
AGREEING_SHARE = 0.7
"""A component of which a larger share agrees with the background is no person. Clothes may look like the wall."""
BEGINNING_SHARE = 0.5
"""A component of which a larger share agrees with doubtful background is a person who begins to move."""

MOTION = 0.02
"""Change of colour (0..1, mean over 3x3 cells) against the recent frames that is motion and not noise."""
REFERENCE_RATE = 0.5
"""Weight of the newest frame in the mean of the recent frames."""
MOVED_SHARE = 0.02
"""Least share of a component that must have moved."""
FIRST_MOVED_SHARE = 0.1
"""The same for a component that is mostly doubtful background, if another person is shown; a person who moves by one
cell changes about this share."""
WAIT_FRAMES = 4
"""Frames at the start of a stream and after a cut in which nobody is shown, so that the background is learned."""
CUT = 0.08
"""Mean change of colour over the whole frame (0..1) above which the scene may have been cut."""
CUT_CHANGE, CUT_SHARE = 2 * MOTION, 0.6
"""A cut changes more than CUT_SHARE of the cells by more than CUT_CHANGE; a person who enters changes fewer."""

LIGHT_RANGE = (0.7, 1.4)
"""Changes of exposure and white balance, per channel, that are compensated."""
LIGHT_SHARE = 0.05
"""Share of known cells below which the light is not estimated."""


def cell_size(small_width: int, small_height: int) -> int:
    """Return how many pixels of the small frame, along each side, make a cell."""
    return max(1, min(small_width, small_height) // GRID_SHORT_SIDE)
