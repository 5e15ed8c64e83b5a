"""Only me: follow one selected person over frames and crossings, and hide everybody else.

Works on a grid of cells. The person is the part of the matte that continues the part of the last
frame. Where the person touches somebody else, position and colours divide the part; where that is
not certain, nothing is shown until the two are apart and the colours tell which is which. The state
holds two histograms of the colours of clothes, which recognise nobody, and two masks.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationInfo, field_validator

from app.core.declaration import Fraction, Hides, Model, look, setting
from app.core.geometry import cutout, from_camera
from app.core.settings import FramingSettings
from app.core.types import WHOLE_VIEW, Floats, Mask, MatteEdit
from app.effects.base import Effect, FrameContext, SeenFrame
from app.effects.finding import on_grid

# The bin of each cell's colour, (rows, columns).
Codes = NDArray[np.intp]
Histogram = NDArray[np.float64]
"""(BINS,) with the sum 1."""

# Share of a colour that nobody was seen with.
FLOOR = 1e-3
LEVELS = 6
BINS = LEVELS**3
# Least divergence of colours with which people who touch can be told apart.
DIVISIBLE = 2.5
# Least similarity of colours with which a hidden person is shown again.
OWN = 0.7
# Least divergence of colours with which a person can be told from somebody who is
# seen apart; less than to divide people who touch, since each has a part of their own.
DISTINCT = 0.5
# Least `leaning` of colours that are taken as those of the person.
LEANING = 0.75
# Least similarity of colours of a part that holds nothing of anybody else.
ALONE = 0.9
# Largest growth while somebody may come out from behind the person.
WARY_GROWTH = 1.1
# A part that is smaller than the person was by more than this factor is not believed.
SHRINKAGE = 0.3


def histogram(codes: Codes, mask: Mask) -> Histogram:
    """Return the colours under the mask."""
    counts = np.bincount(codes[mask], minlength=BINS).astype(np.float64)
    cube = counts.reshape((LEVELS, LEVELS, LEVELS))
    # Neighbouring bins share, since light and noise shift colours.
    for axis in range(3):
        widths = [(0, 0), (0, 0), (0, 0)]
        widths[axis] = (1, 1)
        padded = np.pad(cube, widths, mode="edge")
        before = np.take(padded, np.arange(0, LEVELS), axis)
        after = np.take(padded, np.arange(2, 2 + LEVELS), axis)
        cube = 0.6 * cube + 0.2 * (before + after)
    total = cube.sum()
    if total == 0:
        return np.full(BINS, 1 / BINS)
    flat: Histogram = cube.ravel() / total
    return flat


def divergence(one: Histogram, other: Histogram) -> float:
    """Return the Jeffreys divergence: 0 for equal colours.

    It is above 3 for filmed people in different clothes. Colours that everybody has, such as skin
    and hair, count for nothing.
    """
    return float(((one - other) * _log_ratio(one, other)).sum())


def leaning(seen: Histogram, own: Histogram, others: Histogram) -> float:
    """Return whose colours are seen, by likelihood: about 1 for `own`, 0 for `others`.

    These two must differ.
    """
    ratio = _log_ratio(own, others)
    return float(((seen - others) * ratio).sum() / ((own - others) * ratio).sum())


def _log_ratio(own: Histogram, others: Histogram) -> Histogram:
    ratio: Histogram = np.log((own + FLOOR) / (others + FLOOR))
    return ratio


@dataclass(slots=True)
class PersonMemory:
    """What is remembered of the last frames."""

    own: Mask
    others: Mask
    # The person's cells while last touching nobody: nothing far
    # from them is shown while people touch.
    anchor: Mask
    # Number of the person's cells while touching nobody.
    area: float
    colours: Histogram
    # Of whoever else was seen; None: nobody.
    other_colours: Histogram | None
    # Remaining time during which somebody who vanished
    # while touching the person may be behind them.
    wary_s: float = 0.0

    @property
    def largest_area(self) -> float:
        """The largest number of cells that is believed to be the person alone."""
        growth = WARY_GROWTH if self.wary_s else GROWTH
        return growth * self.area


class Seen(NamedTuple):
    """What a frame shows, on the grid."""

    # The connected parts of the matte; specks are left out.
    parts: list[Mask]
    # All parts together.
    everybody: Mask
    codes: Codes


def divisible(memory: PersonMemory) -> bool:
    """Return whether the colours tell the person from somebody who touches the person."""
    if memory.other_colours is None:
        return False
    return divergence(memory.colours, memory.other_colours) >= DIVISIBLE


def is_alone(memory: PersonMemory, part: Mask, codes: Codes) -> bool:
    """Return whether a part has the size and the colours of the person alone."""
    if part.sum() > WARY_GROWTH * memory.area:
        return False
    return looks_like(memory, histogram(codes, part), ALONE)


def other_apart(memory: PersonMemory, parts: Sequence[Mask], codes: Codes) -> bool:
    """Return whether one of the parts, which are not the person's, shows somebody else."""
    large = [part for part in parts if part.sum() >= SHRINKAGE * memory.area]
    known = memory.other_colours
    if known is None or not divisible(memory):
        return bool(large)
    most = 1 - LEANING
    return any(leaning(histogram(codes, part), memory.colours, known) <= most for part in large)


