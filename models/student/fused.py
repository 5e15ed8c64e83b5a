"""The bundled network for NVIDIA GPUs, in about 60 launches in place of 180."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.backbones.efficientnet_lite import STAGES_TO_16, InvertedResidual
from models.blocks import Residual
from models.cuda.bottleneck import FusedBottleneck
from models.cuda.coefficients import decided_matte, fast_guided_filter, kept_shares, shuffled_matte
from models.cuda.launch import Launch
from models.cuda.layers import Convolution, GatedUnit, Stem, bias_of, frozen, matrix_of, product
from models.cuda.operations import Activation, Operations, Sums
from models.rvm.sizes import feature_sizes
from models.student.forgetting import CHANNELS
from models.student.network import EPS, STRETCH, Context, State, StudentNetwork
from models.student.trunk import Trunk


def fuse(network: nn.Module, launch: Launch, dtype: torch.dtype) -> nn.Module:
    """Return the network for a GPU. Its normalizations must be folded, in float32."""
    assert isinstance(network, StudentNetwork)
    return FusedStudent(network, Operations(launch, dtype)).eval()


class FusedStudent(nn.Module):
    """Has the interface of `StudentNetwork` for single frames."""

    reads_float32 = True
    """Images are always in float32."""

    def __init__(self, network: StudentNetwork, operations: Operations) -> None:
        super().__init__()
        dtype = operations.dtype
        self.operations = operations
        self.rule, self.forgetting = network.decision.rule, network.forgetting.rule
        self.state_channels = tuple(memory.channels for memory in (network.memory2, network.memory3, network.memory4))
        self.stem = Stem(operations, network.encode1, network.mean, network.deviation, Activation.RELU)
        self.stages = nn.ModuleList(_Stage(operations, stage) for stage in (network.encode2, network.encode3))
        trunk = network.trunk
        self.coarse = _Coarse(operations, network) if trunk is None else _Trunk(operations, trunk, network)
        decodes = network.decode4, network.decode3, network.decode2
        self.decodes = nn.ModuleList(Convolution(decode, dtype) for decode in decodes)
        memories = network.memory4, network.memory3, network.memory2
        self.units = nn.ModuleList(GatedUnit(operations, each.gates, each.candidate, dtype) for each in memories)
        self.reduce, self.reduce_bias = frozen(matrix_of(network.reduce1).T, dtype), frozen(bias_of(network.reduce1))
        self.last, self.project = Convolution(network.decode1, dtype), Convolution(network.project, dtype)

    def initial_state(self, batch: int, height_small: int, width_small: int) -> State:
        """See `StudentNetwork.initial_state`; in the layout of the activations, the last two in float32."""
        sizes = feature_sizes(height_small, width_small)[1:]
        like = self.last.weight
        r1, r2, r3 = (
            like.new_zeros(batch, *size, channels).permute(0, 3, 1, 2)
            for channels, size in zip(self.state_channels, sizes, strict=True)
        )
        seen = torch.zeros(batch, *sizes[0], CHANNELS, device=like.device).permute(0, 3, 1, 2)
        return r1, r2, r3, seen, torch.zeros(batch, 1, height_small, width_small, device=like.device)

    def coefficients(self, src_small: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """See `StudentNetwork.coefficients`; src_small is float32."""
        image = src_small.permute(0, 2, 3, 1).contiguous()
        undecided, *memories = self._undecided_matte(image, *state[:4])
        last = state[4].permute(0, 2, 3, 1).contiguous()
        matte, decided = decided_matte(self.operations, undecided, last, self.rule)
        slope, offset, _ = fast_guided_filter(self.operations, image, matte, EPS, renormalize=True)
        outputs = slope, offset, undecided[..., 3:]
        return *(each.permute(0, 3, 1, 2) for each in outputs), *memories, decided.permute(0, 3, 1, 2)

    def _undecided_matte(self, image: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Return the matte before the decision stage, (B, h, w, 4), and r1, r2, r3 and `seen`."""
        operations = self.operations
        keep, seen = kept_shares(operations, image, state[3].permute(0, 2, 3, 1).contiguous(), self.forgetting)
        skips = [self.stem(image)]
        for stage in self.stages:
            skips.append(stage(skips[-1])[0])
        skip, x, gate = self.coarse(skips[-1], image)
        x = self._joined(x, skip, self.decodes[0], self.coarse.bias, gate)
        memories: list[Tensor] = []
        for index, (decode, unit) in enumerate(zip(self.decodes, self.units, strict=True)):
            if index:
                x = self._joined(x, skips.pop(), decode)
            x, h = unit(decode(x), decode.bias, state[2 - index], keep=keep[2 - index])
            memories.insert(0, h)
        x = self.last(self._joined(product(x, self.reduce), skips.pop(), self.last, self.reduce_bias))
        x, _ = operations.finish(x, self.last.bias, Activation.RELU)
        size = image.shape[1], image.shape[2]
        matte = shuffled_matte(operations, self.project(x), self.project.bias, size, STRETCH)
        return matte, *memories, seen.permute(0, 3, 1, 2)

    def _joined(
        self, coarse: Tensor, skip: Tensor, reader: nn.Module, bias: Tensor | None = None, gate: Tensor | None = None
    ) -> Tensor:
        """Return coarse features upsampled, and the skip, for a convolution. bias: where a ReLU is still to be done."""
        assert isinstance(reader, Convolution)
        activation = Activation.NONE if bias is None else Activation.RELU
        size = skip.shape[1], skip.shape[2]
        return self.operations.join(coarse, size, reader.inputs, bias=bias, activation=activation, gate=gate, skip=skip)


