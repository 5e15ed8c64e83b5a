"""Strict mode in torch; `app.matting.strict.rules` explains them.

There is no branch on values and no copy from the device, so that a GPU does not wait.
"""

from __future__ import annotations

import torch
import torch.nn.functional as functional
from torch import Tensor

from app.matting.strict import rules

SWEEPS = 8
"""Alternations between rows and columns; a component with more bends than this can fall apart."""


def components(mask: Tensor) -> Tensor:
    """Label the 4-connected components of (B, 1, h, w) bool: (B, h * w) int64, 0 outside, the same
    within each.

    The number of operations is fixed, as all else here.
    """
    batch, _, height, width = mask.shape
    first = torch.arange(1, height * width + 1, device=mask.device).view(1, height, width)
    inside = mask[:, 0]
    labels = first * inside
    across, down = _runs(inside, 2), _runs(inside, 1)
    for _ in range(SWEEPS):
        labels = _spread(labels, across, inside, 2)
        labels = _spread(labels, down, inside, 1)
    return labels.reshape(batch, -1)


def count(labels: Tensor, masks: Tensor) -> Tensor:
    """Return for each cell how many cells of its component each mask (B, K, h, w) holds: (B, K, h *
    w) float32.
    """
    every = labels[:, None].expand(-1, masks.shape[1], -1)
    sums = torch.zeros(*every.shape[:2], labels.shape[1] + 1, device=labels.device)
    sums.scatter_add_(2, every, masks.flatten(2).float())
    return sums.gather(2, every)


def _runs(inside: Tensor, dim: int) -> Tensor:
    """Offsets that grow from run to run by more than any label."""
    return torch.cumsum(~inside, dim) * (inside[0].numel() + 1)


def _spread(labels: Tensor, runs: Tensor, inside: Tensor, dim: int) -> Tensor:
    """Give each run along `dim` its largest label."""
    forward = torch.cummax(labels + runs, dim).values - runs
    last = runs.amax(dim, keepdim=True)
    backward = torch.cummax((labels + last - runs).flip(dim), dim).values.flip(dim) - (last - runs)
    return torch.maximum(forward, backward) * inside


_PLANES = [3, 1, 1, 1, 3, 1, 1]
"""Of the memory: learned background, frames it was learned from, whether it was hidden, motion,
mean of the recent frames, whether the last one was empty, and age.

The age is 0 before the first frame; then it is the number of frames since the start, plus 1, up to
`_OLD`. It is negative before the first frame of a stream in which people are already known.
"""
CHANNELS = sum(_PLANES)
_MOVED = sum(_PLANES[:3])
_OLD = rules.WAIT_FRAMES + 1


def initial_memory(small_height: int, small_width: int, device: torch.device) -> Tensor:
    """Return the memory before the first frame, (1, CHANNELS, rows, columns) float32."""
    cell = rules.cell_size(small_width, small_height)
    size = 1, CHANNELS, small_height // cell, small_width // cell
    return torch.zeros(size, dtype=torch.float32, device=device)


def with_people(memory: Tensor, seen: Tensor | None) -> Tensor:
    """Return the initial memory of a stream in which people are already known.

    seen: alpha (H, W) uint8 of people who are shown at once, as if they had moved before; None:
    nobody is known.
    """
    if seen is None:
        return memory
    cells = functional.interpolate(seen[None, None].float(), memory.shape[2:], mode="area")
    moved = (cells > 255 * rules.BODY_ALPHA).to(memory)
    moved = moved.expand(memory.shape[0], -1, -1, -1)
    return torch.cat(
        [memory[:, :_MOVED], moved, memory[:, _MOVED + 1 : -1], torch.full_like(moved, -1)], 1
    )


