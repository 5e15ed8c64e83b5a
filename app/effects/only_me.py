"""Only me: follow one selected person over frames and crossings, and hide everybody else.

Works on a grid of cells. The person is the part of the matte that continues the part of the last frame. Where the
person touches somebody else, position and colours divide the part; where that is not certain, nothing is shown until
the two are apart and the colours tell which is which. The state holds two histograms of the colours of clothes, which
recognise nobody, and two masks.
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
from app.core.edits import MatteEdit
from app.core.geometry import WHOLE_VIEW, cutout, from_camera
from app.core.settings import FramingSettings
from app.core.types import Floats, Mask
from app.effects.base import Effect, FrameContext, SeenFrame
from app.effects.finding import on_grid

Codes = NDArray[np.intp]
"""The bin of each cell's colour, (rows, columns)."""
Histogram = NDArray[np.float64]
"""(BINS,) with the sum 1."""

FLOOR = 1e-3
"""Share of a colour that nobody was seen with."""
LEVELS = 6
BINS = LEVELS**3
DIVISIBLE = 2.5
"""Least divergence of colours with which people who touch can be told apart."""
OWN = 0.7
"""Least similarity of colours with which a hidden person is shown again."""
DISTINCT = 0.5
"""Least divergence of colours with which a person can be told from somebody else who is seen apart."""
LEANING = 0.75
"""How much more the colours must be those of the person than of anybody else: 1 where they are the person's."""
ALONE = 0.9
"""Least similarity of colours of a part that holds nothing of anybody else."""
WARY_GROWTH = 1.1
"""Largest growth while somebody may come out from behind the person."""
SHRINKAGE = 0.3
"""A part that is smaller than the person was by more than this factor is not believed."""


def histogram(codes: Codes, mask: Mask) -> Histogram:
    """Return the colours under the mask; neighbouring bins share, since light and noise shift colours."""
    counts = np.bincount(codes[mask], minlength=BINS).astype(np.float64).reshape((LEVELS,) * 3)
    for axis in range(3):
        padded = np.pad(counts, [(1, 1) if each == axis else (0, 0) for each in range(3)], mode="edge")
        before, after = (np.take(padded, np.arange(start, start + LEVELS), axis) for start in (0, 2))
        counts = 0.6 * counts + 0.2 * (before + after)
    total = counts.sum()
    flat: Histogram = counts.ravel() / total if total > 0 else np.full(BINS, 1 / BINS)
    return flat


def divergence(one: Histogram, other: Histogram) -> float:
    """Return the Jeffreys divergence: 0 for equal colours; above 3 for filmed people in different clothes.

    Colours that everybody has, such as skin and hair, count for nothing.
    """
    return float(((one - other) * _log_ratio(one, other)).sum())


def leaning(seen: Histogram, own: Histogram, others: Histogram) -> float:
    """Return whose colours are seen, by likelihood: about 1 for `own`, 0 for `others`. These two must differ."""
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
    anchor: Mask
    """The person's cells while last touching nobody."""
    area: float
    """Cells of the person while touching nobody."""
    colours: Histogram
    other_colours: Histogram | None
    wary_s: float = 0.0
    """Remaining time during which somebody who vanished while touching the person may be behind them."""


class Seen(NamedTuple):
    """What a frame shows, on the grid."""

    parts: list[Mask]
    """The connected parts of the matte; specks are left out."""
    everybody: Mask
    """All parts."""
    codes: Codes


def divisible(memory: PersonMemory) -> bool:
    """Return whether the colours tell the person from somebody who touches the person."""
    return memory.other_colours is not None and divergence(memory.colours, memory.other_colours) >= DIVISIBLE


def is_alone(memory: PersonMemory, part: Mask, codes: Codes) -> bool:
    """Return whether a part has the size and the colours of the person alone."""
    return bool(part.sum() <= WARY_GROWTH * memory.area) and looks_like(memory, histogram(codes, part), ALONE)