class _Coarse(nn.Module):
    """The encoder's layers at 1/16 and 1/32, up to the bias of the last one."""

    def __init__(self, operations: Operations, network: StudentNetwork) -> None:
        super().__init__()
        self.operations = operations
        self.encode4, self.encode5 = _Stage(operations, network.encode4), _Stage(operations, network.encode5)
        context = network.encode5[-1]
        assert isinstance(context, Context)
        self.features = frozen(matrix_of(context.features).T, operations.dtype)
        self.bias = frozen(bias_of(context.features))
        self.gate, self.gate_bias = frozen(matrix_of(context.weights)), frozen(bias_of(context.weights))

    def forward(self, x: Tensor, image: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return features at 1/16, those at 1/32 without bias and activation, and the gate of these."""
        fine, _ = self.encode4(x)
        x, sums = self.encode5(fine)
        gate = self.operations.squeeze(sums, self.gate, self.gate_bias, Activation.SIGMOID)
        return fine, product(x, self.features), gate


class _Trunk(nn.Module):
    """EfficientNet-Lite0 and its lateral convolutions; like `_Coarse`."""

    def __init__(self, operations: Operations, trunk: Trunk, network: StudentNetwork) -> None:
        super().__init__()
        self.operations = operations
        self.stem = Stem(operations, trunk.encoder.stem, network.mean, network.deviation, Activation.RELU6)
        shift = torch.zeros(self.stem.bias.shape[0])
        stages: list[nn.Sequential] = []
        shifts: list[Tensor] = []
        for stage in trunk.encoder.stages:
            stages.append(nn.Sequential())
            for block in stage.children():
                assert isinstance(block, InvertedResidual)
                made = FusedBottleneck(operations, [*block.body], shift, Activation.RELU6, residual=block.residual)
                stages[-1].append(made)
                shift = made.shift
            shifts.append(shift)
        self.to_16, self.to_32 = nn.Sequential(*stages[:STAGES_TO_16]), nn.Sequential(*stages[STAGES_TO_16:])
        laterals = (trunk.lateral4, shifts[STAGES_TO_16 - 1]), (trunk.lateral5, shifts[-1])
        self.lateral4, self.lateral5 = (frozen(matrix_of(lateral).T, operations.dtype) for lateral, _ in laterals)
        self.bias4, self.bias = (frozen(bias_of(lateral) + matrix_of(lateral) @ shift) for lateral, shift in laterals)

    def forward(self, x: Tensor, image: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return what `_Coarse` does."""
        x = self.to_16(self.stem(image))
        fine, _ = self.operations.finish(product(x, self.lateral4), self.bias4, Activation.RELU)
        return fine, product(self.to_32(x), self.lateral5), None


class _Stage(nn.Module):
    """A convolution with a stride, and residual blocks."""

    def __init__(self, operations: Operations, stage: nn.Module) -> None:
        super().__init__()
        dtype = operations.dtype
        first, *rest = stage.children()
        self.operations = operations
        self.first = Convolution(first, dtype)
        self.blocks = nn.ModuleList(
            nn.ModuleList(Convolution(layer, dtype) for layer in block.body)
            for block in rest
            if isinstance(block, Residual)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Sums]:
        """Return the output and its sums."""
        x, sums = self.operations.finish(self.first(x), self.first.bias, Activation.RELU)
        for index, block in enumerate(self.blocks):
            residual, wanted = x, index == len(self.blocks) - 1
            *inner, last = block.children()
            assert isinstance(last, Convolution)
            for conv in inner:
                assert isinstance(conv, Convolution)
                x, _ = self.operations.finish(conv(x), conv.bias, Activation.RELU)
            x, sums = self.operations.finish(last(x), last.bias, Activation.RELU, residual, sums=wanted)
        assert sums is not None
        return x, sums
