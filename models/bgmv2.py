"""Background Matting V2 (arXiv 2012.07810, section 4 and figure 3): coarse matte, then refinement;
its inference core.

The base network estimates a coarse matte; atrous spatial pyramid pooling is that of DeepLabV3
(arXiv 1706.05587, sec. 3.3). The refiner corrects it in selected cells: these form a grid of 4x4
pixels of the full-size image. A cell is identified by its row-major index in that grid, int64.
Windows around them are zero-padded outside the image. The base network's predicted error selects
the cells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, cast

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from models.backbones import Features, MobileNetV2, ResNet, resnet50, resnet101
from models.blocks import conv_norm, resize
from models.exchange import CELL, CONTEXT_CHANNELS, IMAGE_CHANNELS, WINDOW
from models.export import PROBE, Export, ExportStage, Method


class ASPP(nn.Module):
    """Atrous spatial pyramid pooling: four parallel branches and a global-average branch, joined
    by a convolution.
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        out_channels = 256
        pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), *conv_norm(in_channels, out_channels))
        self.convs = nn.ModuleList([conv_norm(in_channels, out_channels)])
        for dilation in (3, 6, 9):
            self.convs.append(conv_norm(in_channels, out_channels, 3, dilation=dilation))
        self.convs.append(pooled)
        self.project = conv_norm(out_channels * len(self.convs), out_channels)
        self.project.append(nn.Dropout(0.5))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, 256, H, W)."""
        size = x.shape[2], x.shape[3]
        *local, pooled = (conv(x) for conv in self.convs)
        y: Tensor = self.project(torch.cat([*local, resize(pooled, size)], 1))
        return y


class CoarseDecoder(nn.Module):
    """Four stages: upsample to the next finer feature, concatenate with it, convolve.

    channels: widths from the ASPP's output to the decoder's output. skips: channels of the skip
    connections, coarsest first; the input image is last.
    """

    def __init__(
        self,
        channels: tuple[int, int, int, int, int],
        skips: tuple[int, int, int, int],
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels[0] + skips[0], channels[1], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels[1])
        self.conv2 = nn.Conv2d(channels[1] + skips[1], channels[2], 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels[2])
        self.conv3 = nn.Conv2d(channels[2] + skips[2], channels[3], 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(channels[3])
        self.conv4 = nn.Conv2d(channels[3] + skips[3], channels[4], 3, padding=1)

    def forward(self, image: Tensor, features: Features) -> Tensor:
        """Return (B, channels[4], H, W) from the input (B, skips[3], H, W) and features; f4 is
        the ASPP's output.
        """
        f1, f2, f3, x = features
        x = functional.relu(self.bn1(self.conv1(_join(x, f3))))
        x = functional.relu(self.bn2(self.conv2(_join(x, f2))))
        x = functional.relu(self.bn3(self.conv3(_join(x, f1))))
        y: Tensor = self.conv4(_join(x, image))
        return y


def _join(x: Tensor, skip: Tensor) -> Tensor:
    return torch.cat([resize(x, (skip.shape[2], skip.shape[3])), skip], 1)


# Channels of the base network's features for the refiner.
HIDDEN = 32


def _span(cell: Tensor, size: int, border: int) -> Tensor:
    """Return pixel coordinates (N, size + 2 * border) around rows or columns of cells `cell`
    (N,) of `size` pixels.
    """
    return cell[:, None] * size + torch.arange(-border, size + border, device=cell.device)


def _spans(cells: Tensor, width: int, size: int, border: int) -> tuple[Tensor, Tensor]:
    """Return rows and columns of the pixels around cells, in an image of this width with cells
    of `size` pixels.
    """
    across = width // size
    row = cells.div(across, rounding_mode="floor")
    return _span(row, size, border), _span(cells - row * across, size, border)


def _index(rows: Tensor, columns: Tensor, width: int) -> Tensor:
    """Return indices (N * P * Q,) into the flattened image, from rows (N, P) and columns (N, Q)."""
    return (rows[:, :, None] * width + columns[:, None, :]).flatten()


def _inside(rows: Tensor, columns: Tensor, height: int, width: int) -> Tensor:
    """Return a mask (N, 1, P, Q) of the positions inside the image."""
    row_inside = (rows >= 0) & (rows < height)
    column_inside = (columns >= 0) & (columns < width)
    return (row_inside[:, :, None] & column_inside[:, None, :])[:, None]


def cut(image: Tensor, cells: Tensor, border: int) -> Tensor:
    """Cut the cells out of `image` (1, C, H, W) with a border of `border` pixels:
    (N, C, 4 + 2b, 4 + 2b).
    """
    channels, height, width = image.shape[1:]
    rows, columns = _spans(cells, width, CELL, border)
    index = _index(rows.clamp(0, height - 1), columns.clamp(0, width - 1), width)
    pixels = image.reshape(channels, -1).index_select(1, index)
    windows = pixels.view(channels, *rows.shape, columns.shape[1]).transpose(0, 1)
    return windows * _inside(rows, columns, height, width)


def cut_resized(image: Tensor, cells: Tensor, size: tuple[int, int], border: int) -> Tensor:
    """Cut the cells out of `image` (1, C, h, w) as if it were first resized bilinearly to half the
    full size.

    `size` is that half size (height, width), at which a cell is 2x2 pixels. Returns
    (N, C, 2 + 2b, 2 + 2b).
    """
    channels, height, width = image.shape[1:]
    rows, columns = _spans(cells, size[1], CELL // 2, border)
    y0, y1, wy = _taps(rows, height, size[0])
    x0, x1, wx = _taps(columns, width, size[1])
    index = torch.stack([_index(y, x, width) for y in (y0, y1) for x in (x0, x1)], 1)
    # In the same order: the first of both, then the second column, then the second row.
    shares = [y[:, :, None] * x[:, None, :] for y in (1 - wy, wy) for x in (1 - wx, wx)]
    weight = torch.stack([share.flatten() for share in shares], 1).to(image.dtype)
    pixels = image[0].permute(1, 2, 0).reshape(-1, channels)
    mixed = functional.embedding_bag(index, pixels, mode="sum", per_sample_weights=weight)
    windows = mixed.view(*rows.shape, columns.shape[1], channels).permute(0, 3, 1, 2)
    return windows * _inside(rows, columns, *size)


def _taps(position: Tensor, length: int, resized: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the two source pixels for a position on the resized axis, and the weight of the
    second.
    """
    source = ((position + 0.5) * (length / resized) - 0.5).clamp(0, length - 1)
    low = source.floor()
    first = low.long()
    return first, (first + 1).clamp(max=length - 1), source - low


