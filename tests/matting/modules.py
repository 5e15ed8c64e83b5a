"""The networks of the tests as modules of torch."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from models.mattecam.network import MattecamNetwork
from models.rvm.network import MattingNetwork
from models.u2net import U2Net
from tests.toy.network import ToyNetwork
from tests.toy.spec import TOY

NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "rvm-mobilenetv3": MattingNetwork,
    "mattecam": MattecamNetwork,
    "u2netp": lambda: U2Net(small=True),
    TOY.name: ToyNetwork,
}
