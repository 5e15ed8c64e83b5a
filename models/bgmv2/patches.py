"""Small windows cut from images at chosen places, and put back there, without copying the rest.

The places are the cells of a grid, four pixels of the full image a side: `Cells` names N of them, in any
images of the batch. Positions outside an image read as zero.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as functional
from torch import Tensor

CELL = 4
"""The side of a cell in pixels."""


class Cells(NamedTuple):
    """N cells: which image of the batch, which row and column of cells; each int64 (N,)."""

    batch: Tensor
    row: Tensor
    column: Tensor

    def split(self, count: int) -> list["Cells"]:
        """The same cells in order, at most `count` at a time."""
        return [Cells(*part) for part in zip(*(torch.split(field, count) for field in self), strict=True)]


def _span(cell: Tensor, size: int, border: int) -> Tensor:
    """The pixel coordinates (N, size + 2 * border) around the cells `cell` (N,) of `size` pixels."""
    return cell[:, None] * size + torch.arange(-border, size + border, device=cell.device)


def _index(cells: Cells, rows: Tensor, columns: Tensor, height: int, width: int) -> Tensor:
    """Positions (N * P * Q,) in the flattened batch of images, of the rows (N, P) times columns (N, Q)."""
    first = (cells.batch[:, None] * height + rows) * width
    return (first[:, :, None] + columns[:, None, :]).flatten()


def _inside(rows: Tensor, columns: Tensor, height: int, width: int) -> Tensor:
    """(N, 1, P, Q): whether a position lies in the image."""
    row_inside, column_inside = (rows >= 0) & (rows < height), (columns >= 0) & (columns < width)
    return (row_inside[:, :, None] & column_inside[:, None, :])[:, None]


def cut(image: Tensor, cells: Cells, border: int) -> Tensor:
    """The cells of `image` (B, C, H, W) with `border` pixels around them: (N, C, 4 + 2b, 4 + 2b)."""
    channels, height, width = image.shape[1:]
    rows, columns = _span(cells.row, CELL, border), _span(cells.column, CELL, border)
    index = _index(cells, rows.clamp(0, height - 1), columns.clamp(0, width - 1), height, width)
    pixels = image.transpose(0, 1).reshape(channels, -1).index_select(1, index)
    windows = pixels.view(channels, *rows.shape, columns.shape[1]).transpose(0, 1)
    return windows * _inside(rows, columns, height, width)


def cut_resized(image: Tensor, cells: Cells, size: tuple[int, int], border: int) -> Tensor:
    """The cells of `image` (B, C, h, w) as if it were first resized bilinearly to half the full size.

    `size` is that half size (height, width); a cell is 2x2 pixels of it: (N, C, 2 + 2b, 2 + 2b).
    """
    channels, height, width = image.shape[1:]
    rows, columns = _span(cells.row, CELL // 2, border), _span(cells.column, CELL // 2, border)
    y0, y1, wy = _taps(rows, height, size[0])
    x0, x1, wx = _taps(columns, width, size[1])
    index = torch.stack([_index(cells, y, x, height, width) for y in (y0, y1) for x in (x0, x1)], 1)
    weight = torch.stack([(y[:, :, None] * x[:, None, :]).flatten() for y in (1 - wy, wy) for x in (1 - wx, wx)], 1)
    pixels = image.permute(0, 2, 3, 1).reshape(-1, channels)
    mixed = functional.embedding_bag(index, pixels, mode="sum", per_sample_weights=weight.to(image.dtype))
    windows = mixed.view(*rows.shape, columns.shape[1], channels).permute(0, 3, 1, 2)
    return windows * _inside(rows, columns, *size)


def _taps(position: Tensor, length: int, resized: int) -> tuple[Tensor, Tensor, Tensor]:
    """The two source pixels that a pixel of the resized axis lies between, and the second's weight."""
    source = ((position + 0.5) * (length / resized) - 0.5).clamp(0, length - 1)
    low = source.floor()
    first = low.long()
    return first, (first + 1).clamp(max=length - 1), source - low


def paste_(image: Tensor, cells: Cells, windows: Tensor, where: Tensor) -> Tensor:
    """`image` (B, C, H, W) with `windows` (N, C, 4, 4) in its cells, where `where` (N,) says so.

    The cells must differ from each other. The given image may be overwritten.
    """
    batch, channels, height, width = image.shape
    rows, columns = _span(cells.row, CELL, 0), _span(cells.column, CELL, 0)
    index = _index(cells, rows, columns, height, width)
    pixels = image.transpose(0, 1).reshape(channels, -1)
    new = windows.transpose(0, 1).reshape(channels, -1)
    kept = torch.where(where.repeat_interleave(CELL * CELL), new, pixels.index_select(1, index))
    return pixels.index_copy_(1, index, kept).view(channels, batch, height, width).transpose(0, 1)