def strict_matte(
    small: Tensor, slope: Tensor, offset: Tensor, coarse: Tensor, memory: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the filtered slope, offset and coarse alpha of a frame, and the memory after it.

    small: (B, 3, h, w), RGB in 0..1. slope, offset: (B, 4, h, w). coarse: (B, 1, h, w).
    """
    gain, after = _gain(small.float(), coarse.float().clamp(0, 1), memory)
    stretch = gain / (1 - 2 * rules.FLOOR)
    strict_slope = torch.cat([slope[:, :3], slope[:, 3:] * stretch], 1)
    strict_offset = torch.cat([offset[:, :3], (offset[:, 3:] - rules.FLOOR) * stretch], 1)
    return strict_slope, strict_offset, coarse * gain, after


def _gain(small: Tensor, coarse: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
    """What alpha is to be multiplied by, (B, 1, h, w) in 0..1, and the new memory."""
    height, width = coarse.shape[2:]
    cell = rules.cell_size(width, height)
    image, alpha = functional.avg_pool2d(small, cell), functional.avg_pool2d(coarse, cell)
    background, frames, hidden, moved, recent, was_empty, age = torch.split(memory, _PLANES, 1)
    background, recent = (torch.where(age > 0, kept, image) for kept in (background, recent))
    was_empty = (was_empty > 0) | (age <= 0)
    age, hidden = torch.where(age < 0, _OLD, age.clamp(min=1)), hidden > 0

    empty = _largest(alpha) < rules.EMPTY_ALPHA
    centres = -_largest(-alpha) > rules.CERTAIN_ALPHA
    certain = _grown(centres)
    change = image - recent * _light_of(image, recent, empty & was_empty)
    moving = _mean(change).abs().amax(1, keepdim=True) > rules.MOTION
    recent = recent + rules.REFERENCE_RATE * (image - recent)
    known = frames >= torch.where(hidden, rules.HIDDEN_FRAMES, 1)
    background = background * _light_of(image, background, known & empty & ~moving)
    difference = (image - background).abs().amax(1, keepdim=True)
    agreeing = known & (_mean(difference) < rules.AGREEMENT)
    has_moved = ((moved > 0) | moving) & (alpha > rules.PRESENT_ALPHA) & ~(agreeing & hidden)

    removed = agreeing & ~certain & ~hidden
    mask = (alpha > rules.BODY_ALPHA) & ~removed
    counted = torch.cat([mask, centres, certain, _grown(has_moved)], 1) & mask
    counts = count(components(mask), counted).view_as(counted)
    size, centre_count, certain_count, moved_count = torch.split(counts, 1, 1)
    component_moved = moved_count > rules.MOVED_SHARE * size
    least_share = torch.where(component_moved, rules.MOVED_CERTAIN_SHARE, rules.CERTAIN_SHARE)
    body = mask & (centre_count >= rules.CERTAIN_CELLS) & (certain_count >= least_share * size)
    has_moved = has_moved | (body & centres)
    kept = _grown(body & ~removed) & ~removed & (age >= _OLD)
    gain = _soft_gain(kept, coarse, cell)
    unseen = ~_grown(kept) & ~empty & ~moving
    background, frames, hidden = _learn(
        image, background, frames, hidden, difference, empty, unseen
    )
    flags = (has_moved.float(), recent, empty.float(), (age + 1).clamp(max=_OLD))
    return gain, torch.cat([background, frames, hidden.float(), *flags], 1)


def _soft_gain(kept: Tensor, coarse: Tensor, cell: int) -> Tensor:
    """What alpha is to be multiplied by at each pixel; see `cpu_strict.soft_gain`."""
    height, width = coarse.shape[2:]
    mask = functional.interpolate(kept.float(), scale_factor=cell, mode="nearest")
    mask = functional.pad(
        mask, (0, width - mask.shape[3], 0, height - mask.shape[2]), mode="replicate"
    )
    weights = coarse + rules.FAINT_ALPHA
    around, shown = (
        functional.avg_pool2d(plane, 2 * cell + 1, 1, cell) for plane in (weights, weights * mask)
    )
    return ((shown / around - rules.EDGE_SHARE) / (1 - 2 * rules.EDGE_SHARE)).clamp(0, 1)


def _learn(
    image: Tensor,
    background: Tensor,
    frames: Tensor,
    hidden: Tensor,
    difference: Tensor,
    empty: Tensor,
    unshown: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """The background learned further, its number of frames, and where it was hidden."""
    changed = difference > rules.CHANGED
    anew = unshown & (changed | (frames == 0))
    stale = empty & changed
    free = empty & ~(stale & (frames > 1))
    learned = free | (unshown & (hidden | anew | (difference < rules.AGREEMENT)))
    frames = (torch.where(anew, 0, frames) - stale.float()).clamp(min=0)
    rate = learned / (frames + 1).clamp(max=rules.MOST_FRAMES)
    hidden = (hidden & ~free) | anew
    return (
        background + rate * (image - background),
        (frames + learned).clamp(max=rules.MOST_FRAMES),
        hidden,
    )


def _light_of(now: Tensor, before: Tensor, cells: Tensor) -> Tensor:
    """The change of light of some cells, (B, 3, 1, 1); 1 where they are too few."""
    share = cells.float().mean((2, 3), keepdim=True)
    one, other = (
        (x * cells).mean((2, 3), keepdim=True) / share.clamp(min=1e-6) for x in (now, before)
    )
    ratio = (one / other.clamp(min=1e-3)).clamp(*rules.LIGHT_RANGE)
    return torch.where(share > rules.LIGHT_SHARE, ratio, 1)


def _largest(cells: Tensor) -> Tensor:
    return functional.max_pool2d(cells, 3, 1, 1)


def _grown(mask: Tensor) -> Tensor:
    """The mask dilated by one cell."""
    return _largest(mask.float()) > 0


def _mean(cells: Tensor) -> Tensor:
    """Means over 3x3 cells."""
    return functional.avg_pool2d(functional.pad(cells, (1, 1, 1, 1), mode="replicate"), 3, 1)
