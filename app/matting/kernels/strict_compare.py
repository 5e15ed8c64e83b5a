"""First half of strict mode, compiled by numba; the same arithmetic as `app.matting.strict.numpy_cells`."""

from __future__ import annotations

import numba
import numpy as np

from app.matting.kernels.cells import count, grow, largest, mean, pool, smallest, total, total_at, total_magnitude
from app.matting.kernels.jit import FLOATS, INDEX, PLANES, READ_PLANES, WRITE, Bytes, Floats, exact, whole
from app.matting.kernels.strict_limits import LIMITS, Limits

F32 = np.float32


@whole(numba.void(READ_PLANES, INDEX, PLANES))
def pool_cells(planes: Floats, cell: int, cells: Floats) -> None:
    """Write the means of the cells (n, h, w) of planes (n, H, W)."""
    for plane in range(planes.shape[0]):
        pool(planes[plane], cell, cells[plane])


@exact
def _light(now: float, before: float, limits: Limits) -> np.float32:
    return F32(min(max(now / max(before, 1e-3), limits.darkest), limits.brightest))


@exact
def _change(now: Floats, before: Floats, light: Floats, change: Floats) -> None:
    """Write now - light * before; planes (3, h, w)."""
    for colour in range(3):
        for y in range(now.shape[1]):
            for x in range(now.shape[2]):
                change[colour, y, x] = now[colour, y, x] - before[colour, y, x] * light[colour]


@exact
def _light_at(now: Floats, before: Floats, cells: Bytes, limits: Limits, light: Floats) -> bool:
    """Write the change of light per channel, measured at these cells; return False where they are too few."""
    number = count(cells)
    if number * (1.0 / cells.size) <= limits.light_share:
        return False
    for colour in range(3):
        after, earlier = total_at(now[colour], cells), total_at(before[colour], cells)
        light[colour] = _light(after * (1.0 / number), earlier * (1.0 / number), limits)
    return True


@exact
def _magnitude(planes: Floats, result: Floats) -> None:
    """Write the largest magnitude of three channels."""
    for y in range(result.shape[0]):
        for x in range(result.shape[1]):
            red, green, blue = abs(planes[0, y, x]), abs(planes[1, y, x]), abs(planes[2, y, x])
            most = red if red > green else green
            result[y, x] = most if most > blue else blue


@exact
def _follow(image: Floats, reference: Floats, still: Bytes, limits: Limits, moving: Bytes) -> bool:
    """Return whether the scene was cut; write what moves, and update the mean of the recent frames."""
    height, width = moving.shape
    light = np.empty(3, np.float32)
    changes, means = np.empty(image.shape, np.float32), np.empty(image.shape, np.float32)
    share = 1.0 / (height * width)
    for colour in range(3):
        light[colour] = _light(total(image[colour]) * share, total(reference[colour]) * share, limits)
    _change(image, reference, light, changes)
    whole_change = 0.0
    for colour in range(3):
        whole_change += total_magnitude(changes[colour])
    if _light_at(image, reference, still, limits, light):
        _change(image, reference, light, changes)
    for colour in range(3):
        mean(changes[colour], means[colour])
        for y in range(height):
            for x in range(width):
                last = reference[colour, y, x]
                reference[colour, y, x] = last + limits.reference_rate * (image[colour, y, x] - last)
    _magnitude(means, changes[0])
    changed_cells = 0
    for y in range(height):
        for x in range(width):
            moving[y, x] = changes[0, y, x] > limits.motion
            changed_cells += changes[0, y, x] > limits.cut_change
    return whole_change / changes.size > limits.cut and changed_cells * share > limits.cut_share


@exact
def _forget(
    image: Floats,
    background: Floats,
    reference: Floats,
    first: Floats,
    frames: Floats,
    doubtful: Bytes,
    moved: Bytes,
    unmoved: Bytes,
    moving: Bytes,
) -> None:
    """Reset the state after a cut."""
    for y in range(frames.shape[0]):
        for x in range(frames.shape[1]):
            for colour in range(3):
                background[colour, y, x] = reference[colour, y, x] = first[colour, y, x] = image[colour, y, x]
            frames[y, x], unmoved[y, x] = 0, 1
            doubtful[y, x] = moved[y, x] = moving[y, x] = 0


@exact
def _agree(
    image: Floats,
    background: Floats,
    frames: Floats,
    doubtful: Bytes,
    empty: Bytes,
    moving: Bytes,
    limits: Limits,
    difference: Floats,
    agreeing: Bytes,
    repeating: Bytes,
    uncovered: Bytes,
) -> None:
    """Let the background follow the light, and write where the frame agrees with it, repeats it and uncovers it."""
    height, width = frames.shape
    known = np.empty((height, width), np.uint8)
    witnesses = np.empty((height, width), np.uint8)
    for y in range(height):
        for x in range(width):
            known[y, x] = frames[y, x] >= limits.least_frames
            witnesses[y, x] = known[y, x] & empty[y, x] & (moving[y, x] == 0)
    change = np.empty(image.shape, np.float32)
    light = np.ones(3, np.float32)
    _light_at(image, background, witnesses, limits, light)
    for colour in range(3):
        for y in range(height):
            for x in range(width):
                background[colour, y, x] *= light[colour]
                change[colour, y, x] = image[colour, y, x] - background[colour, y, x]
    _magnitude(change, difference)
    means, bright, dark = change[0], change[1], change[2]
    mean(difference, means)
    brightness = np.empty((height, width), np.float32)
    for y in range(height):
        for x in range(width):
            known[y, x] |= (doubtful[y, x] == 0) & (frames[y, x] > 0)
            agreeing[y, x] = known[y, x] & (means[y, x] < limits.agreement)
            brightness[y, x] = (background[0, y, x] + background[1, y, x] + background[2, y, x]) * F32(1 / 3)
    largest(brightness, bright)
    smallest(brightness, dark)
    largest(difference, means)
    for y in range(height):
        for x in range(width):
            known[y, x] &= (doubtful[y, x] == 0) & (means[y, x] < limits.exact)
            witnesses[y, x] = known[y, x] & moving[y, x]
            known[y, x] &= bright[y, x] - dark[y, x] > limits.pattern
    grow(known, repeating)
    grow(witnesses, uncovered)
    for y in range(height):
        for x in range(width):
            repeating[y, x] &= agreeing[y, x]
            uncovered[y, x] &= agreeing[y, x]


