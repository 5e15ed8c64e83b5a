"""Mattecam's network in int8: convolutions of encoder and decoder with 8-bit inputs and weights.

In torch, quantization is simulated in float32; OpenVINO converts it to int8 convolutions. The
states, the first convolutions and the gate by global context stay in float32: rounded states would
accumulate errors. Batch normalization is folded into the convolutions.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from models.backbones import STAGES_TO_8, MBConv
from models.blocks import Residual
from models.mattecam.network import Context, MattecamGRU, MattecamNetwork, Trunk
from models.quantization import SIGNED, QuantizedConv, Quantizer

_SCALE = ".scale"


def quantized(network: MattecamNetwork) -> MattecamNetwork:
    """Return a copy of a network in evaluation mode with quantizers; `training.calibration` sets
    their scales.
    """
    mattecam = copy.deepcopy(network)
    mattecam.encode1 = nn.Sequential(*_folded(mattecam.encode1), Quantizer())
    if mattecam.trunk is not None:
        _quantize_trunk(mattecam.trunk)
    stages = ["encode2", "encode3"]
    if mattecam.trunk is None:
        stages += ["encode4", "encode5"]
    for name in stages:
        stage = getattr(mattecam, name)
        setattr(mattecam, name, nn.Sequential(*map(_encoder_part, stage)))
    mattecam.decode4 = _convolution(mattecam.decode4, Quantizer())
    mattecam.decode3 = _convolution(mattecam.decode3, Quantizer(SIGNED))  # states are negative, too
    mattecam.decode2 = _convolution(mattecam.decode2, Quantizer(SIGNED))
    for name in ("memory2", "memory3", "memory4"):
        setattr(mattecam, name, _QuantizedGRU(getattr(mattecam, name)))
    if mattecam.detail1 is not None:
        mattecam.detail1 = nn.Sequential(*_folded(mattecam.detail1))
    mattecam.reduce1 = nn.Sequential(*_folded(mattecam.reduce1))
    mattecam.decode1 = _convolution(mattecam.decode1, Quantizer())
    if mattecam.refine1 is not None:
        mattecam.refine1.body = _convolution(mattecam.refine1.body[0], Quantizer())
    mattecam.add_module("project", nn.Sequential(Quantizer(), QuantizedConv(mattecam.project)))
    return mattecam


def load_quantized(tensors: Mapping[str, Tensor]) -> MattecamNetwork:
    """Return the network of tensors that `training.saving` wrote.

    Raises RuntimeError if they do not match.
    """
    mattecam = quantized(MattecamNetwork.for_weights(tensors).eval())
    state = dict(tensors)
    for name, weight in tensors.items():
        if weight.dtype == torch.int8:
            scale = tensors.get(name.removesuffix(".weight") + _SCALE)
            if scale is None or scale.shape != weight.shape[:1]:
                raise RuntimeError(f"{name} has no scales")
            state[name] = weight.float() * scale.float()[:, None, None, None]
    mattecam.load_state_dict(state, strict=True)
    return mattecam.eval()


class _QuantizedGRU(MattecamGRU):
    """A recurrent unit whose convolutions see 8-bit copies of its state; the state itself stays
    in float32.
    """

    def __init__(self, memory: MattecamGRU) -> None:
        super().__init__(2 * memory.channels)
        for name in ("gates", "candidate"):
            convolution = QuantizedConv(getattr(memory, name))
            setattr(self, name, nn.Sequential(Quantizer(SIGNED), convolution))

    def _step(self, x: Tensor, h: Tensor | None) -> Tensor:
        if h is None:
            h = torch.zeros_like(x)
        return super()._step(x, h)


def _quantize_trunk(trunk: Trunk) -> None:
    """Quantize the trunk after its first convolution, in place.

    Its blocks end without an activation, so their outputs have signs. The features at 1/8 leave the
    first part of the export in float32; the second part rounds them.
    """
    encoder = trunk.encoder
    encoder.stem = nn.Sequential(*_folded(encoder.stem), Quantizer())
    stages: list[list[nn.Module]] = []
    for stage in encoder.stages:
        parts: list[nn.Module] = [_trunk_part(part) for part in stage.children()]
        stages.append(parts)
    last = stages[STAGES_TO_8 - 1][-1]
    assert isinstance(last, nn.Sequential)
    stages[STAGES_TO_8].insert(0, last.pop(1))
    encoder.stages = nn.ModuleList(nn.Sequential(*blocks) for blocks in stages)
    trunk.lateral4 = _convolution(trunk.lateral4)
    trunk.lateral5 = _convolution(trunk.lateral5)


def _trunk_part(block: nn.Module) -> nn.Sequential:
    assert isinstance(block, MBConv)
    *inner, narrow = block.body
    quantized_inner = [_convolution(layer, after=Quantizer()) for layer in inner]
    block.body = nn.Sequential(*quantized_inner, _convolution(narrow))
    return nn.Sequential(block, Quantizer(SIGNED))


def _encoder_part(part: nn.Module) -> nn.Module:
    if isinstance(part, Residual):
        *inner, last = part.body
        quantized_inner = [_convolution(block, after=Quantizer()) for block in inner]
        part.body = nn.Sequential(*quantized_inner, _convolution(last))
        return nn.Sequential(part, Quantizer())
    if isinstance(part, Context):
        part.features = _convolution(part.features)
        return part
    return _convolution(part, after=Quantizer())


def _convolution(
    block: nn.Module,
    before: Quantizer | None = None,
    after: Quantizer | None = None,
) -> nn.Sequential:
    """Return a block of `conv_norm` with its weights quantized, and with quantizers before and
    after it.
    """
    convolution, *activation = _folded(block)
    assert isinstance(convolution, nn.Conv2d)
    parts = [QuantizedConv(convolution), *activation]
    if before is not None:
        parts.insert(0, before)
    if after is not None:
        parts.append(after)
    return nn.Sequential(*parts)


def _folded(block: nn.Module) -> Iterator[nn.Module]:
    """Yield the parts of a block of `conv_norm` with the normalization folded into the
    convolution.
    """
    convolution, norm, *activation = block.children()
    assert isinstance(convolution, nn.Conv2d)
    assert isinstance(norm, nn.BatchNorm2d)
    yield fuse_conv_bn_eval(convolution, norm)
    yield from activation
