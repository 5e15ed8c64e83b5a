"""Selects the cells to refine by the base network's predicted error (section 4.2)."""

import torch
from torch import Tensor

from models.bgmv2.patches import CellIndices
from models.bgmv2.windows import CELL


def most_wrong(error: Tensor, pixels: int) -> tuple[CellIndices, Tensor]:
    """Return the `pixels` // 16 cells of each image with the largest error (B, 1, h, w), and whether it is above 0.

    The number of cells does not depend on the values, so no device synchronization is required.
    """
    batch, _, height, width = error.shape
    count = min(pixels // CELL**2, height * width)
    values, places = error.flatten(1).topk(count, sorted=False)
    images = torch.arange(batch, device=error.device)[:, None].expand_as(places)
    rows = places.div(width, rounding_mode="floor")
    cells = CellIndices(images.flatten(), rows.flatten(), (places - rows * width).flatten())
    return cells, values.flatten() > 0


def as_map(cells: CellIndices, chosen: Tensor, like: Tensor) -> Tensor:
    """Return the 0/1 map, shaped like `like` (B, 1, h, w), with ones at the chosen cells."""
    batch, _, height, width = like.shape
    index = (cells.batch * height + cells.row) * width + cells.column
    return like.new_zeros(batch * height * width).index_copy(0, index, chosen.to(like.dtype)).view_as(like)
