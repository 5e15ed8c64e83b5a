"""The rules of strict mode per cell in kernels compiled by numba; as `app.matting.strict.numpy_cells`."""

from __future__ import annotations

import cv2
import numpy as np

from app.matting.kernels.strict_compare import compare_cells, pool_cells
from app.matting.kernels.strict_keep import keep_cells
from app.matting.kernels.strict_limits import Limits
from app.matting.strict import rules
from app.matting.strict.memory import Floats, Memory, Planes

F32 = np.float32
LIMITS = Limits(
    empty_alpha=F32(rules.EMPTY_ALPHA),
    present_alpha=F32(rules.PRESENT_ALPHA),
    opaque_alpha=F32(rules.OPAQUE_ALPHA),
    core_alpha=F32(rules.CORE_ALPHA),
    body_alpha=F32(rules.BODY_ALPHA),
    agreement=F32(rules.AGREEMENT),
    exact=F32(rules.EXACT),
    pattern=F32(rules.PATTERN),
    changed=F32(rules.CHANGED),
    motion=F32(rules.MOTION),
    cut_change=F32(rules.CUT_CHANGE),
    uncovered_cells=F32(rules.UNCOVERED_CELLS),
    strong_pattern=F32(rules.STRONG_PATTERN),
    unmoved=F32(rules.UNMOVED),
    unmoved_cells=F32(rules.UNMOVED_CELLS),
    reference_rate=F32(rules.REFERENCE_RATE),
    least_frames=F32(rules.LEAST_FRAMES),
    most_frames=F32(rules.MOST_FRAMES),
    change_cost=F32(rules.CHANGE_COST),
    cut=rules.CUT,
    cut_share=rules.CUT_SHARE,
    darkest=rules.LIGHT_RANGE[0],
    brightest=rules.LIGHT_RANGE[1],
    light_share=rules.LIGHT_SHARE,
    agreeing_share=rules.AGREEING_SHARE,
    beginning_share=rules.BEGINNING_SHARE,
    moved_share=rules.MOVED_SHARE,
    first_moved_share=rules.FIRST_MOVED_SHARE,
    unmoved_share=rules.UNMOVED_SHARE,
    moving_share=rules.MOVING_SHARE,
    repeated_share=rules.REPEATED_SHARE,
)


def pooled(planes: Planes, cell: int) -> Planes:
    """Return the means of the cells of planes (n, H, W); incomplete cells at the right and bottom are left out."""
    count, height, width = planes.shape
    cells = np.empty((count, height // cell, width // cell), np.float32)
    pool_cells(np.ascontiguousarray(planes), cell, cells)
    return cells


def kept_cells(memory: Memory, image: Planes, alpha: Floats) -> Floats:
    """Return cells (h, w): 1 where the matte is kept, else 0; update the state, but not its age."""
    masks = memory.doubtful, memory.moved, memory.empty, memory.unmoved
    doubtful, moved, empty, unmoved = (marks.view(np.uint8) for marks in masks)
    moving, resting, agreeing, removed, core, mask = np.empty((6, *alpha.shape), np.uint8)
    difference, kept = np.empty_like(alpha), np.empty_like(alpha)
    images = memory.background, memory.reference, memory.last, memory.first
    known = *images, memory.frames, doubtful, moved, empty, unmoved
    if compare_cells(image, alpha, *known, LIMITS, difference, moving, resting, agreeing, removed, core, mask):
        memory.age = 0
    number, labels = cv2.connectedComponents(mask, connectivity=4)
    state = memory.background, memory.frames, doubtful, moved, empty, unmoved
    evidence = difference, moving, resting, agreeing, removed, core
    keep_cells(image, alpha, *state, labels, number, memory.age < rules.WAIT_FRAMES, LIMITS, *evidence, kept)
    return kept