def looks_like(memory: PersonMemory, colours: Histogram, least: float = LEANING) -> bool:
    """Return whether these are the person's colours, and clearly not those of anybody else seen."""
    # The Bhattacharyya coefficient, 1 for equal colours.
    similarity = float(np.sqrt(colours * memory.colours).sum())
    if similarity < OWN:
        return False
    others = memory.other_colours
    if others is None:
        return True
    if divergence(memory.colours, others) < DISTINCT:
        return False
    return leaning(colours, memory.colours, others) >= least


# Resolution, in parts of a cell, at which a change of the crop is followed.
SCALE = 16
# Mean alpha from which a cell belongs to somebody.
PRESENT = 0.25
# Least share of the frame that a person covers.
MIN_SHARE = 0.002
# Cells by which people move between two frames.
REACH = 3
# Cells around the person that are shown as well, for hair and soft edges.
RIM = 2
# A part that is larger than the person was by
# more than this factor holds somebody else.
GROWTH = 1.4
# For how long somebody who vanished while touching the
# person may still come out from behind them.
WARY_S = 5.0
# Least part of the person's size that is shown while
# somebody touches them; below it most of them is hidden.
COVERED = 0.65
# Largest change of the person's size per second that is taken as coming closer.
AREA_RATE = 0.15
# Weight of the newest frame in the colours of a person who touches nobody.
LEARN_RATE = 0.05
# For so many frames in a row a hidden person must be found before being shown again.
PROOF_FRAMES = 10
# Cells of distance that one unit of the colours' advantage is worth.
COLOUR_WEIGHT = 2.0
# Least advantage, in cells, of a cell that is shown while people touch.
CERTAIN = 1.5
# Least advantage of the colours of a cell where the
# person was not before touching somebody.
FOREIGN = 1.5
_SQUARE = np.ones((3, 3), np.uint8)


Point = tuple[float, float]


class OnlyMeSettings(Model):
    """Whether one person alone is shown."""

    # Shows the largest person, or the one that is selected.
    only_me: bool = look(
        False,
        "Hide everybody but one person; click the person in the preview.",
        title="Only me",
        option="--only-me/--everybody",
        hides=Hides("people", operator.lt),
        resets=("people.selected",),
    )
    # Never saved: at the next start somebody else may sit there.
    selected: tuple[Fraction, Fraction] | None = setting(
        None, "", scope="run", stage=None, hides=Hides("people", only_with="only_me")
    )
    """Where the user last selected the person, in fractions of the camera's upright frame."""

    @field_validator("selected")
    @classmethod
    def _ends_with_the_effect(cls, value: Point | None, info: ValidationInfo) -> Point | None:
        return value if info.data.get("only_me") else None


