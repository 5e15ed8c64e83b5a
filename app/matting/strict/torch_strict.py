"""Strict mode in torch; `app.matting.strict.rules` explains it.

There is no branch on values and no copy from the device, so that the filter can be part of a captured graph.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as functional
from torch import Tensor

from app.matting.strict import rules
from app.matting.strict.torch_components import components, count

_PLANES = [3, 1, 1, 1, 3, 3, 1, 3, 1, 1]
"""Of the memory: learned background, frames it was learned from, whether it is doubtful, motion, mean of the recent
frames, last frame, whether it was empty, first frame, whether a strong pattern of it has not moved, and age.

The age is 0 before the first frame; then it is the number of frames since the start or the last cut, plus 1, up to
`_OLD`. It is negative before the first frame of a stream in which people are already known.
"""
CHANNELS = sum(_PLANES)
_MOVED = sum(_PLANES[:3])
_OLD = rules.WAIT_FRAMES + 1
Label = Callable[[Tensor], Tensor]


def initial_memory(small_height: int, small_width: int, device: torch.device) -> Tensor:
    """Return the memory before the first frame, (1, CHANNELS, rows, columns) float32."""
    cell = rules.cell_size(small_width, small_height)
    size = 1, CHANNELS, small_height // cell, small_width // cell
    return torch.zeros(size, dtype=torch.float32, device=device)


def with_people(memory: Tensor, seen: Tensor | None) -> Tensor:
    """Return the initial memory of a stream in which people are already known.

    seen: alpha (H, W) uint8 of people who are shown at once, as if they had moved before; None: nobody is known.
    """
    if seen is None:
        return memory
    cells = functional.interpolate(seen[None, None].float(), memory.shape[2:], mode="area")
    moved = (cells > 255 * rules.BODY_ALPHA).to(memory)
    moved = moved.expand(memory.shape[0], -1, -1, -1)
    return torch.cat([memory[:, :_MOVED], moved, memory[:, _MOVED + 1 : -1], torch.full_like(moved, -1)], 1)


def strict_matte(
    small: Tensor,
    slope: Tensor,
    offset: Tensor,
    coarse: Tensor,
    memory: Tensor,
    label: Label = components,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return slope, offset (B, 4, h, w), coarse alpha (B, 1, h, w) and the new memory.

    small: (B, 3, h, w), RGB in 0..1. label: labels components.
    """
    gain, after = _gain(small.float(), coarse.float().clamp(0, 1), memory, label)
    stretch = gain / (1 - rules.FLOOR)
    strict_slope = torch.cat([slope[:, :3], slope[:, 3:] * stretch], 1)
    strict_offset = torch.cat([offset[:, :3], (offset[:, 3:] - rules.FLOOR) * stretch], 1)
    return strict_slope, strict_offset, coarse * gain, after


