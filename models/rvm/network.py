"""The RVM network (arXiv 2108.11515, section 3), and its inference core.

The core is encoder and decoder without the image pyramid and the guided filter. In bfloat16, RVM's
error has three sources: the first two thirds of MobileNetV3, mainly the convolutions at the frame's
own scale; the finest features in two convolutions of the decoder; and the deep guided filter, which
subtracts nearly equal means. The first two form the float32 part `encoder`; the filter is exported
as weights. With the rest in bfloat16, the alpha error is at most 5 of 255. ResNet50 takes most of
the computation and loses no accuracy in bfloat16.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple, cast

import torch
import torch.nn.functional as functional
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from models.backbones import Features, MobileNetV3Large, ResNet, resnet50
from models.blocks import (
    FILTER_EPS,
    DeepGuidedFilter,
    apply_filter,
    conv_norm,
    downsampled,
    fast_guided_filter,
    feature_sizes,
    halve,
)
from models.exchange import (
    COEFFICIENTS,
    FastFilterWeights,
    FilterWeights,
    Floats,
    LearnedFilterWeights,
    state_names,
)
from models.export import Export, ExportStage, example_inputs
from models.quantization import (
    quantize_convolutions,
    quantized_names,
    round_weights,
    set_input_scales,
)


class LRASPP(nn.Module):
    """LR-ASPP (arXiv 1905.02244, section 6.4): fewer channels, gated by the global context."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.aspp1 = conv_norm(in_channels, out_channels)
        self.aspp2 = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(in_channels, out_channels, 1, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, out_channels, H, W)."""
        features: Tensor = self.aspp1(x)
        gate: Tensor = self.aspp2(x)
        return features * gate


class ConvGRU(nn.Module):
    """A convolutional gated recurrent unit (equation 1).

    z and r are the update and reset gates: h = (1 - z) * h + z * tanh(conv([x, r * h])).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.ih = nn.Sequential(nn.Conv2d(2 * channels, 2 * channels, 3, padding=1), nn.Sigmoid())
        self.hh = nn.Sequential(nn.Conv2d(2 * channels, channels, 3, padding=1), nn.Tanh())

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        """Return the state after one frame; x and h are (B, C, H, W)."""
        r, z = self.ih(torch.cat([x, h], 1)).chunk(2, 1)
        candidate = self.hh(torch.cat([x, r * h], 1))
        new: Tensor = (1 - z) * h + z * candidate
        return new