@exact
def _same(image: Floats, before: Floats, light: Floats, limits: Limits, same: Bytes) -> None:
    """Write where 3x3 cells differ from an earlier frame by little more than noise."""
    height, width = same.shape
    change, plane = np.empty(image.shape, np.float32), np.empty((height, width), np.float32)
    _change(image, before, light, change)
    _magnitude(change, plane)
    most = change[0]
    largest(plane, most)
    for y in range(height):
        for x in range(width):
            same[y, x] = most[y, x] < limits.unmoved


@exact
def _rest(image: Floats, first: Floats, empty: Bytes, limits: Limits, unmoved: Bytes) -> None:
    """Clear `unmoved` where the frame does not show a strong pattern of the first frame."""
    height, width = unmoved.shape
    light = np.ones(3, np.float32)
    _light_at(image, first, empty, limits, light)
    same = np.empty((height, width), np.uint8)
    _same(image, first, light, limits, same)
    plane, bright, dark = np.empty((3, height, width), np.float32)
    for y in range(height):
        for x in range(width):
            plane[y, x] = (first[0, y, x] + first[1, y, x] + first[2, y, x]) * F32(1 / 3)
    largest(plane, bright)
    smallest(plane, dark)
    for y in range(height):
        for x in range(width):
            unmoved[y, x] &= same[y, x] & (bright[y, x] - dark[y, x] > limits.strong_pattern)


@exact
def _uncover(uncovered: Bytes, removed: Bytes, limits: Limits) -> None:
    """Add to the removed cells those that are uncovered beside them."""
    height, width = removed.shape
    left = 0
    for y in range(height):
        for x in range(width):
            left += uncovered[y, x] > removed[y, x]
    near = np.empty((height, width), np.uint8)
    step = 0
    while left > 0 and step < limits.uncovered_cells:
        grow(removed, near)
        for y in range(height):
            for x in range(width):
                removed[y, x] |= uncovered[y, x] & near[y, x]
        step += 1


@whole(
    numba.boolean(PLANES, FLOATS, *[PLANES] * 4, FLOATS, *[WRITE] * 4, LIMITS, FLOATS, *[WRITE] * 6),
)
def compare_cells(
    image: Floats,
    alpha: Floats,
    background: Floats,
    reference: Floats,
    last: Floats,
    first: Floats,
    frames: Floats,
    doubtful: Bytes,
    moved: Bytes,
    empty: Bytes,
    unmoved: Bytes,
    limits: Limits,
    difference: Floats,
    moving: Bytes,
    resting: Bytes,
    agreeing: Bytes,
    removed: Bytes,
    core: Bytes,
    mask: Bytes,
) -> bool:
    """Compare a frame with the state of a stream; return whether the scene was cut, which resets the state.

    Written: the state, from background to unmoved, and what follows the limits.
    """
    height, width = alpha.shape
    wide, narrow = np.empty((height, width), np.float32), np.empty((height, width), np.float32)
    largest(alpha, wide)
    smallest(alpha, narrow)
    for y in range(height):
        for x in range(width):
            one = np.uint8(wide[y, x] < limits.empty_alpha)
            mask[y, x] = one & empty[y, x]
            empty[y, x] = one
    cut = _follow(image, reference, mask, limits, moving)
    if cut:
        _forget(image, background, reference, first, frames, doubtful, moved, unmoved, moving)
    _rest(image, first, empty, limits, unmoved)
    _same(image, last, np.ones(3, np.float32), limits, resting)
    moving_cells = repeated = 0
    for y in range(height):
        for x in range(width):
            moving_cells += moving[y, x]
            repeated += moving[y, x] & resting[y, x]
    new = repeated <= limits.repeated_share * moving_cells
    last[:] = image
    _agree(image, background, frames, doubtful, empty, moving, limits, difference, agreeing, removed, mask)
    for y in range(height):
        for x in range(width):
            doubt = doubtful[y, x]
            present = (alpha[y, x] > limits.present_alpha) & ((agreeing[y, x] & doubt) == 0)
            moved[y, x] = (moved[y, x] | moving[y, x]) & present
            least = alpha[y, x] if doubt else narrow[y, x]
            removed[y, x] |= agreeing[y, x] & (least <= limits.opaque_alpha)
            resting[y, x] &= new & (wide[y, x] <= limits.opaque_alpha)
    _uncover(mask, removed, limits)
    for y in range(height):
        for x in range(width):
            uncertain = (removed[y, x] == 0) | (doubtful[y, x] != 0)
            wide[y, x] = alpha[y, x] if uncertain else F32(0)
            mask[y, x] = uncertain & (alpha[y, x] > limits.body_alpha)
    smallest(wide, narrow)
    for y in range(height):
        for x in range(width):
            core[y, x] = narrow[y, x] > limits.core_alpha
    return cut