class OnlyMe(Effect[OnlyMeSettings]):
    """Tracks one person in one stream. Nothing outlives this object."""

    section = "people"
    part = OnlyMeSettings
    follows = ("only_me", "selected")

    def __init__(self) -> None:
        # What the settings selected when the person in memory was chosen.
        self._selected: Point | None = None
        # The selection, if it was made in the picture of another camera, or
        # before the camera was turned: nobody is shown until the next one.
        self._elsewhere: Point | None = None
        self._memory: PersonMemory | None = None
        # Whether the person is shown. If not found, or not told
        # apart from somebody else, nobody is: this fails closed.
        self.shown = False
        self._frames_found_in_a_row = 0
        # Where the next frame shows the person to remember, in
        # fractions of the matte; None: the largest one.
        self._point: Point | None = None

    def is_on(self, frame: FrameContext) -> bool:
        return self.own(frame).only_me

    def begin_frame(self, frame: FrameContext, last: FrameContext | None, *, was_on: bool) -> None:
        selected = self.own(frame).selected
        if last is not None and _shows_another_place(frame, last):
            # Who is selected as the place changes was seen in the last one.
            self._elsewhere = selected
        elif not was_on or selected != self._elsewhere:
            self._elsewhere = None
        framing = frame.settings.framing
        is_reframed = last is not None and framing != last.settings.framing
        # Whoever was selected beside the crop may be in it now.
        waits_for_crop = is_reframed and selected is not None and self._memory is None
        if last is None or not was_on or selected != self._selected or waits_for_crop:
            point = None
            if selected is not None:
                point = from_camera(framing, WHOLE_VIEW, *selected)
            self.select(point)
            self._selected = selected
        elif is_reframed:
            self.reframe(last.settings.framing, framing)

    def edit(self, frame: FrameContext, seen: SeenFrame) -> MatteEdit:
        gain = self.gain(seen.small, seen.alpha, seen.step_s)
        if self._elsewhere is not None:
            gain = np.zeros_like(gain)
        return MatteEdit(gain)

    def reset(self) -> None:
        """Let a person who was clicked be found again, by size and colours.

        Without a click, the next person is the largest.
        """
        if self._selected is None:
            self.select(None)
        elif self._memory is not None:
            self._hide(self._memory, np.zeros_like(self._memory.own))

    def select(self, point: Point | None) -> None:
        """Select the person at a point of the matte at the next frame.

        point: in fractions of the matte; None: the largest person.
        """
        self._memory = None
        self._point = point
        self.shown = False
        self._frames_found_in_a_row = 0

    def reframe(self, before: FramingSettings, after: FramingSettings) -> None:
        """Move the masks with the manual crop, by which the next frame shows another part."""
        memory = self._memory
        if memory is None:
            return
        rows, columns = memory.own.shape
        old_left, old_top, old_width, old_height = cutout(before, SCALE * columns, SCALE * rows)
        left, top, width, height = cutout(after, SCALE * columns, SCALE * rows)
        # Cells of the old crop per cell of the new one; centres of cells meet.
        scale_x = width / old_width
        scale_y = height / old_height
        shift_x = ((left - old_left) / old_width) * columns + (scale_x - 1) / 2
        shift_y = ((top - old_top) / old_height) * rows + (scale_y - 1) / 2
        matrix = np.array([[scale_x, 0, shift_x], [0, scale_y, shift_y]])
        memory.own = _warped(memory.own, matrix)
        memory.others = _warped(memory.others, matrix)
        memory.anchor = _warped(memory.anchor, matrix)
        memory.area /= scale_x * scale_y

    def gain(self, small: Floats, alpha: Floats, step_s: float) -> Floats:
        """Return the factor for alpha (h, w) of the next frame. small: (3, h, w), RGB in 0..1."""
        grid = on_grid(alpha)
        image = np.stack([on_grid(plane) for plane in small])
        levels = np.clip(image * LEVELS, 0, LEVELS - 1).astype(np.intp)
        codes: Codes = (levels[0] * LEVELS + levels[1]) * LEVELS + levels[2]
        nobody = np.zeros(grid.shape, np.bool_)
        labels, areas = _labelled(grid > PRESENT, 8)
        parts = [labels == label for label in np.flatnonzero(areas >= MIN_SHARE * grid.size)]
        seen = Seen(parts, np.any([nobody, *parts], axis=0), codes)
        if self._memory is not None and self._memory.own.shape != grid.shape:
            # Another size of the frame: where anybody was is unknown, the colours still hold.
            self.shown = False
            self._memory.own = nobody
            self._memory.others = nobody
            self._memory.anchor = nobody
        if self._memory is None:
            self._select_part(seen)
        elif self.shown:
            self._track(self._memory, seen, step_s)
        else:
            self._memory.wary_s = max(0.0, self._memory.wary_s - step_s)
            self._search(self._memory, seen)
        shown = np.zeros(grid.shape, np.float32)
        if self.shown and self._memory is not None:
            shown[_grown(self._memory.own, RIM) & ~_grown(self._memory.others, 1)] = 1
        height, width = alpha.shape
        gain = cv2.resize(shown, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(gain, np.float32)

    def _select_part(self, seen: Seen) -> None:
        """Remember the selected part, if there is one."""
        if not seen.parts:
            return
        own: Mask | None = max(seen.parts, key=np.sum)
        if self._point is not None:
            own = _part_at(self._point, seen.parts)
        if own is None:
            return
        self._memory = PersonMemory(
            own=own,
            others=seen.everybody & ~own,
            anchor=own,
            area=float(own.sum()),
            colours=histogram(seen.codes, own),
            other_colours=None,
        )
        self._learn_others(self._memory, seen.codes, 1.0)
        self.shown = True

    def _track(self, memory: PersonMemory, seen: Seen, step_s: float) -> None:
        """Find the person of the last frame in this one."""
        codes = seen.codes
        part = _part_within(_grown(memory.own, REACH), seen.parts)
        if part is None:
            self._hide(memory, seen.everybody)
            return
        others = [each for each in seen.parts if each is not part]
        # Without the reach: people who come close to each other do not touch yet.
        touches = bool((part & memory.others).sum() > max(2, 0.02 * memory.area))
        apart = other_apart(memory, others, codes)
        if apart and is_alone(memory, part, codes):
            touches = False
        if apart and not touches:
            memory.wary_s = 0.0
        else:
            memory.wary_s = max(0.0, memory.wary_s - step_s)
        grew = part.sum() > memory.largest_area
        shares = touches or (memory.wary_s > 0 and divisible(memory))
        if shares:
            divided = self._divide(memory, part, codes)
            if divided is None:
                self._hide(memory, seen.everybody, WARY_S)
                return
            part = divided
            if touches:
                memory.wary_s = WARY_S
        elif grew:
            self._hide(memory, seen.everybody, WARY_S)
            return
        else:
            for other in others:
                was_own = (other & memory.own).sum() > 0.5 * other.sum()
                if was_own and not (other & memory.others).any():
                    part = part | other  # a hand or a leg that the matte has cut off
        least_share = COVERED if touches else SHRINKAGE
        if part.sum() < least_share * memory.area:
            self._hide(memory, seen.everybody)
            return
        memory.own = part
        memory.others = seen.everybody & ~part
        if not shares:
            self._learn(memory, part, codes, step_s)

    def _learn(self, memory: PersonMemory, part: Mask, codes: Codes, step_s: float) -> None:
        """Follow the size and the colours of the person, who is the part and touches nobody."""
        memory.anchor = part
        change = 1.0
        # While somebody may be behind the person, a part that grows may be both of them.
        if not memory.wary_s:
            change = 1 + AREA_RATE * min(step_s, 0.2)
        memory.area = float(np.clip(part.sum(), memory.area / change, memory.area * change))
        seen = histogram(codes, part)
        memory.colours = (1 - LEARN_RATE) * memory.colours + LEARN_RATE * seen
        self._learn_others(memory, codes, LEARN_RATE)

    def _divide(self, memory: PersonMemory, part: Mask, codes: Codes) -> Mask | None:
        """Return the person's cells of a part that two people share.

        None if they cannot be told apart.
        """
        others = memory.other_colours
        if others is None or not divisible(memory):
            return None
        mine = memory.own
        theirs = memory.others
        if is_alone(memory, part, codes):
            # The other one left, or is behind the person.
            mine = part
            theirs = theirs & ~part
        nearer = _distance(theirs) - _distance(mine)
        ratio = _log_ratio(memory.colours, others)[codes].astype(np.float32)
        colour = np.asarray(cv2.blur(ratio, (3, 3)), np.float32).clip(-3, 3)
        # A cell is the person's by where it is and by its colour; both are in cells of distance.
        score = np.clip(nearer, -REACH, REACH) + COLOUR_WEIGHT * colour
        expected = _grown(memory.anchor, 1) | (colour > FOREIGN)
        own: Mask = part & (score > CERTAIN) & expected
        labels, areas = _labelled(own, 4)
        largest: Mask = labels == areas.argmax()
        if 0 < areas.max() <= GROWTH * memory.area:
            return largest
        return None

    def _hide(self, memory: PersonMemory, everybody: Mask, wary_s: float = 0.0) -> None:
        self.shown = False
        self._frames_found_in_a_row = 0
        memory.wary_s = max(memory.wary_s, wary_s)
        memory.own = np.zeros_like(everybody)
        memory.others = everybody

    def _search(self, memory: PersonMemory, seen: Seen) -> None:
        """Show the person again once one part alone has had their colours and size for a while."""
        least = SHRINKAGE * memory.area
        most = memory.largest_area
        sized = [part for part in seen.parts if least < part.sum() <= most]
        fitting = [part for part in sized if looks_like(memory, histogram(seen.codes, part))]
        if len(fitting) != 1:
            self._frames_found_in_a_row = 0
            return
        self._frames_found_in_a_row += 1
        if self._frames_found_in_a_row >= PROOF_FRAMES:
            own = fitting[0]
            memory.own = own
            memory.others = seen.everybody & ~own
            memory.anchor = own
            self.shown = True

    @staticmethod
    def _learn_others(memory: PersonMemory, codes: Codes, rate: float) -> None:
        if memory.others.sum() < MIN_SHARE * memory.others.size:
            return
        seen = histogram(codes, memory.others)
        known = memory.other_colours
        if known is None:
            memory.other_colours = seen
        else:
            memory.other_colours = (1 - rate) * known + rate * seen


def _shows_another_place(frame: FrameContext, last: FrameContext) -> bool:
    """Return whether a place in the last frame means nothing in this one."""
    # A camera that was unknown until now, "", is the same one.
    is_other_camera = last.camera not in ("", frame.camera)
    return is_other_camera or last.orientation != frame.orientation


def _part_at(point: Point, parts: Sequence[Mask]) -> Mask | None:
    """Return the part at a point, or else near it; None if there is none, or the point is beside
    the crop.
    """
    if not all(0 <= share <= 1 for share in point):
        return None
    rows, columns = parts[0].shape
    row = min(int(point[1] * rows), rows - 1)
    column = min(int(point[0] * columns), columns - 1)
    here = [part for part in parts if part[row, column]]
    if here:
        return here[-1]
    top = max(0, row - REACH)
    left = max(0, column - REACH)
    near = np.s_[top : row + REACH + 1, left : column + REACH + 1]
    beside = [part for part in parts if part[near].any()]
    return beside[-1] if beside else None


def _part_within(reach: Mask, parts: Sequence[Mask]) -> Mask | None:
    """Return the part that covers most of the cells within reach; None if no part does."""
    if not parts:
        return None
    part = max(parts, key=lambda each: (each & reach).sum())
    return part if (part & reach).any() else None


def _warped(mask: Mask, matrix: NDArray[np.float64]) -> Mask:
    """Return the mask moved by the inverse of an affine map, in cells; nobody is beyond it."""
    rows, columns = mask.shape
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(mask.astype(np.uint8), matrix, (columns, rows), flags=flags)
    return np.asarray(moved).astype(np.bool_)


def _labelled(mask: Mask, connectivity: int) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """Return the label of each cell, and the number of cells of each label.

    Labels are 1 for the first connected part of the mask, and so on. Label 0 is outside of the mask
    and counts no cells.
    """
    count, found = cv2.connectedComponents(mask.astype(np.uint8), connectivity=connectivity)
    labels = np.asarray(found, np.int32)
    areas = np.bincount(labels.ravel(), minlength=count)
    areas[0] = 0
    return labels, areas


def _grown(mask: Mask, cells: int) -> Mask:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), _SQUARE, iterations=cells)).astype(np.bool_)


def _distance(mask: Mask) -> Floats:
    """Return the distance of each cell to the mask, in cells."""
    if not mask.any():
        return np.full(mask.shape, float(max(mask.shape)), np.float32)
    return np.asarray(cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 3), np.float32)