class SplitGRU(nn.Module):
    """Processes half of the channels with a ConvGRU, and passes the others through
    (section 3.2).
    """

    gru: ConvGRU

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gru = ConvGRU(channels // 2)

    def remember(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """Process x (B, C, H, W) with state h (B, C / 2, H, W); return both in these shapes."""
        a, b = x.chunk(2, 1)
        h = self.gru(b, h)
        return torch.cat([a, h], 1), h


# The recurrent states r1..r4 at 1/2, 1/4, 1/8 and 1/16 of the small frame, finest first.
State = tuple[Tensor, Tensor, Tensor, Tensor]


def upsample_like(x: Tensor, skip: Tensor) -> Tensor:
    """Upsample `x` bilinearly by 2 and crop it to the size of `skip`, which may be odd."""
    x = functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    return x[:, :, : skip.shape[2], : skip.shape[3]]


class UpsamplingBlock(SplitGRU):
    """decode3, decode2, decode1: upsample, join the encoder's features and the image, remember."""

    def __init__(self, in_channels: int, skip_channels: int, out_channels: int) -> None:
        super().__init__(out_channels)
        self.skip_channels = skip_channels
        self.conv = conv_norm(in_channels + skip_channels + 3, out_channels, 3)

    def forward(self, x: Tensor, f: Tensor, s: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """Return (output, state). x: of the coarser level. f, s, h: features, image and state."""
        x = self.conv(torch.cat([upsample_like(x, s), f, s], 1))
        return self.remember(x, h)


class OutputBlock(nn.Module):
    """decode0: the final features "hid" at the small frame's size, input of all projections."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            *conv_norm(in_channels + 3, out_channels, 3), *conv_norm(out_channels, out_channels, 3)
        )

    def forward(self, x: Tensor, s: Tensor) -> Tensor:
        """Map x (B, C, h / 2, w / 2) and image s (B, 3, h, w) to (B, out_channels, h, w)."""
        hid: Tensor = self.conv(torch.cat([upsample_like(x, s), s], 1))
        return hid


class RecurrentDecoder(nn.Module):
    """Five blocks from 1/16 back to full size; four of them are recurrent.

    features: the encoder's channels, finest first, with the bottleneck's last. widths: the
    decoder's channels, coarsest first.
    """

    def __init__(
        self,
        features: tuple[int, int, int, int],
        widths: tuple[int, int, int, int],
    ) -> None:
        super().__init__()
        self.state_channels = (widths[2] // 2, widths[1] // 2, widths[0] // 2, features[3] // 2)
        self.decode4 = SplitGRU(features[3])
        self.decode3 = UpsamplingBlock(features[3], features[2], widths[0])
        self.decode2 = UpsamplingBlock(widths[0], features[1], widths[1])
        self.decode1 = UpsamplingBlock(widths[1], features[0], widths[2])
        self.decode0 = OutputBlock(widths[2], widths[3])

    def forward(
        self,
        image: Tensor,
        features: Features,
        state: Sequence[Tensor],
    ) -> tuple[Tensor, State]:
        """Return hid (B, widths[3], h, w) and the new states.

        image: the small frame (B, 3, h, w). features: the encoder's output for it.
        """
        f1, f2, f3, f4 = features
        r1, r2, r3, r4 = state
        s1 = halve(image)
        s2 = halve(s1)
        s3 = halve(s2)
        x, r4 = self.decode4.remember(f4, r4)
        x, r3 = self.decode3(x, f3, s3, r3)
        x, r2 = self.decode2(x, f2, s2, r2)
        x, r1 = self.decode1(x, f1, s1, r1)
        return self.decode0(x, image), (r1, r2, r3, r4)


Variant = Literal["mobilenetv3", "resnet50"]


class _Design(NamedTuple):
    """What a variant is built of."""

    make_backbone: Callable[[], MobileNetV3Large | ResNet]
    bottleneck: int  # channels of LR-ASPP
    widths: tuple[int, int, int, int]  # channels of the decoder, coarsest first


_DESIGNS: dict[Variant, _Design] = {
    "mobilenetv3": _Design(MobileNetV3Large, 128, (80, 40, 32, 16)),
    "resnet50": _Design(resnet50, 256, (128, 64, 32, 16)),
}


def _projection(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(OrderedDict(conv=nn.Conv2d(in_channels, out_channels, 1)))


class MattingNetwork(nn.Module):
    """RVM: maps a frame and recurrent states to foreground, alpha and new states.

    Images are RGB in 0..1, (B, 3, H, W). The states r1..r4 belong to one stream at one size; none,
    or those of `initial_state`, start a stream. `forward` runs the whole network, `segment` its
    segmentation pass; `coefficients` and `apply_coefficients` run the stages of matting at small
    and at full size separately.
    """

    def __init__(self, variant: Variant = "mobilenetv3", deep: bool = True) -> None:
        """deep: whether it has the deep guided filter, or the fast one, which has no parameters."""
        super().__init__()
        make_backbone, bottleneck, widths = _DESIGNS[variant]
        self.backbone = make_backbone()
        f1, f2, f3, f4 = self.backbone.channels
        self.aspp = LRASPP(f4, bottleneck)
        self.decoder = RecurrentDecoder((f1, f2, f3, bottleneck), widths)
        self.project_mat = _projection(widths[3], 4)
        self.project_seg = _projection(widths[3], 1)
        self.refiner = DeepGuidedFilter(widths[3]) if deep else None

    def initial_state(self, batch: int, height_small: int, width_small: int) -> State:
        """Return zero states for streams whose small frame has this size.

        r_i is (batch, C_i, ceil(height / 2^i), ceil(width / 2^i)), with the network's dtype and
        device.
        """
        like = next(self.parameters())
        sizes = feature_sizes(height_small, width_small)
        states = []
        for channels, size in zip(self.decoder.state_channels, sizes, strict=True):
            states.append(like.new_zeros(batch, channels, *size))
        r1, r2, r3, r4 = states
        return r1, r2, r3, r4

    def forward(
        self,
        src: Tensor,
        *state: Tensor,
        downsample_ratio: float = 1,
    ) -> tuple[Tensor, ...]:
        """Return fgr (B, 3, H, W), pha (B, 1, H, W), both in 0..1, and the new states.

        At a ratio other than 1 the network runs on a frame of floor(H * ratio) by floor(W * ratio),
        and a guided filter upsamples its matte.
        """
        if downsample_ratio == 1:
            hid, after = self._decode(src, state)
            return *_finish(src, self.project_mat(hid)), *after
        slope, offset, _, *rest = self.coefficients(downsampled(src, downsample_ratio), *state)
        return *self.apply_coefficients(src, slope, offset), *rest

    def segment(self, src: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Return logits of "belongs to a person" (B, 1, H, W) for src (B, 3, H, W), and the new
        states.

        The second task of the paper's training, with masks in place of mattes. Weights that were
        published for inference only have zeros here: their logits are 0.
        """
        hid, after = self._decode(src, state)
        return self.project_seg(hid), *after

    def coefficients(self, src_small: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Run the small-size stage: return A, b, coarse alpha and the new states.

        src_small is (B, 3, h, w) in 0..1. A and b, (B, 4, h, w), map [R, G, B, mean of RGB] to
        [foreground residual, alpha]. The coarse alpha, (B, 1, h, w) in 0..1, is the one before the
        guided filter. A and b are float32 even in a half-precision network.
        """
        hid, after = self._decode(src_small, state)
        matte = self.project_mat(hid)
        if self.refiner is None:
            slope, offset = fast_guided_filter(src_small, matte)
        else:
            slope, offset = self.refiner(src_small, matte, hid)
        return slope, offset, matte[:, 3:].clamp(0, 1), *after

    def apply_coefficients(
        self,
        src: Tensor,
        slope: Tensor,
        offset: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Run the full-size stage: return fgr (B, 3, H, W) and pha (B, 1, H, W) in 0..1 for src
        (B, 3, H, W).

        slope and offset: A and b, (B, 4, h, w), from `coefficients`.
        """
        return _finish(src, apply_filter(src, slope, offset))

    def _decode(self, src_small: Tensor, state: Sequence[Tensor]) -> tuple[Tensor, State]:
        """Return the decoder's features hid (B, 16, h, w) and the new states."""
        batch, _, height, width = src_small.shape
        f1, f2, f3, f4 = self.backbone(src_small)
        state = state or self.initial_state(batch, height, width)
        hid, after = self.decoder(src_small, (f1, f2, f3, self.aspp(f4)), state)
        return hid, after


def _finish(image: Tensor, matte: Tensor) -> tuple[Tensor, Tensor]:
    """Return foreground and alpha in 0..1. matte: [foreground residual, alpha] (B, 4, H, W)."""
    fgr = (image + matte[:, :3]).clamp(0, 1)
    pha = matte[:, 3:].clamp(0, 1)
    return fgr.to(image.dtype), pha.to(image.dtype)


def load(variant: Variant, tensors: Mapping[str, Tensor], refiner: str) -> MattingNetwork:
    """Return the network with these weights; see `models.table.LoadNetwork`."""
    if refiner == "fast-guided-filter":
        # It has no parameters: ignore those of the deep filter.
        names = [name for name in tensors if not name.startswith("refiner.")]
        tensors = {name: tensors[name] for name in names}
    network = MattingNetwork(variant, deep="refiner.box_filter.weight" in tensors)
    network.load_state_dict(tensors, strict=True)
    return network


# Of MobileNetV3, those that run in float32.
ENCODER_LAYERS = 14
# Layers whose outputs are also inputs of the decoder.
_FINEST = 1
_FINE = 3
_MIDDLE = 6


def _split(conv: nn.Conv2d, norm: nn.BatchNorm2d, channels: int) -> tuple[nn.Conv2d, nn.Conv2d]:
    """Split norm(conv(x)) into a sum of two convolutions: of the first `channels` of x, and of the
    others.

    The second convolution has the bias.
    """
    folded = fuse_conv_bn_eval(conv, norm)
    first = _convolution(folded.weight[:, :channels], None)
    others = _convolution(folded.weight[:, channels:], folded.bias)
    return first, others


def _convolution(weights: Tensor, bias: Tensor | None) -> nn.Conv2d:
    made = nn.Conv2d(weights.shape[1], weights.shape[0], 3, padding=1, bias=bias is not None)
    made.weight = nn.Parameter(weights.detach().clone(), requires_grad=False)
    if bias is not None:
        made.bias = nn.Parameter(bias.detach().clone(), requires_grad=False)
    return made


class SplitBlock(nn.Module):
    """A decoder block whose convolution of [coarser, features, image] is a sum of two.

    `skip`, of [features, image], can run in another part and precision than `coarser`.
    """

    def __init__(self, block: UpsamplingBlock) -> None:
        super().__init__()
        conv = cast("nn.Conv2d", block.conv[0])
        norm = cast("nn.BatchNorm2d", block.conv[1])
        skip_channels = block.skip_channels + 3
        self.coarser, self.skip = _split(conv, norm, conv.in_channels - skip_channels)
        self.block = block

    def forward(self, x: Tensor, skip: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """Return (output, state) from x at the coarser level and the output of `skip`."""
        x = torch.relu(self.coarser(upsample_like(x, skip)) + skip)
        return self.block.remember(x, h)


class SplitOutput(nn.Module):
    """The last decoder block, with its convolution of [coarser, image] split into a sum of two."""

    def __init__(self, decoder: RecurrentDecoder) -> None:
        super().__init__()
        first, norm, *rest = decoder.decode0.conv
        conv = cast("nn.Conv2d", first)
        self.coarser, self.image = _split(conv, cast("nn.BatchNorm2d", norm), conv.in_channels - 3)
        self.rest = nn.Sequential(*rest)

    def forward(self, x: Tensor, image: Tensor) -> Tensor:
        """Return the features (1, C, h, w)."""
        hid: Tensor = self.rest(self.coarser(upsample_like(x, image)) + self.image(image))
        return hid


class Encoder(nn.Module):
    """MobileNetV3's first layers, and the decoder's convolutions of its two finest features."""

    def __init__(self, backbone: MobileNetV3Large, skip1: nn.Conv2d, skip2: nn.Conv2d) -> None:
        super().__init__()
        self.normalise = backbone.normalise
        self.layers = backbone.features[:ENCODER_LAYERS]
        self.skip1 = skip1
        self.skip2 = skip2

    def forward(
        self,
        small: Tensor,
        half1: Tensor,
        half2: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the two skips, finest first, the features at 1/8, and those of the last layer."""
        x = self.normalise(small)
        taps: dict[int, Tensor] = {}
        for index, layer in enumerate(self.layers):
            x = layer(x)
            taps[index] = x
        finest = self.skip1(torch.cat([taps[_FINEST], half1], 1))
        fine = self.skip2(torch.cat([taps[_FINE], half2], 1))
        return finest, fine, taps[_MIDDLE], x


class DecoderExport(nn.Module):
    """The rest of the network, with the projection for the fast guided filter."""

    def __init__(
        self,
        network: MattingNetwork,
        deepest: nn.Module,
        split1: SplitBlock,
        split2: SplitBlock,
    ) -> None:
        super().__init__()
        # The deep guided filter projects by itself.
        self.project = network.project_mat if network.refiner is None else nn.Identity()
        self.deepest = deepest
        self.aspp = network.aspp
        self.decode4 = network.decoder.decode4
        self.decode3 = network.decoder.decode3
        self.decode2 = split2
        self.decode1 = split1
        self.decode0 = SplitOutput(network.decoder)

    def forward(
        self,
        small: Tensor,
        half3: Tensor,
        finest: Tensor,
        fine: Tensor,
        middle: Tensor,
        deep: Tensor,
        *states: Tensor,
    ) -> tuple[Tensor, ...]:
        """Return the input of the guided filter (1, C, h, w; `models.exchange`) and the new
        states.
        """
        r1, r2, r3, r4 = states
        x, r4 = self.decode4.remember(self.aspp(self.deepest(deep)), r4)
        x, r3 = self.decode3(x, middle, half3, r3)
        x, r2 = self.decode2(x, fine, r2)
        x, r1 = self.decode1(x, finest, r1)
        return self.project(self.decode0(x, small)), r1, r2, r3, r4


class WholeBody(nn.Module):
    """Encoder and decoder in one part."""

    def __init__(self, network: MattingNetwork) -> None:
        super().__init__()
        self.backbone = network.backbone
        self.split1 = SplitBlock(network.decoder.decode1)
        self.split2 = SplitBlock(network.decoder.decode2)
        self.decoder = DecoderExport(network, nn.Identity(), self.split1, self.split2)

    def forward(
        self, small: Tensor, half1: Tensor, half2: Tensor, half3: Tensor, *states: Tensor
    ) -> tuple[Tensor, ...]:
        """Return the input of the guided filter (1, C, h, w) and the new states."""
        f1, f2, f3, f4 = self.backbone(small)
        finest = self.split1.skip(torch.cat([f1, half1], 1))
        fine = self.split2.skip(torch.cat([f2, half2], 1))
        outputs: tuple[Tensor, ...] = self.decoder(small, half3, finest, fine, f3, f4, *states)
        return outputs


class DirectOutput(nn.Module):
    """Output of a network that runs at full size: the matte is the offset, the slope is zero."""

    def __init__(self, network: MattingNetwork) -> None:
        super().__init__()
        self.project = nn.Identity() if network.refiner is None else network.project_mat

    def forward(self, small: Tensor, matte_input: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return slope, offset (1, 4, h, w) and alpha (1, 1, h, w)."""
        matte = self.project(matte_input)
        residual = (small + matte[:, :3]).clamp(0, 1) - small
        alpha = matte[:, 3:].clamp(0, 1)
        offset = torch.cat([residual, alpha], 1)
        return torch.zeros_like(offset), offset, alpha


def export(network: nn.Module, direct: bool) -> Export:
    """Export RVM; with `direct`, without the guided filter, for frames that are not downsampled."""
    assert isinstance(network, MattingNetwork)
    examples, states = example_inputs(network, halvings=3)
    before, after = state_names(len(states))
    stages: tuple[ExportStage, ...]
    if isinstance(network.backbone, MobileNetV3Large):
        stages = _mobilenet_stages(network)
    else:
        inputs = ("small", "half1", "half2", "half3", *before)
        outputs = ("matte", *after)
        body = ExportStage("body", WholeBody(network), inputs, outputs, (*before, *after))
        stages = (body,)
    if not direct:
        return Export(stages, examples, states, filter_weights(network))
    output = ExportStage(
        "output",
        DirectOutput(network),
        ("small", "matte"),
        COEFFICIENTS,
        float32=True,
    )
    return Export((*stages, output), examples, states)


def _mobilenet_stages(network: MattingNetwork) -> tuple[ExportStage, ...]:
    backbone = network.backbone
    assert isinstance(backbone, MobileNetV3Large)
    split1 = SplitBlock(network.decoder.decode1)
    split2 = SplitBlock(network.decoder.decode2)
    between = ("finest", "fine", "middle", "deep")
    before, after = state_names(4)
    deepest = nn.Sequential(*backbone.features[ENCODER_LAYERS:])
    return (
        ExportStage(
            "encoder",
            Encoder(backbone, split1.skip, split2.skip),
            ("small", "half1", "half2"),
            between,
            between,
            float32=True,
        ),
        ExportStage(
            "decoder",
            DecoderExport(network, deepest, split1, split2),
            ("small", "half3", *between, *before),
            ("matte", *after),
            (*between, *before, *after),
        ),
    )


def filter_weights(network: MattingNetwork) -> FilterWeights:
    """Return the network's guided filter, with its normalizations folded into the convolutions."""
    refiner = network.refiner
    if refiner is None:
        return FastFilterWeights(FILTER_EPS, renormalize_borders=False)
    first, first_norm, _, second, second_norm, _, third = refiner.conv
    box = refiner.box_filter.weight.detach().reshape(4, 9).numpy().copy()
    return LearnedFilterWeights(
        _matrix(network.project_mat[0]),
        box,
        _matrix(first, first_norm),
        _matrix(second, second_norm),
        _matrix(third),
    )


def _matrix(conv: nn.Module, norm: nn.Module | None = None) -> Floats:
    """Return the weights (outputs, inputs + 1) of a 1x1 convolution, the bias last."""
    assert isinstance(conv, nn.Conv2d)
    if norm is not None:
        assert isinstance(norm, nn.BatchNorm2d)
        conv = fuse_conv_bn_eval(conv, norm)
    assert conv.bias is not None
    return torch.cat([conv.weight[:, :, 0, 0], conv.bias[:, None]], 1).detach().contiguous().numpy()


def quantized(export: Export, layers: Iterable[str]) -> Export:
    """Return a copy of an export with quantized convolutions; the caller sets their scales.

    layers: names of convolutions after the name of their part. Raises RuntimeError if one does not
    exist.
    """
    copied = replace(export, stages=copy.deepcopy(export.stages))
    quantize_convolutions(parts_of(copied), layers)
    return copied


def load_quantized(export: Export, tensors: Mapping[str, Tensor]) -> Export:
    """Return a copy of an export in int8 with these scales.

    Raises RuntimeError if they do not fit.
    """
    in_int8 = quantized(export, quantized_names(tensors))
    set_input_scales(parts_of(in_int8), tensors)
    round_weights(parts_of(in_int8))
    return in_int8


def parts_of(export: Export) -> nn.ModuleDict:
    """Return the modules of an export by the name of their part."""
    return nn.ModuleDict({stage.name: stage.module for stage in export.stages})