def _gain(small: Tensor, coarse: Tensor, memory: Tensor, label: Label) -> tuple[Tensor, Tensor]:
    """What alpha is to be multiplied by, (B, 1, h, w) in 0..1, and the new memory."""
    height, width = coarse.shape[2:]
    cell = rules.cell_size(width, height)
    image, alpha = functional.avg_pool2d(small, cell), functional.avg_pool2d(coarse, cell)
    background, frames, doubtful, moved, *images, was_empty, first, unmoved, age = torch.split(memory, _PLANES, 1)
    images = [torch.where(age > 0, kept, image) for kept in (background, *images, first)]
    background, reference, last, first = images
    was_empty, unmoved = ((kept > 0) | (age <= 0) for kept in (was_empty, unmoved))
    age = torch.where(age < 0, _OLD, age.clamp(min=1))

    largest = _largest(alpha)
    empty, certain = largest < rules.EMPTY_ALPHA, largest > rules.OPAQUE_ALPHA
    moving, cut, reference = _follow(image, reference, empty & was_empty)
    same = _same(image, last)
    resting = same & ~certain & (_count(moving & same) <= rules.REPEATED_SHARE * _count(moving))
    background, first, frames = *(torch.where(cut, image, kept) for kept in (background, first)), frames * ~cut
    unmoved = (unmoved | cut) & _unmoved(image, first, empty)
    unsure, age = (doubtful > 0) & ~cut, torch.where(cut, 1, age)
    background, evidence = _compare(image, background, frames, unsure, empty, moving)
    agreeing = evidence.agreeing
    has_moved = (((moved > 0) & ~cut) | moving) & (alpha > rules.PRESENT_ALPHA) & ~(agreeing & unsure)

    translucent = torch.where(unsure, alpha, _smallest(alpha)) <= rules.OPAQUE_ALPHA
    removed = (agreeing & translucent) | evidence.repeating
    gone, uncovered = removed.float(), evidence.uncovered.float()
    for _ in range(rules.UNCOVERED_CELLS):
        gone = torch.maximum(gone, uncovered * _largest(gone))
    removed = gone > 0
    uncertain = ~removed | unsure
    core = _largest(-alpha * uncertain) < -rules.CORE_ALPHA
    mask = (alpha > rules.BODY_ALPHA) & uncertain
    people, beginning = _people(mask, core, has_moved, agreeing, agreeing & unsure, label)
    forgotten = _grown(beginning) & unsure & (certain | ~agreeing)
    frames, unsure, removed = torch.where(forgotten, 0, frames), unsure & ~forgotten, removed & ~forgotten
    furniture = _count(people & unmoved) <= rules.UNMOVED_SHARE * _count(people)
    removed = removed | (furniture & _grown(_clustered(unmoved)))
    body = people & ~removed
    has_moved = has_moved | (body & core)
    shown = _grown(body) & ~removed & (age >= _OLD)
    background, frames, unsure = _learn(image, background, frames, unsure, evidence, empty, shown, age < _OLD)
    moves = _count(body & moving) > rules.MOVING_SHARE * _count(body)
    kept = (shown & ~(resting & moves)).float()
    gain = functional.interpolate(kept, scale_factor=cell, mode="bilinear", align_corners=False)
    rest = 0, width - gain.shape[3], 0, height - gain.shape[2]
    after = background, frames, unsure.float(), has_moved.float(), reference, image, empty.float(), first
    gain = functional.pad(gain, rest, mode="replicate") if any(rest) else gain
    return gain, torch.cat([*after, unmoved.float(), (age + 1).clamp(max=_OLD)], 1)


class _Evidence(NamedTuple):
    """What a frame says about its cells; see `cpu_strict`."""

    difference: Tensor
    agreeing: Tensor
    repeating: Tensor
    uncovered: Tensor
    moving: Tensor


