"""The whole network: coarse matte, then refinement (arXiv 2012.07810, section 4 and figure 3); its inference core."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, cast

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from models.backbones.mobilenetv2 import MobileNetV2
from models.backbones.resnet import ResNet, resnet50, resnet101
from models.bgmv2.refiner import ASPP, HIDDEN, CoarseDecoder, RefineMode, Refiner
from models.bgmv2.spec import CELL, CONTEXT_CHANNELS, IMAGE_CHANNELS, WINDOW, Backbone
from models.export import PROBE, Export, ExportStage, Method

_BACKBONES: dict[Backbone, Callable[[int], MobileNetV2 | ResNet]] = {
    "mobilenetv2": MobileNetV2,
    "resnet50": resnet50,
    "resnet101": resnet101,
}


class MattingRefine(nn.Module):
    """Maps a frame and its background plate to foreground and alpha at full size.

    The base network runs at `backbone_scale` (at most 1/2). The refiner corrects its matte at full size where
    `refine_mode` says, see `Refiner`. The paper uses scale 1/4 and 80,000 pixels for HD, 1/8 and 320,000 for 4K.
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
            raise ValueError(f"The backbone scale must be above 0 and at most 1/2, not {backbone_scale}.")
        super().__init__()
        self.backbone = _BACKBONES[backbone](6)
        f1, f2, f3, f4 = self.backbone.channels
        self.aspp = ASPP(f4)
        self.decoder = CoarseDecoder((256, 128, 64, 48, 1 + 3 + 1 + HIDDEN), (f3, f2, f1, 6))
        self.backbone_scale = backbone_scale
        self.refiner = Refiner(refine_mode, sample_pixels, threshold, kernel_size)

    def forward(self, src: Tensor, bgr: Tensor) -> tuple[Tensor, ...]:
        """Return pha, fgr, pha_sm, fgr_sm, err_sm and ref_sm, all in 0..1.

        pha and fgr are (1, 1, H, W) and (1, 3, H, W). pha_sm, fgr_sm and err_sm are the base network's outputs at its
        own scale. ref_sm, (1, 1, H/4, W/4), is 1 in refined cells. src and bgr: frame and plate, RGB (1, 3, H, W) in
        0..1. Raises ValueError if their shapes differ, or if H or W is not a multiple of 4.
        """
        _check(src, bgr)
        src_sm, bgr_sm = (self._shrink(image) for image in (src, bgr))
        pha_sm, residual_sm, err_sm, hidden = self.coarse(src_sm, bgr_sm)
        matte, ref_sm = self.refiner(src, bgr, torch.cat([pha_sm, residual_sm], 1), err_sm, hidden)
        pha, fgr = matte[:, :1].clamp(0, 1), (src + matte[:, 1:]).clamp(0, 1)
        return pha, fgr, pha_sm, (src_sm + residual_sm).clamp(0, 1), err_sm, ref_sm

    def coarse(self, src: Tensor, bgr: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Run the base network on frame and plate, RGB (1, 3, h, w) in 0..1.

        Return alpha (1, 1, h, w) and the foreground residual (1, 3, h, w), the predicted error (1, 1, h, w) and hidden
        features (1, 32, h, w) >= 0. Alpha and error are in 0..1.
        """
        image = torch.cat([src, bgr], 1)
        f1, f2, f3, f4 = self.backbone(image)
        x = self.decoder(image, (f1, f2, f3, self.aspp(f4)))
        return x[:, :1].clamp(0, 1), x[:, 1:4], x[:, 4:5].clamp(0, 1), x[:, 5:].relu()

    def base(self, small: Tensor, small_plate: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return `coarse` in the layout that the executor reads.

        Matte (1, 4, h, w): residual, alpha; error (1, 1, h, w); [hidden, alpha, residual] (1, 36, h, w).
        """
        alpha, residual, error, hidden = self.coarse(small, small_plate)
        return torch.cat([residual, alpha], 1), error, torch.cat([hidden, alpha, residual], 1)

    def _shrink(self, image: Tensor) -> Tensor:
        """Downsample (1, 3, H, W) to the base network's (1, 3, floor(H * scale), floor(W * scale))."""
        return functional.interpolate(
            image, scale_factor=self.backbone_scale, mode="bilinear", align_corners=False, recompute_scale_factor=True
        )


def load(backbone: Backbone, tensors: Mapping[str, Tensor], refiner: str) -> MattingRefine:
    """Return the network with these weights; see `models.spec.LoadNetwork`."""
    network = MattingRefine(backbone)
    network.load_state_dict(tensors, strict=True)
    return network


def _check(src: Tensor, bgr: Tensor) -> None:
    if src.shape != bgr.shape:
        raise ValueError(f"Frame and plate must have the same shape, not {tuple(src.shape)} and {tuple(bgr.shape)}.")
    height, width = src.shape[2:]
    if height % CELL or width % CELL:
        raise ValueError(f"Height and width must be multiples of {CELL}, not {height} and {width}.")


def export(network: nn.Module, direct: bool = False) -> Export:
    """Export both networks. Between them the executor selects the cells and cuts their windows."""
    network = cast("MattingRefine", network)
    images, windows = ("small", "small_plate"), ("context", "images")
    examples = {name: torch.zeros(1, 3, PROBE, PROBE) for name in images}
    examples["context"] = torch.zeros(2, CONTEXT_CHANNELS, WINDOW, WINDOW)
    examples["images"] = torch.zeros(2, IMAGE_CHANNELS, WINDOW, WINDOW)
    return Export(
        (
            ExportStage("base", Method(network, "base"), images, ("matte", "error", "features"), ("features",)),
            ExportStage("refiner", Method(network.refiner, "solve"), windows, ("refined",), (*windows, "refined")),
        ),
        examples,
    )
