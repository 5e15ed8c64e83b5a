"""The refinement network, which corrects the coarse matte in selected cells (section 4.2)."""

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from models.bgmv2.base import HIDDEN
from models.bgmv2.patches import CellIndices, as_map, cut, cut_resized, most_wrong, paste_
from models.bgmv2.windows import CELL
from models.blocks import resize

CELLS_AT_ONCE = 2048
"""Batch size that fits into a CPU's cache; all 20,000 cells of a 4K frame in one batch take twice as long. A GPU
refines all cells in one batch, since each launch costs more than a cell."""

CONTEXT_BORDER, BORDER = 3, 2
"""Pixels around a cell that the convolutions need, of the context at half size and of the images at full size."""


class Refiner(nn.Module):
    """Recomputes the matte at full size in the `sample_pixels` // 16 cells of 4x4 pixels with the largest error."""

    def __init__(self, sample_pixels: int) -> None:
        super().__init__()
        self.sample_pixels = sample_pixels
        self.conv1 = nn.Conv2d(HIDDEN + 4 + 6, 24, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(24)
        self.conv2 = nn.Conv2d(24, 16, 3, bias=False)
        self.bn2 = nn.BatchNorm2d(16)
        self.conv3 = nn.Conv2d(16 + 6, 12, 3, bias=False)
        self.bn3 = nn.BatchNorm2d(12)
        self.conv4 = nn.Conv2d(12, 4, 3)

    def forward(self, src: Tensor, bgr: Tensor, matte: Tensor, error: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Return the refined [alpha, foreground residual] (B, 4, H, W) and the 0/1 map of cells (B, 1, H/4, W/4).

        src and bgr are (B, 3, H, W). At any smaller size: matte, [alpha, residual] (B, 4, h, w), its predicted error
        (B, 1, h, w) and the base network's hidden features (B, 32, h, w).
        """
        height, width = src.shape[2:]
        error = resize(error, (height // CELL, width // CELL))
        coarse = torch.cat([hidden, matte], 1)
        cells, chosen = most_wrong(error, self.sample_pixels)
        if src.device.type == "cpu":
            refined = torch.cat([self._at(part, src, bgr, coarse) for part in cells.split(CELLS_AT_ONCE)])
        else:
            refined = self._at(cells, src, bgr, coarse)
        matte = resize(matte, (height, width))
        return paste_(matte, cells, refined, chosen), as_map(cells, chosen, error)

    def _at(self, cells: CellIndices, src: Tensor, bgr: Tensor, coarse: Tensor) -> Tensor:
        """Refine the cells, one window each; return (N, 4, 4, 4)."""
        half = src.shape[2] // 2, src.shape[3] // 2
        windows = torch.cat([cut(image, cells, 2 * CONTEXT_BORDER) for image in (src, bgr)], 1)
        context = torch.cat(
            [
                cut_resized(coarse, cells, half, CONTEXT_BORDER),
                functional.avg_pool2d(windows, 2),  # equals bilinear resizing to half size
            ],
            1,
        )
        return self.solve(context, functional.pad(windows, (BORDER - 2 * CONTEXT_BORDER,) * 4))

    def solve(self, context: Tensor, images: Tensor) -> Tensor:
        """Return the matte (., 4, P, Q) from the context at half size and the images at full size.

        The context has a border of `CONTEXT_BORDER` pixels, the images one of `BORDER` pixels.
        """
        x = functional.relu(self.bn1(self.conv1(context)))
        x = functional.relu(self.bn2(self.conv2(x)))
        x = torch.cat([functional.interpolate(x, scale_factor=2, mode="nearest"), images], 1)
        x = functional.relu(self.bn3(self.conv3(x)))
        matte: Tensor = self.conv4(x)
        return matte
