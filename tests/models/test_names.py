"""The state dict of every network matches the published one in names and shapes."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from models.bgmv2.network import MattingRefine
from models.rvm.network import MattingNetwork
from models.u2net.saliency import U2Net
from tests.models.golden import names, published_names
from tests.paths import shared

pytestmark = pytest.mark.torch

NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "rvm_mobilenetv3_deep_guided_filter": MattingNetwork,
    "rvm_resnet50_deep_guided_filter": lambda: MattingNetwork("resnet50"),
    "bgmv2_mobilenetv2": lambda: MattingRefine("mobilenetv2"),
    "bgmv2_resnet50": lambda: MattingRefine("resnet50"),
    "bgmv2_resnet101": lambda: MattingRefine("resnet101"),
    "u2netp": lambda: U2Net(small=True),
    "u2net": lambda: U2Net(small=False),
}


@pytest.mark.parametrize("network", NETWORKS)
def test_names_and_shapes_are_the_published_ones(network: str) -> None:
    with torch.device("meta"):
        assert names(NETWORKS[network]()) == published_names()[network]


def test_every_published_network_is_covered() -> None:
    assert set(NETWORKS) == set(published_names())


def test_a_published_checkpoint_loads_strictly() -> None:
    network = MattingNetwork()
    weights = torch.load(shared("weights/rvm_mobilenetv3.pth"), weights_only=True)
    network.load_state_dict(weights, strict=True)
    assert torch.equal(network.state_dict()["project_mat.conv.bias"], weights["project_mat.conv.bias"])