def other_apart(memory: PersonMemory, parts: Sequence[Mask], codes: Codes) -> bool:
    """Return whether one of the parts, which are not the person's, shows somebody else."""
    large, known = [part for part in parts if part.sum() >= SHRINKAGE * memory.area], memory.other_colours
    if known is None or not divisible(memory):
        return bool(large)
    return any(leaning(histogram(codes, part), memory.colours, known) <= 1 - LEANING for part in large)


def looks_like(memory: PersonMemory, colours: Histogram, least: float = LEANING) -> bool:
    """Return whether these are the person's colours, and clearly not those of anybody else who was seen."""
    if float(np.sqrt(colours * memory.colours).sum()) < OWN:  # the Bhattacharyya coefficient, 1 for equal colours
        return False
    others = memory.other_colours
    if others is None:
        return True
    return divergence(memory.colours, others) >= DISTINCT and leaning(colours, memory.colours, others) >= least


SCALE = 16
"""Resolution, in parts of a cell, at which a change of the crop is followed."""
PRESENT = 0.25
"""Mean alpha from which a cell belongs to somebody."""
MIN_SHARE = 0.002
"""Least share of the frame that a person covers."""
REACH = 3
"""Cells by which people move between two frames."""
RIM = 2
"""Cells around the person that are shown as well, for hair and soft edges."""
GROWTH = 1.4
"""A part that is larger than the person was by more than this factor holds somebody else."""
WARY_S = 5.0
"""For how long somebody who vanished while touching the person may still come out from behind them."""
COVERED = 0.65
"""Least part of the person's size that is shown while somebody touches them; below it most of them is hidden."""
AREA_RATE = 0.15
"""Largest change of the person's size per second that is taken as coming closer."""
LEARN_RATE = 0.05
"""Weight of the newest frame in the colours of a person who touches nobody."""
PROOF_FRAMES = 10
"""For so many frames in a row a hidden person must be found before being shown again."""
COLOUR_WEIGHT = 2.0
"""Cells of distance that one unit of the colours' advantage is worth."""
CERTAIN = 1.5
"""Least advantage, in cells, of a cell that is shown while people touch."""
FOREIGN = 1.5
"""Least advantage of the colours of a cell where the person was not before touching somebody."""
_SQUARE = np.ones((3, 3), np.uint8)


Point = tuple[float, float]