def paste_(image: Tensor, cells: Tensor, windows: Tensor, where: Tensor) -> Tensor:
    """Return `image` (1, C, H, W) with `windows` (N, C, 4, 4) pasted into the cells for which
    `where` (N,) is set.

    The cells must be distinct. `image` may be overwritten.
    """
    channels, _, width = image.shape[1:]
    index = _index(*_spans(cells, width, CELL, 0), width)
    pixels = image.reshape(channels, -1)
    new = windows.transpose(0, 1).reshape(channels, -1)
    kept = torch.where(where.repeat_interleave(CELL * CELL), new, pixels.index_select(1, index))
    return pixels.index_copy_(1, index, kept).view_as(image)


# Batch size that fits into a CPU's cache; all 20,000 cells of a 4K frame in one batch take twice as
# long. A GPU refines all cells in one batch, since each launch costs more than a cell.
CELLS_AT_ONCE = 2048

RefineMode = Literal["full", "sampling", "thresholding"]


class Refiner(nn.Module):
    """Recomputes the matte at full size in cells of 4x4 pixels: those with the largest predicted
    error, or all.

    mode: "sampling" refines the `sample_pixels` // 16 cells with the largest error, but none
    without error; "thresholding" those with an error above `threshold`; "full" the whole image. A
    convolution of `kernel_size` 3 sees what lies around a cell, one of 1 the cell alone.
    """

    def __init__(
        self,
        mode: RefineMode,
        sample_pixels: int,
        threshold: float,
        kernel_size: Literal[1, 3],
    ) -> None:
        super().__init__()
        self.mode = mode
        self.sample_pixels = sample_pixels
        self.threshold = threshold
        # What two convolutions see around a cell, at half and at full size.
        self.context_border = 3 if kernel_size == 3 else 0
        self.border = 2 if kernel_size == 3 else 0
        self.conv1 = nn.Conv2d(HIDDEN + 4 + 6, 24, kernel_size, bias=False)
        self.bn1 = nn.BatchNorm2d(24)
        self.conv2 = nn.Conv2d(24, 16, kernel_size, bias=False)
        self.bn2 = nn.BatchNorm2d(16)
        self.conv3 = nn.Conv2d(16 + 6, 12, kernel_size, bias=False)
        self.bn3 = nn.BatchNorm2d(12)
        self.conv4 = nn.Conv2d(12, 4, kernel_size)

    def forward(
        self,
        src: Tensor,
        bgr: Tensor,
        matte: Tensor,
        error: Tensor,
        hidden: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Return the refined [alpha, foreground residual] (1, 4, H, W) and the 0/1 map of cells
        (1, 1, H/4, W/4).

        src and bgr are (1, 3, H, W). At any smaller size: matte, [alpha, residual] (1, 4, h, w),
        its predicted error (1, 1, h, w) and the base network's hidden features (1, 32, h, w).
        """
        height, width = src.shape[2:]
        error = resize(error, (height // CELL, width // CELL))
        coarse = torch.cat([hidden, matte], 1)
        if self.mode == "full":
            images = torch.cat([src, bgr], 1)
            half = (height // 2, width // 2)
            context = torch.cat([resize(coarse, half), resize(images, half)], 1)
            whole = self.solve(_padded(context, self.context_border), _padded(images, self.border))
            return whole, torch.ones_like(error)
        cells, chosen = self._choose(error.flatten())
        if src.device.type == "cpu":
            batches = torch.split(cells, CELLS_AT_ONCE)
            refined = torch.cat([self._at(batch, src, bgr, coarse) for batch in batches])
        else:
            refined = self._at(cells, src, bgr, coarse)
        matte = resize(matte, (height, width))
        unrefined = torch.zeros_like(error).flatten()
        refined_cells = unrefined.index_copy(0, cells, chosen.to(error.dtype))
        return paste_(matte, cells, refined, chosen), refined_cells.view_as(error)

    def _choose(self, error: Tensor) -> tuple[Tensor, Tensor]:
        """Return the cells to compute (N,), and which of their results count (N,), from the
        error of each cell.
        """
        if self.mode == "thresholding":
            cells = (error > self.threshold).nonzero()[:, 0]
            return cells, torch.ones_like(cells, dtype=torch.bool)
        # The number of cells does not depend on the values, so no device synchronization is
        # required.
        errors, cells = error.topk(min(self.sample_pixels // CELL**2, error.numel()), sorted=False)
        return cells, errors > 0

    def _at(self, cells: Tensor, src: Tensor, bgr: Tensor, coarse: Tensor) -> Tensor:
        """Refine the cells, one window each; return (N, 4, 4, 4)."""
        half = src.shape[2] // 2, src.shape[3] // 2
        windows = torch.cat([cut(image, cells, 2 * self.context_border) for image in (src, bgr)], 1)
        coarse_windows = cut_resized(coarse, cells, half, self.context_border)
        # The same as resizing to half the size bilinearly.
        half_windows = functional.avg_pool2d(windows, 2)
        context = torch.cat([coarse_windows, half_windows], 1)
        return self.solve(context, _padded(windows, self.border - 2 * self.context_border))

    def solve(self, context: Tensor, images: Tensor) -> Tensor:
        """Return the matte (., 4, P, Q) from the context at half size and the images at full size.

        The context has a border of `context_border` pixels, the images one of `border` pixels.
        """
        x = functional.relu(self.bn1(self.conv1(context)))
        x = functional.relu(self.bn2(self.conv2(x)))
        x = torch.cat([functional.interpolate(x, scale_factor=2, mode="nearest"), images], 1)
        x = functional.relu(self.bn3(self.conv3(x)))
        matte: Tensor = self.conv4(x)
        return matte


def _padded(image: Tensor, border: int) -> Tensor:
    """Pad with zeros by `border` pixels on each side, or cut them off if it is negative."""
    return functional.pad(image, (border,) * 4)


Backbone = Literal["mobilenetv2", "resnet50", "resnet101"]
_BACKBONES: dict[Backbone, Callable[[int], MobileNetV2 | ResNet]] = {
    "mobilenetv2": MobileNetV2,
    "resnet50": resnet50,
    "resnet101": resnet101,
}


class MattingRefine(nn.Module):
    """Maps a frame and its background plate to foreground and alpha at full size.

    The base network runs at `backbone_scale` (at most 1/2). The refiner corrects its matte at full
    size where `refine_mode` says, see `Refiner`. The paper uses scale 1/4 and 80,000 pixels for HD,
    1/8 and 320,000 for 4K.
    """

    def __init__(
        self,
        backbone: Backbone,
        backbone_scale: float = 1 / 4,
        refine_mode: RefineMode = "sampling",
        sample_pixels: int = 80_000,
        threshold: float = 0.1,
        kernel_size: Literal[1, 3] = 3,
    ) -> None:
        if not 0 < backbone_scale <= 1 / 2:
            raise ValueError(
                f"The backbone scale must be above 0 and at most 1/2, not {backbone_scale}.",
            )
        super().__init__()
        self.backbone = _BACKBONES[backbone](6)
        f1, f2, f3, f4 = self.backbone.channels
        self.aspp = ASPP(f4)
        self.decoder = CoarseDecoder((256, 128, 64, 48, 1 + 3 + 1 + HIDDEN), (f3, f2, f1, 6))
        self.backbone_scale = backbone_scale
        self.refiner = Refiner(refine_mode, sample_pixels, threshold, kernel_size)

    def forward(self, src: Tensor, bgr: Tensor) -> tuple[Tensor, ...]:
        """Return pha, fgr, pha_sm, fgr_sm, err_sm and ref_sm, all in 0..1.

        pha and fgr are (1, 1, H, W) and (1, 3, H, W). pha_sm, fgr_sm and err_sm are the base
        network's outputs at its own scale. ref_sm, (1, 1, H/4, W/4), is 1 in refined cells. src and
        bgr: frame and plate, RGB (1, 3, H, W) in 0..1. Raises ValueError if their shapes differ, or
        if H or W is not a multiple of 4.
        """
        if src.shape != bgr.shape:
            raise ValueError(
                f"Frame and plate must have the same shape, not {tuple(src.shape)} and "
                f"{tuple(bgr.shape)}.",
            )
        height, width = src.shape[2:]
        if height % CELL or width % CELL:
            raise ValueError(
                f"Height and width must be multiples of {CELL}, not {height} and {width}.",
            )
        src_sm = self._shrink(src)
        bgr_sm = self._shrink(bgr)
        pha_sm, residual_sm, err_sm, hidden = self.coarse(src_sm, bgr_sm)
        matte, ref_sm = self.refiner(src, bgr, torch.cat([pha_sm, residual_sm], 1), err_sm, hidden)
        pha = matte[:, :1].clamp(0, 1)
        fgr = (src + matte[:, 1:]).clamp(0, 1)
        return pha, fgr, pha_sm, (src_sm + residual_sm).clamp(0, 1), err_sm, ref_sm

    def coarse(self, src: Tensor, bgr: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Run the base network on frame and plate, RGB (1, 3, h, w) in 0..1.

        Return alpha (1, 1, h, w) and the foreground residual (1, 3, h, w), the predicted error
        (1, 1, h, w) and hidden features (1, 32, h, w) >= 0. Alpha and error are in 0..1.
        """
        image = torch.cat([src, bgr], 1)
        f1, f2, f3, f4 = self.backbone(image)
        x = self.decoder(image, (f1, f2, f3, self.aspp(f4)))
        return x[:, :1].clamp(0, 1), x[:, 1:4], x[:, 4:5].clamp(0, 1), x[:, 5:].relu()

    def base(self, small: Tensor, small_plate: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return `coarse` in the layout that the executor reads.

        Matte (1, 4, h, w): residual, alpha; error (1, 1, h, w); [hidden, alpha, residual]
        (1, 36, h, w).
        """
        alpha, residual, error, hidden = self.coarse(small, small_plate)
        return torch.cat([residual, alpha], 1), error, torch.cat([hidden, alpha, residual], 1)

    def _shrink(self, image: Tensor) -> Tensor:
        """Downsample (1, 3, H, W) to the base network's (1, 3, floor(H * scale),
        floor(W * scale)).
        """
        return functional.interpolate(
            image,
            scale_factor=self.backbone_scale,
            mode="bilinear",
            align_corners=False,
            recompute_scale_factor=True,
        )


def load(backbone: Backbone, tensors: Mapping[str, Tensor], refiner: str) -> MattingRefine:
    """Return the network with these weights; see `models.table.LoadNetwork`."""
    network = MattingRefine(backbone)
    network.load_state_dict(tensors, strict=True)
    return network


def export(network: nn.Module, direct: bool = False) -> Export:
    """Export both networks. Between them the executor selects the cells and cuts their windows."""
    network = cast("MattingRefine", network)
    images = ("small", "small_plate")
    windows = ("context", "images")
    examples = {name: torch.zeros(1, 3, PROBE, PROBE) for name in images}
    examples["context"] = torch.zeros(2, CONTEXT_CHANNELS, WINDOW, WINDOW)
    examples["images"] = torch.zeros(2, IMAGE_CHANNELS, WINDOW, WINDOW)
    return Export(
        (
            ExportStage(
                "base",
                Method(network, "base"),
                images,
                ("matte", "error", "features"),
                ("features",),
            ),
            ExportStage(
                "refiner",
                Method(network.refiner, "solve"),
                windows,
                ("refined",),
                (*windows, "refined"),
            ),
        ),
        examples,
    )
