"""Strict mode in torch; `app.matting.strict.rules` explains it.

There is no branch on values and no copy from the device, so that the filter can be part of a captured graph.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as functional
from torch import Tensor

from app.matting.strict import rules
from app.matting.strict.torch_components import components, count

CHANNELS = 9
Label = Callable[[Tensor], Tensor]
_MOVED = 4
"""Of the memory: learned background (3), frames it was learned from, motion, mean of the recent frames (3), begun."""


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
    return torch.cat([memory[:, :_MOVED], moved.expand(memory.shape[0], -1, -1, -1), memory[:, _MOVED + 1 :]], 1)


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
    background, frames, moved, reference, begun = torch.split(memory, [3, 1, 1, 3, 1], 1)
    background, reference = (torch.where(begun > 0, kept, image) for kept in (background, reference))

    empty = _largest(alpha) < rules.EMPTY_ALPHA
    moving, cut, reference = _follow(image, reference)
    background, frames = torch.where(cut, image, background), torch.where(cut, 0, frames)
    agreeing, background, frames = _learn(image, background, frames, empty)
    has_moved = (((moved > 0) & ~cut) | moving) & (alpha > rules.PRESENT_ALPHA)

    removed = agreeing & (_smallest(alpha) <= rules.OPAQUE_ALPHA)
    core = _smallest(torch.where(removed, 0, alpha)) > rules.CORE_ALPHA
    body = _people((alpha > rules.BODY_ALPHA) & ~removed, core, has_moved, agreeing, label)
    has_moved = has_moved | (body & core)
    kept = (_largest(body.float()) * ~removed).float()
    gain = functional.interpolate(kept, scale_factor=cell, mode="bilinear", align_corners=False)
    rest = 0, width - gain.shape[3], 0, height - gain.shape[2]
    after = torch.cat([background, frames, has_moved.float(), reference, torch.ones_like(begun)], 1)
    return functional.pad(gain, rest, mode="replicate") if any(rest) else gain, after


def _follow(image: Tensor, reference: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Where the frame differs from the recent ones, whether it is a cut (B, 1, 1, 1), and the new mean of frames."""
    light = _light(image.mean((2, 3), keepdim=True), reference.mean((2, 3), keepdim=True))
    change = image - reference * light
    cut = change.abs().mean((1, 2, 3), keepdim=True) > rules.CUT
    moving = (_mean(change).abs().amax(1, keepdim=True) > rules.MOTION) & ~cut
    return moving, cut, torch.where(cut, image, reference + rules.REFERENCE_RATE * (image - reference))


def _learn(image: Tensor, background: Tensor, frames: Tensor, empty: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Where the frame agrees with the background, the background learned further, and its number of frames."""
    known = frames >= rules.LEAST_FRAMES
    witnesses = (known & empty).float()
    share = witnesses.mean((2, 3), keepdim=True)
    now, before = ((x * witnesses).mean((2, 3), keepdim=True) / share.clamp(min=1e-6) for x in (image, background))
    background = torch.where(share > rules.LIGHT_SHARE, background * _light(now, before), background)
    difference = (image - background).abs().amax(1, keepdim=True)
    agreeing = known & (_mean(difference) < rules.AGREEMENT)
    frames = torch.where(empty & (difference > rules.CHANGED), 0, frames)
    rate = empty / (frames + 1).clamp(max=rules.MOST_FRAMES)
    return agreeing, background + rate * (image - background), frames + empty


def _people(mask: Tensor, core: Tensor, moved: Tensor, agreeing: Tensor, label: Label) -> Tensor:
    """The components of the mask that are people."""
    labels = label(mask)
    near_motion = _largest(moved.float()) > 0
    total = count(labels, mask)
    people = (
        (count(labels, core & mask) > 0)
        & (count(labels, near_motion & mask) > rules.MOVED_SHARE * total)
        & (count(labels, agreeing & mask) <= rules.AGREEING_SHARE * total)
    )
    return people.view_as(mask) & mask


def _light(now: Tensor, before: Tensor) -> Tensor:
    """The change of light per channel, (B, 3, 1, 1)."""
    return (now / before.clamp(min=1e-3)).clamp(*rules.LIGHT_RANGE)


def _largest(cells: Tensor) -> Tensor:
    return functional.max_pool2d(cells, 3, 1, 1)


def _smallest(cells: Tensor) -> Tensor:
    return -functional.max_pool2d(-cells, 3, 1, 1)


def _mean(cells: Tensor) -> Tensor:
    """Means over 3x3 cells."""
    return functional.avg_pool2d(functional.pad(cells, (1, 1, 1, 1), mode="replicate"), 3, 1)