class OnlyMeSettings(Model):
    """Whether one person alone is shown."""

    only_me: bool = look(
        False,
        "Hide everybody but one person; click the person in the preview.",
        title="Only me",
        option="--only-me/--everybody",
        hides=Hides("people", operator.lt),
        resets=("people.selected",),
    )
    """The largest person, or the one that is selected."""
    selected: tuple[Fraction, Fraction] | None = setting(
        None, "", scope="run", stage=None, hides=Hides("people", only_with="only_me")
    )
    """Where the user last selected the person, in fractions of the camera's upright frame; never saved."""

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
        self._on = False
        """Whether the person of the last frame is the one that is selected."""
        self._selected: Point | None = None
        """As in the settings."""
        self._elsewhere: Point | None = None
        """The selection, if it was made in the picture of another camera, or before the camera was turned: nobody is
        shown until the next one."""
        self._memory: PersonMemory | None = None
        self.shown = False
        """Whether the person is shown. If not found, or not told apart from somebody else, nobody is."""
        self._found = 0
        """Frames in a row in which a hidden person was found."""
        self._point: Point | None = None

    def begin_frame(self, frame: FrameContext, last: FrameContext | None) -> bool:
        own = self.own(frame)
        selected = own.selected
        moved = last is not None and (last.camera not in ("", frame.camera) or last.orientation != frame.orientation)
        if moved or selected != self._elsewhere:
            self._elsewhere = selected if moved else None
        if not own.only_me:
            self._on = False
        elif not self._on or selected != self._selected:
            self.select(None if selected is None else from_camera(frame.settings.framing, WHOLE_VIEW, *selected))
            self._on, self._selected = True, selected
        elif last is not None and frame.settings.framing != last.settings.framing:
            self.reframe(last.settings.framing, frame.settings.framing)
        return self._on

    def edit(self, frame: FrameContext, seen: SeenFrame) -> MatteEdit:
        gain = self.gain(seen.small, seen.alpha, seen.step_s)
        return MatteEdit(gain if self._elsewhere is None else np.zeros_like(gain))

    def reset(self) -> None:
        """Let a person who was clicked be found again by size and colours; else the next one is the largest."""
        if self._selected is None:
            self._on = False
        elif self._memory is not None:
            self._hide(self._memory, np.zeros_like(self._memory.own))

    def select(self, point: Point | None) -> None:
        """Select the person at a point, in fractions of the matte, at the next frame; None: the largest one."""
        self._memory, self._point = None, point
        self.shown, self._found = False, 0

    def reframe(self, before: FramingSettings, after: FramingSettings) -> None:
        """Move the masks with the manual crop: the next frame shows another part of the camera's frame."""
        memory = self._memory
        if memory is None:
            return
        rows, columns = memory.own.shape
        old, new = (cutout(framing, SCALE * columns, SCALE * rows) for framing in (before, after))
        scale_x, scale_y = new[2] / old[2], new[3] / old[3]  # cells of the old crop per cell of the new one
        matrix = np.array(
            [
                [scale_x, 0, ((new[0] - old[0]) / old[2]) * columns + (scale_x - 1) / 2],
                [0, scale_y, ((new[1] - old[1]) / old[3]) * rows + (scale_y - 1) / 2],
            ]
        )
        flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
        memory.own, memory.others, memory.anchor = (
            np.asarray(cv2.warpAffine(mask.astype(np.uint8), matrix, (columns, rows), flags=flags)).astype(np.bool_)
            for mask in (memory.own, memory.others, memory.anchor)
        )
        memory.area /= scale_x * scale_y

    def gain(self, small: Floats, alpha: Floats, step_s: float) -> Floats:
        """Return the factor for alpha (h, w) of the next frame. small: (3, h, w), RGB in 0..1."""
        grid, image = on_grid(alpha), np.stack([on_grid(plane) for plane in small])
        levels = np.clip(image * LEVELS, 0, LEVELS - 1).astype(np.intp)
        codes: Codes = (levels[0] * LEVELS + levels[1]) * LEVELS + levels[2]
        labels, areas = _labelled(grid > PRESENT, 8)
        parts = [labels == label for label in np.flatnonzero(areas >= MIN_SHARE * grid.size)]
        seen = Seen(parts, np.any([np.zeros(grid.shape, np.bool_), *parts], axis=0), codes)
        if self._memory is not None and self._memory.own.shape != grid.shape:
            self.shown = False
            self._memory.own = self._memory.others = self._memory.anchor = np.zeros(grid.shape, np.bool_)
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
        return np.asarray(
            cv2.resize(shown, (alpha.shape[1], alpha.shape[0]), interpolation=cv2.INTER_LINEAR), np.float32
        )

    def _select_part(self, seen: Seen) -> None:
        """Remember the selected part, if there is one."""
        if not seen.parts:
            return
        own = max(seen.parts, key=np.sum)
        if self._point is not None:
            rows, columns = own.shape
            row, column = min(int(self._point[1] * rows), rows - 1), min(int(self._point[0] * columns), columns - 1)
            near = np.s_[max(0, row - REACH) : row + REACH + 1, max(0, column - REACH) : column + REACH + 1]
            there = [part for part in seen.parts if part[row, column]] or [p for p in seen.parts if p[near].any()]
            if not there:
                return
            own = there[-1]
        colours = histogram(seen.codes, own)
        self._memory = PersonMemory(own, seen.everybody & ~own, own, float(own.sum()), colours, None)
        self._learn_others(self._memory, seen.codes, 1.0)
        self.shown = True

    def _track(self, memory: PersonMemory, seen: Seen, step_s: float) -> None:
        """Find the person of the last frame in this one."""
        reached, codes = _grown(memory.own, REACH), seen.codes
        part = max(seen.parts, key=lambda each: (each & reached).sum(), default=np.zeros_like(reached))
        if not (part & reached).any():
            self._hide(memory, seen.everybody)
            return
        others = [each for each in seen.parts if each is not part]
        # Without the reach: people who come close to each other do not touch yet.
        touches = bool((part & memory.others).sum() > max(2, 0.02 * memory.area))
        apart = other_apart(memory, others, codes)
        if apart and is_alone(memory, part, codes):
            touches = False
        memory.wary_s = 0.0 if apart and not touches else max(0.0, memory.wary_s - step_s)
        grew = part.sum() > (WARY_GROWTH if memory.wary_s else GROWTH) * memory.area
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
            for other in others:  # a hand or a leg that the matte has cut off
                if (other & memory.own).sum() > 0.5 * other.sum() and not (other & memory.others).any():
                    part = part | other
        if part.sum() < (COVERED if touches else SHRINKAGE) * memory.area:
            self._hide(memory, seen.everybody)
            return
        memory.own, memory.others = part, seen.everybody & ~part
        if not shares:
            memory.anchor = part
            change = 1 + (0.0 if memory.wary_s else AREA_RATE) * min(step_s, 0.2)
            memory.area = float(np.clip(part.sum(), memory.area / change, memory.area * change))
            memory.colours = (1 - LEARN_RATE) * memory.colours + LEARN_RATE * histogram(codes, part)
            self._learn_others(memory, codes, LEARN_RATE)

    def _divide(self, memory: PersonMemory, part: Mask, codes: Codes) -> Mask | None:
        """Return the person's cells of a part that two people share; None if they cannot be told apart."""
        others = memory.other_colours
        if others is None or not divisible(memory):
            return None
        mine, theirs = memory.own, memory.others
        if is_alone(memory, part, codes):
            mine, theirs = part, theirs & ~part  # the other one left, or is behind the person
        nearer = _distance(theirs) - _distance(mine)
        ratio = _log_ratio(memory.colours, others)[codes].astype(np.float32)
        colour = np.asarray(cv2.blur(ratio, (3, 3)), np.float32).clip(-3, 3)
        score = np.clip(nearer, -REACH, REACH) + COLOUR_WEIGHT * colour
        expected = _grown(memory.anchor, 1) | (colour > FOREIGN)
        own: Mask = part & (score > CERTAIN) & expected
        labels, areas = _labelled(own, 4)
        largest: Mask = labels == areas.argmax()
        return largest if 0 < areas.max() <= GROWTH * memory.area else None

    def _hide(self, memory: PersonMemory, everybody: Mask, wary_s: float = 0.0) -> None:
        self.shown, self._found = False, 0
        memory.wary_s = max(memory.wary_s, wary_s)
        memory.own, memory.others = np.zeros_like(everybody), everybody

    def _search(self, memory: PersonMemory, seen: Seen) -> None:
        """Show the person again once exactly one part has had the colours and the size for a while."""
        least, most = SHRINKAGE * memory.area, (WARY_GROWTH if memory.wary_s else GROWTH) * memory.area
        sized = [part for part in seen.parts if least < part.sum() <= most]
        fitting = [part for part in sized if looks_like(memory, histogram(seen.codes, part))]
        self._found = self._found + 1 if len(fitting) == 1 else 0
        if self._found >= PROOF_FRAMES:
            memory.own, memory.others, memory.anchor = fitting[0], seen.everybody & ~fitting[0], fitting[0]
            self.shown = True

    @staticmethod
    def _learn_others(memory: PersonMemory, codes: Codes, rate: float) -> None:
        if memory.others.sum() < MIN_SHARE * memory.others.size:
            return
        seen = histogram(codes, memory.others)
        known = memory.other_colours
        memory.other_colours = seen if known is None else (1 - rate) * known + rate * seen


def _labelled(mask: Mask, connectivity: int) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """Return the label of each cell, from 1 for the first connected part of the mask, and the cells of each label.

    Label 0 is outside of the mask and counts no cells.
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