def _follow(image: Tensor, reference: Tensor, still_empty: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Where the frame differs from the recent ones, whether it is a cut (B, 1, 1, 1), and the new mean of frames."""
    light = _light(image.mean((2, 3), keepdim=True), reference.mean((2, 3), keepdim=True))
    cut = (image - reference * light).abs().mean((1, 2, 3), keepdim=True) > rules.CUT
    change = _mean(image - reference * _light_of(image, reference, still_empty, light)).abs().amax(1, keepdim=True)
    cut &= (change > rules.CUT_CHANGE).float().mean((2, 3), keepdim=True) > rules.CUT_SHARE
    moving = (change > rules.MOTION) & ~cut
    return moving, cut, torch.where(cut, image, reference + rules.REFERENCE_RATE * (image - reference))


def _compare(
    image: Tensor, background: Tensor, frames: Tensor, doubtful: Tensor, empty: Tensor, moving: Tensor
) -> tuple[Tensor, _Evidence]:
    """The background in the light of the frame, and the comparison of the two."""
    known = frames >= rules.LEAST_FRAMES
    witnesses = known & empty & ~moving
    background = background * _light_of(image, background, witnesses, torch.ones_like(background[:, :, :1, :1]))
    known = known | (~doubtful & (frames > 0))
    difference = (image - background).abs().amax(1, keepdim=True)
    agreeing = known & (_mean(difference) < rules.AGREEMENT)
    pattern = _contrast(background) > rules.PATTERN
    exact = known & ~doubtful & (_largest(difference) < rules.EXACT)
    repeating, uncovered = (_grown(exact & cells) & agreeing for cells in (pattern, moving))
    return background, _Evidence(difference, agreeing, repeating, uncovered, moving)


def _unmoved(image: Tensor, first: Tensor, empty: Tensor) -> Tensor:
    """Where the frame shows a strong pattern of the first frame."""
    lit = first * _light_of(image, first, empty, torch.ones_like(first[:, :, :1, :1]))
    return _same(image, lit) & (_contrast(first) > rules.STRONG_PATTERN)


def _same(image: Tensor, before: Tensor) -> Tensor:
    """Where 3x3 cells differ by little more than noise."""
    return _largest((image - before).abs().amax(1, keepdim=True)) < rules.UNMOVED


def _learn(
    image: Tensor,
    background: Tensor,
    frames: Tensor,
    doubtful: Tensor,
    evidence: _Evidence,
    empty: Tensor,
    kept: Tensor,
    waiting: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """The background learned further, its number of frames, and where it is doubtful."""
    hidden = ~_grown(kept) & ~empty
    frames = torch.where(hidden & evidence.moving & doubtful & waiting, 0, frames)
    hidden = hidden & ~evidence.moving
    changed = evidence.difference > rules.CHANGED
    anew = hidden & (changed | (frames == 0))
    stale = empty & changed
    frames = (torch.where(anew, 0, frames) - rules.CHANGE_COST * stale).clamp(min=0)
    free = empty & ~(stale & (frames > 0))
    doubtful = (doubtful & ~free) | anew
    learned = free | (hidden & (doubtful | (evidence.difference < rules.AGREEMENT)))
    rate = learned / (frames + 1).clamp(max=rules.MOST_FRAMES)
    return background + rate * (image - background), (frames + learned).clamp(max=rules.MOST_FRAMES), doubtful


def _people(
    mask: Tensor, core: Tensor, moved: Tensor, agreeing: Tensor, doubtful: Tensor, label: Label
) -> tuple[Tensor, Tensor]:
    """The components of the mask that are people, and those of people who begin to move."""
    counted = torch.cat([mask, core, _grown(moved), moved, agreeing, doubtful], 1) & mask
    counts = count(label(mask), counted).view_as(counted)
    total, cores, near, shifted, agreed, unsure = torch.split(counts, 1, 1)
    likely = (cores > 0) & (near > rules.MOVED_SHARE * total) & (agreed - unsure <= rules.AGREEING_SHARE * total)
    people = mask & likely
    beginning = people & (unsure > rules.BEGINNING_SHARE * total)
    others = (people & ~beginning).amax((2, 3), keepdim=True)
    least = torch.where(others, rules.FIRST_MOVED_SHARE, rules.MOVED_SHARE)
    people = people & (~beginning | (shifted > least * total))
    return people, beginning & people


def _light_of(now: Tensor, before: Tensor, cells: Tensor, otherwise: Tensor) -> Tensor:
    """The change of light of some cells, (B, 3, 1, 1); `otherwise` where they are too few."""
    share = cells.float().mean((2, 3), keepdim=True)
    one, other = ((x * cells).mean((2, 3), keepdim=True) / share.clamp(min=1e-6) for x in (now, before))
    return torch.where(share > rules.LIGHT_SHARE, _light(one, other), otherwise)


def _light(now: Tensor, before: Tensor) -> Tensor:
    """The change of light per channel, (B, 3, 1, 1)."""
    return (now / before.clamp(min=1e-3)).clamp(*rules.LIGHT_RANGE)


def _contrast(planes: Tensor) -> Tensor:
    """The range of brightness of 3x3 cells."""
    brightness = planes.mean(1, keepdim=True)
    return _largest(brightness) + _largest(-brightness)


def _count(cells: Tensor) -> Tensor:
    """How many cells of each frame, (B, 1, 1, 1)."""
    return cells.sum((2, 3), keepdim=True)


def _largest(cells: Tensor) -> Tensor:
    return functional.max_pool2d(cells, 3, 1, 1)


def _grown(mask: Tensor) -> Tensor:
    """The mask dilated by one cell."""
    return _largest(mask.float()) > 0


def _clustered(mask: Tensor) -> Tensor:
    """1 in cells of the mask around which at least `rules.UNMOVED_CELLS` of 3x3 cells belong to it, else 0."""
    cells = mask.float()
    return cells * (functional.avg_pool2d(cells, 3, 1, 1) > (rules.UNMOVED_CELLS - 0.5) / 9)


def _smallest(cells: Tensor) -> Tensor:
    return -functional.max_pool2d(-cells, 3, 1, 1)


def _mean(cells: Tensor) -> Tensor:
    """Means over 3x3 cells."""
    return functional.avg_pool2d(functional.pad(cells, (1, 1, 1, 1), mode="replicate"), 3, 1)
